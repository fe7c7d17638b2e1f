/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of /metrics share. */
#ifndef REGISTRAR_STATUS_METRICS_INSIDE_H
#define REGISTRAR_STATUS_METRICS_INSIDE_H

#include "registrar/server.h"
#include "registrar/status/capf.h"
#include "registrar/status/metrics_text.h"

struct metrics_store {
	bool there;
	struct trust_store_state state;
	uint64_t anchors;
	uint64_t crls, crls_overdue;
	uint64_t generation;
};

/* Everything that single numbers come from, looked at once. Another source:
 * a member here, a line in look(), and a row a number. */
struct metrics_seen {
	struct server *server;
	struct limits_counts limits;
	struct directory_counts phones;
	struct server_memory memory;
	struct session_cache_fill sessions;
	struct metrics_store stores[TRUST_STORES];
	bool has_capf;
	struct status_capf capf;
};

/* ---- families that write themselves ---- */

/* One number of each store there is. */
void metrics_trust_of_stores(struct metrics_page *page,
	const struct metrics_seen *seen,
	uint64_t (*number)(const struct metrics_store *store));
void metrics_trust_refusals(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_trust_retiring(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_trust_own_refused(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_trust_own(
	struct metrics_page *page, const struct metrics_seen *seen);

void metrics_tls_by_version(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_tls_verdicts(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_tls_key_age(
	struct metrics_page *page, const struct metrics_seen *seen);

/* Nothing where no listener is CAPF's. */
void metrics_capf_pending(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_capf_operations(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_capf_done(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_capf_ledger(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_capf_visits(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_capf_halted(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_capf_audit(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_capf_roots(
	struct metrics_page *page, const struct metrics_seen *seen);

#endif

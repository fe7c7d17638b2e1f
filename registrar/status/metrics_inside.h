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
	uint64_t locked_out;
	char fingerprint[65];
};

/* Everything that single numbers come from, looked at once. Another source:
 * a member here, a line in look(), and a row a number. */
struct metrics_seen {
	struct server *server;
	struct limits_counts limits;
	struct directory_counts phones;
	struct overload_view overload;
	struct meters meters; /* of all workers */
	struct server_memory memory;
	struct session_cache_fill sessions;
	struct leaves_counts leaves;
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
/* Phones' certificates, by how soon they end. */
void metrics_trust_ending(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_trust_own_refused(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_trust_fingerprints(
	struct metrics_page *page, const struct metrics_seen *seen);
/* By file: the soonest of each. */
void metrics_trust_anchors(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_trust_crls(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_trust_own(
	struct metrics_page *page, const struct metrics_seen *seen);

void metrics_tls_by_version(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_tls_ciphers(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_tls_anchors(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_tls_alerts(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_tls_took(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_tls_verdicts(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_tls_key_age(
	struct metrics_page *page, const struct metrics_seen *seen);

void metrics_phones_registered(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_phones_took(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_phones_sip(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_phones_failures(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_load_state(
	struct metrics_page *page, const struct metrics_seen *seen);

void metrics_process_build(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_process_cpu(
	struct metrics_page *page, const struct metrics_seen *seen);
/* Descriptors, and how many there may be. */
void metrics_process_fds(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_process_max_fds(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_process_virtual(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_load_turns(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_load_longest(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_load_oldest(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_load_waits(
	struct metrics_page *page, const struct metrics_seen *seen);
void metrics_process_stores(
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

/* SPDX-License-Identifier: Apache-2.0 */
/* Trust and certificates, in numbers. */
#include <stdio.h>
#include <string.h>

#include "registrar/impact.h"
#include "registrar/status/metrics_inside.h"

void metrics_trust_of_stores(struct metrics_page *page,
	const struct metrics_seen *seen,
	uint64_t (*number)(const struct metrics_store *store))
{
	for (int i = 0; i < TRUST_STORES; i++) {
		if (!seen->stores[i].there)
			continue;
		metrics_label(
			page, "store", trust_store_name((enum trust_store)i));
		metrics_value(page, number(&seen->stores[i]));
	}
}

void metrics_trust_refusals(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	for (int i = 0; i < TRUST_STORES; i++) {
		const struct trust_store_state *s = &seen->stores[i].state;
		for (size_t k = 0; k < s->n_refusals; k++) {
			metrics_label(page, "store",
				trust_store_name((enum trust_store)i));
			metrics_label(page, "rule", s->refusals[k].rule);
			metrics_value(page, s->refusals[k].n);
		}
	}
}

/* By file, of which one may hold several; the set has them in a row. */
static void retiring_files(struct metrics_page *page, struct server *s,
	const char *store, const struct trust_snapshot *trust)
{
	size_t n;
	const struct trust_anchor *a = trust_snapshot_anchors(trust, &n);
	const struct trust_anchor *end = a + n;
	while (a < end) {
		const char *file = a->file;
		uint64_t devices = 0;
		bool any = false;
		for (; a < end && strcmp(a->file, file) == 0; a++) {
			any |= a->retiring;
			if (a->retiring)
				devices +=
					impact_depending(s, a->id.sha256_raw);
		}
		if (!any)
			continue;
		metrics_label(page, "store", store);
		metrics_label(page, "file", file);
		metrics_value(page, devices);
	}
}

void metrics_trust_retiring(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	for (int i = 0; i < TRUST_STORES; i++) {
		enum trust_store store = (enum trust_store)i;
		struct trust_snapshot *trust =
			server_trust(seen->server, store);
		if (trust)
			retiring_files(page, seen->server,
				trust_store_name(store), trust);
		trust_snapshot_unref(trust);
	}
}

void metrics_trust_own_refused(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	metrics_value(page, server_own_refused(seen->server).since_ms != 0);
}

void metrics_trust_own(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	struct profiles *p = server_profiles(seen->server);
	for (size_t i = 0; i < p->own->n; i++) {
		const struct cert_identity *id = &p->own->pairs[i].id;
		char number[21];
		snprintf(number, sizeof(number), "%zu", i);
		metrics_label(page, "number", number);
		metrics_label(page, "subject", id->subject);
		metrics_value(page, (uint64_t)id->not_after);
	}
	profiles_unref(p);
}

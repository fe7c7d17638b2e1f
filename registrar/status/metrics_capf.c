/* SPDX-License-Identifier: Apache-2.0 */
/* CAPF, where it is served, in numbers. */
#include "registrar/status/metrics_inside.h"

void metrics_capf_pending(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	for (int i = CAPF_INSTALL; seen->has_capf && i < CAPF_KINDS; i++) {
		metrics_label(
			page, "operation", capf_kind_name((enum capf_kind)i));
		metrics_value(page, seen->capf.counts.pending[i]);
	}
}

/* CUCM's words of each status, by its number: NULL where nothing of ours ends
 * so. */
static void status_texts(const char *texts[CAPF_STATUSES])
{
	enum {
		MODES = CAPF_MODE_MIC,
		STATES = CAPF_STATE_FAILED + 1,
		ALL = CAPF_KINDS * STATES * CAPF_WHYS * MODES
	};
	for (int i = 0; i < ALL; i++) {
		enum capf_mode mode = (enum capf_mode)(i % MODES + 1);
		enum capf_why why = (enum capf_why)(i / MODES % CAPF_WHYS);
		int rest = i / MODES / CAPF_WHYS;
		enum capf_state state = (enum capf_state)(rest % STATES);
		enum capf_kind kind = (enum capf_kind)(rest / STATES);
		texts[capf_status_number(kind, state, why, mode)] =
			capf_status_text(kind, state, why, mode);
	}
}

void metrics_capf_operations(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	const char *texts[CAPF_STATUSES] = {NULL};
	if (!seen->has_capf)
		return;
	status_texts(texts);
	for (int i = 0; i < CAPF_STATUSES; i++) {
		if (!texts[i])
			continue;
		metrics_label(page, "status", texts[i]);
		metrics_value(page, seen->capf.counts.by_status[i]);
	}
}

void metrics_capf_done(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	const struct capf_desk_state *desk = &seen->capf.desk;
	const struct {
		const char *what;
		uint64_t n;
	} rows[] = {{"issued", desk->issued},
		{"delivered again", desk->delivered_again},
		{"deleted", desk->removed}, {"fetched", desk->fetched},
		{"refused", desk->refused}};
	for (size_t i = 0; seen->has_capf && i < sizeof(rows) / sizeof(rows[0]);
		i++) {
		metrics_label(page, "what", rows[i].what);
		metrics_value(page, rows[i].n);
	}
}

void metrics_capf_ledger(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	for (int i = 0; seen->has_capf && i < CAPF_ISSUED_STATES; i++) {
		metrics_label(page, "state",
			capf_issued_name((enum capf_issued_state)i));
		metrics_value(page, seen->capf.counts.issued[i]);
	}
}

void metrics_capf_visits(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	if (!seen->has_capf)
		return;
	metrics_label(page, "doing", "all");
	metrics_value(page, seen->capf.desk.visits);
	metrics_label(page, "doing", "making a key");
	metrics_value(page, seen->capf.desk.making_keys);
	metrics_label(page, "doing", "waiting for us");
	metrics_value(page, seen->capf.desk.waiting);
}

void metrics_capf_halted(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	if (seen->has_capf)
		metrics_value(page, *seen->capf.desk.halted != '\0');
}

void metrics_capf_audit(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	if (seen->has_capf)
		metrics_value(page, seen->capf.counts.audit);
}

static void capf_root(struct metrics_page *page, const struct capf_root *root)
{
	if (!root->cert)
		return;
	metrics_label(page, "name", root->name);
	metrics_value(page, (uint64_t)root->id.not_after);
}

void metrics_capf_roots(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	if (!seen->has_capf)
		return;
	struct capf_roots *roots =
		capf_authority_roots(server_authority(seen->server));
	capf_root(page, &roots->signing);
	capf_root(page, &roots->old);
	capf_root(page, &roots->next);
	capf_roots_unref(roots);
}

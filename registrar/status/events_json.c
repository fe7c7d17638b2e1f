/* SPDX-License-Identifier: Apache-2.0 */
/* What events say: docs/events.md. */
#include "registrar/status/events_json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "registrar/capf/rollover.h"
#include "registrar/status/capf.h"
#include "registrar/status/forecast.h"
#include "registrar/status/member.h"
#include "registrar/status/phone.h"
#include "registrar/status/retiring.h"

enum { PHONES_MAX = 200 };

/* ---- status ---- */

void events_json_stamp(json_t *event)
{
	char at[21], text[64];
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	cert_time_text(now.tv_sec, at);
	snprintf(text, sizeof(text), "%.19s.%03ldZ", at, now.tv_nsec / 1000000);
	json_object_set_new(event, "at", json_string(text));
}

static void set_phones(json_t *o, struct server *s)
{
	struct directory_counts c = directory_count(server_directory(s));
	member_number(o, "known", c.known);
	member_number(o, "registered", c.registered);
	member_number(o, "sip", c.by_protocol[CONFIG_SIP]);
	member_number(o, "sccp", c.by_protocol[CONFIG_SCCP]);
	member_number(o, "tls", c.tls);
	member_number(o, "plain", c.registered - c.tls);
	member_number(o, "lsc", c.lsc);
	member_number(o, "mic", c.mic);
}

static void set_connections(json_t *o, struct server *s)
{
	struct conn_counters c = server_counters(s);
	struct limits_counts now = server_limits(s);
	json_object_set_new(o, "handshakes",
		json_pack("{sI sI sI}", "full",
			(json_int_t)(c.handshakes_ok - c.resumed), "resumed",
			(json_int_t)c.resumed, "failed",
			(json_int_t)c.handshakes_failed));
	member_number(o, "accepted", c.accepted);
	member_number(o, "closed", c.closed);
	member_number(o, "connections", now.connections);
	member_number(o, "halfOpen", now.half_open);
}

/* A rule may have its place in several stages. */
static void set_refusals(json_t *o, struct server *s)
{
	struct failures_by_rule by;
	json_t *reasons = json_object();
	failures_by_rule(server_failures(s), &by);
	for (size_t i = 0; i < by.n; i++) {
		json_int_t before = json_integer_value(
			json_object_get(reasons, by.list[i].rule));
		member_number(reasons, by.list[i].rule,
			(uint64_t)before + by.list[i].count);
	}
	member_number(o, "refusals", failures_total(server_failures(s)));
	json_object_set_new(o, "refusalsByReason", reasons);
}

json_t *events_json_status(struct server *s)
{
	struct overload_view v = server_overload(s);
	uint64_t waiting =
		v.figures.backlog + v.figures.resuming + v.figures.strangers;
	json_t *o = json_object();
	set_phones(o, s);
	set_connections(o, s);
	set_refusals(o, s);
	json_object_set_new(o, "admission",
		json_pack("{ss sI}", "state", overload_state_name(v.state),
			"waiting", (json_int_t)waiting));
	member_number(o, "devices", inventory_count(server_inventory(s)));
	return o;
}

/* ---- trust ---- */

static json_t *refused(const struct reload_refusal *r)
{
	if (!r->since_ms)
		return NULL;
	json_t *o = json_object();
	member_time(o, "since", r->since_ms);
	member_text(o, "rule", r->rule);
	member_text(o, "file", r->file);
	member_text(o, "why", r->why);
	member_text(o, "cure", r->cure);
	return o;
}

static json_t *store(struct server *s, enum trust_store which)
{
	struct trust_store_state state;
	struct trust_snapshot *trust = server_trust_state(s, which, &state);
	size_t anchors;
	if (!trust)
		return NULL;
	trust_snapshot_anchors(trust, &anchors);
	json_t *o = json_object();
	member_text(o, "store", trust_store_title(which));
	member_number(o, "generation", trust_snapshot_generation(trust));
	member_text(o, "fingerprint", trust_snapshot_fingerprint(trust));
	member_number(o, "anchors", anchors);
	member_time(o, "loaded", state.loaded_ms);
	json_object_set_new(o, "retiring", retiring_sum(s, trust));
	json_object_set_new(o, "refused", refused(&state.refused));
	trust_snapshot_unref(trust);
	return o;
}

json_t *events_json_trust(struct server *s)
{
	json_t *stores = json_array();
	for (int i = 0; i < TRUST_STORES; i++)
		json_array_append_new(stores, store(s, (enum trust_store)i));
	return json_pack("{so}", "stores", stores);
}

/* ---- CAPF ---- */

json_t *events_json_rollover(struct server *s)
{
	struct rollover_view v;
	struct diag d;
	int error = server_capf(s) ? rollover_look(s, &v, &d) : -1;
	json_t *o = NULL;
	if (error == 0) {
		o = json_pack("{ss}", "state", rollover_state_name(v.state));
		if (v.state != ROLLOVER_IDLE) {
			member_text(o, "old", v.old_name);
			member_text(o, "new", v.new_name);
			member_number(o, "done", v.done);
			member_number(o, "left", v.left);
			member_number(o, "offline", v.offline);
			member_number(o, "recent", v.recent);
			member_number(o, "queued", v.queued);
		}
	}
	if (server_capf(s))
		rollover_view_deinit(&v);
	return o;
}

json_t *events_json_capf(struct server *s, json_t *rollover)
{
	struct status_capf seen;
	json_t *o = status_json_capf_sum(s);
	if (!o || !status_capf_look(s, &seen)) {
		json_decref(o);
		json_decref(rollover);
		return NULL;
	}
	json_object_set_new(
		o, "sinceStart", status_json_capf_since_start(&seen.desk));
	json_object_set_new(o, "rollover", rollover);
	return o;
}

/* ---- phones ---- */

/* How many places of the event were wanted. */
static size_t add_changed(
	const struct roster *r, uint64_t version, json_t *phones)
{
	size_t n = 0;
	for (size_t i = 0; i < r->n; i++)
		if (r->slots[i].changed > version && n++ < PHONES_MAX)
			json_array_append_new(phones,
				status_phone_brief(&r->slots[i].phone->entry));
	return n;
}

static size_t add_gone(const struct roster *r, uint64_t version, json_t *phones)
{
	size_t n = 0, i = 0;
	const char *name;
	while ((name = roster_gone_since(r, version, &i)))
		if (json_array_size(phones) < PHONES_MAX) {
			json_array_append_new(phones,
				json_pack("{ss sb}", "name", name, "gone", 1));
			n++;
		}
	return n;
}

json_t *events_json_phones(const struct roster *r, uint64_t version)
{
	char since[TOKEN_MAX + 1];
	if (version == r->now.number)
		return NULL;
	json_t *phones = json_array();
	size_t n = add_changed(r, version, phones);
	n += add_gone(r, version, phones);
	token_write_moment(
		since, TOKEN_SINCE, (struct token_moment){r->now.run, version});
	return json_pack("{so sI ss}", "phones", phones, "more",
		(json_int_t)(n - json_array_size(phones)), "since", since);
}

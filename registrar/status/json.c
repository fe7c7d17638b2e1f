/* SPDX-License-Identifier: Apache-2.0 */
/* What the registrar knows, as JSON: one function per resource. */
#include "registrar/status/json.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "registrar/history.h"
#include "registrar/impact.h"
#include "registrar/status/capf.h"
#include "registrar/status/forecast.h"
#include "registrar/status/member.h"
#include "registrar/status/phone.h"
#include "registrar/status/retiring.h"
#include "registrar/tls/alert.h"
#include "registrar/version.h"
#include "trust/revocation.h"
#include "trust/waiver.h"

/* A code of CUCM's: whose it is, its number, its name. */
static void set_code(
	json_t *object, const char *key, enum reason_space space, int code)
{
	json_object_set_new(object, key, status_json_code(space, code));
}

json_t *status_json_code(enum reason_space space, int code)
{
	const char *name = reason_name(space, code);
	return json_pack("{ss si ss}", "space", reason_space_name(space),
		"code", code, "name", name ? name : "unknown");
}

/* Versions and suites as OpenSSL has them, not as they were asked for. */
static void set_tls(json_t *o, const struct profile *p)
{
	static const struct {
		int version;
		const char *name;
	} all[] = {{TLS1_VERSION, "TLSv1"}, {TLS1_1_VERSION, "TLSv1.1"},
		{TLS1_2_VERSION, "TLSv1.2"}, {TLS1_3_VERSION, "TLSv1.3"}};
	json_t *versions = json_array(), *suites = json_array();
	const STACK_OF(SSL_CIPHER) *list = SSL_CTX_get_ciphers(p->ctx);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].version >= SSL_CTX_get_min_proto_version(p->ctx))
			json_array_append_new(
				versions, json_string(all[i].name));
	for (int i = 0; i < sk_SSL_CIPHER_num(list); i++)
		json_array_append_new(
			suites, json_string(SSL_CIPHER_get_name(
					sk_SSL_CIPHER_value(list, i))));
	member_text(o, "profile", offer_profile_name(p->choice.profile));
	member_text(o, "preset", offer_preset_name(p->choice.preset));
	json_object_set_new(o, "versions", versions);
	json_object_set_new(o, "ciphers", suites);
	json_object_set_new(
		o, "nullCipher", json_boolean(p->choice.null_cipher));
}

/* p NULL: it has no TLS. */
static json_t *listener(
	const struct server_listener *l, const struct profile *p)
{
	json_t *o = json_pack("{ss ss ss si}", "service",
		config_protocol_name(l->config->protocol), "transport",
		config_transport_name(l->config->tls, l->config->udp),
		"address", l->config->address, "port", l->port);
	if (p)
		set_tls(o, p);
	return o;
}

static json_t *listeners(struct server *s, const struct profiles *p)
{
	size_t n;
	const struct server_listener *list = server_listeners(s, &n);
	json_t *all = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, listener(&list[i], p->of[i]));
	return all;
}

static json_t *datagrams(const struct conn_counters *c)
{
	json_t *o = json_object();
	member_number(o, "flows", c->flows - c->flows_closed);
	member_number(o, "flowsOpened", c->flows);
	member_number(o, "datagramsIn", c->datagrams_in);
	member_number(o, "datagramsOut", c->datagrams_out);
	member_number(o, "repeated", c->datagrams_repeated);
	member_number(o, "ignored", c->datagrams_ignored);
	member_number(o, "dropped", c->datagrams_dropped);
	member_number(o, "overflowed", c->datagrams_overflowed);
	return o;
}

static void set_counters(json_t *o, const struct conn_counters *c)
{
	member_number(o, "accepted", c->accepted);
	member_number(o, "closed", c->closed);
	member_number(o, "refused", c->refused);
	member_number(o, "handshakesOk", c->handshakes_ok);
	member_number(o, "resumed", c->resumed);
	member_number(o, "handshakesFailed", c->handshakes_failed);
	member_number(o, "bytesIn", c->bytes_in);
	member_number(o, "bytesOut", c->bytes_out);
	json_object_set_new(o, "udp", datagrams(c));
}

static json_t *connections(struct server *s)
{
	struct conn_counters c = server_counters(s);
	struct limits_counts now = server_limits(s);
	json_t *o = json_object();
	member_number(o, "open", now.connections);
	member_number(o, "halfOpen", now.half_open);
	set_counters(o, &c);
	return o;
}

static json_t *workers(struct server *s)
{
	json_t *all = json_array();
	for (size_t i = 0; i < server_workers(s); i++) {
		struct conn_counters c = server_worker_counters(s, i);
		json_t *o = json_object();
		member_number(o, "connections", c.accepted - c.closed);
		set_counters(o, &c);
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *memory(struct server *s)
{
	struct server_memory m = server_memory(s);
	json_t *o = json_object();
	member_number(o, "residentBytes", m.resident);
	if (m.per_connection)
		member_number(o, "perConnectionBytes", m.per_connection);
	member_number(o, "sessionCacheBytes", m.session_cache);
	return o;
}

/* The figures of the table, each in its group. */
static json_t *admission(struct server *s)
{
	struct overload_view v = server_overload(s);
	json_t *o = json_object();
	member_text(o, "state", overload_state_name(v.state));
	member_time(o, "since", v.since_ms);
	member_number(o, "handshakesMax", v.handshakes_max);
	member_number(o, "drainSeconds", v.drain_s);
	for (size_t i = 0; i < overload_rows_n; i++) {
		const struct overload_row *row = &overload_rows[i];
		json_t *to = o;
		if (*row->group && !json_object_get(o, row->group))
			json_object_set_new(o, row->group, json_object());
		if (*row->group)
			to = json_object_get(o, row->group);
		member_number(to, row->name, overload_figure(&v.figures, row));
	}
	return o;
}

static json_t *phone_counts(struct server *s)
{
	struct directory_counts c = directory_count(server_directory(s));
	json_t *o = json_object();
	member_number(o, "known", c.known);
	member_number(o, "registered", c.registered);
	member_number(o, "sccp", c.by_protocol[CONFIG_SCCP]);
	member_number(o, "sip", c.by_protocol[CONFIG_SIP]);
	member_number(o, "tls", c.tls);
	member_number(o, "lsc", c.lsc);
	member_number(o, "mic", c.mic);
	return o;
}

/* Absolute, because `dialtone` reads it from another working folder. */
static void set_folder(json_t *o, const char *folder)
{
	char *absolute = realpath(folder, NULL);
	member_text(o, "folder", absolute ? absolute : folder);
	free(absolute);
}

static void set_admin_socket(json_t *o, const char *path)
{
	char *absolute = *path ? realpath(path, NULL) : NULL;
	member_text(o, "adminSocket", absolute);
	free(absolute);
}

/* What is on the disk and not in force. */
static void set_refused(
	json_t *o, const char *key, const struct reload_refusal *refused)
{
	if (!refused->since_ms)
		return;
	json_t *r = json_object();
	member_time(r, "since", refused->since_ms);
	member_time(r, "last", refused->last_ms);
	member_number(r, "retries", refused->retries);
	member_text(r, "rule", refused->rule);
	member_text(r, "file", refused->file);
	if (refused->line)
		member_number(r, "line", (uint64_t)refused->line);
	member_text(r, "why", refused->why);
	member_text(r, "cure", refused->cure);
	json_object_set_new(o, key, r);
}

static json_t *refusals(const struct trust_store_state *state)
{
	json_t *o = json_object();
	for (size_t i = 0; i < state->n_refusals; i++)
		member_number(o, state->refusals[i].rule, state->refusals[i].n);
	return o;
}

/* Generation and age of a store, and whether the folder says otherwise. */
static json_t *trust_head(struct server *s, enum trust_store store,
	const struct trust_snapshot *trust,
	const struct trust_store_state *state)
{
	char unwatched[128];
	json_t *o = json_object();
	size_t n;
	server_trust_unwatched(s, store, unwatched, sizeof(unwatched));
	trust_snapshot_anchors(trust, &n);
	member_text(o, "store", trust_store_title(store));
	set_folder(o, trust_store_folder(server_config(s), store));
	member_text(o, "notWatched", unwatched);
	member_number(o, "generation", trust_snapshot_generation(trust));
	member_text(o, "fingerprint", trust_snapshot_fingerprint(trust));
	member_number(o, "anchors", n);
	member_number(o, "crls",
		trust_revocation_count(trust_snapshot_revocation(trust)));
	member_number(o, "authLevel", server_config(s)->auth_level);
	member_time(o, "loaded", state->loaded_ms);
	set_refused(o, "reloadRefused", &state->refused);
	json_object_set_new(o, "refusals", refusals(state));
	json_object_set_new(o, "ends", status_json_forecast(s, trust));
	json_object_set_new(o, "retiring", retiring_sum(s, trust));
	json_object_set_new(o, "lockedOut", status_json_locked_out(s, store));
	return o;
}

/* NULL: there is no such store. */
static json_t *trust_head_of(struct server *s, enum trust_store store)
{
	struct trust_store_state state;
	struct trust_snapshot *trust = server_trust_state(s, store, &state);
	json_t *o = trust ? trust_head(s, store, trust, &state) : NULL;
	trust_snapshot_unref(trust);
	return o;
}

/* What became of sessions that phones offered, and what we keep. */
static json_t *resumption(struct server *s)
{
	const struct resume *r = server_resume(s);
	json_t *o = json_object();
	json_t *offered = json_object();
	for (int i = 0; i < RESUME_VERDICTS; i++)
		member_number(offered,
			resume_verdict_name((enum resume_verdict)i),
			__atomic_load_n(&r->verdicts[i], __ATOMIC_RELAXED));
	json_object_set_new(o, "offered", offered);
	if (r->keys) {
		struct ticket_keys_view view = ticket_keys_view(r->keys);
		json_t *names = json_array();
		for (size_t i = 0; i < TICKET_KEYS; i++)
			json_array_append_new(
				names, json_string(view.names[i]));
		json_object_set_new(o, "ticketKeys", names);
		member_time(
			o, "ticketKeysRotated", (int64_t)view.rotated * 1000);
	}
	if (r->cache) {
		struct session_cache_fill fill = session_cache_fill(r->cache);
		member_number(o, "sessions", fill.used);
		member_number(o, "sessionsMax", fill.room);
	}
	return o;
}

static json_t *own_certificates(const struct profiles *p)
{
	json_t *all = json_array();
	for (size_t i = 0; i < p->own->n; i++) {
		const struct cert_identity *id = &p->own->pairs[i].id;
		json_t *o = json_object();
		member_text(o, "subject", id->subject);
		member_text(o, "issuer", id->issuer);
		member_text(o, "serial", id->serial);
		member_text(o, "key", id->key);
		member_text(o, "sha256", id->sha256);
		member_time(o, "notAfter", (int64_t)id->not_after * 1000);
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *history(struct server *s)
{
	struct history_counts c = history_count(server_history(s));
	json_t *o = json_object();
	member_number(o, "events", c.rows);
	member_number(o, "dropped", c.dropped);
	return o;
}

/* What may register, and whether strangers are taken in. */
static json_t *inventory(struct server *s)
{
	struct inventory *inv = server_inventory(s);
	struct store_window window = inventory_window(inv, time(NULL));
	json_t *o = json_object();
	member_number(o, "devices", inventory_count(inv));
	member_time(o, "autoRegistrationUntil", window.until * 1000);
	return o;
}

json_t *status_json_status(struct server *s)
{
	struct profiles *p = server_profiles(s);
	struct reload_refusal own = server_own_refused(s);
	struct timespec now;
	json_t *o = json_object();
	clock_gettime(CLOCK_REALTIME, &now);
	member_text(o, "node", server_config(s)->node);
	member_text(o, "version", DIALTONE_VERSION);
	member_number(o, "pid", (uint64_t)getpid());
	member_time(o, "started", server_started_ms(s));
	member_time(o, "now", now.tv_sec * 1000);
	set_admin_socket(o, server_config(s)->admin_socket);
	json_object_set_new(o, "phones", phone_counts(s));
	json_object_set_new(o, "inventory", inventory(s));
	json_object_set_new(o, "connections", connections(s));
	json_object_set_new(o, "admission", admission(s));
	json_object_set_new(o, "workers", workers(s));
	json_object_set_new(o, "memory", memory(s));
	member_number(o, "failures", failures_total(server_failures(s)));
	json_object_set_new(o, "history", history(s));
	json_object_set_new(o, "trust", trust_head_of(s, STORE_CALLMANAGER));
	json_t *capf = trust_head_of(s, STORE_CAPF);
	if (capf)
		json_object_set_new(o, "capfTrust", capf);
	json_object_set_new(o, "capf", status_json_capf_sum(s));
	json_object_set_new(o, "resumption", resumption(s));
	json_object_set_new(o, "certificates", own_certificates(p));
	set_refused(o, "certificatesRefused", &own);
	json_object_set_new(o, "listeners", listeners(s, p));
	profiles_unref(p);
	return o;
}

/* CcmDeviceStatus as a code, and its name for people. */
static void set_state(json_t *o, enum reason_status status)
{
	member_text(o, "state", reason_name(REASON_SPACE_STATUS, (int)status));
	set_code(o, "status", REASON_SPACE_STATUS, (int)status);
}

static json_t *presented(const struct failure *f)
{
	json_t *o = json_object();
	member_text(o, "subject", f->subject);
	member_text(o, "issuer", f->issuer);
	member_text(o, "serial", f->serial);
	member_text(o, "notAfter", f->not_after);
	member_text(o, "sha256", f->sha256);
	return o;
}

json_t *status_json_failure(const struct failure *f)
{
	json_t *o = json_object();
	member_time(o, "first", f->first_ms);
	member_time(o, "last", f->last_ms);
	member_number(o, "count", f->count);
	member_text(o, "stage", failure_stage_name(f->stage));
	member_text(o, "rule", f->rule);
	if (f->code != REASON_FAILURE_NO_ERROR)
		set_code(o, "reason", REASON_SPACE_FAILURE, (int)f->code);
	if (f->tls &&
		(f->stage == FAILURE_TLS || f->stage == FAILURE_REGISTRATION))
		set_code(o, "tlsFailure", REASON_SPACE_TLS,
			(int)failure_tls_reason(f));
	member_text(o, "device", f->device);
	member_text(o, "protocol", config_protocol_name(f->protocol));
	member_text(o, "transport", config_transport_name(f->tls, f->udp));
	member_text(o, "address", f->address);
	member_number(o, "port", f->port);
	if (f->alert >= 0)
		json_object_set_new(o, "alert",
			json_pack("{si ss ss}", "number", f->alert, "name",
				alert_text(f->alert), "sentBy",
				f->alert_read ? "phone" : "registrar"));
	if (f->sha256[0])
		json_object_set_new(o, "presented", presented(f));
	member_text(o, "missingCa", f->missing_ca);
	member_text(o, "why", f->why);
	member_text(o, "cure", f->cure);
	member_text(o, "phoneConsole", f->console);
	return o;
}

json_t *status_json_phone(
	struct server *s, struct refusals *refusals, const char *name)
{
	struct directory_entry entry;
	bool known = directory_find(server_directory(s), name, &entry);
	json_t *failed = refusals_of(refusals, name);
	if (!known && json_array_size(failed) == 0) {
		json_decref(failed);
		return NULL;
	}
	json_t *o = known ? status_phone_json(&entry)
			  : json_pack("{ss}", "name", name);
	if (known)
		directory_entry_deinit(&entry);
	else
		set_state(o, REASON_STATUS_REJECTED);
	json_object_set_new(o, "capf", status_json_capf_phone(s, name));
	json_object_set_new(o, "failures", failed);
	return o;
}

static json_t *anchor(const struct trust_anchor *a)
{
	json_t *o = json_object();
	member_text(o, "file", a->file);
	member_text(o, "issues", cert_kind_name(a->kind));
	member_text(o, "allows", trust_waiver_text(a->allows));
	json_object_set_new(
		o, "allowNotCritical", json_boolean(a->allow_not_critical));
	json_object_set_new(o, "enrolOnly", json_boolean(a->enrol_only));
	json_object_set_new(o, "retiring", json_boolean(a->retiring));
	json_object_set_new(
		o, "expiredGraceDays", json_integer(a->grace_s / 86400));
	member_text(o, "knownAs", a->known_as);
	member_text(o, "subject", a->id.subject);
	member_text(o, "issuer", a->id.issuer);
	member_text(o, "serial", a->id.serial);
	member_text(o, "key", a->id.key);
	if (a->id.times_ok) {
		member_time(o, "notBefore", (int64_t)a->id.not_before * 1000);
		member_time(o, "notAfter", (int64_t)a->id.not_after * 1000);
	}
	member_text(o, "sha256", a->id.sha256);
	json_object_set_new(o, "line", json_integer(a->line));
	json_object_set_new(o, "usable", json_boolean(a->usable));
	member_text(o, "unusableWhy", a->unusable_why);
	return o;
}

/* trust.anchors and what CAPF adds, for who judges what is not in force. */
static json_t *policy(struct server *s)
{
	struct trust_snapshot *trust = server_trust(s, STORE_CALLMANAGER);
	const struct trust_policy *p = trust_snapshot_policy(trust);
	json_t *all = json_array();
	for (size_t i = 0; i < p->n_anchors; i++) {
		const struct trust_anchor_policy *row = &p->anchors[i];
		json_t *o = json_object();
		member_text(o, "name", row->name);
		if (row->kind != CERT_KIND_UNKNOWN)
			member_text(o, "issues", cert_kind_name(row->kind));
		member_text(o, "allows", trust_waiver_text(row->allows));
		json_object_set_new(o, "allowNotCritical",
			json_boolean(row->allow_not_critical));
		json_object_set_new(
			o, "enrolOnly", json_boolean(row->enrol_only));
		json_object_set_new(o, "retiring", json_boolean(row->retiring));
		json_object_set_new(o, "expiredGraceDays",
			json_integer(row->grace_s / 86400));
		json_array_append_new(all, o);
	}
	trust_snapshot_unref(trust);
	return all;
}

static json_t *crls(const struct trust_snapshot *trust)
{
	const struct trust_revocation *r = trust_snapshot_revocation(trust);
	size_t n = trust_revocation_count(r);
	time_t now = time(NULL);
	json_t *all = json_array();
	for (size_t i = 0; i < n; i++) {
		const struct trust_crl *crl = trust_revocation_at(r, i);
		json_t *o = json_object();
		member_text(o, "file", crl->file);
		member_text(o, "issuer", crl->issuer);
		member_text(o, "number", crl->number);
		member_time(o, "thisUpdate", (int64_t)crl->this_update * 1000);
		member_time(o, "nextUpdate", (int64_t)crl->next_update * 1000);
		member_number(o, "entries", crl->n);
		member_text(o, "state",
			trust_crl_state_name(
				trust_revocation_state(r, i, now)));
		json_array_append_new(all, o);
	}
	return all;
}

/* One store with its anchors; NULL: there is none. */
static json_t *trust_store(struct server *s, enum trust_store store)
{
	struct trust_store_state state;
	struct trust_snapshot *trust = server_trust_state(s, store, &state);
	size_t n;
	if (!trust)
		return NULL;
	const struct trust_anchor *list = trust_snapshot_anchors(trust, &n);
	json_t *o = trust_head(s, store, trust, &state);
	json_t *all = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *one = anchor(&list[i]);
		member_number(one, "devices",
			impact_depending(s, list[i].id.sha256_raw));
		json_array_append_new(all, one);
	}
	json_object_set_new(o, "list", all);
	json_object_set_new(o, "crlList", crls(trust));
	trust_snapshot_unref(trust);
	return o;
}

json_t *status_json_trust(struct server *s)
{
	json_t *o = trust_store(s, STORE_CALLMANAGER);
	json_object_set_new(o, "policy", policy(s));
	json_t *capf = trust_store(s, STORE_CAPF);
	if (capf)
		json_object_set_new(o, "capf", capf);
	return o;
}

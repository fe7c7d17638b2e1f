/* SPDX-License-Identifier: Apache-2.0 */
/* CAPF for pollers: who issues, what is pending, what holds it up. */
#include "registrar/status/capf.h"

#include <time.h>

#include "registrar/capf/counts.h"

enum { NULL_STRINGS_MAX = 100 }; /* devices by null string that are named */

static void set_num(json_t *o, const char *key, uint64_t n)
{
	json_object_set_new(o, key, json_integer((json_int_t)n));
}

static void set_time(json_t *o, const char *key, int64_t unix_s)
{
	char at[21];
	cert_time_text((time_t)unix_s, at);
	if (unix_s > 0)
		json_object_set_new(o, key, json_string(at));
}

/* ---- one operation ---- */

json_t *status_json_capf_state(const struct capf_operation *o)
{
	bool pending = o->state == CAPF_STATE_PENDING;
	json_t *json = json_pack("{ss ss ss si ss}", "operation",
		capf_kind_name(o->kind), "certificateOperation",
		capf_kind_cucm(pending ? o->kind : CAPF_NONE),
		"operationStatus",
		capf_status_text(o->kind, o->state, o->why, o->mode), "status",
		(int)capf_status_number(o->kind, o->state, o->why, o->mode),
		"state", capf_state_name(o->state));
	if (o->why != CAPF_WHY_NOTHING)
		json_object_set_new(json, "reason",
			json_pack("{ss ss ss}", "name", capf_why_name(o->why),
				"text", capf_why_text(o->why), "detail",
				o->detail));
	return json;
}

json_t *status_json_capf_phone(struct server *s, const char *device)
{
	struct capf_desk *desk = server_capf(s);
	struct capf_operation o;
	if (!desk)
		return NULL;
	int error =
		capf_store_operation(capf_desk_look(desk), device, &o, NULL);
	capf_desk_looked(desk);
	if (error < 0)
		return NULL;
	json_t *json = status_json_capf_state(&o);
	set_time(json, "changed", o.changed_at);
	set_time(json, "nullStringUntil",
		o.state == CAPF_STATE_PENDING ? o.null_until : 0);
	return json;
}

/* ---- all of it ---- */

bool status_capf_look(struct server *s, struct status_capf *out)
{
	struct capf_desk *desk = server_capf(s);
	*out = (struct status_capf){0};
	if (!desk)
		return false;
	out->desk = capf_desk_state(desk);
	out->counts = capf_counts_look(server_capf_counts(s), desk);
	return true;
}

static const char *issuer(const struct server *s)
{
	static const char *const names[] = {[CONFIG_ISSUER_OWN] = "own",
		[CONFIG_ISSUER_OFFLINE] = "offline",
		[CONFIG_ISSUER_EST] = "est"};
	return names[server_config(s)->capf_issuer];
}

static size_t pending(const struct capf_store_counts *c)
{
	size_t n = 0;
	for (int i = CAPF_INSTALL; i < CAPF_KINDS; i++)
		n += c->pending[i];
	return n;
}

static void set_halted(json_t *o, const struct capf_desk_state *desk)
{
	if (!*desk->halted)
		return;
	json_t *halted = json_pack("{ss}", "why", desk->halted);
	set_time(halted, "since", desk->halted_since);
	json_object_set_new(o, "halted", halted);
}

json_t *status_json_capf_sum(struct server *s)
{
	struct status_capf seen;
	if (!status_capf_look(s, &seen))
		return NULL;
	json_t *o = json_pack("{ss}", "issuer", issuer(s));
	set_num(o, "pending", pending(&seen.counts));
	set_num(o, "visits", seen.desk.visits);
	set_num(o, "stale", seen.counts.issued[CAPF_ISSUED_STALE]);
	set_halted(o, &seen.desk);
	return o;
}

static void add_root(
	json_t *roots, const struct capf_root *root, const char *use)
{
	if (!root->cert)
		return;
	json_t *o = json_pack("{ss ss ss ss ss}", "name", root->name, "use",
		use, "key", root->id.key, "sha1", root->id.sha1, "sha256",
		root->id.sha256);
	set_time(o, "notBefore", root->id.not_before);
	set_time(o, "notAfter", root->id.not_after);
	json_array_append_new(roots, o);
}

static json_t *roots_json(struct server *s)
{
	json_t *list = json_array();
	struct capf_roots *roots = capf_authority_roots(server_authority(s));
	add_root(list, &roots->signing, "signs");
	add_root(list, &roots->old, "old");
	add_root(list, &roots->next, "next");
	capf_roots_unref(roots);
	return list;
}

static json_t *pending_json(const struct capf_store_counts *c)
{
	json_t *o = json_object();
	for (int i = CAPF_INSTALL; i < CAPF_KINDS; i++)
		set_num(o, capf_kind_name((enum capf_kind)i), c->pending[i]);
	return o;
}

static json_t *issued_json(const struct capf_store_counts *c)
{
	json_t *o = json_object();
	for (int i = 0; i < CAPF_ISSUED_STATES; i++)
		set_num(o, capf_issued_name((enum capf_issued_state)i),
			c->issued[i]);
	return o;
}

json_t *status_json_capf_since_start(const struct capf_desk_state *desk)
{
	json_t *o = json_object();
	set_num(o, "issued", desk->issued);
	set_num(o, "deliveredAgain", desk->delivered_again);
	set_num(o, "deleted", desk->removed);
	set_num(o, "fetched", desk->fetched);
	set_num(o, "refused", desk->refused);
	return o;
}

static bool add_null_string(void *self, const struct capf_operation *o)
{
	json_t *one = json_pack("{ss ss}", "device", o->device, "operation",
		capf_kind_name(o->kind));
	set_time(one, "until", o->null_until);
	json_array_append_new(self, one);
	return true;
}

/* Who may come by their name alone, and until when: nobody should be among
 * them unnoticed. */
static json_t *null_strings(struct capf_desk *desk)
{
	json_t *list = json_array();
	const struct capf_which which = {.pending = true,
		.null_at = time(NULL),
		.most = NULL_STRINGS_MAX};
	capf_store_operations(
		capf_desk_look(desk), &which, add_null_string, list, NULL);
	capf_desk_looked(desk);
	return list;
}

json_t *status_json_capf(struct server *s)
{
	struct status_capf seen;
	if (!status_capf_look(s, &seen))
		return NULL;
	json_t *o = json_pack("{ss}", "issuer", issuer(s));
	json_object_set_new(o, "roots", roots_json(s));
	set_halted(o, &seen.desk);
	set_num(o, "visits", seen.desk.visits);
	set_num(o, "makingKeys", seen.desk.making_keys);
	set_num(o, "waiting", seen.desk.waiting);
	json_object_set_new(o, "pending", pending_json(&seen.counts));
	json_object_set_new(o, "issued", issued_json(&seen.counts));
	json_object_set_new(
		o, "sinceStart", status_json_capf_since_start(&seen.desk));
	set_num(o, "requestsOutside", seen.counts.requests);
	set_num(o, "certificatesFetched", seen.counts.shown);
	set_num(o, "auditLinks", seen.counts.audit);
	json_object_set_new(o, "nullStrings", null_strings(server_capf(s)));
	return o;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about trust that need the whole fleet: who would be locked out. */
#include "registrar/admin/trust_orders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "registrar/impact.h"
#include "registrar/memory.h"
#include "registrar/text.h"
#include "trust/waiver.h"

enum { BODY_MAX = 64 << 10, FILES_MAX = 256 };

static const char impact_path[] = "/v1/trust/impact";
const char trust_order_paths[] = "POST /v1/trust/impact";

/* ---- what is asked ---- */

struct question {
	struct server *server;
	struct plane_answer *out;
	json_t *body;
	enum trust_store store;
	struct trust_snapshot *before; /* the one in force */
	const char *in_force;	       /* the store's folder */
	const char *folder;	       /* of the new set */
	const char *without[FILES_MAX];
	size_t n_without;
};

/* False, and the answer. What came may be no UTF-8. */
static bool refuse(struct question *q, enum problem problem, const char *why)
{
	char said[sizeof(((struct diag *)0)->text)];
	text_copy(said, sizeof(said), why);
	plane_problem(q->out, problem, said);
	return false;
}

static bool breaks_a_rule(struct question *q, const char *why)
{
	return refuse(q, PROBLEM_RULE, why);
}

static bool read_store(struct question *q)
{
	const json_t *store = json_object_get(q->body, "store");
	const char *name = store ? json_string_value(store)
				 : trust_store_name(STORE_CALLMANAGER);
	int i = 0;
	while (name && i < TRUST_STORES &&
		strcasecmp(name, trust_store_name((enum trust_store)i)) != 0 &&
		strcasecmp(name, trust_store_title((enum trust_store)i)) != 0)
		i++;
	if (!name || i == TRUST_STORES)
		return breaks_a_rule(q,
			"store: is callmanager or capf, or as CUCM writes it: "
			"CallManager-trust, CAPF-trust");
	q->store = (enum trust_store)i;
	q->before = server_trust(q->server, q->store);
	q->folder = q->in_force =
		trust_store_folder(server_config(q->server), q->store);
	return q->before || refuse(q, PROBLEM_STORE,
				    "there is no CAPF-trust: the "
				    "configuration names no trust.capf");
}

/* A file that is there, by its name alone. */
static bool read_file(struct question *q, const char *name)
{
	struct diag d;
	if (q->n_without == FILES_MAX)
		return breaks_a_rule(q, "without: too many files");
	if (!name || !*name || strchr(name, '/'))
		return breaks_a_rule(q,
			"without: is a list of file names, without a folder");
	char *file = memory_format("%s/%s", q->folder, name);
	bool there = access(file, F_OK) == 0;
	diag_set(&d, -ENOENT, "%s: %s", file, strerror(ENOENT));
	free(file);
	if (!there)
		return refuse(q, PROBLEM_FILE, d.text);
	q->without[q->n_without++] = name;
	return true;
}

static bool read_change(struct question *q)
{
	json_t *without = json_object_get(q->body, "without"), *name;
	const json_t *folder = json_object_get(q->body, "folder");
	size_t i;
	if (!without == !folder || (without && !json_is_array(without)))
		return breaks_a_rule(q, "needs either without, a list of file "
					"names, or folder");
	json_array_foreach(without, i, name)
	{
		if (!read_file(q, json_string_value(name)))
			return false;
	}
	if (!folder)
		return true;
	q->folder = json_string_value(folder);
	return (q->folder && *q->folder == '/') ||
	       breaks_a_rule(q, "folder: is an absolute path");
}

static bool read_body(struct question *q, const struct plane_request *request)
{
	json_error_t why;
	const char *key;
	json_t *value;
	q->body = json_loadb(
		request->body, request->n, JSON_REJECT_DUPLICATES, &why);
	if (!json_is_object(q->body))
		return breaks_a_rule(q, "body: must be a JSON object");
	json_object_foreach(q->body, key, value)
	{
		if (strcmp(key, "store") != 0 && strcmp(key, "without") != 0 &&
			strcmp(key, "folder") != 0)
			return breaks_a_rule(q,
				"there are store, without and folder, and no "
				"other keys");
	}
	return read_store(q) && read_change(q);
}

/* ---- what changes ---- */

static json_t *anchor_json(const struct trust_anchor *a)
{
	return json_pack("{ss ss ss ss ss}", "file", a->file, "issues",
		cert_kind_name(a->kind), "subject", a->id.subject, "serial",
		a->id.serial, "sha256", a->id.sha256);
}

/* Those of one set that are not in the other. */
static json_t *only_in(
	const struct trust_snapshot *one, const struct trust_snapshot *other)
{
	json_t *list = json_array();
	size_t n;
	const struct trust_anchor *anchors = trust_snapshot_anchors(one, &n);
	for (size_t i = 0; i < n; i++)
		if (!trust_snapshot_find(other, anchors[i].id.sha256_raw))
			json_array_append_new(list, anchor_json(&anchors[i]));
	return list;
}

static void compare(
	json_t *changes, const char *what, const char *then, const char *now)
{
	if (strcmp(then, now) != 0)
		json_array_append_new(
			changes, json_pack("{ss ss ss}", "what", what, "was",
					 now, "becomes", then));
}

static const char *yes_no(bool yes)
{
	return yes ? "yes" : "no";
}

static json_t *changes_of(
	const struct trust_anchor *then, const struct trust_anchor *now)
{
	json_t *list = json_array();
	compare(list, "file", then->file, now->file);
	compare(list, "issues", cert_kind_name(then->kind),
		cert_kind_name(now->kind));
	compare(list, "allows", trust_waiver_text(then->allows),
		trust_waiver_text(now->allows));
	compare(list, "enrol_only", yes_no(then->enrol_only),
		yes_no(now->enrol_only));
	compare(list, "retiring", yes_no(then->retiring),
		yes_no(now->retiring));
	compare(list, "usable", yes_no(then->usable), yes_no(now->usable));
	return list;
}

static json_t *changed(
	const struct trust_snapshot *before, const struct trust_snapshot *after)
{
	json_t *list = json_array();
	size_t n;
	const struct trust_anchor *anchors = trust_snapshot_anchors(after, &n);
	for (size_t i = 0; i < n; i++) {
		const struct trust_anchor *was =
			trust_snapshot_find(before, anchors[i].id.sha256_raw);
		if (!was)
			continue;
		json_t *changes = changes_of(&anchors[i], was);
		if (json_array_size(changes))
			json_array_append_new(
				list, json_pack("{ss sO}", "file", was->file,
					      "changes", changes));
		json_decref(changes);
	}
	return list;
}

/* ---- the answer ---- */

static json_t *row_json(
	const struct impact_report *r, const struct impact_row *row)
{
	char at[21];
	json_t *o = json_pack("{ss ss ss ss sb sb sb}", "device", row->device,
		"certificate", cert_kind_name(row->kind), "anchor",
		r->anchors[row->anchor].file, "then",
		trust_verdict_name(row->then), "judged", row->judged,
		"micPasses", row->mic_passes, "registered", row->registered);
	cert_time_text((time_t)(row->seen_ms / 1000), at);
	if (row->seen_ms)
		json_object_set_new(o, "lastSeen", json_string(at));
	return o;
}

static json_t *report_json(
	const struct question *q, const struct impact_report *r)
{
	char *folder = realpath(q->in_force, NULL);
	json_t *by_anchor = json_array(), *list = json_array();
	json_t *o = json_pack("{ss ss* so so so sf}", "store",
		trust_store_title(q->store), "storeFolder", folder,
		"anchorsRemoved", only_in(r->before, r->after), "anchorsAdded",
		only_in(r->after, r->before), "anchorsChanged",
		changed(r->before, r->after), "cpuSeconds", r->cpu_s);
	free(folder);
#define X(field, key) \
	json_object_set_new(o, key, json_integer((json_int_t)r->n.field));
	IMPACT_NUMBER_LIST(X)
#undef X
	for (size_t i = 0; i < r->n_anchors; i++)
		json_array_append_new(by_anchor,
			json_pack("{ss sI sI}", "file", r->anchors[i].file,
				"lockedOut",
				(json_int_t)r->anchors[i].locked_out,
				"registered",
				(json_int_t)r->anchors[i].registered));
	for (size_t i = 0; i < r->n_rows; i++)
		json_array_append_new(list, row_json(r, &r->rows[i]));
	json_object_set_new(o, "byAnchor", by_anchor);
	json_object_set_new(o, "list", list);
	return o;
}

static void judge(struct question *q, const struct trust_snapshot *after)
{
	struct impact_report r = {.before = q->before,
		.after = after,
		.purpose = impact_purpose(q->store)};
	impact_judge(q->server, &r, NULL);
	q->out->json = report_json(q, &r);
	impact_report_deinit(&r);
}

static void answer(struct question *q)
{
	struct diag d = {.text = ""};
	struct trust_snapshot *after = NULL;
	const struct trust_load load = {
		.dir = q->folder,
		.generation = trust_snapshot_generation(q->before) + 1,
		.now = time(NULL),
		.policy = trust_snapshot_policy(q->before),
		.before = q->before,
		.explicit_order = true,
		.without = q->without,
		.n_without = q->n_without,
	};
	if (trust_snapshot_load(&load, &after, &d) == 0)
		judge(q, after);
	else
		refuse(q, PROBLEM_SET_STAYS, d.text);
	trust_snapshot_unref(after);
}

static bool is_json(struct question *q, const struct plane_request *request)
{
	return strcasecmp(request->type, "application/json") == 0 ||
	       refuse(q, PROBLEM_CONTENT,
		       "the body must be application/json, and its "
		       "Content-Type say so");
}

bool trust_order(struct server *s, const struct plane_request *request,
	struct plane_answer *out)
{
	struct question q = {.server = s, .out = out};
	if (strcmp(request->path, impact_path) != 0)
		return false;
	if (strcmp(request->method, "POST") != 0) {
		plane_not_allowed(out, "POST",
			"this asks about a change, which is sent along: it is "
			"asked for with POST");
		return true;
	}
	if (is_json(&q, request) && read_body(&q, request))
		answer(&q);
	trust_snapshot_unref(q.before);
	json_decref(q.body);
	return true;
}

size_t trust_order_body_max(const char *method, const char *path)
{
	return strcmp(method, "POST") == 0 && strcmp(path, impact_path) == 0
		       ? BODY_MAX
		       : 0;
}

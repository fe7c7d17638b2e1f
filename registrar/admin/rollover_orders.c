/* SPDX-License-Identifier: Apache-2.0 */
/* Orders that replace CAPF's root: start, issue, finish, cancel; and a look. */
#include "registrar/admin/rollover_orders.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "registrar/capf/rollover.h"

enum { BODY_MAX = 1024, RATE_MAX = 60000 };

static const char place[] = "/v1/capf/rollover";
const char rollover_order_paths[] =
	"GET /v1/capf/rollover, POST /v1/capf/rollover/start, "
	"POST /v1/capf/rollover/issue, POST /v1/capf/rollover/finish, "
	"POST /v1/capf/rollover/cancel";

/* ---- what is answered ---- */

static json_t *phone_json(const struct rollover_phone *p)
{
	char at[21];
	json_t *o = json_pack("{ss sb sb sb}", "device", p->device,
		"registered", p->registered, "recent", p->recent, "queued",
		p->queued);
	cert_time_text((time_t)p->seen, at);
	if (p->seen)
		json_object_set_new(o, "lastSeen", json_string(at));
	if (*p->last)
		json_object_set_new(o, "lastFailure", json_string(p->last));
	return o;
}

static json_t *root_json(const char *name, const char *sha256)
{
	return *name ? json_pack("{ss ss}", "name", name, "sha256", sha256)
		     : json_null();
}

static json_t *view_json(const struct rollover_view *v)
{
	json_t *phones = json_array();
	for (size_t i = 0; i < v->left; i++)
		json_array_append_new(phones, phone_json(&v->phones[i]));
	return json_pack("{ss so so sI sI sI sI sI so}", "state",
		rollover_state_name(v->state), "oldRoot",
		root_json(v->old_name, v->old_sha256), "newRoot",
		root_json(v->new_name, v->new_sha256), "done",
		(json_int_t)v->done, "left", (json_int_t)v->left, "offline",
		(json_int_t)v->offline, "recent", (json_int_t)v->recent,
		"queued", (json_int_t)v->queued, "phones", phones);
}

static void show(struct rollover_request *r)
{
	struct rollover_view v;
	r->error = rollover_look(r->server, &v, &r->d);
	if (r->error == 0)
		r->out->json = view_json(&v);
	rollover_view_deinit(&v);
}

/* ---- what is wanted ---- */

struct wish {
	json_int_t per_min;
	int tell, force;
};

static int read_body(struct rollover_request *r, struct wish *w)
{
	json_error_t why;
	*w = (struct wish){.tell = true};
	if (r->request->n == 0)
		return 0;
	json_t *body = json_loadb(
		r->request->body, r->request->n, JSON_REJECT_DUPLICATES, &why);
	int error =
		body ? json_unpack_ex(body, &why, JSON_STRICT, "{s?I s?b s?b}",
			       "ratePerMinute", &w->per_min, "tell", &w->tell,
			       "force", &w->force)
		     : -1;
	json_decref(body);
	if (error)
		return diag_set(&r->d, -EINVAL, "body: %s", why.text);
	if (w->per_min < 0 || w->per_min > RATE_MAX)
		return diag_set(&r->d, -EINVAL,
			"ratePerMinute: %lld is not between 0 and %d",
			(long long)w->per_min, RATE_MAX);
	return 0;
}

static int start(struct rollover_request *r, const struct wish *w)
{
	return rollover_start(r->server, &r->d);
}

static int cancel(struct rollover_request *r, const struct wish *w)
{
	return rollover_cancel(r->server, &r->d);
}

static int issue(struct rollover_request *r, const struct wish *w)
{
	size_t queued;
	int error = rollover_issue(
		r->server, (unsigned)w->per_min, w->tell, &queued, &r->d);
	if (error == 0)
		r->out->json = json_pack("{sI}", "queued", (json_int_t)queued);
	return error;
}

static int finish(struct rollover_request *r, const struct wish *w)
{
	struct rollover_view v;
	int error = rollover_finish(r->server, w->force, &v, &r->d);
	if (error == -EPERM) {
		r->out->status = 409;
		r->out->json = json_pack("{ss ss so}", "title", "refused",
			"detail", r->d.text, "rollover", view_json(&v));
	}
	rollover_view_deinit(&v);
	return error;
}

static const struct {
	const char *verb;
	int (*act)(struct rollover_request *r, const struct wish *w);
} orders[] = {
	{"start", start},
	{"issue", issue},
	{"finish", finish},
	{"cancel", cancel},
};
enum { ORDERS = sizeof(orders) / sizeof(orders[0]) };

/* ---- doing it ---- */

static void refuse(struct rollover_request *r)
{
	if (r->out->json)
		return;
	unsigned status = r->error == -EINVAL			    ? 400
			  : r->error == -EIO || r->error == -ENOSPC ? 500
								    : 409;
	plane_problem(r->out, status,
		status == 500	? "it failed"
		: status == 400 ? "it breaks a rule"
				: "refused",
		r->d.text);
}

static void obey(struct rollover_request *r, int i)
{
	struct wish w;
	if (strcmp(r->request->method, "POST") != 0) {
		plane_not_allowed(r->out, "POST",
			"this changes something: it is asked for with POST");
		return;
	}
	r->changes = true;
	r->error = read_body(r, &w);
	if (r->error == 0)
		r->error = orders[i].act(r, &w);
	if (r->error == 0 && !r->out->json)
		show(r);
}

bool rollover_order(struct rollover_request *r)
{
	const char *path = r->request->path;
	if (strncmp(path, place, strlen(place)) != 0)
		return false;
	path += strlen(place);
	if (*path == '\0') {
		if (strcmp(r->request->method, "GET") == 0)
			show(r);
		else
			plane_not_allowed(r->out, "GET, HEAD",
				"there is nothing to change here");
	} else {
		int i = 0;
		while (i < ORDERS &&
			(*path != '/' || strcmp(orders[i].verb, path + 1) != 0))
			i++;
		if (i == ORDERS)
			return false;
		obey(r, i);
	}
	if (r->error < 0)
		refuse(r);
	return true;
}

size_t rollover_order_body_max(const char *method, const char *path)
{
	return strcmp(method, "POST") == 0 &&
			       strncmp(path, place, strlen(place)) == 0
		       ? BODY_MAX
		       : 0;
}

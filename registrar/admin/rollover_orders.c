/* SPDX-License-Identifier: Apache-2.0 */
/* Orders that replace CAPF's root: start, issue, finish, cancel; and a look. */
#include "registrar/admin/rollover_orders.h"

#include <errno.h>

#include "registrar/admin/order.h"
#include "registrar/capf/rollover.h"

enum { RATE_MAX = 60000 };

/* ---- what is answered ---- */

static json_t *phone_json(const struct rollover_phone *p)
{
	char at[21];
	json_t *o = json_pack("{ss ss sb sb sb}", "device", p->device,
		"certificate", p->unseen ? "not seen" : "old root",
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
	for (size_t i = 0; i < v->n_phones; i++)
		json_array_append_new(phones, phone_json(&v->phones[i]));
	return json_pack("{ss so so sI sI sI sI sI sI sI ss so}", "state",
		rollover_state_name(v->state), "oldRoot",
		root_json(v->old_name, v->old_sha256), "newRoot",
		root_json(v->new_name, v->new_sha256), "done",
		(json_int_t)v->done, "left", (json_int_t)v->left, "offline",
		(json_int_t)v->offline, "recent", (json_int_t)v->recent,
		"queued", (json_int_t)v->queued, "notSeen",
		(json_int_t)v->unseen, "notSeenRecent",
		(json_int_t)v->unseen_recent, "missing", v->missing, "phones",
		phones);
}

/* Where it stands, unless it failed: then no. */
static void answer(struct capf_request_order *o, int error)
{
	struct rollover_view v;
	if (error < 0) {
		capf_orders_refuse(o, error);
		return;
	}
	error = rollover_look(o->server, &v, &o->d);
	if (error == 0)
		o->out->json = view_json(&v);
	else
		capf_orders_refuse(o, error);
	rollover_view_deinit(&v);
}

void rollover_orders_show(struct capf_request_order *o)
{
	answer(o, 0);
}

void rollover_orders_start(struct capf_request_order *o)
{
	answer(o, (o->dry ? rollover_may_start : rollover_start)(
			  o->server, &o->d));
}

void rollover_orders_cancel(struct capf_request_order *o)
{
	answer(o, (o->dry ? rollover_may_cancel : rollover_cancel)(
			  o->server, &o->d));
}

/* ---- with a body, which may be empty ---- */

struct wish {
	json_int_t per_min;
	int tell, force, unseen;
};

static int read_body(struct capf_request_order *o, struct wish *w)
{
	json_error_t why;
	int error = 0;
	*w = (struct wish){.tell = true};
	if (o->request->n == 0)
		return 0;
	json_t *body = order_object(o->request, &error, &o->d);
	if (body && json_unpack_ex(body, &why, JSON_STRICT, "{s?I s?b s?b s?b}",
			    "ratePerMinute", &w->per_min, "tell", &w->tell,
			    "force", &w->force, "unseen", &w->unseen) < 0)
		error = diag_set(&o->d, -EINVAL, "body: %s", why.text);
	json_decref(body);
	if (error == 0 && (w->per_min < 0 || w->per_min > RATE_MAX))
		error = diag_set(&o->d, -EINVAL,
			"ratePerMinute: %lld is not between 0 and %d",
			(long long)w->per_min, RATE_MAX);
	return error;
}

void rollover_orders_issue(struct capf_request_order *o)
{
	struct wish w;
	size_t queued = 0;
	int error = read_body(o, &w);
	if (error == 0 && o->dry)
		error = rollover_may_issue(o->server, &queued, &o->d);
	else if (error == 0)
		error = rollover_issue(
			o->server, (unsigned)w.per_min, w.tell, &queued, &o->d);
	if (error == 0)
		o->out->json = json_pack("{sI}", "queued", (json_int_t)queued);
	else
		capf_orders_refuse(o, error);
}

/* Who it would lock out, beside the no. */
static void refuse_finish(
	struct capf_request_order *o, const struct rollover_view *v)
{
	o->error = -EPERM;
	plane_problem(o->out, PROBLEM_REFUSED, o->d.text);
	json_object_set_new(o->out->json, "rollover", view_json(v));
}

void rollover_orders_finish(struct capf_request_order *o)
{
	struct wish w;
	struct rollover_view v = {.left = 0};
	int error = read_body(o, &w);
	const struct rollover_consent consent = {w.force, w.unseen};
	if (error == 0)
		error = (o->dry ? rollover_may_finish : rollover_finish)(
			o->server, &consent, &v, &o->d);
	if (error == -EPERM && !w.force &&
		(v.recent || (v.unseen_recent && !w.unseen)))
		refuse_finish(o, &v);
	else
		answer(o, error);
	rollover_view_deinit(&v);
}

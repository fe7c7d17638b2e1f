/* SPDX-License-Identifier: Apache-2.0 */
/* What CAPF has to show: operations, the ledger, the audit chain. */
#include "registrar/admin/capf_orders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "registrar/admin/capf_filter.h"
#include "registrar/admin/capf_json.h"
#include "registrar/admin/capf_outside_orders.h"
#include "registrar/admin/order.h"
#include "registrar/admin/rollover_orders.h"
#include "registrar/memory.h"

enum {
	BODY_MAX = 8 << 20, /* the names of as many devices as there may be */
	PAGE = 1000,	    /* rows in one answer, unless fewer are asked for */
	STEP = 200,	    /* rows read at once: the desk waits meanwhile */
};

const char capf_orders_paths[] =
	"/v1/capf/operations, /v1/capf/operations/NAME, /v1/capf/ledger, "
	"/v1/capf/audit, POST /v1/capf/audit/check, /v1/capf/progress, "
	"/v1/capf/clock, POST /v1/capf/clock/accept, /v1/capf/rollover, "
	"POST /v1/capf/rollover/start, issue, finish or cancel, "
	"/v1/capf/requests, POST "
	"/v1/capf/requests/exported, POST /v1/capf/certificates";

void capf_orders_refuse(struct capf_request_order *o, int error)
{
	o->error = order_refuse(o->out, error, &o->d);
}

/* ---- pages: read in steps, so that the desk does not wait for long ---- */

struct page {
	struct capf_request_order *order;
	json_t *list;
	size_t limit;
	size_t seen; /* rows of this step */
	bool more;   /* a row did not fit any more */
	bool failed; /* operations: those alone */
	struct capf_issuer issuer;
	char last[CERT_SERIAL_MAX + 1]; /* row that was looked at */
	char next[CERT_SERIAL_MAX + 1]; /* row that is in the page */
	uint64_t number, next_number;	/* the same of the audit chain */
};

static void put(char to[CERT_SERIAL_MAX + 1], const char *from)
{
	snprintf(to, CERT_SERIAL_MAX + 1, "%s", from);
}

static bool begin(struct page *p, struct capf_request_order *o)
{
	*p = (struct page){
		.order = o, .limit = order_limit(o->request, PAGE, &o->d)};
	if (p->limit)
		p->list = json_array();
	else
		capf_orders_refuse(o, -EINVAL);
	return p->limit;
}

/* Into the page; false when it is full. */
static bool add(struct page *p, json_t *row)
{
	p->more = json_array_size(p->list) == p->limit;
	if (p->more)
		json_decref(row);
	else
		json_array_append_new(p->list, row);
	return !p->more;
}

static void end(struct page *p, const char *key, int error)
{
	if (error < 0) {
		json_decref(p->list);
		capf_orders_refuse(p->order, error);
		return;
	}
	p->order->out->json = json_pack("{so}", key, p->list);
	if (p->more && *p->next)
		json_object_set_new(
			p->order->out->json, "next", json_string(p->next));
	if (p->more && p->next_number)
		json_object_set_new(p->order->out->json, "next",
			json_integer((json_int_t)p->next_number));
}

/* Steps until one is not full, or the page is. */
static int walk(struct page *p, int (*step)(struct page *p))
{
	int error = 0;
	do {
		p->seen = 0;
		error = step(p);
	} while (error == 0 && p->seen == STEP && !p->more);
	return error;
}

/* ---- operations ---- */

static bool add_operation(void *self, const struct capf_operation *o)
{
	struct page *p = self;
	p->seen++;
	put(p->last, o->device);
	if (p->failed &&
		(o->why == CAPF_WHY_NOTHING || o->why == CAPF_WHY_CA_WAITING))
		return true;
	if (!add(p, capf_json_operation(o)))
		return false;
	put(p->next, o->device);
	return true;
}

static int step_operations(struct page *p)
{
	struct capf_request_order *o = p->order;
	const struct capf_which which = {.after = p->last,
		.pending = order_flag(o->request, "pending"),
		.most = STEP};
	int error = capf_store_operations(
		capf_desk_look(o->desk), &which, add_operation, p, &o->d);
	capf_desk_looked(o->desk);
	return error;
}

/* Where to go on behind, as the caller was told. */
static bool go_on(struct page *p)
{
	const char *after = plane_query(p->order->request, "after");
	if (!after)
		return true;
	if (strlen(after) < sizeof(p->last)) {
		put(p->last, after);
		return true;
	}
	json_decref(p->list);
	capf_orders_refuse(p->order,
		diag_set(&p->order->d, -EINVAL,
			"after: is longer than any name or serial number"));
	return false;
}

static void list_operations(struct capf_request_order *o)
{
	struct page p;
	if (!begin(&p, o) || !go_on(&p))
		return;
	p.failed = order_flag(o->request, "failed");
	int error = walk(&p, step_operations);
	end(&p, "operations", error);
}

static void show_operation(struct capf_request_order *o)
{
	struct capf_operation operation;
	struct capf_issued issued;
	struct capf_store *store = capf_desk_look(o->desk);
	int error = capf_store_operation(store, o->name, &operation, &o->d);
	bool has_lsc =
		error == 0 && *operation.serial &&
		capf_store_issued(store, operation.serial, &issued, NULL) == 0;
	capf_desk_looked(o->desk);
	if (error == -ENOENT)
		diag_set(&o->d, error, "CAPF never had an operation for %.63s",
			o->name);
	if (error < 0) {
		capf_orders_refuse(o, error);
		return;
	}
	o->out->json = capf_json_operation(&operation);
	if (has_lsc)
		json_object_set_new(
			o->out->json, "lsc", capf_json_issued(&issued));
}

static void cancel_operation(struct capf_request_order *o)
{
	int error = (o->dry ? capf_desk_may_cancel : capf_desk_cancel)(
		o->desk, o->name, &o->d);
	if (error < 0)
		capf_orders_refuse(o, error);
	else
		o->out->json = json_pack("{ss}", "cancelled", o->name);
}

/* ---- the ledger ---- */

static bool add_issued(void *self, const struct capf_issued *i)
{
	struct page *p = self;
	p->seen++;
	put(p->last, i->serial);
	if (!capf_issuer_is(&p->issuer, i->issuer, i->issuer_cn, ""))
		return true;
	if (!add(p, capf_json_issued(i)))
		return false;
	put(p->next, i->serial);
	return true;
}

/* What it is limited to. -EINVAL and d: it is no such thing. */
static int read_which(
	struct capf_request_order *o, struct capf_issued_which *which)
{
	const char *state = plane_query(o->request, "state");
	const char *ends = plane_query(o->request, "expiresBefore");
	*which = (struct capf_issued_which){
		.device = plane_query(o->request, "device"),
		.state = state ? capf_issued_find(state) + 1 : 0,
		.ends_before = ends ? order_time(ends) : 0,
		.most = STEP,
	};
	if (state && !which->state)
		return diag_set(&o->d, -EINVAL,
			"state: is stale, installed, replaced or deleted");
	if (ends && !which->ends_before)
		return diag_set(&o->d, -EINVAL,
			"expiresBefore: must be a date like 2026-11-26 or a "
			"UTC time like 2026-11-26T18:00:00Z");
	return 0;
}

static int step_ledger(struct page *p)
{
	struct capf_request_order *o = p->order;
	struct capf_issued_which which;
	int error = read_which(o, &which);
	if (error < 0)
		return error;
	which.after_serial = *p->last ? p->last : NULL;
	error = capf_store_ledger(
		capf_desk_look(o->desk), &which, add_issued, p, &o->d);
	capf_desk_looked(o->desk);
	return error;
}

static void show_ledger(struct capf_request_order *o)
{
	struct page p;
	if (!begin(&p, o) || !go_on(&p))
		return;
	capf_issuer_find(
		o->server, plane_query(o->request, "issuer"), &p.issuer);
	int error = walk(&p, step_ledger);
	end(&p, "ledger", error);
}

/* ---- the audit chain ---- */

static bool add_link(void *self, const struct capf_audit *link)
{
	struct page *p = self;
	if (p->seen == STEP)
		return false;
	p->seen++;
	p->number = p->next_number = link->number;
	if (!add(p, capf_json_audit(link)))
		return false;
	p->number++;
	return true;
}

static int step_audit(struct page *p)
{
	struct capf_request_order *o = p->order;
	int error = capf_store_audit_read(
		capf_desk_look(o->desk), p->number, add_link, p, &o->d);
	capf_desk_looked(o->desk);
	return error;
}

static void show_audit(struct capf_request_order *o)
{
	struct page p;
	const char *from = plane_query(o->request, "from");
	char *rest = NULL;
	uint64_t number = from ? strtoull(from, &rest, 10) : 1;
	if (!number || (rest && *rest)) {
		capf_orders_refuse(
			o, diag_set(&o->d, -EINVAL,
				   "from: must be the number of a link, from 1 "
				   "on"));
		return;
	}
	if (!begin(&p, o))
		return;
	p.number = number;
	int error = walk(&p, step_audit);
	end(&p, "audit", error);
}

static void check_audit(struct capf_request_order *o)
{
	struct capf_audit head;
	int error = capf_desk_check_audit(o->desk, o->progress, &head, &o->d);
	if (error == -EINVAL) {
		o->error = error;
		plane_problem(o->out, PROBLEM_AUDIT, o->d.text);
		return;
	}
	if (error < 0) {
		capf_orders_refuse(o, error);
		return;
	}
	o->out->json = json_pack(
		"{sb sI}", "holds", true, "links", (json_int_t)head.number);
	if (head.number)
		json_object_set_new(
			o->out->json, "head", capf_json_audit(&head));
}

/* ---- how far orders are, that take long ---- */

static void show_progress(struct capf_request_order *o)
{
	size_t done = __atomic_load_n(&o->progress->done, __ATOMIC_RELAXED);
	size_t all = __atomic_load_n(&o->progress->all, __ATOMIC_RELAXED);
	o->out->json = json_pack(
		"{sI sI}", "done", (json_int_t)done, "of", (json_int_t)all);
}

/* ---- the clock ---- */

static json_t *clock_json(const struct capf_clock *c)
{
	json_t *devices = json_array();
	for (size_t i = 0; i < c->ahead && i < CAPF_AHEAD_MAX; i++)
		json_array_append_new(devices, json_string(c->devices[i]));
	json_t *o = json_pack("{sb sI so}", "right", c->right, "ahead",
		(json_int_t)c->ahead, "devices", devices);
	capf_json_time(o, "now", c->now);
	capf_json_time(o, "newest", c->newest);
	if (*c->why)
		json_object_set_new(o, "why", json_string(c->why));
	return o;
}

static void show_clock(struct capf_request_order *o)
{
	struct capf_clock *c = memory_zero(sizeof(*c));
	int error = capf_desk_clock(o->desk, c, &o->d);
	if (error < 0)
		capf_orders_refuse(o, error);
	else
		o->out->json = clock_json(c);
	free(c);
}

static void accept_clock(struct capf_request_order *o)
{
	int error = (o->dry ? capf_desk_may_accept_clock
			    : capf_desk_accept_clock)(o->desk, &o->d);
	if (error < 0)
		capf_orders_refuse(o, error);
	else
		show_clock(o);
}

/* ---- what there is ---- */

static const struct resource {
	struct order_row row;
	void (*act)(struct capf_request_order *o);
	bool takes_long;
} resources[] = {
	{{"/v1/capf/operations", "GET", 0}, list_operations},
	{{"/v1/capf/operations", "POST", BODY_MAX}, capf_queue, true},
	{{"/v1/capf/operations/", "GET", 0}, show_operation},
	{{"/v1/capf/operations/", "DELETE", 0}, cancel_operation},
	{{"/v1/capf/ledger", "GET", 0}, show_ledger},
	{{"/v1/capf/audit", "GET", 0}, show_audit},
	{{"/v1/capf/audit/check", "POST", 0}, check_audit, true},
	{{"/v1/capf/progress", "GET", 0}, show_progress},
	{{"/v1/capf/clock", "GET", 0}, show_clock},
	{{"/v1/capf/clock/accept", "POST", 0}, accept_clock},
	{{"/v1/capf/rollover", "GET", 0}, rollover_orders_show},
	{{"/v1/capf/rollover/start", "POST", 0}, rollover_orders_start},
	{{"/v1/capf/rollover/cancel", "POST", 0}, rollover_orders_cancel},
	{{"/v1/capf/rollover/issue", "POST", ROLLOVER_BODY_MAX},
		rollover_orders_issue},
	{{"/v1/capf/rollover/finish", "POST", ROLLOVER_BODY_MAX},
		rollover_orders_finish},
	{{"/v1/capf/requests", "GET", 0}, capf_outside_requests},
	{{"/v1/capf/requests/exported", "POST", CAPF_MARKS_BODY_MAX},
		capf_outside_exported},
	{{"/v1/capf/certificates", "POST", CAPF_CERTS_BODY_MAX},
		capf_outside_certificates},
};
static const struct order_table table = {resources,
	sizeof(resources) / sizeof(resources[0]), sizeof(resources[0])};

bool capf_orders_obey(struct capf_request_order *o)
{
	const char *path = o->request->path;
	const struct order_row *row =
		order_find(&table, o->request->method, path);
	if (!row)
		return order_refuse_method(&table, path, o->out);
	o->name = order_name(row, path);
	o->dry = order_is_dry(o->request);
	o->changes = !o->dry && strcmp(row->method, "GET") != 0;
	o->desk = server_capf(o->server);
	if (o->desk)
		((const struct resource *)row)->act(o);
	else
		capf_orders_refuse(o,
			diag_set(&o->d, -ENOTSUP,
				"nothing serves CAPF here: put {\"service\": "
				"\"capf\"} among the listeners of the "
				"configuration, name trust.capf, and start "
				"dialtoned anew"));
	return true;
}

bool capf_orders_take_long(const char *method, const char *path)
{
	const struct order_row *row = order_find(&table, method, path);
	return row && ((const struct resource *)row)->takes_long;
}

size_t capf_orders_body_max(const char *method, const char *path)
{
	const struct order_row *row = order_find(&table, method, path);
	return row ? row->body_max : 0;
}

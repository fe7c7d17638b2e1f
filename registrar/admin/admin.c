/* SPDX-License-Identifier: Apache-2.0 */
/* The admin plane: orders over a Unix socket, each one with its audit line. */
#include "registrar/admin/admin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/admin/admission_order.h"
#include "registrar/admin/capf_orders.h"
#include "registrar/admin/inventory_orders.h"
#include "registrar/admin/next.h"
#include "registrar/admin/order.h"
#include "registrar/admin/phone_certs.h"
#include "registrar/admin/phone_orders.h"
#include "registrar/admin/ticket_keys.h"
#include "registrar/admin/trust_orders.h"
#include "registrar/http/plane.h"
#include "registrar/log.h"
#include "registrar/log_writer.h"
#include "registrar/memory.h"
#include "registrar/net/unix_socket.h"
#include "registrar/server.h"
#include "registrar/status/json.h"
#include "registrar/tls/resumption.h"

struct admin {
	struct plane *plane;
	struct unix_socket *socket;
	struct server *server;
	struct capf_progress progress; /* of CAPF's orders that take long */
};

/* ---- orders: 0, or -errno with d; -ENOTSUP when it cannot be here, -EPERM
 * when we say no ---- */

static int look_at_ticket_keys(struct server *s, struct diag *d)
{
	const struct resume *resume = server_resume(s);
	if (resume->keys || resume->cache)
		return 0;
	return diag_set(d, -ENOTSUP,
		"there are no ticket keys: tls.resumption is \"off\"; set it "
		"to \"all\" or \"tickets\" and start dialtoned anew");
}

static int look_at_sealing_keys(struct server *s, struct diag *d)
{
	return resumption_may_rotate(server_resume(s), d);
}

static int rotate_ticket_keys(struct server *s, struct diag *d)
{
	return resumption_rotate(server_resume(s), d);
}

static int revoke_all_sessions(struct server *s, struct diag *d)
{
	return resumption_revoke_all(server_resume(s), d);
}

static int read_trust_anew(struct server *s, struct diag *d)
{
	return server_reload(s, true, d) < 0 ? -EPERM : 0;
}

/* The order that a reload would be is the folders' to answer. */
static int refuse_dry_reload(struct server *s, struct diag *d)
{
	return diag_set(d, -EPERM,
		"what a folder would change is asked with POST "
		"/v1/trust/impact {\"folder\": \"%s\"}; nothing was done",
		trust_store_folder(server_config(s), STORE_CALLMANAGER));
}

static json_t *ticket_keys(struct server *s)
{
	return admin_ticket_keys_json(server_resume(s));
}

/* What there is. Only a POST changes anything, and is audited. */
static const struct resource {
	const char *method;
	const char *path;
	int (*act)(struct server *s, struct diag *d);
	int (*look)(struct server *s, struct diag *d); /* would it? */
	json_t *(*show)(struct server *s);	       /* after it went well */
} resources[] = {
	{"GET", "/v1/ticket-keys", look_at_ticket_keys, look_at_ticket_keys,
		ticket_keys},
	{"POST", "/v1/trust/reload", read_trust_anew, refuse_dry_reload,
		status_json_trust},
	{"POST", "/v1/ticket-keys/rotate", rotate_ticket_keys,
		look_at_sealing_keys, ticket_keys},
	{"POST", "/v1/ticket-keys/revoke-all", revoke_all_sessions,
		look_at_ticket_keys, ticket_keys},
};
enum { RESOURCES = sizeof(resources) / sizeof(resources[0]) };

static const struct resource *find(const char *path)
{
	for (size_t i = 0; i < RESOURCES; i++)
		if (strcmp(resources[i].path, path) == 0)
			return &resources[i];
	return NULL;
}

/* ---- doing it ---- */

/* The world failed; else we said no. */
static bool is_failure(int error)
{
	return error == -EIO || error == -ENOSPC;
}

/* What came of an order. */
struct outcome {
	bool changes; /* it is to be audited */
	int error;
	char why[sizeof(((struct diag *)0)->text)];
};

static void come_of(struct outcome *o, bool changes, int error, const char *why)
{
	o->changes = changes;
	o->error = error;
	snprintf(o->why, sizeof(o->why), "%s", why);
}

static const char *outcome_name(int error)
{
	if (error == 0)
		return "done";
	return is_failure(error) ? "failed" : "refused";
}

/* Where all went well, a diag has what a look on the way did not find: that is
 * no reason. */
static void audit(const struct plane_request *request,
	const struct unix_socket_peer *who, const struct outcome *o)
{
	struct log_line line;
	log_begin(&line, LOG_EV_ADMIN);
	log_fmt(&line, "order", "%s %s", request->method, request->path);
	log_str(&line, "outcome", outcome_name(o->error));
	log_num(&line, "uid", who->uid);
	log_num(&line, "gid", who->gid);
	log_num(&line, "pid", who->pid);
	log_str(&line, "why", o->why);
	log_end(&line);
	log_writer_sync(); /* it is told before the order is answered */
}

static void refuse_method(const struct resource *r, struct plane_answer *out)
{
	if (strcmp(r->method, "POST") == 0)
		plane_not_allowed(out, "POST",
			"this changes something: it is asked for with POST");
	else
		plane_not_allowed(out, "GET, HEAD",
			"there is nothing to change here: it answers GET and "
			"HEAD");
}

/* ---- who obeys: false when it is none of theirs, and nothing was done ---- */

static bool obey_resource(struct admin *a, const struct plane_request *request,
	struct plane_answer *out, struct outcome *o)
{
	struct diag d = {.text = ""};
	bool dry = order_is_dry(request);
	const struct resource *r = find(request->path);
	if (!r)
		return false;
	if (strcmp(r->method, request->method) != 0) {
		refuse_method(r, out);
		return true;
	}
	int error = (dry ? r->look : r->act)(a->server, &d);
	bool is_no = error == -ENOTSUP || error == -EPERM;
	come_of(o, !dry && strcmp(r->method, "POST") == 0,
		error == 0 || is_no ? error : -EIO, error == 0 ? "" : d.text);
	if (error == 0)
		out->json = r->show(a->server);
	else
		plane_problem(out,
			error == -EPERM	    ? PROBLEM_REFUSED
			: error == -ENOTSUP ? PROBLEM_CONFIGURATION
					    : PROBLEM_FAILED,
			d.text);
	return true;
}

static bool obey_inventory(struct admin *a, const struct plane_request *request,
	struct plane_answer *out, struct outcome *o)
{
	struct inventory_order order = {
		.inventory = server_inventory(a->server),
		.config = server_config(a->server),
		.request = request,
		.out = out,
	};
	if (!inventory_order(&order))
		return false;
	come_of(o, order.changes, order.error,
		order.error == 0 ? "" : order.d.text);
	return true;
}

static bool obey_phone(struct admin *a, const struct plane_request *request,
	struct plane_answer *out, struct outcome *o)
{
	struct phone_request order = {
		.server = a->server, .request = request, .out = out};
	if (!phone_order(&order))
		return false;
	come_of(o, order.changes, order.error,
		order.error == 0 ? "" : order.d.text);
	return true;
}

static bool obey_capf(struct admin *a, const struct plane_request *request,
	struct plane_answer *out, struct outcome *o)
{
	struct capf_request_order order = {.server = a->server,
		.request = request,
		.out = out,
		.progress = &a->progress};
	if (!capf_orders_obey(&order))
		return false;
	come_of(o, order.changes, order.error,
		order.error == 0 ? order.told : order.d.text);
	return true;
}

/* These change nothing. */
static bool answer_question(struct admin *a,
	const struct plane_request *request, struct plane_answer *out,
	struct outcome *o)
{
	return phone_certs_order(a->server, request, out) ||
	       trust_order(a->server, request, out) ||
	       admission_order(a->server, request, out);
}

/* Every path there is, for who asks for another. */
static void no_such(struct plane_answer *out)
{
	char text[2048];
	size_t n = 0;
	for (size_t i = 0; i < RESOURCES; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s %s",
			i ? ", " : "there are ", resources[i].method,
			resources[i].path);
	snprintf(text + n, sizeof(text) - n, ", %s, %s, %s, %s, %s, %s",
		inventory_order_paths, phone_order_paths, phone_certs_paths,
		capf_orders_paths, trust_order_paths, admission_order_paths);
	plane_problem(out, PROBLEM_RESOURCE, text);
}

static void answer(void *self, const struct plane_request *request,
	struct plane_answer *out)
{
	static bool (*const families[])(struct admin *,
		const struct plane_request *, struct plane_answer *,
		struct outcome *) = {obey_resource, obey_inventory, obey_phone,
		obey_capf, answer_question};
	enum { FAMILIES = sizeof(families) / sizeof(families[0]) };
	struct unix_socket_peer who;
	struct outcome o = {.changes = false};
	size_t i = 0;
	if (unix_socket_peer(request->fd, &who) != 0) {
		plane_problem(out, PROBLEM_WHO,
			"the system does not say who asks; nothing was done");
		return;
	}
	while (i < FAMILIES && !families[i](self, request, out, &o))
		i++;
	if (i == FAMILIES)
		no_such(out);
	if (o.changes)
		audit(request, &who, &o);
	if (out->status >= 400)
		next_name(request, out);
}

static bool takes_long(void *self, const struct plane_request *request)
{
	return capf_orders_take_long(request->method, request->path);
}

static size_t body_max(void *self, const char *method, const char *path)
{
	size_t n = inventory_order_body_max(method, path);
	if (n == 0)
		n = capf_orders_body_max(method, path);
	return n ? n : trust_order_body_max(method, path);
}

/* ---- life ---- */

int admin_new(struct server *server, struct admin **out, struct diag *d)
{
	const char *path = server_config(server)->admin_socket;
	struct admin *a = memory_zero(sizeof(*a));
	struct log_line line;
	a->server = server;
	int error = unix_socket_open(path, &a->socket, d);
	if (error == 0) {
		error = plane_new(unix_socket_take(a->socket),
			&(struct plane_handler){.answer = answer,
				.body_max = body_max,
				.takes_long = takes_long,
				.self = a},
			&a->plane);
		if (error < 0)
			diag_set(d, error, "%s: cannot serve orders", path);
	}
	if (error < 0) {
		admin_free(a);
		return error;
	}
	log_begin(&line, LOG_EV_LISTENING);
	log_str(&line, "service", "admin");
	log_str(&line, "transport", "http");
	log_str(&line, "address", path);
	log_end(&line);
	*out = a;
	return 0;
}

void admin_free(struct admin *a)
{
	if (!a)
		return;
	__atomic_store_n(&a->progress.stop, true, __ATOMIC_RELAXED);
	plane_free(a->plane);
	unix_socket_close(a->socket);
	free(a);
}

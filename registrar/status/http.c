/* SPDX-License-Identifier: Apache-2.0 */
/* The read-only status plane: which resource answers what. */
#include "registrar/status/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "registrar/http/plane.h"
#include "registrar/log.h"
#include "registrar/memory.h"
#include "registrar/net/socket.h"
#include "registrar/status/capf.h"
#include "registrar/status/explain.h"
#include "registrar/status/forecast.h"
#include "registrar/status/json.h"
#include "registrar/status/locations.h"
#include "registrar/status/metrics.h"
#include "registrar/status/openapi.h"
#include "registrar/status/page.h"
#include "registrar/status/phones.h"
#include "registrar/status/refusals.h"
#include "registrar/status/retiring.h"
#include "registrar/status/teller.h"

enum { BACKLOG = 128, NAME_MAX_LEN = 128 };

struct http {
	struct plane *plane;
	struct server *server;
	struct roster *roster;
	struct refusals *refusals;
	struct teller *teller;
};

/* We serve while this thread answers; ready once phones can come in, which
 * is before this plane is opened at all. */
static json_t *alive(struct server *server)
{
	return json_pack("{ss}", "status", "ok");
}

static void answer_phones(struct http *h, const struct plane_request *request,
	const struct query *query, struct plane_answer *out)
{
	phones_answer(
		h->roster, server_config(h->server)->node, request, query, out);
}

static void answer_failures(struct http *h, const struct plane_request *request,
	const struct query *query, struct plane_answer *out)
{
	refusals_answer(h->refusals, request, query, out);
}

static void answer_retiring(struct http *h, const struct plane_request *request,
	const struct query *query, struct plane_answer *out)
{
	retiring_answer(h->server, query, out);
}

static void answer_events(struct http *h, const struct plane_request *request,
	const struct query *query, struct plane_answer *out)
{
	teller_answer(h->teller, request, query, out);
}

static void answer_metrics(struct http *h, const struct plane_request *request,
	const struct query *query, struct plane_answer *out)
{
	out->text = metrics_text(h->server);
	out->type = METRICS_TYPE;
}

static void answer_openapi(struct http *h, const struct plane_request *request,
	const struct query *query, struct plane_answer *out)
{
	out->text = memory_dup(openapi_json);
	out->type = "application/json";
}

static void answer_page(struct http *h, const struct plane_request *request,
	const struct query *query, struct plane_answer *out)
{
	status_page_answer(out);
}

static json_t *phone(struct http *h, const char *name)
{
	return status_json_phone(h->server, h->refusals, name);
}

static json_t *history(struct http *h, const char *name)
{
	return status_json_history(h->server, name);
}

static json_t *explain(struct http *h, const char *name)
{
	return status_json_explain(h->server, h->refusals, name);
}

static json_t *location(struct http *h, const char *aor)
{
	return status_json_location(h->server, aor);
}

/* What there is. One of the three makes the answer; a path may hold a name,
 * which stands where its braces are. */
static const struct resource {
	const char *path;
	const struct query_row *parameters; /* NULL: none */
	json_t *(*make)(struct server *);
	json_t *(*of)(struct http *, const char *name);
	void (*answer)(struct http *, const struct plane_request *,
		const struct query *, struct plane_answer *);
	enum problem problem; /* where there is none */
	const char *detail;
} resources[] = {
	{"/", .answer = answer_page}, /* for people */
	{"/v1/status", .make = status_json_status},
	{"/v1/phones", phones_parameters, .answer = answer_phones},
	{"/v1/phones/{name}", .of = phone, .problem = PROBLEM_PHONE,
		.detail = "no phone of this name registered or was refused "
			  "since the registrar started"},
	{"/v1/phones/{name}/history", .of = history, .problem = PROBLEM_HISTORY,
		.detail = "nothing is kept of a phone of this name"},
	{"/v1/phones/{name}/explain", .of = explain,
		.problem = PROBLEM_PHONE_NAME,
		.detail = "a phone's name is letters, digits, dots, dashes and "
			  "underscores, like SEP001122334455"},
	{"/v1/locations/{aor}", .of = location, .problem = PROBLEM_ADDRESS,
		.detail = "nobody is registered under this address; it is "
			  "user@host, as the phone registered it"},
	{"/v1/failures", refusals_parameters, .answer = answer_failures},
	{"/v1/trust", .make = status_json_trust},
	{"/v1/trust/expiry", .make = status_json_expiry},
	{"/v1/trust/retiring", retiring_parameters, .answer = answer_retiring},
	{"/v1/capf", .make = status_json_capf, .problem = PROBLEM_CAPF,
		.detail = "none of the listeners serves CAPF"},
	{"/v1/events", teller_parameters, .answer = answer_events},
	{"/v1/openapi.json", .answer = answer_openapi},
	{"/metrics", .answer = answer_metrics},
	{"/healthz", .make = alive},
	{"/readyz", .make = alive},
};
enum { RESOURCES = sizeof(resources) / sizeof(resources[0]) };

const char *http_resource(size_t i, const struct query_row **parameters)
{
	if (i >= RESOURCES)
		return NULL;
	*parameters = resources[i].parameters;
	return resources[i].path;
}

/* Does the path fit, and what stands where the braces are? */
static bool fits(const char *form, const char *path, char name[NAME_MAX_LEN])
{
	size_t head = strcspn(form, "{");
	name[0] = '\0';
	if (strncmp(form, path, head) != 0)
		return false;
	if (!form[head])
		return !path[head];
	const char *tail = strchr(form, '}') + 1;
	size_t n = strcspn(path + head, "/");
	if (n == 0 || n >= NAME_MAX_LEN || strcmp(path + head + n, tail) != 0)
		return false;
	memcpy(name, path + head, n);
	name[n] = '\0';
	return true;
}

static void answer_resource(struct http *h, const struct resource *r,
	const char *name, const struct plane_request *request,
	struct plane_answer *out)
{
	static const struct query_row none[] = {{NULL, NULL}};
	struct query query;
	if (!query_read(
		    &query, r->parameters ? r->parameters : none, request, out))
		return;
	if (r->answer) {
		r->answer(h, request, &query, out);
		return;
	}
	out->json = r->make ? r->make(h->server) : r->of(h, name);
	if (!out->json)
		plane_problem(out, r->problem, r->detail);
}

/* Every path there is, for who asks for another. */
static void no_such(struct plane_answer *out)
{
	char text[1024];
	size_t n = 0;
	for (size_t i = 0; i < RESOURCES; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s",
			i ? ", " : "there are ", resources[i].path);
	plane_problem(out, PROBLEM_RESOURCE, text);
}

static void answer(void *self, const struct plane_request *request,
	struct plane_answer *out)
{
	char name[NAME_MAX_LEN];
	if (strcmp(request->method, "GET") != 0) {
		plane_not_allowed(out, "GET, HEAD",
			"the status plane answers GET and HEAD");
		return;
	}
	for (size_t i = 0; i < RESOURCES; i++)
		if (fits(resources[i].path, request->path, name)) {
			answer_resource(
				self, &resources[i], name, request, out);
			return;
		}
	no_such(out);
}

static void log_listening(const char *address, uint16_t port)
{
	struct log_line line;
	log_begin(&line, LOG_EV_LISTENING);
	log_str(&line, "service", "status");
	log_str(&line, "transport", "http");
	log_str(&line, "address", address);
	log_num(&line, "port", port);
	log_end(&line);
}

int http_new(struct server *server, struct http **out, struct diag *d)
{
	const struct config *c = server_config(server);
	uint16_t port = (uint16_t)c->status_port;
	int fd;
	int error = socket_open_shared(
		SOCK_STREAM, c->status_address, &port, &fd, 1, d);
	if (error < 0)
		return error;
	if (listen(fd, BACKLOG) < 0) {
		error = errno;
		close(fd);
		return diag_set(d, -error, "%s port %u: cannot listen: %s",
			c->status_address, port, strerror(error));
	}
	struct http *h = memory_zero(sizeof(*h));
	h->server = server;
	h->roster = roster_new(server_directory(server));
	h->refusals = refusals_new(server_failures(server));
	h->teller = teller_new(server, h->roster, h->refusals);
	error = plane_new(fd,
		&(struct plane_handler){.answer = answer,
			.etags = true,
			.hosts = c->status_hosts,
			.self = h},
		&h->plane);
	if (error < 0)
		diag_set(d, error, "%s port %u: cannot serve status",
			c->status_address, port);
	else
		error = teller_start(h->teller, h->plane, d);
	if (error < 0) {
		http_free(h);
		return error;
	}
	log_listening(c->status_address, port);
	*out = h;
	return 0;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	teller_stop(h->teller);
	plane_free(h->plane);
	teller_free(h->teller);
	refusals_free(h->refusals);
	roster_free(h->roster);
	free(h);
}

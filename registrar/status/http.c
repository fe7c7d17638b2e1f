/* SPDX-License-Identifier: Apache-2.0 */
/* The read-only status plane: which resource answers what. */
#include "registrar/status/http.h"

#include <errno.h>
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
#include "registrar/status/page.h"

enum { BACKLOG = 128, NAME_MAX_LEN = 128 };

struct http {
	struct plane *plane;
	struct server *server;
};

static const char phone_path[] = "/v1/phones/";
static const char location_path[] = "/v1/locations/";

/* We serve while this thread answers; ready once phones can come in, which
 * is before this plane is opened at all. */
static json_t *alive(struct server *server)
{
	return json_pack("{ss}", "status", "ok");
}

static const struct {
	const char *path;
	json_t *(*make)(struct server *);
} resources[] = {
	{"/v1/status", status_json_status},
	{"/v1/phones", status_json_phones},
	{"/v1/failures", status_json_failures},
	{"/v1/trust", status_json_trust},
	{"/v1/trust/expiry", status_json_expiry},
	{"/v1/trust/retiring", status_json_retiring},
	{"/v1/capf", status_json_capf}, /* alone may be not there */
	{"/healthz", alive},
	{"/readyz", alive},
};

/* NAME/history and the like, behind the path of phones. */
static const struct {
	const char *tail;
	json_t *(*make)(struct server *, const char *name);
	const char *title, *detail; /* where there is none */
} of_phones[] = {
	{"/history", status_json_history, "no history",
		"nothing is kept of a phone of this name"},
	{"/explain", status_json_explain, "no name of a phone",
		"a phone's name is letters and digits, like SEP001122334455"},
};

static bool answer_of_phone(
	struct server *server, const char *rest, struct plane_answer *out)
{
	char name[NAME_MAX_LEN];
	const char *tail = strrchr(rest, '/');
	if (!tail || tail == rest || (size_t)(tail - rest) >= sizeof(name))
		return false;
	memcpy(name, rest, (size_t)(tail - rest));
	name[tail - rest] = '\0';
	for (size_t i = 0; i < sizeof(of_phones) / sizeof(of_phones[0]); i++) {
		if (strcmp(tail, of_phones[i].tail) != 0)
			continue;
		out->json = of_phones[i].make(server, name);
		if (!out->json)
			plane_problem(out, 404, of_phones[i].title,
				of_phones[i].detail);
		return true;
	}
	return false;
}

static void answer_phone(
	struct server *server, const char *name, struct plane_answer *out)
{
	if (answer_of_phone(server, name, out))
		return;
	if (*name && strlen(name) < NAME_MAX_LEN)
		out->json = status_json_phone(server, name);
	if (!out->json)
		plane_problem(out, 404, "unknown phone",
			"no phone of this name registered or was refused "
			"since the registrar started");
}

static void answer_location(
	struct server *server, const char *aor, struct plane_answer *out)
{
	out->json = status_json_location(server, aor);
	if (!out->json)
		plane_problem(out, 404, "unknown address",
			"nobody is registered under this address; it is "
			"user@host, as the phone registered it");
}

static void answer_metrics(struct server *server, struct plane_answer *out)
{
	out->text = metrics_text(server);
	out->type = METRICS_TYPE;
}

static void answer(void *self, const struct plane_request *request,
	struct plane_answer *out)
{
	struct http *h = self;
	const char *path = request->path;
	if (strcmp(request->method, "GET") != 0) {
		plane_not_allowed(out, "GET, HEAD",
			"the status plane answers GET and HEAD");
		return;
	}
	for (size_t i = 0; i < sizeof(resources) / sizeof(resources[0]); i++)
		if (strcmp(path, resources[i].path) == 0) {
			out->json = resources[i].make(h->server);
			if (!out->json)
				plane_problem(out, 404, "there is no CAPF",
					"none of the listeners serves CAPF");
			return;
		}
	if (strcmp(path, "/") == 0)
		status_page_answer(out);
	else if (strcmp(path, "/metrics") == 0)
		answer_metrics(h->server, out);
	else if (strncmp(path, phone_path, sizeof(phone_path) - 1) == 0)
		answer_phone(h->server, path + sizeof(phone_path) - 1, out);
	else if (strncmp(path, location_path, sizeof(location_path) - 1) == 0)
		answer_location(
			h->server, path + sizeof(location_path) - 1, out);
	else
		plane_problem(out, 404, "no such resource",
			"there are / for people, /v1/status, /v1/phones, "
			"/v1/phones/NAME, /v1/phones/NAME/history, "
			"/v1/phones/NAME/explain, /v1/locations/AOR, "
			"/v1/failures, /v1/trust, /v1/trust/expiry, "
			"/v1/trust/retiring, /v1/capf, /metrics, /healthz and "
			"/readyz");
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
	error = plane_new(fd,
		&(struct plane_handler){.answer = answer, .self = h},
		&h->plane);
	if (error < 0) {
		free(h);
		return diag_set(d, error, "%s port %u: cannot serve status",
			c->status_address, port);
	}
	log_listening(c->status_address, port);
	*out = h;
	return 0;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	plane_free(h->plane);
	free(h);
}

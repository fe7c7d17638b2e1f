/* SPDX-License-Identifier: Apache-2.0 */
/* The read-only status plane: HTTP and JSON, on a thread of its own. */
#include "registrar/status/http.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "registrar/log.h"
#include "registrar/memory.h"
#include "registrar/net/socket.h"
#include "registrar/status/json.h"

enum {
	CLIENTS_MAX = 64,
	CLIENT_MEMORY = 16 * 1024,
	TIMEOUT_S = 10,
	BACKLOG = 128,
	NAME_MAX_LEN = 128,
	RETRY_MS = 100, /* until a descriptor may be free again */
};

struct http {
	struct MHD_Daemon *daemon;
	struct server *server;
	pthread_t thread; /* takes clients */
	int fd;		  /* listens */
};

static const char phone_path[] = "/v1/phones/";

static const struct {
	const char *path;
	json_t *(*make)(struct server *);
} resources[] = {
	{"/v1/status", status_json_status},
	{"/v1/phones", status_json_phones},
	{"/v1/failures", status_json_failures},
	{"/v1/trust", status_json_trust},
};

static json_t *problem(int status, const char *title, const char *detail)
{
	return json_pack("{si ss ss}", "status", status, "title", title,
		"detail", detail);
}

/* We serve while this thread answers; ready once phones can come in, which
 * is before this plane is opened at all. */
static json_t *alive(void)
{
	return json_pack("{ss}", "status", "ok");
}

static json_t *route(struct server *server, const char *path, unsigned *status)
{
	*status = MHD_HTTP_OK;
	if (strcmp(path, "/healthz") == 0 || strcmp(path, "/readyz") == 0)
		return alive();
	for (size_t i = 0; i < sizeof(resources) / sizeof(resources[0]); i++)
		if (strcmp(path, resources[i].path) == 0)
			return resources[i].make(server);
	if (strncmp(path, phone_path, sizeof(phone_path) - 1) == 0) {
		const char *name = path + sizeof(phone_path) - 1;
		json_t *phone = strlen(name) < NAME_MAX_LEN
					? status_json_phone(server, name)
					: NULL;
		if (phone)
			return phone;
		*status = MHD_HTTP_NOT_FOUND;
		return problem(404, "unknown phone",
			"no phone of this name registered or was refused "
			"since the registrar started");
	}
	*status = MHD_HTTP_NOT_FOUND;
	return problem(404, "no such resource",
		"there are /v1/status, /v1/phones, /v1/phones/NAME, "
		"/v1/failures, /v1/trust, /healthz and /readyz");
}

static enum MHD_Result answer(
	struct MHD_Connection *client, unsigned status, json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(body);
	if (!text)
		return MHD_NO;
	struct MHD_Response *response = MHD_create_response_from_buffer(
		strlen(text), text, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(text);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
		status == MHD_HTTP_OK ? "application/json"
				      : "application/problem+json");
	MHD_add_response_header(
		response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(
			response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	enum MHD_Result result = MHD_queue_response(client, status, response);
	MHD_destroy_response(response);
	return result;
}

/* NOLINTNEXTLINE(readability-function-size): the shape is libmicrohttpd's */
static enum MHD_Result on_request(void *self, struct MHD_Connection *client,
	const char *path, const char *method, const char *version,
	const char *upload, size_t *upload_size, void **state)
{
	static int seen;
	struct http *h = self;
	unsigned status;
	if (!*state) {
		/* First call: headers only. Answer when all has come. */
		*state = &seen;
		return MHD_YES;
	}
	if (*upload_size) {
		*upload_size = 0; /* a body means nothing here */
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
		strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer(client, MHD_HTTP_METHOD_NOT_ALLOWED,
			problem(405, "read only",
				"the status plane answers GET and HEAD"));
	json_t *body = route(h->server, path, &status);
	return answer(client, status, body);
}

/*
 * When no descriptor is left, libmicrohttpd tries to accept again at once,
 * and for ever. So clients are taken here, at leisure, and handed to it.
 */
static void *take_clients(void *self)
{
	struct http *h = self;
	sigset_t all;
	sigfillset(&all); /* signals are the main loop's */
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	for (;;) {
		struct sockaddr_storage at;
		socklen_t n = sizeof(at);
		int fd = accept4(h->fd, (struct sockaddr *)&at, &n,
			SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			MHD_add_connection(
				h->daemon, fd, (struct sockaddr *)&at, n);
			continue;
		}
		if (errno == EINVAL)
			return NULL; /* http_free shut it down */
		if (errno != ECONNABORTED)
			usleep(RETRY_MS * 1000);
	}
}

/* Daemon and thread, over a socket that listens. 0 or -EIO. */
static int start(struct http *h)
{
	fcntl(h->fd, F_SETFL, 0); /* the thread waits in accept */
	h->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD |
					     MHD_USE_ITC |
					     MHD_USE_NO_LISTEN_SOCKET,
		0, NULL, NULL, on_request, h, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CLIENTS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CLIENT_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)TIMEOUT_S, MHD_OPTION_END);
	if (!h->daemon)
		return -EIO;
	if (pthread_create(&h->thread, NULL, take_clients, h) == 0)
		return 0;
	MHD_stop_daemon(h->daemon);
	return -EIO;
}

int http_new(struct server *server, struct http **out, struct diag *d)
{
	const struct config *c = server_config(server);
	uint16_t port = (uint16_t)c->status_port;
	int fd;
	int error = socket_open_shared(c->status_address, &port, &fd, 1, d);
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
	h->fd = fd;
	error = start(h);
	if (error < 0) {
		close(fd);
		free(h);
		return diag_set(d, error, "%s port %u: cannot serve status",
			c->status_address, port);
	}
	struct log_line line;
	log_begin(&line, LOG_EV_LISTENING);
	log_str(&line, "service", "status");
	log_str(&line, "transport", "http");
	log_str(&line, "address", c->status_address);
	log_num(&line, "port", port);
	log_end(&line);
	*out = h;
	return 0;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	shutdown(h->fd, SHUT_RDWR); /* its accept fails: the thread ends */
	pthread_join(h->thread, NULL);
	close(h->fd);
	MHD_stop_daemon(h->daemon);
	free(h);
}

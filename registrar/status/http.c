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
#include <time.h>
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
	RETRY_MS = 100, /* until a descriptor or a place may be free again */
	STAY_MS = 1000 * TIMEOUT_S, /* then a client makes room for others */
};

/* A place for a client. */
struct client {
	bool taken;
	int fd;
	int64_t since_ms;
};

struct http {
	struct MHD_Daemon *daemon;
	struct server *server;
	pthread_t thread;     /* takes clients */
	int fd;		      /* listens */
	pthread_mutex_t lock; /* of stopping and clients */
	bool stopping;
	struct client clients[CLIENTS_MAX];
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
		json_t *phone = *name && strlen(name) < NAME_MAX_LEN
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
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
		strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer(client, MHD_HTTP_METHOD_NOT_ALLOWED,
			problem(405, "read only",
				"the status plane answers GET and HEAD"));
	if (!*state) {
		/* First call: headers only. Answer when all has come. */
		*state = &seen;
		return MHD_YES;
	}
	if (*upload_size)
		return MHD_NO; /* a GET has no body */
	json_t *body = route(h->server, path, &status);
	return answer(client, status, body);
}

/* ---- clients ---- */

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A place that is free, else NULL. */
static struct client *free_place(struct http *h)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (!h->clients[i].taken)
			return &h->clients[i];
	return NULL;
}

/* Whoever is here longest had time for any answer, and is asked to go. */
static void ask_to_go(struct http *h)
{
	int64_t now = now_ms();
	struct client *oldest = &h->clients[0];
	for (size_t i = 1; i < CLIENTS_MAX; i++)
		if (h->clients[i].since_ms < oldest->since_ms)
			oldest = &h->clients[i];
	if (now - oldest->since_ms < STAY_MS)
		return;
	shutdown(oldest->fd, SHUT_RDWR);
	oldest->since_ms = now; /* others first, if it takes its time */
}

/* Is there room? If not, some may come of it. */
static bool has_room(struct http *h)
{
	pthread_mutex_lock(&h->lock);
	bool room = free_place(h) != NULL;
	if (!room)
		ask_to_go(h);
	pthread_mutex_unlock(&h->lock);
	return room;
}

static void enter(struct http *h, int fd)
{
	pthread_mutex_lock(&h->lock);
	*free_place(h) =
		(struct client){.taken = true, .fd = fd, .since_ms = now_ms()};
	pthread_mutex_unlock(&h->lock);
}

static void leave(struct http *h, int fd)
{
	pthread_mutex_lock(&h->lock);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (h->clients[i].taken && h->clients[i].fd == fd)
			h->clients[i].taken = false;
	pthread_mutex_unlock(&h->lock);
}

/* Called before the descriptor is closed. */
static void on_connection(void *self, struct MHD_Connection *client,
	void **state, enum MHD_ConnectionNotificationCode what)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		client, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (what == MHD_CONNECTION_NOTIFY_CLOSED)
		leave(self, info->connect_fd);
}

static bool stopping(struct http *h)
{
	pthread_mutex_lock(&h->lock);
	bool is = h->stopping;
	pthread_mutex_unlock(&h->lock);
	return is;
}

/*
 * libmicrohttpd gets its clients from here, and never one too many: without
 * a descriptor it would try to accept again at once, and for ever; over its
 * limit it waits for a lock that it holds itself (0.9.75).
 */
static void *take_clients(void *self)
{
	struct http *h = self;
	sigset_t all;
	sigfillset(&all); /* signals are the main loop's */
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	while (!stopping(h)) {
		struct sockaddr_storage at;
		socklen_t n = sizeof(at);
		int fd = -1;
		if (has_room(h))
			fd = accept4(h->fd, (struct sockaddr *)&at, &n,
				SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0) {
			usleep(RETRY_MS * 1000);
			continue;
		}
		enter(h, fd);
		if (MHD_add_connection(h->daemon, fd, (struct sockaddr *)&at,
			    n) != MHD_YES)
			leave(h, fd);
	}
	return NULL;
}

/* Daemon and thread, over a socket that listens. 0 or -EIO. */
static int start(struct http *h)
{
	fcntl(h->fd, F_SETFL, 0); /* the thread waits in accept */
	h->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD |
					     MHD_USE_ITC |
					     MHD_USE_NO_LISTEN_SOCKET,
		0, NULL, NULL, on_request, h, MHD_OPTION_CONNECTION_LIMIT,
		2 * (unsigned)CLIENTS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CLIENT_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)TIMEOUT_S, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, h, MHD_OPTION_END);
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
	pthread_mutex_init(&h->lock, NULL);
	error = start(h);
	if (error < 0) {
		close(fd);
		pthread_mutex_destroy(&h->lock);
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
	pthread_mutex_lock(&h->lock);
	h->stopping = true;
	pthread_mutex_unlock(&h->lock);
	shutdown(h->fd, SHUT_RDWR); /* its accept fails: the thread ends */
	pthread_join(h->thread, NULL);
	close(h->fd);
	MHD_stop_daemon(h->daemon);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

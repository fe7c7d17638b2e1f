/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP over one listening socket: its clients, their limits, the answers. */
#include "registrar/http/plane.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

#include "registrar/memory.h"

enum {
	CLIENTS_MAX = 64,
	CLIENT_MEMORY = 16 * 1024,
	TIMEOUT_S = 10,
	RETRY_MS = 100, /* until a descriptor or a place may be free again */
	STAY_MS = 1000 * TIMEOUT_S, /* then a client makes room for others */
};

/* A place for a client. */
struct client {
	bool taken;
	int fd;
	int64_t since_ms;
};

struct plane {
	struct MHD_Daemon *daemon;
	plane_answer_fn answer;
	void *self;
	pthread_t thread;     /* takes clients */
	int fd;		      /* listens */
	pthread_mutex_t lock; /* of stopping and clients */
	bool stopping;
	struct client clients[CLIENTS_MAX];
};

/* ---- answers ---- */

void plane_problem(struct plane_answer *out, unsigned status, const char *title,
	const char *detail)
{
	out->status = status;
	out->json = json_pack("{si ss ss}", "status", (int)status, "title",
		title, "detail", detail);
}

void plane_not_allowed(
	struct plane_answer *out, const char *allow, const char *detail)
{
	plane_problem(out, MHD_HTTP_METHOD_NOT_ALLOWED, "no such method here",
		detail);
	out->allow = allow;
}

static void to_text(struct plane_answer *a)
{
	if (!a->json)
		return;
	a->text = json_dumps(a->json, JSON_COMPACT | JSON_ENSURE_ASCII);
	a->type = a->status == MHD_HTTP_OK ? "application/json"
					   : "application/problem+json";
	json_decref(a->json);
}

static enum MHD_Result queue(
	struct MHD_Connection *client, struct plane_answer *a)
{
	to_text(a);
	if (!a->text)
		return MHD_NO;
	struct MHD_Response *response = MHD_create_response_from_buffer(
		strlen(a->text), a->text, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(a->text);
		return MHD_NO;
	}
	MHD_add_response_header(
		response, MHD_HTTP_HEADER_CONTENT_TYPE, a->type);
	MHD_add_response_header(
		response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (a->allow)
		MHD_add_response_header(
			response, MHD_HTTP_HEADER_ALLOW, a->allow);
	enum MHD_Result result =
		MHD_queue_response(client, a->status, response);
	MHD_destroy_response(response);
	return result;
}

static int descriptor_of(struct MHD_Connection *client)
{
	return MHD_get_connection_info(
		client, MHD_CONNECTION_INFO_CONNECTION_FD)
		->connect_fd;
}

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static bool brings_body(struct MHD_Connection *client)
{
	const char *length = MHD_lookup_connection_value(
		client, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	return (length && !is(length, "0")) ||
	       MHD_lookup_connection_value(client, MHD_HEADER_KIND,
		       MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

/* NOLINTNEXTLINE(readability-function-size): the shape is libmicrohttpd's */
static enum MHD_Result on_request(void *self, struct MHD_Connection *client,
	const char *path, const char *method, const char *version,
	const char *upload, size_t *upload_size, void **state)
{
	static int seen;
	const struct plane *p = self;
	struct plane_answer a = {.status = MHD_HTTP_OK};
	if (!*state && brings_body(client)) {
		plane_problem(&a, MHD_HTTP_CONTENT_TOO_LARGE, "no body, please",
			"no request here has a body; send it without one");
		return queue(client, &a);
	}
	if (!*state) {
		/* First call: headers only. Answer when all has come. */
		*state = &seen;
		return MHD_YES;
	}
	if (*upload_size)
		return MHD_NO; /* though it said that there is none */
	struct plane_request request = {
		.method = is(method, MHD_HTTP_METHOD_HEAD) ? "GET" : method,
		.path = path,
		.fd = descriptor_of(client),
	};
	p->answer(p->self, &request, &a);
	return queue(client, &a);
}

/* ---- clients ---- */

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A place that is free, else NULL. */
static struct client *free_place(struct plane *p)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (!p->clients[i].taken)
			return &p->clients[i];
	return NULL;
}

/* Whoever is here longest had time for any answer, and is asked to go. */
static void ask_to_go(struct plane *p)
{
	int64_t now = now_ms();
	struct client *oldest = &p->clients[0];
	for (size_t i = 1; i < CLIENTS_MAX; i++)
		if (p->clients[i].since_ms < oldest->since_ms)
			oldest = &p->clients[i];
	if (now - oldest->since_ms < STAY_MS)
		return;
	shutdown(oldest->fd, SHUT_RDWR);
	oldest->since_ms = now; /* others first, if it takes its time */
}

/* Is there room? If not, some may come of it. */
static bool has_room(struct plane *p)
{
	pthread_mutex_lock(&p->lock);
	bool room = free_place(p) != NULL;
	if (!room)
		ask_to_go(p);
	pthread_mutex_unlock(&p->lock);
	return room;
}

static void enter(struct plane *p, int fd)
{
	pthread_mutex_lock(&p->lock);
	*free_place(p) =
		(struct client){.taken = true, .fd = fd, .since_ms = now_ms()};
	pthread_mutex_unlock(&p->lock);
}

static void leave(struct plane *p, int fd)
{
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (p->clients[i].taken && p->clients[i].fd == fd)
			p->clients[i].taken = false;
	pthread_mutex_unlock(&p->lock);
}

/* Called before the descriptor is closed. */
static void on_connection(void *self, struct MHD_Connection *client,
	void **state, enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_CLOSED)
		leave(self, descriptor_of(client));
}

static bool stopping(struct plane *p)
{
	pthread_mutex_lock(&p->lock);
	bool stops = p->stopping;
	pthread_mutex_unlock(&p->lock);
	return stops;
}

/*
 * libmicrohttpd gets its clients from here, and never one too many: without
 * a descriptor it would try to accept again at once, and for ever; over its
 * limit it waits for a lock that it holds itself (0.9.75).
 */
static void *take_clients(void *self)
{
	struct plane *p = self;
	sigset_t all;
	sigfillset(&all); /* signals are the main loop's */
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	while (!stopping(p)) {
		struct sockaddr_storage at;
		socklen_t n = sizeof(at);
		int fd = -1;
		if (has_room(p))
			fd = accept4(p->fd, (struct sockaddr *)&at, &n,
				SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0) {
			usleep(RETRY_MS * 1000);
			continue;
		}
		enter(p, fd);
		if (MHD_add_connection(p->daemon, fd, (struct sockaddr *)&at,
			    n) != MHD_YES)
			leave(p, fd);
	}
	return NULL;
}

/* ---- life ---- */

/* Daemon and thread, over the socket that listens. 0 or -EIO. */
static int start(struct plane *p)
{
	fcntl(p->fd, F_SETFL, 0); /* the thread waits in accept */
	p->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD |
					     MHD_USE_ITC |
					     MHD_USE_NO_LISTEN_SOCKET,
		0, NULL, NULL, on_request, p, MHD_OPTION_CONNECTION_LIMIT,
		2 * (unsigned)CLIENTS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CLIENT_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)TIMEOUT_S, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, p, MHD_OPTION_END);
	if (!p->daemon)
		return -EIO;
	if (pthread_create(&p->thread, NULL, take_clients, p) == 0)
		return 0;
	MHD_stop_daemon(p->daemon);
	return -EIO;
}

int plane_new(int fd, plane_answer_fn answer, void *self, struct plane **out)
{
	struct plane *p = memory_zero(sizeof(*p));
	p->fd = fd;
	p->answer = answer;
	p->self = self;
	pthread_mutex_init(&p->lock, NULL);
	int error = start(p);
	if (error < 0) {
		close(fd);
		pthread_mutex_destroy(&p->lock);
		free(p);
		return error;
	}
	*out = p;
	return 0;
}

void plane_free(struct plane *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_mutex_unlock(&p->lock);
	shutdown(p->fd, SHUT_RDWR); /* its accept fails: the thread ends */
	pthread_join(p->thread, NULL);
	close(p->fd);
	MHD_stop_daemon(p->daemon);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP over one listening socket: its clients, their limits, the answers. */
#include "registrar/http/plane.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>
#include <openssl/crypto.h>

#include "registrar/http/head.h"
#include "registrar/http/late.h"
#include "registrar/http/respond.h"
#include "registrar/http/stream.h"
#include "registrar/memory.h"

enum {
	CLIENTS_MAX = 64, /* besides those that read a source */
	PLACES = CLIENTS_MAX + PLANE_SOURCES_MAX,
	CLIENT_MEMORY = 16 * 1024,
	TIMEOUT_S = 10,
	RETRY_MS = 100, /* until a descriptor or a place may be free again */
	/* Then a client makes room for others: one that asks for nothing, or
	 * not yet; one whose answer goes out. */
	SILENT_MS = 1000,
	STAY_MS = 1000 * TIMEOUT_S,
	BODIES_MAX = 80 << 20, /* bytes of all clients' bodies at once */
	BODY_LEAST = 4096,
	TYPE_MAX = 63,
};

/* A request that is coming in. */
struct upload {
	size_t max, n, room;
	bool crowded; /* there was no room for it beside the others */
	char *data;
	char type[TYPE_MAX + 1];
	struct late late; /* an answer that takes long */
};

enum client_state {
	CLIENT_NONE,
	CLIENT_SILENT, /* asks for nothing, or its headers are not whole */
	CLIENT_ASKS,
	CLIENT_WAITS, /* for an answer that takes long */
	CLIENT_READS, /* a source, without an end */
};

/* A place for a client. */
struct client {
	enum client_state state;
	int fd;
	int64_t since_ms;
};

struct plane {
	struct MHD_Daemon *daemon;
	struct plane_handler handler;
	size_t held;	      /* bytes of bodies; the daemon's thread's */
	pthread_t thread;     /* takes clients */
	int fd;		      /* listens */
	pthread_mutex_t lock; /* of stopping and clients */
	bool stopping;
	struct client clients[PLACES];
	struct streams streams;
	struct lates lates;
};

/* ---- answers ---- */

static const struct {
	unsigned status;
	const char *type, *title, *next;
} problems[] = {
#define X(name, status, slug, title, next) \
	{status, PROBLEM_TYPE slug, title, next},
	PROBLEM_LIST(X)
#undef X
};

void plane_problem(
	struct plane_answer *out, enum problem problem, const char *detail)
{
	out->status = problems[problem].status;
	out->json = json_pack("{ss si ss ss ss*}", "type",
		problems[problem].type, "status", (int)out->status, "title",
		problems[problem].title, "detail", detail, "next",
		problems[problem].next);
}

void plane_next(struct plane_answer *out, const char *command)
{
	json_t *next = json_pack("{ss}", "next", command);
	json_object_update_missing(out->json, next);
	json_decref(next);
}

void plane_not_allowed(
	struct plane_answer *out, const char *allow, const char *detail)
{
	plane_problem(out, PROBLEM_METHOD, detail);
	snprintf(out->allow, sizeof(out->allow), "%s", allow);
}

static enum MHD_Result queue(
	struct plane *p, struct MHD_Connection *client, struct plane_answer *a)
{
	return respond(&p->streams, client, a, p->handler.etags);
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

/* ---- requests ---- */

static const char *header(struct MHD_Connection *client, const char *name)
{
	return MHD_lookup_connection_value(client, MHD_HEADER_KIND, name);
}

const char *plane_query(const struct plane_request *request, const char *key)
{
	return MHD_lookup_connection_value(
		request->client, MHD_GET_ARGUMENT_KIND, key);
}

const char *plane_header(const struct plane_request *request, const char *name)
{
	return header(request->client, name);
}

struct parameters {
	struct plane_parameter *list;
	size_t n, bytes;
	int error;
};

/* NOLINTNEXTLINE(readability-function-size): the shape is libmicrohttpd's */
static enum MHD_Result take_parameter(void *self, enum MHD_ValueKind kind,
	const char *name, size_t name_n, const char *value, size_t value_n)
{
	struct parameters *p = self;
	p->bytes += name_n + value_n;
	if (p->n == PLANE_PARAMETERS_MAX || p->bytes > PLANE_QUERY_MAX)
		p->error = -E2BIG;
	else if (strlen(name) != name_n || (value && strlen(value) != value_n))
		p->error = -EILSEQ;
	else
		p->list[p->n++] =
			(struct plane_parameter){name, value ? value : ""};
	return p->error ? MHD_NO : MHD_YES;
}

int plane_parameters(const struct plane_request *request,
	struct plane_parameter list[PLANE_PARAMETERS_MAX])
{
	struct parameters p = {.list = list};
	MHD_get_connection_values_n(
		request->client, MHD_GET_ARGUMENT_KIND, take_parameter, &p);
	return p.error ? p.error : (int)p.n;
}

bool plane_has(const struct plane_request *request, const char *etag)
{
	return respond_knows(request->client, etag);
}

static bool brings_body(struct MHD_Connection *client)
{
	const char *length = header(client, MHD_HTTP_HEADER_CONTENT_LENGTH);
	return (length && !is(length, "0")) ||
	       header(client, MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

/* By its headers: is the body none, or one that may come? */
static bool may_come(
	struct MHD_Connection *client, size_t max, struct plane_answer *a)
{
	char detail[128];
	const char *length = header(client, MHD_HTTP_HEADER_CONTENT_LENGTH);
	if (!brings_body(client))
		return true;
	if (max == 0) {
		plane_problem(a, PROBLEM_NO_BODY,
			"this request has no body; send it without one");
		return false;
	}
	if (!length || strtoull(length, NULL, 10) <= max)
		return true;
	snprintf(detail, sizeof(detail),
		"the body has %.20s bytes, this request may have %zu", length,
		max);
	plane_problem(a, PROBLEM_LONG_BODY, detail);
	return false;
}

/* Headers have come: get ready for the rest, or answer no. */
static enum MHD_Result begin(struct plane *p, struct MHD_Connection *client,
	const char *path, const char *method, void **state)
{
	struct plane_answer a = {.status = MHD_HTTP_OK};
	size_t max = p->handler.body_max ? p->handler.body_max(p->handler.self,
						   method, path)
					 : 0;
	if (!head_is_plain(client, p->handler.hosts, &a) ||
		!may_come(client, max, &a))
		return queue(p, client, &a);
	struct upload *u = memory_zero(sizeof(*u));
	u->max = max;
	*state = u;
	return MHD_YES;
}

/* There may be passwords in it. */
static void drop_data(struct plane *p, struct upload *u)
{
	p->held -= u->room;
	if (u->data)
		OPENSSL_cleanse(u->data, u->room);
	free(u->data);
}

/* Room for n more bytes and a NUL. */
static bool make_room(struct plane *p, struct upload *u, size_t n)
{
	size_t room = u->room ? u->room : BODY_LEAST;
	while (room < u->n + n + 1)
		room *= 2;
	if (room > u->max + 1)
		room = u->max + 1;
	if (room == u->room)
		return true;
	if (p->held + room - u->room > BODIES_MAX)
		return false;
	char *grown = malloc(room);
	if (!grown)
		return false;
	if (u->n)
		memcpy(grown, u->data, u->n);
	drop_data(p, u);
	p->held += room;
	u->data = grown;
	u->room = room;
	return true;
}

/* False: it is longer than its headers let us fear. */
static bool take_piece(
	struct plane *p, struct upload *u, const char *data, size_t n)
{
	if (n > u->max - u->n)
		return false;
	if (u->crowded || !make_room(p, u, n)) {
		u->crowded = true;
		u->max -= n; /* the rest is only counted */
		return true;
	}
	memcpy(u->data + u->n, data, n);
	u->n += n;
	u->data[u->n] = '\0';
	return true;
}

/* "text/csv; charset=utf-8" without what follows the type. */
static void copy_type(char type[TYPE_MAX + 1], const char *value)
{
	size_t n = strcspn(value, "; \t");
	if (n > TYPE_MAX)
		n = 0; /* none that anybody knows */
	memcpy(type, value, n);
	type[n] = '\0';
}

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void becomes(
	struct plane *p, struct MHD_Connection *client, enum client_state state)
{
	int fd = descriptor_of(client);
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < PLACES; i++) {
		struct client *c = &p->clients[i];
		if (c->state != CLIENT_NONE && c->fd == fd) {
			c->state = state;
			c->since_ms = now_ms();
		}
	}
	pthread_mutex_unlock(&p->lock);
}

static enum MHD_Result queue_late(
	struct plane *p, struct MHD_Connection *client, struct upload *u)
{
	struct plane_answer a = u->late.answer;
	u->late.answer = (struct plane_answer){.json = NULL};
	becomes(p, client, CLIENT_ASKS);
	return queue(p, client, &a);
}

static enum MHD_Result answer_late(
	struct plane *p, const struct plane_request *request, struct upload *u)
{
	u->late.client = request->client;
	u->late.request = *request;
	becomes(p, request->client, CLIENT_WAITS);
	late_begin(&p->lates, &u->late);
	return MHD_YES;
}

static enum MHD_Result whole(struct plane *p, struct MHD_Connection *client,
	const char *path, const char *method, struct upload *u)
{
	static char nothing[1];
	struct plane_answer a = {.status = MHD_HTTP_OK};
	if (u->late.there)
		return queue_late(p, client, u);
	const char *said = header(client, MHD_HTTP_HEADER_CONTENT_TYPE);
	copy_type(u->type, said ? said : "");
	struct plane_request request = {
		.method = is(method, MHD_HTTP_METHOD_HEAD) ? "GET" : method,
		.path = path,
		.fd = descriptor_of(client),
		.type = u->type,
		.body = u->data ? u->data : nothing,
		.n = u->n,
		.client = client,
	};
	if (u->crowded)
		plane_problem(&a, PROBLEM_CROWDED,
			"others are sending long bodies, too; nothing was "
			"done");
	else if (p->handler.takes_long &&
		 p->handler.takes_long(p->handler.self, &request))
		return answer_late(p, &request, u);
	else
		p->handler.answer(p->handler.self, &request, &a);
	if (a.source.read && is(method, MHD_HTTP_METHOD_HEAD)) {
		a.source.close(a.source.self); /* its headers are all */
		a.source = (struct plane_source){NULL};
		a.closes = true;
	}
	if (a.source.read)
		becomes(p, client, CLIENT_READS);
	return queue(p, client, &a);
}

/* NOLINTNEXTLINE(readability-function-size): the shape is libmicrohttpd's */
static enum MHD_Result on_request(void *self, struct MHD_Connection *client,
	const char *path, const char *method, const char *version,
	const char *piece, size_t *n, void **state)
{
	struct plane *p = self;
	if (!*state) {
		becomes(p, client, CLIENT_ASKS);
		return begin(p, client, path, method, state);
	}
	if (*n == 0)
		return whole(p, client, path, method, *state);
	if (!take_piece(p, *state, piece, *n))
		return MHD_NO;
	*n = 0;
	return MHD_YES;
}

static void on_completed(void *self, struct MHD_Connection *client,
	void **state, enum MHD_RequestTerminationCode why)
{
	struct upload *u = *state;
	becomes(self, client, CLIENT_SILENT);
	if (!u)
		return;
	drop_data(self, u);
	late_deinit(&u->late);
	free(u);
}

/* ---- clients ---- */

/* Any place that is free; NULL: none is. */
static struct client *free_place(struct plane *p)
{
	size_t i = 0;
	while (i < PLACES && p->clients[i].state != CLIENT_NONE)
		i++;
	return i < PLACES ? &p->clients[i] : NULL;
}

static bool is_full(struct plane *p)
{
	size_t n = 0;
	for (size_t i = 0; i < PLACES; i++)
		n += p->clients[i].state != CLIENT_NONE &&
		     p->clients[i].state != CLIENT_READS;
	return n >= CLIENTS_MAX || !free_place(p);
}

/* What it said is not read yet: it is we who take our time. */
static bool is_unheard(const struct client *c)
{
	char first;
	return recv(c->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* All who had time to ask for something; of those who read an answer who is
 * here longest, and had time for any. */
static void ask_to_go(struct plane *p)
{
	int64_t now = now_ms();
	struct client *oldest = NULL;
	for (size_t i = 0; i < PLACES; i++) {
		struct client *c = &p->clients[i];
		int64_t age = now - c->since_ms;
		if (c->state == CLIENT_SILENT && age >= SILENT_MS &&
			!is_unheard(c))
			shutdown(c->fd, SHUT_RDWR);
		if (c->state == CLIENT_ASKS && age >= STAY_MS &&
			(!oldest || c->since_ms < oldest->since_ms))
			oldest = c;
	}
	if (!oldest)
		return;
	shutdown(oldest->fd, SHUT_RDWR);
	oldest->since_ms = now; /* others first, if it takes its time */
}

/* Is there room? If not, some may come of it. */
static bool has_room(struct plane *p)
{
	pthread_mutex_lock(&p->lock);
	bool room = !is_full(p);
	if (!room)
		ask_to_go(p);
	pthread_mutex_unlock(&p->lock);
	return room;
}

static void enter(struct plane *p, int fd)
{
	pthread_mutex_lock(&p->lock);
	*free_place(p) = (struct client){CLIENT_SILENT, fd, now_ms()};
	pthread_mutex_unlock(&p->lock);
}

static void leave(struct plane *p, int fd)
{
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < PLACES; i++)
		if (p->clients[i].fd == fd)
			p->clients[i].state = CLIENT_NONE;
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
	p->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC |
			MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET,
		0, NULL, NULL, on_request, p, MHD_OPTION_CONNECTION_LIMIT,
		2 * (unsigned)PLACES, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CLIENT_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)TIMEOUT_S, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, p,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, p, MHD_OPTION_END);
	if (!p->daemon)
		return -EIO;
	if (pthread_create(&p->thread, NULL, take_clients, p) == 0)
		return 0;
	MHD_stop_daemon(p->daemon);
	return -EIO;
}

int plane_new(int fd, const struct plane_handler *handler, struct plane **out)
{
	struct plane *p = memory_zero(sizeof(*p));
	p->fd = fd;
	p->handler = *handler;
	pthread_mutex_init(&p->lock, NULL);
	streams_init(&p->streams);
	lates_init(&p->lates, &p->handler);
	int error = start(p);
	if (error < 0) {
		close(fd);
		pthread_mutex_destroy(&p->lock);
		streams_deinit(&p->streams);
		lates_deinit(&p->lates);
		free(p);
		return error;
	}
	*out = p;
	return 0;
}

void plane_wake(struct plane *p)
{
	streams_wake(&p->streams, false);
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
	lates_end(&p->lates);
	streams_wake(&p->streams, true); /* none may be suspended */
	MHD_stop_daemon(p->daemon);
	streams_deinit(&p->streams);
	lates_deinit(&p->lates);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

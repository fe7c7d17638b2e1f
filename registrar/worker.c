/* SPDX-License-Identifier: Apache-2.0 */
/* One thread that serves phones: a loop, its sockets, its connections. */
#include "registrar/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "protocols/tls/engine.h"
#include "registrar/log.h"
#include "registrar/memory.h"
#include "registrar/text.h"

enum {
	BACKLOG = 4096,
	RETRY_MS = 100, /* until paused listeners look for room again */
	ACCEPT_BATCH = 32,
};

/* One listening socket of this worker. */
struct listener {
	uv_poll_t poll;
	int fd;
	struct worker *worker;
	const struct service *service;
	bool tls;
	uint8_t tag[RESUME_TAG]; /* sessions stay at their listener */
	struct listener *next;
};

/* A connection's place: refs are slot number and how often it was used. */
struct slot {
	struct conn *conn;
	uint32_t used;
	uint32_t next_free;
};

/* An order from another thread. */
struct order {
	struct order *next;
	struct conn_ref displace;
};

struct worker {
	uint32_t number;
	const struct worker_shared *shared;
	uv_loop_t loop;
	uv_thread_t thread;
	uv_async_t wake;
	uv_timer_t retry;
	pthread_mutex_t lock; /* of orders and stopping */
	struct order *orders;
	bool stopping;
	bool started;
	bool paused; /* accept-paused was logged */
	struct listener *listeners;
	struct slot *slots;
	size_t n_slots;
	uint32_t free_slot; /* 0: none */
	struct conn_host host;
	struct clock clock;
	struct conn_counters counters;
	uint8_t plain[TLS_PLAIN_MAX];
	uint8_t input[CONN_INPUT_MAX];
};

/* ---- slots ---- */

static struct conn_ref slot_take(struct worker *w, struct conn *c)
{
	if (!w->free_slot) {
		struct slot *s = memory_grow(
			(void **)&w->slots, &w->n_slots, sizeof(*s));
		*s = (struct slot){0};
		w->free_slot = (uint32_t)w->n_slots;
	}
	uint32_t number = w->free_slot;
	struct slot *s = &w->slots[number - 1];
	w->free_slot = s->next_free;
	s->conn = c;
	s->used++;
	return (struct conn_ref){w->number, (uint64_t)s->used << 32 | number};
}

static struct slot *slot_find(struct worker *w, struct conn_ref ref)
{
	uint32_t number = (uint32_t)ref.id;
	if (number == 0 || number > w->n_slots)
		return NULL;
	struct slot *s = &w->slots[number - 1];
	return s->conn && s->used == ref.id >> 32 ? s : NULL;
}

/* ---- accepting ---- */

static void on_opened(void *self, const char *address)
{
	struct worker *w = self;
	limits_opened(w->shared->limits, address);
}

static void on_gone(void *self, struct conn_ref ref)
{
	struct worker *w = self;
	struct slot *s = slot_find(w, ref);
	s->conn = NULL;
	s->next_free = w->free_slot;
	w->free_slot = (uint32_t)ref.id;
	limits_leave(w->shared->limits);
}

static void log_accept(struct worker *w, enum log_event event, const char *why)
{
	struct log_line line;
	log_begin(&line, event);
	log_num(&line, "worker", w->number);
	log_str(&line, "why", why);
	log_end(&line);
}

static void refuse_address(
	struct worker *w, struct conn *c, const struct listener *l)
{
	struct peer peer = *conn_peer(c);
	struct failure f;
	peer.protocol = l->service->protocol;
	peer.tls = l->tls;
	failure_from_peer(&f, &peer);
	text_copy(f.rule, sizeof(f.rule), "half-open-per-address");
	text_copy(f.why, sizeof(f.why),
		"too many unfinished connections from this address "
		"(limits.half_open_per_address)");
	text_copy(f.cure, sizeof(f.cure),
		"look at what this address does; raise "
		"limits.half_open_per_address if many phones share it");
	failures_add(w->shared->world.failures, &f);
	conn_refuse(c, "half-open-per-address");
}

/* An accepted socket becomes a connection, unless its address has many. */
static void take(struct listener *l, int fd)
{
	struct worker *w = l->worker;
	struct conn *c = conn_new(&w->host);
	int error = uv_tcp_open(conn_tcp(c), fd);
	if (error < 0) {
		close(fd);
		log_accept(w, LOG_EV_ACCEPT_FAILED, uv_strerror(error));
		conn_refuse(c, uv_strerror(error));
		return;
	}
	const char *address = conn_peer(c)->address;
	if (!*address) {
		conn_refuse(c, "gone before it was accepted");
		return;
	}
	if (!limits_enter(w->shared->limits, address)) {
		refuse_address(w, c, l);
		return;
	}
	struct profile *profile =
		l->tls ? w->shared->get_profile(w->shared->self) : NULL;
	conn_start(c, l->service, profile, l->tag, slot_take(w, c));
}

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_retry(uv_timer_t *timer)
{
	struct worker *w = timer->data;
	for (struct listener *l = w->listeners; l; l = l->next)
		uv_poll_start(&l->poll, UV_READABLE, on_readable);
}

/*
 * Nobody is accepted for a moment; who comes waits in the kernel's backlog.
 * This is why we accept by ourselves: uv_listen() tries again at once and for
 * ever when another thread took the descriptor it keeps in reserve.
 */
static void pause_accepting(struct worker *w, const char *why)
{
	if (!w->paused)
		log_accept(w, LOG_EV_ACCEPT_PAUSED, why);
	w->paused = true;
	for (struct listener *l = w->listeners; l; l = l->next)
		uv_poll_stop(&l->poll);
	uv_timer_start(&w->retry, on_retry, RETRY_MS, 0);
}

static void resume_accepting(struct worker *w)
{
	if (w->paused)
		log_accept(w, LOG_EV_ACCEPT_RESUMED, NULL);
	w->paused = false;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct listener *l = poll->data;
	struct worker *w = l->worker;
	/* A few at a time: those who are in already have their turn too. */
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		if (!limits_room(w->shared->limits)) {
			pause_accepting(w, "limits.connections or "
					   "limits.half_open is reached");
			return;
		}
		int fd = accept4(
			l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EAGAIN || errno == ECONNABORTED ||
				      errno == EINTR))
			return;
		if (fd < 0) {
			pause_accepting(w, strerror(errno));
			return;
		}
		resume_accepting(w);
		take(l, fd);
	}
}

/* ---- orders from other threads ---- */

static void obey(struct worker *w, struct conn_ref ref)
{
	struct slot *s = slot_find(w, ref);
	if (s)
		conn_end(s->conn, "deviceSwitch", REASON_UNREG_DEVICE_SWITCH);
}

static void end_everything(struct worker *w)
{
	for (struct listener *l = w->listeners; l; l = l->next)
		uv_close((uv_handle_t *)&l->poll, NULL);
	for (size_t i = 0; i < w->n_slots; i++)
		if (w->slots[i].conn)
			conn_abort(w->slots[i].conn,
				REASON_UNREG_CALLMANAGER_RESTART);
	uv_close((uv_handle_t *)&w->retry, NULL);
	uv_close((uv_handle_t *)&w->wake, NULL);
}

static void on_wake(uv_async_t *async)
{
	struct worker *w = async->data;
	pthread_mutex_lock(&w->lock);
	struct order *orders = w->orders;
	bool stopping = w->stopping;
	w->orders = NULL;
	pthread_mutex_unlock(&w->lock);
	while (orders) {
		struct order *next = orders->next;
		obey(w, orders->displace);
		free(orders);
		orders = next;
	}
	if (stopping && !uv_is_closing((uv_handle_t *)async))
		end_everything(w);
}

void worker_displace(struct worker *w, struct conn_ref ref)
{
	struct order *order = memory_zero(sizeof(*order));
	order->displace = ref;
	pthread_mutex_lock(&w->lock);
	order->next = w->orders;
	w->orders = order;
	if (!w->stopping) /* else `wake` may be closed, as all will be */
		uv_async_send(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

/* ---- life ---- */

struct worker *worker_new(uint32_t number, const struct worker_shared *shared)
{
	struct worker *w = memory_zero(sizeof(*w));
	w->number = number;
	w->shared = shared;
	pthread_mutex_init(&w->lock, NULL);
	if (uv_loop_init(&w->loop) < 0 ||
		uv_async_init(&w->loop, &w->wake, on_wake) < 0)
		abort(); /* law 2: no descriptors at start */
	uv_timer_init(&w->loop, &w->retry);
	w->wake.data = w;
	w->retry.data = w;
	w->host = (struct conn_host){
		.loop = &w->loop,
		.clock = &w->clock,
		.worker = number,
		.world = &shared->world,
		.plain = w->plain,
		.input = w->input,
		.counters = &w->counters,
		.opened = on_opened,
		.gone = on_gone,
		.self = w,
	};
	return w;
}

static void set_tag(struct listener *l, const struct config_listener *from)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "%s %s %s %u",
		config_protocol_name(from->protocol), from->tls ? "tls" : "tcp",
		from->address, from->port);
	EVP_Digest(text, (size_t)n, l->tag, NULL, EVP_sha256(), NULL);
}

int worker_listen(struct worker *w, const struct config_listener *listener,
	int fd, struct diag *d)
{
	struct listener *l = memory_zero(sizeof(*l));
	l->worker = w;
	l->tls = listener->tls;
	l->service = listener->protocol == CONFIG_SCCP ? &service_sccp
						       : &service_sip;
	set_tag(l, listener);
	l->next = w->listeners;
	w->listeners = l;
	l->poll.data = l;
	l->fd = fd;
	int error = listen(fd, BACKLOG) < 0 ? -errno : 0;
	uv_poll_init(&w->loop, &l->poll, fd);
	if (error == 0)
		error = uv_poll_start(&l->poll, UV_READABLE, on_readable);
	if (error < 0)
		return diag_set(d, error, "%s port %u: cannot listen: %s",
			listener->address, listener->port, uv_strerror(error));
	return 0;
}

static void run(void *arg)
{
	struct worker *w = arg;
	sigset_t all;
	sigfillset(&all); /* signals are the main loop's */
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	uv_run(&w->loop, UV_RUN_DEFAULT);
}

int worker_start(struct worker *w, struct diag *d)
{
	int error = uv_thread_create(&w->thread, run, w);
	w->started = error == 0;
	if (error < 0)
		return diag_set(d, error, "cannot start a worker thread: %s",
			uv_strerror(error));
	return 0;
}

void worker_stop(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	uv_async_send(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

void worker_join(struct worker *w)
{
	if (w->started)
		uv_thread_join(&w->thread);
	else
		uv_run(&w->loop, UV_RUN_DEFAULT); /* worker_stop was asked */
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	uv_loop_close(&w->loop);
	while (w->listeners) {
		struct listener *next = w->listeners->next;
		close(w->listeners->fd);
		free(w->listeners);
		w->listeners = next;
	}
	while (w->orders) {
		struct order *next = w->orders->next;
		free(w->orders);
		w->orders = next;
	}
	pthread_mutex_destroy(&w->lock);
	free(w->slots);
	free(w);
}

const struct conn_counters *worker_counters(const struct worker *w)
{
	return &w->counters;
}

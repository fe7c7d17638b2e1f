/* SPDX-License-Identifier: Apache-2.0 */
/* Who comes to a worker: its listeners, and how long they leave others out. */
#include "registrar/accept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "registrar/log.h"
#include "registrar/memory.h"
#include "registrar/net/address.h"
#include "registrar/net/socket.h"
#include "registrar/text.h"

enum {
	BACKLOG = 4096,
	RETRY_MS = 100, /* until paused listeners look for room again */
	ACCEPT_BATCH = 32,
	ACCEPT_LEAST = 4, /* of each listener in each turn */
	DESCRIPTORS = 16, /* that are made free at once, if there is none */
	/* Phones that want an LSC do not keep others from registering. */
	CAPF_BATCH = 4,
	CAPF_BATCH_IN_STORM = 1,
};

/* One listening socket of this worker. */
struct listener {
	uv_poll_t poll;
	uv_timer_t retry; /* on while it pauses */
	int fd;
	size_t sharers; /* workers with a copy of it */
	struct accept *accept;
	const struct service *service;
	struct limits *limits; /* that count who comes here */
	bool tls;
	bool capf;
	bool full;		 /* of CAPF, and that was logged */
	size_t number;		 /* in the configuration */
	uint8_t tag[RESUME_TAG]; /* sessions stay at their listener */
	struct listener *next;
};

static void log_accept(
	const struct accept *a, enum log_event event, const char *why)
{
	struct log_line line;
	log_begin(&line, event);
	log_num(&line, "worker", a->host.conn->worker);
	log_str(&line, "why", why);
	log_end(&line);
}

static void refuse_address(const struct listener *l, const char *address)
{
	const struct conn_host *host = l->accept->host.conn;
	struct peer peer = {.protocol = l->service->protocol, .tls = l->tls};
	struct failure f;
	text_copy(peer.address, sizeof(peer.address), address);
	failure_from_peer(&f, &peer);
	text_copy(f.rule, sizeof(f.rule), "half-open-per-address");
	text_copy(f.why, sizeof(f.why),
		l->capf ? "too many unfinished CAPF connections from this "
			  "address (a quarter of "
			  "limits.half_open_per_address)"
			: "too many unfinished connections from this address "
			  "(limits.half_open_per_address)");
	text_copy(f.cure, sizeof(f.cure),
		"look at what this address does; raise "
		"limits.half_open_per_address if many phones share it");
	failures_add(host->world->failures, &f);
	conn_counter_add(&host->counters->refused, 1);
}

/* It was counted by limits_enter, but no connection comes of it. */
static void drop(const struct listener *l, struct conn *c,
	const struct in6_addr *from, const char *why)
{
	char address[PEER_ADDRESS_MAX];
	address_text(from, address);
	limits_opened(l->limits, address, false);
	limits_leave(l->limits);
	conn_refuse(c, why);
}

/* A socket that limits_enter counted becomes a connection. */
static void start(struct listener *l, int fd, const struct in6_addr *packed,
	const struct sockaddr_storage *from)
{
	struct accept *a = l->accept;
	const struct conn_host *host = a->host.conn;
	struct conn *c = conn_new(host);
	int error = uv_tcp_open(conn_tcp(c), fd);
	if (error < 0) {
		close(fd);
		log_accept(a, LOG_EV_ACCEPT_FAILED, uv_strerror(error));
		drop(l, c, packed, uv_strerror(error));
		return;
	}
	if (!conn_came_from(c, from)) {
		drop(l, c, packed, "gone before it was served");
		return;
	}
	struct profile *profile = NULL;
	if (l->tls) {
		profile =
			profile_ref(host->in_force(host->self)->of[l->number]);
		if (!l->capf)
			admission_started(&a->turns.admission);
	}
	const struct slot holds = {.conn = c, .limits = l->limits};
	conn_start(c, l->service, profile, l->tag,
		slots_take(a->host.slots, host->worker, &holds));
}

/* An accepted socket is served or waits, unless its address has many. */
static void take(
	struct listener *l, int fd, const struct sockaddr_storage *from)
{
	struct accept *a = l->accept;
	struct in6_addr packed = address_pack(from);
	char address[PEER_ADDRESS_MAX];
	address_text(&packed, address);
	if (!limits_enter(l->limits, address, false)) {
		close(fd);
		refuse_address(l, address);
		return;
	}
	bool admitted = l->tls && !l->capf; /* who needs admission's leave */
	if (admitted && !turns_at_once(&a->turns)) {
		turns_let_wait(&a->turns, fd, l, &packed);
		return;
	}
	if (admitted)
		overload_add(&a->host.overload->figures.at_once, 1);
	start(l, fd, &packed, from);
}

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_retry(uv_timer_t *timer)
{
	struct listener *l = timer->data;
	uv_poll_start(&l->poll, UV_READABLE, on_readable);
}

static void close_for_now(struct listener *l)
{
	uv_poll_stop(&l->poll);
	uv_timer_start(&l->retry, on_retry, RETRY_MS, 0);
}

/*
 * Nobody is accepted for a moment; who comes waits in the kernel's backlog.
 * This is why we accept by ourselves: uv_listen() tries again at once and for
 * ever when another thread took the descriptor it keeps in reserve.
 */
static void pause_accepting(struct accept *a, const char *why)
{
	if (!a->paused)
		log_accept(a, LOG_EV_ACCEPT_PAUSED, why);
	a->paused = true;
	for (struct listener *l = a->listeners; l; l = l->next)
		close_for_now(l);
}

static void resume_accepting(struct accept *a)
{
	if (a->paused)
		log_accept(a, LOG_EV_ACCEPT_RESUMED, NULL);
	a->paused = false;
}

/* A few at a time: those who are in already have their turn too. */
static bool enough(struct accept *a, const struct listener *l, unsigned count,
	uint64_t began_ns)
{
	if (l->capf)
		return count >= (turns_in_storm(&a->turns) ? CAPF_BATCH_IN_STORM
							   : CAPF_BATCH);
	if (!l->tls || !turns_in_storm(&a->turns))
		return count >= ACCEPT_BATCH;
	return count >= ACCEPT_LEAST && turns_spent(&a->turns, began_ns);
}

/* CAPF has its share and no more: who comes to it waits in the kernel, and
 * nobody else does. */
static void pause_capf(struct listener *l)
{
	if (!l->full)
		log_accept(l->accept, LOG_EV_ACCEPT_PAUSED,
			"CAPF has its share, a quarter, of limits.connections "
			"or limits.half_open");
	l->full = true;
	close_for_now(l);
}

/* It is done no more often than anybody looks again. */
static bool just_done(const struct accept *a, struct accept_last *last,
	const struct limits *limits)
{
	uint64_t now_ms = uv_now(a->host.conn->loop);
	bool covered = last->limits == limits || last->limits == a->host.limits;
	if (covered && now_ms - last->ms < RETRY_MS)
		return true;
	*last = (struct accept_last){now_ms, limits};
	return false;
}

/* Of those who hold that limit, the half-open or the others; how many went. */
static size_t give_way(
	struct accept *a, struct limits *limits, bool half_open, size_t most)
{
	size_t gone = 0;
	for (size_t i = 0; i < a->host.slots->n && gone < most; i++) {
		const struct slot *s = &a->host.slots->all[i];
		if (s->conn && conn_is_half_open(s->conn) == half_open &&
			(s->limits == limits || limits == a->host.limits))
			gone += conn_give_way(s->conn, s->limits);
	}
	return gone;
}

/* Strangers who spoke go one by one, as far as is needed: among them are phones
 * that stand by here, or were told to wait. */
void accept_give_way(struct accept *a, struct limits *limits)
{
	if (just_done(a, &a->gave_way, limits))
		return;
	bool full = !limits_room(limits); /* else there is no descriptor */
	size_t gone = give_way(a, limits, true, SIZE_MAX);
	while (full ? !limits_room(limits) : gone < DESCRIPTORS) {
		if (!give_way(a, limits, false, 1))
			return;
		gone++;
	}
}

/* Limits and descriptors are the process's, and those who keep others out may
 * be any worker's. */
static void ask_others(struct accept *a, struct limits *limits)
{
	if (!just_done(a, &a->asked, limits))
		a->host.ask_others(a->host.self, limits);
}

static bool room_in(struct accept *a, struct limits *limits)
{
	if (limits_room(limits))
		return true;
	accept_give_way(a, limits);
	if (limits_room(limits))
		return true;
	ask_others(a, limits);
	return false;
}

bool accept_room(struct accept *a)
{
	return room_in(a, a->host.limits);
}

static bool has_room(struct listener *l)
{
	struct accept *a = l->accept;
	if (!accept_room(a)) {
		pause_accepting(a, "limits.connections or "
				   "limits.half_open is reached");
		return false;
	}
	if (l->limits != a->host.limits && !room_in(a, l->limits)) {
		pause_capf(l);
		return false;
	}
	l->full = false;
	return true;
}

/* A descriptor is missing, or the kernel's memory. */
static void on_lack(struct accept *a, const char *why)
{
	accept_give_way(a, a->host.limits);
	ask_others(a, a->host.limits);
	pause_accepting(a, why);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct listener *l = poll->data;
	struct accept *a = l->accept;
	uint64_t began_ns = turns_in_storm(&a->turns) ? clock_cpu_ns() : 0;
	for (unsigned i = 0; !enough(a, l, i, began_ns); i++) {
		if (!has_room(l))
			return;
		struct sockaddr_storage from;
		socklen_t n = sizeof(from);
		int fd = accept4(l->fd, (struct sockaddr *)&from, &n,
			SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EAGAIN || errno == ECONNABORTED ||
				      errno == EINTR))
			return;
		if (fd < 0) {
			on_lack(a, strerror(errno));
			return;
		}
		resume_accepting(a);
		take(l, fd, &from);
	}
}

/* ---- for turns ---- */

static void on_turn_of(void *self, const struct room_guest *guest)
{
	start(guest->listener, guest->fd, &guest->address, NULL);
}

static uint64_t backlog(void *self)
{
	const struct accept *a = self;
	uint64_t waiting = 0;
	for (const struct listener *l = a->listeners; l; l = l->next)
		if (l->tls && !l->capf)
			waiting += socket_backlog(l->fd) / l->sharers;
	return waiting;
}

/* ---- life ---- */

void accept_opened(struct accept *a, const struct peer *peer)
{
	bool capf = peer->protocol == CONFIG_CAPF;
	limits_opened(capf ? a->host.capf_limits : a->host.limits,
		peer->address, peer->udp);
	if (peer->tls && !capf)
		admission_ended(&a->turns.admission);
}

void accept_init(struct accept *a, const struct accept_host *host)
{
	const struct turns_host turns = {
		.conn = host->conn,
		.start = on_turn_of,
		.backlog = backlog,
		.self = a,
	};
	*a = (struct accept){.host = *host};
	admission_init(&a->turns.admission, host->conn->world->config,
		host->workers, host->resume, host->limits, host->overload);
	turns_init(&a->turns, &turns);
}

int accept_listen(struct accept *a, const struct config_listener *listener,
	const struct service *service, int fd, size_t sharers, struct diag *d)
{
	const struct config *config = a->host.conn->world->config;
	struct listener *l = memory_zero(sizeof(*l));
	l->accept = a;
	l->tls = listener->tls;
	l->capf = listener->protocol == CONFIG_CAPF;
	l->limits = l->capf ? a->host.capf_limits : a->host.limits;
	l->service = service;
	l->number = (size_t)(listener - config->listeners);
	profile_tag(listener, l->tag);
	l->next = a->listeners;
	a->listeners = l;
	l->poll.data = l;
	uv_timer_init(a->host.conn->loop, &l->retry);
	l->retry.data = l;
	l->fd = fd;
	l->sharers = sharers;
	socket_set_options(fd, l->tls, l->capf);
	int error = listen(fd, BACKLOG) < 0 ? -errno : 0;
	uv_poll_init(a->host.conn->loop, &l->poll, fd);
	if (error == 0)
		error = uv_poll_start(&l->poll, UV_READABLE, on_readable);
	if (error < 0)
		return diag_set(d, error, "%s port %u: cannot listen: %s",
			listener->address, listener->port, uv_strerror(error));
	return 0;
}

void accept_end(struct accept *a)
{
	for (struct listener *l = a->listeners; l; l = l->next) {
		uv_close((uv_handle_t *)&l->poll, NULL);
		uv_close((uv_handle_t *)&l->retry, NULL);
	}
	turns_end(&a->turns);
}

void accept_deinit(struct accept *a)
{
	while (a->listeners) {
		struct listener *next = a->listeners->next;
		close(a->listeners->fd);
		free(a->listeners);
		a->listeners = next;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One thread that serves phones: a loop, its sockets, its connections. */
#include "registrar/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "protocols/tls/engine.h"
#include "registrar/lag.h"
#include "registrar/log.h"
#include "registrar/memory.h"
#include "registrar/net/address.h"
#include "registrar/net/admission.h"
#include "registrar/net/flow.h"
#include "registrar/net/socket.h"
#include "registrar/slots.h"
#include "registrar/sweep.h"
#include "registrar/text.h"

enum {
	BACKLOG = 4096,
	RETRY_MS = 100, /* until paused listeners look for room again */
	ACCEPT_BATCH = 32,
	START_BATCH = 4, /* handshakes of those who waited, in one turn */
	/* While somebody waits, accepting takes that share of the time: what
	 * it does not come to waits in the kernel, which is cheaper. */
	ACCEPT_SHARE = 10,
	ACCEPT_LEAST = 4, /* of each listener in each turn */
	/* Phones that want an LSC do not keep others from registering. */
	CAPF_BATCH = 4,
	CAPF_BATCH_IN_STORM = 1,
	/* UDP may have so much of limits.half_open: addresses are forged
	 * there, and phones over TCP are not to pay for it. */
	IDLE_SHARE = 4,
	TICK_MS = 100, /* while somebody waits */
};

/* One listening socket of this worker. */
struct listener {
	uv_poll_t poll;
	int fd;
	struct worker *worker;
	const struct service *service;
	struct limits *limits; /* that count who comes here */
	bool tls;
	bool capf;
	bool full;		 /* of CAPF, and that was logged */
	size_t number;		 /* in the configuration */
	uint8_t tag[RESUME_TAG]; /* sessions stay at their listener */
	struct listener *next;
};

/* An order from another thread. */
struct order {
	struct order *next;
	enum { ORDER_PHONE, ORDER_DISPLACE, ORDER_WAKE, ORDER_SWEEP } what;
	struct conn_ref ref;	/* of all but SWEEP */
	enum phone_order phone; /* of PHONE */
};

struct worker {
	uint32_t number;
	const struct worker_shared *shared;
	uv_loop_t loop;
	uv_thread_t thread;
	uv_async_t wake;
	uv_timer_t retry;
	uv_timer_t tick;    /* on while somebody waits or it is not calm */
	uv_check_t turn;    /* after each look at the sockets */
	uv_idle_t spin;	    /* on while somebody waits: the loop never sleeps */
	uint64_t heard;	    /* bytes that came, at the last turn */
	uint64_t turn_ns;   /* when that was */
	uint64_t accept_ns; /* that accepting may take until the next */
	pthread_mutex_t lock;		    /* of orders and stopping */
	struct order *orders, **last_order; /* obeyed as they came */
	bool stopping;
	bool started;
	bool paused; /* accept-paused was logged */
	struct listener *listeners;
	struct slots slots;
	struct service_world world;
	struct conn_host host;
	struct profiles *profiles; /* those in force, as far as we know */
	struct clock clock;
	struct conn_counters counters;
	struct overload_part overload;
	struct admission admission;
	struct sweep sweep;
	struct lag lag;
	struct flows *flows; /* NULL: no listener of UDP */
	uint8_t plain[TLS_PLAIN_MAX];
	uint8_t input[CONN_INPUT_MAX];
};

/* ---- accepting ---- */

static void on_opened(void *self, const struct peer *peer)
{
	struct worker *w = self;
	bool capf = peer->protocol == CONFIG_CAPF;
	limits_opened(capf ? w->shared->capf_limits : w->shared->limits,
		peer->address, peer->udp);
	if (peer->tls && !capf)
		admission_ended(&w->admission);
}

static void on_gone(void *self, struct conn_ref ref)
{
	struct worker *w = self;
	limits_leave(slots_find(&w->slots, ref)->limits);
	slots_give(&w->slots, ref);
}

static struct conn_ref on_flow(void *self, struct flow *f)
{
	struct worker *w = self;
	const struct slot holds = {.flow = f, .limits = w->shared->limits};
	return slots_take(&w->slots, w->number, &holds);
}

static void log_accept(struct worker *w, enum log_event event, const char *why)
{
	struct log_line line;
	log_begin(&line, event);
	log_num(&line, "worker", w->number);
	log_str(&line, "why", why);
	log_end(&line);
}

static void refuse_address(const struct listener *l, const char *address)
{
	struct worker *w = l->worker;
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
	failures_add(w->shared->world.failures, &f);
	conn_counter_add(&w->counters.refused, 1);
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

/* The lock is taken only after a reload: our own reference keeps the address
 * of those we know from being used again. */
static const struct profiles *in_force(void *self)
{
	struct worker *w = self;
	const struct worker_shared *s = w->shared;
	if (__atomic_load_n(s->profiles, __ATOMIC_ACQUIRE) != w->profiles) {
		profiles_unref(w->profiles);
		w->profiles = s->get_profiles(s->self);
	}
	return w->profiles;
}

/* A socket that limits_enter counted becomes a connection. */
static void start(struct listener *l, int fd, const struct in6_addr *packed,
	const struct sockaddr_storage *from)
{
	struct worker *w = l->worker;
	struct conn *c = conn_new(&w->host);
	int error = uv_tcp_open(conn_tcp(c), fd);
	if (error < 0) {
		close(fd);
		log_accept(w, LOG_EV_ACCEPT_FAILED, uv_strerror(error));
		drop(l, c, packed, uv_strerror(error));
		return;
	}
	if (!conn_came_from(c, from)) {
		drop(l, c, packed, "gone before it was served");
		return;
	}
	struct profile *profile = NULL;
	if (l->tls) {
		profile = profile_ref(in_force(w)->of[l->number]);
		if (!l->capf)
			admission_started(&w->admission);
	}
	const struct slot holds = {.conn = c, .limits = l->limits};
	conn_start(c, l->service, profile, l->tag,
		slots_take(&w->slots, w->number, &holds));
}

/* ---- who waits ---- */

static void on_spin(uv_idle_t *idle)
{
}

/* Somebody waits, or did a moment ago: then who comes may be long gone. */
static bool in_storm(const struct worker *w)
{
	return uv_is_active((const uv_handle_t *)&w->tick);
}

/* Of this thread: what others take of the processor is not our doing. */
static uint64_t cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* A few at a time, so that those who are in have their turn too. */
static void serve_waiting(struct worker *w, bool idle)
{
	struct room_guest guest;
	for (int i = 0; i < START_BATCH; i++) {
		if (!admission_next(
			    &w->admission, idle, uv_now(&w->loop), &guest))
			return;
		meters_took(w->world.meters, METERS_WAITING,
			1000 * (uv_now(&w->loop) - guest.since_ms));
		start(guest.listener, guest.fd, &guest.address, NULL);
	}
}

static void on_tick(uv_timer_t *timer)
{
	struct worker *w = timer->data;
	uint64_t backlog = 0;
	for (const struct listener *l = w->listeners; l; l = l->next)
		backlog += l->tls && !l->capf ? socket_backlog(l->fd) : 0;
	admission_tick(&w->admission, backlog, uv_now(&w->loop));
	/* Were all in progress silent, and others never so, nobody else would
	 * have a turn: a few always do. */
	serve_waiting(w, true);
	if (backlog == 0 && !admission_somebody_waits(&w->admission) &&
		overload_state(w->shared->overload) == OVERLOAD_CALM)
		uv_timer_stop(&w->tick);
}

static void let_wait(struct worker *w, struct listener *l, int fd,
	const struct in6_addr *from)
{
	admission_wait(&w->admission, fd, l, from, uv_now(&w->loop));
	uv_idle_start(&w->spin, on_spin);
	if (in_storm(w))
		return;
	uv_timer_start(&w->tick, on_tick, TICK_MS, TICK_MS);
	w->turn_ns = cpu_ns();
}

/* Once a turn, outside of every connection's callback: who waited is served. */
static void on_turn(uv_check_t *check)
{
	struct worker *w = check->data;
	if (!admission_somebody_waits(&w->admission))
		uv_idle_stop(&w->spin);
	if (!in_storm(w))
		return;
	uint64_t heard = conn_counter_get(&w->counters.bytes_in);
	uint64_t now_ns = cpu_ns();
	bool idle = heard == w->heard;
	w->accept_ns = (now_ns - w->turn_ns) / ACCEPT_SHARE;
	w->heard = heard;
	w->turn_ns = now_ns;
	serve_waiting(w, idle);
}

/* ---- accepting ---- */

/* An accepted socket is served or waits, unless its address has many. */
static void take(
	struct listener *l, int fd, const struct sockaddr_storage *from)
{
	struct worker *w = l->worker;
	struct in6_addr packed = address_pack(from);
	char address[PEER_ADDRESS_MAX];
	address_text(&packed, address);
	if (!limits_enter(l->limits, address, false)) {
		close(fd);
		refuse_address(l, address);
		return;
	}
	bool admitted = l->tls && !l->capf; /* who needs admission's leave */
	if (admitted && (in_storm(w) || !admission_at_once(&w->admission))) {
		let_wait(w, l, fd, &packed);
		return;
	}
	if (admitted)
		overload_add(&w->overload.figures.at_once, 1);
	start(l, fd, &packed, from);
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

/* A few at a time: those who are in already have their turn too. */
static bool enough(struct worker *w, const struct listener *l, unsigned count,
	uint64_t began_ns)
{
	if (l->capf)
		return count >=
		       (in_storm(w) ? CAPF_BATCH_IN_STORM : CAPF_BATCH);
	if (!l->tls || !in_storm(w))
		return count >= ACCEPT_BATCH;
	uint64_t took_ns = cpu_ns() - began_ns;
	if (count < ACCEPT_LEAST || took_ns < w->accept_ns)
		return false;
	w->accept_ns = 0;
	return true;
}

/* Who keeps others from CAPF by saying nothing goes. */
static bool make_room(struct worker *w)
{
	for (size_t i = 0; i < w->slots.n; i++) {
		const struct slot *s = &w->slots.all[i];
		if (s->conn && s->limits == w->shared->capf_limits)
			conn_give_way(s->conn);
	}
	return limits_room(w->shared->capf_limits);
}

/* CAPF has its share and no more: who comes to it waits in the kernel, and
 * nobody else does. */
static void pause_capf(struct listener *l)
{
	if (!l->full)
		log_accept(l->worker, LOG_EV_ACCEPT_PAUSED,
			"CAPF has its share, a quarter, of limits.connections "
			"or limits.half_open");
	l->full = true;
	uv_poll_stop(&l->poll);
	uv_timer_start(&l->worker->retry, on_retry, RETRY_MS, 0);
}

static bool has_room(struct listener *l)
{
	struct worker *w = l->worker;
	if (!limits_room(w->shared->limits)) {
		pause_accepting(w, "limits.connections or "
				   "limits.half_open is reached");
		return false;
	}
	if (!limits_room(l->limits) && !make_room(w)) {
		pause_capf(l);
		return false;
	}
	l->full = false;
	return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct listener *l = poll->data;
	struct worker *w = l->worker;
	uint64_t began_ns = in_storm(w) ? cpu_ns() : 0;
	for (unsigned i = 0; !enough(w, l, i, began_ns); i++) {
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
			pause_accepting(w, strerror(errno));
			return;
		}
		resume_accepting(w);
		take(l, fd, &from);
	}
}

/* ---- orders from other threads ---- */

static void obey(struct worker *w, const struct order *order)
{
	if (order->what == ORDER_SWEEP) {
		sweep_begin(&w->sweep);
		return;
	}
	struct slot *s = slots_find(&w->slots, order->ref);
	bool displace = order->what == ORDER_DISPLACE;
	if (s && s->conn && displace)
		conn_end(s->conn, "deviceSwitch", REASON_UNREG_DEVICE_SWITCH);
	else if (s && s->conn && order->what == ORDER_WAKE)
		conn_wake(s->conn);
	else if (s && s->conn)
		conn_order(s->conn, order->phone);
	else if (s && displace)
		flow_end(s->flow, "deviceSwitch", REASON_UNREG_DEVICE_SWITCH);
	else if (s)
		flow_order(s->flow, order->phone);
}

static size_t places(void *self)
{
	const struct worker *w = self;
	return w->slots.n;
}

static struct conn *conn_at(void *self, size_t place)
{
	const struct worker *w = self;
	return w->slots.all[place].conn;
}

static void end_everything(struct worker *w)
{
	for (struct listener *l = w->listeners; l; l = l->next)
		uv_close((uv_handle_t *)&l->poll, NULL);
	for (size_t i = 0; i < w->slots.n; i++)
		if (w->slots.all[i].conn)
			conn_abort(w->slots.all[i].conn,
				REASON_UNREG_CALLMANAGER_RESTART);
	if (w->flows)
		flows_end(w->flows, REASON_UNREG_CALLMANAGER_RESTART);
	admission_deinit(&w->admission);
	sweep_end(&w->sweep);
	lag_end(&w->lag);
	uv_close((uv_handle_t *)&w->retry, NULL);
	uv_close((uv_handle_t *)&w->tick, NULL);
	uv_close((uv_handle_t *)&w->turn, NULL);
	uv_close((uv_handle_t *)&w->spin, NULL);
	uv_close((uv_handle_t *)&w->wake, NULL);
}

static void on_wake(uv_async_t *async)
{
	struct worker *w = async->data;
	pthread_mutex_lock(&w->lock);
	struct order *orders = w->orders;
	bool stopping = w->stopping;
	w->orders = NULL;
	w->last_order = &w->orders;
	pthread_mutex_unlock(&w->lock);
	while (orders) {
		struct order *next = orders->next;
		obey(w, orders);
		free(orders);
		orders = next;
	}
	if (stopping && !uv_is_closing((uv_handle_t *)async))
		end_everything(w);
}

static void send_order(struct worker *w, const struct order *from)
{
	struct order *order = memory_zero(sizeof(*order));
	*order = *from;
	pthread_mutex_lock(&w->lock);
	*w->last_order = order;
	w->last_order = &order->next;
	if (!w->stopping) /* else `wake` may be closed, as all will be */
		uv_async_send(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

void worker_displace(struct worker *w, struct conn_ref ref)
{
	send_order(w, &(struct order){.what = ORDER_DISPLACE, .ref = ref});
}

void worker_order(struct worker *w, struct conn_ref ref, enum phone_order phone)
{
	send_order(w, &(struct order){
			      .what = ORDER_PHONE, .ref = ref, .phone = phone});
}

void worker_wake(struct worker *w, struct conn_ref ref)
{
	send_order(w, &(struct order){.what = ORDER_WAKE, .ref = ref});
}

void worker_sweep(struct worker *w)
{
	send_order(w, &(struct order){.what = ORDER_SWEEP});
}

/* ---- life ---- */

struct worker *worker_new(uint32_t number, const struct worker_shared *shared)
{
	struct worker *w = memory_zero(sizeof(*w));
	w->number = number;
	w->shared = shared;
	w->last_order = &w->orders;
	pthread_mutex_init(&w->lock, NULL);
	if (uv_loop_init(&w->loop) < 0 ||
		uv_async_init(&w->loop, &w->wake, on_wake) < 0)
		abort(); /* law 2: no descriptors at start */
	uv_timer_init(&w->loop, &w->retry);
	uv_timer_init(&w->loop, &w->tick);
	uv_check_init(&w->loop, &w->turn);
	uv_idle_init(&w->loop, &w->spin);
	uv_check_start(&w->turn, on_turn);
	w->wake.data = w;
	w->retry.data = w;
	w->tick.data = w;
	w->turn.data = w;
	w->world = shared->world;
	w->world.overload = &w->overload;
	w->world.meters = &shared->meters[number];
	service_limits_count(&w->world.limits, w->world.meters);
	overload_join(shared->overload, &w->overload);
	lag_begin(&w->lag, &w->loop, w->world.meters);
	admission_init(&w->admission, w->world.config, shared->workers,
		shared->resume, shared->limits, &w->overload);
	w->host = (struct conn_host){
		.loop = &w->loop,
		.clock = &w->clock,
		.worker = number,
		.world = &w->world,
		.plain = w->plain,
		.input = w->input,
		.counters = &w->counters,
		.in_force = in_force,
		.opened = on_opened,
		.gone = on_gone,
		.self = w,
	};
	sweep_init(&w->sweep, &(struct sweep_host){
				      .loop = &w->loop,
				      .config = w->world.config,
				      .workers = shared->workers,
				      .places = places,
				      .at = conn_at,
				      .in_force = in_force,
				      .self = w,
			      });
	return w;
}

static uint32_t idle_flows_max(const struct worker *w)
{
	uint64_t most = w->world.config->half_open_max / IDLE_SHARE;
	most /= w->shared->workers;
	return most > 1 ? (uint32_t)most : 1;
}

/* Serves a socket of UDP, which needs no connections. */
static int listen_udp(
	struct worker *w, const struct service *service, int fd, struct diag *d)
{
	const struct flow_host host = {
		.conn = &w->host,
		.limits = w->shared->limits,
		.idle_max = idle_flows_max(w),
		.came = on_flow,
	};
	if (!w->flows)
		w->flows = flows_new(&host);
	return flows_listen(w->flows, service, fd, d);
}

static const struct service *const services[] = {
	[CONFIG_SCCP] = &service_sccp,
	[CONFIG_SIP] = &service_sip,
	[CONFIG_CAPF] = &service_capf,
};

int worker_listen(struct worker *w, const struct config_listener *listener,
	int fd, struct diag *d)
{
	const struct service *service = services[listener->protocol];
	if (listener->udp)
		return listen_udp(w, service, fd, d);
	struct listener *l = memory_zero(sizeof(*l));
	l->worker = w;
	l->tls = listener->tls;
	l->capf = listener->protocol == CONFIG_CAPF;
	l->limits = l->capf ? w->shared->capf_limits : w->shared->limits;
	l->service = service;
	l->number = (size_t)(listener - w->world.config->listeners);
	profile_tag(listener, l->tag);
	l->next = w->listeners;
	w->listeners = l;
	l->poll.data = l;
	l->fd = fd;
	socket_set_options(fd, l->tls, l->capf);
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
	flows_free(w->flows);
	profiles_unref(w->profiles);
	slots_deinit(&w->slots);
	free(w);
}

const struct conn_counters *worker_counters(const struct worker *w)
{
	return &w->counters;
}

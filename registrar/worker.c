/* SPDX-License-Identifier: Apache-2.0 */
/* One thread that serves phones: a loop, its sockets, its connections. */
#include "registrar/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "protocols/tls/engine.h"
#include "registrar/accept.h"
#include "registrar/lag.h"
#include "registrar/memory.h"
#include "registrar/net/flow.h"
#include "registrar/slots.h"
#include "registrar/sweep.h"

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
	pthread_mutex_t lock;		    /* of orders to full */
	struct order *orders, **last_order; /* obeyed as they came */
	bool stopping;
	bool asked;	     /* for a sign of life that it has not given */
	struct limits *full; /* somebody waits for room there; or NULL */
	bool started;
	struct accept accept;
	struct slots slots;
	struct service_world world;
	struct conn_host host;
	struct profiles *profiles; /* those in force, as far as we know */
	struct clock clock;
	struct conn_counters counters;
	struct overload_part overload;
	struct sweep sweep;
	struct lag lag;
	struct flows *flows; /* NULL: no listener of UDP */
	uint8_t plain[TLS_PLAIN_MAX];
	uint8_t input[CONN_INPUT_MAX];
};

/* ---- for connections and flows ---- */

static void on_opened(void *self, const struct peer *peer)
{
	struct worker *w = self;
	accept_opened(&w->accept, peer);
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

static bool room_for_flow(void *self)
{
	struct worker *w = self;
	return accept_room(&w->accept);
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
	for (size_t i = 0; i < w->slots.n; i++)
		if (w->slots.all[i].conn)
			conn_abort(w->slots.all[i].conn,
				REASON_UNREG_CALLMANAGER_RESTART);
	if (w->flows)
		flows_end(w->flows, REASON_UNREG_CALLMANAGER_RESTART);
	accept_end(&w->accept);
	sweep_end(&w->sweep);
	lag_end(&w->lag);
	uv_close((uv_handle_t *)&w->wake, NULL);
}

static void on_wake(uv_async_t *async)
{
	struct worker *w = async->data;
	pthread_mutex_lock(&w->lock);
	struct order *orders = w->orders;
	bool stopping = w->stopping;
	struct limits *full = w->full;
	w->asked = false;
	w->full = NULL;
	w->orders = NULL;
	w->last_order = &w->orders;
	pthread_mutex_unlock(&w->lock);
	while (orders) {
		struct order *next = orders->next;
		obey(w, orders);
		free(orders);
		orders = next;
	}
	if (full)
		accept_give_way(&w->accept, full);
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

bool worker_turns(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	bool turned = !w->asked;
	w->asked = true;
	if (!w->stopping)
		uv_async_send(&w->wake);
	pthread_mutex_unlock(&w->lock);
	return turned;
}

void worker_make_room(struct worker *w, struct limits *limits)
{
	pthread_mutex_lock(&w->lock);
	if (w->full != w->shared->limits) /* which are of all */
		w->full = limits;
	if (!w->stopping)
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
	w->wake.data = w;
	w->world = shared->world;
	w->world.overload = &w->overload;
	w->world.meters = &shared->meters[number];
	service_limits_count(&w->world.limits, w->world.meters);
	overload_join(shared->overload, &w->overload);
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
	accept_init(&w->accept, &(struct accept_host){
					.conn = &w->host,
					.slots = &w->slots,
					.limits = shared->limits,
					.capf_limits = shared->capf_limits,
					.overload = &w->overload,
					.resume = shared->resume,
					.workers = shared->workers,
					.ask_others = shared->make_room,
					.self = shared->self,
				});
	/* After it, whose turns are thus in what is measured. */
	lag_begin(&w->lag, &w->loop, w->world.meters);
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

/* Serves a socket of UDP, which needs no connections. */
static int listen_udp(
	struct worker *w, const struct service *service, int fd, struct diag *d)
{
	const struct flow_host host = {
		.conn = &w->host,
		.limits = w->shared->limits,
		.idle_max = limits_idle_flows(
			w->world.config->half_open_max, w->shared->workers),
		.room = room_for_flow,
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
	int fd, size_t sharers, struct diag *d)
{
	const struct service *service = services[listener->protocol];
	if (listener->udp)
		return listen_udp(w, service, fd, d);
	return accept_listen(&w->accept, listener, service, fd, sharers, d);
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
	accept_deinit(&w->accept);
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

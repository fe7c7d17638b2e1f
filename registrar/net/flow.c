/* SPDX-License-Identifier: Apache-2.0 */
/* Phones over UDP: a flow is who sends from one address and port. */
#include "registrar/net/flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <openssl/rand.h>

#include "protocols/sip/datagram.h"
#include "protocols/sip/transactions.h"
#include "registrar/log.h"
#include "registrar/memory.h"
#include "registrar/net/address.h"
#include "registrar/net/udp.h"

enum {
	BUCKETS = 16384,
	/* Deadlines lie in a wheel: a flow in the slot of its own, or in the
	 * last one if that is further away. */
	WHEEL = 1024,
	WHEEL_MS = 100,
	IDLE_MS = SIP_TRANSACTION_MS,
	/* Datagrams of one flow in a window; more are dropped, for to end the
	 * flow would leave the phone to whoever forges its address. */
	WINDOW_MS = 5000,
	WINDOW_MAX = 200,
	/* What an answer to a stranger may be longer than its request: who
	 * forges an address is to gain nothing by it. */
	ANSWER_MORE = 1024,
	KEPT_MAX = 64 << 20, /* answers and requests kept for all flows */
	SENT_BY_MAX = PEER_ADDRESS_MAX + 8,
};

LIST_HEAD(bucket, flow);
LIST_HEAD(slot, flow);
TAILQ_HEAD(idle, flow);

/* A socket, and the service behind it. */
struct door {
	struct flows *flows;
	const struct service *service;
	struct udp *udp;
	uint32_t overflow; /* of its datagrams, counted so far */
	SLIST_ENTRY(door) next;
};

SLIST_HEAD(doors, door);

struct flow {
	LIST_ENTRY(flow) bucket;
	LIST_ENTRY(flow) slot;	/* of the wheel: always in one */
	TAILQ_ENTRY(flow) idle; /* while nothing is registered */
	struct flows *flows;
	struct door *door;
	struct udp_ends ends;
	struct peer peer;
	void *self; /* the service's own memory */
	struct sip_transactions transactions;
	uint64_t tick;	   /* of its slot */
	uint64_t heard_ms; /* the last datagram */
	uint64_t window_ms;
	uint32_t window_n;
	uint16_t answer_port;
	uint64_t key;	/* of the request under way */
	size_t asked_n; /* its bytes */
	bool asked;	/* it has no answer yet */
	bool listed;	/* in idle */
	bool half_open;
};

struct flows {
	struct flow_host host;
	uv_timer_t timer; /* on while there are flows */
	uint64_t seed;
	uint64_t tick; /* of the wheel: served up to here */
	size_t n, n_idle;
	struct doors doors;
	struct idle idle; /* the longest silent first */
	struct sip_limits limits;
	struct sip_transactions_budget budget;
	struct sip_datagram datagram; /* the one under way */
	struct bucket buckets[BUCKETS];
	struct slot wheel[WHEEL];
};

static void count(uint64_t *counter)
{
	conn_counter_add(counter, 1);
}

static struct conn_counters *counters(const struct flows *fs)
{
	return fs->host.conn->counters;
}

static const struct service_world *world(const struct flows *fs)
{
	return fs->host.conn->world;
}

static uint64_t mono_ms(const struct flows *fs)
{
	return uv_now(fs->host.conn->loop);
}

static struct moment now_of(const struct flows *fs)
{
	return clock_moment(fs->host.conn->clock, mono_ms(fs));
}

/* ---- log ---- */

static void log_flow(
	const struct flow *f, enum log_event event, const char *why)
{
	struct log_line line;
	if (!log_wanted(event))
		return;
	log_begin(&line, event);
	log_peer(&line, f->peer.address, f->peer.port);
	log_str(&line, "device", service_device(f->self));
	log_str(&line, "service", config_protocol_name(f->peer.protocol));
	log_str(&line, "transport", config_transport_name(false, true));
	log_str(&line, "why", why);
	log_end(&line);
}

/* No answer: whoever it was may not have sent it. */
static void ignore(struct flows *fs, const char *address, uint16_t port,
	uint64_t *counter, const char *why)
{
	struct log_line line;
	count(counter);
	if (!log_wanted(LOG_EV_DATAGRAM_IGNORED) ||
		!failures_may_log(world(fs)->failures))
		return;
	log_begin(&line, LOG_EV_DATAGRAM_IGNORED);
	log_peer(&line, address, port);
	log_str(&line, "why", why);
	log_end(&line);
}

/* ---- finding ---- */

/* Seeded: sources are easily forged, buckets should not be easily filled. */
static struct bucket *bucket_of(struct flows *fs, const struct udp_ends *ends)
{
	uint64_t parts[2];
	memcpy(parts, &ends->address, sizeof(parts));
	uint64_t h = fs->seed ^ ends->port;
	for (size_t i = 0; i < 2; i++) {
		h = (h ^ parts[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	return &fs->buckets[h * UINT64_C(0x9e3779b97f4a7c15) >> 32 &
			    (BUCKETS - 1)];
}

static struct flow *find(const struct door *door, const struct udp_ends *ends)
{
	struct flow *f;
	LIST_FOREACH(f, bucket_of(door->flows, ends), bucket)
	{
		if (f->door == door && f->ends.port == ends->port &&
			f->ends.scope == ends->scope &&
			IN6_ARE_ADDR_EQUAL(&f->ends.address, &ends->address))
			return f;
	}
	return NULL;
}

/* ---- the wheel ---- */

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t deadline(const struct flow *f)
{
	uint64_t at = f->door->service->deadline(f->self);
	at = min64(at, sip_transactions_deadline(&f->transactions));
	return f->listed ? min64(at, f->heard_ms + IDLE_MS) : at;
}

/* Into the slot of its deadline. One that is too early is left as it is:
 * deadlines mostly move away, and then it is put right. */
static void place(struct flow *f)
{
	struct flows *fs = f->flows;
	uint64_t at = deadline(f);
	uint64_t last = fs->tick + WHEEL - 1;
	uint64_t tick = at / WHEEL_MS + 1;
	if (tick <= fs->tick)
		tick = fs->tick + 1;
	tick = min64(tick, last);
	if (f->tick > fs->tick && f->tick <= tick)
		return;
	if (f->tick)
		LIST_REMOVE(f, slot);
	f->tick = tick;
	LIST_INSERT_HEAD(&fs->wheel[tick % WHEEL], f, slot);
}

static void on_tick(uv_timer_t *timer);

static void start_wheel(struct flows *fs)
{
	if (uv_is_active((uv_handle_t *)&fs->timer))
		return;
	fs->tick = mono_ms(fs) / WHEEL_MS;
	uv_timer_start(&fs->timer, on_tick, WHEEL_MS, WHEEL_MS);
}

/* ---- the end ---- */

static void unlist(struct flow *f)
{
	if (!f->listed)
		return;
	f->listed = false;
	f->flows->n_idle--;
	TAILQ_REMOVE(&f->flows->idle, f, idle);
}

/* To the end of those who have been heard and are not registered. */
static void list(struct flow *f)
{
	unlist(f);
	f->listed = true;
	f->flows->n_idle++;
	TAILQ_INSERT_TAIL(&f->flows->idle, f, idle);
}

static void leave_half_open(struct flow *f)
{
	const struct conn_host *host = f->flows->host.conn;
	if (!f->half_open)
		return;
	f->half_open = false;
	host->opened(host->self, &f->peer);
}

static void send_out(struct flow *f, const struct moment *now);

void flow_end(struct flow *f, const char *why, enum reason_unreg cause)
{
	struct flows *fs = f->flows;
	const struct service *service = f->door->service;
	struct moment now = now_of(fs);
	log_flow(f, LOG_EV_CLOSED, why);
	service->leave(f->self, cause, &now);
	send_out(f, &now);
	service->deinit(f->self);
	free(f->self);
	sip_transactions_deinit(&f->transactions, &fs->budget);
	leave_half_open(f);
	unlist(f);
	LIST_REMOVE(f, bucket);
	LIST_REMOVE(f, slot);
	fs->host.conn->gone(fs->host.conn->self, f->peer.ref);
	count(&counters(fs)->closed);
	count(&counters(fs)->flows_closed);
	free(f);
	if (--fs->n == 0)
		uv_timer_stop(&fs->timer);
}

/* ---- out ---- */

static void send_datagram(const struct flow *f, const struct udp_ends *to,
	const void *data, size_t n)
{
	struct conn_counters *c = counters(f->flows);
	if (!udp_send(f->door->udp, to, data, n))
		return;
	count(&c->datagrams_out);
	conn_counter_add(&c->bytes_out, n);
}

static void send_answer(struct flow *f, const void *data, size_t n)
{
	struct udp_ends to = f->ends;
	to.port = f->answer_port;
	send_datagram(f, &to, data, n);
}

/* The answer to the request under way, kept for when it is asked again. */
static void answer(
	struct flow *f, const void *data, size_t n, const struct moment *now)
{
	struct flows *fs = f->flows;
	if (f->listed && n > f->asked_n + ANSWER_MORE) {
		ignore(fs, f->peer.address, f->peer.port,
			&counters(fs)->datagrams_dropped,
			"the answer to a stranger is too long");
		return;
	}
	send_answer(f, data, n);
	if (f->asked)
		sip_transactions_keep(
			&f->transactions, &fs->budget, f->key, data, n, now);
	f->asked = false;
}

static void put_sent_by(const struct flow *f, char text[SENT_BY_MAX])
{
	char address[PEER_ADDRESS_MAX];
	const struct in6_addr *local = &f->ends.local;
	address_text(local, address);
	snprintf(text, SENT_BY_MAX,
		IN6_IS_ADDR_V4MAPPED(local) ? "%s:%u" : "[%s]:%u", address,
		udp_port(f->door->udp));
}

/* A request of ours: to where the phone is heard from, until it answers. */
static void ask(
	struct flow *f, const void *data, size_t n, const struct moment *now)
{
	struct flows *fs = f->flows;
	char sent_by[SENT_BY_MAX];
	char *message = fs->datagram.message; /* was fed, is free */
	uint64_t key;
	put_sent_by(f, sent_by);
	n = sip_datagram_stamp(
		data, n, sent_by, message, sizeof(fs->datagram.message), &key);
	if (!n)
		return;
	send_datagram(f, &f->ends, message, n);
	sip_transactions_ask(
		&f->transactions, &fs->budget, key, message, n, now);
}

static void send_out(struct flow *f, const struct moment *now)
{
	const struct service *service = f->door->service;
	const uint8_t *p;
	size_t n;
	bool request;
	while ((p = service->out(f->self, &n)) &&
		(n = sip_datagram_first(p, n, &request))) {
		if (request)
			ask(f, p, n, now);
		else
			answer(f, p, n, now);
		service->sent(f->self, n);
	}
}

/* After anything happened: send, end if the service wants it. */
static void settle(struct flow *f, const struct moment *now)
{
	const struct service *service = f->door->service;
	const char *ended = service->ended(f->self);
	if (ended) {
		flow_end(f, ended, REASON_UNREG_UNKNOWN);
		return;
	}
	send_out(f, now);
	if (*service_device(f->self)) {
		leave_half_open(f);
		unlist(f);
	} else if (!f->listed) {
		list(f);
	}
	place(f);
}

void flow_order(struct flow *f, enum phone_order order)
{
	struct moment now = now_of(f->flows);
	if (!f->door->service->order)
		return;
	f->door->service->order(f->self, order, &now);
	settle(f, &now);
}

/* ---- time ---- */

static void on_lost(struct flow *f)
{
	service_fault(world(f->flows), &f->peer, service_device(f->self),
		"sip-no-answer",
		"a request of ours got no answer in 32 s, however often it "
		"was sent");
}

static void tick(struct flow *f, const struct moment *now)
{
	struct flows *fs = f->flows;
	const void *data;
	size_t n;
	enum sip_transactions_step step;
	while ((step = sip_transactions_tick(&f->transactions, &fs->budget, now,
			&data, &n)) != SIP_TRANSACTIONS_IDLE) {
		if (step == SIP_TRANSACTIONS_LOST)
			on_lost(f);
		else
			send_datagram(f, &f->ends, data, n);
	}
	if (f->listed && now->mono_ms >= f->heard_ms + IDLE_MS) {
		flow_end(f, "silent, and not registered",
			REASON_UNREG_CONNECTIVITY);
		return;
	}
	f->door->service->tick(f->self, now);
	settle(f, now);
}

static void serve_slot(struct flows *fs, const struct moment *now)
{
	struct slot *slot = &fs->wheel[fs->tick % WHEEL];
	struct flow *f;
	while ((f = LIST_FIRST(slot))) {
		if (deadline(f) <= now->mono_ms)
			tick(f, now);
		else
			place(f);
	}
}

static void on_tick(uv_timer_t *timer)
{
	struct flows *fs = timer->data;
	struct moment now = now_of(fs);
	while (fs->n && fs->tick < now.mono_ms / WHEEL_MS) {
		fs->tick++;
		serve_slot(fs, &now);
	}
}

/* ---- in ---- */

static struct flow *new_flow(
	struct door *door, const struct udp_ends *ends, const char *address)
{
	struct flows *fs = door->flows;
	struct moment now = now_of(fs);
	struct flow *f = memory_zero(sizeof(*f));
	start_wheel(fs);
	f->flows = fs;
	f->door = door;
	f->ends = *ends;
	f->half_open = true;
	memcpy(f->peer.address, address, PEER_ADDRESS_MAX);
	f->peer.port = ends->port;
	f->peer.protocol = door->service->protocol;
	f->peer.udp = true;
	f->peer.ref = fs->host.came(fs->host.conn->self, f);
	f->heard_ms = f->window_ms = now.mono_ms;
	f->self = memory_zero(door->service->size);
	door->service->init(f->self, world(fs), &f->peer, &now);
	LIST_INSERT_HEAD(bucket_of(fs, ends), f, bucket);
	fs->n++;
	list(f);
	place(f);
	count(&counters(fs)->accepted);
	count(&counters(fs)->flows);
	log_flow(f, LOG_EV_CONNECTED, NULL);
	return f;
}

/* NULL: a limit is reached. */
static struct flow *open_flow(
	struct door *door, const struct udp_ends *ends, const char *address)
{
	struct flows *fs = door->flows;
	uint64_t *dropped = &counters(fs)->datagrams_dropped;
	if (fs->n_idle >= fs->host.idle_max)
		flow_end(TAILQ_FIRST(&fs->idle), "makes room for a newer one",
			REASON_UNREG_CONNECTIVITY);
	if (!fs->host.room(fs->host.conn->self)) {
		ignore(fs, address, ends->port, dropped,
			"limits.connections or limits.half_open is reached");
		return NULL;
	}
	if (!limits_enter(fs->host.limits, address, true)) {
		ignore(fs, address, ends->port, dropped,
			"limits.half_open_per_address is reached");
		return NULL;
	}
	return new_flow(door, ends, address);
}

/* Counts what a peer makes us do; false: it is too much. */
static bool within_rate(struct flow *f, uint64_t now_ms)
{
	if (now_ms - f->window_ms >= WINDOW_MS) {
		f->window_ms = now_ms;
		f->window_n = 0;
	}
	return f->window_n++ < WINDOW_MAX;
}

/* A request that is refused by its form, before the service sees it. */
static void refuse(struct flow *f, const struct moment *now)
{
	struct flows *fs = f->flows;
	struct bytes_queue out;
	size_t n;
	bytes_queue_init(&out, SIP_DATAGRAM_MAX);
	sip_datagram_refuse(&fs->datagram, &out, world(fs)->config->node, now);
	const uint8_t *p = bytes_queue_peek(&out, &n);
	if (p)
		answer(f, p, n, now);
	bytes_queue_deinit(&out);
	log_flow(f, LOG_EV_ANSWERED, sip_rule_text(fs->datagram.rule));
}

static void on_request(struct flow *f, const struct moment *now)
{
	const struct sip_datagram *d = &f->flows->datagram;
	size_t n;
	const void *before =
		sip_transactions_find(&f->transactions, d->key, now, &n);
	f->answer_port = d->port;
	if (before) {
		count(&counters(f->flows)->datagrams_repeated);
		send_answer(f, before, n);
		return;
	}
	f->key = d->key;
	f->asked_n = d->n;
	f->asked = true;
	if (d->rule == SIP_RULE_OK)
		f->door->service->feed(f->self, d->message, d->n, now);
	else
		refuse(f, now);
}

/* The answer to a request of ours goes on only once. */
static void on_response(struct flow *f, const struct moment *now)
{
	struct flows *fs = f->flows;
	const struct sip_datagram *d = &fs->datagram;
	if (sip_transactions_answered(
		    &f->transactions, &fs->budget, d->key, d->status, now))
		f->door->service->feed(f->self, d->message, d->n, now);
	else
		ignore(fs, f->peer.address, f->peer.port,
			&counters(fs)->datagrams_ignored,
			"an answer to nothing that was asked");
}

static void on_message(struct flow *f, const struct udp_ends *ends)
{
	struct flows *fs = f->flows;
	struct moment now = now_of(fs);
	if (!within_rate(f, now.mono_ms)) {
		ignore(fs, f->peer.address, f->peer.port,
			&counters(fs)->datagrams_dropped,
			"too many datagrams in five seconds");
		return;
	}
	f->ends = *ends; /* it may have come to another address of ours */
	f->heard_ms = now.mono_ms;
	if (f->listed)
		list(f);
	if (fs->datagram.kind == SIP_DATAGRAM_RESPONSE)
		on_response(f, &now);
	else
		on_request(f, &now);
	settle(f, &now);
}

static void count_overflow(struct door *door)
{
	uint32_t overflow = udp_overflow(door->udp);
	conn_counter_add(&counters(door->flows)->datagrams_overflowed,
		(uint32_t)(overflow - door->overflow));
	door->overflow = overflow;
}

static void on_received(void *self, const struct udp_ends *ends,
	const void *data, size_t n, bool cut)
{
	struct door *door = self;
	struct flows *fs = door->flows;
	struct conn_counters *c = counters(fs);
	char address[PEER_ADDRESS_MAX] = "";
	struct flow *f = find(door, ends);
	address_text(&ends->address, address);
	count(&c->datagrams_in);
	conn_counter_add(&c->bytes_in, n);
	count_overflow(door);
	sip_datagram_read(&fs->datagram, data, n, cut,
		&(struct sip_datagram_source){address, ends->port},
		&fs->limits);
	switch (fs->datagram.kind) {
	case SIP_DATAGRAM_EMPTY:
	case SIP_DATAGRAM_ACK:
		count(&c->datagrams_ignored);
		return;
	case SIP_DATAGRAM_NONE:
		ignore(fs, address, ends->port, &c->datagrams_ignored,
			"no SIP message");
		return;
	case SIP_DATAGRAM_RESPONSE:
		if (!f) {
			ignore(fs, address, ends->port, &c->datagrams_ignored,
				"an answer from a stranger");
			return;
		}
		break;
	case SIP_DATAGRAM_REQUEST:
		if (!f)
			f = open_flow(door, ends, address);
		break;
	}
	if (f)
		on_message(f, ends);
}

/* ---- life ---- */

struct flows *flows_new(const struct flow_host *host)
{
	struct flows *fs = memory_zero(sizeof(*fs));
	/* Those over TCP: our own have room for what a message grows by. */
	const struct sip_server_config *config =
		&host->conn->world->limits.sip[0];
	fs->host = *host;
	if (RAND_bytes((uint8_t *)&fs->seed, sizeof(fs->seed)) != 1)
		abort(); /* law 2: no entropy */
	fs->budget.max = KEPT_MAX;
	fs->limits = (struct sip_limits){
		.message_max = config->message_max,
		.head_max = config->head_max,
		.lines_max = config->lines_max,
		.params_max = config->params_max,
		.contacts_max = config->contacts_max,
	};
	TAILQ_INIT(&fs->idle);
	uv_timer_init(host->conn->loop, &fs->timer);
	fs->timer.data = fs;
	return fs;
}

int flows_listen(
	struct flows *fs, const struct service *service, int fd, struct diag *d)
{
	struct door *door = memory_zero(sizeof(*door));
	door->flows = fs;
	door->service = service;
	int error = udp_new(fs->host.conn->loop, fd, fs->limits.message_max,
		on_received, door, &door->udp);
	if (error < 0) {
		free(door);
		return diag_set(
			d, error, "UDP: cannot listen: %s", uv_strerror(error));
	}
	SLIST_INSERT_HEAD(&fs->doors, door, next);
	return 0;
}

static void end_bucket(struct bucket *bucket, enum reason_unreg cause)
{
	struct flow *f = LIST_FIRST(bucket);
	while (f) {
		struct flow *next = LIST_NEXT(f, bucket);
		flow_end(f, "the registrar stops", cause);
		f = next;
	}
}

void flows_end(struct flows *fs, enum reason_unreg cause)
{
	struct door *door;
	for (size_t i = 0; i < BUCKETS; i++)
		end_bucket(&fs->buckets[i], cause);
	SLIST_FOREACH(door, &fs->doors, next)
	udp_close(door->udp);
	uv_close((uv_handle_t *)&fs->timer, NULL);
}

void flows_free(struct flows *fs)
{
	if (!fs)
		return;
	while (!SLIST_EMPTY(&fs->doors)) {
		struct door *door = SLIST_FIRST(&fs->doors);
		SLIST_REMOVE_HEAD(&fs->doors, next);
		free(door);
	}
	free(fs);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One connection: a socket, perhaps TLS, and the service behind it. */
#include "registrar/net/conn.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "registrar/log.h"
#include "registrar/memory.h"
#include "registrar/net/address.h"
#include "registrar/net/conn_out.h"
#include "registrar/net/conn_tls.h"

enum {
	LINGER_MS = 2000,	/* for the peer to read our last words */
	UNREAD_MAX = 32 * 1024, /* waiting to be sent: stop reading above */
	/* While others wait. Old phones take two seconds for their handshake,
	 * and none for its first byte. */
	SILENT_MS = 1000,
	STRANGER_MS = 3000,
	SLOW_MS = 10000,
};

enum conn_state {
	CONN_IDLE,    /* accepted, not started */
	CONN_OPEN,    /* bytes go both ways */
	CONN_ENDING,  /* nothing is read any more; out drains, then FIN */
	CONN_LINGER,  /* FIN sent; waiting for the peer's */
	CONN_CLOSING, /* uv_close called */
};

struct conn {
	uv_tcp_t tcp;
	uv_timer_t timer;
	const struct conn_host *host;
	const struct service *service;
	void *self; /* the service's own memory */
	struct conn_tls tls;
	struct peer peer;
	enum conn_state state;
	bool half_open;
	bool heard; /* a byte of it */
	bool timed; /* how long its registration took */
	bool paused;
	bool eof;	 /* the peer sent FIN, or close_notify */
	uint8_t handles; /* uv handles not closed yet */
	struct conn_out out;
	uint64_t write_deadline; /* while something waits in out */
	uint64_t linger_deadline;
	uint64_t started_us;
	uint64_t timer_at; /* when the timer fires; MOMENT_NEVER: stopped */
};

static struct moment now_of(const struct conn *c)
{
	return clock_moment(c->host->clock, uv_now(c->host->loop));
}

static void log_conn(
	const struct conn *c, enum log_event event, const char *why)
{
	struct log_line line;
	if (!log_wanted(event))
		return;
	log_begin(&line, event);
	log_peer(&line, c->peer.address, c->peer.port);
	log_str(&line, "device", peer_device(&c->peer));
	log_str(&line, "service", config_protocol_name(c->peer.protocol));
	log_str(&line, "tls", c->peer.tls_version);
	log_str(&line, "cipher", c->peer.cipher);
	log_str(&line, "resumed", c->peer.resumed ? "yes" : NULL);
	log_str(&line, "waived", peer_waived(&c->peer));
	log_str(&line, "why", why);
	log_end(&line);
}

/* ---- the way out ---- */

static void on_handle_closed(uv_handle_t *handle)
{
	struct conn *c = handle->data;
	if (--c->handles > 0)
		return;
	if (c->peer.ref.id)
		conn_counter_add(&c->host->counters->closed, 1);
	conn_out_deinit(&c->out);
	free(c);
}

/* Everything but the handles, whose memory uv still holds. */
static void release(struct conn *c, enum reason_unreg cause)
{
	if (c->self) {
		struct moment now = now_of(c);
		c->service->leave(c->self, cause, &now);
		c->service->deinit(c->self);
		free(c->self);
		c->self = NULL;
	}
	peer_cert_unref(c->peer.cert);
	c->peer.cert = NULL;
	c->peer.anchor = NULL; /* it is the profile's */
	conn_tls_deinit(&c->tls);
}

static void leave_half_open(struct conn *c)
{
	if (!c->half_open)
		return;
	c->half_open = false;
	c->host->opened(c->host->self, &c->peer);
}

static void close_now(struct conn *c, const char *why, enum reason_unreg cause)
{
	if (c->state == CONN_CLOSING)
		return;
	if (c->state != CONN_LINGER)
		log_conn(c, LOG_EV_CLOSED, why);
	c->state = CONN_CLOSING;
	leave_half_open(c);
	release(c, cause);
	if (c->peer.ref.id)
		c->host->gone(c->host->self, c->peer.ref);
	uv_close((uv_handle_t *)&c->timer, on_handle_closed);
	uv_close((uv_handle_t *)&c->tcp, on_handle_closed);
}

static void set_timer(struct conn *c);

/*
 * All is sent: FIN, then wait a moment for the peer to have read it. A peer
 * that has said goodbye itself is not waited for.
 */
static void linger(struct conn *c)
{
	uv_os_fd_t fd;
	c->state = CONN_LINGER;
	c->linger_deadline = uv_now(c->host->loop) + LINGER_MS;
	if (c->eof || uv_fileno((uv_handle_t *)&c->tcp, &fd) < 0 ||
		shutdown(fd, SHUT_WR) < 0)
		close_now(c, "ended", REASON_UNREG_CONNECTIVITY);
}

/* ---- sending ---- */

static const uint8_t *wire_out(const struct conn *c, size_t *n)
{
	if (c->tls.engine)
		return tls_engine_out(c->tls.engine, n);
	return c->service->out(c->self, n);
}

static void wire_sent(struct conn *c, size_t n)
{
	conn_counter_add(&c->host->counters->bytes_out, n);
	if (c->tls.engine)
		tls_engine_sent(c->tls.engine, n);
	else
		c->service->sent(c->self, n);
}

/* The service's plaintext into TLS; the engine caps what waits. */
static void encrypt(struct conn *c)
{
	size_t n;
	const uint8_t *p;
	while (c->tls.engine && (p = c->service->out(c->self, &n))) {
		size_t piece = n < TLS_PLAIN_MAX ? n : TLS_PLAIN_MAX;
		if (tls_engine_write(c->tls.engine, p, piece) < 0)
			return;
		c->service->sent(c->self, piece);
	}
}

static void flush(struct conn *c);

static void on_written(uv_stream_t *to, int status)
{
	struct conn *c = to->data;
	if (c->state == CONN_CLOSING)
		return;
	if (status < 0) {
		close_now(c, uv_strerror(status), REASON_UNREG_CONNECTIVITY);
		return;
	}
	flush(c);
	if (c->state != CONN_CLOSING)
		set_timer(c);
}

static bool has_much_unread(const struct conn *c)
{
	size_t n;
	wire_out(c, &n);
	return n > UNREAD_MAX;
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf);
static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

/* A peer that does not read is not read either. */
static void set_reading(struct conn *c)
{
	bool pause = c->state == CONN_OPEN && has_much_unread(c);
	if (pause == c->paused)
		return;
	c->paused = pause;
	if (pause)
		uv_read_stop((uv_stream_t *)&c->tcp);
	else
		uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

static void flush(struct conn *c)
{
	size_t n;
	const uint8_t *p;
	if (c->state == CONN_OPEN || c->state == CONN_ENDING)
		encrypt(c);
	while (!c->out.waiting && c->self && (p = wire_out(c, &n))) {
		int sent = conn_out_send(
			&c->out, (uv_stream_t *)&c->tcp, p, n, on_written);
		if (sent < 0) {
			close_now(c, uv_strerror(sent),
				REASON_UNREG_CONNECTIVITY);
			return;
		}
		wire_sent(c, (size_t)sent);
		if (c->out.waiting)
			c->write_deadline = uv_now(c->host->loop) +
					    c->host->world->config->write_ms;
	}
	if (c->state == CONN_CLOSING)
		return;
	set_reading(c);
	if (c->state == CONN_ENDING && !c->out.waiting)
		linger(c);
}

void conn_end(struct conn *c, const char *why, enum reason_unreg cause)
{
	struct moment now = now_of(c);
	if (c->state != CONN_OPEN)
		return;
	log_conn(c, LOG_EV_CLOSED, why);
	c->service->leave(c->self, cause, &now);
	leave_half_open(c);
	encrypt(c);
	if (c->tls.engine)
		tls_engine_close(c->tls.engine);
	c->state = CONN_ENDING;
	flush(c);
	if (c->state != CONN_CLOSING)
		set_timer(c);
}

enum standing conn_standing(
	const struct conn *c, const struct trust_snapshot *trust)
{
	bool secured =
		c->state == CONN_OPEN && c->peer.verified && !c->tls.finding;
	return secured ? standing_of(trust, &c->peer) : STANDING_GOOD;
}

void conn_distrust(struct conn *c, const struct trust_snapshot *trust)
{
	conn_end(c, standing_tell(trust, &c->peer, c->host->world->history),
		REASON_UNREG_CALLMANAGER_RESET);
}

/* How old it may become while others wait. */
static uint64_t patience_ms(const struct conn *c, struct limits *limits)
{
	if (c->half_open && !c->heard)
		return SILENT_MS;
	if (c->half_open)
		return limits_heavy(limits, c->peer.address) ? STRANGER_MS
							     : SLOW_MS;
	bool stranger = !c->peer.tls && !*service_device(c->self);
	return stranger ? STRANGER_MS : UINT64_MAX;
}

bool conn_is_half_open(const struct conn *c)
{
	return c->half_open;
}

bool conn_give_way(struct conn *c, struct limits *limits)
{
	uint64_t age = (meters_now_us() - c->started_us) / 1000;
	if (c->state != CONN_OPEN || age < SILENT_MS ||
		age < patience_ms(c, limits))
		return false;
	close_now(c, "too slow, and others wait", REASON_UNREG_NO_RESPONSE);
	return true;
}

void conn_abort(struct conn *c, enum reason_unreg cause)
{
	close_now(c, "the registrar stops", cause);
}

/* ---- receiving ---- */

static void on_secured(struct conn *c)
{
	static const char overtaken[] = "trust-changed";
	bool stands = conn_tls_up(&c->tls, c->host, &c->peer, c->started_us);
	if (!c->service->greeted)
		leave_half_open(c);
	log_conn(c, LOG_EV_SECURED, NULL);
	if (stands)
		return;
	/* The phone comes again, and reads the right alert. */
	service_fault(c->host->world, &c->peer, peer_device(&c->peer),
		overtaken,
		"while it shook hands a reload took away the CA that it was "
		"let in by");
	conn_end(c, overtaken, REASON_UNREG_CONNECTIVITY);
}

/* Once: who registers again over it was served long ago. */
static void time_registration(struct conn *c)
{
	if (c->timed || c->peer.protocol == CONFIG_CAPF ||
		!*service_device(c->self))
		return;
	c->timed = true;
	meters_took(c->host->world->meters,
		c->peer.protocol == CONFIG_SIP ? METERS_SIP : METERS_SCCP,
		meters_now_us() - c->started_us);
}

static void feed_service(struct conn *c, const uint8_t *data, size_t n)
{
	struct moment now = now_of(c);
	c->service->feed(c->self, data, n, &now);
	time_registration(c);
	if (c->half_open && c->service->greeted && c->service->greeted(c->self))
		leave_half_open(c);
}

static void on_tls_failed(struct conn *c, const struct tls_event *e)
{
	conn_tls_failed(&c->tls, c->host, &c->peer, e);
	conn_end(c, tls_fail_name(e->fail), REASON_UNREG_CONNECTIVITY);
}

/* The peer will say no more. */
static void on_eof(struct conn *c)
{
	c->eof = true;
	if (c->state == CONN_LINGER)
		close_now(c, "ended", REASON_UNREG_CONNECTIVITY);
	else
		conn_end(c, "the phone closed", REASON_UNREG_CONNECTIVITY);
}

/* Runs TLS until it wants more bytes; stops when the service has ended. */
static void pump_tls(struct conn *c)
{
	struct tls_event e;
	while (c->state == CONN_OPEN && !c->service->ended(c->self) &&
		tls_engine_next(c->tls.engine, &e))
		switch (e.type) {
		case TLS_EVENT_UP:
			on_secured(c);
			break;
		case TLS_EVENT_DATA:
			feed_service(c, e.data, e.n);
			break;
		case TLS_EVENT_CLOSED:
			on_eof(c);
			break;
		case TLS_EVENT_FAILED:
			on_tls_failed(c, &e);
			break;
		}
}

/* After anything happened: send, end if the service wants it, set timer. */
static void settle(struct conn *c)
{
	if (c->state == CONN_OPEN && c->service->ended(c->self))
		conn_end(c, c->service->ended(c->self), REASON_UNREG_UNKNOWN);
	if (c->state == CONN_OPEN)
		flush(c);
	if (c->state != CONN_CLOSING)
		set_timer(c);
}

void conn_order(struct conn *c, enum phone_order order)
{
	struct moment now = now_of(c);
	if (c->state != CONN_OPEN || !c->service->order)
		return;
	c->service->order(c->self, order, &now);
	settle(c);
}

void conn_wake(struct conn *c)
{
	struct moment now = now_of(c);
	if (c->state != CONN_OPEN || c->tls.finding)
		return;
	c->service->tick(c->self, &now);
	settle(c);
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
	struct conn *c = handle->data;
	*buf = uv_buf_init((char *)c->host->input, CONN_INPUT_MAX);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct conn *c = stream->data;
	if (n == 0)
		return;
	if (n == UV_EOF) {
		on_eof(c);
		return;
	}
	if (n < 0) {
		close_now(c, uv_strerror((int)n), REASON_UNREG_CONNECTIVITY);
		return;
	}
	conn_counter_add(&c->host->counters->bytes_in, (uint64_t)n);
	c->heard = true;
	if (c->state != CONN_OPEN)
		return;
	if (c->tls.engine) {
		tls_engine_feed(c->tls.engine, buf->base, (size_t)n);
		pump_tls(c);
	} else {
		leave_half_open(c);
		feed_service(c, (const uint8_t *)buf->base, (size_t)n);
	}
	settle(c);
}

/* ---- time ---- */

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t next_deadline(const struct conn *c)
{
	uint64_t at = MOMENT_NEVER;
	if (c->state == CONN_LINGER)
		return c->linger_deadline;
	if (c->out.waiting)
		at = c->write_deadline;
	if (c->state == CONN_OPEN && c->tls.engine)
		at = min64(at, tls_engine_deadline(c->tls.engine));
	/* A service waits for a first message only once it can be sent. */
	if (c->state == CONN_OPEN && !c->tls.finding)
		at = min64(at, c->service->deadline(c->self));
	return at;
}

static void on_timer(uv_timer_t *timer)
{
	struct conn *c = timer->data;
	struct moment now = now_of(c);
	c->timer_at = MOMENT_NEVER;
	if (c->state == CONN_LINGER && now.mono_ms >= c->linger_deadline) {
		close_now(c, "ended", REASON_UNREG_CONNECTIVITY);
		return;
	}
	if (c->out.waiting && now.mono_ms >= c->write_deadline) {
		service_fault(c->host->world, &c->peer, peer_device(&c->peer),
			"not-reading",
			"what waits for this peer was not read in time");
		close_now(c, "not-reading", REASON_UNREG_NO_RESPONSE);
		return;
	}
	if (c->state == CONN_OPEN && c->tls.engine) {
		tls_engine_tick(c->tls.engine, &now);
		pump_tls(c);
	}
	if (c->state == CONN_OPEN && !c->tls.finding)
		c->service->tick(c->self, &now);
	settle(c);
}

/*
 * Deadlines mostly move away. A timer that is set too early is left as it is
 * and set anew when it fires: that is once in a while, not at each message.
 */
static void set_timer(struct conn *c)
{
	uint64_t at = next_deadline(c);
	uint64_t now = uv_now(c->host->loop);
	if (at >= c->timer_at)
		return;
	c->timer_at = at;
	uv_timer_start(&c->timer, on_timer, at > now ? at - now : 0, 0);
}

/* ---- the way in ---- */

struct conn *conn_new(const struct conn_host *host)
{
	struct conn *c = memory_zero(sizeof(*c));
	c->host = host;
	uv_tcp_init(host->loop, &c->tcp);
	uv_timer_init(host->loop, &c->timer);
	c->tcp.data = c;
	c->timer.data = c;
	c->handles = 2;
	c->timer_at = MOMENT_NEVER;
	return c;
}

uv_tcp_t *conn_tcp(struct conn *c)
{
	return &c->tcp;
}

bool conn_came_from(struct conn *c, const struct sockaddr_storage *from)
{
	struct sockaddr_storage at = {0};
	uint32_t ipv4;
	int n = sizeof(at);
	if (!from &&
		uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&at, &n) < 0)
		return false;
	address_put(from ? from : &at, c->peer.address, &c->peer.port, &ipv4);
	return true;
}

static void fill_local(struct conn *c)
{
	struct sockaddr_storage at = {0};
	char local[PEER_ADDRESS_MAX];
	int n = sizeof(at);
	if (uv_tcp_getsockname(&c->tcp, (struct sockaddr *)&at, &n) == 0)
		address_put(
			&at, local, &c->peer.local_port, &c->peer.local_ipv4);
}

void conn_refuse(struct conn *c, const char *why)
{
	conn_counter_add(&c->host->counters->refused, 1);
	close_now(c, why, REASON_UNREG_UNKNOWN);
}

/* The kernel gives us a TLS connection when its ClientHello is there: the loop
 * need not be asked for it. */
static void read_at_once(struct conn *c)
{
	uv_os_fd_t fd;
	uv_buf_t buf = uv_buf_init((char *)c->host->input, CONN_INPUT_MAX);
	if (uv_fileno((uv_handle_t *)&c->tcp, &fd) < 0)
		return;
	ssize_t n = read(fd, buf.base, buf.len);
	if (n > 0)
		on_read((uv_stream_t *)&c->tcp, n, &buf);
}

void conn_start(struct conn *c, const struct service *service,
	struct profile *profile, const uint8_t tag[RESUME_TAG],
	struct conn_ref ref)
{
	struct moment now = now_of(c);
	if (service->tells_address)
		fill_local(c);
	c->peer.ref = ref;
	c->peer.protocol = service->protocol;
	c->peer.tls = profile != NULL;
	c->service = service;
	c->self = memory_zero(service->size);
	c->half_open = true;
	c->started_us = meters_now_us();
	c->state = CONN_OPEN;
	conn_counter_add(&c->host->counters->accepted, 1);
	if (profile)
		conn_tls_start(&c->tls, c->host, profile, tag, &c->peer, &now);
	service->init(c->self, c->host->world, &c->peer, &now);
	log_conn(c, LOG_EV_CONNECTED, NULL);
	set_timer(c);
	if (profile)
		read_at_once(c);
	if (c->state == CONN_CLOSING)
		return;
	int error = uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
	if (error < 0)
		close_now(c, uv_strerror(error), REASON_UNREG_CONNECTIVITY);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One connection: a socket, perhaps TLS, and the service behind it. */
#include "registrar/net/conn.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocols/tls/engine.h"
#include "registrar/log.h"
#include "registrar/memory.h"
#include "registrar/net/address.h"
#include "registrar/tls/handshake.h"

enum {
	LINGER_MS = 2000,	/* for the peer to read our last words */
	UNREAD_MAX = 32 * 1024, /* waiting to be sent: stop reading above */
	/* Old phones take two seconds for their handshake, and none for its
	 * first byte. */
	SILENT_MS = 1000,
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
	struct profile *profile;
	struct tls_engine *tls;
	struct profile_finding *finding; /* only until the handshake ends */
	struct peer peer;
	enum conn_state state;
	bool half_open;
	bool heard; /* a byte of it */
	bool timed; /* how long its registration took */
	bool paused;
	bool eof;		 /* the peer sent FIN, or close_notify */
	uint8_t handles;	 /* uv handles not closed yet */
	struct parcel *writing;	 /* in flight, or NULL */
	uint64_t write_deadline; /* while writing */
	uint64_t linger_deadline;
	uint64_t started_us;
	uint64_t timer_at; /* when the timer fires; MOMENT_NEVER: stopped */
};

/* What the socket would not take at once; most connections never have one. */
struct parcel {
	uv_write_t request;
	char data[];
};

void conn_counter_add(uint64_t *counter, uint64_t n)
{
	__atomic_add_fetch(counter, n, __ATOMIC_RELAXED);
}

uint64_t conn_counter_get(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

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
	free(c->writing);
	free(c);
}

static void forget_finding(struct conn *c)
{
	if (c->finding)
		profile_finding_deinit(c->finding);
	free(c->finding);
	c->finding = NULL;
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
	if (c->tls) {
		tls_engine_deinit(c->tls);
		free(c->tls);
		c->tls = NULL;
	}
	forget_finding(c);
	peer_cert_unref(c->peer.cert);
	c->peer.cert = NULL;
	c->peer.anchor = NULL; /* it is the profile's */
	profile_unref(c->profile);
	c->profile = NULL;
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
	if (c->tls)
		return tls_engine_out(c->tls, n);
	return c->service->out(c->self, n);
}

static void wire_sent(struct conn *c, size_t n)
{
	conn_counter_add(&c->host->counters->bytes_out, n);
	if (c->tls)
		tls_engine_sent(c->tls, n);
	else
		c->service->sent(c->self, n);
}

/* The service's plaintext into TLS; the engine caps what waits. */
static void encrypt(struct conn *c)
{
	size_t n;
	const uint8_t *p;
	while (c->tls && (p = c->service->out(c->self, &n))) {
		size_t piece = n < TLS_PLAIN_MAX ? n : TLS_PLAIN_MAX;
		if (tls_engine_write(c->tls, p, piece) < 0)
			return;
		c->service->sent(c->self, piece);
	}
}

static void flush(struct conn *c);

static void on_written(uv_write_t *request, int status)
{
	struct conn *c = request->data;
	free(c->writing);
	c->writing = NULL;
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

/* What the socket would not take now goes out through the loop. */
static void write_later(struct conn *c, const uint8_t *p, size_t n)
{
	c->writing = memory_zero(sizeof(*c->writing) + n);
	memcpy(c->writing->data, p, n);
	uv_buf_t buf = uv_buf_init(c->writing->data, (unsigned)n);
	c->writing->request.data = c;
	c->write_deadline =
		uv_now(c->host->loop) + c->host->world->config->write_ms;
	wire_sent(c, n);
	int error = uv_write(&c->writing->request, (uv_stream_t *)&c->tcp, &buf,
		1, on_written);
	if (error < 0)
		close_now(c, uv_strerror(error), REASON_UNREG_CONNECTIVITY);
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
	while (!c->writing && c->self && (p = wire_out(c, &n))) {
		uv_buf_t buf = uv_buf_init((char *)p, (unsigned)n);
		int sent = uv_try_write((uv_stream_t *)&c->tcp, &buf, 1);
		if (sent < 0 && sent != UV_EAGAIN) {
			close_now(c, uv_strerror(sent),
				REASON_UNREG_CONNECTIVITY);
			return;
		}
		if (sent > 0)
			wire_sent(c, (size_t)sent);
		else
			write_later(c, p, n);
	}
	if (c->state == CONN_CLOSING)
		return;
	set_reading(c);
	if (c->state == CONN_ENDING && !c->writing)
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
	if (c->tls)
		tls_engine_close(c->tls);
	c->state = CONN_ENDING;
	flush(c);
	if (c->state != CONN_CLOSING)
		set_timer(c);
}

enum standing conn_standing(
	const struct conn *c, const struct trust_snapshot *trust)
{
	bool secured = c->state == CONN_OPEN && c->peer.verified && !c->finding;
	return secured ? standing_of(trust, &c->peer) : STANDING_GOOD;
}

void conn_distrust(struct conn *c, const struct trust_snapshot *trust)
{
	conn_end(c, standing_tell(trust, &c->peer, c->host->world->history),
		REASON_UNREG_CALLMANAGER_RESET);
}

bool conn_give_way(struct conn *c)
{
	uint64_t age = (meters_now_us() - c->started_us) / 1000;
	if (c->state != CONN_OPEN || !c->half_open ||
		age < (c->heard ? SLOW_MS : SILENT_MS))
		return false;
	close_now(c, "too slow, and others wait", REASON_UNREG_NO_RESPONSE);
	return true;
}

void conn_abort(struct conn *c, enum reason_unreg cause)
{
	close_now(c, "the registrar stops", cause);
}

/* ---- receiving ---- */

static void count_handshake(struct conn *c)
{
	struct conn_counters *counters = c->host->counters;
	int version = SSL_version(c->tls->ssl) - TLS1_VERSION;
	assert(version >= 0 && version < CONN_TLS_VERSIONS);
	conn_counter_add(&counters->handshakes_ok, 1);
	conn_counter_add(&counters->by_version[version][c->peer.resumed], 1);
	if (c->peer.resumed)
		conn_counter_add(&counters->resumed, 1);
	meters_secured(c->host->world->meters,
		&(struct meters_handshake){
			.version = (unsigned)version,
			.cipher = c->peer.cipher,
			.anchor = c->peer.anchor,
			.resumed = c->peer.resumed,
			.us = meters_now_us() - c->started_us,
		});
}

/* Its CA was there when it began and is not any more: the phone comes again,
 * and reads the right alert. */
static void on_overtaken(struct conn *c)
{
	static const char rule[] = "trust-changed";
	service_fault(c->host->world, &c->peer, peer_device(&c->peer), rule,
		"while it shook hands a reload took away the CA that it was "
		"let in by");
	conn_end(c, rule, REASON_UNREG_CONNECTIVITY);
}

static void on_secured(struct conn *c)
{
	const struct profiles *now = c->host->in_force(c->host->self);
	c->peer.resumed = profile_conclude(c->profile, c->tls->ssl, c->finding);
	bool stands = c->profile->capf || now == c->profile->set ||
		      profile_stands(now, c->finding);
	handshake_facts(&c->peer, c->tls->ssl, c->finding);
	count_handshake(c);
	profile_settle(c->profile, c->tls->ssl);
	forget_finding(c);
	if (!c->service->greeted)
		leave_half_open(c);
	log_conn(c, LOG_EV_SECURED, NULL);
	if (!stands)
		on_overtaken(c);
}

static void on_handshake_failed(struct conn *c, const struct tls_event *e)
{
	struct failure f;
	handshake_facts(&c->peer, c->tls->ssl, c->finding);
	handshake_failure(&f, &c->peer, c->finding, e);
	conn_counter_add(&c->host->counters->handshakes_failed, 1);
	failures_add(c->host->world->failures, &f);
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
	meters_alerted(c->host->world->meters, e->alert,
		e->fail == TLS_FAIL_ALERT_RECEIVED);
	if (c->finding)
		on_handshake_failed(c, e);
	else
		service_fault(c->host->world, &c->peer, peer_device(&c->peer),
			tls_fail_name(e->fail),
			*e->error ? e->error : tls_fail_text(e->fail));
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
		tls_engine_next(c->tls, &e))
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
	if (c->state != CONN_OPEN || c->finding)
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
	if (c->tls) {
		tls_engine_feed(c->tls, buf->base, (size_t)n);
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
	if (c->writing)
		at = c->write_deadline;
	if (c->state == CONN_OPEN && c->tls)
		at = min64(at, tls_engine_deadline(c->tls));
	/* A service waits for a first message only once it can be sent. */
	if (c->state == CONN_OPEN && !c->finding)
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
	if (c->writing && now.mono_ms >= c->write_deadline) {
		service_fault(c->host->world, &c->peer, peer_device(&c->peer),
			"not-reading",
			"what waits for this peer was not read in time");
		close_now(c, "not-reading", REASON_UNREG_NO_RESPONSE);
		return;
	}
	if (c->state == CONN_OPEN && c->tls) {
		tls_engine_tick(c->tls, &now);
		pump_tls(c);
	}
	if (c->state == CONN_OPEN && !c->finding)
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

static void start_tls(struct conn *c, struct profile *profile,
	const uint8_t tag[RESUME_TAG], const struct moment *now)
{
	c->profile = profile;
	c->finding = memory_zero(sizeof(*c->finding));
	c->tls = memory_zero(sizeof(*c->tls));
	if (tls_engine_init(c->tls, profile->ctx, true, c->host->plain,
		    c->host->world->config->handshake_ms, now) < 0)
		abort(); /* law 2: no memory; connections are capped */
	memcpy(c->finding->record.tag, tag, RESUME_TAG);
	c->finding->record.protocol = c->peer.protocol;
	profile_watch(c->tls->ssl, c->finding);
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
		start_tls(c, profile, tag, &now);
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

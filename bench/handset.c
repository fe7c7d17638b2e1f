/* SPDX-License-Identifier: Apache-2.0 */
/* One simulated phone: a connection, TLS or not, and the talk over it. */
#include "bench/handset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <netinet/in.h>
#include <openssl/rand.h>

#include "bench/handset_tls.h"
#include "bench/tcp_line.h"

enum { LOOP_LATE_MS = 20 };

static const struct {
	const char *name;
	const char *tag;
} outcomes[] = {
#define X(symbol, name, tag) {name, tag},
	HANDSET_OUTCOME_LIST(X)
#undef X
};

const char *handset_outcome_name(enum handset_outcome outcome)
{
	return outcomes[outcome].name;
}

bool handset_outcome_good(enum handset_outcome outcome)
{
	return outcome == HANDSET_REGISTERED || outcome == HANDSET_STANDBY ||
	       outcome == HANDSET_ENROLLED;
}

static struct moment moment_now(const struct handset *h)
{
	struct timespec now;
	struct tm local;
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &local);
	return (struct moment){
		.mono_ms = uv_now(h->setup->loop),
		.unix_ms = now.tv_sec * 1000 + now.tv_nsec / 1000000,
		.utc_offset_s = (int32_t)local.tm_gmtoff,
	};
}

static const char *user(const struct handset *h)
{
	return talk_protocol_name(h->setup->talk.protocol);
}

/* Hands n bytes to the socket. 0, or -1: the server does not read. */
static int post(struct handset *h, const uint8_t *data, size_t n)
{
	bool sent = h->setup->talk.udp ? udp_line_send(&h->udp, data, n)
				       : tcp_line_send(&h->tcp, data, n);
	return sent ? 0 : -1;
}

/* Sends what the engines have for the server; a failed talk does not hold
 * back the alert behind it. 0, or -1: the server does not read. */
static int send_out(struct handset *h)
{
	size_t n = 0;
	int error = 0;
	const uint8_t *data = h->talk_on ? talk_out(&h->talk, &n) : NULL;
	if (n > 0) {
		error = h->tls_on ? tls_engine_write(&h->tls, data, n)
				  : post(h, data, n);
		talk_sent(&h->talk, n);
	}
	n = 0;
	data = h->tls_on ? tls_engine_out(&h->tls, &n) : NULL;
	if (n > 0) {
		error |= post(h, data, n);
		tls_engine_sent(&h->tls, n);
	}
	return error ? -1 : 0;
}

static void open_handles(struct handset *h)
{
	h->open_handles = 2;
	if (h->setup->talk.udp)
		uv_udp_init(h->setup->loop, &h->udp.udp);
	else
		uv_tcp_init(h->setup->loop, &h->tcp);
	uv_timer_init(h->setup->loop, &h->timer);
}

/* It was told to come back. */
static void start_again(struct handset *h)
{
	h->returning = false;
	h->overdue = false;
	h->asked = 0;
	h->asked_ns = 0;
	h->result.returns++;
	h->state = HANDSET_NEW;
	open_handles(h);
	if (h->setup->on_return)
		h->setup->on_return(h);
	else
		handset_start(h);
}

static void on_closed(uv_handle_t *handle)
{
	struct handset *h = handle->data;
	if (--h->open_handles > 0)
		return;
	if (h->setup->talk.udp)
		udp_line_deinit(&h->udp);
	if (h->talk_on)
		talk_deinit(&h->talk);
	if (h->tls_on)
		handset_tls_end(h);
	h->talk_on = false;
	if (h->returning && handset_outcome_good(h->result.outcome)) {
		start_again(h);
		return;
	}
	h->state = HANDSET_CLOSED;
	h->setup->on_closed(h);
}

void handset_close(
	struct handset *h, enum handset_outcome outcome, const char *text)
{
	if (h->state >= HANDSET_CLOSING)
		return;
	bool bad = !handset_outcome_good(outcome);
	uint64_t now = uv_now(h->setup->loop);
	if (h->state < HANDSET_UP && h->wait_until_ms > now)
		h->result.wait_ms = (uint32_t)(h->wait_until_ms - now);
	if (bad) {
		h->result.outcome = outcome;
		talk_printable(h->result.text, sizeof(h->result.text), text);
	}
	/* An alert has had its own line, in Cisco's words. */
	if (bad && outcome != HANDSET_ALERT)
		console_say(&h->console, "ERR", "JVM", outcomes[outcome].tag,
			"[%s], <%s>, %s%s", user(h), h->setup->target->text,
			outcome == HANDSET_REJECTED ? "Registration Rejected: "
						    : "",
			h->result.text);
	if (h->state > HANDSET_CONNECTING) {
		if (h->tls_on)
			tls_engine_close(&h->tls);
		send_out(h);
	}
	h->state = HANDSET_CLOSING;
	uv_close((uv_handle_t *)&h->tcp, on_closed);
	uv_close((uv_handle_t *)&h->timer, on_closed);
}

static void on_registered(struct handset *h)
{
	bool standby = h->setup->talk.mode == TALK_STANDBY;
	if (h->state == HANDSET_UP && !standby)
		console_say(&h->console, "NOT", "JVM", "REG_OK",
			"[%s], <%s>, %s registered again", user(h),
			h->setup->target->text, h->device);
	if (h->state != HANDSET_TALKING)
		return; /* in standby every keepalive is answered */
	h->state = HANDSET_UP;
	h->result.outcome = standby ? HANDSET_STANDBY : HANDSET_REGISTERED;
	console_say(&h->console, "NOT", "JVM", outcomes[h->result.outcome].tag,
		"[%s], <%s>, %s %s", user(h), h->setup->target->text, h->device,
		standby ? "in standby" : "registered");
	if (h->result.returns)
		return;
	h->result.seconds = (double)(uv_hrtime() - h->started_ns) / 1e9;
	h->setup->on_registered(h);
}

static void pulse(struct handset *h, enum handset_pulse what)
{
	uint64_t now = uv_hrtime();
	uint64_t took = h->asked_ns ? now - h->asked_ns : 0;
	if (what == HANDSET_ASKED && h->asked++ == 0)
		h->asked_ns = now;
	if (what == HANDSET_ANSWERED && h->asked == 0)
		return;
	if (what == HANDSET_ANSWERED && --h->asked == 0)
		h->asked_ns = 0;
	if (h->setup->on_pulse)
		h->setup->on_pulse(h, what, took);
}

static void on_wait(struct handset *h, const struct talk_event *event)
{
	const struct handset_setup *s = h->setup;
	console_say(&h->console, "WRN", "JVM", "REG_WAIT", "[%s], %s", user(h),
		event->text);
	if (h->state == HANDSET_UP)
		pulse(h, HANDSET_ANSWERED); /* a refresh, by 503 */
	h->wait_until_ms = uv_now(s->loop) + event->wait_s * UINT64_C(1000);
	if (s->patience_ms)
		h->give_up_ms = h->wait_until_ms + s->patience_ms;
	if (s->on_wait)
		s->on_wait(h, event->wait_s);
}

/* Says goodbye; the answer, or the lack of it, closes. */
static void say_goodbye(struct handset *h)
{
	const struct moment now = moment_now(h);
	h->state = HANDSET_LEAVING;
	h->deadline_ms = now.mono_ms + h->setup->leave_ms;
	talk_unregister(&h->talk, &now);
}

static void on_reset(struct handset *h, const struct talk_event *event)
{
	if (h->setup->on_reset == HANDSET_ENDS || h->state != HANDSET_UP) {
		handset_close(h, HANDSET_LOST, event->text);
		return;
	}
	console_say(&h->console, "NOT", "JVM", "REG_RESET", "[%s], %s", user(h),
		event->text);
	h->last_reason = event->last_reason;
	h->returning = true;
	say_goodbye(h);
}

/* What moved the engines: only the clock makes a missing answer. */
enum cause { BYTES, CLOCK };

static void on_talk_event(
	struct handset *h, const struct talk_event *event, enum cause cause)
{
	enum handset_outcome failure =
		cause == CLOCK ? HANDSET_TIMEOUT : HANDSET_FAILED;
	switch (event->type) {
	case TALK_EVENT_REGISTERED:
		on_registered(h);
		return;
	case TALK_EVENT_UNREGISTERED:
		console_say(&h->console, "NOT", "JVM", "UNREG_OK",
			"[%s], <%s>, %s unregistered", user(h),
			h->setup->target->text, h->device);
		handset_close(h, h->result.outcome, "");
		return;
	case TALK_EVENT_REJECTED:
		handset_close(h, HANDSET_REJECTED, event->text);
		return;
	case TALK_EVENT_RESET:
		on_reset(h, event);
		return;
	case TALK_EVENT_WAIT:
		on_wait(h, event);
		return;
	case TALK_EVENT_ALIVE:
		pulse(h, HANDSET_ANSWERED);
		if (event->text[0])
			console_say(&h->console, "NOT", "JVM", "REG_NOTE",
				"[%s], %s", user(h), event->text);
		return;
	case TALK_EVENT_NOTE:
		console_say(&h->console, "NOT", "JVM", "REG_NOTE", "[%s], %s",
			user(h), event->text);
		return;
	case TALK_EVENT_FAILED:
		handset_close(h,
			h->state == HANDSET_UP ? HANDSET_LOST : failure,
			event->text);
		return;
	}
}

static void run_talk(struct handset *h, enum cause cause)
{
	struct talk_event event;
	while (h->state < HANDSET_CLOSING && talk_next(&h->talk, &event))
		on_talk_event(h, &event, cause);
}

static void begin_talk(struct handset *h)
{
	struct talk_config config = h->setup->talk;
	struct sockaddr_storage address = {0};
	struct target local;
	int n = sizeof(address);
	if (config.udp)
		uv_udp_getsockname(
			&h->udp.udp, (struct sockaddr *)&address, &n);
	else
		uv_tcp_getsockname(&h->tcp, (struct sockaddr *)&address, &n);
	target_text((struct sockaddr *)&address, &local);
	memcpy(h->local, local.text, sizeof(h->local));
	config.device = h->device;
	config.last_reason = h->last_reason;
	config.line = h->line;
	config.server = h->setup->target->host;
	config.local = h->local;
	if (address.ss_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, &address, sizeof(in));
		config.local_ipv4 = in.sin_addr.s_addr;
	}
	if (config.protocol == TALK_SIP &&
		RAND_bytes((uint8_t *)&config.seed, sizeof(config.seed)) != 1)
		abort();
	const struct moment now = moment_now(h);
	talk_start(&h->talk, &config, &now);
	h->talk_on = true;
}

static void on_tls_up(struct handset *h)
{
	handset_tls_up(h);
	if (h->setup->on_secured)
		h->setup->on_secured(h);
	begin_talk(h);
}

static void on_tls_failed(struct handset *h, const struct tls_event *event)
{
	const char *text;
	enum handset_outcome outcome = handset_tls_failed(h, event, &text);
	handset_close(h, outcome, text);
}

static void tick_talk(struct handset *h, const struct moment *now)
{
	if (talk_tick(&h->talk, now) && h->state == HANDSET_UP)
		pulse(h, HANDSET_ASKED);
}

static void on_tls_event(
	struct handset *h, const struct tls_event *event, enum cause cause)
{
	const struct moment now = moment_now(h);
	switch (event->type) {
	case TLS_EVENT_UP:
		on_tls_up(h);
		return;
	case TLS_EVENT_DATA:
		tick_talk(h, &now);
		talk_feed(&h->talk, event->data, event->n, &now);
		run_talk(h, cause);
		return;
	case TLS_EVENT_CLOSED:
		console_alert(&h->console, CONSOLE_ALERT_READ, SSL3_AL_WARNING,
			SSL_AD_CLOSE_NOTIFY);
		handset_close(h, HANDSET_LOST, "the server closed TLS");
		return;
	case TLS_EVENT_FAILED:
		on_tls_failed(h, event);
		return;
	}
}

static uint64_t deadline(const struct handset *h)
{
	uint64_t due = MOMENT_NEVER;
	if (h->state == HANDSET_CONNECTING || h->state == HANDSET_LEAVING)
		due = h->deadline_ms;
	if (h->state < HANDSET_UP && h->give_up_ms < due)
		due = h->give_up_ms;
	if (h->tls_on && tls_engine_deadline(&h->tls) < due)
		due = tls_engine_deadline(&h->tls);
	if (h->talk_on && talk_deadline(&h->talk) < due)
		due = talk_deadline(&h->talk);
	if (h->setup->talk.udp && udp_line_deadline(&h->udp) < due)
		due = udp_line_deadline(&h->udp);
	return due;
}

static void on_timer(uv_timer_t *timer);

/* Runs the engines until they want bytes or time, and sends their words. */
static void run(struct handset *h, enum cause cause)
{
	struct tls_event event;
	while (h->tls_on && h->state < HANDSET_CLOSING &&
		tls_engine_next(&h->tls, &event))
		on_tls_event(h, &event, cause);
	if (h->talk_on)
		run_talk(h, cause);
	if (h->state < HANDSET_CLOSING && send_out(h) < 0)
		handset_close(h, HANDSET_LOST, "the server does not read");
	if (h->state >= HANDSET_CLOSING)
		return;
	uint64_t due = deadline(h), now = uv_now(h->setup->loop);
	if (due == MOMENT_NEVER)
		uv_timer_stop(&h->timer);
	else
		uv_timer_start(
			&h->timer, on_timer, due > now ? due - now : 1, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct handset *h = timer->data;
	const struct moment now = moment_now(h);
	bool late = h->deadline_ms <= now.mono_ms;
	uint64_t due = deadline(h);
	if (!h->overdue && due + LOOP_LATE_MS < now.mono_ms) {
		/* It is this program that is late. The answer may lie in the
		 * socket, which is read before this timer runs again. */
		h->overdue = true;
		uv_timer_start(timer, on_timer, 1, 0);
		return;
	}
	h->overdue = false;
	if (h->state == HANDSET_CONNECTING && late)
		handset_close(h, HANDSET_TIMEOUT, "no TCP connection in time");
	if (h->state < HANDSET_UP && h->give_up_ms <= now.mono_ms)
		handset_close(h, HANDSET_TIMEOUT, "not registered in time");
	if (h->state == HANDSET_LEAVING && late)
		handset_close(h, HANDSET_TIMEOUT, "unregister not answered");
	if (h->state >= HANDSET_CLOSING)
		return;
	if (h->tls_on)
		tls_engine_tick(&h->tls, &now);
	if (h->talk_on)
		tick_talk(h, &now);
	if (h->setup->talk.udp)
		udp_line_tick(&h->udp, now.mono_ms);
	run(h, CLOCK);
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
	const struct handset *h = handle->data;
	*buffer = uv_buf_init(h->setup->received, HANDSET_READ_MAX);
}

static void on_bytes(struct handset *h, ssize_t n, const uv_buf_t *buffer)
{
	if (n == 0 || h->state >= HANDSET_CLOSING)
		return;
	if (n < 0) {
		handset_close(h, HANDSET_LOST,
			n == UV_EOF ? "the server closed the connection"
				    : uv_strerror((int)n));
		return;
	}
	if (h->tls_on) {
		tls_engine_feed(&h->tls, buffer->base, (size_t)n);
	} else {
		const struct moment now = moment_now(h);
		tick_talk(h, &now);
		talk_feed(&h->talk, buffer->base, (size_t)n, &now);
	}
	run(h, BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	on_bytes(stream->data, n, buffer);
}

/* That nobody is at that port now is no end of a line without connections:
 * the server may come back. */
static void on_datagram(uv_udp_t *udp, ssize_t n, const uv_buf_t *buffer,
	const struct sockaddr *from, unsigned flags)
{
	struct handset *h = udp->data;
	if (n == UV_ECONNREFUSED)
		return;
	if (n < 0 || udp_line_takes(&h->udp, buffer->base, (size_t)n))
		on_bytes(h, n, buffer);
}

static void on_connect(uv_connect_t *request, int status)
{
	struct handset *h = request->data;
	if (h->state != HANDSET_CONNECTING)
		return;
	if (status < 0) {
		handset_close(h,
			status == UV_ETIMEDOUT ? HANDSET_TIMEOUT
					       : HANDSET_REFUSED,
			uv_strerror(status));
		return;
	}
	const struct moment now = moment_now(h);
	h->state = HANDSET_TALKING;
	uv_tcp_nodelay(&h->tcp, 1);
	uv_read_start((uv_stream_t *)&h->tcp, on_alloc, on_read);
	if (!h->setup->ctx)
		begin_talk(h);
	else if (handset_tls_begin(h, &now) < 0) {
		handset_close(h, HANDSET_FAILED,
			"OpenSSL does not take the phone's certificate");
		return;
	}
	run(h, BYTES);
}

void handset_init(struct handset *h, const struct handset_setup *setup,
	const char *device, const char *line)
{
	*h = (struct handset){
		.setup = setup,
		.result = {.alert = -1, .seconds = -1},
		.console = {.user = talk_protocol_name(setup->talk.protocol)},
	};
	strncpy(h->device, device, sizeof(h->device) - 1);
	strncpy(h->line, line, sizeof(h->line) - 1);
	open_handles(h);
	((uv_handle_t *)&h->tcp)->data = h;
	h->timer.data = h;
	h->connect.data = h;
}

/* Our end, without a port yet: the kernel takes one at connect(), when it
 * knows both ends, and so never runs short of them for one address. */
static int bind_to(struct handset *h)
{
	const int on = 1;
	if (!h->from)
		return 0;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	int error =
		bind(fd, h->from, sizeof(struct sockaddr_in)) < 0 ? -errno : 0;
	if (!error)
		error = uv_tcp_open(&h->tcp, fd);
	if (error)
		close(fd);
	return error;
}

/* There is nothing to connect: the talk begins. */
static void start_udp(struct handset *h)
{
	int error = udp_line_open(
		&h->udp, h->setup->target, h->from, on_alloc, on_datagram);
	if (error) {
		handset_close(h, HANDSET_FAILED, uv_strerror(error));
		return;
	}
	h->state = HANDSET_TALKING;
	begin_talk(h);
	run(h, BYTES);
}

void handset_start(struct handset *h)
{
	const struct handset_setup *s = h->setup;
	h->state = HANDSET_CONNECTING;
	h->started_ns = uv_hrtime();
	h->deadline_ms = uv_now(s->loop) + s->connect_ms;
	h->give_up_ms = s->patience_ms ? uv_now(s->loop) + s->patience_ms
				       : MOMENT_NEVER;
	if (s->ctx && handset_tls_shown(h)->kind != CREDENTIAL_LSC)
		console_no_lsc(&h->console);
	uv_timer_start(&h->timer, on_timer, deadline(h) - uv_now(s->loop), 0);
	if (s->talk.udp) {
		start_udp(h);
		return;
	}
	int error = bind_to(h);
	if (!error)
		error = uv_tcp_connect(&h->connect, &h->tcp,
			(const struct sockaddr *)&s->target->address,
			on_connect);
	if (error)
		handset_close(h, HANDSET_FAILED, uv_strerror(error));
}

void handset_leave(struct handset *h)
{
	h->returning = false;
	if (h->state == HANDSET_LEAVING || h->state >= HANDSET_CLOSING)
		return;
	if (h->state < HANDSET_UP) {
		handset_close(h, HANDSET_STOPPED, "stopped before it was in");
		return;
	}
	if (h->setup->talk.mode == TALK_STANDBY) {
		handset_close(h, h->result.outcome, "");
		return;
	}
	say_goodbye(h);
	run(h, BYTES);
}

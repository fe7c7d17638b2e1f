/* SPDX-License-Identifier: Apache-2.0 */
/* One visit of a simulated phone to CAPF: the connection and its end. */
#include "bench/enrol.h"

#include <stdlib.h>
#include <string.h>

#include "bench/enrol_talk.h"
#include "bench/tcp_line.h"
#include "bench/tls_client.h"
#include "certs/must.h"

enum { LOOP_LATE_MS = 20 };

static const char *const steps[] = {
#define X(symbol, word) word,
	ENROL_STEP_LIST(X)
#undef X
};

static const struct {
	const char *name;
	const char *level;
	const char *tag;
} outcomes[] = {
#define X(symbol, name, level, tag) {name, level, tag},
	ENROL_OUTCOME_LIST(X)
#undef X
};

const char *enrol_step_name(enum enrol_step step)
{
	return step < ENROL_STEPS ? steps[step] : "none";
}

const char *enrol_outcome_name(enum enrol_outcome outcome)
{
	return outcomes[outcome].name;
}

bool enrol_outcome_broken(enum enrol_outcome outcome)
{
	return outcome >= ENROL_BY_ALERT && outcome <= ENROL_BY_FAILED;
}

bool enrol_outcome_good(enum enrol_outcome outcome)
{
	return outcome == ENROL_BY_SUCCESS || outcome == ENROL_BY_NO_ACTION;
}

struct moment enrol_now(const struct enrol *e)
{
	/* CAPF has no wall clock. */
	return (struct moment){.mono_ms = uv_now(e->setup->loop)};
}

bool enrol_step(struct enrol *e, enum enrol_step step)
{
	if (e->state == ENROL_CLOSING)
		return false;
	uint64_t now = uv_hrtime();
	e->result.last = step;
	if (e->setup->on_step)
		e->setup->on_step(e, step, now - e->step_ns);
	e->step_ns = now;
	if (e->phone.die_after != step)
		return true;
	enrol_close(e, ENROL_BY_DIED, enrol_step_name(step));
	return false;
}

static bool send_tls(struct enrol *e)
{
	size_t n;
	const uint8_t *data = tls_engine_out(&e->tls, &n);
	bool sent = n == 0 || tcp_line_send(&e->tcp, data, n);
	tls_engine_sent(&e->tls, n);
	return sent;
}

bool enrol_send(struct enrol *e)
{
	bool sent = true;
	size_t n;
	if (e->state == ENROL_CLOSING)
		return false;
	for (; sent && e->talk_on; capf_phone_sent(&e->talk, n)) {
		const uint8_t *data = capf_phone_out(&e->talk, &n);
		if (n == 0)
			break;
		sent = tls_engine_write(&e->tls, data, n) == 0;
	}
	if (e->talks && !send_tls(e))
		sent = false;
	if (!sent)
		enrol_close(e, ENROL_BY_LOST, "CAPF does not read");
	return sent;
}

static void on_closed(uv_handle_t *handle)
{
	struct enrol *e = handle->data;
	if (--e->open_handles > 0)
		return;
	if (e->talk_on)
		capf_phone_deinit(&e->talk);
	if (e->talks)
		tls_engine_deinit(&e->tls);
	e->talk_on = e->talks = false;
	e->setup->on_closed(e);
}

/* What the console says of the end. */
static void say_end(struct enrol *e)
{
	const struct enrol_result *r = &e->result;
	const char *before =
		r->outcome == ENROL_BY_DIED ? "power cut after " : "";
	console_say(e->phone.console, outcomes[r->outcome].level, "SECD",
		outcomes[r->outcome].tag, "[CAPF], <%s>, %s%s",
		e->setup->target->text, before, r->text);
}

void enrol_close(struct enrol *e, enum enrol_outcome outcome, const char *text)
{
	if (e->state == ENROL_CLOSING)
		return;
	e->state = ENROL_CLOSING;
	e->result.outcome = outcome;
	talk_printable(e->result.text, sizeof(e->result.text), text);
	/* An alert has had its own line. */
	if (outcome != ENROL_BY_ALERT)
		say_end(e);
	/* Who has no power says nothing more. */
	if (e->talks && outcome != ENROL_BY_DIED) {
		tls_engine_close(&e->tls);
		send_tls(e);
	}
	enrol_talk_end(e);
	uv_close((uv_handle_t *)&e->tcp, on_closed);
	uv_close((uv_handle_t *)&e->timer, on_closed);
}

void enrol_stop(struct enrol *e)
{
	enrol_close(e, ENROL_BY_STOPPED, "stopped");
}

void enrol_free(struct enrol *e)
{
	free(e);
}

/* ---- TLS ---- */

static void on_alert(struct enrol *e, const struct tls_event *event)
{
	bool wrote = event->fail == TLS_FAIL_ALERT_SENT;
	const char *text = console_alert_text(event->alert);
	long verdict = SSL_get_verify_result(e->tls.ssl);
	if (wrote && SSL_get_verify_mode(e->tls.ssl) != SSL_VERIFY_NONE &&
		verdict != X509_V_OK)
		text = X509_verify_cert_error_string(verdict);
	if (wrote)
		console_say(e->phone.console, "ERR", "SECD", "PXY_SRVR_REFUSED",
			"[CAPF], <%s>, we refused the server: %s",
			e->setup->target->text, text);
	console_alert(e->phone.console,
		wrote ? CONSOLE_ALERT_WRITE : CONSOLE_ALERT_READ, SSL3_AL_FATAL,
		event->alert);
	enrol_close(e, ENROL_BY_ALERT, text);
}

static void on_tls_failed(struct enrol *e, const struct tls_event *event)
{
	const char *text = tls_fail_text(event->fail);
	switch (event->fail) {
	case TLS_FAIL_ALERT_SENT:
	case TLS_FAIL_ALERT_RECEIVED:
		on_alert(e, event);
		return;
	case TLS_FAIL_LATE:
		enrol_close(e, ENROL_BY_TIMEOUT, text);
		return;
	case TLS_FAIL_NONE:
	case TLS_FAIL_PROTOCOL:
	case TLS_FAIL_NOT_READING:
		enrol_close(e, ENROL_BY_FAILED,
			event->error[0] ? event->error : text);
		return;
	}
}

static void on_tls_up(struct enrol *e)
{
	e->result.tls_version = SSL_get_version(e->tls.ssl);
	console_say(e->phone.console, "NOT", "SECD", "PXY_TLS_UP",
		"[CAPF], [%s], cipher [%s]", e->result.tls_version,
		SSL_get_cipher_name(e->tls.ssl));
	/* In TLS 1.2 our Finished may be the last word of the handshake. */
	if (enrol_send(e) && enrol_step(e, ENROL_TLS))
		enrol_talk_begin(e);
}

static void on_tls_event(struct enrol *e, const struct tls_event *event)
{
	switch (event->type) {
	case TLS_EVENT_UP:
		on_tls_up(e);
		return;
	case TLS_EVENT_DATA:
		enrol_talk_feed(e, event->data, event->n);
		enrol_talk_run(e, ENROL_BYTES);
		return;
	case TLS_EVENT_CLOSED:
		enrol_close(e, ENROL_BY_LOST, "CAPF closed TLS");
		return;
	case TLS_EVENT_FAILED:
		on_tls_failed(e, event);
		return;
	}
}

/* ---- time ---- */

static uint64_t deadline(const struct enrol *e)
{
	uint64_t due = MOMENT_NEVER;
	if (e->state == ENROL_CONNECTING)
		due = e->deadline_ms;
	if (e->talks && tls_engine_deadline(&e->tls) < due)
		due = tls_engine_deadline(&e->tls);
	if (e->talk_on && enrol_talk_deadline(e) < due)
		due = enrol_talk_deadline(e);
	return due;
}

static void on_timer(uv_timer_t *timer);

void enrol_arm(struct enrol *e)
{
	if (e->state == ENROL_CLOSING)
		return;
	uint64_t due = deadline(e), now = uv_now(e->setup->loop);
	if (due == MOMENT_NEVER)
		uv_timer_stop(&e->timer);
	else
		uv_timer_start(
			&e->timer, on_timer, due > now ? due - now : 1, 0);
}

/* Runs the engines until they want bytes or time, and sends their words. */
static void run(struct enrol *e, enum enrol_cause cause)
{
	struct tls_event event;
	while (e->talks && e->state != ENROL_CLOSING &&
		tls_engine_next(&e->tls, &event))
		on_tls_event(e, &event);
	if (e->talk_on)
		enrol_talk_run(e, cause);
	if (enrol_send(e))
		enrol_arm(e);
}

static void on_timer(uv_timer_t *timer)
{
	struct enrol *e = timer->data;
	const struct moment now = enrol_now(e);
	uint64_t due = deadline(e);
	if (!e->overdue && due + LOOP_LATE_MS < now.mono_ms) {
		/* It is this program that is late. The answer may lie in the
		 * socket, which is read before this timer runs again. */
		e->overdue = true;
		uv_timer_start(timer, on_timer, 1, 0);
		return;
	}
	e->overdue = false;
	if (e->state == ENROL_CONNECTING && e->deadline_ms <= now.mono_ms) {
		enrol_close(e, ENROL_BY_TIMEOUT, "no TCP connection in time");
		return;
	}
	if (e->talks)
		tls_engine_tick(&e->tls, &now);
	if (e->talk_on)
		enrol_talk_tick(e);
	run(e, ENROL_CLOCK);
}

/* ---- TCP ---- */

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
	const struct enrol *e = handle->data;
	*buffer = uv_buf_init(e->setup->received, HANDSET_READ_MAX);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct enrol *e = stream->data;
	if (n == 0 || e->state == ENROL_CLOSING)
		return;
	if (n < 0) {
		enrol_close(e, ENROL_BY_LOST,
			n == UV_EOF ? "CAPF closed the connection"
				    : uv_strerror((int)n));
		return;
	}
	tls_engine_feed(&e->tls, buffer->base, (size_t)n);
	run(e, ENROL_BYTES);
}

static void begin_tls(struct enrol *e)
{
	const struct enrol_setup *s = e->setup;
	char ciphers[1024];
	const struct moment now = enrol_now(e);
	if (tls_engine_init(
		    &e->tls, s->ctx, false, s->plain, s->connect_ms, &now) < 0)
		abort();
	e->talks = true;
	if (!e->phone.console->to)
		return;
	tls_client_ciphers(e->tls.ssl, ciphers, sizeof(ciphers));
	console_say(e->phone.console, "NOT", "SECD", "PXY_CIPHER",
		"[CAPF], [%s], cipher [%s]", tls_client_version(e->tls.ssl),
		ciphers);
}

static void on_connect(uv_connect_t *request, int status)
{
	struct enrol *e = request->data;
	if (e->state != ENROL_CONNECTING)
		return;
	if (status < 0) {
		enrol_close(e,
			status == UV_ETIMEDOUT ? ENROL_BY_TIMEOUT
					       : ENROL_BY_REFUSED,
			uv_strerror(status));
		return;
	}
	e->state = ENROL_AT_CAPF;
	uv_tcp_nodelay(&e->tcp, 1);
	uv_read_start((uv_stream_t *)&e->tcp, on_alloc, on_read);
	if (!enrol_step(e, ENROL_CONNECT))
		return;
	begin_tls(e);
	run(e, ENROL_BYTES);
}

struct enrol *enrol_new(
	const struct enrol_setup *setup, const struct enrol_phone *phone)
{
	struct enrol *e = cert_must(calloc(1, sizeof(*e)));
	e->setup = setup;
	e->phone = *phone;
	e->result.reason = -1;
	e->result.last = ENROL_STEPS;
	e->key_due_ms = e->progress_due_ms = MOMENT_NEVER;
	e->deadline_ms = uv_now(setup->loop) + setup->connect_ms;
	e->step_ns = uv_hrtime();
	e->open_handles = 2;
	uv_tcp_init(setup->loop, &e->tcp);
	uv_timer_init(setup->loop, &e->timer);
	((uv_handle_t *)&e->tcp)->data = e;
	e->timer.data = e;
	e->connect.data = e;
	int error = uv_tcp_connect(&e->connect, &e->tcp,
		(const struct sockaddr *)&setup->target->address, on_connect);
	if (error)
		enrol_close(e, ENROL_BY_FAILED, uv_strerror(error));
	else
		enrol_arm(e);
	return e;
}

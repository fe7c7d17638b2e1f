/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the SIP server engine: however cut, the same bytes do the same. */
#include <stdlib.h>
#include <string.h>

#include "protocols/sip/message.h"
#include "protocols/sip/server.h"

/*
 * The input: two bytes, how it is cut and what the host answers, then what
 * the peer says.
 */
enum answer {
	ANSWER_APPLY,
	ANSWER_REJECT,
	ANSWER_BARE,
	ANSWER_CHALLENGE,
	ANSWER_ORDER, /* applies, and tells the phone to restart */
	ANSWERS
};

static const struct sip_binding_limits limits = {120, 60, 10};

struct run {
	struct sip_server server;
	struct sip_bindings bindings;
	struct moment now;
	enum answer answer;
	bool closed;
	uint64_t reported; /* hashes of all events and of all we sent */
	uint64_t sent;
};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void record(uint64_t *hash, const void *data, size_t n)
{
	const uint8_t *p = data;
	for (size_t i = 0; i < n; i++)
		*hash = (*hash ^ p[i]) * 1099511628211u;
}

static void record_text(struct run *r, const char *text)
{
	check(text != NULL);
	record(&r->reported, text, strlen(text) + 1);
}

static void reject(struct run *r, int status, const char *warning)
{
	sip_server_reject(&r->server,
		&(struct sip_refusal){.status = status, .warning = warning});
}

static void apply(struct run *r, const struct sip_register *reg)
{
	size_t added;
	enum sip_bind_verdict verdict = sip_bindings_apply(
		&r->bindings, &reg->request, &limits, &r->now, &added);
	check(r->bindings.n <= SIP_BINDINGS_MAX);
	if (verdict != SIP_BIND_OK) {
		reject(r, sip_bind_status(verdict), sip_bind_text(verdict));
		return;
	}
	struct sip_grant grant = {
		.expires_s = limits.expires_s,
		.newreg = added > 0,
		.bindings = &r->bindings,
		.alive_until_ms = sip_bindings_last_ms(&r->bindings),
	};
	sip_server_accept(&r->server, &grant);
	if (r->answer == ANSWER_ORDER && r->bindings.n)
		sip_server_order(
			&r->server, SIP_ORDER_RESTART, r->bindings.list);
}

static void on_register(struct run *r, const struct sip_register *reg)
{
	check(reg->device[0] && strlen(reg->device) <= SIP_DEVICE_MAX);
	check(reg->request.n_contacts <= SIP_CONTACTS_MAX);
	check(reg->kind != SIP_REGISTER_STANDBY || !reg->request.n_contacts);
	record_text(r, reg->device);
	record_text(r, reg->model);
	record_text(r, reg->user_agent);
	record_text(r, reg->reason);
	record_text(r, reg->request.aor);
	record_text(r, reg->request.call_id);
	record_text(r, reg->request.path);
	record_text(r, reg->alarm.last);
	if (reg->auth) {
		record_text(r, reg->auth->username);
		record_text(r, reg->auth->nonce);
		record_text(r, reg->auth->cnonce);
		record_text(r, reg->auth->response);
	}
	for (size_t i = 0; i < reg->request.n_contacts; i++)
		record_text(r, reg->request.contacts[i].text);
	if (r->answer == ANSWER_APPLY || r->answer == ANSWER_ORDER)
		apply(r, reg);
	else if (r->answer == ANSWER_CHALLENGE)
		sip_server_challenge(&r->server,
			&(struct sip_challenge){"realm", reg->device, true});
	else if (r->answer == ANSWER_REJECT)
		reject(r, 403, reg->device);
	else
		sip_server_accept(&r->server,
			&(struct sip_grant){.alive_until_ms = MOMENT_NEVER});
}

static void on_token(struct run *r)
{
	if (r->answer == ANSWER_REJECT)
		sip_server_deny_token(&r->server, 17);
	else
		sip_server_grant_token(&r->server);
}

static void on_locate(struct run *r, const struct sip_server_event *event)
{
	struct sip_target target = {event->text, 500, 7};
	if (event->gr)
		record_text(r, event->gr);
	if (r->answer == ANSWER_REJECT)
		reject(r, 404, event->text);
	else
		sip_server_redirect(&r->server, &target, 1);
}

static void on_event(struct run *r, const struct sip_server_event *event)
{
	check(!r->closed);
	record(&r->reported, &event->type, sizeof(event->type));
	record(&r->reported, &event->why, sizeof(event->why));
	record(&r->reported, &event->status, sizeof(event->status));
	if (event->text)
		record_text(r, event->text);
	if (event->method)
		record_text(r, event->method);
	if (event->type == SIP_SERVER_REGISTER)
		on_register(r, event->reg);
	if (event->type == SIP_SERVER_TOKEN)
		on_token(r);
	if (event->type == SIP_SERVER_LOCATE)
		on_locate(r, event);
	r->closed = event->type == SIP_SERVER_CLOSE;
}

/* Every line we send fits a phone's buffer. */
static void check_lines(const uint8_t *data, size_t n)
{
	size_t from = 0;
	for (size_t i = 0; i < n; i++) {
		check(data[i] != '\0');
		if (data[i] != '\n')
			continue;
		check(i > from && data[i - 1] == '\r' && i - from < 1024);
		from = i + 1;
	}
}

static void drain(struct run *r)
{
	struct sip_server_event event;
	size_t n;
	bool more = true;
	while (more) {
		more = sip_server_next(&r->server, &event);
		if (more)
			on_event(r, &event);
		const uint8_t *out = sip_server_out(&r->server, &n);
		if (!n)
			continue;
		check_lines(out, n);
		record(&r->sent, out, n);
		sip_server_sent(&r->server, n);
	}
}

static void feed(struct run *r, const uint8_t *data, size_t n)
{
	uint8_t *piece = malloc(n ? n : 1);
	memcpy(piece, data, n);
	sip_server_feed(&r->server, piece, n, &r->now);
	free(piece);
	drain(r);
}

/* Time does the rest: nothing keeps a silent connection open. */
static void wait_for_the_end(struct run *r)
{
	for (int i = 0; !r->closed; i++) {
		uint64_t due = sip_server_deadline(&r->server);
		check(due != MOMENT_NEVER && i < 8);
		if (due > r->now.mono_ms)
			r->now.mono_ms = due;
		sip_server_tick(&r->server, &r->now);
		drain(r);
	}
	check(sip_server_deadline(&r->server) == MOMENT_NEVER);
}

static uint64_t play(
	const uint8_t *data, size_t n, enum answer answer, unsigned step)
{
	struct run r = {
		.now = {.mono_ms = 1000000, .unix_ms = INT64_C(1795406400000)},
		.answer = answer,
		.reported = 14695981039346656037u,
		.sent = 14695981039346656037u,
	};
	unsigned state = step;
	struct sip_server_config config = sip_server_defaults;
	config.locate = true;
	config.flow_timer_s = 60;
	sip_server_init(&r.server, &config, &r.now);
	sip_server_set_source(&r.server, "2001:db8::7", 65535);
	while (n) {
		state = state * 1103515245 + 12345;
		size_t m = step ? state / 65536 % (step % 64 + 1) + 1 : n;
		m = m < n ? m : n;
		feed(&r, data, m);
		data += m;
		n -= m;
	}
	wait_for_the_end(&r);
	sip_server_deinit(&r.server);
	sip_bindings_deinit(&r.bindings);
	return r.reported ^ r.sent << 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	if (!ready)
		sip_message_setup();
	ready = true;
	if (size < 2)
		return 0;
	enum answer answer = (enum answer)(data[1] % ANSWERS);
	uint64_t whole = play(data + 2, size - 2, answer, 0);
	check(play(data + 2, size - 2, answer, data[0] + 1u) == whole);
	return 0;
}

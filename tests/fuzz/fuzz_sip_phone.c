/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the SIP phone engine: our own server's bytes, bent, or any bytes. */
#include <stdlib.h>
#include <string.h>

#include "protocols/sip/message.h"
#include "protocols/sip/phone.h"
#include "protocols/sip/server.h"

/*
 * The input: one byte of choices, then either what a server says, or changes
 * to what our server says: so many bytes go by untouched, and the next is
 * replaced.
 */
enum choice {
	CHOICE_ANY_BYTES = 0x01,
	CHOICE_STANDBY = 0x02,
	CHOICE_BRIEF = 0x04,  /* asks for less than is granted */
	CHOICE_LEAVE = 0x08,  /* unregisters once it is in */
	CHOICE_REJECT = 0x10, /* the server says 503 with Retry-After */
	CHOICE_BYTEWISE = 0x20,
	CHOICE_TOKEN = 0x40, /* asks before it registers; REJECT: is denied */
	CHOICE_CHALLENGE = 0x80, /* the server wants a digest, then orders */
};

enum { TURNS_MAX = 50 };

static const struct sip_binding_limits limits = {120, 60, 10};

struct run {
	struct sip_phone phone;
	struct sip_server server;
	struct sip_bindings bindings;
	struct moment now;
	uint8_t choices;
	bool failed;
	const uint8_t *changes;
	size_t n_changes;
	unsigned until; /* bytes before the next change */
};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void phone_events(struct run *r)
{
	struct sip_phone_event e;
	while (sip_phone_next(&r->phone, &e)) {
		check(!r->failed && e.text);
		check(e.type != SIP_PHONE_FAILED || e.text[0]);
		check(e.type != SIP_PHONE_REGISTERED || e.value >= 25);
		r->failed = e.type == SIP_PHONE_FAILED;
		if (e.type == SIP_PHONE_TOKEN && e.value == 0)
			sip_phone_start(&r->phone, &r->now);
		if (e.type == SIP_PHONE_CHALLENGED) {
			check(e.challenge != NULL);
			sip_phone_authorize(&r->phone,
				"Digest username=\"u\",realm=\"r\",nonce=\"n\","
				"uri=\"sip:cm.test\",response="
				"\"0123456789abcdef0123456789abcdef\"",
				&r->now);
		}
		if (e.type == SIP_PHONE_REGISTERED && r->choices & CHOICE_LEAVE)
			sip_phone_unregister(&r->phone, &r->now);
	}
	if (r->failed)
		check(sip_phone_deadline(&r->phone) == MOMENT_NEVER);
}

static void feed_phone(struct run *r, const uint8_t *data, size_t n)
{
	size_t step = r->choices & CHOICE_BYTEWISE ? 1 : n;
	for (size_t i = 0; i < n; i += step) {
		uint8_t *piece = malloc(step);
		memcpy(piece, data + i, step);
		sip_phone_feed(&r->phone, piece, step, &r->now);
		free(piece);
		phone_events(r);
	}
}

static void on_register(struct run *r, const struct sip_register *reg)
{
	size_t added;
	struct sip_grant grant = {.expires_s = 120};
	struct sip_refusal busy = {.status = 503, .retry_after_s = 17};
	if (r->choices & CHOICE_REJECT) {
		r->choices &= (uint8_t)~CHOICE_REJECT;
		sip_server_reject(&r->server, &busy);
		return;
	}
	if (r->choices & CHOICE_CHALLENGE && !reg->auth) {
		sip_server_challenge(&r->server,
			&(struct sip_challenge){.realm = "r", .nonce = "n"});
		return;
	}
	enum sip_bind_verdict verdict = sip_bindings_apply(
		&r->bindings, &reg->request, &limits, &r->now, &added);
	struct sip_refusal refusal = {
		.status = sip_bind_status(verdict), .min_expires_s = 60};
	if (verdict != SIP_BIND_OK) {
		sip_server_reject(&r->server, &refusal);
		return;
	}
	grant.bindings = &r->bindings;
	grant.alive_until_ms = sip_bindings_last_ms(&r->bindings);
	sip_server_accept(&r->server, &grant);
	if (r->choices & CHOICE_CHALLENGE && r->bindings.n)
		sip_server_order(
			&r->server, SIP_ORDER_RESTART, r->bindings.list);
}

static void on_token(struct run *r)
{
	if (r->choices & CHOICE_REJECT)
		sip_server_deny_token(&r->server, 17);
	else
		sip_server_grant_token(&r->server);
	r->choices &= (uint8_t)~CHOICE_REJECT;
}

static void server_events(struct run *r)
{
	struct sip_server_event e;
	while (sip_server_next(&r->server, &e)) {
		check(e.type == SIP_SERVER_REGISTER ||
			e.type == SIP_SERVER_TOKEN ||
			e.type == SIP_SERVER_RESPONSE ||
			e.type == SIP_SERVER_ORDERED ||
			e.type == SIP_SERVER_CLOSE);
		if (e.type == SIP_SERVER_REGISTER)
			on_register(r, e.reg);
		if (e.type == SIP_SERVER_TOKEN)
			on_token(r);
	}
}

static uint8_t next_change(struct run *r)
{
	if (!r->n_changes)
		return 0;
	r->n_changes--;
	return *r->changes++;
}

/* What the server says, with the changes that the input asks for. */
static void bend(struct run *r, uint8_t *data, size_t n)
{
	for (size_t i = 0; i < n && r->n_changes; i++) {
		if (r->until--)
			continue;
		data[i] = next_change(r);
		r->until = next_change(r);
	}
}

static bool exchange(struct run *r)
{
	size_t up, down;
	const uint8_t *out = sip_phone_out(&r->phone, &up);
	if (up) {
		sip_server_feed(&r->server, out, up, &r->now);
		sip_phone_sent(&r->phone, up);
		server_events(r);
	}
	out = sip_server_out(&r->server, &down);
	if (down) {
		uint8_t *bent = malloc(down);
		memcpy(bent, out, down);
		sip_server_sent(&r->server, down);
		bend(r, bent, down);
		feed_phone(r, bent, down);
		free(bent);
	}
	return up || down;
}

static void pass_time(struct run *r)
{
	uint64_t due = sip_phone_deadline(&r->phone);
	if (due == MOMENT_NEVER)
		return;
	if (due > r->now.mono_ms)
		r->now.mono_ms = due;
	sip_phone_tick(&r->phone, &r->now);
	phone_events(r);
}

static void talk(struct run *r)
{
	for (int turn = 0; turn < TURNS_MAX; turn++) {
		if (!exchange(r))
			pass_time(r);
	}
}

static void listen_to(struct run *r, const uint8_t *data, size_t n)
{
	size_t out;
	feed_phone(r, data, n);
	sip_phone_out(&r->phone, &out);
	sip_phone_sent(&r->phone, out);
	pass_time(r);
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
	struct run r = {
		.now = {.mono_ms = 1000000, .unix_ms = INT64_C(1795406400000)},
		.choices = data[0],
		.changes = data + 2,
		.n_changes = size - 2,
		.until = data[1],
	};
	const struct sip_phone_config config = {
		.device = "SEP020000CCDD01",
		.line = "4001",
		.server = "cm.test",
		.local = "192.0.2.7:5",
		.standby = data[0] & CHOICE_STANDBY,
		.digest = data[0] & CHOICE_CHALLENGE,
		.expires_s = data[0] & CHOICE_BRIEF ? 30 : 0,
		.seed = 1,
	};
	sip_phone_init(&r.phone, &config, &r.now);
	sip_server_init(&r.server, &sip_server_defaults, &r.now);
	if (r.choices & CHOICE_TOKEN)
		sip_phone_token(&r.phone, &r.now);
	else
		sip_phone_start(&r.phone, &r.now);
	if (r.choices & CHOICE_ANY_BYTES)
		listen_to(&r, data + 1, size - 1);
	else
		talk(&r);
	sip_phone_deinit(&r.phone);
	sip_server_deinit(&r.server);
	sip_bindings_deinit(&r.bindings);
	return 0;
}

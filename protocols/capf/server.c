/* SPDX-License-Identifier: Apache-2.0 */
/* The server side of one CAPF connection: its order, timers and refusals. */
#include "protocols/capf/server.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/capf/link.h"
#include "protocols/capf/message.h"

enum { DER_MAX = 12000 };

enum phase {
	PHASE_ASKED,	/* `wanted` is to come */
	PHASE_ANSWERED, /* `wanted` came: the host has the word */
	PHASE_FAILED,	/* the event is due */
	PHASE_DONE,
};

struct capf_server_state {
	struct capf_link link;
	enum phase phase;
	enum capf_command wanted;
	unsigned version; /* the phone's; 0: not said */
};

/* ---- what we say ---- */

static void finish(struct capf_server *s, enum phase phase)
{
	s->state->phase = phase;
	capf_link_close(&s->state->link, &s->in);
}

static void say_end(struct capf_server *s, enum capf_reason reason)
{
	struct capf_builder b;
	capf_builder_init(&b, CAPF_END_SESSION, s->config.session);
	capf_builder_number(&b, CAPF_EL_REASON, reason);
	/* No room: then the peer has not read for long, and will not now. */
	capf_builder_send(&b, &s->out);
}

/* link.why is filled in. */
static void fail(struct capf_server *s)
{
	say_end(s, CAPF_REASON_DECLINED);
	finish(s, PHASE_FAILED);
}

/* Sends what asks the phone for `wanted`, and waits for that. */
static void ask(struct capf_server *s, struct capf_builder *b,
	enum capf_command wanted, uint32_t patience_ms)
{
	struct capf_server_state *st = s->state;
	if (capf_builder_send(b, &s->out) < 0) {
		capf_refuse(&st->link.why, CAPF_RULE_NOT_READING,
			"%zu bytes wait for the phone to read them",
			bytes_queue_len(&s->out));
		fail(s);
		return;
	}
	st->phase = PHASE_ASKED;
	st->wanted = wanted;
	st->link.due = st->link.now.mono_ms + patience_ms;
}

/* The host's verbs begin so. False: the phone failed while it thought. */
static bool may_say(struct capf_server *s, enum capf_command command,
	const struct moment *now)
{
	struct capf_server_state *st = s->state;
	st->link.now = *now;
	capf_link_forget(&st->link, &s->in);
	if (st->phase >= PHASE_FAILED)
		return false;
	assert(st->phase == PHASE_ANSWERED);
	assert(capf_link_may_follow(st->wanted, command));
	return true;
}

void capf_server_init(struct capf_server *s,
	const struct capf_server_config *config, const struct moment *now)
{
	struct capf_builder b;
	*s = (struct capf_server){.config = *config};
	bytes_queue_init(&s->out, CAPF_OUT_MAX);
	s->state = calloc(1, sizeof(*s->state));
	if (!s->state)
		abort(); /* law 2 */
	capf_link_init(&s->state->link, now);
	capf_builder_init(&b, CAPF_AUTH_REQUEST, config->session);
	capf_builder_number(&b, CAPF_EL_VERSION, CAPF_VERSION);
	if (config->send_auth_type)
		capf_builder_number(&b, CAPF_EL_AUTH_TYPE, 0);
	ask(s, &b, CAPF_AUTH_RESPONSE, config->answer_ms);
}

void capf_server_deinit(struct capf_server *s)
{
	if (s->state)
		capf_link_close(&s->state->link, &s->in);
	free(s->state);
	bytes_queue_deinit(&s->in);
	bytes_queue_deinit(&s->out);
	*s = (struct capf_server){0};
}

static unsigned curve_of(unsigned bits)
{
	unsigned curve = 0;
	while (capf_curve_bits(curve) != bits) {
		assert(capf_curve_bits(curve)); /* no such curve */
		curve++;
	}
	return curve;
}

void capf_server_generate_key(struct capf_server *s,
	const struct capf_key_wish *wish, const struct moment *now)
{
	bool knows_types = s->state->version >= CAPF_VERSION_KEY_TYPE;
	struct capf_builder b;
	if (!may_say(s, CAPF_KEY_GENERATE_REQUEST, now))
		return;
	capf_builder_init(&b, CAPF_KEY_GENERATE_REQUEST, s->config.session);
	if (wish->type == CAPF_KEY_EC) {
		assert(knows_types);
		capf_builder_number(&b, CAPF_EL_KEY_TYPE, wish->type);
		capf_builder_number(&b, CAPF_EL_CURVE, curve_of(wish->bits));
	} else {
		assert(wish->bits >= CAPF_RSA_MIN &&
			wish->bits <= CAPF_RSA_MAX);
		capf_builder_number(&b, CAPF_EL_KEY_SIZE, wish->bits);
		if (knows_types)
			capf_builder_number(&b, CAPF_EL_KEY_TYPE, wish->type);
	}
	ask(s, &b, CAPF_KEY_GENERATE_RESPONSE, s->config.keygen_ms);
}

void capf_server_store(struct capf_server *s, const void *der, size_t n,
	const struct moment *now)
{
	const struct capf_cert cert = {CAPF_CERT_LSC, {der, n}};
	struct capf_builder b;
	assert(n > 0 && n <= DER_MAX);
	if (!may_say(s, CAPF_STORE_REQUEST, now))
		return;
	capf_builder_init(&b, CAPF_STORE_REQUEST, s->config.session);
	capf_builder_number(&b, CAPF_EL_CERTIFICATE_TYPE, CAPF_CERT_LSC);
	capf_builder_certs(&b, &cert, 1);
	ask(s, &b, CAPF_STORE_RESPONSE, s->config.answer_ms);
}

void capf_server_erase(struct capf_server *s, const struct moment *now)
{
	struct capf_builder b;
	if (!may_say(s, CAPF_DELETE_REQUEST, now))
		return;
	capf_builder_init(&b, CAPF_DELETE_REQUEST, s->config.session);
	ask(s, &b, CAPF_DELETE_RESPONSE, s->config.answer_ms);
}

void capf_server_fetch(
	struct capf_server *s, unsigned type, const struct moment *now)
{
	struct capf_builder b;
	if (!may_say(s, CAPF_FETCH_REQUEST, now))
		return;
	capf_builder_init(&b, CAPF_FETCH_REQUEST, s->config.session);
	if (type)
		capf_builder_number(&b, CAPF_EL_CERTIFICATE_TYPE, type);
	ask(s, &b, CAPF_FETCH_RESPONSE, s->config.answer_ms);
}

void capf_server_end(struct capf_server *s, enum capf_reason reason)
{
	if (s->state->phase >= PHASE_FAILED)
		return;
	say_end(s, reason);
	finish(s, PHASE_DONE);
}

/* ---- what the phone says; each answers whether it is right ---- */

static bool lacks(struct capf_server *s, const struct capf_message *m,
	const char *elements)
{
	return capf_refuse(&s->state->link.why, CAPF_RULE_MISSING,
		"%s without %s", capf_command_name(m->command), elements);
}

static bool on_auth(struct capf_server *s, const struct capf_message *m,
	struct capf_server_event *event)
{
	int version = capf_message_number(m, CAPF_EL_VERSION);
	event->type = CAPF_SERVER_AUTH;
	event->device = capf_message_text(m, CAPF_EL_DEVICE_NAME);
	event->password = capf_message_text(m, CAPF_EL_PASSWORD);
	event->signed_data = m->elements[CAPF_EL_SIGNED_DATA];
	event->sha2_signed_data = m->elements[CAPF_EL_SHA2_SIGNED_DATA];
	event->sudi_data = m->elements[CAPF_EL_SUDI_DATA];
	if (version < 0)
		return lacks(s, m, "VERSION");
	if (!event->device)
		return lacks(s, m, "DEVICE_NAME");
	if (version == 0)
		return capf_refuse(&s->state->link.why, CAPF_RULE_VALUE,
			"VERSION 0; wanted 1 to 255");
	event->version = s->state->version = (unsigned)version;
	return true;
}

static bool on_key(struct capf_server *s, const struct capf_message *m,
	struct capf_server_event *event)
{
	event->type = CAPF_SERVER_KEY;
	if (m->elements[CAPF_EL_PUBLIC_KEY].n)
		event->public_key = m->elements[CAPF_EL_PUBLIC_KEY];
	return event->public_key.p || event->reason >= 0 ||
	       lacks(s, m, "PUBLIC_KEY or REASON");
}

static bool on_reason(struct capf_server *s, const struct capf_message *m,
	struct capf_server_event *event, enum capf_server_event_type type)
{
	event->type = type;
	return event->reason >= 0 || lacks(s, m, "REASON");
}

static bool on_fetched(struct capf_server *s, const struct capf_message *m,
	struct capf_server_event *event)
{
	event->type = CAPF_SERVER_FETCHED;
	return event->n_certs || event->reason >= 0 ||
	       lacks(s, m, "CERTIFICATE or REASON");
}

static bool on_wanted(struct capf_server *s, const struct capf_message *m,
	struct capf_server_event *event)
{
	event->reason = capf_message_number(m, CAPF_EL_REASON);
	memcpy(event->certs, m->certs, sizeof(event->certs));
	event->n_certs = m->n_certs;
	s->state->phase = PHASE_ANSWERED;
	s->state->link.due = MOMENT_NEVER;
	switch (m->command) {
	case CAPF_AUTH_RESPONSE:
		return on_auth(s, m, event);
	case CAPF_KEY_GENERATE_RESPONSE:
		return on_key(s, m, event);
	case CAPF_STORE_RESPONSE:
		return on_reason(s, m, event, CAPF_SERVER_STORED);
	case CAPF_DELETE_RESPONSE:
		return on_reason(s, m, event, CAPF_SERVER_ERASED);
	default: /* CAPF_FETCH_RESPONSE */
		return on_fetched(s, m, event);
	}
}

static bool on_message(struct capf_server *s, const struct capf_message *m,
	struct capf_server_event *event)
{
	struct capf_server_state *st = s->state;
	if (m->session != s->config.session)
		return capf_refuse(&st->link.why, CAPF_RULE_SESSION,
			"%s of session 0x%08x; this one is 0x%08x",
			capf_command_name(m->command), m->session,
			s->config.session);
	if (m->command == st->wanted)
		return on_wanted(s, m, event);
	/* It does not move the deadline: keygen_ms is for the key. */
	event->type = CAPF_SERVER_PROGRESS;
	if (m->command == CAPF_REQUEST_IN_PROGRESS &&
		st->wanted == CAPF_KEY_GENERATE_RESPONSE)
		return true;
	return capf_refuse(&st->link.why, CAPF_RULE_ORDER, "%s; wanted %s",
		capf_command_name(m->command), capf_command_name(st->wanted));
}

/* ---- the pull side ---- */

/* While the host thinks, the phone may not fill our memory. */
static void refuse_crowd(struct capf_server *s)
{
	struct capf_server_state *st = s->state;
	if (st->phase == PHASE_ANSWERED && capf_link_crowded(&st->link, &s->in))
		fail(s);
}

static bool hear(struct capf_server *s, struct capf_server_event *event)
{
	struct capf_message m;
	if (s->state->phase != PHASE_ASKED)
		return false;
	switch (capf_link_hear(&s->state->link, &s->in, CAPF_FROM_PHONE, &m)) {
	case CAPF_LINK_NOTHING:
		return false;
	case CAPF_LINK_MESSAGE:
		if (on_message(s, &m, event))
			return true;
		break;
	case CAPF_LINK_REFUSED:
		break;
	}
	fail(s);
	return false;
}

bool capf_server_next(struct capf_server *s, struct capf_server_event *event)
{
	struct capf_server_state *st = s->state;
	*event = (struct capf_server_event){.reason = -1};
	capf_link_forget(&st->link, &s->in);
	refuse_crowd(s);
	if (hear(s, event))
		return true;
	*event = (struct capf_server_event){.reason = -1};
	if (st->phase != PHASE_FAILED)
		return false;
	st->phase = PHASE_DONE;
	event->type = CAPF_SERVER_FAILED;
	event->rule = capf_rule_name(st->link.why.rule);
	event->text = st->link.why.text;
	return true;
}

void capf_server_feed(struct capf_server *s, const void *data, size_t n,
	const struct moment *now)
{
	s->state->link.now = *now;
	if (s->state->phase >= PHASE_FAILED)
		return;
	capf_link_feed(&s->state->link, &s->in, data, n);
	refuse_crowd(s);
}

void capf_server_tick(struct capf_server *s, const struct moment *now)
{
	struct capf_server_state *st = s->state;
	st->link.now = *now;
	if (now->mono_ms < st->link.due)
		return;
	capf_refuse(&st->link.why, CAPF_RULE_SILENT, "no %s within %u ms",
		capf_command_name(st->wanted),
		st->wanted == CAPF_KEY_GENERATE_RESPONSE ? s->config.keygen_ms
							 : s->config.answer_ms);
	fail(s);
}

const uint8_t *capf_server_out(const struct capf_server *s, size_t *n)
{
	return capf_link_out(&s->state->link, &s->out, n);
}

void capf_server_sent(struct capf_server *s, size_t n)
{
	capf_link_sent(&s->state->link, &s->out, n);
}

uint64_t capf_server_deadline(const struct capf_server *s)
{
	return s->state->link.due;
}

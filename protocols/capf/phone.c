/* SPDX-License-Identifier: Apache-2.0 */
/* The phone side of one CAPF connection: what it is asked, and says. */
#include "protocols/capf/phone.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocols/capf/link.h"
#include "protocols/capf/message.h"

enum {
	ANSWER_MS = 30000,
	DELAY_SHOWN = 8, /* bytes of RETRY_DELAY in words */
};

enum phase {
	PHASE_WAITING, /* for the server's next request */
	PHASE_ASKED,   /* the host has the word, or END_SESSION comes */
	PHASE_FAILED,  /* the event is due */
	PHASE_DONE,
};

struct capf_phone_state {
	struct capf_link link;
	enum phase phase;
	uint32_t session;	 /* once last or asked is there */
	enum capf_command asked; /* the server's last request; 0: none yet */
	enum capf_command last;	 /* our last answer; 0: none yet */
};

void capf_phone_init(struct capf_phone *p,
	const struct capf_phone_config *config, const struct moment *now)
{
	*p = (struct capf_phone){.config = *config};
	if (!p->config.answer_ms)
		p->config.answer_ms = ANSWER_MS;
	bytes_queue_init(&p->out, CAPF_OUT_MAX);
	p->state = calloc(1, sizeof(*p->state));
	if (!p->state)
		abort(); /* law 2 */
	capf_link_init(&p->state->link, now);
	p->state->link.due = now->mono_ms + p->config.answer_ms;
}

void capf_phone_deinit(struct capf_phone *p)
{
	free(p->state);
	bytes_queue_deinit(&p->in);
	bytes_queue_deinit(&p->out);
	*p = (struct capf_phone){0};
}

static void finish(struct capf_phone *p, enum phase phase)
{
	p->state->phase = phase;
	p->state->link.due = MOMENT_NEVER;
}

/* ---- what the phone says ---- */

static void send(struct capf_phone *p, struct capf_builder *b)
{
	if (capf_builder_send(b, &p->out) == 0)
		return;
	capf_refuse(&p->state->link.why, CAPF_RULE_NOT_READING,
		"%zu bytes wait for the server to read them",
		bytes_queue_len(&p->out));
	finish(p, PHASE_FAILED);
}

/* The host's answers begin so. False: the server has ended it meanwhile. */
static bool may_say(struct capf_phone *p, enum capf_command asked)
{
	struct capf_phone_state *st = p->state;
	if (st->phase >= PHASE_FAILED)
		return false;
	assert(st->phase == PHASE_ASKED && st->asked == asked);
	return true;
}

static void answer(struct capf_phone *p, struct capf_builder *b,
	enum capf_command command, const struct moment *now)
{
	struct capf_phone_state *st = p->state;
	st->link.now = *now;
	st->phase = PHASE_WAITING;
	st->last = command;
	st->link.due = now->mono_ms + p->config.answer_ms;
	send(p, b);
}

static void answer_reason(struct capf_phone *p, enum capf_command asked,
	enum capf_command command, unsigned reason, const struct moment *now)
{
	struct capf_builder b;
	if (!may_say(p, asked))
		return;
	capf_builder_init(&b, command, p->state->session);
	capf_builder_number(&b, CAPF_EL_REASON, reason);
	answer(p, &b, command, now);
}

/* By tag it comes first; Cisco phones end with it. */
static void put_reason(struct capf_builder *b)
{
	capf_builder_number(b, CAPF_EL_REASON, CAPF_REASON_SUCCESS);
}

void capf_phone_authenticate(struct capf_phone *p,
	const struct capf_phone_auth *auth, const struct moment *now)
{
	bool old = p->config.version < CAPF_VERSION_KEY_TYPE ||
		   p->config.cisco_order;
	struct capf_builder b;
	if (!may_say(p, CAPF_AUTH_REQUEST))
		return;
	capf_builder_init(&b, CAPF_AUTH_RESPONSE, p->state->session);
	if (old) {
		capf_builder_number(&b, CAPF_EL_VERSION, p->config.version);
		capf_builder_text(&b, CAPF_EL_DEVICE_NAME, auth->device);
	}
	put_reason(&b);
	capf_builder_certs(&b, &auth->cert, auth->cert.der.p ? 1 : 0);
	capf_builder_bytes(&b, CAPF_EL_SIGNED_DATA, &auth->signed_data);
	if (!old)
		capf_builder_number(&b, CAPF_EL_VERSION, p->config.version);
	capf_builder_text(&b, CAPF_EL_PASSWORD, auth->password);
	if (!old)
		capf_builder_text(&b, CAPF_EL_DEVICE_NAME, auth->device);
	capf_builder_bytes(&b, CAPF_EL_SUDI_DATA, &auth->sudi_data);
	capf_builder_bytes(
		&b, CAPF_EL_SHA2_SIGNED_DATA, &auth->sha2_signed_data);
	answer(p, &b, CAPF_AUTH_RESPONSE, now);
}

void capf_phone_progress(struct capf_phone *p)
{
	struct capf_builder b;
	if (!may_say(p, CAPF_KEY_GENERATE_REQUEST))
		return;
	capf_builder_init(&b, CAPF_REQUEST_IN_PROGRESS, p->state->session);
	send(p, &b);
}

void capf_phone_key(struct capf_phone *p, const void *spki, size_t n,
	const struct moment *now)
{
	const struct capf_bytes key = {spki, n};
	struct capf_builder b;
	if (!may_say(p, CAPF_KEY_GENERATE_REQUEST))
		return;
	capf_builder_init(&b, CAPF_KEY_GENERATE_RESPONSE, p->state->session);
	capf_builder_bytes(&b, CAPF_EL_PUBLIC_KEY, &key);
	answer(p, &b, CAPF_KEY_GENERATE_RESPONSE, now);
}

void capf_phone_no_key(
	struct capf_phone *p, unsigned reason, const struct moment *now)
{
	answer_reason(p, CAPF_KEY_GENERATE_REQUEST, CAPF_KEY_GENERATE_RESPONSE,
		reason, now);
}

void capf_phone_stored(
	struct capf_phone *p, unsigned reason, const struct moment *now)
{
	answer_reason(p, CAPF_STORE_REQUEST, CAPF_STORE_RESPONSE, reason, now);
}

void capf_phone_erased(
	struct capf_phone *p, unsigned reason, const struct moment *now)
{
	answer_reason(
		p, CAPF_DELETE_REQUEST, CAPF_DELETE_RESPONSE, reason, now);
}

void capf_phone_fetched(struct capf_phone *p, unsigned reason,
	const struct capf_cert *certs, size_t n, const struct moment *now)
{
	struct capf_builder b;
	if (!may_say(p, CAPF_FETCH_REQUEST))
		return;
	capf_builder_init(&b, CAPF_FETCH_RESPONSE, p->state->session);
	capf_builder_number(&b, CAPF_EL_REASON, reason);
	capf_builder_certs(&b, certs, n);
	answer(p, &b, CAPF_FETCH_RESPONSE, now);
}

/* ---- what the server says; each answers whether it is right ---- */

static bool lacks(struct capf_phone *p, const struct capf_message *m,
	const char *elements)
{
	return capf_refuse(&p->state->link.why, CAPF_RULE_MISSING,
		"%s without %s", capf_command_name(m->command), elements);
}

static bool senseless(struct capf_phone *p, enum capf_element tag, int value)
{
	return capf_refuse(&p->state->link.why, CAPF_RULE_VALUE,
		"%s %d, which a phone of version %u does not know",
		capf_element_name(tag), value, p->config.version);
}

static bool on_auth(struct capf_phone *p, const struct capf_message *m,
	struct capf_phone_event *event)
{
	int version = capf_message_number(m, CAPF_EL_VERSION);
	event->type = CAPF_PHONE_AUTH;
	if (version < 0)
		return lacks(p, m, "VERSION");
	event->version = (unsigned)version;
	event->auth_type = capf_message_number(m, CAPF_EL_AUTH_TYPE);
	return true;
}

static bool on_curve(struct capf_phone *p, const struct capf_message *m,
	struct capf_phone_event *event)
{
	int curve = capf_message_number(m, CAPF_EL_CURVE);
	if (p->config.version < CAPF_VERSION_KEY_TYPE)
		return senseless(p, CAPF_EL_KEY_TYPE, CAPF_KEY_EC);
	if (curve < 0)
		return lacks(p, m, "CURVE");
	if (!capf_curve_bits((unsigned)curve))
		return senseless(p, CAPF_EL_CURVE, curve);
	event->wish = (struct capf_key_wish){
		CAPF_KEY_EC, capf_curve_bits((unsigned)curve)};
	return true;
}

static bool on_generate(struct capf_phone *p, const struct capf_message *m,
	struct capf_phone_event *event)
{
	int type = capf_message_number(m, CAPF_EL_KEY_TYPE);
	int size = capf_message_number(m, CAPF_EL_KEY_SIZE);
	event->type = CAPF_PHONE_GENERATE;
	if (type == CAPF_KEY_EC)
		return on_curve(p, m, event);
	if (type > CAPF_KEY_RSA)
		return senseless(p, CAPF_EL_KEY_TYPE, type);
	if (size < 0)
		return lacks(p, m, "KEY_SIZE");
	if (size < CAPF_RSA_MIN || size > CAPF_RSA_MAX)
		return senseless(p, CAPF_EL_KEY_SIZE, size);
	event->wish = (struct capf_key_wish){CAPF_KEY_RSA, (unsigned)size};
	return true;
}

static bool on_store(struct capf_phone *p, const struct capf_message *m,
	struct capf_phone_event *event)
{
	event->type = CAPF_PHONE_STORE;
	if (m->n_certs == 0)
		return lacks(p, m, "CERTIFICATE");
	event->cert = m->certs[0];
	return true;
}

static bool on_fetch(struct capf_phone *p, const struct capf_message *m,
	struct capf_phone_event *event)
{
	int type = capf_message_number(m, CAPF_EL_CERTIFICATE_TYPE);
	(void)p;
	event->type = CAPF_PHONE_FETCH;
	event->cert.type = type < 0 ? 0 : (unsigned)type;
	return true;
}

static bool on_end(struct capf_phone *p, const struct capf_message *m,
	struct capf_phone_event *event)
{
	event->type = CAPF_PHONE_END;
	event->reason = capf_message_number(m, CAPF_EL_REASON);
	event->text = capf_message_text(m, CAPF_EL_REASON_INFO);
	if (event->reason < 0)
		return lacks(p, m, "REASON");
	finish(p, PHASE_DONE);
	return true;
}

/* Nobody knows what it holds: the delay, most likely, of unknown width. */
static bool on_retry_later(struct capf_phone *p, const struct capf_message *m)
{
	const struct capf_bytes *delay = &m->elements[CAPF_EL_RETRY_DELAY];
	char hex[2 * DELAY_SHOWN + 1] = "";
	for (size_t i = 0; i < delay->n && i < DELAY_SHOWN; i++)
		snprintf(hex + 2 * i, sizeof(hex) - 2 * i, "%02x", delay->p[i]);
	return capf_refuse(&p->state->link.why, CAPF_RULE_RETRY_LATER,
		"RETRY_LATER%s%s: the server wants to be called again later",
		*hex ? ", delay 0x" : "", hex);
}

static bool on_request(struct capf_phone *p, const struct capf_message *m,
	struct capf_phone_event *event)
{
	p->state->phase = PHASE_ASKED;
	p->state->asked = m->command;
	p->state->link.due = MOMENT_NEVER;
	switch (m->command) {
	case CAPF_AUTH_REQUEST:
		return on_auth(p, m, event);
	case CAPF_KEY_GENERATE_REQUEST:
		return on_generate(p, m, event);
	case CAPF_STORE_REQUEST:
		return on_store(p, m, event);
	case CAPF_FETCH_REQUEST:
		return on_fetch(p, m, event);
	default: /* CAPF_DELETE_REQUEST */
		event->type = CAPF_PHONE_ERASE;
		return true;
	}
}

/* AUTH_REQUEST comes first and once; the rest as specs capf 7 has it. */
static bool in_order(
	const struct capf_phone_state *st, enum capf_command command)
{
	if (st->phase == PHASE_ASKED)
		return false;
	if (!st->last)
		return command == CAPF_AUTH_REQUEST;
	return capf_link_may_follow(st->last, command);
}

static bool on_message(struct capf_phone *p, const struct capf_message *m,
	struct capf_phone_event *event)
{
	struct capf_phone_state *st = p->state;
	const char *name = capf_command_name(m->command);
	if (!st->asked)
		st->session = m->session;
	event->session = st->session;
	if (m->session != st->session)
		return capf_refuse(&st->link.why, CAPF_RULE_SESSION,
			"%s of session 0x%08x; this one is 0x%08x", name,
			m->session, st->session);
	if (m->command == CAPF_END_SESSION)
		return on_end(p, m, event);
	if (m->command == CAPF_RETRY_LATER)
		return on_retry_later(p, m);
	if (in_order(st, m->command))
		return on_request(p, m, event);
	return capf_refuse(&st->link.why, CAPF_RULE_ORDER,
		"%s, when the phone has %s %s", name,
		st->phase == PHASE_ASKED ? "yet to answer" : "last sent",
		st->phase == PHASE_ASKED ? capf_command_name(st->asked)
		: st->last		 ? capf_command_name(st->last)
					 : "nothing");
}

/* ---- the pull side ---- */

static bool hear(struct capf_phone *p, struct capf_phone_event *event)
{
	struct capf_link *link = &p->state->link;
	struct capf_message m;
	if (p->state->phase >= PHASE_FAILED)
		return false;
	switch (capf_link_hear(link, &p->in, CAPF_FROM_SERVER, &m)) {
	case CAPF_LINK_NOTHING:
		return false;
	case CAPF_LINK_MESSAGE:
		if (on_message(p, &m, event))
			return true;
		break;
	case CAPF_LINK_REFUSED:
		break;
	}
	finish(p, PHASE_FAILED);
	return false;
}

static void clear(struct capf_phone *p, struct capf_phone_event *event)
{
	*event = (struct capf_phone_event){
		.session = p->state->session, .auth_type = -1, .reason = -1};
}

bool capf_phone_next(struct capf_phone *p, struct capf_phone_event *event)
{
	struct capf_phone_state *st = p->state;
	clear(p, event);
	capf_link_forget(&st->link, &p->in);
	if (hear(p, event))
		return true;
	clear(p, event);
	if (st->phase != PHASE_FAILED)
		return false;
	st->phase = PHASE_DONE;
	event->type = CAPF_PHONE_FAILED;
	event->rule = capf_rule_name(st->link.why.rule);
	event->text = st->link.why.text;
	return true;
}

void capf_phone_feed(struct capf_phone *p, const void *data, size_t n,
	const struct moment *now)
{
	p->state->link.now = *now;
	if (p->state->phase < PHASE_FAILED)
		capf_link_feed(&p->state->link, &p->in, data, n);
}

void capf_phone_tick(struct capf_phone *p, const struct moment *now)
{
	struct capf_phone_state *st = p->state;
	st->link.now = *now;
	if (now->mono_ms < st->link.due)
		return;
	capf_refuse(&st->link.why, CAPF_RULE_SILENT,
		"no message from the server within %u ms", p->config.answer_ms);
	finish(p, PHASE_FAILED);
}

const uint8_t *capf_phone_out(const struct capf_phone *p, size_t *n)
{
	return capf_link_out(&p->state->link, &p->out, n);
}

void capf_phone_sent(struct capf_phone *p, size_t n)
{
	capf_link_sent(&p->state->link, &p->out, n);
}

uint64_t capf_phone_deadline(const struct capf_phone *p)
{
	return p->state->link.due;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The phone side of one SCCP connection: its phases, timers and judgement. */
#include "protocols/sccp/phone.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/sccp/frame.h"
#include "protocols/sccp/generation.h"
#include "protocols/sccp/ids.h"

enum {
	ANSWER_MS = 10000,
	KEEPALIVES_MISSED = 3,
	MS = 1000,
	LENGTH_MAX = 16384,
	VERSION_MIN = 3,
	OUT_MAX = 65536,
	HEADER_VERSION_MIN = 15, /* below it phones send 0, as the 7960 */
	STANDBY_MS = 60000,	 /* the secondary interval */
};

enum phase {
	PHASE_IDLE,
	PHASE_STANDBY, /* keepalives, and no Register */
	PHASE_ASKING_TOKEN,
	PHASE_REGISTERING, /* Register sent */
	PHASE_ACKED,	   /* CapabilitiesReq must follow */
	PHASE_WALKING,
	PHASE_REGISTERED,
	PHASE_UNREGISTERING,
	PHASE_FAILED, /* the event is due */
	PHASE_DONE,
};

struct sccp_phone_state {
	struct moment now;
	enum phase phase;
	uint8_t version; /* negotiated, 0 before */
	uint32_t keepalive_ms;
	uint64_t keepalive_due;
	unsigned keepalives_open; /* since the last answer */
	unsigned keepalives_owed; /* answers that may still come */
	uint64_t answer_due;
	struct sccp_walk walk;
	char text[SCCP_WALK_TEXT]; /* of the event */
};

void sccp_phone_init(struct sccp_phone *p,
	const struct sccp_phone_config *config, const struct moment *now)
{
	*p = (struct sccp_phone){.config = *config};
	if (!p->config.answer_ms)
		p->config.answer_ms = ANSWER_MS;
	if (!p->config.standby_ms)
		p->config.standby_ms = STANDBY_MS;
	if (!p->config.generation)
		p->config.generation =
			sccp_generation_of_version(config->version);
	bytes_queue_init(&p->out, OUT_MAX);
	p->state = calloc(1, sizeof(*p->state));
	if (!p->state)
		abort(); /* law 2 */
	p->state->now = *now;
	p->state->keepalive_due = MOMENT_NEVER;
	p->state->answer_due = MOMENT_NEVER;
}

void sccp_phone_deinit(struct sccp_phone *p)
{
	free(p->state);
	bytes_queue_deinit(&p->in);
	bytes_queue_deinit(&p->out);
	*p = (struct sccp_phone){0};
}

static void end(struct sccp_phone *p, enum phase phase)
{
	p->state->phase = phase;
	p->state->keepalive_due = MOMENT_NEVER;
	p->state->answer_due = MOMENT_NEVER;
	bytes_queue_deinit(&p->in);
}

static void __attribute__((format(printf, 2, 3)))
fail(struct sccp_phone *p, const char *format, ...)
{
	va_list args;
	if (p->state->phase >= PHASE_FAILED)
		return; /* the first reason is the reason */
	va_start(args, format);
	vsnprintf(p->state->text, sizeof(p->state->text), format, args);
	va_end(args);
	end(p, PHASE_FAILED);
}

/* ---- what the phone says ---- */

static void put(
	struct sccp_phone *p, uint32_t id, const uint8_t *body, size_t n)
{
	uint8_t version = p->state->version;
	uint32_t header = version < HEADER_VERSION_MIN ? 0 : version;
	if (sccp_frame_put(&p->out, header, id, body, n) < 0)
		fail(p, "the server does not read");
}

static void say(struct sccp_phone *p, struct sccp_message *m)
{
	uint8_t body[SCCP_WRITE_MAX];
	size_t n = sccp_message_write(m, p->state->version, body);
	put(p, m->id, body, n);
}

static void say_value(struct sccp_phone *p, uint32_t id, uint32_t value)
{
	struct sccp_message m;
	sccp_message_init(&m, id);
	m.u.value = value;
	say(p, &m);
}

static void expect_answer(struct sccp_phone *p)
{
	p->state->answer_due = p->state->now.mono_ms + p->config.answer_ms;
}

static void say_alarm(struct sccp_phone *p)
{
	uint8_t body[SCCP_WRITE_MAX];
	uint32_t id;
	size_t n = sccp_generation_alarm(
		p->config.generation, &p->config, &id, body);
	put(p, id, body, n);
}

static void say_register(struct sccp_phone *p)
{
	uint8_t body[SCCP_WRITE_MAX];
	size_t n = sccp_generation_register(
		p->config.generation, &p->config, body);
	put(p, SCCP_ID_REGISTER, body, n);
}

static void say_capabilities(struct sccp_phone *p)
{
	uint8_t body[SCCP_WRITE_MAX];
	uint32_t id;
	size_t n =
		sccp_generation_capabilities(p->config.generation, &id, body);
	put(p, id, body, n);
}

static void say_wishes(struct sccp_phone *p)
{
	struct sccp_message m;
	while (sccp_walk_next(&p->state->walk, &m))
		say(p, &m);
}

static void say_keepalive(struct sccp_phone *p)
{
	struct sccp_phone_state *st = p->state;
	if (st->keepalives_open >= KEEPALIVES_MISSED) {
		fail(p, "three keepalives unanswered");
		return;
	}
	say_value(p, SCCP_ID_KEEP_ALIVE, 0);
	st->keepalives_open++;
	st->keepalives_owed++;
	st->keepalive_due = st->now.mono_ms + st->keepalive_ms;
}

/* ---- what the server says; each answers whether it made an event ---- */

static bool on_ack(struct sccp_phone *p, const struct sccp_register_ack *ack)
{
	struct sccp_phone_state *st = p->state;
	uint8_t offered = p->config.version;
	if (st->phase != PHASE_REGISTERING)
		fail(p, "RegisterAck: nobody asked for it");
	else if (ack->keepalive_s == 0 || ack->secondary_keepalive_s == 0)
		fail(p, "RegisterAck: keepalive interval 0");
	else if (ack->version < VERSION_MIN ||
		 (ack->version > offered && ack->version > VERSION_MIN))
		fail(p, "RegisterAck: version %u, offered %u", ack->version,
			offered);
	if (st->phase != PHASE_REGISTERING)
		return false;
	st->phase = PHASE_ACKED;
	st->version = ack->version;
	st->keepalive_ms = ack->keepalive_s <= UINT32_MAX / MS
				   ? ack->keepalive_s * MS
				   : UINT32_MAX;
	st->keepalive_due = st->now.mono_ms + st->keepalive_ms;
	expect_answer(p);
	return false;
}

static bool on_capabilities_req(struct sccp_phone *p)
{
	struct sccp_phone_state *st = p->state;
	if (st->phase == PHASE_ACKED && st->version >= HEADER_VERSION_MIN) {
		say_value(p, SCCP_ID_IP_PORT, 0);
		say_value(p, SCCP_ID_HEADSET_STATUS, 0);
	}
	say_capabilities(p);
	if (st->phase != PHASE_ACKED)
		return false; /* asked once more, for whatever reason */
	st->phase = PHASE_WALKING;
	sccp_walk_init(&st->walk, p->config.device, st->version,
		p->config.generation->order);
	say_wishes(p);
	expect_answer(p);
	return false;
}

static bool on_reject(
	struct sccp_phone *p, const char *text, struct sccp_phone_event *event)
{
	if (p->state->phase != PHASE_REGISTERING) {
		fail(p, "RegisterReject: nobody asked for it");
		return false;
	}
	snprintf(p->state->text, sizeof(p->state->text), "%s", text);
	event->type = SCCP_PHONE_REJECTED;
	event->text = p->state->text;
	end(p, PHASE_DONE);
	return true;
}

static bool on_unregister_ack(
	struct sccp_phone *p, uint32_t value, struct sccp_phone_event *event)
{
	if (p->state->phase != PHASE_UNREGISTERING)
		fail(p, "UnregisterAck: nobody asked for it");
	else if (value)
		fail(p, "UnregisterAck: refused with %u", value);
	if (p->state->phase != PHASE_UNREGISTERING)
		return false;
	event->type = SCCP_PHONE_UNREGISTERED;
	end(p, PHASE_DONE);
	return true;
}

static bool on_token_answer(
	struct sccp_phone *p, uint32_t wait_s, struct sccp_phone_event *event)
{
	if (p->state->phase != PHASE_ASKING_TOKEN) {
		fail(p, "token answer: nobody asked for it");
		return false;
	}
	p->state->phase = PHASE_IDLE;
	p->state->answer_due = MOMENT_NEVER;
	event->type = SCCP_PHONE_TOKEN;
	event->value = wait_s;
	return true;
}

static bool on_keepalive_ack(
	struct sccp_phone *p, struct sccp_phone_event *event)
{
	struct sccp_phone_state *st = p->state;
	if (st->keepalives_owed == 0) {
		fail(p, "KeepAliveAck: nobody asked for it");
		return false;
	}
	/* A slow server answers two in a row: neither is one too many. */
	st->keepalives_owed--;
	st->keepalives_open = 0;
	event->type = SCCP_PHONE_ALIVE;
	return true;
}

static bool on_walk_answer(struct sccp_phone *p, const struct sccp_message *m,
	struct sccp_phone_event *event)
{
	struct sccp_phone_state *st = p->state;
	char why[SCCP_WALK_TEXT];
	/* A server may set the clock whenever it likes. */
	if (st->phase == PHASE_REGISTERED && m->id == SCCP_ID_DEFINE_TIME_DATE)
		return false;
	if (!sccp_walk_answer(&st->walk, m, why)) {
		fail(p, "%s", why);
		return false;
	}
	if (st->phase != PHASE_WALKING)
		return false; /* unregistering: a late answer */
	expect_answer(p);
	say_wishes(p);
	if (st->phase != PHASE_WALKING || !sccp_walk_done(&st->walk))
		return false;
	st->phase = PHASE_REGISTERED;
	st->answer_due = MOMENT_NEVER;
	event->type = SCCP_PHONE_REGISTERED;
	return true;
}

/* What a server may say to a phone it has acknowledged. */
static bool on_registered_message(struct sccp_phone *p,
	const struct sccp_message *m, struct sccp_phone_event *event)
{
	if (!p->state->version) {
		fail(p, "%s before RegisterAck", sccp_id_name(m->id));
		return false;
	}
	switch (m->id) {
	case SCCP_ID_CAPABILITIES_REQ:
		return on_capabilities_req(p);
	case SCCP_ID_SELECT_SOFT_KEYS:
	case SCCP_ID_DISPLAY_PROMPT:
	case SCCP_ID_DISPLAY_PROMPT_V2:
		return false;
	case SCCP_ID_RESET:
		event->type = SCCP_PHONE_RESET;
		event->value = m->u.value;
		return true;
	default:
		return on_walk_answer(p, m, event);
	}
}

static bool on_message(struct sccp_phone *p, const struct sccp_message *m,
	struct sccp_phone_event *event)
{
	switch (m->id) {
	case SCCP_ID_REGISTER_ACK:
		return on_ack(p, &m->u.ack);
	case SCCP_ID_REGISTER_REJECT:
		return on_reject(p, m->u.text, event);
	case SCCP_ID_KEEP_ALIVE_ACK:
		return on_keepalive_ack(p, event);
	case SCCP_ID_UNREGISTER_ACK:
		return on_unregister_ack(p, m->u.value, event);
	case SCCP_ID_TOKEN_ACK:
	case SCCP_ID_SPCP_TOKEN_ACK:
		return on_token_answer(p, 0, event);
	case SCCP_ID_TOKEN_REJECT:
	case SCCP_ID_SPCP_TOKEN_REJECT:
		return on_token_answer(p, m->u.value, event);
	default:
		return on_registered_message(p, m, event);
	}
}

static bool on_frame(struct sccp_phone *p, const struct sccp_frame *frame,
	struct sccp_phone_event *event)
{
	struct sccp_message m;
	uint8_t version = p->state->version;
	if (frame->version && frame->version != version) {
		fail(p, "header version %u, negotiated %u", frame->version,
			version);
		return false;
	}
	/* The Java phones drop the connection here, and say no more. */
	if (!sccp_id_known(frame->id, SCCP_DOWN)) {
		fail(p, "no entry for message id 0x%x", frame->id);
		return false;
	}
	switch (sccp_message_read(
		&m, frame->id, version, frame->body, frame->body_n)) {
	case SCCP_BODY_WHOLE:
		return on_message(p, &m, event);
	case SCCP_BODY_UNKNOWN: /* lamps, rings and notes: not for us */
		return false;
	case SCCP_BODY_SHORT:
	case SCCP_BODY_LONG:
		break;
	}
	fail(p, "%s: a body of %zu bytes is not its layout",
		sccp_id_name(frame->id), frame->body_n);
	return false;
}

/* ---- the pull side ---- */

static bool next_from_frames(
	struct sccp_phone *p, struct sccp_phone_event *event)
{
	struct sccp_frame frame;
	while (p->state->phase < PHASE_FAILED) {
		switch (sccp_frame_next(&p->in, LENGTH_MAX, &frame)) {
		case SCCP_FRAME_MORE:
			return false;
		case SCCP_FRAME_WHOLE:
			break;
		case SCCP_FRAME_LENGTH_UNDER_4:
		case SCCP_FRAME_TOO_LONG:
		case SCCP_FRAME_VERSION_IMPOSSIBLE:
			fail(p, "lost framing: length %u, header version %u",
				frame.length, frame.version);
			return false;
		}
		bool made = on_frame(p, &frame, event);
		/* end() has emptied the queue already. */
		if (p->state->phase < PHASE_FAILED)
			sccp_frame_drop(&p->in, &frame);
		if (made)
			return true;
	}
	return false;
}

bool sccp_phone_next(struct sccp_phone *p, struct sccp_phone_event *event)
{
	*event = (struct sccp_phone_event){0};
	if (next_from_frames(p, event))
		return true;
	if (p->state->phase != PHASE_FAILED)
		return false;
	p->state->phase = PHASE_DONE;
	event->type = SCCP_PHONE_FAILED;
	event->text = p->state->text;
	return true;
}

void sccp_phone_feed(struct sccp_phone *p, const void *data, size_t n,
	const struct moment *now)
{
	p->state->now = *now;
	if (p->state->phase >= PHASE_FAILED)
		return;
	/* next() leaves less than one frame, whose length it has checked. */
	p->in.max = (uint32_t)(bytes_queue_len(&p->in) + n);
	bytes_queue_put(&p->in, data, n);
}

void sccp_phone_start(struct sccp_phone *p, const struct moment *now)
{
	p->state->now = *now;
	if (p->state->phase != PHASE_IDLE)
		return;
	p->state->phase = PHASE_REGISTERING;
	if (p->config.last_reason)
		say_alarm(p);
	say_register(p);
	expect_answer(p);
}

void sccp_phone_token(struct sccp_phone *p, const struct moment *now)
{
	uint8_t body[SCCP_WRITE_MAX];
	uint32_t id;
	p->state->now = *now;
	if (p->state->phase != PHASE_IDLE)
		return;
	p->state->phase = PHASE_ASKING_TOKEN;
	size_t n = sccp_generation_token(
		p->config.generation, &p->config, &id, body);
	put(p, id, body, n);
	expect_answer(p);
}

void sccp_phone_standby(struct sccp_phone *p, const struct moment *now)
{
	p->state->now = *now;
	if (p->state->phase != PHASE_IDLE)
		return;
	p->state->phase = PHASE_STANDBY;
	p->state->keepalive_ms = p->config.standby_ms;
	say_keepalive(p);
}

void sccp_phone_unregister(struct sccp_phone *p, const struct moment *now)
{
	p->state->now = *now;
	if (p->state->phase >= PHASE_UNREGISTERING)
		return;
	p->state->phase = PHASE_UNREGISTERING;
	put(p, SCCP_ID_UNREGISTER, NULL, 0);
	expect_answer(p);
}

/* The message whose answer is missing. */
static void fail_unanswered(struct sccp_phone *p)
{
	const struct sccp_phone_state *st = p->state;
	uint32_t ask = SCCP_ID_REGISTER, index = 0;
	if (st->phase == PHASE_ASKING_TOKEN)
		ask = p->config.generation->ways & SCCP_WAY_SPCP
			      ? SCCP_ID_SPCP_TOKEN_REQ
			      : SCCP_ID_TOKEN_REQ;
	if (st->phase == PHASE_UNREGISTERING)
		ask = SCCP_ID_UNREGISTER;
	if (st->phase == PHASE_WALKING && st->walk.n_open) {
		ask = st->walk.open[0].ask;
		index = st->walk.open[0].index;
	}
	if (st->phase == PHASE_ACKED)
		fail(p, "RegisterAck: no CapabilitiesReq within %u ms",
			p->config.answer_ms);
	fail(p, "%s %u: no answer within %u ms", sccp_id_name(ask), index,
		p->config.answer_ms);
}

void sccp_phone_tick(struct sccp_phone *p, const struct moment *now)
{
	struct sccp_phone_state *st = p->state;
	st->now = *now;
	if (now->mono_ms >= st->answer_due)
		fail_unanswered(p);
	if (now->mono_ms >= st->keepalive_due)
		say_keepalive(p);
}

const uint8_t *sccp_phone_out(const struct sccp_phone *p, size_t *n)
{
	return bytes_queue_peek(&p->out, n);
}

void sccp_phone_sent(struct sccp_phone *p, size_t n)
{
	bytes_queue_drop(&p->out, n);
}

uint64_t sccp_phone_deadline(const struct sccp_phone *p)
{
	const struct sccp_phone_state *st = p->state;
	return st->answer_due < st->keepalive_due ? st->answer_due
						  : st->keepalive_due;
}

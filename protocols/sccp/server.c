/* SPDX-License-Identifier: Apache-2.0 */
/* The server side of one SCCP connection: its phases, timers and questions. */
#include "protocols/sccp/server.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "protocols/sccp/answers.h"
#include "protocols/sccp/devices.h"
#include "protocols/sccp/frame.h"
#include "protocols/sccp/ids.h"

enum {
	THROTTLE_WINDOW_MS = 5000,
	KEEPALIVES_MISSED = 3,
	MS = 1000,
	BACKLOG_MAX = 65536, /* bytes that a host may leave unparsed */
	/* The feature bytes in SPCPRegisterTokenAck that SPA phones accept. */
	SPCP_FEATURES = 65535,
	VERSION_BODY_MIN = 44,	    /* a shorter Register names no version */
	SEVERITY_INFORMATIONAL = 2, /* XML alarms have no severity */
	CODEC_ROW = 16,		    /* bytes in CapabilitiesRes */
	EARLY_MS = 1000,	    /* a phone's clock may be so fast */
};

const struct sccp_server_config sccp_server_defaults = {
	.first_frame_ms = 30000,
	.idle_ms = 180000,
	.grace_ms = 5000,
	.token_ms = 120000,
	.capabilities_ms = 30000,
	.reset_ms = 60000,
	.body_max_before = 4096,
	.body_max_after = 16384,
	.events_max = 2000,
	.version_max = 22,
	.out_max = 65536,
};

enum phase {
	PHASE_SILENT, /* no whole frame yet */
	PHASE_OPEN,   /* it speaks; perhaps a standby connection */
	PHASE_ACCEPTED,
	PHASE_LEAVING, /* rejected or unregistered: the phone may close */
	PHASE_CLOSING, /* the CLOSE event is due */
	PHASE_CLOSED,  /* and was told */
};

enum question {
	QUESTION_NONE,
	QUESTION_REGISTER,
	QUESTION_TOKEN,
	QUESTION_SPCP_TOKEN,
};

/* What the phone owes us by `owed_due`, whatever else it says meanwhile. */
enum owed {
	OWED_NOTHING,
	OWED_REGISTER,	   /* a token was granted */
	OWED_CAPABILITIES, /* it was accepted */
	OWED_RETURN,	   /* it was told to reset */
};

/*
 * `asked` is what the last REGISTER or TOKEN event showed; `promise` is what
 * the last accept() gave and lives until the registration ends.
 */
struct sccp_server_state {
	struct moment now;
	enum phase phase;
	enum question question;
	enum sccp_close why;
	uint64_t due;
	enum owed owed;
	uint64_t owed_due;
	uint64_t token_from;   /* a token asked for earlier waits till then */
	uint64_t window_start; /* throttling: frames since then */
	uint32_t window_frames;
	bool told_registered;
	struct sccp_register *asked; /* of the last event, as is alarm */
	char *alarm;
	struct sccp_promise *promise;
};

const char *sccp_close_name(enum sccp_close why)
{
	static const char *const names[] = {
#define X(symbol, name, text) [SCCP_CLOSE_##symbol] = name,
		SCCP_CLOSE_LIST(X)
#undef X
	};
	return names[why];
}

const char *sccp_close_text(enum sccp_close why)
{
	static const char *const texts[] = {
#define X(symbol, name, text) [SCCP_CLOSE_##symbol] = text,
		SCCP_CLOSE_LIST(X)
#undef X
	};
	return texts[why];
}

void sccp_server_init(struct sccp_server *s,
	const struct sccp_server_config *config, const struct moment *now)
{
	*s = (struct sccp_server){.config = config};
	bytes_queue_init(&s->out, config->out_max);
	s->state = calloc(1, sizeof(*s->state));
	if (!s->state)
		abort(); /* law 2 */
	s->state->now = *now;
	s->state->due = now->mono_ms + config->first_frame_ms;
	s->state->owed_due = MOMENT_NEVER;
	s->state->window_start = now->mono_ms;
}

/* Frees what the last event pointed to; a question is kept until it is
 * answered. */
static void forget(struct sccp_server_state *st)
{
	free(st->alarm);
	st->alarm = NULL;
	if (st->question != QUESTION_NONE)
		return;
	free(st->asked);
	st->asked = NULL;
}

/* Room for what the next event asks. */
static struct sccp_register *ask(struct sccp_server_state *st)
{
	free(st->asked);
	st->asked = malloc(sizeof(*st->asked));
	if (!st->asked)
		abort(); /* law 2 */
	return st->asked;
}

void sccp_server_deinit(struct sccp_server *s)
{
	if (s->state) {
		s->state->question = QUESTION_NONE;
		forget(s->state);
		sccp_promise_free(s->state->promise);
		free(s->state);
	}
	bytes_queue_deinit(&s->in);
	bytes_queue_deinit(&s->out);
	*s = (struct sccp_server){0};
}

/* Nothing more is read; the promise and its lines are not needed either. */
static void stop(struct sccp_server *s, enum phase phase, enum sccp_close why)
{
	struct sccp_server_state *st = s->state;
	st->phase = phase;
	st->why = why;
	st->question = QUESTION_NONE;
	st->due = phase == PHASE_LEAVING ? st->now.mono_ms + s->config->grace_ms
					 : MOMENT_NEVER;
	st->owed = OWED_NOTHING;
	st->owed_due = MOMENT_NEVER;
	bytes_queue_deinit(&s->in);
	sccp_promise_free(st->promise);
	st->promise = NULL;
}

static void finish(struct sccp_server *s, enum sccp_close why)
{
	stop(s, PHASE_CLOSING, why);
}

/* Who does not read will never get what is left: give its memory back. */
static void finish_unread(struct sccp_server *s)
{
	bytes_queue_deinit(&s->out);
	finish(s, SCCP_CLOSE_NOT_READING);
}

static void owe(struct sccp_server_state *st, enum owed what, uint32_t ms)
{
	st->owed = what;
	st->owed_due = st->now.mono_ms + ms;
}

static void settle(struct sccp_server_state *st, enum owed what)
{
	if (st->owed != what)
		return;
	st->owed = OWED_NOTHING;
	st->owed_due = MOMENT_NEVER;
}

/* Any whole frame says that the phone lives. */
static void set_due(struct sccp_server *s)
{
	struct sccp_server_state *st = s->state;
	uint64_t wait_ms = s->config->idle_ms;
	if (st->promise)
		wait_ms = (uint64_t)st->promise->keepalive_s * MS *
			  KEEPALIVES_MISSED;
	st->due = st->now.mono_ms + wait_ms;
}

/* Sends one of the messages whose header says 0 at every version. */
static bool say_value(struct sccp_server *s, uint32_t id, uint32_t value)
{
	struct sccp_message m;
	sccp_message_init(&m, id);
	m.u.value = value;
	if (sccp_message_send(&m, 0, 0, &s->out) == 0)
		return true;
	finish_unread(s);
	return false;
}

static void say_reject(struct sccp_server *s, const char *text)
{
	struct sccp_message m;
	sccp_message_init(&m, SCCP_ID_REGISTER_REJECT);
	sccp_text(m.u.text, SCCP_REJECT_MAX, text,
		sccp_promise_charset(s->state->asked));
	if (sccp_message_send(&m, 0, 0, &s->out) < 0)
		finish_unread(s);
}

/* ---- frames; each answers whether it made an event ---- */

static bool ignored(const struct sccp_frame *frame, const char *why,
	struct sccp_server_event *event)
{
	event->type = SCCP_SERVER_IGNORED;
	event->value = frame->length;
	event->text = why;
	return true;
}

static bool on_register(struct sccp_server *s, const struct sccp_frame *frame,
	struct sccp_server_event *event)
{
	struct sccp_server_state *st = s->state;
	struct sccp_message m;
	sccp_message_read(&m, frame->id, 0, frame->body, frame->body_n);
	*ask(st) = m.u.reg;
	if (frame->body_n < sccp_id_body_min(frame->id)) {
		say_reject(s, "Malformed Register");
		if (st->phase != PHASE_CLOSING)
			finish(s, SCCP_CLOSE_REGISTER_TOO_SHORT);
		return false;
	}
	if (frame->body_n < VERSION_BODY_MIN)
		st->asked->version = 0;
	st->asked->refresh = st->promise && strcasecmp(st->asked->device,
						    st->promise->device) == 0;
	st->question = QUESTION_REGISTER;
	event->type = SCCP_SERVER_REGISTER;
	event->reg = st->asked;
	return true;
}

/* Who was told to wait, and does not, costs its host nothing. */
static bool asks_too_early(
	struct sccp_server *s, const struct sccp_frame *frame)
{
	const struct sccp_server_state *st = s->state;
	uint64_t now = st->now.mono_ms;
	if (st->token_from <= now + EARLY_MS)
		return false;
	say_value(s,
		frame->id == SCCP_ID_TOKEN_REQ ? SCCP_ID_TOKEN_REJECT
					       : SCCP_ID_SPCP_TOKEN_REJECT,
		(uint32_t)((st->token_from - now + MS - 1) / MS));
	return true;
}

static bool on_token(struct sccp_server *s, const struct sccp_frame *frame,
	struct sccp_server_event *event)
{
	struct sccp_server_state *st = s->state;
	struct sccp_message m;
	if (frame->body_n < sccp_id_body_min(frame->id))
		return ignored(frame, "token request without a name", event);
	if (asks_too_early(s, frame))
		return false;
	sccp_message_read(&m, frame->id, 0, frame->body, frame->body_n);
	*ask(st) = (struct sccp_register){
		.instance = m.u.token.sid.instance,
		.station_ipv4 = m.u.token.station_ipv4,
		.device_type = m.u.token.device_type,
		.max_streams = m.u.token.max_streams,
	};
	memcpy(st->asked->device, m.u.token.sid.name,
		sizeof(st->asked->device));
	st->question = frame->id == SCCP_ID_TOKEN_REQ ? QUESTION_TOKEN
						      : QUESTION_SPCP_TOKEN;
	event->type = SCCP_SERVER_TOKEN;
	event->reg = st->asked;
	return true;
}

static bool on_unregister(struct sccp_server *s, const struct sccp_frame *frame,
	struct sccp_server_event *event)
{
	struct bytes_in body = bytes_in(frame->body, frame->body_n);
	event->type = SCCP_SERVER_UNREGISTER;
	event->value = bytes_le32(&body);
	if (say_value(s, SCCP_ID_UNREGISTER_ACK, 0))
		stop(s, PHASE_LEAVING, SCCP_CLOSE_UNREGISTERED);
	return true;
}

static bool on_alarm(struct sccp_server *s, const struct sccp_frame *frame,
	struct sccp_server_event *event)
{
	struct sccp_message m;
	const char *text = (const char *)frame->body;
	size_t max =
		frame->body_n < SCCP_ALARM_MAX ? frame->body_n : SCCP_ALARM_MAX;
	event->severity = SEVERITY_INFORMATIONAL;
	if (frame->id == SCCP_ID_ALARM) {
		sccp_message_read(&m, frame->id, 0, frame->body, frame->body_n);
		event->severity = m.u.alarm.severity;
		text = m.u.alarm.text;
		max = sizeof(m.u.alarm.text);
	}
	s->state->alarm = strndup(text, max);
	if (!s->state->alarm)
		abort(); /* law 2 */
	event->type = SCCP_SERVER_ALARM;
	event->text = s->state->alarm;
	return true;
}

/* The message with which this kind of phone ends its conversation. */
static uint32_t last_message(uint32_t device_type)
{
	return sccp_device_type_is_spcp(device_type) ? SCCP_ID_AVAILABLE_LINES
						     : SCCP_ID_TIME_DATE_REQ;
}

/* A count may be too high for its array, and rows may be missing, but not all
 * of them. Video phones answer with one of the updates. */
static bool capabilities_good(const struct sccp_frame *frame)
{
	struct bytes_in body = bytes_in(frame->body, frame->body_n);
	if (frame->id != SCCP_ID_CAPABILITIES_RES)
		return true;
	uint32_t count = bytes_le32(&body);
	return !body.bad && (count == 0 || body.left >= CODEC_ROW);
}

/* False: what it can do is nonsense, and that is the end. */
static bool take_capabilities(
	struct sccp_server *s, const struct sccp_frame *frame)
{
	switch (frame->id) {
	case SCCP_ID_CAPABILITIES_RES:
	case SCCP_ID_UPDATE_CAPABILITIES:
	case SCCP_ID_UPDATE_CAPABILITIES_V2:
	case SCCP_ID_UPDATE_CAPABILITIES_V3:
		if (!capabilities_good(frame)) {
			finish(s, SCCP_CLOSE_CAPABILITIES_BAD);
			return false;
		}
		settle(s->state, OWED_CAPABILITIES);
		return true;
	default:
		return true;
	}
}

static bool on_request(struct sccp_server *s, const struct sccp_frame *frame,
	struct sccp_server_event *event)
{
	struct sccp_server_state *st = s->state;
	if (!sccp_id_known(frame->id, SCCP_UP))
		return ignored(frame, "unknown message id", event);
	if (!st->promise)
		return ignored(frame, "not registered", event);
	if (!take_capabilities(s, frame))
		return false;
	switch (sccp_answer(st->promise, frame, &st->now, &s->out)) {
	case SCCP_ANSWERED:
	case SCCP_NEEDS_NO_ANSWER:
		break;
	case SCCP_NOT_A_REQUEST:
		return ignored(frame, "no call control here", event);
	case SCCP_NO_ROOM:
		finish_unread(s);
		return false;
	}
	if (st->told_registered ||
		frame->id != last_message(st->promise->device_type))
		return false;
	st->told_registered = true;
	event->type = SCCP_SERVER_REGISTERED;
	return true;
}

static bool on_frame(struct sccp_server *s, const struct sccp_frame *frame,
	struct sccp_server_event *event)
{
	event->message_id = frame->id;
	switch (frame->id) {
	case SCCP_ID_KEEP_ALIVE: /* also on a standby connection */
		say_value(s, SCCP_ID_KEEP_ALIVE_ACK, 0);
		return false;
	case SCCP_ID_REGISTER:
		return on_register(s, frame, event);
	case SCCP_ID_TOKEN_REQ:
	case SCCP_ID_SPCP_TOKEN_REQ:
		return on_token(s, frame, event);
	case SCCP_ID_UNREGISTER:
		return on_unregister(s, frame, event);
	case SCCP_ID_ALARM:
	case SCCP_ID_XML_ALARM:
		return on_alarm(s, frame, event);
	default:
		return on_request(s, frame, event);
	}
}

/* ---- the pull side ---- */

static bool throttled(struct sccp_server *s)
{
	struct sccp_server_state *st = s->state;
	if (st->now.mono_ms - st->window_start >= THROTTLE_WINDOW_MS) {
		st->window_start = st->now.mono_ms;
		st->window_frames = 0;
	}
	return ++st->window_frames > s->config->events_max;
}

/* Takes one whole frame. True if it made an event; more: look again. */
static bool take(struct sccp_server *s, const struct sccp_frame *frame,
	struct sccp_server_event *event)
{
	struct sccp_server_state *st = s->state;
	if (throttled(s)) {
		finish(s, SCCP_CLOSE_THROTTLED);
		return false;
	}
	if (st->phase == PHASE_SILENT)
		st->phase = PHASE_OPEN;
	set_due(s);
	bool made = on_frame(s, frame, event);
	/* stop() has emptied the queue already. */
	if (st->phase < PHASE_LEAVING)
		sccp_frame_drop(&s->in, frame);
	return made;
}

static bool reading(const struct sccp_server_state *st)
{
	return st->phase < PHASE_LEAVING && st->question == QUESTION_NONE;
}

static bool next_from_frames(
	struct sccp_server *s, struct sccp_server_event *event)
{
	struct sccp_server_state *st = s->state;
	struct sccp_frame frame;
	while (reading(st)) {
		uint32_t max = st->promise ? s->config->body_max_after
					   : s->config->body_max_before;
		switch (sccp_frame_next(&s->in, max, &frame)) {
		case SCCP_FRAME_MORE:
			return false;
		case SCCP_FRAME_WHOLE:
			if (take(s, &frame, event))
				return true;
			break;
		case SCCP_FRAME_LENGTH_UNDER_4:
			finish(s, SCCP_CLOSE_LENGTH_UNDER_4);
			break;
		case SCCP_FRAME_TOO_LONG:
			finish(s, SCCP_CLOSE_FRAME_TOO_LONG);
			break;
		case SCCP_FRAME_VERSION_IMPOSSIBLE:
			finish(s, SCCP_CLOSE_VERSION_IMPOSSIBLE);
			break;
		}
	}
	return false;
}

bool sccp_server_next(struct sccp_server *s, struct sccp_server_event *event)
{
	struct sccp_server_state *st = s->state;
	forget(st);
	*event = (struct sccp_server_event){0};
	if (next_from_frames(s, event))
		return true;
	*event = (struct sccp_server_event){0};
	if (st->phase != PHASE_CLOSING)
		return false;
	st->phase = PHASE_CLOSED;
	event->type = SCCP_SERVER_CLOSE;
	event->why = st->why;
	event->text = sccp_close_text(st->why);
	return true;
}

void sccp_server_feed(struct sccp_server *s, const void *data, size_t n,
	const struct moment *now)
{
	struct sccp_server_state *st = s->state;
	st->now = *now;
	if (st->phase >= PHASE_LEAVING)
		return;
	size_t waiting = bytes_queue_len(&s->in);
	if (waiting > (size_t)s->config->body_max_after + BACKLOG_MAX) {
		finish(s, SCCP_CLOSE_THROTTLED);
		return;
	}
	/* What is parsed at once by next() needs no other limit. */
	s->in.max = (uint32_t)(waiting + n);
	bytes_queue_put(&s->in, data, n);
}

/* Why the engine ends when the phone does not do what it owes. */
static const enum sccp_close unpaid[] = {
	[OWED_NOTHING] = SCCP_CLOSE_NONE,
	[OWED_REGISTER] = SCCP_CLOSE_TOKEN_UNUSED,
	[OWED_CAPABILITIES] = SCCP_CLOSE_CAPABILITIES_LATE,
	[OWED_RETURN] = SCCP_CLOSE_RESET_UNANSWERED,
};

void sccp_server_tick(struct sccp_server *s, const struct moment *now)
{
	struct sccp_server_state *st = s->state;
	st->now = *now;
	if (now->mono_ms >= st->owed_due) {
		finish(s, unpaid[st->owed]);
		return;
	}
	if (now->mono_ms < st->due)
		return;
	switch (st->phase) {
	case PHASE_SILENT:
		finish(s, SCCP_CLOSE_FIRST_FRAME_LATE);
		break;
	case PHASE_OPEN:
		finish(s, SCCP_CLOSE_IDLE);
		break;
	case PHASE_ACCEPTED:
		finish(s, SCCP_CLOSE_KEEPALIVE_TIMEOUT);
		break;
	case PHASE_LEAVING:
		finish(s, st->why);
		break;
	case PHASE_CLOSING:
	case PHASE_CLOSED:
		break;
	}
}

const uint8_t *sccp_server_out(const struct sccp_server *s, size_t *n)
{
	return bytes_queue_peek(&s->out, n);
}

void sccp_server_sent(struct sccp_server *s, size_t n)
{
	bytes_queue_drop(&s->out, n);
}

uint64_t sccp_server_deadline(const struct sccp_server *s)
{
	const struct sccp_server_state *st = s->state;
	return st->owed_due < st->due ? st->owed_due : st->due;
}

/* ---- the host's answers ---- */

void sccp_server_accept(struct sccp_server *s, const struct sccp_grant *grant)
{
	struct sccp_server_state *st = s->state;
	if (st->question != QUESTION_REGISTER)
		return;
	st->question = QUESTION_NONE;
	if (!st->asked->refresh)
		st->told_registered = false;
	sccp_promise_free(st->promise);
	st->promise =
		sccp_promise_new(st->asked, grant, s->config->version_max);
	st->phase = PHASE_ACCEPTED;
	set_due(s);
	owe(st, OWED_CAPABILITIES, s->config->capabilities_ms);
	if (sccp_answer_register(st->promise, &s->out) == SCCP_NO_ROOM)
		finish_unread(s);
}

void sccp_server_reject(struct sccp_server *s, const char *text)
{
	struct sccp_server_state *st = s->state;
	if (st->question != QUESTION_REGISTER)
		return;
	say_reject(s, text);
	if (st->phase != PHASE_CLOSING)
		stop(s, PHASE_LEAVING, SCCP_CLOSE_REJECTED);
}

/* Ends a TOKEN question with the answer in its own dialect. */
static void answer_token(struct sccp_server *s, uint32_t id, uint32_t spcp_id,
	uint32_t value, uint32_t spcp_value)
{
	enum question question = s->state->question;
	if (question == QUESTION_TOKEN) {
		s->state->question = QUESTION_NONE;
		say_value(s, id, value);
	}
	if (question == QUESTION_SPCP_TOKEN) {
		s->state->question = QUESTION_NONE;
		say_value(s, spcp_id, spcp_value);
	}
}

void sccp_server_grant_token(struct sccp_server *s)
{
	struct sccp_server_state *st = s->state;
	bool asked = st->question >= QUESTION_TOKEN;
	if (asked && !st->promise && st->owed == OWED_NOTHING)
		owe(st, OWED_REGISTER, s->config->token_ms);
	answer_token(
		s, SCCP_ID_TOKEN_ACK, SCCP_ID_SPCP_TOKEN_ACK, 0, SPCP_FEATURES);
}

void sccp_server_deny_token(struct sccp_server *s, uint32_t wait_s)
{
	struct sccp_server_state *st = s->state;
	if (st->question >= QUESTION_TOKEN)
		st->token_from = st->now.mono_ms + (uint64_t)wait_s * MS;
	answer_token(s, SCCP_ID_TOKEN_REJECT, SCCP_ID_SPCP_TOKEN_REJECT, wait_s,
		wait_s);
}

void sccp_server_reset(
	struct sccp_server *s, enum sccp_reset kind, const struct moment *now)
{
	s->state->now = *now;
	if (!s->state->promise || !say_value(s, SCCP_ID_RESET, kind))
		return;
	/* A phone that finds nothing new may stay. */
	if (kind != SCCP_APPLY)
		owe(s->state, OWED_RETURN, s->config->reset_ms);
}

uint8_t sccp_server_version(const struct sccp_server *s)
{
	return s->state->promise ? s->state->promise->version : 0;
}

bool sccp_server_registered(const struct sccp_server *s)
{
	return s->state->promise != NULL;
}

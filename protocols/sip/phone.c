/* SPDX-License-Identifier: Apache-2.0 */
/* The phone side of one SIP connection, as 78xx/88xx firmware speaks it. */
#include "protocols/sip/phone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/sip/answer.h"
#include "protocols/sip/ask.h"
#include "protocols/sip/message.h"
#include "protocols/sip/uri.h"

enum {
	ANSWER_MS = 32000,	/* patience, when the host names none */
	STANDBY_MS = 120000,	/* timerKeepAliveExpires */
	TOKEN_AGAIN_S = 120,	/* where a refusal names no Retry-After */
	REFRESH_DELTA_S = 5,	/* timerRegisterDelta */
	EXPIRES_MIN_S = 25,	/* less, after the delta, is "too short" */
	EXPIRES_BRIEF_S = 3600, /* after a 423 that names no Min-Expires */
	CHALLENGES_MAX = 3,	/* answered in a row */
	MESSAGE_MAX = 3072,	/* a phone's buffers, of 2012 */
	LINE_BYTES_MAX = 1023,
	PARAMS_MAX = 64,
	CONTACTS_MAX = 64,
	OUT_MAX = 65536,
	FEED_MAX = 1 << 20, /* the host reads less than this at once */
	TEXT_SIZE = 512,
};

static const struct sip_limits limits = {
	.message_max = MESSAGE_MAX,
	.head_max = MESSAGE_MAX,
	.lines_max = SIP_LINES_MAX,
	.params_max = PARAMS_MAX,
	.contacts_max = CONTACTS_MAX,
};

/*
 * One request is out at most; `asked` says which, NOTHING when none is.
 * due_ms is its patience while one is out, else the time of the next.
 */
struct sip_phone_state {
	struct sip_frame frame;
	struct moment now;
	struct sip_ask ask;
	enum sip_ask_kind asked;
	enum sip_ask_kind next; /* to ask at due_ms */
	uint64_t due_ms;
	bool registered;
	bool brief;  /* a 423 was followed already */
	bool again;  /* register as soon as it has unregistered */
	bool leave;  /* unregister as soon as the answer is here */
	bool failed; /* it is over */
	bool told;   /* FAILED was reported */
	enum sip_ask_kind challenged; /* waits for authorize(); or NOTHING */
	unsigned challenges;	      /* since the last that was no 401 */
	struct sip_challenge_read challenge;
	char text[TEXT_SIZE];
};

void sip_phone_init(struct sip_phone *p, const struct sip_phone_config *config,
	const struct moment *now)
{
	p->config = *config;
	p->state = calloc(1, sizeof(*p->state));
	if (!p->state)
		abort(); /* law 2: no memory */
	bytes_queue_init(&p->in, MESSAGE_MAX + (size_t)FEED_MAX);
	bytes_queue_init(&p->out, OUT_MAX);
	p->state->now = *now;
	p->state->due_ms = MOMENT_NEVER;
	sip_ask_init(&p->state->ask, &p->config);
}

void sip_phone_deinit(struct sip_phone *p)
{
	free(p->state);
	p->state = NULL;
	bytes_queue_deinit(&p->in);
	bytes_queue_deinit(&p->out);
}

static void fail(struct sip_phone *p, const char *why, const char *detail)
{
	struct sip_phone_state *st = p->state;
	if (st->failed)
		return;
	snprintf(st->text, sizeof(st->text), "%s%s", why, detail);
	st->failed = true;
	st->due_ms = MOMENT_NEVER;
}

static void ask(struct sip_phone *p, enum sip_ask_kind kind)
{
	struct sip_phone_state *st = p->state;
	uint32_t patience = p->config.answer_ms;
	struct sip_answer a = {.out = &p->out};
	sip_ask_write(&st->ask, &p->config, kind, &a, &st->now);
	st->asked = kind;
	st->due_ms = st->now.mono_ms + (patience ? patience : ANSWER_MS);
	if (a.full)
		fail(p, "the server does not read", "");
}

static void ask_later(
	struct sip_phone *p, enum sip_ask_kind kind, uint64_t wait_ms)
{
	p->state->next = kind;
	p->state->due_ms = p->state->now.mono_ms + wait_ms;
}

void sip_phone_start(struct sip_phone *p, const struct moment *now)
{
	struct sip_phone_state *st = p->state;
	st->now = *now;
	if (st->failed || st->asked != SIP_ASK_NOTHING)
		return;
	st->brief = false;
	sip_ask_renew(&st->ask, &p->config);
	ask(p, p->config.standby ? SIP_ASK_STANDBY : SIP_ASK_FIRST);
}

void sip_phone_token(struct sip_phone *p, const struct moment *now)
{
	struct sip_phone_state *st = p->state;
	st->now = *now;
	if (st->failed || st->asked != SIP_ASK_NOTHING)
		return;
	sip_ask_renew(&st->ask, &p->config);
	ask(p, SIP_ASK_TOKEN);
}

static void leave(struct sip_phone *p)
{
	struct sip_phone_state *st = p->state;
	st->leave = false;
	sip_ask_renew(&st->ask, &p->config);
	ask(p, SIP_ASK_LEAVE);
}

void sip_phone_unregister(struct sip_phone *p, const struct moment *now)
{
	struct sip_phone_state *st = p->state;
	st->now = *now;
	if (st->failed || st->asked == SIP_ASK_LEAVE)
		return;
	if (st->asked != SIP_ASK_NOTHING) {
		st->leave = true;
		return;
	}
	st->due_ms = MOMENT_NEVER;
	if (st->registered)
		leave(p);
}

uint64_t sip_phone_deadline(const struct sip_phone *p)
{
	return p->state->due_ms;
}

void sip_phone_tick(struct sip_phone *p, const struct moment *now)
{
	struct sip_phone_state *st = p->state;
	st->now = *now;
	if (now->mono_ms < st->due_ms)
		return;
	st->due_ms = MOMENT_NEVER;
	if (st->asked != SIP_ASK_NOTHING) {
		fail(p,
			st->asked == SIP_ASK_TOKEN
				? "no answer to REFER in time"
				: "no answer to REGISTER in time",
			"");
		return;
	}
	if (st->next != SIP_ASK_REFRESH)
		sip_ask_renew(&st->ask, &p->config);
	ask(p, st->next);
}

void sip_phone_feed(struct sip_phone *p, const void *data, size_t n,
	const struct moment *now)
{
	sip_phone_tick(p, now);
	if (!p->state->failed && bytes_queue_put(&p->in, data, n) < 0)
		fail(p, "the server sends too much at once", "");
}

const uint8_t *sip_phone_out(const struct sip_phone *p, size_t *n)
{
	return bytes_queue_peek(&p->out, n);
}

void sip_phone_sent(struct sip_phone *p, size_t n)
{
	bytes_queue_drop(&p->out, n);
}

static bool tell(struct sip_phone *p, struct sip_phone_event *event,
	enum sip_phone_event_type type, uint32_t value)
{
	*event = (struct sip_phone_event){
		.type = type, .value = value, .text = p->state->text};
	return true;
}

/* Every line as a phone's buffers take it. */
static bool lines_fit(const struct sip_head *head)
{
	for (size_t i = 0; i < head->n; i++) {
		size_t n = head->lines[i].name.n + head->lines[i].value.n + 4;
		if (n > LINE_BYTES_MAX)
			return false;
	}
	return true;
}

static bool has_tag(const struct sip_head *head, enum sip_header header)
{
	struct sip_address address;
	struct sip_param tag;
	return sip_field_address(sip_head_value(head, header), &address) &&
	       sip_field_find(address.params, "tag", &tag);
}

/* Our own Via; a server may have put `received` and the like behind it. */
static bool via_is(struct sip_slice value, const char *via)
{
	size_t n = strlen(via);
	return sip_field_starts(value, via) &&
	       (value.n == n || value.p[n] == ';');
}

/* Does it answer the request that is out? */
static bool answers(const struct sip_phone *p, const struct sip_message *m)
{
	const struct sip_ask *out = &p->state->ask;
	const struct sip_head *head = &m->head;
	enum sip_method method = p->state->asked == SIP_ASK_TOKEN
					 ? SIP_METHOD_REFER
					 : SIP_METHOD_REGISTER;
	return p->state->asked != SIP_ASK_NOTHING && m->cseq == out->cseq &&
	       m->method == method &&
	       via_is(sip_head_value(head, SIP_HEADER_VIA), out->via) &&
	       sip_field_is(sip_head_value(head, SIP_HEADER_CALL_ID),
		       out->call_id) &&
	       sip_field_has(sip_head_value(head, SIP_HEADER_FROM), out->tag);
}

/* Our own Contact among those of the answer; false: it is not there. */
static bool find_contact(const struct sip_phone *p, const struct sip_head *head,
	struct sip_address *found)
{
	char uri[SIP_ASK_VIA_SIZE];
	sip_ask_uri(&p->state->ask, &p->config, uri, sizeof(uri));
	for (size_t i = 0; i < head->n; i++) {
		struct sip_slice rest = head->lines[i].value;
		struct sip_slice contact;
		if (head->lines[i].header != SIP_HEADER_CONTACT)
			continue;
		while (sip_field_list(&rest, &contact)) {
			if (sip_field_address(contact, found) &&
				sip_uri_same(found->uri, sip_field_text(uri)))
				return true;
		}
	}
	return false;
}

/* Seconds granted: the header, else the Contact's, at most what we asked. */
static bool read_grant(
	struct sip_phone *p, const struct sip_head *head, uint32_t *granted)
{
	struct sip_address contact;
	struct sip_param expires;
	struct sip_slice value = sip_head_value(head, SIP_HEADER_EXPIRES);
	uint32_t seconds = p->state->ask.expires_s;
	if (!find_contact(p, head, &contact)) {
		fail(p, "200 without our Contact", "");
		return false;
	}
	if (!value.p && sip_field_find(contact.params, "expires", &expires))
		value = expires.value;
	if (value.p && !sip_field_number(value, &seconds)) {
		fail(p, "200 with an Expires that is no number", "");
		return false;
	}
	if (seconds > p->state->ask.expires_s)
		seconds = p->state->ask.expires_s;
	*granted = seconds;
	if (seconds >= EXPIRES_MIN_S)
		return true;
	fail(p, "reg expires too short", "");
	return false;
}

static bool on_registered(struct sip_phone *p, enum sip_ask_kind asked,
	const struct sip_head *head, struct sip_phone_event *event)
{
	uint32_t seconds;
	if (!read_grant(p, head, &seconds))
		return false;
	p->state->registered = true;
	p->state->brief = false;
	ask_later(p, SIP_ASK_REFRESH,
		(seconds - REFRESH_DELTA_S) * UINT64_C(1000));
	return tell(p, event,
		asked == SIP_ASK_FIRST ? SIP_PHONE_REGISTERED
				       : SIP_PHONE_REFRESHED,
		seconds);
}

static bool on_ok(struct sip_phone *p, enum sip_ask_kind asked,
	const struct sip_head *head, struct sip_phone_event *event)
{
	switch (asked) {
	case SIP_ASK_FIRST:
	case SIP_ASK_REFRESH:
		return on_registered(p, asked, head, event);
	case SIP_ASK_STANDBY:
		ask_later(p, SIP_ASK_STANDBY, STANDBY_MS);
		return tell(p, event, SIP_PHONE_STANDBY, 0);
	case SIP_ASK_LEAVE:
		p->state->registered = false;
		if (p->state->again) {
			p->state->again = false;
			sip_ask_renew(&p->state->ask, &p->config);
			ask(p, SIP_ASK_FIRST);
			return false;
		}
		return tell(p, event, SIP_PHONE_UNREGISTERED, 0);
	case SIP_ASK_TOKEN:
		return tell(p, event, SIP_PHONE_TOKEN, 0);
	case SIP_ASK_NOTHING:
		break;
	}
	return false;
}

/* The number a value begins with: `17 (busy);duration=60`. */
static uint32_t leading_number(struct sip_slice value)
{
	uint32_t number = 0;
	size_t n = 0;
	while (n < value.n && value.p[n] >= '0' && value.p[n] <= '9')
		n++;
	value.n = n;
	sip_field_number(value, &number);
	return number;
}

/* "Forbidden; 399 node "why"", for people. */
static void show_refusal(struct sip_phone *p, const struct sip_message *m)
{
	char phrase[TEXT_SIZE / 4], warning[TEXT_SIZE / 2];
	sip_field_show(m->phrase, phrase, sizeof(phrase));
	sip_field_show(sip_head_value(&m->head, SIP_HEADER_WARNING), warning,
		sizeof(warning));
	snprintf(p->state->text, sizeof(p->state->text), "%s%s%s", phrase,
		warning[0] ? "; " : "", warning);
}

/* 423: asks again, once, for what the server wants. */
static bool ask_longer(struct sip_phone *p, enum sip_ask_kind asked,
	const struct sip_message *m)
{
	struct sip_phone_state *st = p->state;
	if (m->status != 423 || st->brief)
		return false;
	uint32_t least = leading_number(
		sip_head_value(&m->head, SIP_HEADER_MIN_EXPIRES));
	st->brief = true;
	st->ask.expires_s = least ? least : EXPIRES_BRIEF_S;
	sip_ask_renew(&st->ask, &p->config);
	ask(p, asked);
	return true;
}

/* The first challenge that is one of ours: they come strongest first. */
static bool find_challenge(struct sip_phone *p, const struct sip_head *head)
{
	for (size_t i = 0; i < head->n; i++) {
		if (head->lines[i].header == SIP_HEADER_WWW_AUTHENTICATE &&
			sip_auth_challenge(
				head->lines[i].value, &p->state->challenge))
			return true;
	}
	return false;
}

/* 401: the host knows the password. */
static bool on_challenge(struct sip_phone *p, enum sip_ask_kind asked,
	const struct sip_message *m, struct sip_phone_event *event)
{
	struct sip_phone_state *st = p->state;
	if (m->status != 401 || !p->config.digest ||
		st->challenges++ == CHALLENGES_MAX ||
		!find_challenge(p, &m->head))
		return false;
	st->challenged = asked;
	snprintf(st->text, sizeof(st->text), "sip:%.255s", p->config.server);
	tell(p, event, SIP_PHONE_CHALLENGED, 0);
	event->challenge = &st->challenge;
	return true;
}

void sip_phone_authorize(struct sip_phone *p, const char *authorization,
	const struct moment *now)
{
	struct sip_phone_state *st = p->state;
	enum sip_ask_kind kind = st->challenged;
	st->now = *now;
	st->challenged = SIP_ASK_NOTHING;
	if (st->failed || kind == SIP_ASK_NOTHING)
		return;
	if (!authorization) {
		fail(p, "challenged, and no credentials", "");
		return;
	}
	snprintf(st->ask.authorization, sizeof(st->ask.authorization), "%s",
		authorization);
	ask(p, kind);
}

/* Seconds that the refusal asks to wait, 0 when it is final: these statuses
 * alone make a phone look for Retry-After. */
static uint32_t told_to_wait(
	enum sip_ask_kind asked, const struct sip_message *m)
{
	static const int statuses[] = {503, 486, 404, 413, 480};
	size_t n = asked == SIP_ASK_TOKEN ? 2 : 5, i = 0;
	while (i < n && statuses[i] != m->status)
		i++;
	if (i == n)
		return 0;
	uint32_t wait_s = leading_number(
		sip_head_value(&m->head, SIP_HEADER_RETRY_AFTER));
	return asked == SIP_ASK_TOKEN && !wait_s ? TOKEN_AGAIN_S : wait_s;
}

static bool on_refused(struct sip_phone *p, enum sip_ask_kind asked,
	const struct sip_message *m, struct sip_phone_event *event)
{
	if (asked != SIP_ASK_TOKEN && ask_longer(p, asked, m))
		return false;
	if (on_challenge(p, asked, m, event))
		return true;
	show_refusal(p, m);
	uint32_t wait_s = told_to_wait(asked, m);
	if (wait_s) {
		ask_later(p, asked, wait_s * UINT64_C(1000));
		return tell(p, event,
			asked == SIP_ASK_TOKEN ? SIP_PHONE_TOKEN
					       : SIP_PHONE_RETRY,
			wait_s);
	}
	p->state->registered = false;
	return tell(p, event, SIP_PHONE_REJECTED, (uint32_t)m->status);
}

static bool on_answer(struct sip_phone *p, const struct sip_message *m,
	struct sip_phone_event *event)
{
	struct sip_phone_state *st = p->state;
	enum sip_ask_kind asked = st->asked;
	if (!answers(p, m)) {
		fail(p, "an answer to nothing we asked", "");
		return false;
	}
	if (m->status < 200)
		return false; /* Trying: patience stays what it was */
	if (!has_tag(&m->head, SIP_HEADER_TO)) {
		fail(p, "an answer without a tag in To", "");
		return false;
	}
	st->asked = SIP_ASK_NOTHING;
	st->due_ms = MOMENT_NEVER;
	st->text[0] = '\0';
	if (m->status != 401)
		st->challenges = 0;
	bool told = m->status < 300 ? on_ok(p, asked, &m->head, event)
				    : on_refused(p, asked, m, event);
	if (st->asked != SIP_ASK_NOTHING || st->challenged != SIP_ASK_NOTHING)
		return told;
	if (st->leave && st->registered)
		leave(p);
	st->leave = false;
	return told;
}

/* The next line of a text/plain body, its CR LF or LF taken off. */
static bool next_line(struct sip_slice *rest, struct sip_slice *line)
{
	if (!rest->n)
		return false;
	const char *end = memchr(rest->p, '\n', rest->n);
	size_t n = end ? (size_t)(end - rest->p) : rest->n;
	*line = sip_field_trim((struct sip_slice){rest->p, n});
	n += end != NULL;
	*rest = (struct sip_slice){rest->p + n, rest->n - n};
	return true;
}

/* What follows `key=` in a body; p NULL: no such line. */
static struct sip_slice body_value(struct sip_slice body, const char *key)
{
	struct sip_slice line;
	size_t n = strlen(key);
	while (next_line(&body, &line)) {
		if (sip_field_starts(line, key))
			return (struct sip_slice){line.p + n, line.n - n};
	}
	return (struct sip_slice){NULL, 0};
}

static bool known_action(struct sip_slice action)
{
	static const char *const actions[] = {"reset", "restart",
		"check-version", "call-preservation", "apply-config",
		"prt-report"};
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (sip_field_is(action, actions[i]))
			return true;
	}
	return false;
}

/* 200 when the order is meant for this registration. */
static int judge_notify(const struct sip_phone *p, const struct sip_message *m)
{
	char wanted[SIP_ASK_CALL_ID_SIZE + 2];
	const struct sip_head *head = &m->head;
	if (!sip_field_is_nocase(
		    sip_head_value(head, SIP_HEADER_EVENT), "service-control"))
		return 489;
	snprintf(wanted, sizeof(wanted), "{%s}", p->state->ask.call_id);
	bool ours =
		sip_field_is(body_value(m->body, "RegisterCallId="), wanted);
	bool plain = sip_field_is_nocase(
		sip_head_value(head, SIP_HEADER_CONTENT_TYPE), "text/plain");
	bool known = known_action(body_value(m->body, "action="));
	return plain && ours && known && p->state->registered ? 200 : 400;
}

static int judge_request(const struct sip_phone *p, const struct sip_message *m,
	enum sip_rule rule)
{
	if (rule != SIP_RULE_OK)
		return sip_rule_status(rule);
	if (m->method == SIP_METHOD_NOTIFY)
		return judge_notify(p, m);
	return m->method == SIP_METHOD_OPTIONS ? 200 : 405;
}

/* A phone goes down in order and comes back as after its start. */
static void obey(struct sip_phone *p)
{
	struct sip_phone_state *st = p->state;
	if (strcmp(st->text, "reset") != 0 && strcmp(st->text, "restart") != 0)
		return;
	sip_ask_reason(&st->ask, &p->config, st->text);
	st->again = !p->config.leaves;
	if (st->asked != SIP_ASK_NOTHING)
		st->leave = true;
	else
		leave(p);
}

static bool on_request(struct sip_phone *p, const struct sip_message *m,
	enum sip_rule rule, struct sip_phone_event *event)
{
	struct sip_answer a;
	int status = judge_request(p, m, rule);
	if (!status || m->method == SIP_METHOD_ACK)
		return false;
	sip_answer_start(&a, &p->out, &m->head, status, NULL, &p->state->now);
	if (status == 405)
		sip_answer_line(&a, "Allow: NOTIFY, OPTIONS");
	sip_answer_end(&a);
	if (a.full)
		fail(p, "the server does not read", "");
	if (status != 200 || m->method != SIP_METHOD_NOTIFY)
		return false;
	sip_field_show(body_value(m->body, "action="), p->state->text,
		sizeof(p->state->text));
	obey(p);
	return tell(p, event, SIP_PHONE_RESET, 0);
}

static bool on_message(
	struct sip_phone *p, const char *data, struct sip_phone_event *event)
{
	struct sip_message m;
	enum sip_rule rule =
		sip_message_read(&m, data, &p->state->frame, &limits);
	if (!lines_fit(&m.head)) {
		fail(p, "a header line longer than a phone reads", "");
		return false;
	}
	if (!m.response)
		return on_request(p, &m, rule, event);
	if (rule == SIP_RULE_OK)
		return on_answer(p, &m, event);
	fail(p, "a malformed answer: ", sip_rule_text(rule));
	return false;
}

/* Takes one message off the input, if there is one. */
static enum sip_frame_step step(
	struct sip_phone *p, bool *told, struct sip_phone_event *event)
{
	size_t n, skip;
	struct sip_frame *f = &p->state->frame;
	const uint8_t *data = bytes_queue_peek(&p->in, &n);
	enum sip_frame_step found =
		sip_frame_next(f, &limits, (const char *)data, n, &skip);
	bytes_queue_drop(&p->in, skip);
	*told = false;
	if (found == SIP_FRAME_LOST)
		fail(p, "a malformed message: ", sip_rule_text(f->rule));
	if (found != SIP_FRAME_MESSAGE)
		return found;
	data = bytes_queue_peek(&p->in, &n);
	*told = on_message(p, (const char *)data, event);
	bytes_queue_drop(&p->in, (size_t)f->head + f->body);
	*f = (struct sip_frame){0};
	return found;
}

bool sip_phone_next(struct sip_phone *p, struct sip_phone_event *event)
{
	struct sip_phone_state *st = p->state;
	bool told = false;
	while (!st->failed && !told) {
		if (step(p, &told, event) == SIP_FRAME_MORE)
			return false;
	}
	if (told)
		return true;
	bytes_queue_deinit(&p->in);
	if (st->told)
		return false;
	st->told = true;
	return tell(p, event, SIP_PHONE_FAILED, 0);
}

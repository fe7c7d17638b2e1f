/* SPDX-License-Identifier: Apache-2.0 */
/* The server side of one SIP connection: bytes in, events and bytes out. */
#include "protocols/sip/server.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/sip/answer.h"
#include "protocols/sip/message.h"
#include "protocols/sip/registration.h"
#include "protocols/sip/request.h"
#include "protocols/sip/server_state.h"
#include "protocols/sip/uri.h"

enum {
	WINDOW_MS = 5000,   /* requests_max counts over this */
	FEED_MAX = 1 << 20, /* the host reads less than this at once */
	METHOD_MAX = 31,
	FLOW_GRACE_S = 10, /* RFC 5626 4.4.1: some seconds on top */
};

static const char ALLOW[] = "Allow: REGISTER, OPTIONS, REFER\r\n";
const char sip_server_supported[] =
	"Supported: X-cisco-srtp-fallback,X-cisco-sis-7.0.0\r\n";
static const char ACCEPT[] =
	"Accept: multipart/mixed, application/x-cisco-alarm+xml, "
	"application/x-cisco-remotecc-request+xml, "
	"application/x-cisco-remotecc-response+xml\r\n";
const struct sip_server_config sip_server_defaults = {
	.first_message_ms = 30000,
	.idle_ms = 400000,
	.message_ms = 10000,
	.message_max = 11000,
	.head_max = 8192,
	.lines_max = 100,
	.params_max = 64,
	.contacts_max = SIP_CONTACTS_MAX,
	.requests_max = 500,
	.out_max = 65536,
	.answer_ms = 32000, /* RFC 3261 17.1.2.2: timer F */
	.node = "dialtone",
};

static const struct {
	const char *name;
	const char *text;
} closes[] = {
#define X(symbol, name, text) {name, text},
	SIP_CLOSE_LIST(X)
#undef X
};

const char *sip_close_name(enum sip_close why)
{
	return closes[why].name;
}

const char *sip_close_text(enum sip_close why)
{
	return closes[why].text;
}

static void *need(void *memory)
{
	if (!memory)
		abort(); /* law 2: no memory; all sizes here are capped */
	return memory;
}

void sip_server_init(struct sip_server *s,
	const struct sip_server_config *config, const struct moment *now)
{
	s->config = config;
	s->state = need(calloc(1, sizeof(*s->state)));
	bytes_queue_init(&s->in, config->message_max + (size_t)FEED_MAX);
	bytes_queue_init(&s->out, config->out_max);
	s->state->now = *now;
	s->state->born_ms = now->mono_ms;
	s->state->window_ms = now->mono_ms;
	s->state->begun_ms = MOMENT_NEVER;
	s->state->alive_ms = MOMENT_NEVER;
	s->state->order_ms = MOMENT_NEVER;
}

void sip_server_set_source(
	struct sip_server *s, const char *address, uint16_t port)
{
	s->state->source = (struct sip_source){address, port};
}

/* Frees what the last event pointed to. */
static void forget(struct sip_server_state *st)
{
	free(st->reg);
	free(st->kept);
	free(st->text);
	st->reg = NULL;
	st->kept = NULL;
	st->text = NULL;
}

void sip_server_deinit(struct sip_server *s)
{
	if (s->state)
		forget(s->state);
	free(s->state);
	bytes_queue_deinit(&s->in);
	bytes_queue_deinit(&s->out);
	s->state = NULL;
}

void sip_server_shut(struct sip_server *s, enum sip_close why)
{
	if (s->state->why == SIP_CLOSE_NONE)
		s->state->why = why;
}

struct due {
	uint64_t at_ms;
	enum sip_close why;
};

static void sooner(
	struct due *due, uint64_t from_ms, uint64_t wait_ms, enum sip_close why)
{
	if (from_ms == MOMENT_NEVER || from_ms + wait_ms >= due->at_ms)
		return;
	*due = (struct due){from_ms + wait_ms, why};
}

static struct due next_due(const struct sip_server *s)
{
	const struct sip_server_state *st = s->state;
	const struct sip_server_config *config = s->config;
	struct due due = {MOMENT_NEVER, SIP_CLOSE_NONE};
	if (st->why != SIP_CLOSE_NONE)
		return due;
	if (!st->met)
		sooner(&due, st->born_ms, config->first_message_ms,
			SIP_CLOSE_FIRST_MESSAGE_LATE);
	sooner(&due, st->begun_ms, config->message_ms, SIP_CLOSE_MESSAGE_LATE);
	if (st->flow)
		sooner(&due, st->ping_ms,
			(config->flow_timer_s + FLOW_GRACE_S) * UINT64_C(1000),
			SIP_CLOSE_FLOW_SILENT);
	sooner(&due, st->alive_ms, 0, SIP_CLOSE_EXPIRED);
	if (st->met && st->alive_ms == MOMENT_NEVER)
		sooner(&due, st->heard_ms, config->idle_ms, SIP_CLOSE_IDLE);
	return due;
}

uint64_t sip_server_deadline(const struct sip_server *s)
{
	uint64_t close_ms = next_due(s).at_ms, order_ms = s->state->order_ms;
	if (s->state->why != SIP_CLOSE_NONE)
		return MOMENT_NEVER;
	return order_ms < close_ms ? order_ms : close_ms;
}

void sip_server_tick(struct sip_server *s, const struct moment *now)
{
	struct due due = next_due(s);
	s->state->now = *now;
	if (now->mono_ms >= due.at_ms)
		sip_server_shut(s, due.why);
}

void sip_server_feed(struct sip_server *s, const void *data, size_t n,
	const struct moment *now)
{
	sip_server_tick(s, now);
	if (s->state->why != SIP_CLOSE_NONE)
		return;
	if (bytes_queue_put(&s->in, data, n) < 0)
		sip_server_shut(s, SIP_CLOSE_MESSAGE_TOO_LONG);
}

const uint8_t *sip_server_out(const struct sip_server *s, size_t *n)
{
	return bytes_queue_peek(&s->out, n);
}

void sip_server_sent(struct sip_server *s, size_t n)
{
	bytes_queue_drop(&s->out, n);
}

static struct sip_limits limits_of(const struct sip_server_config *config)
{
	uint32_t lines = config->lines_max;
	return (struct sip_limits){
		.message_max = config->message_max,
		.head_max = config->head_max,
		.lines_max = lines < SIP_LINES_MAX ? lines : SIP_LINES_MAX,
		.params_max = config->params_max,
		.contacts_max = config->contacts_max,
	};
}

const char *sip_server_input(const struct sip_server *s)
{
	size_t n;
	return (const char *)bytes_queue_peek(&s->in, &n);
}

void sip_server_consume(struct sip_server *s)
{
	struct sip_server_state *st = s->state;
	bytes_queue_drop(&s->in, (size_t)st->frame.head + st->frame.body);
	st->frame = (struct sip_frame){0};
	st->waiting = FOR_NOTHING;
}

void sip_server_begin(struct sip_server *s, struct sip_answer *a,
	const struct sip_head *head, int status, const char *phrase)
{
	uint64_t *answered = s->config->answered;
	if (answered)
		__atomic_add_fetch(
			&answered[status / 100], 1, __ATOMIC_RELAXED);
	sip_answer_start(a, &s->out, head, status, phrase, &s->state->now);
	sip_answer_text(a, "Server: Dialtone\r\n");
}

void sip_server_finish(struct sip_server *s, struct sip_answer *a)
{
	sip_answer_end(a);
	if (a->full)
		sip_server_shut(s, SIP_CLOSE_NOT_READING);
}

static void put_unsupported(struct sip_answer *a, const struct sip_head *head)
{
	char text[128];
	for (size_t i = 0; i < head->n; i++) {
		struct sip_slice rest = head->lines[i].value;
		struct sip_slice tag;
		if (head->lines[i].header != SIP_HEADER_REQUIRE)
			continue;
		while (sip_field_list(&rest, &tag)) {
			sip_field_show(tag, text, sizeof(text));
			if (!sip_message_supports(tag))
				sip_answer_line(a, "Unsupported: %s", text);
		}
	}
}

void sip_server_put_contact(struct sip_server *s, struct sip_answer *a)
{
	sip_answer_line(a, "Contact: <sip:%.64s;transport=%s>", s->config->node,
		s->config->tls	 ? "tls"
		: s->config->udp ? "udp"
				 : "tcp");
}

/* Answers by the rule that decided and reports it. */
static bool answer(struct sip_server *s, const struct sip_message *m,
	enum sip_rule rule, struct sip_server_event *event)
{
	struct sip_answer a;
	int status = sip_rule_status(rule);
	sip_server_begin(s, &a, &m->head, status, NULL);
	if (rule == SIP_RULE_OPTIONS || status == 405 || status == 489)
		sip_answer_text(&a, ALLOW);
	if (rule == SIP_RULE_OPTIONS || status == 415)
		sip_answer_text(&a, ACCEPT);
	if (rule == SIP_RULE_OPTIONS)
		sip_answer_text(&a, sip_server_supported);
	if (status == 202)
		sip_server_put_contact(s, &a);
	if (status == 420)
		put_unsupported(&a, &m->head);
	if (status == 421)
		sip_answer_text(&a, "Require: path\r\n");
	if (status >= 400)
		sip_answer_warning(&a, s->config->node, sip_rule_text(rule));
	sip_server_finish(s, &a);
	free(s->state->text);
	s->state->text = need(malloc(METHOD_MAX + 1));
	sip_field_show(m->name, s->state->text, METHOD_MAX + 1);
	*event = (struct sip_server_event){
		.type = SIP_SERVER_ANSWERED,
		.method = s->state->text,
		.status = status,
		.text = sip_rule_text(rule),
	};
	return true;
}

/* The host answers later, and the input may move until then. */
static void wait_for_host(struct sip_server_state *st,
	const struct sip_message *m, enum waiting waiting)
{
	const struct sip_head *head = &m->head;
	const char *start = head->first.p;
	st->waiting = waiting;
	st->kept = need(malloc(head->n * sizeof(*st->kept)));
	st->n_kept = 0;
	for (size_t i = 0; i < head->n; i++) {
		const struct sip_line *line = &head->lines[i];
		if (!sip_answer_echoes(line->header))
			continue;
		st->kept[st->n_kept++] = (struct kept_line){
			.header = line->header,
			.at = (uint32_t)(line->value.p - start),
			.n = (uint32_t)line->value.n,
		};
	}
}

static bool on_register(struct sip_server *s, const struct sip_message *m,
	struct sip_server_event *event)
{
	struct sip_server_state *st = s->state;
	enum sip_rule rule;
	st->reg = sip_registration_new(m, &rule);
	if (rule != SIP_RULE_OK)
		return answer(s, m, rule, event);
	wait_for_host(st, m, FOR_REGISTER);
	*event = (struct sip_server_event){
		.type = SIP_SERVER_REGISTER, .reg = st->reg};
	return true;
}

static bool on_token(struct sip_server *s, const struct sip_message *m,
	struct sip_server_event *event)
{
	struct sip_server_state *st = s->state;
	enum sip_rule rule;
	st->reg = sip_registration_new_device(m, &rule);
	if (rule != SIP_RULE_OK)
		return answer(s, m, rule, event);
	wait_for_host(st, m, FOR_TOKEN);
	*event = (struct sip_server_event){
		.type = SIP_SERVER_TOKEN, .reg = st->reg};
	return true;
}

static bool on_alarm(struct sip_server *s, const struct sip_message *m,
	struct sip_server_event *event)
{
	struct sip_answer a;
	struct sip_alarm_report *report = need(malloc(sizeof(*report)));
	sip_alarm_read(m->body, report);
	s->state->text = (char *)report;
	sip_server_begin(s, &a, &m->head, 202, NULL);
	sip_server_put_contact(s, &a);
	sip_server_finish(s, &a);
	*event = (struct sip_server_event){
		.type = SIP_SERVER_ALARM,
		.text = report->text,
		.alarm = report,
	};
	return true;
}

/* Room for an AOR, and behind it for the value of `gr`. */
enum { GR_MAX = 127 };

/* Who is called: the AOR and, of a GRUU, which instance of it. */
static bool on_locate(struct sip_server *s, const struct sip_message *m,
	struct sip_server_event *event)
{
	struct sip_uri uri;
	struct sip_param param;
	char *aor = need(malloc(SIP_AOR_MAX + 1 + GR_MAX + 1));
	char *gr = aor + SIP_AOR_MAX + 1;
	s->state->text = aor;
	*event = (struct sip_server_event){
		.type = SIP_SERVER_LOCATE, .text = aor};
	if (!sip_uri_read(m->uri, &uri) || !uri.user.p ||
		!sip_uri_aor(&uri, aor, SIP_AOR_MAX + 1))
		return answer(s, m, SIP_RULE_INVITE_URI, event);
	if (sip_field_find(uri.params, "gr", &param)) {
		if (param.value.n > GR_MAX)
			return answer(s, m, SIP_RULE_INVITE_URI, event);
		struct sip_slice none = {"", 0};
		sip_field_show(
			param.value.p ? param.value : none, gr, GR_MAX + 1);
		event->gr = gr;
	}
	wait_for_host(s->state, m, FOR_LOCATE);
	return true;
}

static bool on_request(struct sip_server *s, const struct sip_message *m,
	enum sip_rule rule, struct sip_server_event *event)
{
	struct sip_decision decision = sip_request_decide(m, rule);
	bool invite = m->method == SIP_METHOD_INVITE &&
		      decision.rule == SIP_RULE_NOT_ALLOWED;
	if (invite && s->config->locate)
		return on_locate(s, m, event);
	switch (decision.action) {
	case SIP_ACTION_DROP:
		return false;
	case SIP_ACTION_REGISTER:
		return on_register(s, m, event);
	case SIP_ACTION_TOKEN:
		return on_token(s, m, event);
	case SIP_ACTION_ALARM:
		return on_alarm(s, m, event);
	case SIP_ACTION_ANSWER:
		break;
	}
	return answer(s, m, decision.rule, event);
}

static bool on_message(struct sip_server *s, struct sip_server_event *event)
{
	struct sip_message m;
	struct sip_server_state *st = s->state;
	struct sip_limits limits = limits_of(s->config);
	enum sip_rule rule =
		sip_message_read(&m, sip_server_input(s), &st->frame, &limits);
	m.head.source = &st->source;
	st->met = true;
	st->heard_ms = st->ping_ms = st->now.mono_ms;
	st->begun_ms = MOMENT_NEVER;
	if (!m.response)
		return on_request(s, &m, rule, event);
	if (rule != SIP_RULE_OK)
		return false; /* a broken answer is dropped (RFC 3261 8.1.3) */
	return sip_server_on_response(s, &m, event);
}

static enum sip_close close_of(enum sip_rule rule)
{
	switch ((int)rule) {
	case SIP_RULE_NOT_SIP:
		return SIP_CLOSE_NOT_SIP;
	case SIP_RULE_LINE_END:
		return SIP_CLOSE_LINE_END;
	case SIP_RULE_HEAD_TOO_LONG:
		return SIP_CLOSE_HEAD_TOO_LONG;
	case SIP_RULE_MESSAGE_TOO_LONG:
		return SIP_CLOSE_MESSAGE_TOO_LONG;
	default:
		return SIP_CLOSE_BAD_LENGTH;
	}
}

/*
 * The message under way cannot be finished: says so to whoever asked, as far
 * as that is known.
 */
static bool give_up(struct sip_server *s, enum sip_rule rule,
	struct sip_server_event *event)
{
	struct sip_message m;
	size_t n;
	const struct sip_frame *f = &s->state->frame;
	const uint8_t *data = bytes_queue_peek(&s->in, &n);
	/* No further than it was looked at: more may have come, or not. */
	if (n > f->scanned)
		n = (size_t)f->scanned + 1;
	sip_message_read_part(&m, (const char *)data, f->head ? f->head : n);
	m.head.source = &s->state->source;
	if (!sip_rule_status(rule) || m.response || !m.name.n ||
		m.method == SIP_METHOD_ACK)
		return false;
	answer(s, &m, rule, event);
	event->why = s->state->why;
	return true;
}

/* Counts what the peer makes us do; false: it is too much. */
static bool within_rate(struct sip_server *s)
{
	struct sip_server_state *st = s->state;
	if (st->now.mono_ms - st->window_ms >= WINDOW_MS) {
		st->window_ms = st->now.mono_ms;
		st->window_n = 0;
	}
	if (st->window_n++ < s->config->requests_max)
		return true;
	sip_server_shut(s, SIP_CLOSE_THROTTLED);
	return false;
}

/* Takes the next step through the input; true: it made an event. */
static bool step(struct sip_server *s, enum sip_frame_step found,
	struct sip_server_event *event)
{
	struct sip_server_state *st = s->state;
	if (found == SIP_FRAME_LOST) {
		sip_server_shut(s, close_of(st->frame.rule));
		return give_up(s, st->frame.rule, event);
	}
	if (!within_rate(s))
		return false;
	if (found == SIP_FRAME_PING) {
		st->ping_ms = st->now.mono_ms;
		if (bytes_queue_put(&s->out, "\r\n", 2) < 0)
			sip_server_shut(s, SIP_CLOSE_NOT_READING);
		return false;
	}
	bool told = on_message(s, event);
	if (st->waiting == FOR_NOTHING)
		sip_server_consume(s);
	return told;
}

/* The last event; nothing that came is looked at any more. */
static bool report_close(struct sip_server *s, struct sip_server_event *event)
{
	if (s->state->closed)
		return false;
	s->state->closed = true;
	s->state->waiting = FOR_NOTHING;
	bytes_queue_deinit(&s->in);
	*event = (struct sip_server_event){
		.type = SIP_SERVER_CLOSE, .why = s->state->why};
	return true;
}

bool sip_server_next(struct sip_server *s, struct sip_server_event *event)
{
	struct sip_server_state *st = s->state;
	struct sip_limits limits = limits_of(s->config);
	*event = (struct sip_server_event){0};
	while (st->why == SIP_CLOSE_NONE) {
		size_t n, skip;
		if (st->waiting != FOR_NOTHING)
			return false;
		forget(st);
		const uint8_t *data = bytes_queue_peek(&s->in, &n);
		enum sip_frame_step found = sip_frame_next(
			&st->frame, &limits, (const char *)data, n, &skip);
		bytes_queue_drop(&s->in, skip);
		if (found == SIP_FRAME_MORE) {
			if (st->frame.scanned && st->begun_ms == MOMENT_NEVER)
				st->begun_ms = st->now.mono_ms;
			return sip_server_order_late(s, event);
		}
		if (step(s, found, event))
			return true;
	}
	forget(st);
	if (sip_server_order_lost(s, event))
		return true;
	if (st->why == SIP_CLOSE_MESSAGE_LATE && st->begun_ms != MOMENT_NEVER) {
		st->begun_ms = MOMENT_NEVER;
		if (give_up(s, SIP_RULE_LATE, event))
			return true;
	}
	return report_close(s, event);
}

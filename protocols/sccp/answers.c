/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to a registered phone's requests, each from one small function. */
#include "protocols/sccp/answers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/sccp/ids.h"
#include "protocols/sccp/softkeys.h"

enum {
	VERSION_MIN = 3,
	HEADER_VERSION_MIN = 10, /* below it the header says 0 */
	TYPE_ATA186 = 12,
	TYPE_ATA188 = 13,
	LINE_OPTIONS = 9, /* what CallManager sends: calling name, original */
	SERVER_NAME_MAX = 47,
	ALL_KEYS = -1,
	CAUSE_ROUTE_FAIL = 1,
	SECONDS_A_DAY = 86400,
};

/* The status line that says "Your current options" in the user's language. */
static const char your_options[] = "\x80\x13";

static void copy_text(char *dst, size_t size, const char *src)
{
	size_t n = strnlen(src, size - 1);
	memcpy(dst, src, n);
	dst[n] = '\0';
}

/* ---- the promise ---- */

uint8_t sccp_promise_version(
	const struct sccp_register *reg, uint8_t version_max)
{
	static const uint8_t spoken[] = {
		22, 21, 20, 19, 18, 17, 16, 15, 11, 10, 9, 8, 7, 6, 5};
	bool is_ata = reg->device_type == TYPE_ATA186 ||
		      reg->device_type == TYPE_ATA188;
	/* These offer 33 and speak 3. */
	if (is_ata && reg->version > spoken[0])
		return VERSION_MIN;
	for (size_t i = 0; i < sizeof(spoken); i++)
		if (spoken[i] <= reg->version && spoken[i] <= version_max)
			return spoken[i];
	return VERSION_MIN;
}

enum sccp_charset sccp_promise_charset(const struct sccp_register *reg)
{
	return reg->features[1] & SCCP_FEATURE_UTF8 ? SCCP_UTF8 : SCCP_LATIN1;
}

static size_t prompt_max(uint8_t version)
{
	uint32_t form = sccp_message_form(SCCP_ID_DISPLAY_PROMPT, version);
	return form == SCCP_ID_DISPLAY_PROMPT ? SCCP_PROMPT_MAX
					      : SCCP_PROMPT_V2_MAX;
}

/* Places of the texts in a promise. */
enum { TEXT_PROMPT, TEXT_SERVER, TEXT_LINES };

static const char *text_of(const struct sccp_promise *promise, unsigned place)
{
	const char *text = promise->texts;
	while (place--)
		text += strlen(text) + 1;
	return text;
}

/* Writes a text as the phone reads it; answers where the next one goes. */
static char *put_text(
	char *dst, size_t max, const char *text, enum sccp_charset set)
{
	sccp_text(dst, max, text, set);
	return dst + strlen(dst) + 1;
}

static size_t put_texts(struct sccp_promise *p, const struct sccp_grant *grant,
	enum sccp_charset set)
{
	char *end = put_text(p->texts, prompt_max(p->version),
		grant->prompt ? grant->prompt : your_options, set);
	end = put_text(end, SERVER_NAME_MAX, grant->server_name, set);
	for (unsigned i = 0; i < p->n_lines; i++) {
		const struct sccp_line *line = &grant->lines[i];
		end = put_text(end, SCCP_NUMBER_MAX, line->number, set);
		end = put_text(end, SCCP_LABEL_MAX, line->label, set);
	}
	return (size_t)(end - p->texts);
}

struct sccp_promise *sccp_promise_new(const struct sccp_register *reg,
	const struct sccp_grant *grant, uint8_t version_max)
{
	assert(grant->n_lines >= 1 && grant->n_lines <= SCCP_LINES_MAX);
	size_t room = SCCP_PROMPT_V2_MAX + 1 + SERVER_NAME_MAX + 1 +
		      grant->n_lines * sizeof(struct sccp_line);
	struct sccp_promise *p = malloc(sizeof(*p) + room);
	if (!p)
		abort(); /* law 2 */
	enum sccp_charset set = sccp_promise_charset(reg);
	*p = (struct sccp_promise){
		.instance = reg->instance,
		.device_type = reg->device_type,
		.keepalive_s = grant->keepalive_s,
		.secondary_keepalive_s = grant->secondary_keepalive_s,
		.server_ipv4 = grant->server_ipv4,
		.server_port = grant->server_port,
		.version = sccp_promise_version(reg, version_max),
		.n_lines = (uint8_t)grant->n_lines,
	};
	memcpy(p->device, reg->device, sizeof(p->device));
	sccp_text(p->date_template, sizeof(p->date_template) - 1,
		grant->date_template, set);
	size_t used = put_texts(p, grant, set);
	/* It is kept as long as the phone stays: no byte too many. */
	struct sccp_promise *exact = realloc(p, sizeof(*p) + used);
	if (exact)
		return exact;
	return p;
}

void sccp_promise_free(struct sccp_promise *promise)
{
	free(promise);
}

/* ---- the answers ---- */

/* One request being answered. */
struct reply {
	const struct sccp_promise *promise;
	const struct moment *now;
	struct bytes_queue *out;
	uint32_t index; /* the first number of the request's body, or 0 */
	struct bytes_in body;
	bool full;
};

static void say(struct reply *r, struct sccp_message *m)
{
	uint8_t version = r->promise->version;
	uint32_t header = version < HEADER_VERSION_MIN ? 0 : version;
	if (m->id == SCCP_ID_REGISTER_ACK || m->id == SCCP_ID_CAPABILITIES_REQ)
		header = 0;
	if (sccp_message_send(m, version, header, r->out) < 0)
		r->full = true;
}

static void say_prompt(struct reply *r)
{
	struct sccp_message m;
	sccp_message_init(&m, SCCP_ID_DISPLAY_PROMPT);
	copy_text(m.u.prompt.text, sizeof(m.u.prompt.text),
		text_of(r->promise, TEXT_PROMPT));
	say(r, &m);
}

static void answer_forward(struct reply *r)
{
	struct sccp_message m;
	sccp_message_init(&m, SCCP_ID_FORWARD_STAT);
	m.u.forward.line = r->index;
	say(r, &m);
}

static void answer_speed_dial(struct reply *r)
{
	struct sccp_message m;
	sccp_message_init(&m, SCCP_ID_SPEED_DIAL_STAT);
	m.u.dial.index = r->index;
	say(r, &m);
}

static void answer_line(struct reply *r)
{
	struct sccp_message m;
	sccp_message_init(&m, SCCP_ID_LINE_STAT);
	m.u.line.line = r->index;
	if (r->index >= 1 && r->index <= r->promise->n_lines) {
		unsigned place = TEXT_LINES + 2 * (r->index - 1);
		const char *number = text_of(r->promise, place);
		const char *label = number + strlen(number) + 1;
		copy_text(m.u.line.number, sizeof(m.u.line.number), number);
		copy_text(m.u.line.name, sizeof(m.u.line.name), label);
		copy_text(m.u.line.label, sizeof(m.u.line.label), label);
		m.u.line.options = LINE_OPTIONS;
	}
	say(r, &m);
}

static void answer_config(struct reply *r)
{
	struct sccp_message m;
	sccp_message_init(&m, SCCP_ID_CONFIG_STAT);
	copy_text(m.u.config.sid.name, sizeof(m.u.config.sid.name),
		r->promise->device);
	m.u.config.sid.instance = r->promise->instance;
	copy_text(m.u.config.server, sizeof(m.u.config.server),
		text_of(r->promise, TEXT_SERVER));
	m.u.config.lines = r->promise->n_lines;
	say(r, &m);
}

/* The civil date of a day counted from 1970-01-01 (Gregorian, proleptic). */
static void date_of_day(int64_t day, struct sccp_time_date *t)
{
	enum { DAYS_400_YEARS = 146097, MARCH_1_0000 = 719468 };
	int64_t weekday = (day + 4) % 7;
	t->weekday = (uint32_t)(weekday < 0 ? weekday + 7 : weekday);
	day += MARCH_1_0000;
	int64_t era =
		(day >= 0 ? day : day - DAYS_400_YEARS + 1) / DAYS_400_YEARS;
	int64_t of_era = day - era * DAYS_400_YEARS;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 -
			       of_era / (DAYS_400_YEARS - 1)) /
		       365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t march = (5 * of_year + 2) / 153; /* months since March */
	t->day = (uint32_t)(of_year - (153 * march + 2) / 5 + 1);
	t->month = (uint32_t)(march < 10 ? march + 3 : march - 9);
	t->year = (uint32_t)(year + era * 400 + (t->month <= 2));
}

static void answer_time(struct reply *r)
{
	struct sccp_message m;
	struct sccp_time_date *t = &m.u.time;
	int64_t unix_s = r->now->unix_ms / 1000;
	int64_t local = unix_s + r->now->utc_offset_s;
	int64_t second = local % SECONDS_A_DAY;
	if (second < 0)
		second += SECONDS_A_DAY;
	sccp_message_init(&m, SCCP_ID_DEFINE_TIME_DATE);
	date_of_day((local - second) / SECONDS_A_DAY, t);
	t->hour = (uint32_t)(second / 3600);
	t->minute = (uint32_t)(second / 60 % 60);
	t->second = (uint32_t)(second % 60);
	t->unix_s = (uint32_t)unix_s;
	say(r, &m);
	say_prompt(r);
}

static void answer_buttons(struct reply *r)
{
	struct sccp_message m;
	sccp_message_init(&m, SCCP_ID_BUTTON_TEMPLATE);
	m.u.buttons.count = m.u.buttons.total = r->promise->n_lines;
	for (unsigned i = 0; i < SCCP_LINES_MAX; i++) {
		struct sccp_button *slot = &m.u.buttons.slots[i];
		bool used = i < r->promise->n_lines;
		slot->instance = used ? (uint8_t)(i + 1) : 0;
		slot->type = used ? SCCP_BUTTON_LINE : SCCP_BUTTON_UNDEFINED;
	}
	say(r, &m);
}

/* All zero: no other firmware wanted. */
static void answer_version(struct reply *r)
{
	struct sccp_message m;
	sccp_message_init(&m, SCCP_ID_VERSION_RES);
	say(r, &m);
}

static void answer_server(struct reply *r)
{
	struct sccp_message m;
	sccp_message_init(&m, SCCP_ID_SERVER_RES);
	copy_text(m.u.servers.name[0], sizeof(m.u.servers.name[0]),
		text_of(r->promise, TEXT_SERVER));
	m.u.servers.port[0] = r->promise->server_port;
	m.u.servers.ipv4[0] = r->promise->server_ipv4;
	say(r, &m);
}

static void answer_keys(struct reply *r)
{
	struct sccp_message m;
	sccp_message_init(&m, SCCP_ID_SOFT_KEY_TEMPLATE);
	sccp_softkeys_template(&m.u.keys);
	say(r, &m);
}

/* As CallManager 4.1 does, the sets come with one selected and a prompt. */
static void answer_sets(struct reply *r)
{
	struct sccp_message m;
	sccp_message_init(&m, SCCP_ID_SOFT_KEY_SET);
	sccp_softkeys_sets(&m.u.sets);
	say(r, &m);
	sccp_message_init(&m, SCCP_ID_SELECT_SOFT_KEYS);
	m.u.select.set = SCCP_SET_ON_HOOK;
	m.u.select.mask = (uint32_t)ALL_KEYS;
	say(r, &m);
	say_prompt(r);
}

static void answer_service(struct reply *r)
{
	struct sccp_message m;
	sccp_message_init(&m, SCCP_ID_SERVICE_URL_STAT);
	m.u.service.index = r->index;
	say(r, &m);
}

static void answer_feature(struct reply *r)
{
	struct sccp_message m;
	sccp_message_init(&m, SCCP_ID_FEATURE_STAT);
	m.u.feature.index = r->index;
	say(r, &m);
}

/* Nobody's lamp can be watched here, and the phone may know it. */
static void answer_subscription(struct reply *r)
{
	struct sccp_message m;
	sccp_message_init(&m, SCCP_ID_SUBSCRIPTION_STAT);
	m.u.subscription.transaction = r->index;
	m.u.subscription.feature = bytes_le32(&r->body);
	m.u.subscription.timer = bytes_le32(&r->body);
	m.u.subscription.cause = CAUSE_ROUTE_FAIL;
	say(r, &m);
}

static const struct row {
	uint32_t id;
	void (*answer)(struct reply *r); /* NULL: it wants none */
} rows[] = {
	{SCCP_ID_IP_PORT, NULL},
	{SCCP_ID_FORWARD_STAT_REQ, answer_forward},
	{SCCP_ID_SPEED_DIAL_STAT_REQ, answer_speed_dial},
	{SCCP_ID_LINE_STAT_REQ, answer_line},
	{SCCP_ID_CONFIG_STAT_REQ, answer_config},
	{SCCP_ID_TIME_DATE_REQ, answer_time},
	{SCCP_ID_BUTTON_TEMPLATE_REQ, answer_buttons},
	{SCCP_ID_VERSION_REQ, answer_version},
	{SCCP_ID_CAPABILITIES_RES, NULL},
	{SCCP_ID_SERVER_REQ, answer_server},
	{SCCP_ID_SOFT_KEY_SET_REQ, answer_sets},
	{SCCP_ID_SOFT_KEY_TEMPLATE_REQ, answer_keys},
	{SCCP_ID_HEADSET_STATUS, NULL},
	{SCCP_ID_MEDIA_RESOURCE, NULL},
	{SCCP_ID_AVAILABLE_LINES, NULL},
	{SCCP_ID_UPDATE_CAPABILITIES, NULL},
	{SCCP_ID_SERVICE_URL_STAT_REQ, answer_service},
	{SCCP_ID_FEATURE_STAT_REQ, answer_feature},
	{SCCP_ID_UPDATE_CAPABILITIES_V2, NULL},
	{SCCP_ID_UPDATE_CAPABILITIES_V3, NULL},
	{SCCP_ID_SUBSCRIPTION_STAT_REQ, answer_subscription},
	{SCCP_ID_ACCESSORY_STATUS, NULL},
	{SCCP_ID_MEDIA_PATH, NULL},
	{SCCP_ID_LOCATION_INFO, NULL},
	{SCCP_ID_EXTENSION_CAPS, NULL},
};

enum sccp_answered sccp_answer(const struct sccp_promise *promise,
	const struct sccp_frame *frame, const struct moment *now,
	struct bytes_queue *out)
{
	struct reply r = {
		.promise = promise,
		.now = now,
		.out = out,
		.body = bytes_in(frame->body, frame->body_n),
	};
	r.index = bytes_le32(&r.body);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].id != frame->id)
			continue;
		if (!rows[i].answer)
			return SCCP_NEEDS_NO_ANSWER;
		rows[i].answer(&r);
		return r.full ? SCCP_NO_ROOM : SCCP_ANSWERED;
	}
	return SCCP_NOT_A_REQUEST;
}

/* The feature bytes that real phones accepted from others, by version. */
static void features_of(uint8_t version, uint8_t features[3])
{
	static const struct {
		uint8_t since;
		uint8_t features[3];
	} table[] = {
		{11, {0x20, 0xf1, 0xff}},
		{5, {0x20, 0xf1, 0xfe}},
		{0, {0, 0, 0}},
	};
	size_t i = 0;
	while (version < table[i].since)
		i++; /* the last row is since 0 */
	memcpy(features, table[i].features, sizeof(table[i].features));
}

enum sccp_answered sccp_answer_register(
	const struct sccp_promise *promise, struct bytes_queue *out)
{
	struct reply r = {.promise = promise, .out = out};
	struct sccp_message m;
	sccp_message_init(&m, SCCP_ID_REGISTER_ACK);
	m.u.ack.keepalive_s = promise->keepalive_s;
	m.u.ack.secondary_keepalive_s = promise->secondary_keepalive_s;
	copy_text(m.u.ack.date_template, sizeof(m.u.ack.date_template),
		promise->date_template);
	m.u.ack.version = promise->version;
	features_of(promise->version, m.u.ack.features);
	say(&r, &m);
	sccp_message_init(&m, SCCP_ID_CAPABILITIES_REQ);
	say(&r, &m);
	return r.full ? SCCP_NO_ROOM : SCCP_ANSWERED;
}

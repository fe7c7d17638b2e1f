/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to a registered phone's requests, each from one small function. */
#include "protocols/sccp/answers.h"

#include <stdbool.h>
#include <string.h>

#include "protocols/sccp/ids.h"
#include "protocols/sccp/softkeys.h"

enum {
	HEADER_VERSION_MIN = 10, /* below it the header says 0 */
	LINE_OPTIONS = 9, /* what CallManager sends: calling name, original */
	ALL_KEYS = -1,
	CAUSE_ROUTE_FAIL = 1,
	SECONDS_A_DAY = 86400,
};

static void copy_text(char *dst, size_t size, const char *src)
{
	size_t n = strnlen(src, size - 1);
	memcpy(dst, src, n);
	dst[n] = '\0';
}

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
		sccp_promise_prompt(r->promise));
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
	struct sccp_promise_button b;
	m.u.dial.index = r->index;
	if (sccp_promise_find(r->promise, SCCP_SPACE_DIALS, r->index, &b)) {
		copy_text(m.u.dial.number, sizeof(m.u.dial.number), b.target);
		copy_text(m.u.dial.name, sizeof(m.u.dial.name), b.label);
	}
	say(r, &m);
}

static void answer_line(struct reply *r)
{
	struct sccp_message m;
	sccp_message_init(&m, SCCP_ID_LINE_STAT);
	struct sccp_promise_button b;
	m.u.line.line = r->index;
	if (sccp_promise_find(r->promise, SCCP_SPACE_LINES, r->index, &b)) {
		copy_text(m.u.line.number, sizeof(m.u.line.number), b.target);
		copy_text(m.u.line.name, sizeof(m.u.line.name), b.label);
		copy_text(m.u.line.label, sizeof(m.u.line.label), b.label);
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
		sccp_promise_server_name(r->promise));
	m.u.config.lines = sccp_promise_count(r->promise, SCCP_BUTTON_LINE);
	m.u.config.speed_dials =
		sccp_promise_count(r->promise, SCCP_BUTTON_SPEED_DIAL) +
		sccp_promise_count(r->promise, SCCP_BUTTON_BLF);
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
	struct sccp_promise_walk walk = sccp_promise_buttons(r->promise);
	m.u.buttons.count = m.u.buttons.total = r->promise->n_buttons;
	for (unsigned i = 0; i < SCCP_BUTTONS_MAX; i++) {
		struct sccp_promise_button b = {.type = SCCP_BUTTON_UNDEFINED};
		sccp_promise_next(&walk, &b);
		m.u.buttons.slots[i] = (struct sccp_button){
			.instance = b.instance,
			.type = (uint8_t)b.type,
		};
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
		sccp_promise_server_name(r->promise));
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
	sccp_softkeys_sets(&m.u.sets, r->promise->softkeys);
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
	struct sccp_promise_button b;
	m.u.service.index = r->index;
	if (sccp_promise_find(r->promise, SCCP_SPACE_SERVICES, r->index, &b)) {
		copy_text(m.u.service.url, sizeof(m.u.service.url), b.target);
		copy_text(
			m.u.service.label, sizeof(m.u.service.label), b.label);
	}
	say(r, &m);
}

static void answer_feature(struct reply *r)
{
	struct sccp_message m;
	sccp_message_init(&m, SCCP_ID_FEATURE_STAT);
	struct sccp_promise_button b;
	m.u.feature.index = r->index;
	if (sccp_promise_find(r->promise, SCCP_SPACE_DIALS, r->index, &b) &&
		b.type != SCCP_BUTTON_SPEED_DIAL) {
		m.u.feature.type = (uint32_t)b.type;
		copy_text(
			m.u.feature.label, sizeof(m.u.feature.label), b.label);
	}
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

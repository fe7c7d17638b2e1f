/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the server engine: its conversations, and what they cannot say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/sccp/ids.h"
#include "protocols/sccp/server.h"
#include "protocols/sccp/softkeys.h"
#include "tests/conversations/runner.h"

/* ---- the engine as the runner plays it ---- */

struct player {
	struct sccp_server server;
	struct sccp_server_config config;
	bool configured;
	bool stalled; /* the host's socket takes nothing */
};

static bool player_set(void *self, const char *key, const char *value)
{
	struct player *p = self;
	uint32_t n = (uint32_t)strtoul(value, NULL, 10);
	if (!p->configured)
		p->config = sccp_server_defaults;
	p->configured = true;
	const struct {
		const char *key;
		uint32_t *at;
	} keys[] = {
		{"first_frame_ms", &p->config.first_frame_ms},
		{"idle_ms", &p->config.idle_ms},
		{"grace_ms", &p->config.grace_ms},
		{"token_ms", &p->config.token_ms},
		{"capabilities_ms", &p->config.capabilities_ms},
		{"reset_ms", &p->config.reset_ms},
		{"body_max_before", &p->config.body_max_before},
		{"body_max_after", &p->config.body_max_after},
		{"events_max", &p->config.events_max},
	};
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (strcmp(keys[i].key, key) != 0)
			continue;
		*keys[i].at = n;
		return true;
	}
	if (strcmp(key, "version_max") == 0)
		p->config.version_max = (uint8_t)n;
	else if (strcmp(key, "out_max") == 0)
		p->config.out_max = n;
	else
		return false;
	return true;
}

static void player_init(void *self, const struct moment *now)
{
	struct player *p = self;
	sccp_server_init(&p->server,
		p->configured ? &p->config : &sccp_server_defaults, now);
}

static void player_deinit(void *self)
{
	sccp_server_deinit(&((struct player *)self)->server);
}

static void player_feed(
	void *self, const void *data, size_t n, const struct moment *now)
{
	sccp_server_feed(&((struct player *)self)->server, data, n, now);
}

static void player_tick(void *self, const struct moment *now)
{
	sccp_server_tick(&((struct player *)self)->server, now);
}

static void show_register(
	const struct sccp_register *r, const char *what, char *text, size_t n)
{
	uint32_t ip = r->station_ipv4;
	snprintf(text, n,
		"%s %s type=%u version=%u streams=%u ip=%u.%u.%u.%u "
		"features=%02x%02x%02x lines=%u load=%s%s",
		what, r->device, r->device_type, r->version, r->max_streams,
		ip >> 24, ip >> 16 & 0xff, ip >> 8 & 0xff, ip & 0xff,
		r->features[0], r->features[1], r->features[2], r->max_lines,
		r->load, r->refresh ? " refresh" : "");
}

static bool player_next(void *self, char *text, size_t n)
{
	struct sccp_server_event e;
	if (!sccp_server_next(&((struct player *)self)->server, &e))
		return false;
	switch (e.type) {
	case SCCP_SERVER_REGISTER:
		show_register(e.reg, "REGISTER", text, n);
		break;
	case SCCP_SERVER_TOKEN:
		show_register(e.reg, "TOKEN", text, n);
		break;
	case SCCP_SERVER_REGISTERED:
		snprintf(text, n, "REGISTERED");
		break;
	case SCCP_SERVER_UNREGISTER:
		snprintf(text, n, "UNREGISTER %u", e.value);
		break;
	case SCCP_SERVER_ALARM:
		snprintf(text, n, "ALARM %u %s", e.severity, e.text);
		break;
	case SCCP_SERVER_IGNORED:
		snprintf(text, n, "IGNORED 0x%04x %s, length %u: %s",
			e.message_id, sccp_id_name(e.message_id), e.value,
			e.text);
		break;
	case SCCP_SERVER_CLOSE:
		snprintf(text, n, "CLOSE %s", sccp_close_name(e.why));
		break;
	}
	return true;
}

static const uint8_t *player_out(void *self, size_t *n)
{
	struct player *p = self;
	*n = 0;
	return p->stalled ? NULL : sccp_server_out(&p->server, n);
}

static void player_sent(void *self, size_t n)
{
	sccp_server_sent(&((struct player *)self)->server, n);
}

static uint64_t player_deadline(void *self)
{
	return sccp_server_deadline(&((struct player *)self)->server);
}

/* `dial:2001` and the like; what has no prefix is a line. */
static enum sccp_button_type type_of(char **target)
{
	static const struct {
		const char *prefix;
		enum sccp_button_type type;
	} types[] = {
		{"dial:", SCCP_BUTTON_SPEED_DIAL},
		{"blf:", SCCP_BUTTON_BLF},
		{"feature:", SCCP_BUTTON_FEATURE},
		{"service:", SCCP_BUTTON_SERVICE},
	};
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		size_t n = strlen(types[i].prefix);
		if (strncmp(*target, types[i].prefix, n) != 0)
			continue;
		*target += n;
		return types[i].type;
	}
	return SCCP_BUTTON_LINE;
}

/* `accept` alone gives line 1012; `accept TARGET LABEL …` other buttons;
 * `accept keys:hold,park …` these softkeys. */
static void accept_with(struct sccp_server *server, char *args)
{
	struct sccp_grant_button buttons[SCCP_BUTTONS_MAX + 8] = {
		{SCCP_BUTTON_LINE, "1012", "1012"}};
	struct sccp_grant grant = {
		.keepalive_s = 30,
		.secondary_keepalive_s = 60,
		.date_template = "M/D/Y",
		.server_name = "dialtone",
		.server_port = 2000,
		.buttons = buttons,
	};
	memcpy(&grant.server_ipv4, "\x0a\x00\x00\xb4", 4);
	char *save = NULL;
	char *target = strtok_r(args, " ", &save);
	if (target && strncmp(target, "keys:", 5) == 0) {
		assert_null(sccp_softkeys_read(target + 5, &grant.softkeys));
		target = strtok_r(NULL, " ", &save);
	}
	while (target && grant.n_buttons < SCCP_BUTTONS_MAX + 8) {
		char *label = strtok_r(NULL, " ", &save);
		struct sccp_grant_button *b = &buttons[grant.n_buttons++];
		b->type = type_of(&target);
		b->target = target;
		b->label = label ? label : target;
		target = strtok_r(NULL, " ", &save);
	}
	grant.n_buttons += grant.n_buttons == 0;
	sccp_server_accept(server, &grant);
}

static bool player_verb(void *self, const char *line, const struct moment *now)
{
	struct player *p = self;
	char verb[16] = "", args[2048] = "";
	if (sscanf(line, "%15s %2047[^\n]", verb, args) < 1)
		return false;
	if (strcmp(verb, "accept") == 0)
		accept_with(&p->server, args);
	else if (strcmp(verb, "reject") == 0)
		sccp_server_reject(&p->server, args);
	else if (strcmp(verb, "grant") == 0)
		sccp_server_grant_token(&p->server);
	else if (strcmp(verb, "deny") == 0)
		sccp_server_deny_token(&p->server, (uint32_t)atoi(args));
	else if (strcmp(verb, "reset") == 0)
		sccp_server_reset(&p->server, (enum sccp_reset)atoi(args), now);
	else if (strcmp(verb, "stall") == 0)
		p->stalled = true;
	else
		return false;
	return true;
}

static const struct conversation_engine player = {
	.name = "sccp server",
	.size = sizeof(struct player),
	.set = player_set,
	.init = player_init,
	.deinit = player_deinit,
	.feed = player_feed,
	.tick = player_tick,
	.next = player_next,
	.out = player_out,
	.sent = player_sent,
	.deadline = player_deadline,
	.verb = player_verb,
};

static void holds_every_conversation(void **state)
{
	conversation_run_folder(&player, "tests/conversations/sccp");
}

/* ---- what conversations cannot say ---- */

static void every_close_reason_has_its_name_and_text(void **state)
{
	for (int i = SCCP_CLOSE_NONE; i <= SCCP_CLOSE_NOT_READING; i++) {
		assert_string_not_equal(
			sccp_close_name((enum sccp_close)i), "");
		assert_string_not_equal(
			sccp_close_text((enum sccp_close)i), "");
		for (int k = 0; k < i; k++)
			assert_string_not_equal(
				sccp_close_name((enum sccp_close)i),
				sccp_close_name((enum sccp_close)k));
	}
}

static const struct moment start = {.mono_ms = 1000, .unix_ms = 1795406400000};

static void next_is(struct sccp_server *s, enum sccp_server_event_type type)
{
	struct sccp_server_event e;
	assert_true(sccp_server_next(s, &e));
	assert_int_equal(e.type, type);
}

static void nothing_more(struct sccp_server *s)
{
	struct sccp_server_event e;
	assert_false(sccp_server_next(s, &e));
}

/* A Register of the minimal 36 bytes. */
static const uint8_t minimal[48] = {
	40, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 'S', 'E', 'P', '1', [40] = 7};

static void feeding_over_a_question_is_bounded(void **state)
{
	struct sccp_server s;
	uint8_t zeros[12 * 1024] = {0};
	sccp_server_init(&s, &sccp_server_defaults, &start);
	sccp_server_feed(&s, minimal, sizeof(minimal), &start);
	next_is(&s, SCCP_SERVER_REGISTER);
	for (int i = 0; i < 100; i++)
		sccp_server_feed(&s, zeros, sizeof(zeros), &start);
	assert_true(s.in.cap < 256 * 1024);
	next_is(&s, SCCP_SERVER_CLOSE);
	nothing_more(&s);
	assert_int_equal(sccp_server_deadline(&s), MOMENT_NEVER);
	sccp_server_deinit(&s);
}

static void a_late_answer_is_dropped(void **state)
{
	struct sccp_grant_button line = {SCCP_BUTTON_LINE, "1", "1"};
	struct sccp_grant grant = {.keepalive_s = 30,
		.date_template = "D.M.Y",
		.server_name = "",
		.buttons = &line,
		.n_buttons = 1};
	struct moment later = start;
	struct sccp_server s;
	size_t n;
	sccp_server_init(&s, &sccp_server_defaults, &start);
	sccp_server_feed(&s, minimal, sizeof(minimal), &start);
	next_is(&s, SCCP_SERVER_REGISTER);
	later.mono_ms += sccp_server_defaults.idle_ms;
	sccp_server_tick(&s, &later);
	next_is(&s, SCCP_SERVER_CLOSE);
	sccp_server_accept(&s, &grant);
	sccp_server_reject(&s, "no");
	sccp_server_grant_token(&s);
	assert_false(sccp_server_registered(&s));
	assert_int_equal(sccp_server_version(&s), 0);
	sccp_server_out(&s, &n);
	assert_int_equal(n, 0);
	sccp_server_deinit(&s);
}

static void an_idle_connection_holds_no_buffer(void **state)
{
	struct sccp_server s;
	uint8_t keepalive[12] = {4};
	size_t n;
	sccp_server_init(&s, &sccp_server_defaults, &start);
	sccp_server_feed(&s, keepalive, sizeof(keepalive), &start);
	nothing_more(&s);
	sccp_server_out(&s, &n);
	assert_int_equal(n, 12);
	sccp_server_sent(&s, n);
	assert_null(s.in.data);
	assert_null(s.out.data);
	sccp_server_deinit(&s);
}

/* The body of the one DefineTimeDate that answers at a moment. */
static void time_at(const struct moment *now, uint32_t fields[9])
{
	static const uint8_t ask[12] = {4, [8] = 0x0d};
	struct sccp_grant_button line = {SCCP_BUTTON_LINE, "1", "1"};
	struct sccp_grant grant = {.keepalive_s = 30,
		.date_template = "D.M.Y",
		.server_name = "",
		.buttons = &line,
		.n_buttons = 1};
	struct sccp_server s;
	size_t n;
	sccp_server_init(&s, &sccp_server_defaults, now);
	sccp_server_feed(&s, minimal, sizeof(minimal), now);
	next_is(&s, SCCP_SERVER_REGISTER);
	sccp_server_accept(&s, &grant);
	nothing_more(&s);
	sccp_server_out(&s, &n);
	sccp_server_sent(&s, n);
	sccp_server_feed(&s, ask, sizeof(ask), now);
	next_is(&s, SCCP_SERVER_REGISTERED);
	const uint8_t *data = sccp_server_out(&s, &n);
	assert_true(n >= 48);
	struct bytes_in in = bytes_in(data + 12, 36);
	for (size_t i = 0; i < 9; i++)
		fields[i] = bytes_le32(&in);
	sccp_server_deinit(&s);
}

static void the_clock_is_local_and_the_second_counter_is_not(void **state)
{
	static const struct {
		int64_t unix_s;
		int32_t offset_s;
		uint32_t fields[7]; /* year, month, weekday, day, h, m, s */
	} times[] = {
		{0, 0, {1970, 1, 4, 1, 0, 0, 0}},
		{0, -3600, {1969, 12, 3, 31, 23, 0, 0}},
		{951782399, 0, {2000, 2, 1, 28, 23, 59, 59}},
		{951782400, 0, {2000, 2, 2, 29, 0, 0, 0}},
		{951868800, 0, {2000, 3, 3, 1, 0, 0, 0}},
		{1709164800, 0, {2024, 2, 4, 29, 0, 0, 0}},
		{1735689599, 3600, {2025, 1, 3, 1, 0, 59, 59}},
		{1795406400, 20700, {2026, 11, 1, 23, 9, 45, 0}},
		{4107542400, 0, {2100, 3, 1, 1, 0, 0, 0}},
	};
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		uint32_t fields[9];
		struct moment now = {
			.mono_ms = 1,
			.unix_ms = times[i].unix_s * 1000,
			.utc_offset_s = times[i].offset_s,
		};
		time_at(&now, fields);
		for (size_t k = 0; k < 7; k++)
			assert_int_equal(fields[k], times[i].fields[k]);
		assert_int_equal(fields[7], 0);
		assert_int_equal(fields[8], (uint32_t)times[i].unix_s);
	}
}

static void deinit_of_a_zeroed_engine_is_fine(void **state)
{
	struct sccp_server s = {0};
	sccp_server_deinit(&s);
	sccp_server_deinit(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_every_conversation),
		cmocka_unit_test(every_close_reason_has_its_name_and_text),
		cmocka_unit_test(feeding_over_a_question_is_bounded),
		cmocka_unit_test(a_late_answer_is_dropped),
		cmocka_unit_test(an_idle_connection_holds_no_buffer),
		cmocka_unit_test(
			the_clock_is_local_and_the_second_counter_is_not),
		cmocka_unit_test(deinit_of_a_zeroed_engine_is_fine),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("sccp server", tests, NULL, NULL);
}

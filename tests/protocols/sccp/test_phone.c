/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the phone engine, mostly told by putting it on our server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/sccp/frame.h"
#include "protocols/sccp/generation.h"
#include "protocols/sccp/ids.h"
#include "tests/protocols/sccp/pair.h"

static struct sccp_phone_config config_of(uint8_t version)
{
	return (struct sccp_phone_config){
		.device = "SEP001380AD9E5F",
		.device_type = 30007,
		.version = version,
		.load = "CP7912060000",
		.last_reason = "Reset-Restart",
	};
}

static const struct {
	uint8_t offered, negotiated;
	size_t register_body;
} versions[] = {
	{0, 3, 44},
	{3, 3, 44},
	{5, 5, 52},
	{7, 7, 52},
	{8, 8, 68},
	{11, 11, 68},
	{14, 11, 68},
	{15, 15, 68},
	{17, 17, 124},
	{18, 18, 124},
	{20, 20, 172},
	{22, 22, 172},
	{33, 22, 44},
};

enum { N_VERSIONS = sizeof(versions) / sizeof(*versions) };

static void is_registered(const struct pair *p, unsigned version)
{
	if (p->failed)
		fail_msg("version %u: %s", version, p->text);
	assert_int_equal(p->registers, 1);
	assert_int_equal(p->registered, 1);
	assert_int_equal(p->done, 1);
	assert_int_equal(p->ignored, 0);
	assert_int_equal(p->closed, 0);
	assert_int_equal(p->rejected, 0);
	assert_true(sccp_server_registered(&p->server));
}

static void registers_at_every_version(void **state)
{
	for (unsigned i = 0; i < N_VERSIONS; i++) {
		struct sccp_phone_config config =
			config_of(versions[i].offered);
		struct pair p;
		pair_init(&p, &config);
		sccp_phone_start(&p.phone, &p.now);
		pair_talk(&p);
		is_registered(&p, config.version);
		assert_int_equal(
			sccp_server_version(&p.server), versions[i].negotiated);
		assert_string_equal(p.reg.device, config.device);
		assert_int_equal(p.reg.version, config.version);
		assert_string_equal(p.reg.load,
			versions[i].register_body >= 124 ? config.load : "");
		pair_deinit(&p);
	}
}

/* The frames that the phone wants to send now, and the body of one id. */
static unsigned outgoing(struct sccp_phone *phone, uint32_t id, size_t *body)
{
	struct bytes_queue q;
	struct sccp_frame frame;
	size_t n;
	unsigned frames = 0;
	const uint8_t *data = sccp_phone_out(phone, &n);
	bytes_queue_init(&q, n);
	assert_int_equal(bytes_queue_put(&q, data, n), 0);
	while (sccp_frame_next(&q, UINT16_MAX, &frame) == SCCP_FRAME_WHOLE) {
		frames++;
		if (frame.id == id)
			*body = frame.body_n;
		sccp_frame_drop(&q, &frame);
	}
	bytes_queue_deinit(&q);
	return frames;
}

static size_t body_of(struct sccp_phone *phone, uint32_t id)
{
	size_t body = SIZE_MAX;
	outgoing(phone, id, &body);
	return body;
}

static void register_has_the_size_of_its_generation(void **state)
{
	for (unsigned i = 0; i < N_VERSIONS; i++) {
		struct sccp_phone_config config =
			config_of(versions[i].offered);
		bool xml = config.version >= 20 && config.version <= 22;
		struct pair p;
		pair_init(&p, &config);
		sccp_phone_start(&p.phone, &p.now);
		assert_int_equal(body_of(&p.phone, SCCP_ID_REGISTER),
			versions[i].register_body);
		assert_int_equal(
			body_of(&p.phone, SCCP_ID_ALARM), xml ? SIZE_MAX : 92);
		assert_int_equal(
			body_of(&p.phone, SCCP_ID_XML_ALARM) != SIZE_MAX, xml);
		pair_deinit(&p);
	}
}

static void alarm_tells_name_and_reason(void **state)
{
	static const struct {
		uint8_t version;
		const char *text;
	} alarms[] = {
		{7, "Name=SEP001380AD9E5F Load=CP7912060000 "
		    "Last=Reset-Restart"},
		{22, "<x-cisco-alarm>\n"
		     "<Alarm Name=\"LastOutOfServiceInformation\">\n"
		     "<ParameterList>\n"
		     "<String name=\"DeviceName\">SEP001380AD9E5F</String>\n"
		     "<String name=\"DeviceIPv4Address\">0.0.0.0/24"
		     "</String>\n"
		     "<String name=\"ModelNumber\">CP-7912</String>\n"
		     "<Enum name=\"ReasonForOutOfService\">23</Enum>\n"
		     "</ParameterList>\n</Alarm>\n</x-cisco-alarm>\n"},
	};
	for (unsigned i = 0; i < 2; i++) {
		struct sccp_phone_config config = config_of(alarms[i].version);
		struct pair p;
		pair_init(&p, &config);
		sccp_phone_start(&p.phone, &p.now);
		pair_talk(&p);
		assert_string_equal(p.alarm, alarms[i].text);
		pair_deinit(&p);
	}
}

static void registers_cut_at_every_byte(void **state)
{
	for (unsigned i = 0; i < N_VERSIONS; i++) {
		struct sccp_phone_config config =
			config_of(versions[i].offered);
		size_t total = SIZE_MAX;
		for (size_t cut = 0; cut < total; cut++) {
			struct pair p;
			pair_init(&p, &config);
			p.cut = cut;
			sccp_phone_start(&p.phone, &p.now);
			pair_talk(&p);
			is_registered(&p, config.version);
			total = p.crossed;
			pair_deinit(&p);
		}
	}
}

static void registers_byte_by_byte_both_ways(void **state)
{
	for (unsigned i = 0; i < N_VERSIONS; i++) {
		struct sccp_phone_config config =
			config_of(versions[i].offered);
		struct pair p;
		pair_init(&p, &config);
		p.single = true;
		sccp_phone_start(&p.phone, &p.now);
		pair_talk(&p);
		is_registered(&p, config.version);
		pair_deinit(&p);
	}
}

static void old_phones_wait_and_new_ones_do_not(void **state)
{
	static const struct {
		uint8_t version;
		unsigned at_once;
	} kinds[] = {
		/* CapabilitiesRes and the request behind it, as the capture. */
		{7, 2},
		{11, 2},
		/* The sets, configuration, lines, and all that buttons have. */
		{17, 1 + 1 + 2 * PAIR_LINES + PAIR_DIALS + PAIR_FEATURES +
				PAIR_SERVICES},
		{22, 1 + 1 + 2 * PAIR_LINES + PAIR_DIALS + PAIR_FEATURES +
				PAIR_SERVICES},
	};
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct sccp_phone_config config = config_of(kinds[i].version);
		struct pair p;
		unsigned most = 0;
		pair_init(&p, &config);
		sccp_phone_start(&p.phone, &p.now);
		while (pair_phone_to_server(&p) || pair_server_to_phone(&p)) {
			size_t body;
			unsigned n = outgoing(&p.phone, UINT32_MAX, &body);
			most = n > most ? n : most;
		}
		assert_int_equal(most, kinds[i].at_once);
		pair_deinit(&p);
	}
}

static struct pair registered_pair(uint8_t version)
{
	struct sccp_phone_config config = config_of(version);
	struct pair p;
	pair_init(&p, &config);
	sccp_phone_start(&p.phone, &p.now);
	pair_talk(&p);
	is_registered(&p, version);
	return p;
}

static void keepalives_hold_a_registration(void **state)
{
	struct pair p = registered_pair(17);
	unsigned frames = p.frames;
	pair_pass(&p, 3600 * 1000);
	assert_int_equal(p.frames - frames, 120);
	assert_int_equal(p.alive, 120);
	assert_int_equal(p.closed, 0);
	assert_int_equal(p.failed, 0);
	pair_deinit(&p);
}

static void three_unanswered_keepalives_are_the_end(void **state)
{
	struct pair p = registered_pair(7);
	size_t n;
	for (unsigned i = 1; i <= 4; i++) {
		p.now.mono_ms += 29999;
		sccp_phone_tick(&p.phone, &p.now);
		pair_phone_events(&p);
		assert_int_equal(p.failed, 0);
		p.now.mono_ms += 1;
		assert_int_equal(sccp_phone_deadline(&p.phone), p.now.mono_ms);
		sccp_phone_tick(&p.phone, &p.now);
		pair_phone_events(&p);
		sccp_phone_out(&p.phone, &n);
		assert_int_equal(n, 12 * (i < 4 ? i : 3));
	}
	assert_int_equal(p.failed, 1);
	assert_string_equal(p.text, "three keepalives unanswered");
	assert_int_equal(sccp_phone_deadline(&p.phone), MOMENT_NEVER);
	pair_deinit(&p);
}

/* KeepAliveAck, as a server says it that was busy for a minute. */
static void tell_alive(struct pair *p, unsigned times)
{
	uint8_t ack[] = {4, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0};
	for (unsigned i = 0; i < times; i++)
		pair_tell_phone(p, ack, sizeof(ack));
}

static void late_answers_are_as_many_as_were_asked_for(void **state)
{
	struct pair p = registered_pair(7);
	for (unsigned i = 0; i < 2; i++) {
		p.now.mono_ms += 30000;
		sccp_phone_tick(&p.phone, &p.now);
	}
	tell_alive(&p, 2);
	assert_int_equal(p.alive, 2);
	assert_int_equal(p.failed, 0);
	tell_alive(&p, 1);
	assert_int_equal(p.failed, 1);
	assert_string_equal(p.text, "KeepAliveAck: nobody asked for it");
	pair_deinit(&p);
}

static void unregisters(void **state)
{
	struct pair p = registered_pair(22);
	sccp_phone_unregister(&p.phone, &p.now);
	pair_talk(&p);
	assert_int_equal(p.unregistered, 1);
	assert_false(sccp_server_registered(&p.server));
	assert_int_equal(sccp_phone_deadline(&p.phone), MOMENT_NEVER);
	pair_pass(&p, 5000);
	assert_int_equal(p.closed, 1);
	pair_deinit(&p);
}

static void hears_a_reset(void **state)
{
	for (uint32_t kind = SCCP_RESET; kind <= SCCP_APPLY; kind++) {
		struct pair p = registered_pair(7);
		sccp_server_reset(&p.server, (enum sccp_reset)kind, &p.now);
		pair_talk(&p);
		assert_int_equal(p.reset, kind);
		pair_deinit(&p);
	}
}

static void standby_is_keepalives_for_hours(void **state)
{
	struct sccp_phone_config config = config_of(17);
	struct pair p;
	pair_init(&p, &config);
	sccp_phone_standby(&p.phone, &p.now);
	sccp_phone_start(&p.phone, &p.now); /* not any more */
	pair_talk(&p);
	assert_int_equal(p.alive, 1);
	pair_pass(&p, 4 * 3600 * 1000);
	assert_int_equal(p.alive, 1 + 4 * 60);
	assert_int_equal(p.registers, 0);
	assert_int_equal(p.closed, 0);
	assert_int_equal(p.failed, 0);
	pair_deinit(&p);
}

static void standby_ends_when_the_server_is_silent(void **state)
{
	struct sccp_phone_config config = config_of(17);
	struct pair p;
	config.standby_ms = 1000;
	pair_init(&p, &config);
	sccp_phone_standby(&p.phone, &p.now);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(p.failed, 0);
		p.now.mono_ms += 1000;
		sccp_phone_tick(&p.phone, &p.now);
		pair_phone_events(&p);
	}
	assert_int_equal(p.failed, 1);
	assert_string_equal(p.text, "three keepalives unanswered");
	pair_deinit(&p);
}

static void shows_the_text_of_a_reject(void **state)
{
	struct sccp_phone_config config = config_of(7);
	struct pair p;
	pair_init(&p, &config);
	p.reject = "Device unknown";
	sccp_phone_start(&p.phone, &p.now);
	pair_talk(&p);
	assert_int_equal(p.rejected, 1);
	assert_string_equal(p.text, "Device unknown");
	assert_int_equal(p.failed, 0);
	pair_deinit(&p);
}

static void asks_in_spcp_where_that_is_the_custom(void **state)
{
	struct sccp_phone_config config = config_of(8);
	struct pair p;
	config.generation = sccp_generation_find("spa504g");
	pair_init(&p, &config);
	p.deny_s = 60;
	sccp_phone_token(&p.phone, &p.now);
	assert_int_equal(body_of(&p.phone, SCCP_ID_SPCP_TOKEN_REQ), 36);
	pair_talk(&p);
	assert_int_equal(p.tokens, 1);
	assert_int_equal(p.token, 60);
	p.deny_s = 0;
	pair_pass(&p, 60 * 1000);
	sccp_phone_token(&p.phone, &p.now);
	pair_talk(&p);
	assert_int_equal(p.tokens, 2);
	assert_int_equal(p.token, 0);
	pair_deinit(&p);
}

static void asks_for_a_token_and_then_registers(void **state)
{
	struct sccp_phone_config config = config_of(11);
	struct pair p;
	pair_init(&p, &config);
	p.deny_s = 60;
	sccp_phone_token(&p.phone, &p.now);
	pair_talk(&p);
	assert_int_equal(p.tokens, 1);
	assert_int_equal(p.token, 60);
	p.deny_s = 0;
	pair_pass(&p, 60 * 1000);
	sccp_phone_token(&p.phone, &p.now);
	pair_talk(&p);
	assert_int_equal(p.tokens, 2);
	assert_int_equal(p.token, 0);
	sccp_phone_start(&p.phone, &p.now);
	pair_talk(&p);
	is_registered(&p, 11);
	pair_deinit(&p);
}

/* Messages that nobody waits for: only their form can be wrong. */
static bool optional_frame(uint32_t id)
{
	return id == SCCP_ID_SELECT_SOFT_KEYS || id == SCCP_ID_DISPLAY_PROMPT ||
	       id == SCCP_ID_DISPLAY_PROMPT_V2;
}

static void has_accident(
	uint8_t version, enum accident accident, unsigned victim, uint32_t id)
{
	struct sccp_phone_config config = config_of(version);
	struct pair p;
	bool harmless =
		optional_frame(id) && (accident == LOST || accident == DOUBLED);
	/* To be asked twice for one's capabilities is no fault. */
	harmless |= id == SCCP_ID_CAPABILITIES_REQ && accident == DOUBLED;
	/* Nor is a clock that is set once more. */
	harmless |= id == SCCP_ID_DEFINE_TIME_DATE && accident == DOUBLED;
	pair_init(&p, &config);
	p.accident = accident;
	p.victim = victim;
	sccp_phone_start(&p.phone, &p.now);
	pair_talk(&p);
	pair_pass(&p, 10000);
	if (harmless ? p.failed || !p.done : !p.failed)
		fail_msg("version %u, accident %d to %s (frame %u): %s",
			version, accident, sccp_id_name(id), victim,
			p.failed ? p.text : "went unnoticed");
	assert_true(p.failed <= 1);
	pair_deinit(&p);
}

static void notices_every_accident_to_every_answer(void **state)
{
	static const uint8_t kinds[] = {3, 7, 11, 15, 17, 22};
	for (unsigned i = 0; i < sizeof(kinds); i++) {
		struct pair p = registered_pair(kinds[i]);
		assert_in_range(p.frames, 15, PAIR_IDS_MAX);
		for (unsigned k = 0; k < p.frames; k++)
			for (enum accident a = LOST; a <= REVERSIONED; a++)
				has_accident(kinds[i], a, k + 1, p.ids[k]);
		pair_deinit(&p);
	}
}

static void says_what_was_not_answered(void **state)
{
	struct sccp_phone_config config = config_of(7);
	struct pair p;
	config.answer_ms = 700;
	pair_init(&p, &config);
	p.accident = LOST;
	p.victim = 9; /* ack, capabilities, buttons, keys, 3 for sets, line 1 */
	sccp_phone_start(&p.phone, &p.now);
	pair_talk(&p);
	pair_pass(&p, 699);
	assert_int_equal(p.failed, 0);
	pair_pass(&p, 1);
	assert_int_equal(p.failed, 1);
	assert_string_equal(p.text, "LineStatReq 2: no answer within 700 ms");
	pair_deinit(&p);
}

static void gives_up_on_a_server_that_says_nothing(void **state)
{
	struct sccp_phone_config config = config_of(7);
	struct pair p;
	pair_init(&p, &config);
	sccp_phone_start(&p.phone, &p.now);
	p.now.mono_ms += 10000;
	assert_int_equal(sccp_phone_deadline(&p.phone), p.now.mono_ms);
	sccp_phone_tick(&p.phone, &p.now);
	pair_phone_events(&p);
	assert_int_equal(p.failed, 1);
	assert_string_equal(p.text, "Register 0: no answer within 10000 ms");
	pair_deinit(&p);
}

/* One message to a phone that has just sent its Register, or is registered. */
static void refuses(bool registered, struct sccp_message *m, const char *why)
{
	struct sccp_phone_config config = config_of(7);
	struct pair p;
	size_t n;
	pair_init(&p, &config);
	sccp_phone_start(&p.phone, &p.now);
	if (registered)
		pair_talk(&p);
	struct bytes_queue q;
	bytes_queue_init(&q, 2000);
	assert_int_equal(sccp_message_send(m, 7, 0, &q), 0);
	const uint8_t *data = bytes_queue_peek(&q, &n);
	sccp_phone_feed(&p.phone, data, n, &p.now);
	pair_phone_events(&p);
	assert_int_equal(p.failed, 1);
	assert_string_equal(p.text, why);
	bytes_queue_deinit(&q);
	pair_deinit(&p);
}

static void refuses_an_ack_that_makes_no_sense(void **state)
{
	struct sccp_message m;
	sccp_message_init(&m, SCCP_ID_REGISTER_ACK);
	m.u.ack.version = 7;
	m.u.ack.secondary_keepalive_s = 60;
	refuses(false, &m, "RegisterAck: keepalive interval 0");
	m.u.ack.keepalive_s = 30;
	refuses(true, &m, "RegisterAck: nobody asked for it");
	m.u.ack.version = 8;
	refuses(false, &m, "RegisterAck: version 8, offered 7");
	m.u.ack.version = 0;
	refuses(false, &m, "RegisterAck: version 0, offered 7");
}

static void refuses_what_it_did_not_ask_for(void **state)
{
	struct sccp_message m;
	sccp_message_init(&m, SCCP_ID_SPEED_DIAL_STAT);
	m.u.dial.index = 9;
	refuses(true, &m, "SpeedDialStatRes 9: nobody asked for it");
	refuses(false, &m, "SpeedDialStatRes before RegisterAck");
	sccp_message_init(&m, SCCP_ID_KEEP_ALIVE_ACK);
	refuses(true, &m, "KeepAliveAck: nobody asked for it");
	sccp_message_init(&m, SCCP_ID_UNREGISTER_ACK);
	refuses(true, &m, "UnregisterAck: nobody asked for it");
	sccp_message_init(&m, SCCP_ID_TOKEN_ACK);
	refuses(true, &m, "token answer: nobody asked for it");
	sccp_message_init(&m, SCCP_ID_REGISTER_REJECT);
	refuses(true, &m, "RegisterReject: nobody asked for it");
}

/* Offsets count from the frame's first byte; the body begins at 12. */
static void refuses_answers_that_make_no_sense(void **state)
{
	static const struct {
		uint32_t id;
		struct bend bends[2];
		const char *why;
	} cases[] = {
		{SCCP_ID_BUTTON_TEMPLATE, {{16, 43}, {20, 43}},
			"ButtonTemplateRes 0: counts do not add up"},
		{SCCP_ID_BUTTON_TEMPLATE, {{16, 4}},
			"ButtonTemplateRes 0: counts do not add up"},
		{SCCP_ID_BUTTON_TEMPLATE, {{16, 0}, {20, 0}},
			"ButtonTemplateRes 0: no line button"},
		{SCCP_ID_BUTTON_TEMPLATE, {{24, 2}},
			"ButtonTemplateRes 0: line buttons out of order"},
		{SCCP_ID_BUTTON_TEMPLATE, {{25, 2}},
			"ButtonTemplateRes 0: line buttons out of order"},
		{SCCP_ID_SOFT_KEY_TEMPLATE, {{16, 33}, {20, 33}},
			"SoftKeyTemplateRes 0: counts do not add up"},
		{SCCP_ID_SOFT_KEY_TEMPLATE, {{24, 0}},
			"SoftKeyTemplateRes 0: a key without label or event"},
		{SCCP_ID_SOFT_KEY_TEMPLATE, {{40, 0}},
			"SoftKeyTemplateRes 0: a key without label or event"},
		{SCCP_ID_SOFT_KEY_SET, {{16, 17}, {20, 17}},
			"SoftKeySetRes 0: counts do not add up"},
		{SCCP_ID_SOFT_KEY_SET, {{24, 19}},
			"SoftKeySetRes 0: a key behind the end of the "
			"template"},
		{SCCP_ID_SOFT_KEY_SET, {{40, 0x2e}},
			"SoftKeySetRes 0: info index and event disagree"},
		{SCCP_ID_SOFT_KEY_SET, {{24, 0}},
			"SoftKeySetRes 0: an info index without a key"},
		{SCCP_ID_CONFIG_STAT, {{12, 'X'}},
			"ConfigStatRes 0: another device's name"},
		{SCCP_ID_CONFIG_STAT, {{116, 9}},
			"ConfigStatRes 0: another number of lines"},
		{SCCP_ID_LINE_STAT, {{16, 0}},
			"LineStatRes 1: no directory number"},
		{SCCP_ID_LINE_STAT_V2, {{12, 77}},
			"LineStatV2Res 77: nobody asked for it"},
		{SCCP_ID_FORWARD_STAT, {{16, 78}},
			"ForwardStatRes 78: nobody asked for it"},
		{SCCP_ID_DEFINE_TIME_DATE, {{16, 13}},
			"DefineTimeDate 0: no such time"},
		{SCCP_ID_DEFINE_TIME_DATE, {{28, 24}},
			"DefineTimeDate 0: no such time"},
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		/* The static LineStatRes ends at version 16. */
		bool is_static = cases[i].id == SCCP_ID_LINE_STAT;
		uint8_t version = is_static ? 16 : 17;
		struct pair model = registered_pair(version);
		struct sccp_phone_config config = config_of(version);
		struct pair p;
		pair_init(&p, &config);
		while (model.ids[p.victim++] != cases[i].id)
			assert_true(p.victim < model.frames);
		p.accident = BENT;
		memcpy(p.bends, cases[i].bends, sizeof(p.bends));
		sccp_phone_start(&p.phone, &p.now);
		pair_talk(&p);
		assert_int_equal(p.failed, 1);
		assert_string_equal(p.text, cases[i].why);
		pair_deinit(&p);
		pair_deinit(&model);
	}
}

static void late_answers_do_not_disturb_a_goodbye(void **state)
{
	struct sccp_phone_config config = config_of(17);
	struct pair p;
	pair_init(&p, &config);
	sccp_phone_start(&p.phone, &p.now);
	while (p.frames < 2) /* until the phone has asked for something */
		assert_true(
			pair_phone_to_server(&p) || pair_server_to_phone(&p));
	sccp_phone_unregister(&p.phone, &p.now);
	sccp_phone_unregister(&p.phone, &p.now);
	pair_talk(&p);
	assert_int_equal(p.failed, 0);
	assert_int_equal(p.unregistered, 1);
	assert_int_equal(p.done, 0);
	pair_deinit(&p);
}

static void lamps_and_rings_are_let_pass(void **state)
{
	static const uint32_t ids[] = {SCCP_ID_SET_LAMP, SCCP_ID_SET_RINGER,
		SCCP_ID_DISPLAY_NOTIFY, SCCP_ID_CLEAR_PROMPT};
	struct pair p = registered_pair(7);
	for (unsigned i = 0; i < 4; i++) {
		uint8_t frame[24] = {
			16, [8] = ids[i] & 0xff, [9] = (uint8_t)(ids[i] >> 8)};
		pair_tell_phone(&p, frame, sizeof(frame));
	}
	assert_int_equal(p.failed, 0);
	pair_deinit(&p);
}

static void tells_which_goodbye_or_token_went_unanswered(void **state)
{
	struct pair p = registered_pair(7);
	sccp_phone_unregister(&p.phone, &p.now);
	p.now.mono_ms += 10000;
	sccp_phone_tick(&p.phone, &p.now);
	pair_phone_events(&p);
	assert_string_equal(p.text, "Unregister 0: no answer within 10000 ms");
	pair_deinit(&p);
	struct sccp_phone_config config = config_of(7);
	pair_init(&p, &config);
	sccp_phone_token(&p.phone, &p.now);
	sccp_phone_start(&p.phone, &p.now); /* not while it asks */
	p.now.mono_ms += 10000;
	sccp_phone_tick(&p.phone, &p.now);
	pair_phone_events(&p);
	assert_string_equal(
		p.text, "RegisterTokenReq 0: no answer within 10000 ms");
	sccp_phone_token(&p.phone, &p.now); /* nor when it is over */
	assert_int_equal(sccp_phone_deadline(&p.phone), MOMENT_NEVER);
	pair_deinit(&p);
}

static void a_refused_goodbye_is_a_failure(void **state)
{
	static const uint8_t nak[] = {
		8, 0, 0, 0, 0, 0, 0, 0, 0x18, 1, 0, 0, 2, 0, 0, 0};
	uint8_t frame[sizeof(nak)];
	struct pair p = registered_pair(7);
	memcpy(frame, nak, sizeof(nak));
	sccp_phone_unregister(&p.phone, &p.now);
	pair_tell_phone(&p, frame, sizeof(frame));
	assert_int_equal(p.failed, 1);
	assert_string_equal(p.text, "UnregisterAck: refused with 2");
	pair_deinit(&p);
}

static void deinit_of_a_zeroed_engine_is_fine(void **state)
{
	struct sccp_phone p = {0};
	sccp_phone_deinit(&p);
	sccp_phone_deinit(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_at_every_version),
		cmocka_unit_test(register_has_the_size_of_its_generation),
		cmocka_unit_test(alarm_tells_name_and_reason),
		cmocka_unit_test(registers_cut_at_every_byte),
		cmocka_unit_test(registers_byte_by_byte_both_ways),
		cmocka_unit_test(old_phones_wait_and_new_ones_do_not),
		cmocka_unit_test(keepalives_hold_a_registration),
		cmocka_unit_test(three_unanswered_keepalives_are_the_end),
		cmocka_unit_test(late_answers_are_as_many_as_were_asked_for),
		cmocka_unit_test(unregisters),
		cmocka_unit_test(hears_a_reset),
		cmocka_unit_test(standby_is_keepalives_for_hours),
		cmocka_unit_test(standby_ends_when_the_server_is_silent),
		cmocka_unit_test(shows_the_text_of_a_reject),
		cmocka_unit_test(asks_for_a_token_and_then_registers),
		cmocka_unit_test(asks_in_spcp_where_that_is_the_custom),
		cmocka_unit_test(notices_every_accident_to_every_answer),
		cmocka_unit_test(says_what_was_not_answered),
		cmocka_unit_test(gives_up_on_a_server_that_says_nothing),
		cmocka_unit_test(refuses_an_ack_that_makes_no_sense),
		cmocka_unit_test(refuses_what_it_did_not_ask_for),
		cmocka_unit_test(refuses_answers_that_make_no_sense),
		cmocka_unit_test(late_answers_do_not_disturb_a_goodbye),
		cmocka_unit_test(lamps_and_rings_are_let_pass),
		cmocka_unit_test(tells_which_goodbye_or_token_went_unanswered),
		cmocka_unit_test(a_refused_goodbye_is_a_failure),
		cmocka_unit_test(deinit_of_a_zeroed_engine_is_fine),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("sccp phone", tests, NULL, NULL);
}

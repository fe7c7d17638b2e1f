/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about SCCP bodies: sizes, offsets, versions, texts, softkeys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/bytes.h"
#include "protocols/sccp/ids.h"
#include "protocols/sccp/message.h"
#include "protocols/sccp/softkeys.h"
#include "protocols/sccp/text.h"

/* The sizes that captures and servers agree on (specs: sccp 3). */
static const struct {
	uint32_t id;
	uint8_t version;
	size_t body;
} sizes[] = {
	{SCCP_ID_KEEP_ALIVE, 0, 0},
	{SCCP_ID_REGISTER, 0, 172},
	{SCCP_ID_IP_PORT, 17, 4},
	{SCCP_ID_FORWARD_STAT_REQ, 7, 4},
	{SCCP_ID_SPEED_DIAL_STAT_REQ, 7, 4},
	{SCCP_ID_LINE_STAT_REQ, 7, 4},
	{SCCP_ID_CONFIG_STAT_REQ, 7, 0},
	{SCCP_ID_TIME_DATE_REQ, 7, 0},
	{SCCP_ID_BUTTON_TEMPLATE_REQ, 7, 0},
	{SCCP_ID_VERSION_REQ, 7, 0},
	{SCCP_ID_CAPABILITIES_RES, 7, 292},
	{SCCP_ID_SERVER_REQ, 7, 0},
	{SCCP_ID_ALARM, 0, 92},
	{SCCP_ID_SOFT_KEY_SET_REQ, 7, 0},
	{SCCP_ID_UNREGISTER, 7, 4},
	{SCCP_ID_SOFT_KEY_TEMPLATE_REQ, 7, 0},
	{SCCP_ID_TOKEN_REQ, 0, 52},
	{SCCP_ID_HEADSET_STATUS, 17, 4},
	{SCCP_ID_AVAILABLE_LINES, 7, 4},
	{SCCP_ID_SERVICE_URL_STAT_REQ, 7, 4},
	{SCCP_ID_FEATURE_STAT_REQ, 7, 4},
	{SCCP_ID_SUBSCRIPTION_STAT_REQ, 17, 76},
	{SCCP_ID_SPCP_TOKEN_REQ, 0, 36},
	{SCCP_ID_REGISTER_ACK, 7, 20},
	{SCCP_ID_FORWARD_STAT, 17, 92},
	{SCCP_ID_FORWARD_STAT, 18, 96}, /* 95 and one of padding */
	{SCCP_ID_SPEED_DIAL_STAT, 22, 68},
	{SCCP_ID_LINE_STAT, 16, 112},
	{SCCP_ID_CONFIG_STAT, 22, 112},
	{SCCP_ID_DEFINE_TIME_DATE, 22, 36},
	{SCCP_ID_BUTTON_TEMPLATE, 22, 96},
	{SCCP_ID_VERSION_RES, 22, 16},
	{SCCP_ID_CAPABILITIES_REQ, 0, 0},
	{SCCP_ID_REGISTER_REJECT, 0, 32},
	{SCCP_ID_SERVER_RES, 16, 280},
	{SCCP_ID_SERVER_RES, 17, 360},
	{SCCP_ID_RESET, 22, 4},
	{SCCP_ID_KEEP_ALIVE_ACK, 0, 0},
	{SCCP_ID_SOFT_KEY_TEMPLATE, 22, 652},
	{SCCP_ID_SOFT_KEY_SET, 22, 780},
	{SCCP_ID_SELECT_SOFT_KEYS, 22, 16},
	{SCCP_ID_DISPLAY_PROMPT, 7, 44},
	{SCCP_ID_UNREGISTER_ACK, 0, 4},
	{SCCP_ID_TOKEN_ACK, 0, 0},
	{SCCP_ID_TOKEN_REJECT, 0, 4},
	{SCCP_ID_FEATURE_STAT, 14, 52},
	{SCCP_ID_SERVICE_URL_STAT, 7, 300},
	{SCCP_ID_SUBSCRIPTION_STAT, 22, 16},
	{SCCP_ID_SPCP_TOKEN_ACK, 0, 4},
	{SCCP_ID_SPCP_TOKEN_REJECT, 0, 4},
};

enum { N_SIZES = sizeof(sizes) / sizeof(*sizes) };

static void every_fixed_body_has_its_size(void **state)
{
	struct sccp_message m;
	uint8_t body[SCCP_WRITE_MAX];
	for (size_t i = 0; i < N_SIZES; i++) {
		sccp_message_init(&m, sizes[i].id);
		size_t n = sccp_message_write(&m, sizes[i].version, body);
		if (n != sizes[i].body)
			fail_msg("%s at version %u: %zu bytes, not %zu",
				sccp_id_name(sizes[i].id), sizes[i].version, n,
				sizes[i].body);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(body[k], 0);
	}
}

/* Full of 'A's, and every number different from every other. */
static void fill(uint8_t *body, size_t n)
{
	for (size_t i = 0; i < n; i++)
		body[i] = (uint8_t)('A' + i % 50);
}

static void what_is_read_is_written_and_read_alike(void **state)
{
	struct sccp_message m, again;
	uint8_t body[SCCP_WRITE_MAX], first[SCCP_WRITE_MAX];
	for (size_t i = 0; i < N_SIZES; i++) {
		uint32_t id = sizes[i].id;
		uint8_t version = sizes[i].version;
		size_t n = sizes[i].body;
		fill(body, n);
		assert_int_equal(sccp_message_read(&m, id, version, body, n),
			SCCP_BODY_WHOLE);
		assert_int_equal(sccp_message_write(&m, version, first), n);
		assert_int_equal(
			sccp_message_read(&again, id, version, first, n),
			SCCP_BODY_WHOLE);
		assert_int_equal(sccp_message_write(&again, version, body), n);
		assert_memory_equal(first, body, n);
		/* Two layouts that forgot every field would agree as well. */
		size_t kept = 0;
		for (size_t k = 0; k < n; k++)
			kept += body[k] != 0;
		if (kept * 2 < n && id != SCCP_ID_REGISTER &&
			id != SCCP_ID_CAPABILITIES_RES)
			fail_msg("%s keeps %zu of %zu bytes", sccp_id_name(id),
				kept, n);
	}
}

static void a_body_too_short_or_too_long_shows(void **state)
{
	struct sccp_message m;
	uint8_t body[SCCP_WRITE_MAX + 4] = {0};
	for (size_t i = 0; i < N_SIZES; i++) {
		uint32_t id = sizes[i].id;
		size_t n = sizes[i].body;
		bool optional = id == SCCP_ID_UNREGISTER;
		if (n > 0 && !optional)
			assert_int_equal(sccp_message_read(&m, id,
						 sizes[i].version, body, n - 4),
				SCCP_BODY_SHORT);
		assert_int_equal(sccp_message_read(
					 &m, id, sizes[i].version, body, n + 4),
			SCCP_BODY_LONG);
	}
	assert_int_equal(
		sccp_message_read(&m, 0x9a, 0, body, 4), SCCP_BODY_UNKNOWN);
}

static void forms_change_at_their_versions(void **state)
{
	static const struct {
		uint32_t id, v2;
		uint8_t since;
	} forms[] = {
		{SCCP_ID_DISPLAY_PROMPT, SCCP_ID_DISPLAY_PROMPT_V2, 8},
		{SCCP_ID_SERVICE_URL_STAT, SCCP_ID_SERVICE_URL_STAT_V2, 8},
		{SCCP_ID_FEATURE_STAT, SCCP_ID_FEATURE_STAT_V2, 15},
		{SCCP_ID_LINE_STAT, SCCP_ID_LINE_STAT_V2, 17},
	};
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		uint8_t since = forms[i].since;
		assert_int_equal(
			sccp_message_form(forms[i].id, (uint8_t)(since - 1)),
			forms[i].id);
		assert_int_equal(
			sccp_message_form(forms[i].id, since), forms[i].v2);
		assert_int_equal(
			sccp_message_form(forms[i].id, 22), forms[i].v2);
	}
	assert_int_equal(sccp_message_form(SCCP_ID_CONFIG_STAT, 22),
		SCCP_ID_CONFIG_STAT);
	assert_int_equal(sccp_message_form(0x9a, 22), 0x9a);
}

static void dynamic_line_is_packed_and_padded(void **state)
{
	struct sccp_message m;
	uint8_t body[SCCP_WRITE_MAX];
	sccp_message_init(&m, SCCP_ID_LINE_STAT);
	m.u.line.line = 1;
	m.u.line.options = 9;
	strcpy(m.u.line.number, "1012");
	strcpy(m.u.line.label, "Lobby");
	size_t n = sccp_message_write(&m, 17, body);
	assert_int_equal(m.id, SCCP_ID_LINE_STAT_V2);
	assert_int_equal(n, 20);
	assert_memory_equal(body,
		"\1\0\0\0\x09\0\0\0"
		"1012\0\0Lobby\0",
		20);
	assert_int_equal(
		sccp_message_read(&m, m.id, 17, body, n), SCCP_BODY_WHOLE);
	assert_string_equal(m.u.line.number, "1012");
	assert_string_equal(m.u.line.name, "");
	assert_string_equal(m.u.line.label, "Lobby");
}

static void dynamic_text_without_its_nul_is_short(void **state)
{
	struct sccp_message m;
	uint8_t body[200];
	memset(body, 'x', sizeof(body));
	for (size_t n = 12; n < sizeof(body); n += 47) {
		assert_int_equal(
			sccp_message_read(
				&m, SCCP_ID_DISPLAY_PROMPT_V2, 22, body, n),
			SCCP_BODY_SHORT);
		assert_true(strlen(m.u.prompt.text) <= SCCP_PROMPT_V2_MAX);
	}
}

static void forward_numbers_are_packed_from_18_on(void **state)
{
	struct sccp_message m;
	uint8_t body[SCCP_WRITE_MAX];
	sccp_message_init(&m, SCCP_ID_FORWARD_STAT);
	strcpy(m.u.forward.to[1].number, "2");
	sccp_message_write(&m, 17, body);
	assert_int_equal(body[8 + 4 + 24 + 4], '2');
	sccp_message_write(&m, 18, body);
	assert_int_equal(body[8 + 4 + 25 + 4], '2');
}

static void server_addresses_grow_at_17(void **state)
{
	struct sccp_message m;
	uint8_t body[SCCP_WRITE_MAX];
	sccp_message_init(&m, SCCP_ID_SERVER_RES);
	memcpy(&m.u.servers.ipv4[1], "\x0a\0\0\x09", 4);
	sccp_message_write(&m, 16, body);
	assert_memory_equal(body + 240 + 20 + 4, "\x0a\0\0\x09", 4);
	sccp_message_write(&m, 17, body);
	assert_memory_equal(body + 240 + 20 + 20, "\0\0\0\0\x0a\0\0\x09\0", 9);
}

/* The 7912's Register, as it stands in the capture. */
static const uint8_t register_7912[52] = {'S', 'E', 'P', '0', '0', '1', '3',
	'8', '0', 'A', 'D', '9', 'E', '5', 'F', [20] = 1, [24] = 0x0a, 0x66,
	0x0a, 0xd1, 0x37, 0x75, [40] = 7, 0, 0, 0x81};

static void register_of_the_capture_reads(void **state)
{
	struct sccp_message m;
	assert_int_equal(sccp_message_read(&m, SCCP_ID_REGISTER, 0,
				 register_7912, sizeof(register_7912)),
		SCCP_BODY_SHORT);
	assert_string_equal(m.u.reg.device, "SEP001380AD9E5F");
	assert_int_equal(m.u.reg.instance, 1);
	assert_int_equal(m.u.reg.station_ipv4, 0x0a660ad1);
	assert_int_equal(m.u.reg.device_type, 30007);
	assert_int_equal(m.u.reg.version, 7);
	assert_int_equal(m.u.reg.features[2], 0x81);
	assert_string_equal(m.u.reg.load, "");
}

static void register_offsets_are_those_of_the_table(void **state)
{
	struct sccp_message m;
	uint8_t body[172] = {0};
	body[12] = 'x'; /* behind the NUL */
	body[32] = 5;
	body[52] = 0xab;
	body[68] = 8;
	body[72] = 0xfe;
	memcpy(body + 92, "SCCP41.8-5-3S", 14);
	sccp_message_read(&m, SCCP_ID_REGISTER, 0, body, sizeof(body));
	assert_string_equal(m.u.reg.device, "");
	assert_int_equal(m.u.reg.max_streams, 5);
	assert_int_equal(m.u.reg.mac[0], 0xab);
	assert_int_equal(m.u.reg.max_lines, 8);
	assert_int_equal(m.u.reg.ipv6[0], 0xfe);
	assert_string_equal(m.u.reg.load, "SCCP41.8-5-3S");
}

static void date_template_may_use_the_padding(void **state)
{
	struct sccp_message m;
	uint8_t body[SCCP_WRITE_MAX];
	sccp_message_init(&m, SCCP_ID_REGISTER_ACK);
	m.u.ack.keepalive_s = 30;
	strcpy(m.u.ack.date_template, "D/M/YA");
	m.u.ack.version = 6;
	sccp_message_write(&m, 6, body);
	assert_memory_equal(body, "\x1e\0\0\0D/M/YA\0\0\0\0\0\0\6\0\0\0", 20);
}

static void texts_leave_room_for_their_nul(void **state)
{
	struct sccp_message m;
	uint8_t body[SCCP_WRITE_MAX];
	sccp_message_init(&m, SCCP_ID_REGISTER_REJECT);
	memset(m.u.text, 'x', 32);
	assert_int_equal(sccp_message_write(&m, 0, body), 32);
	assert_int_equal(body[30], 'x');
	assert_int_equal(body[31], 0);
}

static void texts_fit_the_display(void **state)
{
	char text[16];
	sccp_text(text, 15, "B\xc3\xbcr\xe2\x82\xac", SCCP_LATIN1);
	assert_string_equal(text, "B\xfcr?");
	sccp_text(text, 15, "B\xc3\xbcr\xe2\x82\xac", SCCP_UTF8);
	assert_string_equal(text, "B\xc3\xbcr\xe2\x82\xac");
	sccp_text(text, 5, "B\xc3\xbcr\xe2\x82\xac", SCCP_UTF8);
	assert_string_equal(text, "B\xc3\xbcr");
	sccp_text(text, 2, "B\xc3\xbc", SCCP_UTF8);
	assert_string_equal(text, "B");
	sccp_text(text, 2, "B\xc3\xbc", SCCP_LATIN1);
	assert_string_equal(text, "B\xfc");
	sccp_text(text, 0, "B", SCCP_UTF8);
	assert_string_equal(text, "");
	sccp_text(text, 15, "\xf0\x9f\x98\x80!", SCCP_LATIN1);
	assert_string_equal(text, "?!");
}

static void texts_that_are_not_utf8_stay_as_they_are(void **state)
{
	static const char *const texts[] = {
		"\x80\x13", "caf\xe9", "\xc3", "\xc0\x80", "\xf8\x88\x80\x80"};
	char text[16];
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		sccp_text(text, 15, texts[i], SCCP_LATIN1);
		assert_string_equal(text, texts[i]);
		sccp_text(text, 15, texts[i], SCCP_UTF8);
		assert_string_equal(text, texts[i]);
	}
	sccp_text(text, 1, "\x80\x13", SCCP_UTF8);
	assert_string_equal(text, "\x80");
}

static void softkey_position_event_and_label_are_one_number(void **state)
{
	struct sccp_keys keys;
	sccp_softkeys_template(&keys);
	assert_int_equal(keys.count, 18);
	assert_int_equal(keys.total, 18);
	for (unsigned i = 0; i < keys.count; i++) {
		assert_int_equal(keys.keys[i].event, i + 1);
		assert_int_equal((uint8_t)keys.keys[i].label[0], 0x80);
		assert_int_equal(keys.keys[i].label[1], i + 1);
	}
	for (unsigned i = keys.count; i < SCCP_KEYS_MAX; i++)
		assert_int_equal(keys.keys[i].event, 0);
}

static void every_softkey_set_points_into_the_template(void **state)
{
	struct sccp_sets sets;
	sccp_softkeys_sets(&sets, 0);
	assert_int_equal(sets.count, 11);
	for (unsigned i = 0; i < SCCP_SETS_MAX; i++) {
		for (unsigned k = 0; k < SCCP_SET_KEYS; k++) {
			uint8_t at = sets.sets[i].position[k];
			assert_true(at <= 18);
			assert_int_equal(
				sets.sets[i].info[k], at ? 300 + at : 0);
		}
		assert_int_equal(sets.sets[i].position[0] != 0, i < 11);
	}
}

/* Every set that holds a key has a name for it; the rest is cut down. */
static void softkeys_have_names(void **state)
{
	struct sccp_sets all, sets;
	uint32_t keys;
	assert_null(sccp_softkeys_read("", &keys));
	assert_int_equal(keys, 0);
	assert_null(sccp_softkeys_read(sccp_softkeys_names(), &keys));
	sccp_softkeys_sets(&all, 0);
	sccp_softkeys_sets(&sets, keys);
	assert_memory_equal(&sets, &all, sizeof(all));
	assert_null(sccp_softkeys_read("gpickup,redial", &keys));
	assert_int_equal(keys, 1 << 18 | 1 << 1);
}

static void softkeys_without_a_name_are_told(void **state)
{
	static const struct {
		const char *names, *unknown;
	} rows[] = {
		{"redial,foo,hold", "foo,hold"},
		{"redials", "redials"},
		{"redia", "redia"},
		{"Redial", "Redial"},
		{"redial, hold", " hold"},
		{"redial,", ""},
		{",redial", ",redial"},
		{",", ","},
		{"standard", "standard"},
	};
	uint32_t keys;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_string_equal(sccp_softkeys_read(rows[i].names, &keys),
			rows[i].unknown);
}

/* In their order and without gaps; what a state cannot do without stays. */
static void softkeys_that_are_not_allowed_are_gone(void **state)
{
	static const uint8_t wanted[11][4] = {{1, 5}, {3, 9}, {10}, {11},
		{1, 9, 5}, {3, 9}, {8, 9}, {3, 9}, {9}, {1, 9}, {1}};
	struct sccp_sets sets;
	uint32_t keys;
	assert_null(sccp_softkeys_read("cfwdall,hold,redial", &keys));
	sccp_softkeys_sets(&sets, keys);
	assert_int_equal(sets.count, 11);
	for (unsigned i = 0; i < 11; i++)
		for (unsigned k = 0; k < SCCP_SET_KEYS; k++) {
			uint8_t key = k < 4 ? wanted[i][k] : 0;
			assert_int_equal(sets.sets[i].position[k], key);
			assert_int_equal(
				sets.sets[i].info[k], key ? 300 + key : 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fixed_body_has_its_size),
		cmocka_unit_test(what_is_read_is_written_and_read_alike),
		cmocka_unit_test(a_body_too_short_or_too_long_shows),
		cmocka_unit_test(forms_change_at_their_versions),
		cmocka_unit_test(dynamic_line_is_packed_and_padded),
		cmocka_unit_test(dynamic_text_without_its_nul_is_short),
		cmocka_unit_test(forward_numbers_are_packed_from_18_on),
		cmocka_unit_test(server_addresses_grow_at_17),
		cmocka_unit_test(register_of_the_capture_reads),
		cmocka_unit_test(register_offsets_are_those_of_the_table),
		cmocka_unit_test(date_template_may_use_the_padding),
		cmocka_unit_test(texts_leave_room_for_their_nul),
		cmocka_unit_test(texts_fit_the_display),
		cmocka_unit_test(texts_that_are_not_utf8_stay_as_they_are),
		cmocka_unit_test(
			softkey_position_event_and_label_are_one_number),
		cmocka_unit_test(every_softkey_set_points_into_the_template),
		cmocka_unit_test(softkeys_have_names),
		cmocka_unit_test(softkeys_without_a_name_are_told),
		cmocka_unit_test(softkeys_that_are_not_allowed_are_gone),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("sccp message", tests, NULL, NULL);
}

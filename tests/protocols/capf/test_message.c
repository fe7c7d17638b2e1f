/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about CAPF messages: the spec's examples, both ways. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/capf/message.h"
#include "tests/protocols/capf/player.h"

enum { SESSION = 0x11223344, DER = 785, SPKI = 91 };

/* Reads the message in q; fails unless it is one, whole and right. */
static struct capf_message read_one(const struct bytes_queue *q)
{
	struct capf_frame frame;
	struct capf_message m;
	struct capf_refusal why = {0};
	assert_int_equal(capf_frame_next(q, &frame, &why), CAPF_FRAME_WHOLE);
	assert_int_equal(CAPF_HEADER + frame.n, bytes_queue_len(q));
	if (!capf_message_read(&m, &frame, &why))
		fail_msg("%s", why.text);
	return m;
}

/* One example of specs capf 9 as elements, in the order written there. */
struct example {
	const char *name;
	const char *hex; /* from the first byte; a long one's start alone */
	enum capf_command command;
	size_t bytes;
	struct {
		enum capf_element tag;
		int number;
		const char *text;
	} elements[4]; /* by tag; text NULL: a number */
};

#define NAME "SEP000E325C9A43"
#define HEX_NAME "0d001053455030303045333235433941343300"

static const struct example examples[] = {
	{"E1", "550111223344000407000103", CAPF_AUTH_REQUEST, 12,
		{{CAPF_EL_VERSION, 3}}},
	{"E2", "55011122334400080700010308000100", CAPF_AUTH_REQUEST, 16,
		{{CAPF_EL_VERSION, 3}, {CAPF_EL_AUTH_TYPE, 0}}},
	{"E3", "550211223344001b07000102" HEX_NAME "01000101",
		CAPF_AUTH_RESPONSE, 35,
		{{CAPF_EL_VERSION, 2}, {CAPF_EL_DEVICE_NAME, 0, NAME},
			{CAPF_EL_REASON, 1}}},
	{"E4", "550211223344001f01000101070001030b000100" HEX_NAME,
		CAPF_AUTH_RESPONSE, 39,
		{{CAPF_EL_REASON, 1}, {CAPF_EL_VERSION, 3},
			{CAPF_EL_PASSWORD, 0, ""},
			{CAPF_EL_DEVICE_NAME, 0, NAME}}},
	{"E5", "550211223344002501000101070001030b000731323334353600" HEX_NAME,
		CAPF_AUTH_RESPONSE, 45,
		{{CAPF_EL_REASON, 1}, {CAPF_EL_VERSION, 3},
			{CAPF_EL_PASSWORD, 0, "123456"},
			{CAPF_EL_DEVICE_NAME, 0, NAME}}},
	{"E6", "55031122334400050a00020400", CAPF_KEY_GENERATE_REQUEST, 13,
		{{CAPF_EL_KEY_SIZE, 1024}}},
	{"E7", "55031122334400090a0002080011000100", CAPF_KEY_GENERATE_REQUEST,
		17, {{CAPF_EL_KEY_SIZE, 2048}, {CAPF_EL_KEY_TYPE, 0}}},
	{"E8", "55031122334400081100010112000101", CAPF_KEY_GENERATE_REQUEST,
		16, {{CAPF_EL_KEY_TYPE, 1}, {CAPF_EL_CURVE, 1}}},
	{"E9", "5511112233440000", CAPF_REQUEST_IN_PROGRESS, 8, {{0}}},
	{"E11", "550411223344000401000107", CAPF_KEY_GENERATE_RESPONSE, 12,
		{{CAPF_EL_REASON, 7}}},
	{"E13", "550a11223344000401000101", CAPF_STORE_RESPONSE, 12,
		{{CAPF_EL_REASON, 1}}},
	{"E14", "550d112233440000", CAPF_DELETE_REQUEST, 8, {{0}}},
	{"E15", "550e11223344000401000101", CAPF_DELETE_RESPONSE, 12,
		{{CAPF_EL_REASON, 1}}},
	{"E16 ok", "550f11223344000401000101", CAPF_END_SESSION, 12,
		{{CAPF_EL_REASON, 1}}},
	{"E16 no-op", "550f11223344000401000100", CAPF_END_SESSION, 12,
		{{CAPF_EL_REASON, 0}}},
	{"E16 declined", "550f11223344000401000107", CAPF_END_SESSION, 12,
		{{CAPF_EL_REASON, 7}}},
	{"E16 unknown", "550f11223344000401000109", CAPF_END_SESSION, 12,
		{{CAPF_EL_REASON, 9}}},
	{"E17", "550b112233440000", CAPF_FETCH_REQUEST, 8, {{0}}},
	{"E18", "550c11223344000401000107", CAPF_FETCH_RESPONSE, 12,
		{{CAPF_EL_REASON, 7}}},
};

static void write_example(const struct example *e, struct bytes_queue *q)
{
	struct capf_builder b;
	capf_builder_init(&b, e->command, SESSION);
	for (size_t i = 0; i < 4 && e->elements[i].tag; i++) {
		if (e->elements[i].text)
			capf_builder_text(
				&b, e->elements[i].tag, e->elements[i].text);
		else
			capf_builder_number(&b, e->elements[i].tag,
				(unsigned)e->elements[i].number);
	}
	assert_int_equal(capf_builder_send(&b, q), 0);
}

static void check_elements(
	const struct example *e, const struct capf_message *m)
{
	unsigned came = 0, wanted = 0;
	assert_int_equal(m->command, e->command);
	assert_int_equal(m->session, SESSION);
	for (unsigned tag = 0; tag < CAPF_EL_MAX; tag++)
		came += m->elements[tag].p != NULL;
	for (; wanted < 4 && e->elements[wanted].tag; wanted++) {
		enum capf_element tag = e->elements[wanted].tag;
		const char *text = e->elements[wanted].text;
		if (text)
			assert_string_equal(capf_message_text(m, tag), text);
		else
			assert_int_equal(capf_message_number(m, tag),
				e->elements[wanted].number);
	}
	assert_int_equal(came, wanted);
}

static void short_examples_are_written_and_read(void **state)
{
	for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
		const struct example *e = &examples[i];
		uint8_t wanted[64];
		size_t n, wanted_n = player_hex(e->hex, wanted, sizeof(wanted));
		struct bytes_queue q;
		bytes_queue_init(&q, CAPF_MESSAGE_MAX);
		write_example(e, &q);
		const uint8_t *data = bytes_queue_peek(&q, &n);
		assert_int_equal(wanted_n, e->bytes);
		assert_int_equal(n, e->bytes);
		assert_memory_equal(data, wanted, n);
		struct capf_message m = read_one(&q);
		check_elements(e, &m);
		bytes_queue_deinit(&q);
	}
}

static void example_of_a_key_is_102_bytes(void **state)
{
	static const uint8_t head[] = {0x55, 4, 0x11, 0x22, 0x33, 0x44, 0, 0x5e,
		9, 0, 0x5b, 0x30, 0x59, 0x30, 0x13};
	uint8_t spki[SPKI] = {0x30, 0x59, 0x30, 0x13};
	const struct capf_bytes key = {spki, sizeof(spki)};
	struct capf_builder b;
	struct bytes_queue q;
	size_t n;
	bytes_queue_init(&q, CAPF_MESSAGE_MAX);
	capf_builder_init(&b, CAPF_KEY_GENERATE_RESPONSE, SESSION);
	capf_builder_bytes(&b, CAPF_EL_PUBLIC_KEY, &key);
	assert_int_equal(capf_builder_send(&b, &q), 0);
	assert_memory_equal(bytes_queue_peek(&q, &n), head, sizeof(head));
	assert_int_equal(n, 102); /* E10 */
	struct capf_message m = read_one(&q);
	assert_int_equal(m.elements[CAPF_EL_PUBLIC_KEY].n, SPKI);
	assert_memory_equal(m.elements[CAPF_EL_PUBLIC_KEY].p, spki, SPKI);
	bytes_queue_deinit(&q);
}

static void example_of_a_certificate_is_805_bytes(void **state)
{
	static const uint8_t head[] = {0x55, 9, 0x11, 0x22, 0x33, 0x44, 3, 0x1d,
		3, 0, 1, 1, 4, 3, 0x16, 1, 3, 0x13, 0, 1, 0x30, 0x82};
	uint8_t der[DER] = {0x30, 0x82};
	const struct capf_cert cert = {CAPF_CERT_LSC, {der, sizeof(der)}};
	struct capf_builder b;
	struct bytes_queue q;
	size_t n;
	der[DER - 1] = 0x99;
	bytes_queue_init(&q, CAPF_MESSAGE_MAX);
	capf_builder_init(&b, CAPF_STORE_REQUEST, SESSION);
	capf_builder_number(&b, CAPF_EL_CERTIFICATE_TYPE, CAPF_CERT_LSC);
	capf_builder_certs(&b, &cert, 1);
	assert_int_equal(capf_builder_send(&b, &q), 0);
	assert_memory_equal(bytes_queue_peek(&q, &n), head, sizeof(head));
	assert_int_equal(n, 805); /* E12 */
	struct capf_message m = read_one(&q);
	assert_int_equal(m.n_certs, 1);
	assert_int_equal(m.certs[0].type, CAPF_CERT_LSC);
	assert_int_equal(m.certs[0].der.n, DER);
	assert_memory_equal(m.certs[0].der.p, der, DER);
	bytes_queue_deinit(&q);
}

static void type_of_a_certificate_has_two_bytes(void **state)
{
	static const uint8_t der[] = {0x30, 0};
	const struct capf_cert certs[] = {{0x1234, {der, 2}}, {2, {der, 1}}};
	struct capf_builder b;
	struct bytes_queue q;
	bytes_queue_init(&q, CAPF_MESSAGE_MAX);
	capf_builder_init(&b, CAPF_FETCH_RESPONSE, SESSION);
	capf_builder_certs(&b, certs, 2);
	assert_int_equal(capf_builder_send(&b, &q), 0);
	struct capf_message m = read_one(&q);
	assert_int_equal(m.n_certs, 2);
	assert_int_equal(m.certs[0].type, 0x1234);
	assert_int_equal(m.certs[1].type, CAPF_CERT_MIC);
	assert_int_equal(m.certs[1].der.n, 1);
	bytes_queue_deinit(&q);
}

static void what_is_absent_is_not_written(void **state)
{
	const struct capf_bytes none = {NULL, 0};
	struct capf_builder b;
	struct bytes_queue q;
	bytes_queue_init(&q, CAPF_MESSAGE_MAX);
	capf_builder_init(&b, CAPF_AUTH_RESPONSE, SESSION);
	capf_builder_text(&b, CAPF_EL_PASSWORD, NULL);
	capf_builder_bytes(&b, CAPF_EL_SUDI_DATA, &none);
	capf_builder_certs(&b, NULL, 0);
	assert_int_equal(capf_builder_send(&b, &q), 0);
	assert_int_equal(bytes_queue_len(&q), CAPF_HEADER);
	struct capf_message m = read_one(&q);
	assert_null(capf_message_text(&m, CAPF_EL_PASSWORD));
	assert_int_equal(capf_message_number(&m, CAPF_EL_VERSION), -1);
	assert_int_equal(m.n_certs, 0);
	bytes_queue_deinit(&q);
}

static void a_full_queue_takes_no_part_of_a_message(void **state)
{
	struct capf_builder b;
	struct bytes_queue q;
	bytes_queue_init(&q, CAPF_HEADER);
	capf_builder_init(&b, CAPF_END_SESSION, SESSION);
	capf_builder_number(&b, CAPF_EL_REASON, 1);
	assert_int_equal(capf_builder_send(&b, &q), -ENOBUFS);
	assert_int_equal(bytes_queue_len(&q), 0);
	bytes_queue_deinit(&q);
}

/* Reads only its payload: ASan sees a byte too far. */
static bool reads(const uint8_t *payload, size_t n, struct capf_refusal *why)
{
	uint8_t *copy = malloc(n ? n : 1);
	const struct capf_frame frame = {
		.command = 2, .session = SESSION, .payload = copy, .n = n};
	struct capf_message m;
	assert_non_null(copy);
	memcpy(copy, payload, n);
	bool ok = capf_message_read(&m, &frame, why);
	free(copy);
	return ok;
}

static void every_cut_of_a_message_is_an_overrun(void **state)
{
	uint8_t payload[64];
	size_t n = player_hex("01000101" HEX_NAME "04000d01000400010000"
			      "0100030002cc",
		payload, sizeof(payload));
	struct capf_refusal why;
	assert_true(reads(payload, n, &why));
	for (size_t cut = 0; cut < n; cut++) {
		bool whole = cut == 0 || cut == 4 || cut == 23;
		assert_int_equal(reads(payload, cut, &why), whole);
		if (!whole)
			assert_int_equal(why.rule, CAPF_RULE_OVERRUN);
	}
}

static void names_have_letters_digits_and_three_marks(void **state)
{
	for (unsigned c = 1; c <= UINT8_MAX; c++) {
		const uint8_t payload[] = {
			CAPF_EL_DEVICE_NAME, 0, 3, 'S', (uint8_t)c, 0};
		struct capf_refusal why = {0};
		bool good = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			    (c >= '0' && c <= '9') || c == '.' || c == '_' ||
			    c == '-';
		assert_int_equal(reads(payload, sizeof(payload), &why), good);
		if (!good)
			assert_int_equal(why.rule, CAPF_RULE_DEVICE_NAME);
	}
}

static void longest_name_and_password_are_taken(void **state)
{
	uint8_t payload[3 + CAPF_PASSWORD_MAX + 1] = {
		CAPF_EL_PASSWORD, 0, CAPF_PASSWORD_MAX + 1};
	struct capf_refusal why;
	memset(payload + 3, '7', CAPF_PASSWORD_MAX);
	assert_true(reads(payload, sizeof(payload), &why));
	payload[0] = CAPF_EL_DEVICE_NAME;
	payload[2] = CAPF_DEVICE_MAX + 1;
	payload[3 + CAPF_DEVICE_MAX] = '\0';
	assert_true(reads(payload, 3 + CAPF_DEVICE_MAX + 1, &why));
}

/* Every named tag twice; a form that refuses the value itself comes first. */
static void no_named_tag_comes_twice(void **state)
{
	for (unsigned tag = 1; tag < CAPF_EL_MAX; tag++) {
		static const uint8_t values[][3] = {[CAPF_U8] = {1, 1},
			[CAPF_U16] = {2, 1, 1},
			[CAPF_TEXT] = {2, 'x', 0},
			[CAPF_BYTES] = {0},
			[CAPF_CERTS] = {0}};
		const uint8_t *v = values[capf_element_form(tag)];
		struct bytes_out out;
		uint8_t payload[16];
		struct capf_refusal why = {0};
		out = bytes_out(payload, sizeof(payload));
		for (int i = 0; i < 2; i++) {
			bytes_put_u8(&out, (uint8_t)tag);
			bytes_put_u8(&out, 0);
			bytes_put(&out, v, 1 + (size_t)v[0]);
		}
		size_t n = sizeof(payload) - out.left;
		bool named = capf_element_name(tag) != NULL;
		assert_true(reads(payload, n / 2, &why));
		assert_int_equal(reads(payload, n, &why), !named);
		if (named)
			assert_int_equal(why.rule, CAPF_RULE_DUPLICATE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_examples_are_written_and_read),
		cmocka_unit_test(example_of_a_key_is_102_bytes),
		cmocka_unit_test(example_of_a_certificate_is_805_bytes),
		cmocka_unit_test(type_of_a_certificate_has_two_bytes),
		cmocka_unit_test(what_is_absent_is_not_written),
		cmocka_unit_test(a_full_queue_takes_no_part_of_a_message),
		cmocka_unit_test(every_cut_of_a_message_is_an_overrun),
		cmocka_unit_test(names_have_letters_digits_and_three_marks),
		cmocka_unit_test(longest_name_and_password_are_taken),
		cmocka_unit_test(no_named_tag_comes_twice),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("capf-message", tests, NULL, NULL);
}

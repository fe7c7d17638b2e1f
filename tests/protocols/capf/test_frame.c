/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about CAPF frames, and about the tables of names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/capf/frame.h"
#include "protocols/capf/ids.h"
#include "protocols/capf/link.h"

/* What next() says of the first n bytes of data. */
static enum capf_frame_verdict verdict_of(const void *data, size_t n,
	struct capf_frame *frame, struct capf_refusal *why)
{
	struct bytes_queue q;
	bytes_queue_init(&q, 2 * CAPF_MESSAGE_MAX);
	assert_int_equal(bytes_queue_put(&q, data, n), 0);
	enum capf_frame_verdict verdict = capf_frame_next(&q, frame, why);
	bytes_queue_deinit(&q);
	return verdict;
}

/* Specs capf 9, E1 */
static const uint8_t auth_request[] = {
	0x55, 1, 0x11, 0x22, 0x33, 0x44, 0, 4, 7, 0, 1, 3};

static void frame_is_whole_only_with_its_last_byte(void **state)
{
	struct capf_frame frame;
	struct capf_refusal why;
	for (size_t n = 0; n < sizeof(auth_request); n++)
		assert_int_equal(verdict_of(auth_request, n, &frame, &why),
			CAPF_FRAME_MORE);
	assert_int_equal(
		verdict_of(auth_request, sizeof(auth_request), &frame, &why),
		CAPF_FRAME_WHOLE);
	assert_int_equal(frame.command, CAPF_AUTH_REQUEST);
	assert_int_equal(frame.session, 0x11223344);
	assert_int_equal(frame.n, 4);
}

static void refuses_any_other_first_byte_at_once(void **state)
{
	struct capf_frame frame;
	for (unsigned first = 0; first <= UINT8_MAX; first++) {
		struct capf_refusal why = {.rule = CAPF_RULE_TOO_LONG};
		uint8_t byte = (uint8_t)first;
		enum capf_frame_verdict verdict =
			verdict_of(&byte, 1, &frame, &why);
		if (first == CAPF_PROTOCOL) {
			assert_int_equal(verdict, CAPF_FRAME_MORE);
			continue;
		}
		assert_int_equal(verdict, CAPF_FRAME_REFUSED);
		assert_int_equal(why.rule, CAPF_RULE_PROTOCOL);
	}
}

static void takes_the_longest_message_and_no_longer_one(void **state)
{
	static uint8_t data[CAPF_MESSAGE_MAX] = {0x55, 2, 0, 0, 0, 1};
	struct capf_frame frame;
	struct capf_refusal why;
	data[6] = (CAPF_MESSAGE_MAX - CAPF_HEADER) >> 8;
	data[7] = (CAPF_MESSAGE_MAX - CAPF_HEADER) & 0xff;
	assert_int_equal(verdict_of(data, sizeof(data) - 1, &frame, &why),
		CAPF_FRAME_MORE);
	assert_int_equal(
		verdict_of(data, sizeof(data), &frame, &why), CAPF_FRAME_WHOLE);
	assert_int_equal(frame.n, CAPF_MESSAGE_MAX - CAPF_HEADER);
	data[7]++;
	assert_int_equal(verdict_of(data, CAPF_HEADER - 1, &frame, &why),
		CAPF_FRAME_MORE);
	assert_int_equal(verdict_of(data, CAPF_HEADER, &frame, &why),
		CAPF_FRAME_REFUSED);
	assert_int_equal(why.rule, CAPF_RULE_TOO_LONG);
	assert_non_null(strstr(why.text, "16385"));
}

static void every_command_has_its_name_and_side(void **state)
{
	static const unsigned from_server[] = {1, 3, 9, 11, 13, 15, 16};
	static const unsigned from_phone[] = {2, 4, 10, 12, 14, 17};
	unsigned server = 0, phone = 0;
	for (unsigned i = 1; i <= CAPF_SIGN_RESPONSE; i++) {
		assert_non_null(capf_command_name(i));
		server += capf_command_side(i) == CAPF_FROM_SERVER;
		phone += capf_command_side(i) == CAPF_FROM_PHONE;
	}
	for (size_t i = 0; i < sizeof(from_server) / sizeof(*from_server); i++)
		assert_int_equal(
			capf_command_side(from_server[i]), CAPF_FROM_SERVER);
	for (size_t i = 0; i < sizeof(from_phone) / sizeof(*from_phone); i++)
		assert_int_equal(
			capf_command_side(from_phone[i]), CAPF_FROM_PHONE);
	assert_int_equal(server, sizeof(from_server) / sizeof(*from_server));
	assert_int_equal(phone, sizeof(from_phone) / sizeof(*from_phone));
	assert_null(capf_command_name(0));
	assert_null(capf_command_name(CAPF_SIGN_RESPONSE + 1));
	assert_null(capf_command_name(UINT32_MAX));
	assert_int_equal(capf_command_side(UINT32_MAX), CAPF_FROM_NOBODY);
	assert_string_equal(capf_command_name(9), "STORE_CERTIFICATE_REQUEST");
}

static void every_element_has_its_name_and_form(void **state)
{
	for (unsigned i = 0; i <= CAPF_EL_MAX + 1; i++) {
		bool none = i == 0 || i == 14 || i == 15 || i >= CAPF_EL_MAX;
		assert_int_equal(capf_element_name(i) == NULL, none);
	}
	assert_string_equal(capf_element_name(16), "SUDI_DATA");
	assert_int_equal(capf_element_form(7), CAPF_U8);
	assert_int_equal(capf_element_form(10), CAPF_U16);
	assert_int_equal(capf_element_form(13), CAPF_TEXT);
	assert_int_equal(capf_element_form(4), CAPF_CERTS);
	assert_int_equal(capf_element_form(9), CAPF_BYTES);
	assert_int_equal(capf_element_form(14), CAPF_BYTES);
	assert_int_equal(capf_element_form(UINT32_MAX), CAPF_BYTES);
}

static void every_rule_has_its_own_name_and_text(void **state)
{
	for (int i = 0; i < CAPF_RULES; i++) {
		const char *name = capf_rule_name((enum capf_rule)i);
		assert_memory_equal(name, "capf-", 5);
		assert_true(strlen(capf_rule_text((enum capf_rule)i)) > 10);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(
				name, capf_rule_name((enum capf_rule)k));
	}
}

/* Specs capf 7: all pairs of an answer and the request after it. */
static void requests_follow_answers_as_the_sequences_say(void **state)
{
	static const struct {
		enum capf_command last, next;
	} allowed[] = {{2, 3}, {2, 9}, {2, 11}, {2, 13}, {4, 9}, {12, 11}};
	unsigned n = 0;
	for (unsigned last = 0; last <= UINT8_MAX; last++)
		for (unsigned next = 0; next <= UINT8_MAX; next++)
			n += capf_link_may_follow(last, next);
	assert_int_equal(n, sizeof(allowed) / sizeof(*allowed));
	for (size_t i = 0; i < n; i++)
		assert_true(
			capf_link_may_follow(allowed[i].last, allowed[i].next));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame_is_whole_only_with_its_last_byte),
		cmocka_unit_test(refuses_any_other_first_byte_at_once),
		cmocka_unit_test(takes_the_longest_message_and_no_longer_one),
		cmocka_unit_test(every_command_has_its_name_and_side),
		cmocka_unit_test(every_element_has_its_name_and_form),
		cmocka_unit_test(every_rule_has_its_own_name_and_text),
		cmocka_unit_test(requests_follow_answers_as_the_sequences_say),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("capf-frame", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the phone that asks for / once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench/http_phone.h"

static const char good[] = "HTTP/1.1 200 OK\r\nServer: x\r\n"
			   "content-length: 3\r\n\r\nyes";

static struct http_phone phone;

static void begin(void)
{
	http_phone_init(&phone);
	http_phone_start(&phone, "127.0.0.1", "SEP000000000001");
}

static void expect(enum http_phone_event_type type, uint32_t value)
{
	struct http_phone_event event;
	assert_true(http_phone_next(&phone, &event));
	assert_int_equal(event.type, type);
	assert_int_equal(event.value, value);
	assert_false(http_phone_next(&phone, &event));
	http_phone_deinit(&phone);
}

static void answer(
	const char *text, enum http_phone_event_type type, uint32_t value)
{
	begin();
	http_phone_feed(&phone, text, strlen(text));
	expect(type, value);
}

static void asks_once_and_says_who_it_is(void **state)
{
	static const char expected[] =
		"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
		"User-Agent: dialtone-storm/SEP000000000001\r\n\r\n";
	size_t n;
	begin();
	const uint8_t *out = http_phone_out(&phone, &n);
	assert_int_equal(n, sizeof(expected) - 1);
	assert_memory_equal(out, expected, n);
	http_phone_sent(&phone, n);
	http_phone_out(&phone, &n);
	assert_int_equal(n, 0);
	http_phone_deinit(&phone);
}

static void a_200_is_registered(void **state)
{
	answer(good, HTTP_PHONE_REGISTERED, 200);
}

static void byte_by_byte_is_the_same(void **state)
{
	struct http_phone_event event;
	begin();
	for (size_t i = 0; i < sizeof(good) - 1; i++) {
		assert_false(http_phone_next(&phone, &event));
		http_phone_feed(&phone, good + i, 1);
	}
	expect(HTTP_PHONE_REGISTERED, 200);
}

static void another_status_is_a_rejection(void **state)
{
	answer("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
		HTTP_PHONE_REJECTED, 400);
}

static void what_it_cannot_read_fails(void **state)
{
	static char endless[20000];
	memset(endless, 'x', sizeof(endless) - 1);
	answer("HTTP/1.1 200 OK\r\n\r\n", HTTP_PHONE_FAILED, 0);
	answer("SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", HTTP_PHONE_FAILED,
		0);
	answer(endless, HTTP_PHONE_FAILED, 0);
}

static void a_body_that_never_fits_fails(void **state)
{
	static char body[20000];
	static const char head[] =
		"HTTP/1.1 200 OK\r\nContent-Length: 19000\r\n\r\n";
	memset(body, 'x', sizeof(body) - 1);
	memcpy(body, head, sizeof(head) - 1);
	answer(body, HTTP_PHONE_FAILED, 0);
}

static void leaves_without_a_word(void **state)
{
	struct http_phone_event event;
	size_t n;
	begin();
	http_phone_out(&phone, &n);
	http_phone_sent(&phone, n);
	http_phone_feed(&phone, good, sizeof(good) - 1);
	assert_true(http_phone_next(&phone, &event));
	http_phone_unregister(&phone);
	http_phone_out(&phone, &n);
	assert_int_equal(n, 0);
	expect(HTTP_PHONE_UNREGISTERED, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_once_and_says_who_it_is),
		cmocka_unit_test(a_200_is_registered),
		cmocka_unit_test(byte_by_byte_is_the_same),
		cmocka_unit_test(another_status_is_a_rejection),
		cmocka_unit_test(what_it_cannot_read_fails),
		cmocka_unit_test(a_body_that_never_fits_fails),
		cmocka_unit_test(leaves_without_a_word),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the texts that are handed out and handed back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "registrar/status/token.h"

static void every_length_comes_back(void **state)
{
	uint8_t data[TOKEN_DATA_MAX], back[TOKEN_DATA_MAX];
	char text[TOKEN_MAX + 1];
	for (size_t n = 0; n <= TOKEN_DATA_MAX; n++) {
		memset(data, (int)(0xf8 + n), n);
		token_write(text, TOKEN_CURSOR, data, n);
		assert_in_range(strlen(text), 2, TOKEN_MAX);
		assert_int_equal(
			strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijk"
				     "lmnopqrstuvwxyz0123456789-_"),
			strlen(text));
		assert_int_equal(token_read(text, TOKEN_CURSOR, back), n);
		assert_memory_equal(back, data, n);
		assert_int_equal(token_read(text, TOKEN_SINCE, back), -1);
	}
}

static void what_was_never_handed_out_is_none(void **state)
{
	static const char *const bad[] = {"", "Y", "Yw==", "Y!", "Yx", " Yw",
		"Yw\n", "Y\xc3\xa4w", "+/+/", "YwAA=", "=", "===="};
	uint8_t back[TOKEN_DATA_MAX];
	char longest[TOKEN_MAX + 2];
	assert_int_equal(token_read("Yw", TOKEN_CURSOR, back), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(token_read(bad[i], TOKEN_CURSOR, back), -1);
	memset(longest, 'Y', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(token_read(longest, TOKEN_CURSOR, back), -1);
}

static void a_moment_comes_back_and_no_other(void **state)
{
	const struct token_moment m = {UINT64_MAX, 42};
	struct token_moment back;
	char text[TOKEN_MAX + 1];
	token_write_moment(text, TOKEN_SINCE, m);
	assert_true(token_read_moment(text, TOKEN_SINCE, &back));
	assert_true(back.run == m.run && back.number == m.number);
	assert_false(token_read_moment(text, TOKEN_EVENT, &back));
	token_write(text, TOKEN_SINCE, "short", 5);
	assert_false(token_read_moment(text, TOKEN_SINCE, &back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_comes_back),
		cmocka_unit_test(what_was_never_handed_out_is_none),
		cmocka_unit_test(a_moment_comes_back_and_no_other),
	};
	return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}

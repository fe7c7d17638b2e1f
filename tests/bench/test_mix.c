/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about mixes by percent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "bench/mix.h"

static const char *const words[] = {"red", "green", "blue", NULL};
static struct mix m;

static void accepted(const char *text)
{
	struct diag d = {.text = ""};
	if (mix_parse("paint", text, words, &m, &d) != 0)
		fail_msg("%s", d.text);
}

static void a_word_alone_is_all_of_it(void **state)
{
	accepted("green");
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(mix_pick(&m, i, 37), 1);
}

static void any_hundred_in_a_row_have_the_percentages(void **state)
{
	static const unsigned steps[] = {37, 61, 71};
	accepted("blue=5,red=80,green=15");
	for (unsigned from = 0; from < 300; from++) {
		unsigned n[3] = {0};
		for (unsigned i = from; i < from + 100; i++)
			n[mix_pick(&m, i, steps[from % 3])]++;
		assert_int_equal(n[0], 80);
		assert_int_equal(n[1], 15);
		assert_int_equal(n[2], 5);
	}
}

static void nothing_and_everything_can_be_said_in_percent(void **state)
{
	accepted("red=0,blue=100");
	assert_int_equal(mix_pick(&m, 0, 37), 2);
}

static void what_is_no_mix_is_refused_and_the_words_are_told(void **state)
{
	static const char *const wrong[] = {"", "pink", "red=50", "red=101",
		"red=50,red=50", "red=50,green=60", "red=50,,green=50",
		"red=50,green=50,", "red=,green=100", "red=-1,green=101",
		"=100", "red=100x", "red 100", "red=99999999999999999999"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct diag d = {.text = ""};
		if (mix_parse("paint", wrong[i], words, &m, &d) != -EINVAL)
			fail_msg("'%s' was accepted", wrong[i]);
		assert_non_null(strstr(d.text, "--paint: '"));
		assert_non_null(strstr(d.text, "red=80,green=20"));
		assert_non_null(strstr(d.text, "red, green, blue"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_alone_is_all_of_it),
		cmocka_unit_test(any_hundred_in_a_row_have_the_percentages),
		cmocka_unit_test(nothing_and_everything_can_be_said_in_percent),
		cmocka_unit_test(
			what_is_no_mix_is_refused_and_the_words_are_told),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

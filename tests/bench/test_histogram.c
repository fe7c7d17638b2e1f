/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about percentiles in bounded memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/histogram.h"

static struct histogram h;

static void clear(void)
{
	h = (struct histogram){0};
}

static void small_values_are_exact_nearest_ranks(void **state)
{
	clear();
	for (uint64_t v = 1; v <= 100; v++)
		histogram_add(&h, v);
	assert_int_equal(histogram_percentile(&h, 50), 50);
	assert_int_equal(histogram_percentile(&h, 99), 99);
	assert_int_equal(histogram_percentile(&h, 99.1), 100);
	assert_int_equal(histogram_percentile(&h, 100), 100);
	assert_int_equal(histogram_percentile(&h, 0), 1);
}

static void an_empty_one_answers_nothing(void **state)
{
	clear();
	assert_int_equal(histogram_percentile(&h, 99), 0);
}

/* One value a time, at every power of two and around it. */
static void errors_stay_below_one_in_a_hundred_and_28(void **state)
{
	for (unsigned bits = 0; bits < HISTOGRAM_BITS; bits++) {
		for (int step = -1; step <= 1; step++) {
			uint64_t v = (UINT64_C(1) << bits) * 100 / 77 +
				     (uint64_t)step;
			if (v > HISTOGRAM_TOP)
				continue;
			clear();
			histogram_add(&h, v);
			histogram_add(&h, HISTOGRAM_TOP);
			uint64_t told = histogram_percentile(&h, 50);
			assert_true(told >= v);
			assert_true((told - v) * HISTOGRAM_EXACT <= v);
		}
	}
}

static void percentiles_never_pass_the_largest_value(void **state)
{
	clear();
	histogram_add(&h, 1000001);
	assert_int_equal(histogram_percentile(&h, 50), 1000001);
	assert_int_equal(histogram_percentile(&h, 99.9), 1000001);
}

static void what_is_beyond_the_top_counts_and_keeps_its_maximum(void **state)
{
	clear();
	histogram_add(&h, 5);
	histogram_add(&h, UINT64_MAX);
	assert_int_equal(h.count, 2);
	assert_int_equal(histogram_percentile(&h, 50), 5);
	assert_true(histogram_percentile(&h, 100) == UINT64_MAX);
}

static void merging_is_adding_all(void **state)
{
	static struct histogram other, both;
	other = both = (struct histogram){0};
	clear();
	for (uint64_t v = 1; v < 5000; v += 7) {
		histogram_add(v % 2 ? &h : &other, v * v);
		histogram_add(&both, v * v);
	}
	histogram_merge(&h, &other);
	assert_memory_equal(&h, &both, sizeof(h));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_values_are_exact_nearest_ranks),
		cmocka_unit_test(an_empty_one_answers_nothing),
		cmocka_unit_test(errors_stay_below_one_in_a_hundred_and_28),
		cmocka_unit_test(percentiles_never_pass_the_largest_value),
		cmocka_unit_test(
			what_is_beyond_the_top_counts_and_keeps_its_maximum),
		cmocka_unit_test(merging_is_adding_all),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

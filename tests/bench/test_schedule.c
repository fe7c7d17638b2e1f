/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about when phones come, and come again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/schedule.h"

static const uint64_t second = 1000000000;

static void steady_arrivals_are_one_interval_apart(void **state)
{
	struct schedule s;
	schedule_steady(&s, 200, 0, 10, UINT64_MAX);
	assert_int_equal(s.arrivals, 2000);
	assert_int_equal(schedule_at(&s, 0), 0);
	assert_int_equal(schedule_at(&s, 1), second / 200);
	assert_int_equal(schedule_at(&s, 1999), second * 1999 / 200);
}

static void due_counts_what_is_not_later_than_now(void **state)
{
	struct schedule s;
	schedule_steady(&s, 100, 0, 2, UINT64_MAX);
	assert_int_equal(schedule_due(&s, 0), 1);
	assert_int_equal(schedule_due(&s, second / 100 - 1), 1);
	assert_int_equal(schedule_due(&s, second / 100), 2);
	assert_int_equal(schedule_due(&s, second), 101);
	assert_int_equal(schedule_due(&s, 100 * second), 200);
}

static void a_ramp_brings_half_as_many_and_grows_evenly(void **state)
{
	struct schedule s;
	schedule_steady(&s, 1000, 4, 10, UINT64_MAX);
	assert_int_equal(s.arrivals, 2000 + 6000);
	/* The area of the triangle up to its half is a quarter. */
	assert_in_range(schedule_due(&s, 2 * second), 499, 502);
	assert_in_range(schedule_due(&s, 4 * second), 2000, 2001);
	assert_in_range(schedule_due(&s, 5 * second), 3000, 3001);
}

static void times_never_fall_and_all_are_within_the_plan(void **state)
{
	struct schedule s;
	schedule_steady(&s, 777, 3, 5, UINT64_MAX);
	for (uint64_t i = 1; i < s.arrivals; i++)
		assert_true(schedule_at(&s, i) >= schedule_at(&s, i - 1));
	assert_true(schedule_at(&s, s.arrivals - 1) < 5 * second);
}

static void a_ramp_longer_than_the_storm_is_all_of_it(void **state)
{
	struct schedule s;
	schedule_steady(&s, 100, 20, 10, UINT64_MAX);
	assert_int_equal(s.arrivals, 500);
}

static void there_are_never_more_than_asked(void **state)
{
	struct schedule s;
	schedule_steady(&s, 50000, 0, 3600, 12);
	assert_int_equal(s.arrivals, 12);
	assert_int_equal(schedule_due(&s, UINT64_MAX), 12);
}

static void a_burst_is_due_at_once(void **state)
{
	struct schedule s;
	schedule_burst(&s, 15000, 0, 10);
	assert_int_equal(s.arrivals, 15000);
	assert_int_equal(schedule_due(&s, 0), 15000);
	assert_int_equal(schedule_at(&s, 14999), 0);
}

static void bursts_come_again_as_long_as_there_is_time(void **state)
{
	struct schedule s;
	schedule_burst(&s, 500, 3, 9);
	assert_int_equal(s.arrivals, 1500);
	assert_int_equal(schedule_due(&s, 0), 500);
	assert_int_equal(schedule_due(&s, 3 * second - 1), 500);
	assert_int_equal(schedule_due(&s, 3 * second), 1000);
	assert_int_equal(schedule_at(&s, 1499), 6 * second);
	schedule_burst(&s, 500, 3, 10);
	assert_int_equal(s.arrivals, 2000);
	schedule_burst(&s, 500, 20, 10);
	assert_int_equal(s.arrivals, 500);
}

static void back_off_doubles_to_a_minute_and_half_is_chance(void **state)
{
	static const uint32_t whole[] = {
		1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
	for (unsigned n = 0; n < 8; n++) {
		assert_int_equal(schedule_backoff_ms(n, 0), whole[n] / 2);
		assert_int_equal(
			schedule_backoff_ms(n, whole[n] / 2), whole[n]);
		assert_in_range(schedule_backoff_ms(n, UINT64_MAX),
			whole[n] / 2, whole[n]);
	}
	assert_int_equal(schedule_backoff_ms(UINT32_MAX, 0), 30000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steady_arrivals_are_one_interval_apart),
		cmocka_unit_test(due_counts_what_is_not_later_than_now),
		cmocka_unit_test(a_ramp_brings_half_as_many_and_grows_evenly),
		cmocka_unit_test(times_never_fall_and_all_are_within_the_plan),
		cmocka_unit_test(a_ramp_longer_than_the_storm_is_all_of_it),
		cmocka_unit_test(there_are_never_more_than_asked),
		cmocka_unit_test(a_burst_is_due_at_once),
		cmocka_unit_test(bursts_come_again_as_long_as_there_is_time),
		cmocka_unit_test(
			back_off_doubles_to_a_minute_and_half_is_chance),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

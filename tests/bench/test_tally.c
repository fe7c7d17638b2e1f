/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about what a storm counts, in bounded memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "bench/tally.h"

static struct tally t;
static double values[REQUIRE_METRICS];

static void clear(void)
{
	t = (struct tally){0};
}

static void the_same_reason_is_counted_not_repeated(void **state)
{
	clear();
	tally_reason(&t.reasons, "alert", "unknown CA");
	tally_reason(&t.reasons, "lost", "");
	tally_reason(&t.reasons, "alert", "unknown CA");
	assert_int_equal(t.reasons.n, 2);
	assert_string_equal(t.reasons.rows[0].text, "alert: unknown CA");
	assert_int_equal(t.reasons.rows[0].count, 2);
	assert_string_equal(t.reasons.rows[1].text, "lost");
}

static void a_server_cannot_make_the_reasons_grow(void **state)
{
	uint64_t sum = 0;
	clear();
	for (int i = 0; i < 1000; i++) {
		char text[400];
		memset(text, 'x', sizeof(text));
		snprintf(text, sizeof(text), "%0300d", 0);
		snprintf(text, 8, "%d", i);
		tally_reason(&t.reasons, "rejected", text);
	}
	assert_int_equal(t.reasons.n, TALLY_REASONS);
	for (size_t i = 0; i < t.reasons.n; i++)
		sum += t.reasons.rows[i].count;
	assert_int_equal(sum, 1000);
	assert_string_equal(
		t.reasons.rows[TALLY_REASONS - 1].text, "other reasons");
}

static void long_reasons_are_cut_and_still_the_same(void **state)
{
	char text[1000];
	clear();
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	tally_reason(&t.reasons, "rejected", text);
	tally_reason(&t.reasons, "rejected", text);
	assert_int_equal(t.reasons.n, 1);
	assert_int_equal(strlen(t.reasons.rows[0].text), TALLY_REASON_MAX);
}

static void nothing_measured_is_not_a_number(void **state)
{
	clear();
	tally_values(&t, values);
	assert_true(isnan(values[REQUIRE_P99]));
	assert_true(isnan(values[REQUIRE_RESUMED]));
	assert_true(isnan(values[REQUIRE_CPU]));
	assert_true(isnan(values[REQUIRE_RSS]));
	assert_true(values[REQUIRE_FAILED] == 0);
}

static void figures_are_what_was_counted(void **state)
{
	clear();
	t.handshakes[TALLY_FULL] = 1;
	t.handshakes[TALLY_RESUMED] = 3;
	t.registered = 4;
	t.started = 8;
	t.late = 2;
	t.storm_s = 2;
	t.tool_cpu_s = 0.5;
	t.server_seen = true;
	t.server_cpu_s = 0.001;
	t.rss_start = 1000;
	t.rss_peak = 5000;
	t.held = 4;
	for (uint64_t us = 1; us <= 100; us++)
		histogram_add(&t.latency[us % TALLY_KINDS], us);
	tally_values(&t, values);
	assert_true(values[REQUIRE_RESUMED] == 75);
	assert_true(values[REQUIRE_RATE] == 2);
	assert_true(values[REQUIRE_LATE] == 25);
	assert_true(values[REQUIRE_TOOL_CPU] == 25);
	assert_true(fabs(values[REQUIRE_CPU] - 250e-6) < 1e-12);
	assert_true(values[REQUIRE_RSS_PHONE] == 1000);
	assert_true(fabs(values[REQUIRE_P99] - 99e-6) < 1e-12);
	assert_true(fabs(values[REQUIRE_MAX] - 100e-6) < 1e-12);
}

static void a_server_that_ended_has_no_figures(void **state)
{
	clear();
	t.registered = 4;
	t.server_seen = t.server_gone = true;
	t.server_cpu_s = 0.001;
	tally_values(&t, values);
	assert_true(isnan(values[REQUIRE_CPU]));
	assert_true(isnan(values[REQUIRE_RSS]));
}

static void hours_fit_into_the_cells_and_nothing_is_lost(void **state)
{
	static struct series s;
	const uint64_t second = 1000000000, hours = 24 * 3600;
	uint64_t sum = 0;
	s = (struct series){0};
	for (uint64_t i = 0; i < hours; i += 7) {
		series_at(&s, i * second)->counts[SERIES_FULL]++;
		series_at(&s, i * second)->rss = i;
	}
	assert_true(s.n <= SERIES_CELLS);
	assert_true(s.n > SERIES_CELLS / 2 - 1);
	assert_true((uint64_t)s.n * series_cell_seconds(&s) >= hours - 7);
	for (size_t i = 0; i < s.n; i++)
		sum += s.cells[i].counts[SERIES_FULL];
	assert_int_equal(sum, (hours + 6) / 7);
	for (size_t i = 1; i < s.n; i++)
		assert_true(s.cells[i].rss > s.cells[i - 1].rss);
}

static void the_first_ten_minutes_are_told_by_the_second(void **state)
{
	static struct series s;
	s = (struct series){0};
	series_at(&s, UINT64_C(599999999999))->held = 9;
	assert_int_equal(series_cell_seconds(&s), 1);
	assert_int_equal(s.n, 600);
	assert_int_equal(s.cells[599].held, 9);
	series_at(&s, UINT64_C(600000000000))->held = 3;
	assert_int_equal(series_cell_seconds(&s), 2);
	assert_int_equal(s.cells[299].held, 9);
	assert_int_equal(s.cells[300].held, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_reason_is_counted_not_repeated),
		cmocka_unit_test(a_server_cannot_make_the_reasons_grow),
		cmocka_unit_test(long_reasons_are_cut_and_still_the_same),
		cmocka_unit_test(nothing_measured_is_not_a_number),
		cmocka_unit_test(figures_are_what_was_counted),
		cmocka_unit_test(a_server_that_ended_has_no_figures),
		cmocka_unit_test(hours_fit_into_the_cells_and_nothing_is_lost),
		cmocka_unit_test(the_first_ten_minutes_are_told_by_the_second),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

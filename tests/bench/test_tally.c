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

static void goodput_waits_and_restarts_are_figures(void **state)
{
	clear();
	t.storm_s = 4;
	t.registered = 10;
	t.returned = 2;
	t.attempts = 18;
	t.in_time = 8;
	t.tool_cpu_s = 0.02;
	t.waits.count = 3;
	t.pulses.lost = 5;
	tally_values(&t, values);
	assert_true(values[REQUIRE_GOODPUT] == 2);
	assert_true(values[REQUIRE_ATTEMPTS] == 1.5);
	assert_true(values[REQUIRE_WAITS] == 3);
	assert_true(values[REQUIRE_KEEPALIVES_LOST] == 5);
	assert_true(fabs(values[REQUIRE_TOOL_CPU_EACH] - 0.002) < 1e-12);
	assert_true(isnan(values[REQUIRE_ALL_IN]));
	assert_true(isnan(values[REQUIRE_BACK]));
	assert_true(isnan(values[REQUIRE_RESUMED_AFTER]));
	assert_true(isnan(values[REQUIRE_KEEPALIVE_P99]));
	t.all_in_s = 3;
	t.restart.back_s = 2;
	t.restart.offered[1] = 4;
	t.restart.resumed[1] = 3;
	histogram_add(&t.pulses.latency, 100);
	tally_values(&t, values);
	assert_true(values[REQUIRE_ALL_IN] == 3);
	assert_true(values[REQUIRE_BACK] == 2);
	assert_true(values[REQUIRE_RESUMED_AFTER] == 75);
	assert_true(fabs(values[REQUIRE_KEEPALIVE_P99] - 1e-4) < 1e-12);
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

static void what_was_used_is_divided_among_the_cells_it_spans(void **state)
{
	static struct series s;
	const uint64_t ms = 1000000;
	s = (struct series){.cell_ms = 100};
	series_spread(&s, SERIES_CPU_NS, 50 * ms, 350 * ms, 1000);
	assert_in_range(s.cells[0].counts[SERIES_CPU_NS], 166, 167);
	assert_in_range(s.cells[1].counts[SERIES_CPU_NS], 333, 334);
	assert_in_range(s.cells[2].counts[SERIES_CPU_NS], 333, 334);
	assert_in_range(s.cells[3].counts[SERIES_CPU_NS], 166, 167);
	series_spread(&s, SERIES_FULL, 100 * ms, 200 * ms, 7);
	assert_int_equal(s.cells[1].counts[SERIES_FULL], 7);
	assert_int_equal(s.cells[2].counts[SERIES_FULL], 0);
	/* Nothing is lost where cells are merged in between. */
	s = (struct series){.cell_ms = 100};
	series_spread(&s, SERIES_FULL, 0, UINT64_C(70000) * ms, 12345);
	uint64_t sum = 0;
	for (size_t i = 0; i < s.n; i++)
		sum += s.cells[i].counts[SERIES_FULL];
	assert_int_equal(sum, 12345);
	assert_int_equal(s.cell_ms, 200);
}

static void a_level_leaves_no_hole_and_keeps_the_highest(void **state)
{
	static struct series s;
	const uint64_t ms = 1000000;
	s = (struct series){.cell_ms = 100};
	series_level(&s, 0, 250 * ms, 5, 1);
	series_level(&s, 250 * ms, 620 * ms, 3, 9);
	for (size_t i = 0; i <= 6; i++) {
		assert_int_equal(s.cells[i].rss, i <= 2 ? 5 : 3);
		assert_int_equal(s.cells[i].held, i <= 2 ? 1 : 9);
	}
	assert_int_equal(s.n, 7);
}

static void latencies_of_a_cell_are_told_within_an_eighth(void **state)
{
	static struct series_cell c;
	c = (struct series_cell){0};
	assert_true(isnan(series_percentile(&c, 50)));
	for (uint64_t us = 1; us <= 100000; us++)
		series_latency(&c, us);
	for (int p = 1; p <= 100; p++) {
		double found = series_percentile(&c, p), real = 1000.0 * p;
		assert_true(found >= real && found <= real * 1.126);
	}
	series_latency(&c, UINT64_C(1) << 60);
	assert_true(series_percentile(&c, 100) >= SERIES_LATENCY_TOP);
	assert_int_equal(c.slowest, UINT64_C(1) << 60);
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
		cmocka_unit_test(goodput_waits_and_restarts_are_figures),
		cmocka_unit_test(a_server_that_ended_has_no_figures),
		cmocka_unit_test(hours_fit_into_the_cells_and_nothing_is_lost),
		cmocka_unit_test(
			what_was_used_is_divided_among_the_cells_it_spans),
		cmocka_unit_test(a_level_leaves_no_hole_and_keeps_the_highest),
		cmocka_unit_test(latencies_of_a_cell_are_told_within_an_eighth),
		cmocka_unit_test(the_first_ten_minutes_are_told_by_the_second),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

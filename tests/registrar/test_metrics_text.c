/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about Prometheus's text format, written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "registrar/status/metrics_text.h"

static void families_have_help_type_and_samples(void **state)
{
	struct metrics_page page;
	metrics_begin(&page);
	metrics_family(&page, "a_total", "counter", "How many.");
	metrics_label(&page, "kind", "x");
	metrics_label(&page, "worker", "0");
	metrics_value(&page, 7);
	metrics_family(&page, "a_total", "counter", NULL);
	metrics_label(&page, "kind", "y");
	metrics_value(&page, UINT64_MAX);
	metrics_family(&page, "b", "gauge", "What.");
	metrics_value(&page, 0);
	char *text = metrics_end(&page);
	assert_string_equal(text, "# HELP a_total How many.\n"
				  "# TYPE a_total counter\n"
				  "a_total{kind=\"x\",worker=\"0\"} 7\n"
				  "a_total{kind=\"y\"} 18446744073709551615\n"
				  "# HELP b What.\n"
				  "# TYPE b gauge\n"
				  "b 0\n");
	free(text);
}

static void what_a_value_holds_cannot_end_it(void **state)
{
	struct metrics_page page;
	metrics_begin(&page);
	metrics_family(&page, "a", "gauge", "What.");
	metrics_label(&page, "k", "say \"no\"\\\nx 1");
	metrics_value(&page, 1);
	char *text = metrics_end(&page);
	assert_non_null(
		strstr(text, "\na{k=\"say \\\"no\\\"\\\\\\nx 1\"} 1\n"));
	free(text);
}

static void histograms_are_cumulative_in_seconds(void **state)
{
	struct metrics_page page;
	struct meters_histogram h = {.sum_us = 1500000};
	h.n[0] = 2;
	h.n[3] = 1;
	h.n[METERS_BOUNDS] = 4;
	metrics_begin(&page);
	metrics_family(&page, "a_seconds", "histogram", "How long.");
	metrics_histogram(&page, "kind", "x", &h);
	metrics_histogram(&page, NULL, NULL, &h);
	char *text = metrics_end(&page);
	static const char *const parts[] = {
		"\na_seconds_bucket{kind=\"x\",le=\"0.000125\"} 2\n",
		"\na_seconds_bucket{kind=\"x\",le=\"0.001\"} 3\n",
		"\na_seconds_bucket{kind=\"x\",le=\"32.768\"} 3\n",
		"\na_seconds_bucket{kind=\"x\",le=\"+Inf\"} 7\n",
		"\na_seconds_sum{kind=\"x\"} 1.5\n",
		"\na_seconds_count{kind=\"x\"} 7\n",
		"\na_seconds_bucket{le=\"+Inf\"} 7\n",
		"\na_seconds_sum 1.5\n",
		"\na_seconds_count 7\n",
	};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		assert_non_null(strstr(text, parts[i]));
	free(text);
}

static void seconds_are_exact(void **state)
{
	static const struct {
		uint64_t us;
		const char *text;
	} rows[] = {{0, "a 0\n"}, {1, "a 0.000001\n"}, {1000000, "a 1\n"},
		{10000000, "a 10\n"},
		{UINT64_MAX, "a 18446744073709.551615\n"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct metrics_page page;
		metrics_begin(&page);
		metrics_family(&page, "a", "gauge", "What.");
		metrics_seconds(&page, rows[i].us);
		char *text = metrics_end(&page);
		assert_non_null(strstr(text, rows[i].text));
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(families_have_help_type_and_samples),
		cmocka_unit_test(what_a_value_holds_cannot_end_it),
		cmocka_unit_test(histograms_are_cumulative_in_seconds),
		cmocka_unit_test(seconds_are_exact),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("metrics text", tests, NULL, NULL);
}

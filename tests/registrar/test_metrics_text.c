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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(families_have_help_type_and_samples),
		cmocka_unit_test(what_a_value_holds_cannot_end_it),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("metrics text", tests, NULL, NULL);
}

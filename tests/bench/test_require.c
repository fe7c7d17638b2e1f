/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about thresholds: how they are read, and when they are met. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>

#include "bench/require.h"

static struct require parse(const char *text)
{
	struct require r;
	struct diag d = {.text = ""};
	if (require_parse(text, &r, &d) != 0)
		fail_msg("'%s': %s", text, d.text);
	return r;
}

static void refused(const char *text, const char *why)
{
	struct require r;
	struct diag d = {.text = ""};
	if (require_parse(text, &r, &d) != -EINVAL)
		fail_msg("'%s' was accepted", text);
	if (!strstr(d.text, why))
		fail_msg("'%s': '%s' does not say '%s'", text, d.text, why);
}

static bool met(const char *text, double value)
{
	double values[REQUIRE_METRICS];
	const struct require r = parse(text);
	for (int i = 0; i < REQUIRE_METRICS; i++)
		values[i] = NAN;
	values[r.metric] = value;
	return require_met(&r, values);
}

static void units_become_seconds_percent_and_bytes(void **state)
{
	assert_true(fabs(parse("p99<200ms").limit - 0.2) < 1e-12);
	assert_true(fabs(parse("cpu<=350us").limit - 350e-6) < 1e-12);
	assert_true(fabs(parse("max<1.5s").limit - 1.5) < 1e-12);
	assert_true(fabs(parse("resumed>95%").limit - 95) < 1e-12);
	assert_true(fabs(parse("rss<2MB").limit - 2097152) < 1e-9);
	assert_true(fabs(parse("failed=0").limit) < 1e-12);
	assert_int_equal(parse("p99.9<1s").metric, REQUIRE_P99_9);
	assert_int_equal(parse("rss-phone<15KB").metric, REQUIRE_RSS_PHONE);
}

static void every_sign_divides_where_it_says(void **state)
{
	assert_true(met("failed<2", 1) && !met("failed<2", 2));
	assert_true(met("failed<=2", 2) && !met("failed<=2", 2.5));
	assert_true(met("failed>2", 3) && !met("failed>2", 2));
	assert_true(met("failed>=2", 2) && !met("failed>=2", 1));
	assert_true(met("failed=2", 2) && !met("failed=2", 1) &&
		    !met("failed=2", 3));
}

static void what_was_not_measured_meets_nothing(void **state)
{
	static const char *const all[] = {"failed<2", "failed<=2", "failed>2",
		"failed>=2", "failed=2", NULL};
	for (int i = 0; all[i]; i++)
		assert_false(met(all[i], NAN));
}

static void every_figure_can_be_required_in_its_unit(void **state)
{
	static const char *const suffixes[] = {"", "ms", "%", "KB"};
	for (int i = 0; i < REQUIRE_METRICS; i++) {
		char text[64];
		enum require_metric metric = (enum require_metric)i;
		enum require_unit unit = require_metric_unit(metric);
		snprintf(text, sizeof(text), "%s<7%s",
			require_metric_name(metric), suffixes[unit]);
		assert_int_equal(parse(text).metric, metric);
		snprintf(text, sizeof(text), "%s<7%s",
			require_metric_name(metric), suffixes[(unit + 1) % 4]);
		refused(text, " takes ");
	}
}

static void nonsense_is_refused_and_named(void **state)
{
	refused("", "does not begin with a known figure");
	refused("p98<1s", "'p98<1s'");
	refused("<1s", "known figure");
	refused("p99", "has no <");
	refused("p99<", "p99 takes");
	refused("p99<200", "p99 takes a number with us, ms or s");
	refused("p99<ms", "p99 takes");
	refused("p99<-1ms", "p99 takes");
	refused("p99<nan", "p99 takes");
	refused("p99<0x10ms", "p99 takes");
	refused("p99<1..2ms", "p99 takes");
	refused("p99< 1ms", "p99 takes");
	refused("p99<1msx", "p99 takes");
	refused("failed=0%", "failed takes a plain number");
	refused("failed==0", "failed takes");
	refused("P99<1s", "known figure");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_become_seconds_percent_and_bytes),
		cmocka_unit_test(every_sign_divides_where_it_says),
		cmocka_unit_test(what_was_not_measured_meets_nothing),
		cmocka_unit_test(every_figure_can_be_required_in_its_unit),
		cmocka_unit_test(nonsense_is_refused_and_named),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

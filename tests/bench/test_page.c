/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the page: escaped, self-contained, and its plots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "bench/page.h"
#include "bench/storm_report.h"

static char *text;
static size_t n;

static FILE *begin(void)
{
	FILE *to = open_memstream(&text, &n);
	assert_non_null(to);
	return to;
}

static void done(FILE *to)
{
	fclose(to);
}

static unsigned times(const char *what)
{
	unsigned found = 0;
	for (const char *at = text; (at = strstr(at, what)); at++)
		found++;
	return found;
}

static void markup_becomes_entities_and_controls_marks(void **state)
{
	FILE *to = begin();
	page_text(to, "<a href=\"x\">&'\n\033\x7f</a>");
	done(to);
	assert_string_equal(text, "&lt;a href=&quot;x&quot;&gt;&amp;&#39;???"
				  "&lt;/a&gt;");
	free(text);
}

static const char evil[] = "</title><script>alert(1)</script>\"'&";

/* Every place that takes a text, in one page. */
static void no_text_becomes_markup_anywhere(void **state)
{
	const double x[] = {0, 1}, y[] = {1, 2};
	const char *const names[] = {evil, evil};
	const struct page_plot plot = {.title = evil,
		.unit = evil,
		.n = 2,
		.x = x,
		.x_text = names,
		.lines = 1,
		.line = {{evil, y}}};
	const struct page_bar bar = {evil, 3};
	FILE *to = begin();
	page_begin(to, evil);
	page_plot(to, &plot);
	page_bars(to, evil, &bar, 1, evil);
	page_bars(to, evil, &bar, 0, evil);
	page_end(to);
	done(to);
	assert_int_equal(times("<script"), 0);
	assert_int_equal(times("</title><s"), 1); /* the page's own style */
	assert_int_equal(times("&lt;script&gt;alert(1)"), 18);
	assert_int_equal(times("\"'&"), 0);
	free(text);
}

static void a_plot_is_broken_where_nothing_was_measured(void **state)
{
	const double x[] = {0, 1, 2, 3, 4}, y[] = {1, 2, NAN, 3, 4};
	const struct page_plot plot = {.title = "t",
		.unit = "u",
		.n = 5,
		.x = x,
		.lines = 1,
		.line = {{"a", y}}};
	FILE *to = begin();
	page_plot(to, &plot);
	done(to);
	const char *path = strstr(text, " d=\"M");
	assert_non_null(path);
	const char *end = strchr(path + 4, '"');
	unsigned moves = 0;
	for (const char *at = path; at < end; at++)
		moves += *at == 'M';
	assert_int_equal(moves, 2);
	assert_int_equal(times("nan"), 0);
	assert_int_equal(times("<circle"), 4);
	free(text);
}

static void what_is_too_little_or_nothing_is_said_in_words(void **state)
{
	const double x[] = {0, 1}, y[] = {NAN, 2}, zero[] = {0, 0};
	struct page_plot plot = {.title = "t",
		.unit = "u",
		.n = 2,
		.x = x,
		.lines = 1,
		.line = {{"a", y}}};
	FILE *to = begin();
	page_plot(to, &plot);
	plot.n = 0;
	page_plot(to, &plot);
	plot.n = 2;
	plot.line[0].y = zero;
	plot.scale = PAGE_LOG;
	page_plot(to, &plot);
	done(to);
	assert_int_equal(times("<svg"), 0);
	assert_int_equal(times("Too little"), 3);
	free(text);
}

static void a_line_of_zeros_is_a_plot_without_nonsense(void **state)
{
	const double x[] = {0, 1}, y[] = {0, 0};
	const struct page_plot plot = {.title = "t",
		.unit = "u",
		.n = 2,
		.x = x,
		.lines = 1,
		.line = {{"a", y}}};
	FILE *to = begin();
	page_plot(to, &plot);
	done(to);
	assert_int_equal(times("<svg"), 1);
	assert_int_equal(times("nan"), 0);
	assert_int_equal(times("inf"), 0);
	free(text);
}

static struct storm_report make_report(struct tally *t)
{
	static const struct storm_report_fact facts[] = {{"lab", evil}};
	static const struct require require = {
		REQUIRE_FAILED, REQUIRE_EQUAL, 0};
	static const char *const words[] = {"failed=0"};
	*t = (struct tally){.registered = 3, .storm_s = 2, .failed = 1};
	t->server_seen = true;
	t->handshakes[TALLY_RESUMED] = 3;
	for (uint64_t i = 0; i < 3; i++) {
		histogram_add(&t->latency[TALLY_RESUMED], 1000 * (i + 1));
		series_at(&t->series, i * 1000000000)->counts[SERIES_RESUMED]++;
		series_at(&t->series, i * 1000000000)->rss = 1000000;
	}
	tally_reason(&t->reasons, "rejected", evil);
	return (struct storm_report){
		.tally = t,
		.facts = facts,
		.n_facts = 1,
		.require = &require,
		.require_text = words,
		.n_require = 1,
	};
}

static void the_report_is_one_page_that_asks_for_nothing(void **state)
{
	static struct tally t;
	const struct storm_report r = make_report(&t);
	FILE *to = begin();
	storm_report_html(&r, to);
	done(to);
	assert_int_equal(times("<script"), 0);
	assert_int_equal(times("http:"), 0);
	assert_int_equal(times("https:"), 0);
	assert_int_equal(times("src="), 0);
	assert_int_equal(times("url("), 0);
	assert_int_equal(times("@import"), 0);
	assert_int_equal(times("<link"), 0);
	assert_int_equal(times("default-src 'none'"), 1);
	assert_int_equal(times("prefers-color-scheme:dark"), 1);
	assert_int_equal(times("&lt;script"), 2 + 1);
	assert_int_equal(times("not met"), 1);
	/* handshakes, registrations, latency, reasons, CPU, memory */
	assert_int_equal(times("<svg"), 6);
	assert_int_equal(times("<h2"), times("</h2>"));
	assert_int_equal(times("<td"), times("</td>"));
	free(text);
}

static void the_json_has_every_figure_or_null(void **state)
{
	static struct tally t;
	const struct storm_report r = make_report(&t);
	json_t *root = storm_report_json(&r);
	json_t *values = json_object_get(root, "values");
	for (int i = 0; i < REQUIRE_METRICS; i++)
		assert_non_null(json_object_get(
			values, require_metric_name((enum require_metric)i)));
	assert_true(json_is_null(json_object_get(values, "rss-phone")));
	assert_true(json_real_value(json_object_get(values, "resumed")) == 100);
	int met = 1;
	double p50 = 0;
	const char *reason = "", *lab = "";
	assert_int_equal(
		json_unpack(root, "{s:{s:s},s:[{s:s}],s:[{s:b}],s:{s:{s:f}}}",
			"options", "lab", &lab, "reasons", "reason", &reason,
			"require", "met", &met, "latency_ms", "resumed", "p50",
			&p50),
		0);
	assert_false(met);
	assert_false(storm_report_met(&r));
	assert_string_equal(lab, evil);
	assert_true(p50 >= 2 && p50 < 2.02);
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(markup_becomes_entities_and_controls_marks),
		cmocka_unit_test(no_text_becomes_markup_anywhere),
		cmocka_unit_test(a_plot_is_broken_where_nothing_was_measured),
		cmocka_unit_test(
			what_is_too_little_or_nothing_is_said_in_words),
		cmocka_unit_test(a_line_of_zeros_is_a_plot_without_nonsense),
		cmocka_unit_test(the_report_is_one_page_that_asks_for_nothing),
		cmocka_unit_test(the_json_has_every_figure_or_null),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

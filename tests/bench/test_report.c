/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about percentiles and about the lines a report prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "bench/report.h"

static void percentiles_are_nearest_ranks(void **state)
{
	double n[200];
	for (int i = 0; i < 200; i++)
		n[i] = i + 1;
	assert_true(report_percentile(n, 200, 50) == 100);
	assert_true(report_percentile(n, 200, 99) == 198);
	assert_true(report_percentile(n, 200, 100) == 200);
	assert_true(report_percentile(n, 200, 0) == 1);
	assert_true(report_percentile(n, 5, 50) == 3);
	assert_true(report_percentile(n, 4, 50) == 2);
	assert_true(report_percentile(n, 5, 99) == 5);
	assert_true(report_percentile(n, 1, 1) == 1);
	assert_true(report_percentile(n, 0, 50) == 0);
}

static const struct handset_result registered = {
	.outcome = HANDSET_REGISTERED,
	.alert = -1,
	.seconds = 0.25,
	.tls_version = "TLSv1.2",
	.cipher = "AES256-SHA",
};

static const struct handset_result refused_by_alert = {
	.outcome = HANDSET_ALERT,
	.alert = 48,
	.alert_side = CONSOLE_ALERT_READ,
	.seconds = -1,
	.text = "unknown CA",
};

static void tell(struct report *r, const char *device,
	const struct handset_result *result)
{
	const struct report_line line = {
		.device = device,
		.result = result,
		.good = handset_outcome_good(result->outcome),
	};
	report_phone(r, &line);
}

struct printed {
	struct report report;
	char *text;
	size_t n;
};

static void begin(struct printed *p, enum report_form form, unsigned phones)
{
	FILE *to = open_memstream(&p->text, &p->n);
	assert_non_null(to);
	report_init(&p->report, to, form, phones);
}

static char *end(struct printed *p)
{
	report_summary(&p->report);
	fclose(p->report.to);
	report_deinit(&p->report);
	return p->text;
}

/* Parses the line at *text and moves on to the next. */
static json_t *line(char **text)
{
	json_error_t error;
	char *newline = strchr(*text, '\n');
	assert_non_null(newline);
	json_t *parsed =
		json_loadb(*text, (size_t)(newline - *text), 0, &error);
	if (!parsed)
		fail_msg("'%s': %s", *text, error.text);
	*text = newline + 1;
	return parsed;
}

static void text_is(const json_t *object, const char *key, const char *want)
{
	const char *value = json_string_value(json_object_get(object, key));
	assert_non_null(value);
	assert_string_equal(value, want);
}

static void json_has_a_line_for_each_phone_and_a_summary(void **state)
{
	struct printed p;
	begin(&p, REPORT_JSON, 2);
	tell(&p.report, "SEP000000000001", &registered);
	tell(&p.report, "SEP000000000002", &refused_by_alert);
	assert_false(report_all_good(&p.report));
	char *text = end(&p), *rest = text;

	json_t *one = line(&rest);
	text_is(one, "device", "SEP000000000001");
	text_is(one, "outcome", "registered");
	text_is(one, "tls", "TLSv1.2");
	text_is(one, "cipher", "AES256-SHA");
	assert_true(json_is_null(json_object_get(one, "alert")));
	assert_true(json_real_value(json_object_get(one, "seconds")) == 0.25);
	json_decref(one);

	json_t *two = line(&rest);
	text_is(two, "outcome", "alert");
	text_is(two, "alert_text", "unknown CA");
	text_is(two, "alert_side", "read");
	assert_int_equal(json_integer_value(json_object_get(two, "alert")), 48);
	assert_true(json_is_null(json_object_get(two, "seconds")));
	assert_true(json_is_null(json_object_get(two, "tls")));
	json_decref(two);

	int phones, good, alerts, lost;
	double p50, p99, max;
	json_t *last = line(&rest);
	assert_int_equal(
		json_unpack(last, "{s:{s:i,s:{s:i,s:i,s:i},s:{s:f,s:f,s:f}}}",
			"summary", "phones", &phones, "outcomes", "registered",
			&good, "alert", &alerts, "lost", &lost, "seconds",
			"p50", &p50, "p99", &p99, "max", &max),
		0);
	assert_int_equal(phones, 2);
	assert_int_equal(good, 1);
	assert_int_equal(alerts, 1);
	assert_int_equal(lost, 0);
	assert_true(p50 == 0.25 && p99 == 0.25 && max == 0.25);
	json_decref(last);
	assert_string_equal(rest, "");
	free(text);
}

static void at_capf(struct report *r)
{
	const struct life_enrolment capf = {
		.last = {.outcome = ENROL_BY_SUCCESS,
			.reason = 1,
			.last = ENROL_END_SESSION,
			.delivered = true,
			.text = "done"},
		.visits = 2,
		.retries = 1,
	};
	const struct report_line good = {
		.device = "SEP000000000001",
		.result = &registered,
		.capf = &capf,
		.mode = FLASH_MODE_MIC,
		.lsc = "0123abcd",
		.good = true,
	};
	static const struct life_enrolment none = {
		.last = {.reason = -1, .text = "no luck"}};
	const struct report_line bad = {.device = "SEP000000000002",
		.result = &registered,
		.capf = &none};
	report_phone(r, &good);
	report_phone(r, &bad);
}

static void count(struct enrol_tally *t)
{
	const struct enrol_result done = {
		.outcome = ENROL_BY_SUCCESS, .delivered = true};
	const struct enrol_result lost = {
		.outcome = ENROL_BY_LOST, .delivered = true};
	const struct enrol_result gone = {
		.outcome = ENROL_BY_SUCCESS, .removed = true};
	const struct enrol_result seen = {
		.outcome = ENROL_BY_NO_ACTION, .shown = true};
	enrol_tally_init(t);
	enrol_tally_visit(t, &done);
	enrol_tally_visit(t, &lost);
	enrol_tally_visit(t, &gone);
	enrol_tally_visit(t, &seen);
	enrol_tally_step(t, ENROL_TLS, 50000000);
	t->setbacks[HANDSET_REFUSED] = 7;
}

static void capf_is_told_in_json(void **state)
{
	struct printed p;
	struct enrol_tally tally;
	count(&tally);
	begin(&p, REPORT_JSON, 2);
	p.report.capf = &tally;
	at_capf(&p.report);
	assert_false(report_all_good(&p.report));
	char *text = end(&p), *rest = text;
	json_t *one = line(&rest), *capf = json_object_get(one, "capf");
	assert_true(json_is_true(json_object_get(one, "good")));
	text_is(capf, "outcome", "success");
	text_is(capf, "step", "end-session");
	text_is(capf, "mode", "mic");
	text_is(capf, "lsc", "0123abcd");
	assert_true(json_is_true(json_object_get(capf, "delivered")));
	assert_int_equal(
		json_integer_value(json_object_get(capf, "visits")), 2);
	json_decref(one);
	json_t *two = line(&rest);
	capf = json_object_get(two, "capf");
	assert_true(json_is_false(json_object_get(two, "good")));
	text_is(capf, "outcome", "none");
	assert_true(json_is_null(json_object_get(capf, "reason")));
	assert_true(json_is_null(json_object_get(capf, "step")));
	assert_true(json_is_null(json_object_get(capf, "lsc")));
	json_decref(two);

	int visits, enrolled, delivered, removed, shown, success, refused;
	double p50;
	json_t *last = line(&rest);
	assert_int_equal(
		json_unpack(last,
			"{s:{s:{s:i,s:i,s:i,s:i,s:i,s:{s:i},s:{s:i},"
			"s:{s:{s:f}}}}}",
			"summary", "capf", "visits", &visits, "enrolled",
			&enrolled, "delivered", &delivered, "removed", &removed,
			"shown", &shown, "outcomes", "success", &success,
			"setbacks", "refused", &refused, "steps", "tls", "p50",
			&p50),
		0);
	assert_int_equal(visits, 4);
	assert_int_equal(enrolled, 1);
	assert_int_equal(delivered, 2);
	assert_int_equal(removed, 1);
	assert_int_equal(shown, 1);
	assert_int_equal(success, 2);
	assert_int_equal(refused, 7);
	assert_true(p50 >= 0.05 && p50 < 0.051);
	json_decref(last);
	free(text);
	enrol_tally_deinit(&tally);
}

static void capf_is_told_as_text(void **state)
{
	struct printed p;
	struct enrol_tally tally;
	count(&tally);
	begin(&p, REPORT_TEXT, 2);
	p.report.capf = &tally;
	at_capf(&p.report);
	char *text = end(&p);
	static const char *const said[] = {
		"SEP000000000002: without an LSC: no luck\n",
		("CAPF: 4 visits, 1 enrolled, 2 LSCs delivered, 1 removed, 1 "
		 "shown; ended by 2 success 1 no-action 1 lost\n"),
		"  tls              p50 0.050, p99 0.050, max 0.050 s\n",
		"  came again after: 7 refused\n"};
	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++)
		if (!strstr(text, said[i]))
			fail_msg("no '%s' in:\n%s", said[i], text);
	assert_null(strstr(text, "SEP000000000001"));
	free(text);
	enrol_tally_deinit(&tally);
}

static void times_are_sorted_before_they_are_ranked(void **state)
{
	struct printed p;
	struct handset_result result = registered;
	begin(&p, REPORT_TEXT, 100);
	for (int i = 0; i < 100; i++) {
		result.seconds = (i * 37 % 100 + 1) / 100.0;
		tell(&p.report, "SEP000000000001", &result);
	}
	assert_true(report_all_good(&p.report));
	char *text = end(&p);
	assert_string_equal(text,
		"100 phones: 100 registered\n"
		"seconds to registered: p50 0.500, p99 0.990, max 1.000\n");
	free(text);
}

static void text_tells_ten_failures_and_counts_the_rest(void **state)
{
	struct printed p;
	begin(&p, REPORT_TEXT, 13);
	for (int i = 0; i < 13; i++)
		tell(&p.report, "SEP000000000001", &refused_by_alert);
	char *text = end(&p);
	unsigned told = 0;
	for (const char *at = text; (at = strstr(at, ": alert: unknown CA\n"));
		at++)
		told++;
	assert_int_equal(told, 10);
	assert_non_null(strstr(
		text, "... and 3 more that failed\n13 phones: 13 alert\n"));
	free(text);
}

static void no_time_is_null_in_the_summary(void **state)
{
	struct printed p;
	begin(&p, REPORT_JSON, 1);
	char *text = end(&p), *rest = text;
	json_t *last = line(&rest);
	json_t *seconds =
		json_object_get(json_object_get(last, "summary"), "seconds");
	assert_true(json_is_null(json_object_get(seconds, "p99")));
	json_decref(last);
	free(text);
}

static void every_outcome_has_a_name_of_its_own(void **state)
{
	for (int i = 0; i < HANDSET_OUTCOMES; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(
				handset_outcome_name((enum handset_outcome)i),
				handset_outcome_name((enum handset_outcome)j));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_are_nearest_ranks),
		cmocka_unit_test(json_has_a_line_for_each_phone_and_a_summary),
		cmocka_unit_test(capf_is_told_in_json),
		cmocka_unit_test(capf_is_told_as_text),
		cmocka_unit_test(times_are_sorted_before_they_are_ranked),
		cmocka_unit_test(text_tells_ten_failures_and_counts_the_rest),
		cmocka_unit_test(no_time_is_null_in_the_summary),
		cmocka_unit_test(every_outcome_has_a_name_of_its_own),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

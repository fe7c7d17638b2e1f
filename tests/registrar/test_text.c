/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about text from strangers, log lines and the reason tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "registrar/log.h"
#include "registrar/reason.h"
#include "registrar/text.h"

static void what_is_not_utf8_becomes_a_question_mark(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"plain", "plain"},
		{"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
		{"\xe2\x82\xac \xf0\x9f\x98\x80",
			"\xe2\x82\xac \xf0\x9f\x98\x80"},
		{"a\nb\x7f", "a?b?"},
		{"\xff\xfe", "??"},
		{"\xc0\x80", "??"},	      /* over-long NUL */
		{"\xed\xa0\x80", "???"},      /* a surrogate */
		{"\xf4\x90\x80\x80", "????"}, /* above U+10FFFF */
		{"\xc2\x9b", "??"},	      /* C1: terminal escape */
		{"cut\xe2\x82", "cut??"},
	};
	char out[64];
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text_copy(out, sizeof(out), rows[i].in);
		assert_string_equal(out, rows[i].out);
		json_t *v = json_string(out);
		assert_non_null(v); /* jansson refuses what is not UTF-8 */
		json_decref(v);
	}
}

static void text_is_cut_at_a_characters_border(void **state)
{
	char out[5];
	text_copy(out, sizeof(out), "abc\xc3\xbc");
	assert_string_equal(out, "abc");
	text_copy(out, sizeof(out), "abcdef");
	assert_string_equal(out, "abcd");
}

/* What log_end writes to stderr for a line that `fill` makes. */
static void logged(enum log_format format, void (*fill)(struct log_line *),
	char *out, size_t size)
{
	int ends[2];
	struct log_line line;
	assert_int_equal(pipe(ends), 0);
	int saved = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	log_setup(format, LOG_INFO);
	log_begin(&line, LOG_EV_REFUSED);
	fill(&line);
	log_end(&line);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(ends[1]);
	ssize_t n = read(ends[0], out, size - 1);
	close(ends[0]);
	assert_true(n > 0);
	out[n] = '\0';
}

static void fill_hostile(struct log_line *line)
{
	log_str(line, "device", "SEP\" device=\"SEP2\n2026 fake");
	log_num(line, "n", -5);
	log_str(line, "empty", "");
}

static void a_value_cannot_forge_a_field_or_a_line(void **state)
{
	char out[2 * LOG_LINE_MAX];
	logged(LOG_TEXT, fill_hostile, out, sizeof(out));
	assert_non_null(strstr(out,
		"warning refused device=\"SEP\\\" device=\\\"SEP2\\u000a2026 "
		"fake\" n=-5\n"));
	assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1);
}

static void json_lines_are_json(void **state)
{
	char out[2 * LOG_LINE_MAX];
	logged(LOG_JSON, fill_hostile, out, sizeof(out));
	json_t *o = json_loads(out, 0, NULL);
	assert_non_null(o);
	assert_string_equal(json_string_value(json_object_get(o, "device")),
		"SEP\" device=\"SEP2\n2026 fake");
	assert_int_equal(json_integer_value(json_object_get(o, "n")), -5);
	json_decref(o);
}

static void fill_bytes(struct log_line *line)
{
	log_str(line, "text", "a\xff\xed\xa0\x80\xc3\xbc\xc2\x9b\xe2\x82");
}

static void lines_are_utf8_whatever_a_peer_says(void **state)
{
	char out[2 * LOG_LINE_MAX];
	logged(LOG_TEXT, fill_bytes, out, sizeof(out));
	assert_non_null(strstr(out, " text=\"a????\xc3\xbc????\"\n"));
	logged(LOG_JSON, fill_bytes, out, sizeof(out));
	json_t *o = json_loads(out, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(o, "text")),
		"a????\xc3\xbc????");
	json_decref(o);
}

/* Where the line ends within the value; moves by one byte each time. */
static int shift;

static void fill_over(struct log_line *line)
{
	char value[LOG_LINE_MAX];
	memset(value, 'x', sizeof(value) - 1);
	memset(value + shift, shift % 2 ? '\1' : '"', 700);
	value[sizeof(value) - 1] = '\0';
	log_str(line, "why", value);
	log_str(line, "cure", "none");
	log_num(line, "count", INT64_MIN);
}

static void a_json_line_that_is_cut_is_still_json(void **state)
{
	char out[2 * LOG_LINE_MAX];
	for (shift = 0; shift < 60; shift++) {
		logged(LOG_JSON, fill_over, out, sizeof(out));
		assert_true(strlen(out) <= LOG_LINE_MAX);
		json_t *o = json_loads(out, 0, NULL);
		const char *why = json_string_value(json_object_get(o, "why"));
		assert_non_null(why);
		assert_string_equal(why + strlen(why) - 3, "...");
		json_decref(o);
	}
}

static void fill_long(struct log_line *line)
{
	char value[2000];
	memset(value, '"', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (int i = 0; i < 5; i++)
		log_str(line, "k", value);
}

static void a_line_never_outgrows_its_buffer(void **state)
{
	char out[2 * LOG_LINE_MAX];
	logged(LOG_TEXT, fill_long, out, sizeof(out));
	assert_true(strlen(out) <= LOG_LINE_MAX);
	assert_int_equal(out[strlen(out) - 1], '\n');
	logged(LOG_JSON, fill_long, out, sizeof(out));
	assert_string_equal(out + strlen(out) - 2, "}\n");
}

static void lines_below_the_level_are_not_written(void **state)
{
	log_setup(LOG_TEXT, LOG_WARN);
	assert_false(log_wanted(LOG_EV_REGISTERED));
	assert_true(log_wanted(LOG_EV_REFUSED));
	log_setup(LOG_TEXT, LOG_INFO);
}

static void reason_codes_have_cucm_names(void **state)
{
	assert_string_equal(reason_failure_name(REASON_FAILURE_X509_NAME),
		"invalidX509NameInCertificate");
	assert_int_equal(REASON_FAILURE_X509_NAME, 11);
	assert_string_equal(
		reason_failure_name(REASON_FAILURE_SECURITY_MISMATCH),
		"securityMismatch");
	assert_int_equal(REASON_FAILURE_SECURITY_MISMATCH, 28);
	assert_string_equal(
		reason_unreg_name(REASON_UNREG_DEVICE_SWITCH), "deviceSwitch");
	assert_int_equal(REASON_UNREG_DEVICE_SWITCH, 29);
	assert_int_equal(REASON_UNREG_KEEPALIVE_TIMEOUT, 13);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_utf8_becomes_a_question_mark),
		cmocka_unit_test(text_is_cut_at_a_characters_border),
		cmocka_unit_test(a_value_cannot_forge_a_field_or_a_line),
		cmocka_unit_test(json_lines_are_json),
		cmocka_unit_test(lines_are_utf8_whatever_a_peer_says),
		cmocka_unit_test(a_json_line_that_is_cut_is_still_json),
		cmocka_unit_test(a_line_never_outgrows_its_buffer),
		cmocka_unit_test(lines_below_the_level_are_not_written),
		cmocka_unit_test(reason_codes_have_cucm_names),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}

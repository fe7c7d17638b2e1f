/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about foreign text and the messages it stands in. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "certs/diag.h"
#include "certs/text.h"

static const struct {
	const char *in;
	size_t n;
	const char *out;
} rows[] = {
	{"plain", 5, "plain"},
	{"", 0, ""},
	{"Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x93\x9e", 16,
		"Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x93\x9e"},
	{"a\0b", 3, "a?b"},
	{"a\n\x1b[0m\x7f", 7, "a??[0m?"},
	{"\xc2\x9b"
	 "31m",
		5, "?31m"}, /* C1: CSI */
	{"\xe2\x80\xae"
	 "gpj",
		6, "?gpj"},		 /* right-to-left override */
	{"\xef\xbb\xbf", 3, "?"},	 /* byte order mark */
	{"\xe2\x80\xa8", 3, "?"},	 /* line separator */
	{"\xc0\xaf", 2, "??"},		 /* overlong */
	{"\xe0\x80\xaf", 3, "???"},	 /* overlong */
	{"\xed\xa0\x80", 3, "???"},	 /* surrogate */
	{"\xf4\x90\x80\x80", 4, "????"}, /* above U+10FFFF */
	{"\xc3", 1, "?"},		 /* cut */
	{"\xff\xfe", 2, "??"},
	{"\x80", 1, "?"},
};

static void harmful_characters_become_question_marks(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[64];
		bool same = cert_text_clean(
			rows[i].in, rows[i].n, out, sizeof(out));
		assert_string_equal(out, rows[i].out);
		assert_int_equal(
			same, rows[i].n == strlen(rows[i].out) &&
				      !memcmp(rows[i].in, out, rows[i].n));
	}
}

static void text_is_cut_at_a_character(void **state)
{
	char out[4];
	assert_false(cert_text_clean("ab\xe2\x82\xac", 5, out, 4));
	assert_string_equal(out, "ab");
	assert_true(cert_text_clean("abc", 3, out, 4));
	assert_string_equal(out, "abc");
	assert_false(cert_text_clean("abcd", 4, out, 4));
	assert_string_equal(out, "abc");
	assert_false(cert_text_clean("a", 1, out, 1));
	assert_string_equal(out, "");
}

static void diag_hands_the_error_on_and_cleans_what_it_says(void **state)
{
	struct diag d;
	assert_int_equal(
		diag_set(&d, -EINVAL, "%s:%d: %s", "a\nb", 3, "why"), -EINVAL);
	assert_string_equal(d.text, "a?b:3: why");
	assert_int_equal(diag_set(NULL, -EPERM, "%s", "nobody"), -EPERM);
}

static void long_diag_is_cut(void **state)
{
	struct diag d;
	char text[2000];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	diag_set(&d, -EINVAL, "%s", text);
	assert_int_equal(strlen(d.text), sizeof(d.text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(harmful_characters_become_question_marks),
		cmocka_unit_test(text_is_cut_at_a_character),
		cmocka_unit_test(
			diag_hands_the_error_on_and_cleans_what_it_says),
		cmocka_unit_test(long_diag_is_cut),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}

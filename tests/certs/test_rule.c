/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the rules that trust files are refused by. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "certs/rule.h"

static void every_rule_has_a_name_of_its_own_a_meaning_and_a_cure(void **state)
{
	for (int i = 1; i < CERT_RULES; i++) {
		enum cert_rule rule = (enum cert_rule)i;
		const char *name = cert_rule_name(rule);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"
					      "0123456789"),
			strlen(name));
		assert_int_equal(cert_rule_find(name), rule);
		assert_true(strlen(cert_rule_meaning(rule)) > 5);
		assert_true(strlen(cert_rule_cure(rule)) > 5);
		for (int other = 1; other < i; other++)
			assert_string_not_equal(cert_rule_meaning(rule),
				cert_rule_meaning((enum cert_rule)other));
	}
	assert_int_equal(cert_rule_find("no-such-rule"), CERT_RULE_NONE);
	assert_int_equal(cert_rule_find(""), CERT_RULE_NONE);
	assert_string_equal(cert_rule_name(CERT_RULE_NONE), "");
}

static void a_refusal_names_place_rule_detail_and_cure(void **state)
{
	struct diag d;
	assert_int_equal(cert_rule_refuse(&d, CERT_RULE_UTF_16, -EINVAL,
				 "a/b.pem", 0, ""),
		-EINVAL);
	assert_string_equal(
		d.text, "a/b.pem: UTF-16 text: save it as plain text");
	assert_string_equal(d.rule, "utf-16");
	cert_rule_refuse(&d, CERT_RULE_UTF_16, -EINVAL, "a/b.pem", 7, "odd");
	assert_string_equal(
		d.text, "a/b.pem:7: UTF-16 text (odd): save it as plain text");
	assert_int_equal(
		cert_rule_refuse(NULL, CERT_RULE_UTF_16, -EAGAIN, "a", 0, ""),
		-EAGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_rule_has_a_name_of_its_own_a_meaning_and_a_cure),
		cmocka_unit_test(a_refusal_names_place_rule_detail_and_cure),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rule", tests, NULL, NULL);
}

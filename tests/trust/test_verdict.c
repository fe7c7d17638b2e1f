/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the table of verdicts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/x509.h>

#include "trust/verdict.h"
#include "trust/x509_errors.h"

static const int errors[] = {
#define X(symbol, leaf, chain) X509_V_ERR_##symbol,
	TRUST_X509_ERROR_LIST(X)
#undef X
};

static int times_listed(int error)
{
	int times = 0;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		times += errors[i] == error;
	return times;
}

static void every_error_of_openssl_is_mapped_once(void **state)
{
	for (int error = 1; error < 1000; error++) {
		const char *text = X509_verify_cert_error_string(error);
		int known = strncmp(text, "unknown certificate", 19) != 0 &&
			    strncmp(text, "error number", 12) != 0;
		/* 23 is mapped, and named by 3.0 as any other. */
		if (times_listed(error) != known)
			fail_msg("%d (%s) listed %d times", error, text,
				times_listed(error));
	}
}

static void nothing_but_ok_is_ok(void **state)
{
	assert_int_equal(trust_verdict_of_x509(X509_V_OK, 0), TRUST_OK);
	assert_int_equal(trust_verdict_of_x509(X509_V_OK, 3), TRUST_OK);
	for (int error = -1000; error < 1000; error++) {
		if (!error)
			continue;
		assert_int_not_equal(trust_verdict_of_x509(error, 0), TRUST_OK);
		assert_int_not_equal(trust_verdict_of_x509(error, 1), TRUST_OK);
	}
	assert_int_equal(trust_verdict_of_x509(999, 0), TRUST_UNREADABLE);
}

static void verdicts_lead_back_to_themselves(void **state)
{
	for (int v = 0; v < TRUST_VERDICTS; v++) {
		/* Judgements of our own: OpenSSL's error is another's. */
		if (v == TRUST_NO_CERTIFICATE || v == TRUST_UNREADABLE ||
			v == TRUST_BAD_FORM || v == TRUST_ENROL_ONLY)
			continue;
		int depth = v == TRUST_ISSUER_EXPIRED;
		assert_int_equal(
			trust_verdict_of_x509(trust_verdict_x509(v), depth), v);
	}
	assert_int_equal(
		trust_verdict_of_x509(trust_verdict_x509(TRUST_UNREADABLE), 0),
		TRUST_UNREADABLE);
}

static void names_are_words_and_differ(void **state)
{
	for (int v = 0; v < TRUST_VERDICTS; v++) {
		const char *name = trust_verdict_name(v);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"),
			strlen(name));
		for (int w = 0; w < v; w++)
			assert_string_not_equal(name, trust_verdict_name(w));
	}
}

static void every_refusal_has_a_text_a_cure_and_an_alert(void **state)
{
	for (int v = TRUST_OK + 1; v < TRUST_VERDICTS; v++) {
		assert_true(strlen(trust_verdict_text(v)) > 10);
		assert_true(strlen(trust_verdict_cure(v)) > 10);
		assert_true(trust_verdict_alert(v) > 0);
		assert_int_not_equal(trust_verdict_x509(v), X509_V_OK);
	}
	assert_int_equal(trust_verdict_alert(TRUST_OK), 0);
	assert_int_equal(trust_verdict_x509(TRUST_OK), X509_V_OK);
}

/* specs/certificates.md, section 5, as far as this server asks for it. */
static void alerts_are_those_that_phones_know(void **state)
{
	static const int rows[][2] = {{20, 48}, {2, 48}, {18, 48}, {10, 45},
		{9, 42}, {26, 43}, {34, 46}, {7, 51}, {66, 42}, {68, 42},
		{14, 42}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(trust_verdict_alert(
					 trust_verdict_of_x509(rows[i][0], 0)),
			rows[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_error_of_openssl_is_mapped_once),
		cmocka_unit_test(nothing_but_ok_is_ok),
		cmocka_unit_test(verdicts_lead_back_to_themselves),
		cmocka_unit_test(names_are_words_and_differ),
		cmocka_unit_test(every_refusal_has_a_text_a_cure_and_an_alert),
		cmocka_unit_test(alerts_are_those_that_phones_know),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}

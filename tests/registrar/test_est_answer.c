/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about what an EST server's answers mean, one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/pkcs7.h>

#include "registrar/capf/est_answer.h"
#include "tests/certs/made.h"

static const char TYPE[] = "application/pkcs7-mime; smime-type=certs-only";

static X509 *ca, *leaf, *other, *twin;
static EVP_PKEY *key;

static X509 *issue(const char *cn, EVP_PKEY *bearer)
{
	const struct cert_attribute subject[] = {{"CN", cn}, {NULL, NULL}};
	return made_cert((struct cert_order){.subject = subject,
		.key = bearer,
		.issuer = ca,
		.issuer_key = made_key("rsa2048", 1)});
}

static int set_up(void **state)
{
	ca = made_ca("Some CA", 1);
	key = made_key("p256", 7);
	leaf = issue("SEP000000000001", key);
	twin = issue("SEP000000000001", key);
	other = issue("SEP000000000002", made_key("p256", 8));
	return 0;
}

static int tear_down(void **state)
{
	X509_free(ca);
	X509_free(leaf);
	X509_free(twin);
	X509_free(other);
	return 0;
}

/* ---- what servers send ---- */

/* DER of a certs-only PKCS #7 of these; the caller frees. */
static uint8_t *bundle(X509 *const *certs, size_t n, int *length)
{
	PKCS7 *p7 = PKCS7_new();
	uint8_t *der = NULL;
	assert_int_equal(PKCS7_set_type(p7, NID_pkcs7_signed), 1);
	assert_int_equal(PKCS7_content_new(p7, NID_pkcs7_data), 1);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(PKCS7_add_certificate(p7, certs[i]), 1);
	*length = i2d_PKCS7(p7, &der);
	assert_true(*length > 0);
	PKCS7_free(p7);
	return der;
}

/* With a break after each `width` characters; 0: none. The caller frees. */
static char *base64(const uint8_t *der, int n, size_t width)
{
	char *plain = malloc(4 * (((size_t)n + 2) / 3) + 1);
	int length = EVP_EncodeBlock((unsigned char *)plain, der, n);
	char *out = malloc(3 * (size_t)length + 1), *to = out;
	for (size_t i = 0; i < (size_t)length; i++) {
		*to++ = plain[i];
		if (width && (i + 1) % width == 0) {
			*to++ = '\r';
			*to++ = '\n';
		}
	}
	*to = '\0';
	free(plain);
	return out;
}

static char *body_of(X509 *const *certs, size_t n, size_t width)
{
	int length;
	uint8_t *der = bundle(certs, n, &length);
	char *text = base64(der, length, width);
	OPENSSL_free(der);
	return text;
}

/* ---- what they mean ---- */

static struct est_answer judge(const struct est_response *r)
{
	struct est_answer out;
	est_answer_read(r, key, &out);
	assert_int_equal(ERR_peek_error(), 0);
	assert_true((out.result == EST_OK) == (out.cert != NULL));
	return out;
}

static struct est_answer judge_text(
	long status, const char *type, const char *body)
{
	return judge(&(struct est_response){.status = status,
		.type = type,
		.body = (const uint8_t *)body,
		.n = strlen(body)});
}

static void expect(
	struct est_answer out, enum est_result result, const char *part)
{
	if (out.result != result || !strstr(out.text, part))
		fail_msg("%d \"%s\", expected %d and \"%s\"", out.result,
			out.text, result, part);
	X509_free(out.cert);
}

static void expect_leaf(const char *type, char *body)
{
	struct est_answer out = judge_text(200, type, body);
	free(body);
	assert_string_equal(out.text, "");
	assert_int_equal(out.result, EST_OK);
	assert_int_equal(X509_cmp(out.cert, leaf), 0);
	X509_free(out.cert);
}

static void unfit(char *body, const char *part)
{
	struct est_answer out = judge_text(200, TYPE, body);
	free(body);
	expect(out, EST_UNFIT, part);
}

static void takes_base64_without_line_breaks(void **state)
{
	expect_leaf(TYPE, body_of(&leaf, 1, 0));
}

static void takes_base64_of_any_line_length(void **state)
{
	expect_leaf(TYPE, body_of(&leaf, 1, 64));
	expect_leaf(TYPE, body_of(&leaf, 1, 76));
	expect_leaf(TYPE, body_of(&leaf, 1, 1));
}

static void finds_the_leaf_by_its_key_wherever_it_stands(void **state)
{
	X509 *first[] = {leaf, ca}, *last[] = {ca, other, leaf};
	expect_leaf(TYPE, body_of(first, 2, 64));
	expect_leaf(TYPE, body_of(last, 3, 64));
}

static void reads_content_type_as_mime_has_it(void **state)
{
	expect_leaf("application/pkcs7-mime", body_of(&leaf, 1, 0));
	expect_leaf("Application/PKCS7-MIME;smime-type=\"certs-only\"",
		body_of(&leaf, 1, 0));
	expect_leaf("application/pkcs7-mime; smime-type=certs-only; name=x",
		body_of(&leaf, 1, 0));
}

static void refuses_another_content_type(void **state)
{
	static const char *const types[] = {"application/pkcs7-mimes",
		"text/html", "application/pkcs10", "",
		"application/pkcs7-mime; smime-type=server-generated-key",
		"application/pkcs7-mime; smime-type=certs-only-not"};
	char *body = body_of(&leaf, 1, 0);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		expect(judge_text(200, types[i], body), EST_UNFIT,
			"Content-Type");
	expect(judge_text(200, NULL, body), EST_UNFIT, "is missing");
	expect(judge_text(200, "text/\x1b[31mred", body), EST_UNFIT,
		"is text/?[31mred");
	free(body);
}

static void refuses_an_empty_body(void **state)
{
	unfit(strdup(""), "empty");
	unfit(strdup(" \r\n\t"), "no base64");
}

static void refuses_what_is_no_base64(void **state)
{
	unfit(strdup("MIIB!!!!"), "no base64");
	unfit(strdup("MIIBA"), "no base64");
	unfit(strdup("MI=BAAAA"), "no base64");
	unfit(strdup("MIIBA==="), "no base64");
	unfit(strdup("===="), "no base64");
	unfit(strdup("-----BEGIN PKCS7-----"), "no base64");
	expect(judge(&(struct est_response){.status = 200,
		       .type = TYPE,
		       .body = (const uint8_t *)"AA\0A",
		       .n = 4}),
		EST_UNFIT, "no base64");
}

static void refuses_raw_der(void **state)
{
	int n;
	uint8_t *der = bundle(&leaf, 1, &n);
	expect(judge(&(struct est_response){.status = 200,
		       .type = TYPE,
		       .body = der,
		       .n = (size_t)n}),
		EST_UNFIT, "no base64");
	OPENSSL_free(der);
}

static void refuses_what_is_no_pkcs7(void **state)
{
	uint8_t *der = NULL;
	int n = i2d_X509(leaf, &der);
	unfit(strdup("AAAA"), "no PKCS #7");
	unfit(base64(der, n, 64), "no PKCS #7");
	OPENSSL_free(der);
}

static void refuses_every_pkcs7_that_is_cut_short(void **state)
{
	int n;
	uint8_t *der = bundle(&leaf, 1, &n);
	for (int i = 1; i < n; i++)
		unfit(base64(der, i, 0), "no PKCS #7");
	OPENSSL_free(der);
}

static void refuses_bytes_behind_the_pkcs7(void **state)
{
	int n;
	uint8_t *der = bundle(&leaf, 1, &n);
	uint8_t *longer = calloc(1, (size_t)n + 1);
	memcpy(longer, der, (size_t)n);
	unfit(base64(longer, n + 1, 0), "bytes behind");
	free(longer);
	OPENSSL_free(der);
}

static void refuses_pkcs7_that_is_signed_or_of_another_kind(void **state)
{
	BIO *data = BIO_new_mem_buf("x", 1);
	uint8_t *der = NULL;
	PKCS7 *p7 = PKCS7_sign(leaf, key, NULL, data, PKCS7_BINARY);
	assert_non_null(p7);
	int n = i2d_PKCS7(p7, &der);
	unfit(base64(der, n, 0), "signers");
	OPENSSL_free(der);
	PKCS7_free(p7);
	BIO_free(data);

	p7 = PKCS7_new();
	der = NULL;
	assert_int_equal(PKCS7_set_type(p7, NID_pkcs7_data), 1);
	n = i2d_PKCS7(p7, &der);
	unfit(base64(der, n, 0), "another kind");
	OPENSSL_free(der);
	PKCS7_free(p7);
}

static void refuses_no_certificate_and_too_many(void **state)
{
	X509 *many[EST_CERTS_MAX + 1];
	for (size_t i = 0; i <= EST_CERTS_MAX; i++)
		many[i] = i ? issue("SEP000000000003", made_key("p256", 8))
			    : leaf;
	unfit(body_of(NULL, 0, 0), "has no certificate");
	expect_leaf(TYPE, body_of(many, EST_CERTS_MAX, 64));
	unfit(body_of(many, EST_CERTS_MAX + 1, 64), "more than 16");
	for (size_t i = 1; i <= EST_CERTS_MAX; i++)
		X509_free(many[i]);
}

static void refuses_certificates_of_other_keys(void **state)
{
	X509 *others[] = {ca, other}, *twins[] = {leaf, twin};
	unfit(body_of(others, 2, 0), "no certificate in it has the phone's");
	unfit(body_of(twins, 2, 0), "two certificates");
}

static void a_202_comes_back_when_it_says(void **state)
{
	static const struct {
		long said, taken;
	} rows[] = {{120, 120}, {0, EST_RETRY_S}, {1, EST_RETRY_MIN_S},
		{-5, EST_RETRY_S}, {99999999, EST_RETRY_MAX_S}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct est_answer out = judge(&(struct est_response){
			.status = 202, .retry_s = rows[i].said});
		assert_int_equal(out.retry_s, rows[i].taken);
		expect(out, EST_LATER, "202");
	}
}

static void a_4xx_is_refused_with_its_reason(void **state)
{
	char longest[4096];
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	expect(judge_text(400, "text/plain", "the policy says no\r\n"),
		EST_REFUSED, "HTTP 400: \"the policy says no\";");
	expect(judge_text(403, "text/plain; charset=utf-8", "a\x1b[2J\nb"),
		EST_REFUSED, "\"a?[2J?b\"");
	expect(judge_text(499, "text/plain", longest), EST_REFUSED, "xxx\"");
	expect(judge_text(404, "text/html", "<h1>no</h1>"), EST_REFUSED,
		"HTTP 404;");
	expect(judge_text(401, NULL, "x"), EST_REFUSED, "HTTP 401;");
	expect(judge_text(400, "text/plain", " \r\n"), EST_REFUSED,
		"HTTP 400;");
}

/* As a CA does that wants requests signed. */
static void a_400_says_that_there_is_no_proof_of_possession(void **state)
{
	expect(judge_text(400, "text/plain", "PKCS10 signature is invalid"),
		EST_REFUSED, "id-alg-noSignature");
	expect(judge_text(400, NULL, ""), EST_REFUSED,
		"without proof of possession");
}

static void a_5xx_is_unreachable(void **state)
{
	expect(judge_text(500, "text/plain", "on fire"), EST_UNREACHABLE,
		"HTTP 500: \"on fire\"");
	expect(judge_text(503, NULL, ""), EST_UNREACHABLE, "HTTP 503;");
}

static void other_statuses_are_unfit(void **state)
{
	expect(judge_text(301, NULL, ""), EST_UNFIT, "not followed");
	expect(judge_text(204, NULL, ""), EST_UNFIT, "HTTP 204");
	expect(judge_text(201, TYPE, "AAAA"), EST_UNFIT, "HTTP 201");
	expect(judge_text(600, NULL, ""), EST_UNFIT, "HTTP 600");
	expect(judge_text(0, NULL, ""), EST_UNFIT, "HTTP 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_base64_without_line_breaks),
		cmocka_unit_test(takes_base64_of_any_line_length),
		cmocka_unit_test(finds_the_leaf_by_its_key_wherever_it_stands),
		cmocka_unit_test(reads_content_type_as_mime_has_it),
		cmocka_unit_test(refuses_another_content_type),
		cmocka_unit_test(refuses_an_empty_body),
		cmocka_unit_test(refuses_what_is_no_base64),
		cmocka_unit_test(refuses_raw_der),
		cmocka_unit_test(refuses_what_is_no_pkcs7),
		cmocka_unit_test(refuses_every_pkcs7_that_is_cut_short),
		cmocka_unit_test(refuses_bytes_behind_the_pkcs7),
		cmocka_unit_test(
			refuses_pkcs7_that_is_signed_or_of_another_kind),
		cmocka_unit_test(refuses_no_certificate_and_too_many),
		cmocka_unit_test(refuses_certificates_of_other_keys),
		cmocka_unit_test(a_202_comes_back_when_it_says),
		cmocka_unit_test(a_4xx_is_refused_with_its_reason),
		cmocka_unit_test(
			a_400_says_that_there_is_no_proof_of_possession),
		cmocka_unit_test(a_5xx_is_unreachable),
		cmocka_unit_test(other_statuses_are_unfit),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name(
		"est_answer", tests, set_up, tear_down);
}

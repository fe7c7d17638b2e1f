/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about what is read out of a certificate. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "certs/identity.h"
#include "certs/text.h"
#include "tests/certs/made.h"

/* A self-signed certificate with this subject; not a phone's, but a subject
 * is read the same. */
static X509 *with_subject(const struct cert_attribute *subject)
{
	return made_cert((struct cert_order){
		.subject = subject, .key = made_key("p256", 0)});
}

static struct cert_identity read(X509 *cert)
{
	struct cert_identity id;
	assert_int_equal(cert_identity_read(cert, &id), 0);
	X509_free(cert);
	return id;
}

static void lsc_of_a_real_cluster_is_read(void **state)
{
	const struct cert_attribute capf[] = {{"C", "AU"}, {"O", "stormin"},
		{"OU", "IST"}, {"CN", "CAPF-a7fb32bf"}, {"ST", "NSQ"},
		{"L", "Sydney"}, {NULL, NULL}};
	const struct cert_attribute phone[] = {
		{"serialNumber", "PID:CP-8861 SN:FCH18198CNQ"}, {"C", "AU"},
		{"O", "stormin"}, {"OU", "IST"},
		{"CN", "CP-8861-SEPb000b4ba0aee"}, {NULL, NULL}};
	X509 *ca = with_subject(capf);
	struct cert_identity id = read(made_cert((struct cert_order){
		.subject = phone,
		.key = made_key("rsa2048", 0),
		.issuer = ca,
		.issuer_key = made_key("p256", 0),
		.serial = "0A6475524CD8617C62",
		.not_before = 1500000000,
		.not_after = 1657766400,
	}));
	X509_free(ca);
	assert_string_equal(id.device, "SEPB000B4BA0AEE");
	assert_string_equal(id.cn, "CP-8861-SEPb000b4ba0aee");
	assert_string_equal(id.model, "CP-8861");
	assert_string_equal(id.hardware_serial, "FCH18198CNQ");
	assert_string_equal(id.subject,
		"CN=CP-8861-SEPb000b4ba0aee,OU=IST,O=stormin,C=AU,"
		"serialNumber=PID:CP-8861 SN:FCH18198CNQ");
	assert_string_equal(id.issuer,
		"L=Sydney,ST=NSQ,CN=CAPF-a7fb32bf,OU=IST,O=stormin,C=AU");
	assert_string_equal(id.issuer_cn, "CAPF-a7fb32bf");
	assert_string_equal(id.serial, "0a6475524cd8617c62");
	assert_string_equal(id.key, "RSA-2048");
	assert_int_equal(id.not_before, 1500000000);
	assert_int_equal(id.not_after, 1657766400);
	assert_true(id.times_ok);
}

static void model_comes_from_the_pid_of_a_bare_name(void **state)
{
	const struct cert_attribute subject[] = {{"CN", "SEP001122334455"},
		{"serialNumber", "PID:CP-7841  SN:FCH2133E8B9"}, {NULL, NULL}};
	struct cert_identity id = read(with_subject(subject));
	assert_string_equal(id.device, "SEP001122334455");
	assert_string_equal(id.model, "CP-7841");
	assert_string_equal(id.hardware_serial, "FCH2133E8B9");
}

static void sudi_certificate_names_no_device(void **state)
{
	const struct cert_attribute subject[] = {
		{"serialNumber", "PID:C9300-24U SN:FCW2131L0JE"},
		{"O", "Cisco"}, {"OU", "ACT-2 Lite SUDI"}, {"CN", "C9300-24U"},
		{NULL, NULL}};
	struct cert_identity id = read(with_subject(subject));
	assert_string_equal(id.device, "");
	assert_string_equal(id.model, "C9300-24U");
	assert_string_equal(id.hardware_serial, "FCW2131L0JE");
}

static void soft_phones_keep_the_case_of_their_names(void **state)
{
	const struct cert_attribute subject[] = {
		{"CN", "CSFjoe"}, {NULL, NULL}};
	struct cert_identity id = read(with_subject(subject));
	assert_string_equal(id.device, "CSFjoe");
	assert_string_equal(id.model, "");
}

static void second_cn_leaves_no_device(void **state)
{
	const struct cert_attribute subjects[][4] = {
		{{"CN", "SEP001122334455"}, {"CN", "SEP001122334466"},
			{NULL, NULL}},
		{{"CN", "SEP001122334455"}, {"O", "x"}, {"CN", "y"},
			{NULL, NULL}},
		{{"CN", "x"}, {"CN", "SEP001122334455"}, {NULL, NULL}},
		{{"CN", "SEP001122334455"}, {"CN", "SEP001122334455"},
			{NULL, NULL}},
	};
	for (size_t i = 0; i < 4; i++) {
		struct cert_identity id = read(with_subject(subjects[i]));
		assert_string_equal(id.device, "");
		assert_string_equal(id.cn, subjects[i][0].text);
	}
}

static void second_serial_number_leaves_no_model(void **state)
{
	const struct cert_attribute subject[] = {{"CN", "SEP001122334455"},
		{"serialNumber", "PID:CP-7841 SN:A"},
		{"serialNumber", "PID:CP-8861 SN:B"}, {NULL, NULL}};
	struct cert_identity id = read(with_subject(subject));
	assert_string_equal(id.device, "SEP001122334455");
	assert_string_equal(id.model, "");
	assert_string_equal(id.hardware_serial, "");
}

/* A certificate whose CN has these bytes, in that ASN.1 type. */
static struct cert_identity with_cn(int type, const void *cn, int n)
{
	const struct cert_attribute subject[] = {{"O", "x"}, {NULL, NULL}};
	X509 *cert = with_subject(subject);
	assert_int_equal(X509_NAME_add_entry_by_NID(X509_get_subject_name(cert),
				 NID_commonName, type, cn, n, -1, 0),
		1);
	X509_sign(cert, made_key("p256", 0), EVP_sha256());
	return read(cert);
}

static void hidden_bytes_in_a_cn_leave_no_device(void **state)
{
	static const struct {
		const char *cn;
		int n;
		const char *shown;
	} rows[] = {
		{"SEP001122334455\0.example", 24, "SEP001122334455?.example"},
		{"x\0-SEP001122334455", 18, "x?-SEP001122334455"},
		{"SEP001122334455\0", 16, "SEP001122334455?"},
		{"\n-SEP001122334455", 17, "?-SEP001122334455"},
		{"\x1b[2J-SEP001122334455", 20, "?[2J-SEP001122334455"},
		{"\xe2\x80\xae-SEP001122334455", 19, "?-SEP001122334455"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cert_identity id =
			with_cn(V_ASN1_UTF8STRING, rows[i].cn, rows[i].n);
		assert_string_equal(id.cn, rows[i].shown);
		assert_string_equal(id.device, "");
	}
}

static void names_in_other_string_types_are_read(void **state)
{
	static const char WIDE[] = "\0S\0E\0P\0"
				   "0\0"
				   "0\0"
				   "1\0"
				   "1\0"
				   "2\0"
				   "2\0"
				   "3\0"
				   "3\0"
				   "4\0"
				   "4\0"
				   "5\0"
				   "5";
	struct cert_identity id = with_cn(V_ASN1_BMPSTRING, WIDE, 30);
	assert_string_equal(id.device, "SEP001122334455");
	id = with_cn(V_ASN1_T61STRING, "Z\xfcrich-SEP001122334455", 22);
	assert_string_equal(id.device, "SEP001122334455");
	assert_string_equal(id.cn, "Z\xc3\xbcrich-SEP001122334455");
	assert_string_equal(id.model, "Z\xc3\xbcrich");
	assert_string_equal(id.subject, "CN=Z\xc3\xbcrich-SEP001122334455,O=x");
}

static void over_long_names_leave_no_device(void **state)
{
	char cn[401];
	memset(cn, 'x', sizeof(cn));
	memcpy(cn + 400 - 16, "-SEP001122334455", 16);
	struct cert_identity id = with_cn(V_ASN1_UTF8STRING, cn, 400);
	assert_string_equal(id.device, "");
	assert_int_equal(strlen(id.cn), CERT_NAME_MAX);
	assert_true(strlen(id.subject) < sizeof(id.subject));
	memcpy(cn, "CSF", 3);
	id = with_cn(V_ASN1_UTF8STRING, cn, CERT_DEVICE_MAX);
	assert_int_equal(strlen(id.device), CERT_DEVICE_MAX);
	id = with_cn(V_ASN1_UTF8STRING, cn, CERT_DEVICE_MAX + 1);
	assert_string_equal(id.device, "");
}

static void enormous_subject_is_not_printed(void **state)
{
	static char big[9000];
	memset(big, 'x', sizeof(big));
	const struct cert_attribute subject[] = {
		{"CN", "SEP001122334455"}, {NULL, NULL}};
	X509 *cert = with_subject(subject);
	X509_NAME_add_entry_by_NID(X509_get_subject_name(cert),
		NID_organizationName, V_ASN1_UTF8STRING, (unsigned char *)big,
		sizeof(big), -1, 0);
	struct cert_identity id;
	assert_int_equal(cert_identity_read(cert, &id), -EINVAL);
	assert_string_equal(id.subject, "(a name of 9047 bytes)");
	assert_string_equal(id.key, "P-256");
	X509_free(cert);
}

static void control_characters_never_reach_the_subject_line(void **state)
{
	struct cert_identity id =
		with_cn(V_ASN1_UTF8STRING, "a\n\x1b\xc2\x9b\0b", 7);
	char again[sizeof(id.subject)];
	assert_true(cert_text_clean(
		id.subject, strlen(id.subject), again, sizeof(again)));
	assert_string_equal(id.subject, "CN=a\\0A\\1B?\\00b,O=x");
}

/* As long as what a list of revoked ones may name. */
static void the_longest_serial_is_read(void **state)
{
	struct cert_identity id;
	char serial[CERT_SERIAL_MAX + 1] = {0};
	memset(serial, '7', sizeof(serial) - 1);
	const struct cert_attribute subject[] = {
		{"CN", "SEP000000000001"}, {NULL, NULL}};
	X509 *cert = made_cert((struct cert_order){.subject = subject,
		.key = made_key("p256", 0),
		.serial = serial});
	assert_int_equal(cert_identity_read(cert, &id), 0);
	assert_string_equal(id.serial, serial);
	X509_free(cert);
}

static void empty_subject_and_endless_serial_are_refused(void **state)
{
	struct cert_identity id;
	X509 *cert = with_subject(NULL);
	assert_int_equal(cert_identity_read(cert, &id), -EINVAL);
	assert_string_equal(id.device, "");
	X509_free(cert);
	const struct cert_attribute subject[] = {
		{"CN", "SEP001122334455"}, {NULL, NULL}};
	char serial[2 * 40 + 1] = {0};
	memset(serial, '7', sizeof(serial) - 1);
	cert = made_cert((struct cert_order){.subject = subject,
		.key = made_key("p256", 0),
		.serial = serial});
	assert_int_equal(cert_identity_read(cert, &id), -EINVAL);
	assert_string_equal(id.serial, "");
	assert_string_equal(id.device, "SEP001122334455");
	X509_free(cert);
}

static void keys_have_the_names_people_use(void **state)
{
	static const struct {
		const char *kind;
		const char *name;
	} rows[] = {{"rsa1024", "RSA-1024"}, {"rsa2048", "RSA-2048"},
		{"p256", "P-256"}, {"p384", "P-384"}, {"p521", "P-521"}};
	const struct cert_attribute subject[] = {{"CN", "x"}, {NULL, NULL}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cert_identity id = read(made_cert((struct cert_order){
			.subject = subject, .key = made_key(rows[i].kind, 0)}));
		assert_string_equal(id.key, rows[i].name);
	}
}

static void fractional_seconds_are_no_valid_time(void **state)
{
	const struct cert_attribute subject[] = {{"CN", "x"}, {NULL, NULL}};
	X509 *cert = with_subject(subject);
	struct cert_identity id = read(made_undated(cert, made_key("p256", 0)));
	X509_free(cert);
	assert_false(id.times_ok);
	char text[21];
	cert_time_text(id.not_after, text);
	assert_string_equal(text, "2053-04-04T00:00:00Z");
}

static void fingerprints_are_of_the_der(void **state)
{
	const struct cert_attribute subject[] = {{"CN", "x"}, {NULL, NULL}};
	X509 *cert = with_subject(subject);
	struct cert_identity id;
	unsigned char *der = NULL, sum[EVP_MAX_MD_SIZE];
	char hex[65];
	int n = i2d_X509(cert, &der);
	assert_int_equal(cert_identity_read(cert, &id), 0);
	EVP_Digest(der, (size_t)n, sum, NULL, EVP_sha256(), NULL);
	assert_memory_equal(sum, id.sha256_raw, 32);
	for (size_t i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", sum[i]);
	assert_string_equal(hex, id.sha256);
	EVP_Digest(der, (size_t)n, sum, NULL, EVP_sha1(), NULL);
	for (size_t i = 0; i < 20; i++)
		snprintf(hex + 2 * i, 3, "%02x", sum[i]);
	assert_string_equal(hex, id.sha1);
	OPENSSL_free(der);
	X509_free(cert);
}

static void reading_leaves_openssl_errors_as_they_were(void **state)
{
	const struct cert_attribute subject[] = {{"CN", "x"}, {NULL, NULL}};
	X509 *cert = with_subject(subject);
	X509 *undated = made_undated(cert, made_key("p256", 0));
	struct cert_identity id;
	ERR_clear_error();
	ERR_raise(ERR_LIB_USER, 7);
	assert_int_equal(cert_identity_read(undated, &id), 0);
	assert_int_equal(ERR_GET_REASON(ERR_get_error()), 7);
	assert_int_equal(ERR_get_error(), 0);
	X509_free(cert);
	X509_free(undated);
}

static void times_are_written_as_rfc_3339(void **state)
{
	char text[21];
	cert_time_text(0, text);
	assert_string_equal(text, "1970-01-01T00:00:00Z");
	cert_time_text(4090003199, text);
	assert_string_equal(text, "2099-08-09T23:59:59Z");
	cert_time_text(253402300800, text); /* the year 10000 */
	assert_string_equal(text, "unknown");
	cert_time_text(-62167219200 - 1, text); /* before the year 0 */
	assert_string_equal(text, "unknown");
}

static void kinds_have_names(void **state)
{
	assert_string_equal(cert_kind_name(CERT_KIND_LSC), "LSC");
	assert_string_equal(cert_kind_name(CERT_KIND_MIC), "MIC");
	assert_string_equal(cert_kind_name(CERT_KIND_UNKNOWN), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lsc_of_a_real_cluster_is_read),
		cmocka_unit_test(model_comes_from_the_pid_of_a_bare_name),
		cmocka_unit_test(sudi_certificate_names_no_device),
		cmocka_unit_test(soft_phones_keep_the_case_of_their_names),
		cmocka_unit_test(second_cn_leaves_no_device),
		cmocka_unit_test(second_serial_number_leaves_no_model),
		cmocka_unit_test(hidden_bytes_in_a_cn_leave_no_device),
		cmocka_unit_test(names_in_other_string_types_are_read),
		cmocka_unit_test(over_long_names_leave_no_device),
		cmocka_unit_test(enormous_subject_is_not_printed),
		cmocka_unit_test(
			control_characters_never_reach_the_subject_line),
		cmocka_unit_test(the_longest_serial_is_read),
		cmocka_unit_test(empty_subject_and_endless_serial_are_refused),
		cmocka_unit_test(keys_have_the_names_people_use),
		cmocka_unit_test(fractional_seconds_are_no_valid_time),
		cmocka_unit_test(fingerprints_are_of_the_der),
		cmocka_unit_test(reading_leaves_openssl_errors_as_they_were),
		cmocka_unit_test(times_are_written_as_rfc_3339),
		cmocka_unit_test(kinds_have_names),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}

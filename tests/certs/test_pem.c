/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the strict reader of certificate files. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "certs/pem.h"
#include "certs/rule.h"
#include "tests/certs/made.h"

#define BEGIN_LINE "-----BEGIN CERTIFICATE-----\n"
#define END_LINE "-----END CERTIFICATE-----\n"
#define PEM BEGIN_LINE "@B" END_LINE

static X509 *cert;
static unsigned char *der;
static size_t n_der;

static int make_one(void **state)
{
	const struct cert_attribute subject[] = {
		{"CN", "SEP001122334455"}, {NULL, NULL}};
	cert = made_cert((struct cert_order){
		.subject = subject, .key = made_key("rsa2048", 0)});
	n_der = (size_t)i2d_X509(cert, &der);
	return 0;
}

static int free_one(void **state)
{
	X509_free(cert);
	OPENSSL_free(der);
	return 0;
}

/* Bytes that a template expands to. */
struct made {
	unsigned char data[64 * 1024];
	size_t n;
};

static void put(struct made *m, const void *data, size_t n)
{
	assert_true(m->n + n <= sizeof(m->data));
	memcpy(m->data + m->n, data, n);
	m->n += n;
}

static void put_base64(struct made *m, const void *data, size_t n)
{
	const unsigned char *p = data;
	for (size_t left = n; left;) {
		unsigned char line[80];
		size_t take = left < 48 ? left : 48;
		int length = EVP_EncodeBlock(line, p, (int)take);
		put(m, line, (size_t)length);
		put(m, "\n", 1);
		p += take;
		left -= take;
	}
}

/* The certificate with the length of its outer SEQUENCE in three bytes
 * where two do: BER, not DER. */
static size_t as_ber(unsigned char *out)
{
	assert_int_equal(der[1], 0x82);
	out[0] = 0x30;
	out[1] = 0x83;
	out[2] = 0;
	memcpy(out + 3, der + 2, n_der - 2);
	return n_der + 1;
}

/*
 * @B base64 of the certificate (15 lines), @T of it and three bytes more, @H
 * of its first half, @I of it as BER; @D the DER itself, @N the first half of
 * that, @L the BER.
 */
static struct made expand(const char *template)
{
	struct made m = {.n = 0};
	unsigned char copy[2048];
	memcpy(copy, der, n_der);
	memcpy(copy + n_der, "abc", 3);
	for (const char *p = template; *p; p++) {
		char code = 0;
		if (*p == '@')
			code = *++p;
		if (!code)
			put(&m, p, 1);
		else if (code == 'B')
			put_base64(&m, der, n_der);
		else if (code == 'T')
			put_base64(&m, copy, n_der + 3);
		else if (code == 'H')
			put_base64(&m, der, n_der / 2 / 48 * 48);
		else if (code == 'I')
			put_base64(&m, copy, as_ber(copy));
		else if (code == 'D')
			put(&m, der, n_der);
		else if (code == 'N')
			put(&m, der, n_der / 2);
		else if (code == 'L')
			put(&m, copy, as_ber(copy));
		else
			fail_msg("template code %c", code);
	}
	return m;
}

/* Where it is, by which rule, and what is said of it in parentheses. */
static const struct {
	const char *template;
	int line;
	enum cert_rule rule;
	const char *detail;
} refused[] = {
	{"", 0, CERT_RULE_EMPTY_FILE},
	{"Some text.\nMore.\n", 0, CERT_RULE_NO_CERTIFICATE},
	{"0 lines\n", 0, CERT_RULE_NO_CERTIFICATE},
	{BEGIN_LINE "@B", 1, CERT_RULE_HALF_WRITTEN},
	{"text\n" BEGIN_LINE, 2, CERT_RULE_HALF_WRITTEN},
	{PEM "-----BEG", 18, CERT_RULE_HALF_WRITTEN},
	{PEM "-----BEGIN CERTIFICATE--", 18, CERT_RULE_HALF_WRITTEN},
	{PEM BEGIN_LINE "AAA", 18, CERT_RULE_HALF_WRITTEN},
	{PEM BEGIN_LINE "@B-----END CER", 18, CERT_RULE_HALF_WRITTEN},
	{PEM BEGIN_LINE "@B" PEM, 18, CERT_RULE_NO_END},
	{"text\n" END_LINE, 2, CERT_RULE_END_ALONE},
	{PEM "\n@B" END_LINE, 34, CERT_RULE_END_ALONE},
	{"-----BEGIN CERTIFICATE----\n@B" END_LINE, 1, CERT_RULE_DAMAGED_BEGIN},
	{" " PEM, 1, CERT_RULE_DAMAGED_BEGIN},
	{"x" PEM, 1, CERT_RULE_DAMAGED_BEGIN},
	{"-----BEGIN-----\n@B" END_LINE, 1, CERT_RULE_DAMAGED_BEGIN},
	{BEGIN_LINE "@B-----END CERTIFICATE\n", 17, CERT_RULE_DAMAGED_END},
	{BEGIN_LINE "@B-----END X509 CRL-----\n", 17, CERT_RULE_WRONG_END},
	{BEGIN_LINE END_LINE, 1, CERT_RULE_EMPTY_BLOCK},
	{BEGIN_LINE "\n  \n" END_LINE, 1, CERT_RULE_EMPTY_BLOCK},
	{BEGIN_LINE "AAAA\nAA*A\n" END_LINE, 3, CERT_RULE_BAD_BASE64},
	{BEGIN_LINE "AAAA\nAA==\nAAAA\n" END_LINE, 4, CERT_RULE_BAD_BASE64},
	{BEGIN_LINE "Proc-Type: 4,ENCRYPTED\n\n@B" END_LINE, 2,
		CERT_RULE_BAD_BASE64},
	{BEGIN_LINE "AAAA\nAAA\n" END_LINE, 4, CERT_RULE_SHORT_BASE64},
	{BEGIN_LINE "A===\n" END_LINE, 3, CERT_RULE_SHORT_BASE64},
	{BEGIN_LINE "@H" END_LINE, 1, CERT_RULE_DAMAGED},
	{BEGIN_LINE "AAAA\n" END_LINE, 1, CERT_RULE_DAMAGED},
	{PEM BEGIN_LINE "@T" END_LINE, 18, CERT_RULE_TRAILING_BYTES,
		"3 of them"},
	{BEGIN_LINE "@B@B" END_LINE, 17, CERT_RULE_BAD_BASE64},
	{BEGIN_LINE "@I" END_LINE, 1, CERT_RULE_NOT_DER},
	{PEM "-----BEGIN PRIVATE KEY-----\nAAAA\n", 18, CERT_RULE_PRIVATE_KEY},
	{"-----BEGIN RSA PRIVATE KEY-----\n", 1, CERT_RULE_PRIVATE_KEY},
	{"-----BEGIN ENCRYPTED PRIVATE KEY-----\n", 1, CERT_RULE_PRIVATE_KEY},
	{"-----BEGIN X509 CRL-----\n", 1, CERT_RULE_OTHER_PEM, "X509 CRL"},
	{"-----BEGIN TRUSTED CERTIFICATE-----\n", 1, CERT_RULE_OTHER_PEM,
		"TRUSTED CERTIFICATE"},
	{"-----BEGIN \x1b[31m-----\n", 1, CERT_RULE_OTHER_PEM, "?[31m"},
	{PEM "-----BEGIN CERTIFICATE REQUEST-----\n", 18, CERT_RULE_OTHER_PEM,
		"CERTIFICATE REQUEST"},
	{"\xff\xfe-", 0, CERT_RULE_UTF_16},
	{"@N", 0, CERT_RULE_HALF_WRITTEN},
	{"@L", 0, CERT_RULE_NOT_DER},
	{"@D\n", 0, CERT_RULE_TRAILING_BYTES, "1 of them"},
	{"@D@N", 0, CERT_RULE_HALF_WRITTEN},
	{"@D" PEM, 0, CERT_RULE_TRAILING_BYTES, "1009 of them"},
};

static void every_malformed_file_has_its_own_reason(void **state)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct made m = expand(refused[i].template);
		const char *detail = refused[i].detail;
		struct cert_list list;
		struct diag d = {"untouched"}, want;
		int error = cert_pem_parse(m.data, m.n, "f", &list, &d);
		cert_rule_refuse(&want, refused[i].rule, error, "f",
			refused[i].line, detail ? detail : "");
		if (error != -EINVAL)
			fail_msg("row %zu: %d", i, error);
		assert_int_equal(list.n, 0);
		assert_null(list.cert);
		if (strcmp(d.text, want.text) != 0)
			fail_msg("row %zu: \"%s\", not \"%s\"", i, d.text,
				want.text);
		assert_string_equal(d.rule, want.rule);
	}
}

static const struct {
	const char *template;
	size_t n;
	int lines[3];
} accepted[] = {
	{PEM, 1, {1}},
	{PEM PEM, 2, {1, 18}},
	{"\xef\xbb\xbf" PEM, 1, {1}},
	{"Certificate:\n    Data:\n" PEM "trailing text", 1, {3}},
	{"\n" BEGIN_LINE "\n@B\n  \n-----END CERTIFICATE-----", 1, {2}},
	{"-----BEGIN X509 CERTIFICATE-----\n@B"
	 "-----END X509 CERTIFICATE-----\n",
		1, {1}},
	{"@D", 1, {0}},
	{"@D@D@D", 3, {0, 0, 0}},
};

static void good_files_are_read_whole_with_their_lines(void **state)
{
	for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
		struct made m = expand(accepted[i].template);
		struct cert_list list;
		struct diag d = {.text = ""};
		if (cert_pem_parse(m.data, m.n, "f", &list, &d))
			fail_msg("row %zu: %s", i, d.text);
		assert_int_equal(list.n, accepted[i].n);
		for (size_t j = 0; j < list.n; j++) {
			assert_int_equal(list.line[j], accepted[i].lines[j]);
			assert_int_equal(X509_cmp(list.cert[j], cert), 0);
		}
		cert_list_deinit(&list);
	}
}

static void crlf_line_ends_are_read(void **state)
{
	struct made m = expand(PEM PEM), crlf = {.n = 0};
	struct cert_list list;
	for (size_t i = 0; i < m.n; i++) {
		if (m.data[i] == '\n')
			put(&crlf, "\r", 1);
		put(&crlf, m.data + i, 1);
	}
	assert_int_equal(
		cert_pem_parse(crlf.data, crlf.n, "f", &list, NULL), 0);
	assert_int_equal(list.n, 2);
	assert_int_equal(list.line[1], 18);
	cert_list_deinit(&list);
}

/* One way to damage a file: no cut of it may be taken for the whole. */
static void every_cut_of_a_file_is_refused(void **state)
{
	struct made m = expand(PEM), d = expand("@D");
	struct cert_list list;
	for (size_t n = 0; n + 1 < m.n; n++)
		assert_int_equal(
			cert_pem_parse(m.data, n, "f", &list, NULL), -EINVAL);
	for (size_t n = 0; n < d.n; n++)
		assert_int_equal(
			cert_pem_parse(d.data, n, "f", &list, NULL), -EINVAL);
}

static void private_key_in_der_is_named(void **state)
{
	unsigned char *key = NULL;
	int n = i2d_PrivateKey(made_key("rsa2048", 0), &key);
	struct cert_list list;
	struct diag d;
	assert_int_equal(
		cert_pem_parse(key, (size_t)n, "f", &list, &d), -EINVAL);
	assert_string_equal(d.rule, "private-key");
	OPENSSL_free(key);
}

static void more_certificates_than_the_limit_are_refused(void **state)
{
	struct cert_list list;
	struct diag d;
	size_t n = n_der * (CERT_LIST_MAX + 1);
	unsigned char *many = malloc(n);
	for (size_t i = 0; i <= CERT_LIST_MAX; i++)
		memcpy(many + i * n_der, der, n_der);
	assert_int_equal(cert_pem_parse(many, n - n_der, "f", &list, &d), 0);
	assert_int_equal(list.n, CERT_LIST_MAX);
	cert_list_deinit(&list);
	assert_int_equal(cert_pem_parse(many, n, "f", &list, &d), -E2BIG);
	assert_string_equal(d.rule, "crowded-file");
	assert_null(list.cert);
	free(many);
}

static void refusals_leave_no_openssl_errors(void **state)
{
	struct made m = expand(BEGIN_LINE "@H" END_LINE);
	struct cert_list list;
	ERR_clear_error();
	assert_int_equal(
		cert_pem_parse(m.data, m.n, "f", &list, NULL), -EINVAL);
	assert_int_equal(ERR_peek_error(), 0);
}

static void only_regular_files_are_read(void **state)
{
	char *folder = made_folder();
	struct cert_list list;
	struct diag d;
	made_pem(folder, "a.pem", cert);
	assert_int_equal(symlink("a.pem", made_path(folder, "link")), 0);
	assert_int_equal(mkfifo(made_path(folder, "fifo"), 0600), 0);
	assert_int_equal(symlink("gone", made_path(folder, "dangling")), 0);
	assert_int_equal(
		cert_pem_read(made_path(folder, "link"), &list, &d), 0);
	cert_list_deinit(&list);
	assert_int_equal(
		cert_pem_read(made_path(folder, "fifo"), &list, &d), -EINVAL);
	assert_non_null(strstr(d.text, "fifo: not a regular file"));
	assert_int_equal(cert_pem_read("/dev/zero", &list, &d), -EINVAL);
	assert_int_equal(cert_pem_read(folder, &list, &d), -EINVAL);
	assert_int_equal(
		cert_pem_read(made_path(folder, "dangling"), &list, &d),
		-ENOENT);
	assert_null(list.cert);
	made_folder_end(folder);
}

static void files_above_the_limit_are_not_read(void **state)
{
	char *folder = made_folder();
	struct cert_list list;
	struct diag d;
	char *big = malloc(CERT_FILE_MAX + 1);
	memset(big, '\n', CERT_FILE_MAX + 1);
	made_file(folder, "fits", big, CERT_FILE_MAX);
	made_file(folder, "big", big, CERT_FILE_MAX + 1);
	assert_int_equal(
		cert_pem_read(made_path(folder, "fits"), &list, &d), -EINVAL);
	assert_int_equal(
		cert_pem_read(made_path(folder, "big"), &list, &d), -E2BIG);
	assert_non_null(strstr(d.text, "big: longer than 1048576 bytes"));
	assert_int_equal(
		cert_pem_parse(big, CERT_FILE_MAX + 1, "f", &list, &d), -E2BIG);
	free(big);
	made_folder_end(folder);
}

static void what_is_written_is_read_again(void **state)
{
	char *folder = made_folder();
	X509 *two[] = {cert, cert};
	struct cert_list list;
	struct stat st;
	const char *path = made_path(folder, "two.pem");
	made_file(folder, "two.pem", "old", 3);
	assert_int_equal(cert_pem_write(path, two, 2, NULL), 0);
	assert_int_equal(cert_pem_read(path, &list, NULL), 0);
	assert_int_equal(list.n, 2);
	cert_list_deinit(&list);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(
		cert_pem_write(made_path(folder, "no/two.pem"), two, 2, NULL),
		-ENOENT);
	made_folder_end(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_malformed_file_has_its_own_reason),
		cmocka_unit_test(good_files_are_read_whole_with_their_lines),
		cmocka_unit_test(crlf_line_ends_are_read),
		cmocka_unit_test(every_cut_of_a_file_is_refused),
		cmocka_unit_test(private_key_in_der_is_named),
		cmocka_unit_test(more_certificates_than_the_limit_are_refused),
		cmocka_unit_test(refusals_leave_no_openssl_errors),
		cmocka_unit_test(only_regular_files_are_read),
		cmocka_unit_test(files_above_the_limit_are_not_read),
		cmocka_unit_test(what_is_written_is_read_again),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("pem", tests, make_one, free_one);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about loading a CallManager-trust folder. */
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
#include <openssl/pem.h>

#include "tests/certs/made.h"
#include "trust/snapshot.h"
#include "trust/waiver.h"

static X509 *ca;
static X509 *ca2;

static int begin(void **state)
{
	ca = made_ca("CAPF-00000001", 1);
	ca2 = made_ca("Some Manufacturing CA", 2);
	return 0;
}

static int end(void **state)
{
	X509_free(ca);
	X509_free(ca2);
	return 0;
}

static struct trust_snapshot *load_with(
	const char *folder, const struct trust_policy *policy)
{
	const struct trust_load load = {
		.dir = folder, .generation = 7, .policy = policy};
	struct trust_snapshot *s = NULL;
	struct diag d = {.text = ""};
	if (trust_snapshot_load(&load, &s, &d))
		fail_msg("%s", d.text);
	return s;
}

static struct trust_snapshot *load(const char *folder)
{
	return load_with(folder, NULL);
}

/* Loading it fails so, with this in the sentence. */
static void refuse(const char *folder, int error, const char *why)
{
	const struct trust_load load = {.dir = folder, .generation = 1};
	struct trust_snapshot *s = (struct trust_snapshot *)&s;
	struct diag d = {.text = ""};
	assert_int_equal(trust_snapshot_load(&load, &s, &d), error);
	assert_null(s);
	if (!strstr(d.text, why))
		fail_msg("\"%s\" lacks \"%s\"", d.text, why);
	assert_ptr_equal(strstr(d.text, folder), d.text);
}

static void one_bad_file_refuses_the_whole_set(void **state)
{
	char *folder = made_folder();
	made_pem(folder, "a.pem", ca);
	made_pem(folder, "c.pem", ca2);
	trust_snapshot_unref(load(folder));
	made_file(folder, "b.pem", "x", 1);
	refuse(folder, -EINVAL, "/b.pem: no certificate");
	made_folder_end(folder);
}

static void hidden_files_and_folders_do_not_count(void **state)
{
	char *folder = made_folder();
	size_t n = 0;
	made_pem(folder, "b.pem", ca);
	made_pem(folder, "a.pem", ca2);
	made_file(folder, ".hidden", "x", 1);
	assert_int_equal(mkdir(made_path(folder, "old"), 0700), 0);
	made_file(made_path(folder, "old"), "c.pem", "x", 1);
	assert_int_equal(
		symlink("old", made_path(folder, "link-to-folder")), 0);
	struct trust_snapshot *s = load(folder);
	const struct trust_anchor *anchor = trust_snapshot_anchors(s, &n);
	assert_int_equal(n, 2);
	assert_string_equal(anchor[0].file, "a.pem");
	assert_string_equal(anchor[1].file, "b.pem");
	assert_int_equal(anchor[0].line, 1);
	assert_int_equal(trust_snapshot_generation(s), 7);
	trust_snapshot_unref(s);
	made_folder_end(folder);
}

static void ca_in_two_files_is_one_anchor(void **state)
{
	char *folder = made_folder();
	size_t n = 0;
	made_pem(folder, "a.pem", ca);
	made_pem(folder, "b.pem", ca);
	struct trust_snapshot *s = load(folder);
	const struct trust_anchor *anchor = trust_snapshot_anchors(s, &n);
	assert_int_equal(n, 1);
	assert_string_equal(anchor[0].file, "a.pem");
	trust_snapshot_unref(s);
	made_folder_end(folder);
}

/* A line of text, ca2 and, unless NULL, that one. */
static void write_bundle(const char *path, X509 *more)
{
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fputs("text\n", f);
	assert_int_equal(PEM_write_X509(f, ca2), 1);
	if (more)
		assert_int_equal(PEM_write_X509(f, more), 1);
	fclose(f);
}

static void der_files_and_bundles_are_read(void **state)
{
	char *folder = made_folder();
	unsigned char *der = NULL;
	int n_der = i2d_X509(ca, &der);
	size_t n = 0;
	made_file(folder, "a.der", der, (size_t)n_der);
	write_bundle(made_path(folder, "bundle.pem"), NULL);
	struct trust_snapshot *s = load(folder);
	const struct trust_anchor *anchor = trust_snapshot_anchors(s, &n);
	assert_int_equal(n, 2);
	assert_int_equal(anchor[0].line, 0);
	assert_int_equal(anchor[1].line, 2);
	OPENSSL_free(der);
	trust_snapshot_unref(s);
	made_folder_end(folder);
}

static enum cert_kind kind_in(const char *folder, const char *name,
	enum cert_kind wish, const char *file)
{
	char owned[128];
	snprintf(owned, sizeof(owned), "%s", name);
	struct trust_anchor_policy row = {.name = owned, .kind = wish};
	struct trust_policy policy = {
		.auth_level = 2, .anchors = &row, .n_anchors = 1};
	struct trust_snapshot *s = load_with(folder, &policy);
	/* The snapshot keeps a policy of its own. */
	memset(owned, 'x', sizeof(owned));
	assert_string_equal(trust_snapshot_policy(s)->anchors[0].name, name);
	size_t n = 0;
	const struct trust_anchor *anchor = trust_snapshot_anchors(s, &n);
	enum cert_kind kind = CERT_KIND_UNKNOWN;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(anchor[i].file, file))
			kind = anchor[i].kind;
	trust_snapshot_unref(s);
	return kind;
}

static void kind_is_lsc_for_a_capf_and_mic_for_any_other(void **state)
{
	char *folder = made_folder();
	struct cert_identity id;
	cert_identity_read(ca2, &id);
	made_pem(folder, "capf.pem", ca);
	made_pem(folder, "mfg.pem", ca2);
	assert_int_equal(
		kind_in(folder, "x", CERT_KIND_LSC, "capf.pem"), CERT_KIND_LSC);
	assert_int_equal(
		kind_in(folder, "x", CERT_KIND_LSC, "mfg.pem"), CERT_KIND_MIC);
	assert_int_equal(kind_in(folder, "mfg.pem", CERT_KIND_LSC, "mfg.pem"),
		CERT_KIND_LSC);
	assert_int_equal(kind_in(folder, id.sha256, CERT_KIND_LSC, "mfg.pem"),
		CERT_KIND_LSC);
	assert_int_equal(kind_in(folder, "capf.pem", CERT_KIND_MIC, "capf.pem"),
		CERT_KIND_MIC);
	assert_int_equal(
		kind_in(folder, "capf.pem", CERT_KIND_UNKNOWN, "capf.pem"),
		CERT_KIND_LSC);
	made_folder_end(folder);
}

static void policy_counts_under_either_name_of_a_ca(void **state)
{
	char *folder = made_folder();
	made_pem(folder, "a.pem", ca2);
	made_pem(folder, "b.pem", ca2);
	assert_int_equal(kind_in(folder, "b.pem", CERT_KIND_LSC, "a.pem"),
		CERT_KIND_LSC);
	made_folder_end(folder);
}

static void allowances_of_all_names_of_a_ca_add_up(void **state)
{
	char *folder = made_folder();
	made_pem(folder, "a.pem", ca2);
	made_pem(folder, "b.pem", ca2);
	made_pem(folder, "c.pem", ca);
	const struct trust_anchor_policy rows[] = {
		{"a.pem", CERT_KIND_UNKNOWN, TRUST_WAIVER_SHA1},
		{"b.pem", CERT_KIND_UNKNOWN, TRUST_WAIVER_RSA1024},
		{"d.pem", CERT_KIND_UNKNOWN, TRUST_WAIVER_SHA1}};
	const struct trust_policy policy = {2, rows, 3};
	struct trust_snapshot *s = load_with(folder, &policy);
	size_t n;
	const struct trust_anchor *anchors = trust_snapshot_anchors(s, &n);
	assert_int_equal(n, 2);
	assert_int_equal(
		anchors[0].allows, TRUST_WAIVER_SHA1 | TRUST_WAIVER_RSA1024);
	assert_int_equal(anchors[1].allows, 0);
	trust_snapshot_unref(s);
	made_folder_end(folder);
}

static void fingerprint_is_of_the_set_not_of_its_files(void **state)
{
	char *one = made_folder(), *two = made_folder();
	made_pem(one, "a.pem", ca);
	made_pem(one, "b.pem", ca2);
	write_bundle(made_path(two, "bundle"), ca);
	struct trust_snapshot *a = load(one), *b = load(two);
	assert_int_equal(strlen(trust_snapshot_fingerprint(a)), 64);
	assert_string_equal(
		trust_snapshot_fingerprint(a), trust_snapshot_fingerprint(b));
	trust_snapshot_unref(b);
	write_bundle(made_path(two, "bundle"), NULL);
	b = load(two);
	assert_string_not_equal(
		trust_snapshot_fingerprint(a), trust_snapshot_fingerprint(b));
	trust_snapshot_unref(a);
	trust_snapshot_unref(b);
	made_folder_end(one);
	made_folder_end(two);
}

static void same_is_what_judges_the_same_under_the_same_names(void **state)
{
	static const struct trust_anchor_policy lsc = {
		.name = "a.pem", .kind = CERT_KIND_LSC};
	static const struct trust_policy policy = {
		.auth_level = 2, .anchors = &lsc, .n_anchors = 1};
	char *folder = made_folder();
	made_pem(folder, "a.pem", ca);
	struct trust_snapshot *first = load(folder), *again = load(folder);
	struct trust_snapshot *other = load_with(folder, &policy);
	assert_true(trust_snapshot_is_same(first, again));
	assert_false(trust_snapshot_is_same(first, other));
	trust_snapshot_unref(again);
	trust_snapshot_unref(other);
	made_pem(folder, "b.pem", ca2);
	again = load(folder);
	assert_false(trust_snapshot_is_same(first, again));
	trust_snapshot_unref(again);
	assert_int_equal(rename(made_path(folder, "a.pem"),
				 made_path(folder, "b.pem")),
		0);
	again = load(folder);
	assert_string_equal(trust_snapshot_fingerprint(first),
		trust_snapshot_fingerprint(again));
	assert_false(trust_snapshot_is_same(first, again));
	trust_snapshot_unref(again);
	trust_snapshot_unref(first);
	made_folder_end(folder);
}

static void anchors_are_found_by_fingerprint(void **state)
{
	char *folder = made_folder();
	struct cert_identity id;
	made_pem(folder, "a.pem", ca);
	struct trust_snapshot *s = load(folder);
	cert_identity_read(ca, &id);
	assert_string_equal(
		trust_snapshot_find(s, id.sha256_raw)->id.cn, "CAPF-00000001");
	id.sha256_raw[31] ^= 1;
	assert_null(trust_snapshot_find(s, id.sha256_raw));
	cert_identity_read(ca2, &id);
	assert_null(trust_snapshot_find(s, id.sha256_raw));
	trust_snapshot_unref(s);
	made_folder_end(folder);
}

static void snapshot_outlives_its_folder_and_its_maker(void **state)
{
	char *folder = made_folder();
	size_t n = 0;
	made_pem(folder, "a.pem", ca);
	struct trust_snapshot *s = load(folder);
	made_folder_end(folder);
	assert_ptr_equal(trust_snapshot_ref(s), s);
	trust_snapshot_unref(s);
	assert_string_equal(
		trust_snapshot_anchors(s, &n)[0].id.cn, "CAPF-00000001");
	trust_snapshot_unref(s);
	trust_snapshot_unref(NULL);
}

static void anchors_that_cannot_vouch_say_why(void **state)
{
	static const struct cert_attribute subject[] = {
		{"CN", "CAPF-00000009"}, {NULL, NULL}};
	static const struct {
		struct cert_extension extension;
		const char *key;
		const char *why;
	} rows[] = {
		{{"keyUsage", "keyCertSign"}, "rsa2048", ""},
		{{"extendedKeyUsage", "clientAuth"}, "rsa2048", ""},
		{{"keyUsage", "keyCertSign"}, "rsa1024",
			"its key, RSA-1024, is too short for auth level 2"},
		{{"keyUsage", "digitalSignature"}, "rsa2048",
			"its key usage does not let it issue TLS client "
			"certificates"},
		{{"extendedKeyUsage", "serverAuth"}, "rsa2048",
			"its key usage does not let it issue TLS client "
			"certificates"},
		{{"1.3.6.1.4.1.99999.1", "critical,DER:0500"}, "rsa2048",
			"it has a critical extension that we do not know"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct cert_extension extensions[] = {
			{"basicConstraints", "critical,CA:TRUE"},
			rows[i].extension, {NULL, NULL}};
		X509 *cert = made_cert((struct cert_order){.subject = subject,
			.extensions = extensions,
			.key = made_key(rows[i].key, 0)});
		char *folder = made_folder();
		size_t n = 0;
		made_pem(folder, "a.pem", cert);
		struct trust_snapshot *s = load(folder);
		const struct trust_anchor *a = trust_snapshot_anchors(s, &n);
		assert_string_equal(a->unusable_why, rows[i].why);
		assert_int_equal(a->usable, !rows[i].why[0]);
		trust_snapshot_unref(s);
		X509_free(cert);
		made_folder_end(folder);
	}
}

/* n files of 512 CAs each: one CA, but for its name. Nobody
 * checks the signature of an anchor. */
static void write_many(const char *folder, int n)
{
	const struct cert_attribute subject[] = {
		{"CN", "CA-00000"}, {NULL, NULL}};
	const struct cert_extension extensions[] = {
		{"basicConstraints", "critical,CA:TRUE"}, {NULL, NULL}};
	X509 *cert = made_cert((struct cert_order){.subject = subject,
		.extensions = extensions,
		.key = made_key("p256", 0)});
	unsigned char *der = NULL;
	size_t n_der = (size_t)i2d_X509(cert, &der);
	unsigned char *issuer = memmem(der, n_der, "CA-", 3);
	unsigned char *name = memmem(issuer + 3, 200, "CA-", 3);
	assert_non_null(name);
	for (int i = 0; i < n; i++) {
		char number[16];
		snprintf(number, sizeof(number), "f%d", i);
		FILE *f = fopen(made_path(folder, number), "we");
		for (int j = 0; j < 512; j++) {
			snprintf(number, sizeof(number), "%05d", i * 512 + j);
			memcpy(name + 3, number, 5);
			assert_int_equal(fwrite(der, 1, n_der, f), n_der);
		}
		fclose(f);
	}
	OPENSSL_free(der);
	X509_free(cert);
}

static void limit_of_anchors_is_4096(void **state)
{
	char *folder = made_folder();
	size_t n = 0;
	write_many(folder, 8);
	struct trust_snapshot *s = load(folder);
	trust_snapshot_anchors(s, &n);
	assert_int_equal(n, 4096);
	trust_snapshot_unref(s);
	made_pem(folder, "one-more", ca);
	refuse(folder, -E2BIG, ": more than 4096 certificates");
	made_folder_end(folder);
}

static void loading_leaves_no_openssl_errors(void **state)
{
	char *folder = made_folder();
	ERR_clear_error();
	made_pem(folder, "a.pem", ca);
	trust_snapshot_unref(load(folder));
	made_file(folder, "b.pem", "0\x82\x01", 3);
	refuse(folder, -EINVAL, "the file ends inside a certificate");
	assert_int_equal(ERR_peek_error(), 0);
	made_folder_end(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_bad_file_refuses_the_whole_set),
		cmocka_unit_test(hidden_files_and_folders_do_not_count),
		cmocka_unit_test(ca_in_two_files_is_one_anchor),
		cmocka_unit_test(der_files_and_bundles_are_read),
		cmocka_unit_test(kind_is_lsc_for_a_capf_and_mic_for_any_other),
		cmocka_unit_test(policy_counts_under_either_name_of_a_ca),
		cmocka_unit_test(allowances_of_all_names_of_a_ca_add_up),
		cmocka_unit_test(fingerprint_is_of_the_set_not_of_its_files),
		cmocka_unit_test(
			same_is_what_judges_the_same_under_the_same_names),
		cmocka_unit_test(anchors_are_found_by_fingerprint),
		cmocka_unit_test(snapshot_outlives_its_folder_and_its_maker),
		cmocka_unit_test(anchors_that_cannot_vouch_say_why),
		cmocka_unit_test(limit_of_anchors_is_4096),
		cmocka_unit_test(loading_leaves_no_openssl_errors),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("snapshot", tests, begin, end);
}

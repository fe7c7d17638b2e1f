/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about who CAPF believes a phone to be, and what it says else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "certs/lsc.h"
#include "certs/proof.h"
#include "registrar/capf/authenticate.h"
#include "registrar/capf/secret.h"
#include "tests/certs/made.h"

enum { DAY_S = 86400, SESSION = 4711 };

static const char sep1[] = "SEP000000000001";

static char *folder;
static struct config *config;
static struct trust_snapshot *trust;
static X509 *root, *other_root, *mic_ca, *lsc, *mic;
static EVP_PKEY *root_key, *other_key;
static struct diag d;
static char detail[CAPF_DETAIL_MAX + 1];

static struct trust_snapshot *load(void)
{
	struct trust_snapshot *s;
	const struct trust_load what = {.dir = folder, .explicit_order = true};
	if (trust_snapshot_load(&what, &s, &d) < 0)
		fail_msg("%s", d.text);
	return s;
}

static void make_root(X509 **cert, EVP_PKEY **key)
{
	const struct cert_organisation of = {.organisation = "Lab"};
	if (cert_capf_make(&of, "p256", MADE_NOW - DAY_S, 1825, cert, key, &d) <
		0)
		fail_msg("%s", d.text);
}

static X509 *issue_lsc(const char *device, X509 *issuer, EVP_PKEY *issuer_key,
	time_t from, time_t to)
{
	char serial[33];
	X509 *cert;
	cert_serial_make(serial);
	const struct cert_lsc order = {
		.device = device,
		.key = made_key("rsa2048", 0),
		.issuer = issuer,
		.issuer_key = issuer_key,
		.serial = serial,
		.not_before = from,
		.not_after = to,
	};
	if (cert_lsc_make(&order, &cert, &d) < 0)
		fail_msg("%s", d.text);
	return cert;
}

static X509 *good_lsc(const char *device)
{
	return issue_lsc(device, root, root_key, MADE_NOW - DAY_S,
		MADE_NOW + 100 * DAY_S);
}

static int begin(void **state)
{
	folder = made_folder();
	make_root(&root, &root_key);
	make_root(&other_root, &other_key);
	mic_ca = made_ca("Cisco Manufacturing CA", 9);
	made_pem(folder, "root.pem", root);
	made_pem(folder, "mic.pem", mic_ca);
	trust = load();
	lsc = good_lsc(sep1);
	mic = made_leaf("CP-8861-SEP000000000001", mic_ca, 9);
	return config_load(NULL, folder, &config, &d);
}

static int end(void **state)
{
	X509 *const certs[] = {root, other_root, mic_ca, lsc, mic};
	for (size_t i = 0; i < sizeof(certs) / sizeof(certs[0]); i++)
		X509_free(certs[i]);
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(other_key);
	trust_snapshot_unref(trust);
	config_free(config);
	made_folder_end(folder);
	return 0;
}

/* ---- by string ---- */

static struct capf_operation operation(enum capf_mode mode)
{
	return (struct capf_operation){
		.kind = CAPF_INSTALL,
		.mode = mode,
		.state = CAPF_STATE_PENDING,
		.string_until = MADE_NOW + DAY_S,
		.null_until = MADE_NOW + DAY_S,
	};
}

static enum capf_why try_string(struct capf_operation *o, const char *password)
{
	const struct capf_server_event e = {
		.device = sep1, .version = 3, .password = password};
	const struct capf_examination x = {
		.config = config, .said = &e, .now = MADE_NOW};
	return capf_authenticate(&x, o, detail);
}

static void strings_are_digits_and_differ(void **state)
{
	char one[CAPF_SECRET_MAX + 1], other[CAPF_SECRET_MAX + 1];
	unsigned seen[10] = {0};
	for (unsigned n = CAPF_SECRET_MIN; n <= CAPF_SECRET_MAX; n++) {
		capf_secret_make(one, n);
		assert_int_equal(strspn(one, "0123456789"), n);
		assert_int_equal(strlen(one), n);
	}
	capf_secret_make(other, CAPF_SECRET_MAX);
	assert_string_not_equal(one, other);
	for (int i = 0; i < 2000; i++) {
		capf_secret_make(one, CAPF_SECRET_MAX);
		for (int k = 0; k < CAPF_SECRET_MAX; k++)
			seen[one[k] - '0']++;
	}
	for (int i = 0; i < 10; i++) /* 2000 each, 7 sigma */
		assert_in_range(seen[i], 1700, 2300);
}

static void a_string_is_kept_as_what_does_not_say_it(void **state)
{
	struct capf_operation a = operation(CAPF_MODE_STRING), b = a;
	assert_false(capf_secret_is_set(&a));
	capf_secret_hash("123456", a.salt, a.hash);
	capf_secret_hash("123456", b.salt, b.hash);
	assert_memory_not_equal(a.salt, b.salt, CAPF_SALT);
	assert_memory_not_equal(a.hash, b.hash, CAPF_HASH);
	assert_true(capf_secret_is(&a, "123456"));
	assert_false(capf_secret_is(&a, "123457"));
	assert_false(capf_secret_is(&a, "12345"));
	capf_secret_void(&a);
	assert_false(capf_secret_is_set(&a));
	assert_false(capf_secret_is(&a, "123456"));
}

static void strings_are_told_apart(void **state)
{
	struct capf_operation o = operation(CAPF_MODE_STRING);
	capf_secret_hash("123456", o.salt, o.hash);
	assert_int_equal(try_string(&o, NULL), CAPF_WHY_NO_STRING);
	assert_int_equal(try_string(&o, ""), CAPF_WHY_NO_STRING);
	assert_int_equal(o.wrong_strings, 0);
	assert_int_equal(try_string(&o, "654321"), CAPF_WHY_WRONG_STRING);
	assert_null(strstr(detail, "654321"));
	assert_null(strstr(detail, "123456"));
	assert_int_equal(try_string(&o, "123456"), CAPF_WHY_NOTHING);
	assert_int_equal(try_string(&o, "1"), CAPF_WHY_WRONG_STRING);
	assert_int_equal(o.state, CAPF_STATE_PENDING);
	assert_int_equal(try_string(&o, "1"), CAPF_WHY_STRING_LOCKED);
	assert_int_equal(o.state, CAPF_STATE_FAILED);
	assert_int_equal(try_string(&o, "123456"), CAPF_WHY_STRING_LOCKED);
	assert_non_null(strstr(detail, "order it again"));
}

static void a_string_of_yesterday_is_none(void **state)
{
	struct capf_operation o = operation(CAPF_MODE_STRING);
	capf_secret_hash("123456", o.salt, o.hash);
	o.string_until = MADE_NOW;
	assert_int_equal(try_string(&o, "123456"), CAPF_WHY_STRING_EXPIRED);
	assert_non_null(strstr(detail, "2026-09-21T"));
}

static void a_null_string_ends_in_time(void **state)
{
	struct capf_operation o = operation(CAPF_MODE_NULL_STRING);
	assert_int_equal(try_string(&o, NULL), CAPF_WHY_NOTHING);
	o.null_until = MADE_NOW;
	assert_int_equal(try_string(&o, NULL), CAPF_WHY_NULL_ENDED);
}

static void a_clock_that_was_ahead_opens_nothing_for_years(void **state)
{
	struct capf_operation o = operation(CAPF_MODE_NULL_STRING);
	o.null_until = MADE_NOW + DAY_S + CAPF_BACKDATED_S + 1;
	assert_int_equal(try_string(&o, NULL), CAPF_WHY_NULL_ENDED);
	assert_non_null(strstr(detail, "clock was wrong"));
	o = operation(CAPF_MODE_STRING);
	capf_secret_hash("123456", o.salt, o.hash);
	o.string_until = MADE_NOW + 30 * DAY_S + CAPF_BACKDATED_S;
	assert_int_equal(try_string(&o, "123456"), CAPF_WHY_NOTHING);
	o.string_until++;
	assert_int_equal(try_string(&o, "123456"), CAPF_WHY_STRING_EXPIRED);
	assert_non_null(strstr(detail, "clock was wrong"));
}

/* ---- by certificate ---- */

/* A phone that comes with a certificate, and what is wrong with it. */
struct coming {
	const char *device;
	X509 *cert;
	X509 *sudi;
	enum capf_mode mode;
	struct capf_known known;
	bool flip_proof, flip_sudi, no_trust;
	uint32_t session;
	time_t now;
};

static struct capf_bytes bytes(const void *p, size_t n)
{
	return (struct capf_bytes){p, n};
}

static enum capf_why come(struct coming c)
{
	struct cert_proof_made made = {.sha1 = NULL};
	struct capf_operation o = operation(c.mode ? c.mode : CAPF_MODE_LSC);
	const char *device = c.device ? c.device : sep1;
	EVP_PKEY *key = made_key("rsa2048", 0);
	unsigned char *der = NULL;
	int n = i2d_X509(c.cert, &der);
	if (cert_proof_make(device, c.session ? c.session : SESSION, c.cert,
		    key, c.sudi, c.sudi ? key : NULL, &made, &d) < 0)
		fail_msg("%s", d.text);
	if (c.flip_proof)
		made.sha2[made.sha2_n - 1] ^= 1;
	if (c.flip_sudi)
		made.sudi[made.sudi_n - 1] ^= 1;
	const struct capf_server_event e = {
		.device = device,
		.version = 3,
		.certs = {{CAPF_CERT_LSC, bytes(der, (size_t)n)}},
		.n_certs = 1,
		.signed_data = bytes(made.sha1, made.sha1_n),
		.sha2_signed_data = bytes(made.sha2, made.sha2_n),
		.sudi_data = bytes(made.sudi, made.sudi_n),
	};
	const struct capf_examination x = {
		.config = config,
		.trust = c.no_trust ? NULL : trust,
		.said = &e,
		.session = SESSION,
		.now = c.now ? c.now : MADE_NOW,
		.known = c.known,
	};
	enum capf_why why = capf_authenticate(&x, &o, detail);
	assert_int_equal(o.state, CAPF_STATE_PENDING);
	cert_proof_made_deinit(&made);
	OPENSSL_free(der);
	return why;
}

static void says(const char *what)
{
	if (!strstr(detail, what))
		fail_msg("\"%s\" is not in: %s", what, detail);
}

static void lsc_and_mic_let_in(void **state)
{
	assert_int_equal(come((struct coming){.cert = lsc}), 0);
	says("by its LSC");
	says("CN=SEP000000000001");
	assert_int_equal(
		come((struct coming){.cert = mic, .mode = CAPF_MODE_MIC}), 0);
	says("by its MIC");
	assert_int_equal(come((struct coming){.cert = lsc, .sudi = mic}), 0);
	assert_int_equal(
		come((struct coming){.cert = lsc, .device = "sep000000000001"}),
		0);
}

static void without_a_certificate_nobody_proves_anything(void **state)
{
	struct capf_operation o = operation(CAPF_MODE_LSC);
	const struct capf_server_event e = {.device = sep1, .version = 3};
	const struct capf_examination x = {
		.config = config, .trust = trust, .said = &e, .now = MADE_NOW};
	assert_int_equal(capf_authenticate(&x, &o, detail), CAPF_WHY_NO_PROOF);
	says("no-certificate");
	says("null or authentication string");
}

static void a_proof_with_a_wrong_bit_is_refused(void **state)
{
	assert_int_equal(come((struct coming){.cert = lsc, .flip_proof = true}),
		CAPF_WHY_BAD_PROOF);
	says("bad-sha512-proof");
	says("CN=SEP000000000001");
}

static void another_device_s_certificate_is_refused(void **state)
{
	X509 *other = good_lsc("SEP000000000002");
	assert_int_equal(
		come((struct coming){.cert = other}), CAPF_WHY_OTHER_DEVICE);
	says("SEP000000000001");
	says("SEP000000000002");
	X509_free(other);
}

static void a_ca_that_is_missing_is_named(void **state)
{
	X509 *strange = issue_lsc(sep1, other_root, other_key, MADE_NOW - DAY_S,
		MADE_NOW + DAY_S);
	struct cert_identity id;
	assert_int_equal(cert_identity_read(strange, &id), 0);
	assert_int_equal(
		come((struct coming){.cert = strange}), CAPF_WHY_NOT_TRUSTED);
	says("unknown-ca");
	says(id.issuer_cn);
	says("add that CA's file to CAPF-trust");
	says(id.serial);
	X509_free(strange);
}

static void an_expired_lsc_is_refused(void **state)
{
	assert_int_equal(come((struct coming){
				 .cert = lsc, .now = MADE_NOW + 101 * DAY_S}),
		CAPF_WHY_NOT_TRUSTED);
	says("expired");
	says("null or authentication string");
}

static void a_forged_certificate_is_refused(void **state)
{
	X509 *broken = made_broken(lsc);
	assert_int_equal(
		come((struct coming){.cert = broken}), CAPF_WHY_NOT_TRUSTED);
	says("bad-signature");
	X509_free(broken);
}

static void without_capf_trust_nobody_is_believed(void **state)
{
	assert_int_equal(come((struct coming){.cert = lsc, .no_trust = true}),
		CAPF_WHY_NO_TRUST);
	says("trust.capf");
}

/* Specs capf 6: the other one only when the phone has not the first. */
static void precedence_is_kept(void **state)
{
	const struct capf_known has_lsc = {
		.lsc = true, .how = "4711 of CAPF-1"};
	const struct capf_known has_mic = {.mic = true};
	assert_int_equal(come((struct coming){.cert = mic}), 0);
	assert_int_equal(come((struct coming){.cert = mic, .known = has_lsc}),
		CAPF_WHY_PRECEDENCE);
	says("4711 of CAPF-1");
	says("mode mic, null or string");
	assert_int_equal(
		come((struct coming){.cert = lsc, .mode = CAPF_MODE_MIC}), 0);
	assert_int_equal(
		come((struct coming){
			.cert = lsc, .mode = CAPF_MODE_MIC, .known = has_mic}),
		CAPF_WHY_PRECEDENCE);
	says("mode lsc");
	assert_int_equal(
		come((struct coming){
			.cert = mic, .mode = CAPF_MODE_MIC, .known = has_lsc}),
		0);
}

static void sudi_data_that_came_must_hold(void **state)
{
	X509 *sudi = made_leaf("C9300-24U", mic_ca, 9);
	X509 *other = made_leaf("CP-8861-SEP000000000002", mic_ca, 9);
	X509 *strange = issue_lsc(sep1, other_root, other_key, MADE_NOW - DAY_S,
		MADE_NOW + DAY_S);
	assert_int_equal(come((struct coming){.cert = lsc, .sudi = sudi}), 0);
	assert_int_equal(come((struct coming){
				 .cert = lsc, .sudi = sudi, .flip_sudi = true}),
		CAPF_WHY_BAD_SUDI);
	/* It was made for another session: somebody replays it. */
	assert_int_equal(
		come((struct coming){
			.cert = lsc, .sudi = sudi, .session = SESSION + 1}),
		CAPF_WHY_BAD_SUDI);
	assert_int_equal(come((struct coming){.cert = lsc, .sudi = other}),
		CAPF_WHY_BAD_SUDI);
	says("SEP000000000002");
	assert_int_equal(come((struct coming){.cert = lsc, .sudi = strange}),
		CAPF_WHY_BAD_SUDI);
	says("unknown-ca");
	X509_free(sudi);
	X509_free(other);
	X509_free(strange);
}

/* Of several certificates the one counts that the proof is of. */
static void several_certificates_may_come(void **state)
{
	struct cert_proof_made made;
	struct capf_operation o = operation(CAPF_MODE_LSC);
	unsigned char *der[2] = {NULL, NULL};
	size_t n[2];
	n[0] = (size_t)i2d_X509(mic, &der[0]);
	n[1] = (size_t)i2d_X509(lsc, &der[1]);
	assert_int_equal(cert_proof_make(sep1, SESSION, lsc,
				 made_key("rsa2048", 0), NULL, NULL, &made, &d),
		0);
	const struct capf_server_event e = {
		.device = sep1,
		.version = 3,
		.certs = {{CAPF_CERT_MIC, bytes(der[0], n[0])},
			{CAPF_CERT_LSC, bytes(der[1], n[1])}},
		.n_certs = 2,
		.signed_data = bytes(made.sha1, made.sha1_n),
		.sha2_signed_data = bytes(made.sha2, made.sha2_n),
	};
	const struct capf_examination x = {
		.config = config,
		.trust = trust,
		.said = &e,
		.session = SESSION,
		.now = MADE_NOW,
		.known = {.lsc = true},
	};
	assert_int_equal(capf_authenticate(&x, &o, detail), 0);
	says("by its LSC");
	cert_proof_made_deinit(&made);
	OPENSSL_free(der[0]);
	OPENSSL_free(der[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_are_digits_and_differ),
		cmocka_unit_test(a_string_is_kept_as_what_does_not_say_it),
		cmocka_unit_test(strings_are_told_apart),
		cmocka_unit_test(a_string_of_yesterday_is_none),
		cmocka_unit_test(a_null_string_ends_in_time),
		cmocka_unit_test(
			a_clock_that_was_ahead_opens_nothing_for_years),
		cmocka_unit_test(lsc_and_mic_let_in),
		cmocka_unit_test(without_a_certificate_nobody_proves_anything),
		cmocka_unit_test(a_proof_with_a_wrong_bit_is_refused),
		cmocka_unit_test(another_device_s_certificate_is_refused),
		cmocka_unit_test(a_ca_that_is_missing_is_named),
		cmocka_unit_test(an_expired_lsc_is_refused),
		cmocka_unit_test(a_forged_certificate_is_refused),
		cmocka_unit_test(without_capf_trust_nobody_is_believed),
		cmocka_unit_test(precedence_is_kept),
		cmocka_unit_test(sudi_data_that_came_must_hold),
		cmocka_unit_test(several_certificates_may_come),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name(
		"capf authenticate", tests, begin, end);
}

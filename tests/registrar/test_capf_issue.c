/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about issuing: which key is wanted, what is signed, what is not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/rsa.h>

#include "registrar/capf/desk_inside.h"
#include "tests/registrar/office.h"

enum { DAY_S = 86400, RSA_ONLY = 0, EC_ONLY, EC_PREFERRED };

static const char sep1[] = "SEP000000000001";

static struct diag d;

#define ANSWERS(a, text)                                          \
	do {                                                      \
		struct capf_answer answer_ = (a);                 \
		assert_string_equal(office_text(&answer_), text); \
	} while (0)

/* ---- which key is wanted ---- */

static const char *wish(
	const struct config *c, uint8_t order, uint16_t rsa, unsigned version)
{
	static char text[CAPF_DETAIL_MAX + 64];
	char detail[CAPF_DETAIL_MAX + 1];
	struct capf_key_wish w;
	const struct security_profile p = {.name = "p",
		.key_order = order,
		.rsa_bits = rsa,
		.ec_bits = 384};
	enum capf_why why = capf_issue_wish(c, &p, version, &w, detail);
	if (why)
		snprintf(text, sizeof(text), "%s: %s", capf_why_name(why),
			detail);
	else
		snprintf(text, sizeof(text), "%s-%u",
			w.type == CAPF_KEY_EC ? "EC" : "RSA", w.bits);
	return text;
}

static void the_profile_s_key_order_is_kept(void **state)
{
	struct config *c = office.config;
	assert_string_equal(wish(c, RSA_ONLY, 2048, 2), "RSA-2048");
	assert_string_equal(wish(c, RSA_ONLY, 4096, 3), "RSA-4096");
	assert_string_equal(wish(c, EC_ONLY, 2048, 3), "EC-384");
	assert_string_equal(wish(c, EC_PREFERRED, 2048, 3), "EC-384");
	assert_string_equal(wish(c, EC_PREFERRED, 2048, 2), "RSA-2048");
	assert_memory_equal(wish(c, EC_ONLY, 2048, 2), "no-ec: ", 7);
}

static void weak_keys_need_a_permission_of_their_own(void **state)
{
	struct config *c = office.config;
	assert_non_null(strstr(
		wish(c, RSA_ONLY, 512, 3), "key-unfit: profile p wants"));
	assert_non_null(
		strstr(wish(c, RSA_ONLY, 1024, 3), "set capf.allow_rsa1024"));
	c->capf_allow_rsa1024 = true;
	assert_string_equal(wish(c, RSA_ONLY, 1024, 3), "RSA-1024");
	assert_non_null(
		strstr(wish(c, RSA_ONLY, 512, 3), "set capf.allow_rsa512"));
	c->capf_allow_rsa512 = true;
	assert_string_equal(wish(c, RSA_ONLY, 512, 2), "RSA-512");
}

/* ---- what is signed ---- */

static struct capf_visit *come(const char *profile)
{
	struct capf_visit *v = office_visit();
	office_add(sep1, profile);
	office_order(sep1, CAPF_INSTALL, CAPF_MODE_NULL_STRING);
	assert_int_equal(
		office_auth(v, sep1, 3, NULL).what, CAPF_ANSWER_GENERATE);
	return v;
}

static struct capf_issued line_of(const char *serial)
{
	struct capf_issued i;
	assert_int_equal(
		capf_store_issued(capf_desk_look(office.desk), serial, &i, &d),
		0);
	capf_desk_looked(office.desk);
	return i;
}

static void an_lsc_is_what_the_ledger_says(void **state)
{
	struct cert_identity id;
	office.config->capf_validity_days = 30;
	office_start();
	struct capf_roots *roots = capf_authority_roots(office.authority);
	struct capf_visit *v = come("ec");
	struct capf_answer a = office_key(v, made_key("p256", 1));
	const unsigned char *der = a.der;
	X509 *cert = d2i_X509(NULL, &der, (long)a.n);
	assert_int_equal(cert_identity_read(cert, &id), 0);
	assert_int_equal(X509_verify(cert, roots->signing.key), 1);
	assert_int_equal(
		EVP_PKEY_eq(X509_get0_pubkey(cert), made_key("p256", 1)), 1);
	struct capf_issued i = line_of(id.serial);
	assert_int_equal(strlen(i.serial), 32);
	assert_string_equal(i.device, sep1);
	assert_memory_equal(i.sha256, id.sha256_raw, 32);
	assert_memory_equal(i.issuer, roots->signing.id.sha256_raw, 32);
	assert_string_equal(i.issuer_cn, roots->signing.name);
	assert_string_equal(i.key, "P-256");
	assert_string_equal(i.origin, "admin");
	assert_int_equal(i.issued_at, MADE_NOW);
	assert_int_equal(i.not_before, id.not_before);
	assert_in_range(i.not_before, MADE_NOW - 3600, MADE_NOW);
	assert_int_equal(i.not_after, MADE_NOW + 30 * DAY_S);
	assert_int_equal(id.not_after, i.not_after);
	X509_free(cert);
	office_leave(v, NULL);
	capf_roots_unref(roots);
}

static void serial_numbers_differ(void **state)
{
	char serial[CERT_SERIAL_MAX + 1];
	office_start();
	office_add(sep1, "ec");
	strcpy(serial, office_install(sep1, 1));
	/* The same key, installed before: that is a new LSC. */
	assert_string_not_equal(office_install(sep1, 1), serial);
}

/* ---- what is not ---- */

static void refuses_key(const char *profile, EVP_PKEY *key, const char *rule)
{
	struct capf_visit *v = come(profile);
	struct capf_answer a = office_key(v, key);
	assert_string_equal(office_text(&a), "END 7 key-unfit");
	if (!strstr(a.detail, rule))
		fail_msg("%s", a.detail);
	office_leave(v, NULL);
	assert_string_equal(office_state(sep1), "pending key-unfit");
	assert_string_equal(office_ledger(sep1), "");
}

static EVP_PKEY *rsa_with_exponent(BN_ULONG e)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
	EVP_PKEY *key = NULL;
	BIGNUM *exponent = BN_new();
	BN_set_word(exponent, e);
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048);
	EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, exponent);
	assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
	BN_free(exponent);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static void another_key_than_asked_for_is_refused(void **state)
{
	office_start();
	refuses_key("ec", made_key("rsa2048", 0), "wrong-key-type");
	refuses_key("ec", made_key("p384", 0), "wrong-key-size");
	refuses_key("encrypted", made_key("p256", 0), "wrong-key-type");
	refuses_key("encrypted", made_key("rsa1024", 0), "wrong-key-size");
}

static void exponent_3_needs_a_permission(void **state)
{
	EVP_PKEY *key = rsa_with_exponent(3);
	office_start();
	refuses_key("encrypted", key, "bad-exponent");
	office.config->capf_allow_exponent_3 = true;
	struct capf_visit *v = come("encrypted");
	ANSWERS(office_key(v, key), "STORE");
	office_leave(v, NULL);
	EVP_PKEY_free(key);
}

static void garbage_is_no_key(void **state)
{
	static const uint8_t junk[] = {0x30, 0x03, 0x02, 0x01, 0x00};
	office_start();
	struct capf_visit *v = come("ec");
	ANSWERS(office_tell(
			v, &(struct capf_server_event){.type = CAPF_SERVER_KEY,
				   .public_key = {junk, sizeof(junk)},
				   .reason = -1}),
		"END 7 key-unfit");
	office_leave(v, NULL);
}

static void a_clock_that_went_back_meanwhile_signs_nothing(void **state)
{
	office_start();
	office_add("SEP000000000002", "ec");
	office_install("SEP000000000002", 2);
	struct capf_visit *v = come("ec");
	office.now -= CAPF_BACKDATED_S + 1;
	ANSWERS(office_key(v, made_key("p256", 1)), "END 7 clock");
	office_leave(v, NULL);
	office.now += CAPF_BACKDATED_S + 1;
	assert_string_equal(office_ledger(sep1), "");
}

/* NTP steps by seconds, and by minutes after a long sleep. */
static void a_clock_that_went_back_a_little_signs_what_is_good_now(void **state)
{
	office_start();
	office_add("SEP000000000002", "ec");
	office_install("SEP000000000002", 2);
	struct capf_visit *v = come("ec");
	office.now -= CAPF_BACKDATED_S;
	ANSWERS(office_key(v, made_key("p256", 1)), "STORE");
	struct capf_issued i = line_of(office_operation(sep1).serial);
	assert_true(i.not_before <= office.now);
	office_leave(v, "phone-gone");
	/* It is no thread to pull at: the newest of all counts. */
	v = come("ec");
	office.now -= 1;
	ANSWERS(office_key(v, made_key("p256", 1)), "END 7 clock");
	office_leave(v, NULL);
	office_restart();
	ANSWERS(office_auth(v = office_visit(), sep1, 3, NULL), "END 7 clock");
	office_leave(v, NULL);
}

static void an_lsc_of_a_clock_that_was_ahead_is_not_delivered_again(
	void **state)
{
	char serial[CERT_SERIAL_MAX + 1];
	office_start();
	struct capf_visit *v = come("ec");
	office.now += 100 * DAY_S;
	ANSWERS(office_key(v, made_key("p256", 1)), "STORE");
	strcpy(serial, office_operation(sep1).serial);
	office_leave(v, "phone-gone");
	office.now -= 100 * DAY_S;
	assert_int_equal(capf_desk_accept_clock(office.desk, &d), 0);
	v = come("ec");
	ANSWERS(office_key(v, made_key("p256", 1)), "STORE");
	assert_string_not_equal(office_operation(sep1).serial, serial);
	assert_true(line_of(office_operation(sep1).serial).not_before <=
		    office.now);
	office_leave(v, NULL);
}

/* ---- a new root ---- */

static void what_the_old_root_signed_is_not_delivered_again(void **state)
{
	char serial[CERT_SERIAL_MAX + 1];
	office_start();
	struct capf_visit *v = come("ec");
	ANSWERS(office_key(v, made_key("p256", 1)), "STORE");
	strcpy(serial, office_operation(sep1).serial);
	office_leave(v, "phone-gone");
	assert_int_equal(
		capf_authority_prepare(office.authority, MADE_NOW, &d), 0);
	assert_int_equal(capf_authority_promote(office.authority, &d), 0);
	office_trust();
	struct capf_roots *roots = capf_authority_roots(office.authority);
	v = office_visit();
	office_auth(v, sep1, 3, NULL);
	ANSWERS(office_key(v, made_key("p256", 1)), "STORE");
	struct capf_issued i = line_of(office_operation(sep1).serial);
	assert_string_not_equal(i.serial, serial);
	assert_string_equal(i.issuer_cn, roots->signing.name);
	office_leave(v, NULL);
	capf_roots_unref(roots);
}

static void an_expired_stale_lsc_is_not_delivered_again(void **state)
{
	char serial[CERT_SERIAL_MAX + 1];
	office.config->capf_validity_days = 1;
	office_start();
	struct capf_visit *v = come("ec");
	ANSWERS(office_key(v, made_key("p256", 1)), "STORE");
	strcpy(serial, office_operation(sep1).serial);
	office_leave(v, "phone-gone");
	office.now += 2 * DAY_S;
	v = come("ec");
	ANSWERS(office_key(v, made_key("p256", 1)), "STORE");
	assert_string_not_equal(office_operation(sep1).serial, serial);
	office_leave(v, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define FACT(f) \
	cmocka_unit_test_setup_teardown(f, office_set_up, office_tear_down)
		FACT(the_profile_s_key_order_is_kept),
		FACT(weak_keys_need_a_permission_of_their_own),
		FACT(an_lsc_is_what_the_ledger_says),
		FACT(serial_numbers_differ),
		FACT(another_key_than_asked_for_is_refused),
		FACT(exponent_3_needs_a_permission),
		FACT(garbage_is_no_key),
		FACT(a_clock_that_went_back_meanwhile_signs_nothing),
		FACT(a_clock_that_went_back_a_little_signs_what_is_good_now),
		FACT(an_lsc_of_a_clock_that_was_ahead_is_not_delivered_again),
		FACT(what_the_old_root_signed_is_not_delivered_again),
		FACT(an_expired_stale_lsc_is_not_delivered_again),
#undef FACT
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name(
		"capf issue", tests, NULL, office_end);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about LSCs of our own making, as trust judges them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "certs/lsc.h"
#include "tests/certs/made.h"
#include "trust/form.h"
#include "trust/verify.h"

enum { DAY = 86400 };

static const struct cert_organisation CLUSTER = {
	.country = "NL", .organisation = "Test", .unit = "Telephony"};

static struct trust_snapshot *believe(X509 *root)
{
	char *folder = made_folder();
	struct trust_snapshot *snapshot = NULL;
	struct diag d = {.text = ""};
	made_pem(folder, "root.pem", root);
	if (trust_snapshot_load(
		    &(struct trust_load){
			    .dir = folder, .generation = 1, .now = MADE_NOW},
		    &snapshot, &d))
		fail_msg("%s", d.text);
	made_folder_end(folder);
	return snapshot;
}

static X509 *issue(X509 *root, EVP_PKEY *key, const char *kind)
{
	char serial[33];
	struct diag d = {.text = ""};
	X509 *lsc = NULL;
	cert_serial_make(serial);
	const struct cert_lsc order = {
		.device = "SEP001122334455",
		.key = made_key(kind, 0),
		.issuer = root,
		.issuer_key = key,
		.serial = serial,
		.not_before = MADE_NOW - 3600,
		.not_after = MADE_NOW + (time_t)CERT_LSC_DAYS_MAX * DAY,
	};
	if (cert_lsc_make(&order, &lsc, &d))
		fail_msg("%s", d.text);
	return lsc;
}

static void assert_good(
	const struct trust_snapshot *snapshot, X509 *root, EVP_PKEY *key)
{
	static const char *const phones[] = {
		"rsa2048", "rsa3072", "rsa4096", "p256", "p384", "p521"};
	for (size_t i = 0; i < sizeof(phones) / sizeof(phones[0]); i++) {
		X509 *lsc = issue(root, key, phones[i]);
		assert_null(trust_form_leaf(lsc));
		for (int purpose = TRUST_REGISTER; purpose <= TRUST_ENROL;
			purpose++) {
			struct trust_result r;
			trust_verify_for(
				purpose, snapshot, lsc, NULL, MADE_NOW, &r);
			if (r.verdict != TRUST_OK)
				fail_msg("%s", r.why);
			assert_int_equal(r.kind, CERT_KIND_LSC);
		}
		X509_free(lsc);
	}
}

static void lscs_of_our_roots_register_and_enrol(void **state)
{
	static const char *const roots[] = {
		"rsa2048", "rsa3072", "rsa4096", "p256", "p384"};
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		X509 *root = NULL;
		EVP_PKEY *key = NULL;
		assert_int_equal(cert_capf_make(&CLUSTER, roots[i], MADE_NOW,
					 CERT_CAPF_DAYS, &root, &key, NULL),
			0);
		assert_null(trust_form_ca(root));
		struct trust_snapshot *snapshot = believe(root);
		assert_good(snapshot, root, key);
		trust_snapshot_unref(snapshot);
		X509_free(root);
		EVP_PKEY_free(key);
	}
}

static void they_end_when_their_dates_say(void **state)
{
	X509 *root = NULL;
	EVP_PKEY *key = NULL;
	assert_int_equal(cert_capf_make(&CLUSTER, "p256", MADE_NOW, 30, &root,
				 &key, NULL),
		0);
	struct trust_snapshot *snapshot = believe(root);
	X509 *lsc = issue(root, key, "p256");
	struct trust_result r;
	trust_verify(snapshot, lsc, NULL, MADE_NOW + 30 * DAY - 1, &r);
	assert_int_equal(r.verdict, TRUST_OK);
	trust_verify(snapshot, lsc, NULL, MADE_NOW + 30 * DAY, &r);
	assert_int_not_equal(r.verdict, TRUST_OK);
	trust_verify(snapshot, lsc, NULL, MADE_NOW - 3601, &r);
	assert_int_equal(r.verdict, TRUST_NOT_YET_VALID);
	X509_free(lsc);
	trust_snapshot_unref(snapshot);
	X509_free(root);
	EVP_PKEY_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lscs_of_our_roots_register_and_enrol),
		cmocka_unit_test(they_end_when_their_dates_say),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("issued", tests, NULL, NULL);
}

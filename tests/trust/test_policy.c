/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about what the configuration may say of one anchor. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/certs/made.h"
#include "trust/verify.h"

enum { DAY = 86400 };

static X509 *ca, *other;

static int begin(void **state)
{
	ca = made_ca("CAPF-00000001", 1);
	other = made_ca("CAPF-00000002", 2);
	return 0;
}

static int end(void **state)
{
	X509_free(ca);
	X509_free(other);
	return 0;
}

static struct trust_snapshot *load(const char *folder,
	const struct trust_anchor_policy *rows, size_t n, const char *rule)
{
	const struct trust_policy policy = {2, rows, n};
	const struct trust_load what = {.dir = folder, .policy = &policy};
	struct trust_snapshot *s = NULL;
	struct diag d = {.text = "", .rule = ""};
	trust_snapshot_load(&what, &s, &d);
	if (strcmp(d.rule, rule) != 0)
		fail_msg("%s", d.text);
	return s;
}

/* ca is a.pem, other is b.pem, and these rows are said of them. */
static struct trust_snapshot *with(
	const struct trust_anchor_policy *rows, size_t n)
{
	char *folder = made_folder();
	made_pem(folder, "a.pem", ca);
	made_pem(folder, "b.pem", other);
	struct trust_snapshot *s = load(folder, rows, n, "");
	made_folder_end(folder);
	return s;
}

static struct trust_result judge(
	const struct trust_snapshot *s, X509 *leaf, time_t now)
{
	struct trust_result r;
	trust_verify(s, leaf, NULL, now, &r);
	return r;
}

static void enrol_only_keeps_its_phones_from_registering(void **state)
{
	const struct trust_anchor_policy row = {
		.name = "a.pem", .enrol_only = true};
	struct trust_snapshot *s = with(&row, 1);
	X509 *leaf = made_leaf("SEP001122334455", ca, 1);
	X509 *free_one = made_leaf("SEP001122334455", other, 2);
	struct trust_result r = judge(s, leaf, MADE_NOW);
	assert_int_equal(r.verdict, TRUST_ENROL_ONLY);
	assert_int_equal(trust_verdict_alert(r.verdict), 43);
	assert_non_null(strstr(r.why, "SEP001122334455: "));
	assert_non_null(strstr(r.cure, "enrol_only from \"a.pem\""));
	assert_null(r.anchor);
	trust_verify_for(TRUST_ENROL, s, leaf, NULL, MADE_NOW, &r);
	assert_int_equal(r.verdict, TRUST_OK);
	assert_string_equal(r.anchor->file, "a.pem");
	assert_int_equal(judge(s, free_one, MADE_NOW).verdict, TRUST_OK);
	trust_verify_for(TRUST_ENROL, s, free_one, NULL, MADE_NOW, &r);
	assert_int_equal(r.verdict, TRUST_OK);
	X509_free(leaf);
	X509_free(free_one);
	trust_snapshot_unref(s);
}

static void enrolment_excuses_nothing_else(void **state)
{
	const struct trust_anchor_policy row = {
		.name = "a.pem", .enrol_only = true};
	struct trust_snapshot *s = with(&row, 1);
	X509 *leaf = made_leaf("SEP001122334455", ca, 1);
	struct trust_result r;
	trust_verify_for(TRUST_ENROL, s, leaf, NULL, MADE_NOW + 400 * DAY, &r);
	assert_int_equal(r.verdict, TRUST_ISSUER_EXPIRED);
	trust_verify_for(TRUST_ENROL, s, ca, NULL, MADE_NOW, &r);
	assert_int_equal(r.verdict, TRUST_WRONG_PURPOSE);
	X509_free(leaf);
	trust_snapshot_unref(s);
}

/* A leaf that ends in ten days. */
static X509 *brief_leaf(X509 *issuer, int which, const char *digest)
{
	const struct cert_attribute subject[] = {
		{"CN", "SEP001122334455"}, {NULL, NULL}};
	const struct cert_extension extensions[] = {
		{"basicConstraints", "critical,CA:FALSE"}, {NULL, NULL}};
	return made_cert((struct cert_order){.subject = subject,
		.extensions = extensions,
		.key = made_key("rsa2048", 0),
		.issuer = issuer,
		.issuer_key = made_key("rsa2048", which),
		.digest = digest,
		.not_after = MADE_NOW + 10 * DAY});
}

static void grace_ends_to_the_second_and_is_one_anchors(void **state)
{
	const struct trust_anchor_policy row = {
		.name = "a.pem", .grace_s = 5 * DAY};
	struct trust_snapshot *s = with(&row, 1);
	X509 *leaf = brief_leaf(ca, 1, NULL),
	     *strict = brief_leaf(other, 2, NULL);
	const time_t last = MADE_NOW + 15 * DAY;
	struct trust_result r = judge(s, leaf, MADE_NOW);
	assert_int_equal(r.verdict, TRUST_OK);
	assert_int_equal(r.until, last);
	r = judge(s, leaf, last - 1);
	assert_int_equal(r.verdict, TRUST_OK);
	assert_int_equal(r.until, last);
	assert_int_equal(judge(s, leaf, last).verdict, TRUST_EXPIRED);
	r = judge(s, strict, MADE_NOW + 10 * DAY);
	assert_int_equal(r.verdict, TRUST_EXPIRED);
	X509_free(leaf);
	X509_free(strict);
	trust_snapshot_unref(s);
}

static void grace_is_for_the_leafs_end_alone(void **state)
{
	const struct trust_anchor_policy row = {
		.name = "a.pem", .grace_s = 3650 * (int64_t)DAY};
	struct trust_snapshot *s = with(&row, 1);
	X509 *leaf = brief_leaf(ca, 1, NULL), *weak = brief_leaf(ca, 1, "SHA1");
	X509 *forged = brief_leaf(ca, 2, NULL);
	const time_t late = MADE_NOW + 20 * DAY;
	/* The CA's own end comes first. */
	struct trust_result r = judge(s, leaf, MADE_NOW);
	assert_int_equal(r.until, MADE_NOW + 365 * DAY);
	assert_int_equal(judge(s, leaf, MADE_NOW + 366 * DAY).verdict,
		TRUST_ISSUER_EXPIRED);
	assert_int_equal(judge(s, leaf, MADE_NOW - 2 * DAY).verdict,
		TRUST_NOT_YET_VALID);
	assert_int_equal(judge(s, weak, late).verdict, TRUST_WEAK_DIGEST);
	assert_int_equal(judge(s, forged, late).verdict, TRUST_UNKNOWN_CA);
	X509_free(leaf);
	X509_free(weak);
	X509_free(forged);
	trust_snapshot_unref(s);
}

static void grace_and_allowances_go_together(void **state)
{
	const struct trust_anchor_policy row = {
		.name = "a.pem", .allows = 1, .grace_s = 20 * DAY};
	struct trust_snapshot *s = with(&row, 1);
	X509 *leaf = brief_leaf(ca, 1, "SHA1");
	struct trust_result r = judge(s, leaf, MADE_NOW + 20 * DAY);
	assert_int_equal(r.verdict, TRUST_OK);
	assert_int_equal(r.waived, 1);
	assert_int_equal(r.until, MADE_NOW + 30 * DAY);
	X509_free(leaf);
	trust_snapshot_unref(s);
}

static void retiring_is_said_and_admits(void **state)
{
	struct cert_identity id;
	cert_identity_read(ca, &id);
	const struct trust_anchor_policy row = {
		.name = id.sha256, .retiring = true};
	struct trust_snapshot *s = with(&row, 1);
	X509 *leaf = made_leaf("SEP001122334455", ca, 1);
	struct trust_result r = judge(s, leaf, MADE_NOW);
	assert_int_equal(r.verdict, TRUST_OK);
	assert_true(r.anchor->retiring);
	size_t n;
	const struct trust_anchor *anchors = trust_snapshot_anchors(s, &n);
	assert_false(anchors[1].retiring);
	X509_free(leaf);
	trust_snapshot_unref(s);
}

static void what_is_said_under_all_names_of_a_ca_adds_up(void **state)
{
	struct cert_identity id;
	cert_identity_read(ca, &id);
	const struct trust_anchor_policy rows[] = {
		{.name = "a.pem", .enrol_only = true, .grace_s = 7},
		{.name = "b.pem", .retiring = true, .grace_s = 9},
		{.name = id.sha256, .allow_not_critical = true, .grace_s = 8},
		{.name = "c.pem", .kind = CERT_KIND_MIC}};
	char *folder = made_folder();
	made_pem(folder, "a.pem", ca);
	made_pem(folder, "b.pem", ca);
	made_pem(folder, "c.pem", ca);
	struct trust_snapshot *s = load(folder, rows, 4, "");
	const struct trust_anchor *a = trust_snapshot_find(s, id.sha256_raw);
	assert_true(a->enrol_only);
	assert_true(a->retiring);
	assert_true(a->allow_not_critical);
	assert_int_equal(a->grace_s, 9);
	assert_int_equal(a->kind, CERT_KIND_MIC);
	trust_snapshot_unref(s);
	made_folder_end(folder);
}

static void two_kinds_are_found_in_any_two_files(void **state)
{
	const struct trust_anchor_policy rows[] = {
		{.name = "b.pem", .kind = CERT_KIND_LSC},
		{.name = "c.pem", .kind = CERT_KIND_MIC}};
	char *folder = made_folder();
	made_pem(folder, "a.pem", ca);
	made_pem(folder, "b.pem", ca);
	made_pem(folder, "c.pem", ca);
	assert_null(load(folder, rows, 2, "two-kinds"));
	made_folder_end(folder);
}

static void a_lax_capf_vouches_where_that_is_allowed(void **state)
{
	const struct cert_attribute subject[] = {
		{"CN", "CAPF-00000003"}, {NULL, NULL}};
	const struct cert_extension extensions[] = {
		{"basicConstraints", "CA:TRUE,pathlen:0"},
		{"subjectKeyIdentifier", "hash"}, {NULL, NULL}};
	X509 *lax = made_cert((struct cert_order){.subject = subject,
		.extensions = extensions,
		.key = made_key("rsa2048", 3)});
	X509 *leaf = made_leaf("SEP001122334455", lax, 3);
	char *folder = made_folder();
	made_pem(folder, "a.pem", lax);
	for (int allowed = 0; allowed < 2; allowed++) {
		const struct trust_anchor_policy row = {
			.name = "a.pem", .allow_not_critical = allowed};
		struct trust_snapshot *s = load(folder, &row, 1, "");
		size_t n;
		const struct trust_anchor *a = trust_snapshot_anchors(s, &n);
		assert_int_equal(a->usable, allowed);
		assert_int_equal(judge(s, leaf, MADE_NOW).verdict,
			allowed ? TRUST_OK : TRUST_BAD_CHAIN);
		trust_snapshot_unref(s);
	}
	/* Of other kinds it is not asked. */
	const struct trust_anchor_policy mic = {
		.name = "a.pem", .kind = CERT_KIND_MIC};
	struct trust_snapshot *s = load(folder, &mic, 1, "");
	assert_int_equal(judge(s, leaf, MADE_NOW).verdict, TRUST_OK);
	trust_snapshot_unref(s);
	X509_free(lax);
	X509_free(leaf);
	made_folder_end(folder);
}

/* One subject, three keys: the CAPF of long ago, of yesterday, and today's. */
static void cas_of_one_subject_keep_policies_of_their_own(void **state)
{
	enum { GENERATIONS = 3 };
	const struct trust_anchor_policy rows[] = {
		{.name = "0.pem", .enrol_only = true},
		{.name = "1.pem", .retiring = true, .grace_s = DAY}};
	char *folder = made_folder(), name[16];
	X509 *capf[GENERATIONS];
	for (int i = 0; i < GENERATIONS; i++) {
		capf[i] = made_ca("CAPF-00000004", 4 + i);
		snprintf(name, sizeof(name), "%d.pem", i);
		made_pem(folder, name, capf[i]);
	}
	struct trust_snapshot *s = load(folder, rows, 2, "");
	for (int i = 0; i < GENERATIONS; i++) {
		X509 *leaves[] = {made_leaf("SEP001122334455", capf[i], 4 + i),
			brief_leaf(capf[i], 4 + i, NULL)}; /* no key id */
		for (int j = 0; j < 2; j++) {
			struct trust_result r;
			trust_verify_for(
				TRUST_ENROL, s, leaves[j], NULL, MADE_NOW, &r);
			assert_int_equal(r.verdict, TRUST_OK);
			assert_int_equal(r.anchor->file[0], '0' + i);
			assert_int_equal(r.anchor->retiring, i == 1);
			assert_int_equal(judge(s, leaves[j], MADE_NOW).verdict,
				i == 0 ? TRUST_ENROL_ONLY : TRUST_OK);
		}
		assert_int_equal(
			judge(s, leaves[1], MADE_NOW + 10 * DAY).verdict,
			i == 1 ? TRUST_OK : TRUST_EXPIRED);
		X509_free(leaves[0]);
		X509_free(leaves[1]);
		X509_free(capf[i]);
	}
	trust_snapshot_unref(s);
	made_folder_end(folder);
}

/* root.pem, sub.pem below it, and a phone of the latter's. */
static void intermediates_are_anchors_with_or_without_their_root(void **state)
{
	const struct cert_attribute subject[] = {
		{"CN", "CAPF-00000005"}, {NULL, NULL}};
	const struct cert_extension extensions[] = {
		{"basicConstraints", "critical,CA:TRUE,pathlen:0"},
		{"keyUsage", "keyCertSign"}, {"subjectKeyIdentifier", "hash"},
		{"authorityKeyIdentifier", "keyid"}, {NULL, NULL}};
	X509 *sub = made_cert((struct cert_order){.subject = subject,
		.extensions = extensions,
		.key = made_key("rsa2048", 7),
		.issuer = ca,
		.issuer_key = made_key("rsa2048", 1)});
	X509 *leaf = made_leaf("SEP001122334455", sub, 7);
	const struct trust_anchor_policy row = {
		.name = "root.pem", .enrol_only = true};
	char *folder = made_folder();
	made_pem(folder, "sub.pem", sub);
	struct trust_snapshot *s = load(folder, &row, 1, "");
	assert_string_equal(judge(s, leaf, MADE_NOW).anchor->file, "sub.pem");
	trust_snapshot_unref(s);
	/* The nearest anchor counts, and its policy. */
	made_pem(folder, "root.pem", ca);
	s = load(folder, &row, 1, "");
	assert_string_equal(judge(s, leaf, MADE_NOW).anchor->file, "sub.pem");
	trust_snapshot_unref(s);
	made_folder_end(folder);
	/* The root alone needs the intermediate from the phone. */
	folder = made_folder();
	made_pem(folder, "root.pem", ca);
	s = load(folder, NULL, 0, "");
	assert_int_equal(judge(s, leaf, MADE_NOW).verdict, TRUST_UNKNOWN_CA);
	STACK_OF(X509) *sent = sk_X509_new_null();
	sk_X509_push(sent, sub);
	struct trust_result r;
	trust_verify(s, leaf, sent, MADE_NOW, &r);
	assert_string_equal(r.anchor->file, "root.pem");
	sk_X509_free(sent);
	trust_snapshot_unref(s);
	made_folder_end(folder);
	X509_free(sub);
	X509_free(leaf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enrol_only_keeps_its_phones_from_registering),
		cmocka_unit_test(enrolment_excuses_nothing_else),
		cmocka_unit_test(grace_ends_to_the_second_and_is_one_anchors),
		cmocka_unit_test(grace_is_for_the_leafs_end_alone),
		cmocka_unit_test(grace_and_allowances_go_together),
		cmocka_unit_test(retiring_is_said_and_admits),
		cmocka_unit_test(what_is_said_under_all_names_of_a_ca_adds_up),
		cmocka_unit_test(two_kinds_are_found_in_any_two_files),
		cmocka_unit_test(a_lax_capf_vouches_where_that_is_allowed),
		cmocka_unit_test(cas_of_one_subject_keep_policies_of_their_own),
		cmocka_unit_test(
			intermediates_are_anchors_with_or_without_their_root),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("policy", tests, begin, end);
}

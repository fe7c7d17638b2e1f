/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about who is locked out by a change of trust. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/certs/made.h"
#include "trust/impact.h"

/* The keys of the CAs. */
enum { OLD = 1, NEW, MFG, OTHER };

static char *folder;
static X509 *old_ca, *new_ca, *mfg;
static X509 *old_lsc, *new_lsc, *mic, *foreign;

static struct trust_snapshot *load(const struct trust_policy *policy)
{
	struct diag d = {.text = ""};
	struct trust_snapshot *s;
	const struct trust_load load = {.dir = folder, .policy = policy};
	if (trust_snapshot_load(&load, &s, &d) < 0)
		fail_msg("%s", d.text);
	return s;
}

static int set_up(void **state)
{
	folder = made_folder();
	old_ca = made_ca("CAPF-00000001", OLD);
	new_ca = made_ca("CAPF-00000002", NEW);
	mfg = made_ca("Some Manufacturing CA", MFG);
	X509 *other = made_ca("CAPF-00000009", OTHER);
	old_lsc = made_leaf("SEP000000000001", old_ca, OLD);
	new_lsc = made_leaf("SEP000000000002", new_ca, NEW);
	mic = made_leaf("CP-8861-SEP000000000001", mfg, MFG);
	foreign = made_leaf("SEP000000000003", other, OTHER);
	X509_free(other);
	made_pem(folder, "old.pem", old_ca);
	made_pem(folder, "new.pem", new_ca);
	made_pem(folder, "mfg.pem", mfg);
	return 0;
}

static int tear_down(void **state)
{
	X509 *all[] = {old_ca, new_ca, mfg, old_lsc, new_lsc, mic, foreign};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		X509_free(all[i]);
	made_folder_end(folder);
	return 0;
}

static struct trust_impact judge(const struct trust_snapshot *before,
	const struct trust_snapshot *after, const struct trust_bearer *b)
{
	struct trust_impact impact;
	trust_impact(before, after, b, MADE_NOW, &impact);
	return impact;
}

static void a_removal_locks_out_its_phones_and_no_others(void **state)
{
	struct trust_snapshot *before = load(NULL);
	unlink(made_path(folder, "old.pem"));
	struct trust_snapshot *after = load(NULL);
	struct trust_bearer b = {.last = {.leaf = old_lsc}};
	struct trust_impact impact = judge(before, after, &b);
	assert_true(trust_impact_locks_out(&impact));
	assert_true(impact.judged);
	assert_int_equal(impact.now, TRUST_OK);
	assert_int_equal(impact.then, TRUST_UNKNOWN_CA);
	assert_string_equal(impact.anchor->file, "old.pem");
	assert_false(impact.mic_passes);
	b.mic.leaf = mic;
	assert_true(judge(before, after, &b).mic_passes);
	b = (struct trust_bearer){.last = {.leaf = new_lsc}};
	impact = judge(before, after, &b);
	assert_int_equal(impact.then, TRUST_OK);
	assert_false(trust_impact_locks_out(&impact));
	/* Whom nobody believed before loses nothing. */
	b.last.leaf = foreign;
	impact = judge(before, after, &b);
	assert_null(impact.anchor);
	assert_false(trust_impact_locks_out(&impact));
	/* And the other way. */
	b.last.leaf = old_lsc;
	impact = judge(after, before, &b);
	assert_true(trust_impact_lets_in(&impact));
	trust_snapshot_unref(before);
	trust_snapshot_unref(after);
}

static void a_ca_renewed_with_its_key_goes_on_vouching(void **state)
{
	struct trust_snapshot *before = load(NULL);
	X509 *renewed = made_ca("CAPF-00000001", OLD);
	assert_int_not_equal(X509_cmp(renewed, old_ca), 0);
	made_pem(folder, "old.pem", renewed);
	struct trust_snapshot *after = load(NULL);
	const struct trust_bearer b = {.last = {.leaf = old_lsc}};
	struct trust_impact impact = judge(before, after, &b);
	assert_int_equal(impact.then, TRUST_OK);
	/* The same name with another key does not. */
	X509 *other = made_ca("CAPF-00000001", OTHER);
	made_pem(folder, "old.pem", other);
	struct trust_snapshot *replaced = load(NULL);
	impact = judge(before, replaced, &b);
	assert_true(trust_impact_locks_out(&impact));
	X509_free(renewed);
	X509_free(other);
	trust_snapshot_unref(before);
	trust_snapshot_unref(after);
	trust_snapshot_unref(replaced);
}

static void who_has_expired_is_not_locked_out(void **state)
{
	struct trust_impact impact;
	struct trust_snapshot *before = load(NULL);
	unlink(made_path(folder, "old.pem"));
	struct trust_snapshot *after = load(NULL);
	const struct trust_bearer b = {.last = {.leaf = old_lsc}};
	trust_impact(before, after, &b, MADE_NOW + 400 * 86400, &impact);
	assert_int_not_equal(impact.now, TRUST_OK);
	assert_false(trust_impact_locks_out(&impact));
	trust_snapshot_unref(before);
	trust_snapshot_unref(after);
}

/* Only the last anchor is known: by its fingerprint, or by its file. */
static void who_cannot_be_judged_hangs_on_its_anchor(void **state)
{
	struct trust_snapshot *before = load(NULL);
	unlink(made_path(folder, "old.pem"));
	struct trust_snapshot *after = load(NULL);
	struct trust_bearer b = {.anchor_file = "old.pem"};
	struct trust_impact impact = judge(before, after, &b);
	assert_false(impact.judged);
	assert_true(trust_impact_locks_out(&impact));
	assert_string_equal(impact.anchor->file, "old.pem");
	b.anchor_file = "new.pem";
	impact = judge(before, after, &b);
	assert_int_equal(impact.then, TRUST_OK);
	/* The fingerprint counts, whatever the file was called. */
	assert_int_equal(X509_digest(new_ca, EVP_sha256(), b.anchor, NULL), 1);
	b.anchor_file = "old.pem";
	impact = judge(before, after, &b);
	assert_int_equal(impact.then, TRUST_OK);
	assert_string_equal(impact.anchor->file, "new.pem");
	/* That of none of them. */
	b.anchor[0] ^= 1;
	impact = judge(before, after, &b);
	assert_null(impact.anchor);
	assert_int_equal(impact.now, TRUST_UNKNOWN_CA);
	assert_false(trust_impact_locks_out(&impact));
	trust_snapshot_unref(before);
	trust_snapshot_unref(after);
}

static void an_anchor_that_only_enrols_locks_out(void **state)
{
	const struct trust_anchor_policy row = {
		.name = "old.pem", .enrol_only = true};
	struct trust_policy policy = trust_policy_default;
	policy.anchors = &row;
	policy.n_anchors = 1;
	struct trust_snapshot *before = load(NULL), *after = load(&policy);
	struct trust_bearer b = {
		.last = {.leaf = old_lsc}, .anchor_file = "old.pem"};
	for (int i = 0; i < 2; i++) {
		struct trust_impact impact = judge(before, after, &b);
		assert_true(trust_impact_locks_out(&impact));
		assert_int_equal(impact.then, TRUST_ENROL_ONLY);
		b.purpose = TRUST_ENROL;
		impact = judge(before, after, &b);
		assert_false(trust_impact_locks_out(&impact));
		b.purpose = TRUST_REGISTER;
		b.last.leaf = NULL;
	}
	trust_snapshot_unref(before);
	trust_snapshot_unref(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define FACT(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		FACT(a_removal_locks_out_its_phones_and_no_others),
		FACT(a_ca_renewed_with_its_key_goes_on_vouching),
		FACT(who_has_expired_is_not_locked_out),
		FACT(who_cannot_be_judged_hangs_on_its_anchor),
		FACT(an_anchor_that_only_enrols_locks_out),
#undef FACT
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("impact", tests, NULL, NULL);
}

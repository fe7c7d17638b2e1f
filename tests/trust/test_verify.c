/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about how a certificate is judged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "certs/text.h"
#include "tests/certs/made.h"
#include "tests/trust/scenes.h"
#include "trust/waiver.h"

static struct scenes scenes;

static int begin(void **state)
{
	scenes_init(&scenes);
	return 0;
}

static int end(void **state)
{
	scenes_deinit(&scenes);
	return 0;
}

static void every_scene_ends_as_the_table_says(void **state)
{
	for (size_t i = 0; i < scenes.n; i++) {
		const struct scene *s = &scenes.scene[i];
		struct trust_result r;
		trust_verify(
			scenes.snapshot, s->leaf, s->untrusted, MADE_NOW, &r);
		if (r.verdict != s->verdict)
			fail_msg("%s: %s (%d at %d), not %s: %s", s->name,
				trust_verdict_name(r.verdict), r.x509_error,
				r.depth, trust_verdict_name(s->verdict), r.why);
		if (r.x509_error != s->x509 || r.depth != s->depth)
			fail_msg("%s: error %d at %d, not %d at %d", s->name,
				r.x509_error, r.depth, s->x509, s->depth);
		assert_int_equal(r.kind, s->kind);
		assert_int_equal(!r.anchor, !s->anchor);
		if (r.anchor)
			assert_string_equal(r.anchor->file, s->anchor);
		if (!strstr(r.why, s->why ? s->why : ""))
			fail_msg("%s: \"%s\" lacks \"%s\"", s->name, r.why,
				s->why);
		assert_int_equal(!r.why[0], s->verdict == TRUST_OK);
		assert_int_equal(!r.cure[0], s->verdict == TRUST_OK);
		assert_int_equal(r.waived, 0);
		assert_int_equal(
			!!r.missing_ca[0], s->verdict == TRUST_UNKNOWN_CA);
	}
}

static void a_good_verdict_says_how_long_it_holds(void **state)
{
	for (size_t i = 0; i < scenes.n; i++) {
		const struct scene *s = &scenes.scene[i];
		struct trust_result r, then;
		trust_verify(
			scenes.snapshot, s->leaf, s->untrusted, MADE_NOW, &r);
		if (r.verdict != TRUST_OK)
			continue;
		trust_verify(scenes.snapshot, s->leaf, s->untrusted,
			r.until - 1, &then);
		assert_int_equal(then.verdict, TRUST_OK);
		trust_verify(
			scenes.snapshot, s->leaf, s->untrusted, r.until, &then);
		assert_int_not_equal(then.verdict, TRUST_OK);
	}
}

static void openssl_errors_stay_as_they_were(void **state)
{
	for (size_t i = 0; i < scenes.n; i++) {
		struct trust_result r;
		ERR_clear_error();
		ERR_raise(ERR_LIB_USER, 7);
		trust_verify(scenes.snapshot, scenes.scene[i].leaf,
			scenes.scene[i].untrusted, MADE_NOW, &r);
		assert_int_equal(ERR_GET_REASON(ERR_get_error()), 7);
		assert_int_equal(ERR_get_error(), 0);
	}
}

/* A folder of those CAs, a.pem, b.pem, ..., loaded at that level. */
static struct trust_snapshot *load(X509 *const *cas, size_t n, int level)
{
	char *folder = made_folder();
	struct trust_policy policy = {.auth_level = level};
	struct trust_snapshot *snapshot = NULL;
	struct diag d = {.text = ""};
	for (size_t i = 0; i < n; i++) {
		char name[16];
		snprintf(name, sizeof(name), "%c.pem", 'a' + (int)i);
		made_pem(folder, name, cas[i]);
	}
	if (trust_snapshot_load(
		    &(struct trust_load){
			    .dir = folder, .generation = 1, .policy = &policy},
		    &snapshot, &d))
		fail_msg("%s", d.text);
	made_folder_end(folder);
	return snapshot;
}

static struct trust_result judge(
	const struct trust_snapshot *snapshot, X509 *leaf)
{
	struct trust_result r;
	trust_verify(snapshot, leaf, NULL, MADE_NOW, &r);
	return r;
}

static X509 *leaf_without_key_id(X509 *ca, int which_ca)
{
	const struct cert_attribute subject[] = {
		{"CN", "SEP001122334455"}, {NULL, NULL}};
	return made_cert((struct cert_order){.subject = subject,
		.key = made_key("rsa2048", 0),
		.issuer = ca,
		.issuer_key = made_key("rsa2048", which_ca)});
}

static void cas_of_one_name_are_told_apart_by_key_id(void **state)
{
	X509 *cas[] = {made_ca("CAPF-0000000b", 1), made_ca("CAPF-0000000b", 2),
		made_ca("CAPF-0000000b", 3)};
	struct trust_snapshot *snapshot = load(cas, 3, 2);
	for (int i = 0; i < 3; i++) {
		X509 *leaf = made_leaf("SEP001122334455", cas[i], i + 1);
		struct trust_result r = judge(snapshot, leaf);
		assert_int_equal(r.verdict, TRUST_OK);
		assert_int_equal(r.anchor->file[0], 'a' + i);
		X509_free(leaf);
	}
	for (int i = 0; i < 3; i++)
		X509_free(cas[i]);
	trust_snapshot_unref(snapshot);
}

static void cas_of_one_name_are_told_apart_by_their_keys(void **state)
{
	X509 *cas[] = {made_ca("CAPF-0000000b", 1), made_ca("CAPF-0000000b", 2),
		made_ca("CAPF-0000000b", 3)};
	struct trust_snapshot *snapshot = load(cas, 3, 2);
	for (int i = 0; i < 3; i++) {
		X509 *leaf = leaf_without_key_id(cas[i], i + 1);
		struct trust_result r = judge(snapshot, leaf);
		assert_int_equal(r.verdict, TRUST_OK);
		assert_int_equal(r.anchor->file[0], 'a' + i);
		X509_free(leaf);
	}
	X509 *fourth = made_ca("CAPF-0000000b", 4);
	X509 *leaf = leaf_without_key_id(fourth, 4);
	struct trust_result r = judge(snapshot, leaf);
	assert_int_equal(r.verdict, TRUST_UNKNOWN_CA);
	assert_non_null(strstr(r.why, "another key"));
	X509_free(leaf);
	X509_free(fourth);
	for (int i = 0; i < 3; i++)
		X509_free(cas[i]);
	trust_snapshot_unref(snapshot);
}

/* A CA renewed with its key: the certificate in force counts. */
static void renewed_ca_is_preferred_to_the_expired_one(void **state)
{
	const struct cert_attribute subject[] = {
		{"CN", "CAPF-0000000b"}, {NULL, NULL}};
	const struct cert_extension extensions[] = {
		{"basicConstraints", "critical,CA:TRUE"}, {NULL, NULL}};
	X509 *cas[2];
	for (int i = 0; i < 2; i++) {
		X509 *expired =
			made_cert((struct cert_order){.subject = subject,
				.extensions = extensions,
				.key = made_key("rsa2048", 1),
				.not_before = MADE_NOW - 20 * 86400,
				.not_after = MADE_NOW - 10 * 86400});
		X509 *valid = made_cert((struct cert_order){.subject = subject,
			.extensions = extensions,
			.key = made_key("rsa2048", 1)});
		cas[i] = expired;
		cas[1 - i] = valid;
		struct trust_snapshot *snapshot = load(cas, 2, 2);
		X509 *leaf = leaf_without_key_id(valid, 1);
		struct trust_result r = judge(snapshot, leaf);
		assert_int_equal(r.verdict, TRUST_OK);
		assert_int_equal(r.anchor->file[0], 'a' + 1 - i);
		X509_free(leaf);
		X509_free(expired);
		X509_free(valid);
		trust_snapshot_unref(snapshot);
	}
}

/* Whoever holds a CAPF's key could sign himself a phone; he cannot be one
 * with the CAPF's own certificate. */
static void anchor_that_presents_itself_is_refused(void **state)
{
	X509 *capf = made_ca("CAPF-0000000b", 1);
	struct trust_snapshot *snapshot = load(&capf, 1, 2);
	struct trust_result r = judge(snapshot, capf);
	assert_int_equal(r.verdict, TRUST_WRONG_PURPOSE);
	assert_null(r.anchor);
	assert_int_equal(r.kind, CERT_KIND_UNKNOWN);
	X509_free(capf);
	trust_snapshot_unref(snapshot);
}

/* Self-signed, with the name of an anchor, of any shape. */
static void impostor_with_an_anchors_name_is_refused(void **state)
{
	const struct cert_attribute subject[] = {
		{"CN", "CAPF-0000000b"}, {NULL, NULL}};
	const struct cert_extension shapes[][3] = {
		{{NULL, NULL}},
		{{"basicConstraints", "CA:FALSE"}, {NULL, NULL}},
		{{"basicConstraints", "CA:TRUE"}, {NULL, NULL}},
		{{"subjectKeyIdentifier", "hash"},
			{"authorityKeyIdentifier", "keyid"}, {NULL, NULL}},
	};
	X509 *capf = made_ca("CAPF-0000000b", 1);
	struct trust_snapshot *snapshot = load(&capf, 1, 2);
	for (size_t i = 0; i < 4; i++) {
		X509 *leaf = made_cert((struct cert_order){.subject = subject,
			.extensions = shapes[i],
			.key = made_key("rsa2048", 2)});
		struct trust_result r;
		STACK_OF(X509) *untrusted = sk_X509_new_null();
		sk_X509_push(untrusted, leaf);
		trust_verify(snapshot, leaf, NULL, MADE_NOW, &r);
		assert_int_equal(r.verdict, TRUST_SELF_SIGNED);
		trust_verify(snapshot, leaf, untrusted, MADE_NOW, &r);
		assert_int_equal(r.verdict, TRUST_SELF_SIGNED);
		sk_X509_pop_free(untrusted, X509_free);
	}
	X509_free(capf);
	trust_snapshot_unref(snapshot);
}

static void untrusted_helpers_never_become_anchors(void **state)
{
	X509 *capf = made_ca("CAPF-0000000b", 1);
	X509 *evil = made_ca("CAPF-0000000b", 2);
	struct trust_snapshot *snapshot = load(&capf, 1, 2);
	X509 *leaf = made_leaf("SEP001122334455", evil, 2);
	STACK_OF(X509) *untrusted = sk_X509_new_null();
	sk_X509_push(untrusted, evil);
	sk_X509_push(untrusted, capf);
	sk_X509_push(untrusted, leaf);
	struct trust_result r;
	trust_verify(snapshot, leaf, untrusted, MADE_NOW, &r);
	assert_int_equal(r.verdict, TRUST_UNKNOWN_CA);
	sk_X509_pop_free(untrusted, X509_free);
	trust_snapshot_unref(snapshot);
}

static void long_chains_are_refused(void **state)
{
	enum { LONG = 12 };
	X509 *root = made_ca("Root", 1);
	struct trust_snapshot *snapshot = load(&root, 1, 2);
	STACK_OF(X509) *untrusted = sk_X509_new_null();
	X509 *above = root;
	for (int i = 0; i < LONG; i++) {
		char cn[16];
		snprintf(cn, sizeof(cn), "CA %d", i);
		const struct cert_attribute subject[] = {
			{"CN", cn}, {NULL, NULL}};
		const struct cert_extension extensions[] = {
			{"basicConstraints", "CA:TRUE"}, {NULL, NULL}};
		above = made_cert((struct cert_order){.subject = subject,
			.extensions = extensions,
			.key = made_key("rsa2048", 1),
			.issuer = above,
			.issuer_key = made_key("rsa2048", 1)});
		sk_X509_push(untrusted, above);
	}
	X509 *leaf = leaf_without_key_id(above, 1);
	struct trust_result r;
	trust_verify(snapshot, leaf, untrusted, MADE_NOW, &r);
	assert_int_equal(r.verdict, TRUST_BAD_CHAIN);
	assert_int_equal(r.x509_error, X509_V_ERR_CERT_CHAIN_TOO_LONG);
	X509_free(leaf);
	X509_free(root);
	sk_X509_pop_free(untrusted, X509_free);
	trust_snapshot_unref(snapshot);
}

/* specs/certificates.md, section 5: MIC and LSC against the level. */
static void auth_level_decides_what_is_strong_enough(void **state)
{
	static const struct {
		const char *key;
		const char *digest;
		enum trust_verdict at[3]; /* level 0, 1, 2 */
	} rows[] = {
		{"rsa2048", "SHA1",
			{TRUST_OK, TRUST_WEAK_DIGEST, TRUST_WEAK_DIGEST}},
		{"rsa1024", "SHA256", {TRUST_OK, TRUST_OK, TRUST_WEAK_KEY}},
		{"p256", "SHA256", {TRUST_OK, TRUST_OK, TRUST_OK}},
		{"rsa2048", "SHA256", {TRUST_OK, TRUST_OK, TRUST_OK}},
	};
	const struct cert_attribute subject[] = {
		{"CN", "SEP001122334455"}, {NULL, NULL}};
	X509 *ca = made_ca("CAPF-0000000b", 1);
	for (int level = 0; level < 3; level++) {
		struct trust_snapshot *snapshot = load(&ca, 1, level);
		for (size_t i = 0; i < 4; i++) {
			X509 *leaf = made_cert(
				(struct cert_order){.subject = subject,
					.key = made_key(rows[i].key, 0),
					.issuer = ca,
					.issuer_key = made_key("rsa2048", 1),
					.digest = rows[i].digest});
			struct trust_result r = judge(snapshot, leaf);
			assert_int_equal(r.verdict, rows[i].at[level]);
			X509_free(leaf);
		}
		trust_snapshot_unref(snapshot);
	}
	X509_free(ca);
}

/* ---- rules that are waived for one anchor ---- */

/* Two CAs, a.pem and b.pem; what phones of a.pem may be. */
static struct trust_snapshot *allowing(X509 *const *cas, unsigned allows)
{
	char *folder = made_folder();
	const struct trust_anchor_policy row = {
		.name = "a.pem", .allows = allows};
	const struct trust_policy policy = {
		.auth_level = 2, .anchors = &row, .n_anchors = 1};
	struct trust_snapshot *snapshot = NULL;
	struct diag d = {.text = ""};
	made_pem(folder, "a.pem", cas[0]);
	made_pem(folder, "b.pem", cas[1]);
	if (trust_snapshot_load(
		    &(struct trust_load){
			    .dir = folder, .generation = 1, .policy = &policy},
		    &snapshot, &d))
		fail_msg("%s", d.text);
	made_folder_end(folder);
	return snapshot;
}

enum { NEITHER, SHA_1 = TRUST_WAIVER_SHA1, RSA_1024 = TRUST_WAIVER_RSA1024 };

static const struct {
	const char *key, *digest;
	unsigned needs;
	enum trust_verdict refused;
} weak[] = {
	{"rsa2048", "SHA1", SHA_1, TRUST_WEAK_DIGEST},
	{"p256", "SHA1", SHA_1, TRUST_WEAK_DIGEST},
	{"rsa1024", "SHA256", RSA_1024, TRUST_WEAK_KEY},
	{"rsa1024", "SHA1", SHA_1 | RSA_1024, TRUST_WEAK_KEY},
	{"rsa1024", "MD5", TRUST_WAIVER_NEVER, TRUST_WEAK_KEY},
	{"rsa2048", "MD5", TRUST_WAIVER_NEVER, TRUST_WEAK_DIGEST},
};
enum { WEAK = sizeof(weak) / sizeof(weak[0]) };

static X509 *weak_leaf(size_t i, X509 *ca, int which_ca, int days)
{
	const struct cert_attribute subject[] = {
		{"CN", "SEP001122334455"}, {NULL, NULL}};
	return made_cert((struct cert_order){.subject = subject,
		.key = made_key(weak[i].key, 0),
		.issuer = ca,
		.issuer_key = made_key("rsa2048", which_ca),
		.digest = weak[i].digest,
		.not_before = days ? MADE_NOW - 9 * 86400 : 0,
		.not_after = days ? MADE_NOW + days * 86400 : 0});
}

static void the_cure_names_what_would_help(
	const struct trust_result *r, unsigned lacks, const char *file)
{
	const char *usual = trust_verdict_cure(r->verdict);
	char quoted[32];
	snprintf(quoted, sizeof(quoted), "\"%s\" in trust.anchors", file);
	assert_true(strncmp(r->cure, usual, strlen(usual)) == 0);
	if (lacks & TRUST_WAIVER_NEVER) {
		assert_string_equal(r->cure, usual);
		return;
	}
	assert_non_null(strstr(r->cure, quoted));
	assert_int_equal(
		strstr(r->cure, "allow_sha1") != NULL, (lacks & SHA_1) != 0);
	assert_int_equal(strstr(r->cure, "allow_rsa1024") != NULL,
		(lacks & RSA_1024) != 0);
}

static void what_one_anchor_allows_helps_its_own_phones_alone(void **state)
{
	X509 *cas[] = {
		made_ca("CAPF-0000000b", 1), made_ca("CAPF-0000000c", 2)};
	for (unsigned allows = NEITHER; allows <= (SHA_1 | RSA_1024);
		allows++) {
		struct trust_snapshot *snapshot = allowing(cas, allows);
		for (size_t i = 0; i < (size_t)WEAK * 2; i++) {
			size_t ca = i % 2, w = i / 2;
			X509 *leaf = weak_leaf(w, cas[ca], (int)ca + 1, 0);
			unsigned lacks = ca == 0 ? weak[w].needs & ~allows
						 : weak[w].needs;
			struct trust_result r = judge(snapshot, leaf);
			if (lacks == SHA_1)
				assert_int_equal(r.verdict, TRUST_WEAK_DIGEST);
			else
				assert_int_equal(r.verdict,
					lacks ? weak[w].refused : TRUST_OK);
			assert_int_equal(r.waived, lacks ? 0 : weak[w].needs);
			if (lacks)
				the_cure_names_what_would_help(
					&r, lacks, ca == 0 ? "a.pem" : "b.pem");
			else
				assert_string_equal(r.cure, "");
			X509_free(leaf);
		}
		trust_snapshot_unref(snapshot);
	}
	X509_free(cas[0]);
	X509_free(cas[1]);
}

static void who_needs_no_excuse_has_none(void **state)
{
	X509 *cas[] = {
		made_ca("CAPF-0000000b", 1), made_ca("CAPF-0000000c", 2)};
	struct trust_snapshot *snapshot = allowing(cas, SHA_1 | RSA_1024);
	X509 *leaf = made_leaf("SEP001122334455", cas[0], 1);
	struct trust_result r = judge(snapshot, leaf);
	assert_int_equal(r.verdict, TRUST_OK);
	assert_int_equal(r.waived, 0);
	X509_free(leaf);
	X509_free(cas[0]);
	X509_free(cas[1]);
	trust_snapshot_unref(snapshot);
}

/* What else is wrong with it is said as ever. */
static void an_excuse_is_for_strength_alone(void **state)
{
	X509 *cas[] = {
		made_ca("CAPF-0000000b", 1), made_ca("CAPF-0000000c", 2)};
	X509 *stranger = made_ca("CAPF-0000000d", 3);
	struct trust_snapshot *snapshot = allowing(cas, SHA_1 | RSA_1024);
	X509 *expired = weak_leaf(3, cas[0], 1, -1);
	struct trust_result r = judge(snapshot, expired);
	assert_int_equal(r.verdict, TRUST_EXPIRED);
	assert_non_null(strstr(r.why, "valid from"));
	assert_int_equal(r.waived, 0);
	X509 *foreign = weak_leaf(0, stranger, 3, 0);
	r = judge(snapshot, foreign);
	assert_int_equal(r.verdict, TRUST_UNKNOWN_CA);
	X509 *forged = weak_leaf(0, cas[0], 3, 0); /* another's signature */
	r = judge(snapshot, forged);
	assert_int_not_equal(r.verdict, TRUST_OK);
	X509_free(expired);
	X509_free(foreign);
	X509_free(forged);
	X509_free(stranger);
	X509_free(cas[0]);
	X509_free(cas[1]);
	trust_snapshot_unref(snapshot);
}

static void no_ca_is_excused_for_its_key(void **state)
{
	const struct cert_attribute subject[] = {
		{"CN", "CAPF-0000000e"}, {NULL, NULL}};
	const struct cert_extension extensions[] = {
		{"basicConstraints", "critical,CA:TRUE"}, {NULL, NULL}};
	X509 *cas[] = {made_cert((struct cert_order){.subject = subject,
			       .extensions = extensions,
			       .key = made_key("rsa1024", 1)}),
		made_ca("CAPF-0000000c", 2)};
	struct trust_snapshot *snapshot = allowing(cas, SHA_1 | RSA_1024);
	const struct cert_attribute phone[] = {
		{"CN", "SEP001122334455"}, {NULL, NULL}};
	X509 *leaf = made_cert((struct cert_order){.subject = phone,
		.key = made_key("rsa2048", 0),
		.issuer = cas[0],
		.issuer_key = made_key("rsa1024", 1)});
	struct trust_result r = judge(snapshot, leaf);
	assert_int_equal(r.verdict, TRUST_WEAK_KEY);
	assert_string_equal(r.cure, trust_verdict_cure(TRUST_WEAK_KEY));
	X509_free(leaf);
	X509_free(cas[0]);
	X509_free(cas[1]);
	trust_snapshot_unref(snapshot);
}

static void keys_of_waivers_are_found_and_told(void **state)
{
#define X(symbol, bit, key)                                              \
	assert_int_equal(trust_waiver_find(key), TRUST_WAIVER_##symbol); \
	assert_string_equal(trust_waiver_text(bit), key);
	TRUST_WAIVER_LIST(X)
#undef X
	assert_int_equal(trust_waiver_find("allow_md5"), 0);
	assert_string_equal(trust_waiver_text(0), "");
	assert_string_equal(trust_waiver_text(SHA_1 | RSA_1024),
		"allow_sha1, allow_rsa1024");
}

static void sentences_stay_whole_when_names_are_endless(void **state)
{
	char cn[60 * 3 + 1] = {0}, ou[1200 * 3 + 1] = {0}, again[512];
	for (int i = 0; i < 60; i++)
		memcpy(cn + 3 * i, "\xe2\x82\xac", 3);
	for (int i = 0; i < 1200; i++)
		memcpy(ou + 3 * i, "\xe2\x82\xac", 3);
	X509 *mine = made_ca("CAPF-0000000b", 1), *other = made_ca(cn, 2);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(other), "2.5.4.3",
		V_ASN1_UTF8STRING, (unsigned char *)ou, -1, -1, 0);
	struct trust_snapshot *snapshot = load(&mine, 1, 2);
	X509 *leaf = made_leaf(cn, other, 2);
	struct trust_result r = judge(snapshot, leaf);
	assert_int_equal(r.verdict, TRUST_UNKNOWN_CA);
	assert_true(
		cert_text_clean(r.why, strlen(r.why), again, sizeof(again)));
	assert_true(strlen(r.why) > 500);
	assert_true(cert_text_clean(
		r.missing_ca, strlen(r.missing_ca), again, sizeof(again)));
	X509_free(leaf);
	X509_free(mine);
	X509_free(other);
	trust_snapshot_unref(snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_scene_ends_as_the_table_says),
		cmocka_unit_test(a_good_verdict_says_how_long_it_holds),
		cmocka_unit_test(openssl_errors_stay_as_they_were),
		cmocka_unit_test(cas_of_one_name_are_told_apart_by_key_id),
		cmocka_unit_test(cas_of_one_name_are_told_apart_by_their_keys),
		cmocka_unit_test(renewed_ca_is_preferred_to_the_expired_one),
		cmocka_unit_test(anchor_that_presents_itself_is_refused),
		cmocka_unit_test(impostor_with_an_anchors_name_is_refused),
		cmocka_unit_test(untrusted_helpers_never_become_anchors),
		cmocka_unit_test(long_chains_are_refused),
		cmocka_unit_test(auth_level_decides_what_is_strong_enough),
		cmocka_unit_test(
			what_one_anchor_allows_helps_its_own_phones_alone),
		cmocka_unit_test(who_needs_no_excuse_has_none),
		cmocka_unit_test(an_excuse_is_for_strength_alone),
		cmocka_unit_test(no_ca_is_excused_for_its_key),
		cmocka_unit_test(keys_of_waivers_are_found_and_told),
		cmocka_unit_test(sentences_stay_whole_when_names_are_endless),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("verify", tests, begin, end);
}

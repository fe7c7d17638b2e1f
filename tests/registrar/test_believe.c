/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about certificates that would lock their phone out. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "registrar/capf/believe.h"
#include "tests/certs/made.h"

static X509 *site, *other, *named, *leaf, *foreign;
static char *folders[4];
static const struct trust_anchor_policy lsc[] = {
	{.name = "site.pem", .kind = CERT_KIND_LSC}};
static const struct trust_anchor_policy enrol[] = {
	{.name = "site.pem", .kind = CERT_KIND_LSC, .enrol_only = true}};

/* What the two stores hold; NULL: there is no such store. */
struct stores {
	struct trust_snapshot *of[TRUST_STORES];
};

static struct trust_snapshot *load(
	const char *dir, const struct trust_anchor_policy *anchors)
{
	struct trust_policy policy = trust_policy_default;
	struct trust_snapshot *s;
	struct diag d;
	policy.anchors = anchors;
	policy.n_anchors = anchors ? 1 : 0;
	const struct trust_load what = {
		.dir = dir, .policy = &policy, .explicit_order = true};
	if (trust_snapshot_load(&what, &s, &d) < 0)
		fail_msg("%s", d.text);
	return s;
}

static struct trust_snapshot *trust(void *self, enum trust_store store)
{
	struct stores *stores = self;
	return stores->of[store] ? trust_snapshot_ref(stores->of[store]) : NULL;
}

static int set_up(void **state)
{
	site = made_ca("Site CA", 1);
	other = made_ca("Other CA", 2);
	named = made_ca("Our CAPF-like CA", 3);
	leaf = made_leaf("SEP000000000001", site, 1);
	foreign = made_leaf("SEP000000000001", other, 2);
	X509 *held[] = {site, other, named};
	for (size_t i = 0; i < 3; i++) {
		folders[i] = made_folder();
		made_pem(folders[i], "site.pem", held[i]);
	}
	return 0;
}

static int tear_down(void **state)
{
	X509_free(site);
	X509_free(other);
	X509_free(named);
	X509_free(leaf);
	X509_free(foreign);
	for (size_t i = 0; i < 3; i++)
		made_folder_end(folders[i]);
	return 0;
}

enum { SITE, OTHER, NAMED, NONE };

/* What is said of the certificate with these two folders; "": nothing. */
static const char *said_of(X509 *cert, int callmanager, int capf,
	const struct trust_anchor_policy *policy)
{
	static struct diag d;
	struct stores stores = {{load(folders[callmanager], policy),
		capf == NONE ? NULL : load(folders[capf], policy)}};
	const struct capf_believers by = {trust, &stores};
	d.text[0] = '\0';
	int error = cert ? capf_believe(&by, cert, MADE_NOW, &d)
			 : capf_believe_any(&by, &d);
	assert_int_equal(error, !*d.text ? 0 : cert ? -EPERM : -ENOENT);
	trust_snapshot_unref(stores.of[0]);
	trust_snapshot_unref(stores.of[1]);
	return d.text;
}

static void expect(const char *said, const char *part, const char *other_part)
{
	if (!strstr(said, part) || !strstr(said, other_part))
		fail_msg("\"%s\" says not \"%s\" and \"%s\"", said, part,
			other_part);
}

static void believes_an_lsc_of_a_ca_in_both_stores(void **state)
{
	assert_string_equal(said_of(leaf, SITE, SITE, lsc), "");
}

static void a_store_that_is_not_there_is_not_asked(void **state)
{
	assert_string_equal(said_of(leaf, SITE, NONE, lsc), "");
}

static void refuses_whom_callmanager_trust_does_not_know(void **state)
{
	expect(said_of(leaf, OTHER, SITE, lsc), "CallManager-trust would not",
		"both trust folders");
	expect(said_of(foreign, SITE, SITE, lsc), "CallManager-trust would not",
		"Other CA");
}

static void refuses_whom_capf_trust_does_not_know(void **state)
{
	expect(said_of(leaf, SITE, OTHER, lsc), "CAPF-trust would not",
		"both trust folders");
}

static void refuses_whom_the_stores_take_for_a_mic(void **state)
{
	expect(said_of(leaf, SITE, SITE, NULL), "takes what that CA issues",
		"{\"site.pem\": {\"kind\": \"lsc\"}}");
}

static void refuses_who_could_only_enrol(void **state)
{
	expect(said_of(leaf, SITE, SITE, enrol), "CallManager-trust would not",
		"SEP000000000001");
}

static void refuses_an_expired_one(void **state)
{
	struct stores stores = {{load(folders[SITE], lsc), NULL}};
	const struct capf_believers by = {trust, &stores};
	struct diag d = {.text = ""};
	assert_int_equal(
		capf_believe(&by, leaf, MADE_NOW + 400LL * 86400, &d), -EPERM);
	assert_string_equal(d.rule, "issuer-expired");
	trust_snapshot_unref(stores.of[0]);
}

static void misses_the_ca_in_either_store(void **state)
{
	assert_string_equal(said_of(NULL, SITE, SITE, lsc), "");
	assert_string_equal(said_of(NULL, SITE, NONE, lsc), "");
	expect(said_of(NULL, SITE, SITE, NULL), "CallManager-trust has no CA",
		"\"kind\": \"lsc\"");
	expect(said_of(NULL, SITE, NAMED, lsc), "CAPF-trust has no CA", "");
}

static void a_ca_that_is_named_as_a_capf_is_warned_of(void **state)
{
	char warning[256];
	X509 *cert = made_leaf("SEP000000000001", named, 3);
	capf_believe_name(cert, warning, sizeof(warning));
	expect(warning, "Our CAPF-like CA", "give the CA another");
	X509_free(cert);
	capf_believe_name(leaf, warning, sizeof(warning));
	assert_string_equal(warning, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(believes_an_lsc_of_a_ca_in_both_stores),
		cmocka_unit_test(a_store_that_is_not_there_is_not_asked),
		cmocka_unit_test(refuses_whom_callmanager_trust_does_not_know),
		cmocka_unit_test(refuses_whom_capf_trust_does_not_know),
		cmocka_unit_test(refuses_whom_the_stores_take_for_a_mic),
		cmocka_unit_test(refuses_who_could_only_enrol),
		cmocka_unit_test(refuses_an_expired_one),
		cmocka_unit_test(misses_the_ca_in_either_store),
		cmocka_unit_test(a_ca_that_is_named_as_a_capf_is_warned_of),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("believe", tests, set_up, tear_down);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about who may register: the table of admit's judgements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "registrar/admit.h"

enum { NO_CERT = -1 };

#define DEVICE(name_, profile_) \
	.name = (char *)(name_), .profile = (char *)(profile_)

static struct config_device devices[] = {
	{DEVICE("SEP020000000001", "encrypted")},
	{DEVICE("SEP020000000002", "encrypted"), .mic = true},
	{DEVICE("SEP020000000003", "non-secure")},
	{DEVICE("SEP020000000004", "authenticated")},
	{DEVICE("SEP020000000005", "encrypted"), .protocol = DEVICE_SIP},
	{DEVICE("SEP020000000006", "gone")},
};
static struct config config = {.devices = devices, .n_devices = 6};
static struct inventory *inventory;

static int set_up(void **state)
{
	inventory = inventory_new(&config);
	return 0;
}

static int tear_down(void **state)
{
	inventory_free(inventory);
	return 0;
}

static void decide(
	const struct peer *peer, const char *device, struct admit_verdict *v)
{
	admit_decide(&config, inventory, peer, device, v);
}

/* A row: what came over SCCP, and the judgement. kind NO_CERT: plain TCP. */
static const struct {
	const char *device;	 /* registers as */
	const char *certificate; /* names */
	int kind;
	enum reason_failure code;
	const char *cipher;
} rows[] = {
	{"SEP0200000000FF", "SEP0200000000FF", CERT_KIND_LSC, 0},
	{"sep0200000000ff", "SEP0200000000FF", CERT_KIND_LSC, 0},
	{"SEP020000000001", "SEP0200000000FF", CERT_KIND_LSC, 11},
	{"SEP020000000002", "SEP0200000000FF", CERT_KIND_MIC, 11},
	{"SEP020000000001", "", CERT_KIND_LSC, 11},
	{"SEP020000000002", "SEP020000000002", CERT_KIND_MIC, 0},
	{"SEP020000000001", "SEP020000000001", CERT_KIND_MIC, 10},
	{"SEP0200000000FF", "SEP0200000000FF", CERT_KIND_MIC, 2},
	{"SEP0200000000FF", "SEP0200000000FF", CERT_KIND_UNKNOWN, 2},
	{"SEP020000000003", "", NO_CERT, 0},
	{"SEP020000000003", "SEP020000000003", CERT_KIND_LSC, 28},
	{"SEP020000000004", "SEP020000000004", CERT_KIND_LSC, 12},
	{"SEP020000000004", "SEP020000000004", CERT_KIND_LSC, 0, "NULL-SHA"},
	{"SEP020000000004", "SEP020000000004", CERT_KIND_MIC, 10, "NULL-SHA"},
	{"SEP020000000004", "", NO_CERT, 28},
	{"SEP020000000001", "SEP020000000001", CERT_KIND_LSC, 12, "NULL-SHA"},
	{"SEP0200000000FF", "SEP0200000000FF", CERT_KIND_LSC, 12,
		"NULL-SHA256"},
	{"SEP020000000005", "SEP020000000005", CERT_KIND_LSC, 15},
	{"SEP020000000006", "SEP020000000006", CERT_KIND_LSC, 3},
	{"SEP020000000001", "", NO_CERT, 28},
	{"SEP0200000000FF", "", NO_CERT, 2},
	{"", "", CERT_KIND_LSC, 14},
	{"SEP 1", "SEP 1", CERT_KIND_LSC, 14},
	{"SEP\"1", "SEP\"1", CERT_KIND_LSC, 14},
	{"SEP\x01", "SEP\x01", CERT_KIND_LSC, 14},
};

static void peer_of(size_t i, struct peer *peer)
{
	static const struct trust_anchor anchor = {.file = "CAPF.pem"};
	static struct peer_cert cert;
	static char cn[80];
	*peer = (struct peer){.tls = rows[i].kind != NO_CERT};
	if (!peer->tls)
		return;
	peer->verified = true;
	peer->cipher = rows[i].cipher ? rows[i].cipher : "AES128-SHA";
	peer->kind = (enum cert_kind)rows[i].kind;
	snprintf(cn, sizeof(cn), "CP-8861-%s", rows[i].certificate);
	cert = (struct peer_cert){.device = rows[i].certificate, .cn = cn};
	peer->cert = &cert;
	peer->anchor = &anchor;
}

static void every_row_is_judged_as_written(void **state)
{
	config.unknown_devices = CONFIG_UNKNOWN_LSC;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct peer peer;
		struct admit_verdict v;
		peer_of(i, &peer);
		decide(&peer, rows[i].device, &v);
		if (v.code != rows[i].code)
			fail_msg("row %zu: %d, not %d: %s", i, (int)v.code,
				(int)rows[i].code, v.why);
	}
}

static void every_refusal_says_why_and_how_to_cure_it(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct peer peer;
		struct admit_verdict v;
		peer_of(i, &peer);
		decide(&peer, rows[i].device, &v);
		if (v.code == REASON_FAILURE_NO_ERROR)
			continue;
		assert_true(strlen(v.why) > 10 && strlen(v.cure) > 10);
		assert_true(strlen(v.rule) > 3);
		assert_in_range(strlen(v.phone_text), 4, 31);
		assert_in_range(v.sip_status, 400, 699);
	}
}

static void name_mismatch_names_received_and_expected(void **state)
{
	struct peer peer;
	struct admit_verdict v;
	peer_of(2, &peer);
	decide(&peer, rows[2].device, &v);
	assert_non_null(strstr(
		v.why, "Rcvd=CP-8861-SEP0200000000FF, Expected=SEP0200"));
}

static void plain_for_a_tls_device_gets_cucms_warning(void **state)
{
	struct peer peer = {.tls = false};
	struct admit_verdict v;
	decide(&peer, "SEP020000000001", &v);
	assert_string_equal(v.sip_warning,
		"Device security mismatch: expected TLS, received TCP/UDP");
	assert_int_equal(v.sip_status, 403);
}

static void tls_without_a_verified_certificate_is_refused(void **state)
{
	struct peer_cert cert = {.device = "SEP0200000000FF"};
	struct peer peer = {.tls = true, .cert = &cert};
	struct admit_verdict v;
	decide(&peer, "SEP0200000000FF", &v);
	assert_int_equal(v.code, REASON_FAILURE_AUTHENTICATION);
}

static void unknown_devices_are_refused_by_default(void **state)
{
	struct peer peer;
	struct admit_verdict v;
	peer_of(0, &peer);
	config.unknown_devices = CONFIG_UNKNOWN_REFUSE;
	decide(&peer, rows[0].device, &v);
	assert_int_equal(v.code, REASON_FAILURE_NO_ENTRY);
	assert_non_null(strstr(v.cure, "dialtone device add SEP0200000000FF"));
}

static void a_non_secure_cluster_takes_no_device_over_tls(void **state)
{
	struct peer plain = {.tls = false}, tls;
	struct admit_verdict v;
	config.cluster_mode = CONFIG_CLUSTER_NON_SECURE;
	decide(&plain, "SEP020000000001", &v);
	assert_int_equal(v.code, REASON_FAILURE_NO_ERROR);
	peer_of(5, &tls);
	decide(&tls, rows[5].device, &v);
	assert_int_equal(v.code, REASON_FAILURE_SECURITY_MISMATCH);
	/* No profile cures that: all of them are non-secure here. */
	assert_non_null(strstr(v.why, "cluster"));
	assert_non_null(strstr(v.cure, "security.cluster_mode"));
	assert_null(strstr(v.cure, "--profile"));
	config.cluster_mode = CONFIG_CLUSTER_MIXED;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_judged_as_written),
		cmocka_unit_test(every_refusal_says_why_and_how_to_cure_it),
		cmocka_unit_test(name_mismatch_names_received_and_expected),
		cmocka_unit_test(plain_for_a_tls_device_gets_cucms_warning),
		cmocka_unit_test(tls_without_a_verified_certificate_is_refused),
		cmocka_unit_test(unknown_devices_are_refused_by_default),
		cmocka_unit_test(a_non_secure_cluster_takes_no_device_over_tls),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("admit", tests, set_up, tear_down);
}

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

static struct config_device devices[] = {
	{.name = (char *)"SEP020000000001"},
	{.name = (char *)"SEP020000000002", .mic = true},
	{.name = (char *)"SEP020000000003", .plain = true},
};
static const struct config config = {.devices = devices, .n_devices = 3};

/* A row: what came, and the judgement. kind NO_CERT: plain TCP. */
static const struct {
	const char *device;	 /* registers as */
	const char *certificate; /* names */
	int kind;
	enum reason_failure code;
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
	{"SEP020000000001", "", NO_CERT, 28},
	{"SEP0200000000FF", "", NO_CERT, 2},
	{"", "", CERT_KIND_LSC, 14},
	{"SEP 1", "SEP 1", CERT_KIND_LSC, 14},
	{"SEP\"1", "SEP\"1", CERT_KIND_LSC, 14},
	{"SEP\x01", "SEP\x01", CERT_KIND_LSC, 14},
};

static void peer_of(size_t i, struct peer *peer)
{
	static struct peer_cert cert;
	static char cn[80];
	*peer = (struct peer){.tls = rows[i].kind != NO_CERT};
	if (!peer->tls)
		return;
	peer->verified = true;
	peer->kind = (enum cert_kind)rows[i].kind;
	snprintf(cn, sizeof(cn), "CP-8861-%s", rows[i].certificate);
	cert = (struct peer_cert){.device = rows[i].certificate, .cn = cn};
	peer->cert = &cert;
	peer->anchor = "CAPF.pem";
}

static void every_row_is_judged_as_written(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct peer peer;
		struct admit_verdict v;
		peer_of(i, &peer);
		admit_decide(&config, &peer, rows[i].device, &v);
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
		admit_decide(&config, &peer, rows[i].device, &v);
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
	admit_decide(&config, &peer, rows[2].device, &v);
	assert_non_null(strstr(
		v.why, "Rcvd=CP-8861-SEP0200000000FF, Expected=SEP0200"));
}

static void plain_for_a_tls_device_gets_cucms_warning(void **state)
{
	struct peer peer = {.tls = false};
	struct admit_verdict v;
	admit_decide(&config, &peer, "SEP020000000001", &v);
	assert_string_equal(v.sip_warning,
		"Device security mismatch: expected TLS, received TCP/UDP");
	assert_int_equal(v.sip_status, 403);
}

static void tls_without_a_verified_certificate_is_refused(void **state)
{
	struct peer_cert cert = {.device = "SEP0200000000FF"};
	struct peer peer = {.tls = true, .cert = &cert};
	struct admit_verdict v;
	admit_decide(&config, &peer, "SEP0200000000FF", &v);
	assert_int_equal(v.code, REASON_FAILURE_AUTHENTICATION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_judged_as_written),
		cmocka_unit_test(every_refusal_says_why_and_how_to_cure_it),
		cmocka_unit_test(name_mismatch_names_received_and_expected),
		cmocka_unit_test(plain_for_a_tls_device_gets_cucms_warning),
		cmocka_unit_test(tls_without_a_verified_certificate_is_refused),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("admit", tests, NULL, NULL);
}

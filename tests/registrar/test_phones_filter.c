/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about whom a poller's filters pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "registrar/status/phones_filter.h"

/* Does the only parameter pass the phone? -1: the value was refused. */
static int passes(
	const char *name, const char *value, const struct directory_entry *e)
{
	struct query q = {
		.rows = phones_parameters, .list = {{name, value}}, .n = 1};
	struct plane_answer out = {0};
	struct phones_filter f;
	bool good = phones_filter_read(&f, &q, "node-a", &out);
	json_decref(out.json);
	return good ? phones_filter_passes(&f, e) : -1;
}

static const struct directory_entry secure = {
	.device = "SEP0011",
	.address = "192.0.2.129",
	.cipher = "ECDHE-RSA-AES128-GCM-SHA256",
	.issuer_cn = "CAPF-01234567",
	.model = "CP-8841",
	.registered = true,
	.protocol = CONFIG_SIP,
	.tls = true,
	.kind = CERT_KIND_LSC,
	.cert_not_after = 1798761600, /* 2027-01-01 */
};

static void each_filter_passes_and_stops(void **state)
{
	static const struct {
		const char *name, *value;
		int passes;
	} rows[] = {
		{"state", "registered", 1},
		{"state", "rejected", 0},
		{"state", "Registered", -1},
		{"state", "unknown", -1},
		{"protocol", "sip", 1},
		{"protocol", "sccp", 0},
		{"protocol", "capf", -1},
		{"security", "encrypted", 1},
		{"security", "authenticated", 0},
		{"security", "", -1},
		{"certificate", "lsc", 1},
		{"certificate", "MIC", 0},
		{"certificate", "ITL", -1},
		{"issuer", "capf-01234567", 1},
		{"issuer", "CAPF", 0},
		{"issuer", "", -1},
		{"expiresBefore", "2027-01-01", 0},
		{"expiresBefore", "2027-01-01T00:00:01Z", 1},
		{"expiresBefore", "2027-13-01", -1},
		{"model", "cp-8841", 1},
		{"model", "CP-88", 0},
		{"node", "NODE-A", 1},
		{"node", "node-b", 0},
		{"namePrefix", "sep00", 1},
		{"namePrefix", "SEP0011", 1},
		{"namePrefix", "SEP00112", 0},
		{"ip", "192.0.2.129", 1},
		{"ip", "192.0.2.128", 0},
		{"ip", "192.0.2.128/25", 1},
		{"ip", "192.0.2.0/25", 0},
		{"ip", "192.0.2.130/31", 0},
		{"ip", "192.0.2.128/31", 1},
		{"ip", "0.0.0.0/0", 1},
		{"ip", "::/0", 1},
		{"ip", "::ffff:192.0.2.129", 1},
		{"ip", "2001:db8::/32", 0},
		{"ip", "192.0.2.129/33", -1},
		{"ip", "::/129", -1},
		{"ip", "192.0.2.129/-1", -1},
		{"ip", "192.0.2.129/ 1", -1},
		{"ip", "192.0.2", -1},
		{"ip", "", -1},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int found = passes(rows[i].name, rows[i].value, &secure);
		if (found != rows[i].passes)
			fail_msg("%s=%s: %d", rows[i].name, rows[i].value,
				found);
	}
}

static void what_a_plain_phone_has_not_does_not_pass(void **state)
{
	struct directory_entry plain = secure;
	plain.tls = false;
	plain.cipher = "";
	plain.kind = CERT_KIND_UNKNOWN;
	plain.address = "2001:db8::17";
	assert_int_equal(passes("security", "plain", &plain), 1);
	assert_int_equal(passes("certificate", "unknown", &plain), 0);
	assert_int_equal(passes("expiresBefore", "2099-01-01", &plain), 0);
	assert_int_equal(passes("ip", "2001:db8::/32", &plain), 1);
	assert_int_equal(passes("ip", "2001:db9::/32", &plain), 0);
	assert_int_equal(passes("ip", "0.0.0.0/0", &plain), 0);
	plain.tls = true;
	plain.cipher = "ECDHE-RSA-NULL-SHA";
	assert_int_equal(passes("security", "authenticated", &plain), 1);
}

static void who_was_refused_since_is_rejected(void **state)
{
	struct directory_entry gone = secure;
	gone.registered = false;
	gone.since_ms = 5000;
	assert_int_equal(passes("state", "unregistered", &gone), 1);
	gone.refused_ms = 5000;
	assert_int_equal(passes("state", "rejected", &gone), 0);
	gone.refused_ms = 5001;
	assert_int_equal(passes("state", "rejected", &gone), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_filter_passes_and_stops),
		cmocka_unit_test(what_a_plain_phone_has_not_does_not_pass),
		cmocka_unit_test(who_was_refused_since_is_rejected),
	};
	return cmocka_run_group_tests_name("phones_filter", tests, NULL, NULL);
}

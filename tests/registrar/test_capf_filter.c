/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the networks that an order to CAPF can be limited to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "registrar/admin/capf_filter.h"

static void has(const char *net, const char *address, bool yes)
{
	struct capf_subnet s;
	if (!capf_subnet_read(net, &s))
		fail_msg("%s is no network", net);
	if (capf_subnet_has(&s, address) != yes)
		fail_msg("%s %s %s", net, yes ? "lacks" : "has", address);
}

static void ipv4_networks_hold_their_addresses(void **state)
{
	has("10.1.0.0/16", "10.1.255.255", true);
	has("10.1.0.0/16", "10.2.0.0", false);
	has("10.1.128.0/17", "10.1.127.255", false);
	has("10.1.128.0/17", "10.1.128.0", true);
	has("0.0.0.0/0", "255.1.2.3", true);
	has("192.0.2.7", "192.0.2.7", true);
	has("192.0.2.7", "192.0.2.6", false);
	has("192.0.2.6/31", "192.0.2.7", true);
}

static void ipv6_networks_hold_their_addresses(void **state)
{
	has("2001:db8::/32", "2001:db8:1::7", true);
	has("2001:db8::/32", "2001:db9::7", false);
	has("2001:db8::8/125", "2001:db8::f", true);
	has("2001:db8::8/125", "2001:db8::10", false);
	has("::/0", "2001:db8::1", true);
}

/* A whole IPv4 internet is not in ::/96, but IPv4 is IPv4 however written. */
static void an_ipv4_address_is_one_in_either_form(void **state)
{
	has("10.0.0.0/8", "::ffff:10.1.2.3", true);
	has("::ffff:10.0.0.0/104", "10.1.2.3", true);
	has("2001:db8::/32", "10.1.2.3", false);
	has("0.0.0.0/0", "2001:db8::1", false);
}

static void what_is_no_address_is_in_no_network(void **state)
{
	has("0.0.0.0/0", "", false);
	has("::/0", "10.1.2", false);
}

static void refuses_what_is_no_network(void **state)
{
	static const char *const none[] = {"", "/8", "10.1.0.0/", "10.1/16",
		"10.1.0.0/33", "10.1.0.0/-1", "10.1.0.0/+8", "10.1.0.0/8x",
		"10.1.2.3/16", "2001:db8::/129", "2001:db8::1/64", "host/8",
		"10.1.0.0/ 8", "::ffff:10.1.2.3/104",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:1111/8"};
	struct capf_subnet s;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (capf_subnet_read(none[i], &s))
			fail_msg("\"%s\" passes", none[i]);
}

static void an_issuer_is_known_by_any_of_its_names(void **state)
{
	static const uint8_t ours[32] = {1}, others[32] = {2};
	struct capf_issuer i = {
		.text = "CAPF-a7fb32bf", .sha256 = {{1}}, .n = 1};
	assert_true(capf_issuer_is(&i, ours, "", ""));
	assert_true(capf_issuer_is(&i, others, "capf-A7FB32BF", ""));
	assert_true(capf_issuer_is(&i, others, "", "CAPF-a7fb32bf"));
	assert_false(capf_issuer_is(&i, others, "CAPF-a7fb32b", ""));
	assert_false(capf_issuer_is(&i, others, "", ""));
	i.text = NULL;
	assert_true(capf_issuer_is(&i, others, "", ""));
}

int main(void)
{
	const struct CMUnitTest facts[] = {
		cmocka_unit_test(ipv4_networks_hold_their_addresses),
		cmocka_unit_test(ipv6_networks_hold_their_addresses),
		cmocka_unit_test(an_ipv4_address_is_one_in_either_form),
		cmocka_unit_test(what_is_no_address_is_in_no_network),
		cmocka_unit_test(refuses_what_is_no_network),
		cmocka_unit_test(an_issuer_is_known_by_any_of_its_names),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("capf filter", facts, NULL, NULL);
}

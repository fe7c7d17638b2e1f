/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the addresses that phones call from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include <arpa/inet.h>

#include "bench/sources.h"

static struct sources s;

static const char *at(unsigned i)
{
	static char text[INET_ADDRSTRLEN];
	struct sockaddr_in address;
	sources_at(&s, i, &address);
	assert_int_equal(address.sin_port, 0);
	assert_non_null(
		inet_ntop(AF_INET, &address.sin_addr, text, sizeof(text)));
	return text;
}

static void accepted(const char *range, unsigned n)
{
	struct diag d = {.text = ""};
	if (sources_parse(range, n, TARGET_LOOPBACK_ONLY, &s, &d) != 0)
		fail_msg("%s", d.text);
}

static void refused(const char *range, unsigned n, const char *why)
{
	struct diag d = {.text = ""};
	assert_true(sources_parse(range, n, TARGET_LOOPBACK_ONLY, &s, &d) < 0);
	if (!strstr(d.text, why))
		fail_msg("'%s' does not say '%s'", d.text, why);
}

static void a_small_range_is_used_up_in_turn(void **state)
{
	accepted("127.1.2.0/29", 6);
	assert_string_equal(at(0), "127.1.2.1");
	assert_string_equal(at(5), "127.1.2.6");
	assert_string_equal(at(6), "127.1.2.1");
	refused("127.1.2.0/29", 7, "room for 6 addresses, not 7");
}

static void a_wide_range_is_spread_over_its_prefixes(void **state)
{
	accepted("127.0.0.0/8", 256);
	assert_string_equal(at(0), "127.0.0.1");
	assert_string_equal(at(1), "127.1.0.0");
	assert_string_equal(at(255), "127.254.255.2");
}

static void an_address_within_the_range_names_it(void **state)
{
	accepted("127.1.2.77/24", 1);
	assert_string_equal(at(9), "127.1.2.1");
}

static void none_are_asked_for_and_none_are_there(void **state)
{
	accepted("nonsense", 0);
	assert_int_equal(s.n, 0);
}

static void nonsense_and_strangers_are_refused(void **state)
{
	refused("127.1.0.0", 1, "is not like 127.1.0.0/16");
	refused("127.1.0.0/", 1, "is not like 127.1.0.0/16");
	refused("127.1.0.0/7", 1, "is not like 127.1.0.0/16");
	refused("127.1.0.0/31", 1, "is not like 127.1.0.0/16");
	refused("127.1.0/16", 1, "is not like 127.1.0.0/16");
	refused("::1/16", 1, "is not like 127.1.0.0/16");
	refused("127.1.0.0/16x", 1, "is not like 127.1.0.0/16");
	refused("192.0.2.0/24", 1, "not within 127.0.0.0/8");
	struct diag d = {.text = ""};
	assert_int_equal(
		sources_parse("192.0.2.0/24", 1, TARGET_ANY_ADDRESS, &s, &d),
		0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_range_is_used_up_in_turn),
		cmocka_unit_test(a_wide_range_is_spread_over_its_prefixes),
		cmocka_unit_test(an_address_within_the_range_names_it),
		cmocka_unit_test(none_are_asked_for_and_none_are_there),
		cmocka_unit_test(nonsense_and_strangers_are_refused),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

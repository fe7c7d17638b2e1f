/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about Host: which names are ours, and which lead astray. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cmocka.h>

#include "registrar/http/host.h"

static struct sockaddr_storage at(const char *text)
{
	struct sockaddr_storage all = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&all;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&all;
	bool six = strchr(text, ':');
	all.ss_family = six ? AF_INET6 : AF_INET;
	assert_int_equal(
		inet_pton(all.ss_family, text,
			six ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr),
		1);
	return all;
}

static bool ours(const char *host, const char *local, const char *names)
{
	struct sockaddr_storage address = at(local);
	return host_is_ours(host, &address, names);
}

static void loopback_is_ours_however_it_is_written(void **state)
{
	static const char *const all[] = {"localhost", "LOCALHOST:8088",
		"localhost.", "localhost.:8088", "127.0.0.1", "127.0.0.1:8088",
		"127.9.9.9", "[::1]", "[::1]:8088", "[::ffff:127.0.0.1]:1",
		"localhost:"};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_true(ours(all[i], "192.0.2.1", ""));
}

static void address_that_was_connected_to_is_ours(void **state)
{
	assert_true(ours("192.0.2.1:8088", "192.0.2.1", ""));
	assert_true(ours("192.0.2.1", "::ffff:192.0.2.1", ""));
	assert_true(ours("[2001:db8::1]:80", "2001:db8::1", ""));
	assert_false(ours("192.0.2.2", "192.0.2.1", ""));
	assert_false(ours("[2001:db8::2]", "2001:db8::1", ""));
}

static void names_that_were_configured_are_ours(void **state)
{
	static const char names[] = "a.example, B.example,2001:db8::7";
	assert_true(ours("A.EXAMPLE:8088", "192.0.2.1", names));
	assert_true(ours("b.example.", "192.0.2.1", names));
	assert_true(ours("[2001:db8::7]:1", "192.0.2.1", names));
	assert_false(ours("a.example.evil.example", "192.0.2.1", names));
	assert_false(ours("a", "192.0.2.1", names));
	assert_false(ours("a.example, B.example", "192.0.2.1", names));
}

static void whatever_else_is_none(void **state)
{
	static char longest[300];
	static const char *const bad[] = {"", ":", ":8088", ".", "[", "[]",
		"[::1", "::1", "[::1]x", "[::1]:x", "localhost:80:80",
		"localhost:x", "localhost..", "localhost@evil", "evil.example",
		"0.0.0.0", "[::]", "127.1", "2130706433", "0x7f.0.0.1",
		"127.0.0.1.evil.example", " localhost", "localhost ",
		"lo\303\247alhost", longest};
	memset(longest, 'a', sizeof(longest) - 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(ours(bad[i], "192.0.2.1", "x.example"));
}

static void configuration_takes_names_and_addresses_alone(void **state)
{
	static const char *const good[] = {"", "a", "a.example,b_1.example",
		"192.0.2.1, 2001:db8::1", ",,"};
	static const char *const bad[] = {
		"a:80", "a.", "http://a", "*", "[::1]", "a/b", "a\x01"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(host_names_are_good(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(host_names_are_good(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loopback_is_ours_however_it_is_written),
		cmocka_unit_test(address_that_was_connected_to_is_ours),
		cmocka_unit_test(names_that_were_configured_are_ours),
		cmocka_unit_test(whatever_else_is_none),
		cmocka_unit_test(configuration_takes_names_and_addresses_alone),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}

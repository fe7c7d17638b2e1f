/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the caps on connections. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "registrar/net/limits.h"

static void half_open_ones_are_capped_in_all(void **state)
{
	struct limits *l = limits_new(100, 2, 10);
	assert_true(limits_room(l));
	assert_true(limits_enter(l, "192.0.2.1", false));
	assert_true(limits_enter(l, "192.0.2.2", false));
	assert_false(limits_room(l));
	limits_opened(l, "192.0.2.1", false);
	assert_true(limits_room(l));
	assert_int_equal(limits_count(l).connections, 2);
	assert_int_equal(limits_count(l).half_open, 1);
	limits_free(l);
}

static void half_open_ones_are_capped_per_address(void **state)
{
	struct limits *l = limits_new(100, 50, 1);
	assert_true(limits_enter(l, "192.0.2.1", false));
	assert_false(limits_enter(l, "192.0.2.1", false));
	assert_int_equal(limits_count(l).connections, 1);
	assert_true(limits_enter(l, "2001:db8::1", false));
	limits_opened(l, "192.0.2.1", false);
	assert_true(limits_enter(l, "192.0.2.1", false));
	limits_free(l);
}

static void forged_datagrams_do_not_shut_out_their_address(void **state)
{
	struct limits *l = limits_new(100, 50, 1);
	assert_true(limits_enter(l, "192.0.2.1", true));
	assert_false(limits_enter(l, "192.0.2.1", true));
	assert_true(limits_enter(l, "192.0.2.1", false));
	limits_opened(l, "192.0.2.1", true);
	assert_false(limits_enter(l, "192.0.2.1", false));
	assert_true(limits_enter(l, "192.0.2.1", true));
	assert_int_equal(limits_count(l).half_open, 2);
	limits_free(l);
}

static void address_with_three_and_a_sixteenth_is_heavy(void **state)
{
	struct limits *l = limits_new(1000, 1000, 1000);
	char address[16];
	assert_true(limits_enter(l, "192.0.2.1", true));
	for (int i = 0; i < 3; i++) {
		assert_false(limits_heavy(l, "192.0.2.1"));
		assert_true(limits_enter(l, "192.0.2.1", false));
	}
	assert_true(limits_heavy(l, "192.0.2.1"));
	for (int i = 4; i < 48; i++) {
		assert_true(limits_heavy(l, "192.0.2.1"));
		snprintf(address, sizeof(address), "192.0.2.%d", i);
		assert_true(limits_enter(l, address, false));
		assert_false(limits_heavy(l, address));
	}
	assert_false(limits_heavy(l, "192.0.2.1")); /* 3 of 48 */
	limits_opened(l, "192.0.2.47", false);
	assert_true(limits_heavy(l, "192.0.2.1"));
	limits_free(l);
}

static void connections_are_capped(void **state)
{
	struct limits *l = limits_new(1, 50, 50);
	assert_true(limits_enter(l, "192.0.2.1", false));
	limits_opened(l, "192.0.2.1", false);
	assert_false(limits_room(l));
	limits_leave(l);
	assert_true(limits_room(l));
	limits_free(l);
}

static void *come_and_go(void *arg)
{
	for (int i = 0; i < 5000; i++) {
		char address[24];
		snprintf(address, sizeof(address), "192.0.2.%d", i % 7);
		if (!limits_room(arg) || !limits_enter(arg, address, false))
			continue;
		limits_opened(arg, address, false);
		limits_leave(arg);
	}
	return NULL;
}

static void threads_leave_nothing_behind(void **state)
{
	pthread_t threads[4];
	struct limits *l = limits_new(8, 4, 2);
	for (size_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, come_and_go, l);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(limits_count(l).connections, 0);
	assert_int_equal(limits_count(l).half_open, 0);
	limits_free(l);
}

static void a_part_is_counted_in_the_whole(void **state)
{
	struct limits *whole = limits_new(8, 8, 8);
	struct limits *part = limits_share(whole, 4);
	assert_true(limits_enter(part, "192.0.2.1", false));
	assert_true(limits_enter(part, "192.0.2.1", false));
	assert_false(limits_room(part));
	assert_true(limits_room(whole));
	assert_false(limits_enter(part, "192.0.2.1", false));
	assert_int_equal(limits_count(whole).connections, 2);
	assert_int_equal(limits_count(whole).half_open, 2);
	limits_opened(part, "192.0.2.1", false);
	assert_int_equal(limits_count(whole).half_open, 1);
	limits_opened(part, "192.0.2.1", false);
	limits_leave(part);
	limits_leave(part);
	assert_int_equal(limits_count(whole).connections, 0);
	limits_free(part);
	limits_free(whole);
}

static void whole_that_refuses_is_not_counted_in_its_part(void **state)
{
	struct limits *whole = limits_new(100, 100, 4);
	struct limits *part = limits_share(whole, 4);
	for (int i = 0; i < 4; i++)
		assert_true(limits_enter(whole, "192.0.2.1", false));
	assert_false(limits_enter(part, "192.0.2.1", false));
	assert_int_equal(limits_count(part).connections, 0);
	assert_int_equal(limits_count(whole).connections, 4);
	limits_free(part);
	limits_free(whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_open_ones_are_capped_in_all),
		cmocka_unit_test(half_open_ones_are_capped_per_address),
		cmocka_unit_test(
			forged_datagrams_do_not_shut_out_their_address),
		cmocka_unit_test(address_with_three_and_a_sixteenth_is_heavy),
		cmocka_unit_test(connections_are_capped),
		cmocka_unit_test(a_part_is_counted_in_the_whole),
		cmocka_unit_test(whole_that_refuses_is_not_counted_in_its_part),
		cmocka_unit_test(threads_leave_nothing_behind),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}

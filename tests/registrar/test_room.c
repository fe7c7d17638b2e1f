/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the waiting room: whose turn it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "registrar/net/room.h"

enum { STALE_MS = 2000, NOW = 100000 };

static struct in6_addr address(const char *text)
{
	struct in6_addr out;
	char mapped[64];
	snprintf(mapped, sizeof(mapped), "%s%s",
		strchr(text, ':') ? "" : "::ffff:", text);
	assert_int_equal(inet_pton(AF_INET6, mapped, &out), 1);
	return out;
}

/* fd is no descriptor here but the guest's name. */
static void come(struct room *r, int fd, const char *from,
	enum room_class class, uint64_t since_ms)
{
	room_put(r, &(struct room_guest){.fd = fd,
			    .address = address(from),
			    .class = class,
			    .since_ms = since_ms});
}

static int next(struct room *r, uint64_t now_ms)
{
	struct room_guest guest;
	return room_take(r, now_ms, &guest) ? guest.fd : -1;
}

static void expect(struct room *r, uint64_t now_ms, const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(next(r, now_ms), fds[i]);
}
#define EXPECT(r, now, ...)                        \
	expect(r, now, (const int[]){__VA_ARGS__}, \
		sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

static void an_empty_room_has_nobody(void **state)
{
	struct room *r = room_new(1, STALE_MS);
	struct room_guest guest;
	assert_int_equal(next(r, NOW), -1);
	assert_false(room_take_older(r, NOW, &guest));
	assert_false(room_take_heaviest(r, &guest));
	assert_int_equal(room_oldest_ms(r, ROOM_STRANGERS, NOW), 0);
	assert_false(room_full(r));
	room_free(r);
}

static void strangers_come_oldest_first_while_all_can_be_served(void **state)
{
	struct room *r = room_new(8, STALE_MS);
	for (int i = 1; i <= 3; i++)
		come(r, i, "192.0.2.1", ROOM_STRANGERS, NOW + (uint64_t)i);
	assert_int_equal(room_count(r, ROOM_STRANGERS), 3);
	assert_int_equal(room_oldest_ms(r, ROOM_STRANGERS, NOW + 11), 10);
	EXPECT(r, NOW + 10, 1, 2, 3, -1);
	room_free(r);
}

static void strangers_come_newest_first_once_one_waits_too_long(void **state)
{
	struct room *r = room_new(8, STALE_MS);
	come(r, 1, "192.0.2.1", ROOM_STRANGERS, NOW);
	come(r, 2, "192.0.2.1", ROOM_STRANGERS, NOW + 1900);
	come(r, 3, "192.0.2.1", ROOM_STRANGERS, NOW + 1950);
	assert_int_equal(next(r, NOW + STALE_MS + 1), 3);
	come(r, 4, "192.0.2.1", ROOM_STRANGERS, NOW + STALE_MS);
	EXPECT(r, NOW + STALE_MS + 1, 4, 2, 1, -1);
	room_free(r);
}

static void resuming_ones_are_never_served_newest_first(void **state)
{
	struct room *r = room_new(8, STALE_MS);
	for (int i = 1; i <= 3; i++)
		come(r, i, "192.0.2.1", ROOM_RESUMING, NOW);
	EXPECT(r, NOW + 10 * STALE_MS, 1, 2, 3, -1);
	room_free(r);
}

static void resuming_ones_come_first_but_strangers_have_a_share(void **state)
{
	struct room *r = room_new(64, STALE_MS);
	for (int i = 0; i < 30; i++)
		come(r, 100 + i, "192.0.2.1", ROOM_STRANGERS, NOW);
	for (int i = 0; i < 30; i++)
		come(r, 200 + i, "192.0.2.1", ROOM_RESUMING, NOW);
	int strangers = 0;
	for (int i = 1; i <= 3 * ROOM_SHARE; i++) {
		strangers += next(r, NOW) < 200;
		assert_int_equal(strangers, i / ROOM_SHARE);
	}
	assert_int_equal(room_count(r, ROOM_STRANGERS), 27);
	while (next(r, NOW) >= 0)
		continue;
	room_free(r);
}

static void prefixes_take_turns(void **state)
{
	struct room *r = room_new(64, STALE_MS);
	for (int i = 0; i < 5; i++)
		come(r, 10 + i, "192.0.2.7", ROOM_STRANGERS, NOW);
	come(r, 20, "198.51.100.1", ROOM_STRANGERS, NOW);
	come(r, 21, "198.51.100.200", ROOM_STRANGERS, NOW);
	come(r, 30, "2001:db8:0:100::1", ROOM_STRANGERS, NOW);
	come(r, 31, "2001:db8:0:1ff::9", ROOM_STRANGERS, NOW);
	come(r, 40, "2001:db8:0:200::1", ROOM_STRANGERS, NOW);
	EXPECT(r, NOW, 10, 20, 30, 40, 11, 21, 31, 12);
	/* Who comes anew is last in turn. */
	come(r, 50, "203.0.113.1", ROOM_STRANGERS, NOW);
	EXPECT(r, NOW, 13, 50, 14, -1);
	room_free(r);
}

static void prefixes_take_turns_when_newest_come_first(void **state)
{
	struct room *r = room_new(64, STALE_MS);
	come(r, 10, "192.0.2.7", ROOM_STRANGERS, NOW - 2 * STALE_MS);
	come(r, 11, "192.0.2.7", ROOM_STRANGERS, NOW);
	come(r, 20, "198.51.100.1", ROOM_STRANGERS, NOW);
	come(r, 12, "192.0.2.7", ROOM_STRANGERS, NOW);
	EXPECT(r, NOW, 12, 20, 11, 10, -1);
	room_free(r);
}

static void a_full_room_is_full_of_both_classes(void **state)
{
	struct room *r = room_new(2, STALE_MS);
	come(r, 1, "192.0.2.1", ROOM_STRANGERS, NOW);
	assert_false(room_full(r));
	come(r, 2, "192.0.2.1", ROOM_RESUMING, NOW);
	assert_true(room_full(r));
	EXPECT(r, NOW, 2, 1, -1);
	room_free(r);
}

static void the_heaviest_prefix_gives_its_oldest_stranger(void **state)
{
	struct room *r = room_new(64, STALE_MS);
	struct room_guest guest;
	come(r, 10, "192.0.2.1", ROOM_STRANGERS, NOW - 9);
	for (int i = 0; i < 3; i++)
		come(r, 20 + i, "198.51.100.1", ROOM_RESUMING, NOW);
	for (int i = 3; i < 5; i++)
		come(r, 20 + i, "198.51.100.2", ROOM_STRANGERS, NOW);
	come(r, 30, "203.0.113.1", ROOM_STRANGERS, NOW);
	come(r, 31, "203.0.113.1", ROOM_STRANGERS, NOW);
	/* Strangers before those with a session; then as light as another. */
	const int order[] = {23, 24, 20, 0, 0, 10};
	for (size_t i = 0; i < 3; i++) {
		assert_true(room_take_heaviest(r, &guest));
		assert_int_equal(guest.fd, order[i]);
	}
	/* Two prefixes of two: one of each, either first. */
	assert_true(room_take_heaviest(r, &guest));
	int sum = guest.fd;
	assert_true(room_take_heaviest(r, &guest));
	assert_int_equal(sum + guest.fd, 21 + 30);
	/* All of one: the first that came. */
	assert_true(room_take_heaviest(r, &guest));
	assert_int_equal(guest.fd, 10);
	assert_true(room_take_heaviest(r, &guest));
	assert_int_equal(guest.fd, 31);
	assert_true(room_take_heaviest(r, &guest));
	assert_int_equal(guest.fd, 22);
	assert_false(room_take_heaviest(r, &guest));
	room_free(r);
}

static void those_who_waited_too_long_come_out(void **state)
{
	struct room *r = room_new(64, STALE_MS);
	struct room_guest guest;
	come(r, 1, "192.0.2.1", ROOM_STRANGERS, NOW - 100);
	come(r, 2, "192.0.2.1", ROOM_RESUMING, NOW - 50);
	come(r, 3, "192.0.2.2", ROOM_STRANGERS, NOW);
	assert_true(room_take_older(r, NOW, &guest));
	assert_int_equal(guest.fd, 2);
	assert_int_equal(guest.class, ROOM_RESUMING);
	assert_true(room_take_older(r, NOW, &guest));
	assert_int_equal(guest.fd, 1);
	assert_false(room_take_older(r, NOW, &guest));
	EXPECT(r, NOW, 3, -1);
	room_free(r);
}

/* Every way in and out, many times: the links hold (under a sanitizer). */
static void many_come_and_go(void **state)
{
	struct room *r = room_new(200, STALE_MS);
	uint32_t seed = 1;
	int inside = 0;
	for (int i = 0; i < 20000; i++) {
		char from[32];
		struct room_guest guest;
		seed = seed * 1664525 + 1013904223;
		snprintf(from, sizeof(from), "10.%u.%u.1", seed >> 8 & 3,
			seed >> 12 & 63);
		if (seed >> 28 < 9 && !room_full(r)) {
			come(r, i, from, seed >> 20 & 1, NOW + (uint64_t)i);
			inside++;
			continue;
		}
		switch (seed >> 26 & 3) {
		case 0:
			inside -= room_take_heaviest(r, &guest);
			break;
		case 1:
			inside -= room_take_older(
				r, NOW + (uint64_t)i - 300, &guest);
			break;
		default:
			inside -= room_take(r, NOW + (uint64_t)i, &guest);
		}
		assert_int_equal(room_count(r, ROOM_RESUMING) +
					 room_count(r, ROOM_STRANGERS),
			inside);
	}
	for (; inside > 0; inside--)
		assert_true(next(r, NOW) >= 0);
	assert_int_equal(next(r, NOW), -1);
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_room_has_nobody),
		cmocka_unit_test(
			strangers_come_oldest_first_while_all_can_be_served),
		cmocka_unit_test(
			strangers_come_newest_first_once_one_waits_too_long),
		cmocka_unit_test(resuming_ones_are_never_served_newest_first),
		cmocka_unit_test(
			resuming_ones_come_first_but_strangers_have_a_share),
		cmocka_unit_test(prefixes_take_turns),
		cmocka_unit_test(prefixes_take_turns_when_newest_come_first),
		cmocka_unit_test(a_full_room_is_full_of_both_classes),
		cmocka_unit_test(the_heaviest_prefix_gives_its_oldest_stranger),
		cmocka_unit_test(those_who_waited_too_long_come_out),
		cmocka_unit_test(many_come_and_go),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("room", tests, NULL, NULL);
}

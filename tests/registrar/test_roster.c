/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about status's own copy of the directory. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <strings.h>

#include "registrar/status/roster.h"

static void put(struct directory *d, const char *device, uint64_t id)
{
	struct conn_ref old;
	struct directory_entry e = {
		.device = device,
		.address = "192.0.2.1",
		.protocol = CONFIG_SIP,
		.tls = true,
		.ref = {.id = id},
		.keepalive_s = 30,
		.since_ms = 1000,
	};
	directory_register(d, &e, &old);
}

static void put_number(struct directory *d, unsigned i)
{
	char name[16];
	snprintf(name, sizeof(name), "%s%05u", i % 2 ? "SEP" : "sep", i);
	put(d, name, i + 1);
}

/* Whole and in order? */
static void assert_sorted(const struct roster *r, size_t n)
{
	assert_int_equal(r->n, n);
	for (size_t i = 1; i < n; i++)
		assert_true(strcasecmp(r->slots[i - 1].phone->entry.device,
				    r->slots[i].phone->entry.device) < 0);
}

static uint64_t version(struct roster *r)
{
	roster_look(r);
	uint64_t now = r->now.number;
	roster_release(r);
	return now;
}

static size_t changed_since(const struct roster *r, uint64_t version)
{
	size_t n = 0;
	for (size_t i = 0; i < r->n; i++)
		n += r->slots[i].changed > version;
	return n;
}

static void it_is_sorted_and_whole_however_they_come(void **state)
{
	struct directory *d = directory_new(5000);
	struct roster *r = roster_new(d);
	for (unsigned i = 0; i < 2000; i += 7)
		put_number(d, i);
	roster_look(r);
	assert_sorted(r, 286);
	roster_release(r);
	for (unsigned i = 0; i < 2000; i++)
		put_number(d, i);
	roster_look(r);
	assert_sorted(r, 2000);
	assert_int_equal(roster_behind(r, "SEP00009"), 10);
	assert_int_equal(roster_behind(r, "SEP000095"), 10);
	assert_int_equal(roster_behind(r, "A"), 0);
	assert_int_equal(roster_behind(r, "Z"), 2000);
	roster_release(r);
	roster_free(r);
	directory_free(d);
}

static void only_what_shows_makes_a_version(void **state)
{
	struct directory *d = directory_new(10);
	struct roster *r = roster_new(d);
	assert_int_equal(version(r), 0);
	put(d, "SEP1", 1);
	put(d, "SEP2", 2);
	uint64_t before = version(r);
	assert_int_equal(before, 1);
	directory_touch(d, "SEP1", (struct conn_ref){.id = 1}, 77, 77);
	assert_int_equal(version(r), before);
	roster_look(r);
	assert_int_equal(r->slots[0].phone->entry.seen_ms, 77);
	roster_release(r);
	directory_refused(d, "SEP2", 5);
	roster_look(r);
	assert_int_equal(r->now.number, before + 1);
	assert_int_equal(changed_since(r, before), 1);
	assert_int_equal(changed_since(r, before + 1), 0);
	roster_release(r);
	roster_free(r);
	directory_free(d);
}

/* Who came longest ago makes room. */
static void leave(struct directory *d, const char *device, uint64_t id)
{
	directory_unregister(d, device, (struct conn_ref){.id = id},
		REASON_UNREG_UNKNOWN, (int64_t)id);
}

static void who_is_forgotten_is_named(void **state)
{
	struct directory *d = directory_new(2);
	struct roster *r = roster_new(d);
	size_t i = 0;
	put(d, "SEP1", 1);
	put(d, "SEP2", 2);
	uint64_t before = version(r);
	leave(d, "SEP1", 1);
	put(d, "SEP3", 3);
	roster_look(r);
	assert_sorted(r, 2);
	assert_string_equal(roster_gone_since(r, before, &i), "SEP1");
	assert_null(roster_gone_since(r, before, &i));
	i = 0;
	assert_null(roster_gone_since(r, r->now.number, &i));
	assert_true(before >= r->oldest);
	roster_release(r);
	roster_free(r);
	directory_free(d);
}

static void more_forgotten_than_is_kept_makes_tokens_old(void **state)
{
	struct directory *d = directory_new(3);
	struct roster *r = roster_new(d);
	put(d, "SEPX", 1);
	uint64_t before = version(r);
	for (unsigned i = 0; i < 5000; i++) {
		char name[16];
		snprintf(name, sizeof(name), "SEP%05u", i);
		put(d, name, i + 2);
		leave(d, name, i + 2);
	}
	roster_look(r);
	assert_sorted(r, 3);
	assert_true(before < r->oldest);
	assert_true(r->now.number >= r->oldest);
	roster_release(r);
	roster_free(r);
	directory_free(d);
}

static void what_was_taken_outlives_its_change(void **state)
{
	struct directory *d = directory_new(3);
	struct roster *r = roster_new(d);
	put(d, "SEP1", 1);
	roster_look(r);
	struct roster_phone *taken = roster_take(r, 0);
	roster_release(r);
	leave(d, "SEP1", 1);
	version(r);
	roster_free(r);
	assert_non_null(strstr(taken->text, "\"state\":\"registered\""));
	assert_int_equal(taken->text[0], ',');
	assert_int_equal(strlen(taken->text), taken->n);
	roster_phone_unref(taken);
	directory_free(d);
}

enum { THREADS = 3, ROUNDS = 400 };

static void *come_and_go(void *self)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		char name[16];
		snprintf(name, sizeof(name), "SEP%05u", i % 50);
		put(self, name, i + 1);
		leave(self, name, i + 1);
	}
	return NULL;
}

static void phones_and_pollers_do_not_mind_each_other(void **state)
{
	pthread_t threads[THREADS];
	struct directory *d = directory_new(40);
	struct roster *r = roster_new(d);
	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, come_and_go, d);
	for (unsigned i = 0; i < ROUNDS; i++) {
		roster_look(r);
		if (r->n)
			roster_phone_unref(roster_take(r, 0));
		roster_release(r);
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	roster_look(r);
	assert_sorted(r, directory_count(d).known);
	roster_release(r);
	roster_free(r);
	directory_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_sorted_and_whole_however_they_come),
		cmocka_unit_test(only_what_shows_makes_a_version),
		cmocka_unit_test(who_is_forgotten_is_named),
		cmocka_unit_test(more_forgotten_than_is_kept_makes_tokens_old),
		cmocka_unit_test(what_was_taken_outlives_its_change),
		cmocka_unit_test(phones_and_pollers_do_not_mind_each_other),
	};
	return cmocka_run_group_tests_name("roster", tests, NULL, NULL);
}

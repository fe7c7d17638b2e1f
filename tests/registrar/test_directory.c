/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about who holds a registration, alone and among threads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "registrar/directory.h"

static struct directory_entry entry(const char *device, uint64_t id, bool tls)
{
	return (struct directory_entry){
		.device = device,
		.address = "192.0.2.1",
		.protocol = CONFIG_SIP,
		.tls = tls,
		.kind = tls ? CERT_KIND_LSC : CERT_KIND_UNKNOWN,
		.ref = {.worker = 0, .id = id},
		.keepalive_s = 30,
		.since_ms = 1000,
		.seen_mono_ms = 10000,
	};
}

static bool is_known(struct directory *d, const char *device)
{
	struct directory_entry got = {0};
	bool known = directory_find(d, device, &got);
	directory_entry_deinit(&got);
	return known;
}

static enum directory_result put(struct directory *d,
	const struct directory_entry *e, uint64_t *displaced)
{
	struct conn_ref old = {0};
	enum directory_result result = directory_register(d, e, &old);
	if (displaced)
		*displaced = old.id;
	return result;
}

static void registers_refreshes_and_ends(void **state)
{
	struct directory *d = directory_new(100);
	struct directory_entry e = entry("SEP1", 7, true), got;
	assert_int_equal(put(d, &e, NULL), DIRECTORY_NEW);
	e.since_ms = 2000;
	assert_int_equal(put(d, &e, NULL), DIRECTORY_REFRESHED);
	assert_true(directory_find(d, "sep1", &got));
	assert_true(got.registered);
	assert_int_equal(got.since_ms, 1000);
	assert_int_equal(got.registrations, 1);
	directory_entry_deinit(&got);
	assert_int_equal(directory_count(d).registered, 1);
	assert_int_equal(directory_count(d).by_protocol[CONFIG_SIP], 1);
	assert_int_equal(directory_count(d).lsc, 1);
	assert_true(directory_unregister(
		d, "SEP1", e.ref, REASON_UNREG_KEEPALIVE_TIMEOUT, 3000));
	assert_true(directory_find(d, "SEP1", &got));
	assert_false(got.registered);
	assert_int_equal(got.cause, REASON_UNREG_KEEPALIVE_TIMEOUT);
	directory_entry_deinit(&got);
	assert_int_equal(directory_count(d).registered, 0);
	assert_int_equal(directory_count(d).lsc, 0);
	assert_int_equal(put(d, &e, NULL), DIRECTORY_NEW);
	directory_free(d);
}

static void texts_are_cleaned_cut_and_kept_over_a_refresh(void **state)
{
	char firmware[400];
	struct directory *d = directory_new(100);
	struct directory_entry e = entry("SEP1", 7, true), got;
	memset(firmware, 'f', sizeof(firmware) - 1);
	firmware[sizeof(firmware) - 1] = '\0';
	e.firmware = firmware;
	e.came_back = "pulled\nout";
	put(d, &e, NULL);
	e.firmware = NULL;
	e.came_back = NULL; /* a refresh says nothing of it */
	assert_int_equal(put(d, &e, NULL), DIRECTORY_REFRESHED);
	e.firmware = firmware;
	assert_int_equal(put(d, &e, NULL), DIRECTORY_REFRESHED);
	assert_true(directory_find(d, "SEP1", &got));
	assert_int_equal(strlen(got.firmware), DIRECTORY_TEXT_MAX);
	assert_string_equal(got.came_back, "pulled?out");
	assert_string_equal(got.address, "192.0.2.1");
	assert_string_equal(got.cipher, "");
	directory_entry_deinit(&got);
	directory_free(d);
}

static void newer_tls_connection_replaces_the_older(void **state)
{
	struct directory *d = directory_new(100);
	struct directory_entry a = entry("SEP1", 1, true);
	struct directory_entry b = entry("SEP1", 2, true);
	uint64_t old;
	put(d, &a, NULL);
	assert_int_equal(put(d, &b, &old), DIRECTORY_REPLACED);
	assert_int_equal(old, 1);
	/* The replaced one, ending late, must not end its successor. */
	assert_false(directory_unregister(
		d, "SEP1", a.ref, REASON_UNREG_CONNECTIVITY, 1));
	assert_int_equal(directory_count(d).registered, 1);
	directory_free(d);
}

static void plain_never_displaces_tls(void **state)
{
	struct directory *d = directory_new(100);
	struct directory_entry secure = entry("SEP1", 1, true);
	struct directory_entry plain = entry("SEP1", 2, false);
	plain.seen_mono_ms = 10000000;
	put(d, &secure, NULL);
	assert_int_equal(put(d, &plain, NULL), DIRECTORY_TAKEN);
	directory_free(d);
}

/* A datagram's address is easily forged: it takes no connection's place. */
static void udp_displaces_udp_alone_by_address(void **state)
{
	struct directory *d = directory_new(100);
	struct directory_entry first = entry("SEP1", 1, false);
	struct directory_entry second = entry("SEP1", 2, false);
	uint64_t displaced;
	put(d, &first, NULL);
	second.udp = true;
	assert_int_equal(put(d, &second, NULL), DIRECTORY_TAKEN);
	first.udp = true;
	put(d, &first, NULL);
	assert_int_equal(put(d, &second, &displaced), DIRECTORY_REPLACED);
	assert_int_equal(displaced, 1);
	first.udp = false; /* a connection's is not */
	assert_int_equal(put(d, &first, NULL), DIRECTORY_REPLACED);
	second.seen_mono_ms += 60001;
	assert_int_equal(put(d, &second, NULL), DIRECTORY_REPLACED);
	directory_free(d);
}

static void plain_displaces_plain_by_address_or_silence(void **state)
{
	struct directory *d = directory_new(100);
	struct directory_entry a = entry("SEP1", 1, false);
	struct directory_entry b = entry("SEP1", 2, false);
	put(d, &a, NULL);
	b.address = "192.0.2.9";
	assert_int_equal(put(d, &b, NULL), DIRECTORY_TAKEN);
	/* The one at 30 s may be late; missing the one at 60 s too is more. */
	b.seen_mono_ms = a.seen_mono_ms + 60000;
	assert_int_equal(put(d, &b, NULL), DIRECTORY_TAKEN);
	b.seen_mono_ms = a.seen_mono_ms + 60001;
	assert_int_equal(put(d, &b, NULL), DIRECTORY_REPLACED);
	struct directory_entry c = entry("SEP1", 3, false);
	c.seen_mono_ms = b.seen_mono_ms - 1; /* another loop's clock */
	assert_int_equal(put(d, &c, NULL), DIRECTORY_TAKEN);
	c.address = "192.0.2.9";
	assert_int_equal(put(d, &c, NULL), DIRECTORY_REPLACED);
	directory_free(d);
}

static void forgets_the_longest_gone_when_full(void **state)
{
	enum { MAX = 160, DEVICES = 5000 };
	struct directory *d = directory_new(MAX);
	for (int i = 0; i < DEVICES; i++) {
		char name[16];
		snprintf(name, sizeof(name), "SEP%d", i);
		struct directory_entry e = entry(name, (uint64_t)i + 1, true);
		assert_int_equal(put(d, &e, NULL), DIRECTORY_NEW);
		directory_unregister(d, name, e.ref, REASON_UNREG_UNKNOWN, i);
	}
	assert_int_equal(directory_count(d).known, MAX);
	for (int i = 0; i < DEVICES; i++) {
		char name[16];
		snprintf(name, sizeof(name), "SEP%d", i);
		assert_int_equal(is_known(d, name), i >= DEVICES - MAX);
	}
	directory_free(d);
}

static void registered_devices_are_never_forgotten(void **state)
{
	enum { MAX = 32 };
	struct directory *d = directory_new(MAX);
	size_t in = 0, full = 0;
	for (int i = 0; i < 1000; i++) {
		char name[16];
		snprintf(name, sizeof(name), "SEP%d", i);
		struct directory_entry e = entry(name, (uint64_t)i + 1, true);
		if (put(d, &e, NULL) == DIRECTORY_NEW)
			in++;
		else
			full++;
	}
	assert_int_equal(directory_count(d).registered, in);
	/* Neither fewer nor more, however the names spread. */
	assert_int_equal(in, MAX);
	assert_int_equal(full, 1000 - MAX);
	directory_free(d);
}

/* How many entries are new, and how many are gone. */
static size_t news(struct directory *d, bool all, size_t *gone, bool *lost)
{
	struct directory_news news;
	directory_news(d, all, &news);
	size_t n = news.n;
	*gone = news.n_gone;
	*lost = news.lost;
	directory_news_deinit(&news);
	return n;
}

static uint32_t changes(struct directory *d, const char *device)
{
	struct directory_entry got;
	assert_true(directory_find(d, device, &got));
	uint32_t n = got.changes;
	directory_entry_deinit(&got);
	return n;
}

static void news_are_told_once_and_all_when_asked(void **state)
{
	struct directory *d = directory_new(1000);
	size_t gone;
	bool lost;
	for (uint64_t i = 0; i < 300; i++) {
		char name[16];
		snprintf(name, sizeof(name), "SEP%u", (unsigned)i);
		struct directory_entry e = entry(name, i + 1, true);
		put(d, &e, NULL);
	}
	assert_int_equal(news(d, false, &gone, &lost), 300);
	assert_int_equal(news(d, false, &gone, &lost), 0);
	directory_touch(d, "SEP5", (struct conn_ref){.id = 6}, 1, 1);
	directory_touch(d, "SEP5", (struct conn_ref){.id = 6}, 2, 2);
	directory_refused(d, "SEP7", 5);
	directory_refused(d, "SEP1000", 5);
	assert_int_equal(news(d, false, &gone, &lost), 2);
	assert_int_equal(news(d, true, &gone, &lost), 300);
	assert_int_equal(gone, 0);
	assert_false(lost);
	directory_free(d);
}

static void only_what_shows_is_a_change(void **state)
{
	struct directory *d = directory_new(10);
	struct directory_entry e = entry("SEP1", 7, true);
	put(d, &e, NULL);
	uint32_t before = changes(d, "SEP1");
	put(d, &e, NULL);
	directory_touch(d, "SEP1", e.ref, 5, 5);
	assert_int_equal(changes(d, "SEP1"), before);
	e.firmware = "other";
	put(d, &e, NULL);
	assert_int_equal(changes(d, "SEP1"), before + 1);
	e.partial = true;
	put(d, &e, NULL);
	assert_int_equal(changes(d, "SEP1"), before + 2);
	directory_refused(d, "SEP1", 9);
	assert_int_equal(changes(d, "SEP1"), before + 3);
	directory_unregister(d, "SEP1", e.ref, REASON_UNREG_UNKNOWN, 9);
	assert_int_equal(changes(d, "SEP1"), before + 4);
	directory_free(d);
}

/* Strangers come and go; the directory has room for two. */
static void churn(struct directory *d, uint64_t n)
{
	for (uint64_t i = 1; i <= n; i++) {
		char name[16];
		snprintf(name, sizeof(name), "SEP%u", (unsigned)i);
		struct directory_entry e = entry(name, i, true);
		put(d, &e, NULL);
		directory_unregister(
			d, name, e.ref, REASON_UNREG_UNKNOWN, (int64_t)i);
	}
}

static void who_was_forgotten_is_named_or_said_to_be_lost(void **state)
{
	struct directory *d = directory_new(2);
	size_t gone;
	bool lost;
	churn(d, 5);
	assert_int_equal(news(d, false, &gone, &lost), 2);
	assert_int_equal(gone, 3);
	assert_false(lost);
	churn(d, 5000);
	assert_int_equal(news(d, false, &gone, &lost), 2);
	assert_true(lost);
	assert_in_range(gone, 1, 5000);
	assert_int_equal(news(d, false, &gone, &lost), 0);
	assert_false(lost);
	directory_free(d);
}

enum { THREADS = 4, ROUNDS = 3000 };

struct runner {
	struct directory *d;
	uint32_t number;
};

/* All threads fight for the same ten devices. */
static void *fight(void *arg)
{
	struct runner *r = arg;
	for (uint64_t i = 1; i <= ROUNDS; i++) {
		char name[16];
		snprintf(name, sizeof(name), "SEP%u", (unsigned)(i % 10));
		struct directory_entry e = entry(name, i, true);
		e.ref.worker = r->number;
		put(r->d, &e, NULL);
		directory_touch(r->d, name, e.ref, 1, 1);
		if (i % 3 == 0)
			directory_unregister(
				r->d, name, e.ref, REASON_UNREG_UNKNOWN, 1);
		if (i % 500 == 0) {
			struct directory_news some;
			directory_news(r->d, i % 1000 == 0, &some);
			directory_news_deinit(&some);
		}
	}
	return NULL;
}

static void threads_keep_one_holder_a_device(void **state)
{
	pthread_t threads[THREADS];
	struct runner runners[THREADS];
	struct directory *d = directory_new(100);
	for (uint32_t i = 0; i < THREADS; i++) {
		runners[i] = (struct runner){d, i};
		pthread_create(&threads[i], NULL, fight, &runners[i]);
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	struct directory_counts counts = directory_count(d);
	size_t registered = 0;
	struct directory_news all;
	directory_news(d, true, &all);
	for (size_t i = 0; i < all.n; i++)
		registered += all.list[i].registered;
	assert_int_equal(all.n, 10);
	assert_int_equal(counts.registered, registered);
	assert_int_equal(counts.lsc, registered);
	directory_news_deinit(&all);
	directory_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_refreshes_and_ends),
		cmocka_unit_test(texts_are_cleaned_cut_and_kept_over_a_refresh),
		cmocka_unit_test(newer_tls_connection_replaces_the_older),
		cmocka_unit_test(plain_never_displaces_tls),
		cmocka_unit_test(udp_displaces_udp_alone_by_address),
		cmocka_unit_test(plain_displaces_plain_by_address_or_silence),
		cmocka_unit_test(forgets_the_longest_gone_when_full),
		cmocka_unit_test(registered_devices_are_never_forgotten),
		cmocka_unit_test(news_are_told_once_and_all_when_asked),
		cmocka_unit_test(only_what_shows_is_a_change),
		cmocka_unit_test(who_was_forgotten_is_named_or_said_to_be_lost),
		cmocka_unit_test(threads_keep_one_holder_a_device),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("directory", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about what is kept of each device: how much, how long, in what order.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "registrar/history.h"

enum { ROWS = 1000, THREADS = 4, EACH = 500 };

static struct history *open_in(const char *folder)
{
	struct history *h;
	struct diag d = {.text = ""};
	if (history_open(folder, ROWS, &h, &d) < 0)
		fail_msg("%s", d.text);
	return h;
}

static void add(struct history *h, const char *device, enum history_what what,
	const char *rule, int64_t at_ms)
{
	const struct history_event e = {.what = what,
		.at_ms = at_ms,
		.device = device,
		.rule = rule,
		.address = "10.1.1.7",
		.issuer = "CAPF-1",
		.kind = CERT_KIND_LSC,
		.tls = true,
		.space = HISTORY_FAILURE,
		.code = 10};
	history_add(h, &e);
}

static void remove_folder(const char *folder)
{
	static const char *const files[] = {
		"history.db", "history.db-made", "history.db-wal"};
	char path[64];
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(folder), 0);
}

static size_t count_of(struct history *h, const char *device)
{
	size_t n;
	struct history_event **list = history_of(h, device, &n);
	history_list_free(list, n);
	return n;
}

static void what_was_added_is_read_newest_first(void **state)
{
	size_t n;
	struct history *h = open_in(NULL);
	add(h, "SEP1", HISTORY_REGISTERED, "", 1000);
	const struct history_event lost = {.what = HISTORY_LOST,
		.device = "sep1",
		.at_ms = 2000,
		.udp = true,
		.port = 5060,
		.why = "silence"};
	history_add(h, &lost);
	add(h, "SEP2", HISTORY_REGISTERED, "", 3000);
	struct history_event **list = history_of(h, "Sep1", &n);
	assert_int_equal(n, 2);
	assert_int_equal(list[0]->what, HISTORY_LOST);
	assert_int_equal(list[0]->at_ms, 2000);
	assert_true(list[0]->udp && !list[0]->tls);
	assert_int_equal(list[0]->port, 5060);
	assert_string_equal(list[0]->why, "silence");
	assert_int_equal(list[1]->what, HISTORY_REGISTERED);
	assert_string_equal(list[1]->device, "SEP1");
	assert_string_equal(list[1]->address, "10.1.1.7");
	assert_string_equal(list[1]->issuer, "CAPF-1");
	assert_int_equal(list[1]->kind, CERT_KIND_LSC);
	assert_int_equal(list[1]->code, 10);
	assert_true(list[1]->tls);
	history_list_free(list, n);
	history_close(h);
}

/* A phone that is refused every half minute keeps its story. */
static void refusals_alike_are_one(void **state)
{
	size_t n;
	struct history *h = open_in(NULL);
	add(h, "SEP1", HISTORY_REGISTERED, "", 1000);
	for (int64_t i = 0; i < 100; i++) {
		add(h, "SEP1", HISTORY_REFUSED, "expired", 2000 + i);
		add(h, "SEP1", HISTORY_REFUSED, "name-mismatch", 3000 + i);
	}
	struct history_event **list = history_of(h, "SEP1", &n);
	assert_int_equal(n, 3);
	assert_int_equal(list[1]->times, 100);
	assert_int_equal(list[1]->first_ms, 2000);
	assert_int_equal(list[1]->at_ms, 2099);
	history_list_free(list, n);
	/* After anything else a new one begins. */
	add(h, "SEP1", HISTORY_REGISTERED, "", 4000);
	add(h, "SEP1", HISTORY_REFUSED, "expired", 5000);
	list = history_of(h, "SEP1", &n);
	assert_int_equal(n, 5);
	assert_int_equal(list[0]->times, 1);
	history_list_free(list, n);
	history_close(h);
}

static void no_more_than_the_limit_is_kept(void **state)
{
	size_t n;
	char name[32];
	struct history *h = open_in(NULL);
	add(h, "SEPquiet", HISTORY_REGISTERED, "", 1);
	for (int64_t i = 0; i < 3 * ROWS; i++) {
		add(h, "SEPbusy", i % 2 ? HISTORY_LOST : HISTORY_REGISTERED, "",
			i);
		if (i % 100 == 0)
			assert_true(history_count(h).rows <= ROWS);
	}
	struct history_event **list = history_of(h, "SEPbusy", &n);
	assert_int_equal(n, HISTORY_OF_DEVICE_MAX);
	assert_int_equal(list[0]->at_ms, 3 * ROWS - 1);
	history_list_free(list, n);
	/* One device's many do not push out another's last. */
	assert_int_equal(count_of(h, "SEPquiet"), 1);
	for (int i = 0; i < 2 * ROWS; i++) {
		snprintf(name, sizeof(name), "SEP%d", i);
		add(h, name, HISTORY_REGISTERED, "", 9000 + i);
	}
	assert_true(history_count(h).rows <= ROWS);
	assert_int_equal(count_of(h, name), 1);
	assert_int_equal(history_count(h).dropped, 0);
	history_close(h);
}

/* Whoever invents names takes a tenth of the room, and none of ours. */
static void strangers_do_not_push_out_devices(void **state)
{
	char name[32];
	struct history *h = open_in(NULL);
	for (int i = 0; i < ROWS / 2; i++) {
		snprintf(name, sizeof(name), "SEP%d", i);
		add(h, name, HISTORY_REGISTERED, "", i);
	}
	for (int i = 0; i < 3 * ROWS; i++) {
		struct history_event e = {.what = HISTORY_REFUSED,
			.device = name,
			.rule = "unknown-device",
			.stranger = true};
		snprintf(name, sizeof(name), "BAD%d", i);
		history_add(h, &e);
		if (i % 100 == 0)
			history_count(h);
	}
	assert_int_equal(count_of(h, name), 1);
	for (int i = 0; i < ROWS / 2; i++) {
		snprintf(name, sizeof(name), "SEP%d", i);
		assert_int_equal(count_of(h, name), 1);
	}
	history_close(h);
}

/* More than the writer can take is dropped and counted, never waited for. */
static void a_full_queue_drops_and_counts(void **state)
{
	size_t n;
	struct history *h = open_in(NULL);
	for (int i = 0; i < 20 * HISTORY_QUEUE_MAX; i++)
		add(h, "SEP1", HISTORY_REFUSED, "expired", i);
	struct history_event **list = history_of(h, "SEP1", &n);
	assert_int_equal(n, 1);
	assert_int_equal(list[0]->times + history_count(h).dropped,
		20 * HISTORY_QUEUE_MAX);
	history_list_free(list, n);
	history_close(h);
}

static void it_lasts_over_a_restart(void **state)
{
	char folder[] = "/tmp/history-XXXXXX";
	assert_non_null(mkdtemp(folder));
	struct history *h = open_in(folder);
	add(h, "SEP1", HISTORY_REGISTERED, "", 1000);
	history_close(h); /* what waits is written */
	h = open_in(folder);
	assert_int_equal(history_count(h).rows, 1);
	assert_int_equal(count_of(h, "SEP1"), 1);
	history_close(h);
	remove_folder(folder);
}

/* What version 1 of the file held is there after the upgrade. */
static void an_older_file_keeps_its_events(void **state)
{
	static const char old[] =
		"CREATE TABLE event (id INTEGER PRIMARY KEY,"
		" device TEXT NOT NULL COLLATE NOCASE, what INTEGER NOT NULL,"
		" at_ms INTEGER NOT NULL, first_ms INTEGER NOT NULL,"
		" times INTEGER NOT NULL, stranger INTEGER NOT NULL,"
		" protocol INTEGER NOT NULL, tls INTEGER NOT NULL,"
		" udp INTEGER NOT NULL,"
		" address TEXT NOT NULL, port INTEGER NOT NULL,"
		" kind INTEGER NOT NULL, issuer TEXT NOT NULL,"
		" space INTEGER NOT NULL, code INTEGER NOT NULL,"
		" rule TEXT NOT NULL, why TEXT NOT NULL,"
		" key INTEGER NOT NULL);"
		"CREATE INDEX event_key ON event (key, id DESC);"
		"CREATE INDEX event_stranger ON event (id) WHERE stranger = 1;"
		"INSERT INTO event VALUES (7, 'SEP1', 2, 3000, 1000, 42, 0, 1,"
		" 1, 0, '10.1.1.7', 5061, 1, 'CAPF-1', 1, 10, 'expired',"
		" 'the certificate ended', 3261232958482773306);"
		"PRAGMA application_id = 1147761768; PRAGMA user_version = 1;";
	size_t n;
	sqlite3 *db;
	char folder[] = "/tmp/history-XXXXXX", path[64];
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/history.db", folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, old, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	struct history *h = open_in(folder);
	add(h, "SEP1", HISTORY_REFUSED, "expired", 4000);
	struct history_event **list = history_of(h, "SEP1", &n);
	assert_int_equal(n, 1);
	assert_int_equal(list[0]->times, 43);
	assert_int_equal(list[0]->first_ms, 1000);
	assert_int_equal(list[0]->at_ms, 4000);
	history_list_free(list, n);
	history_close(h);
	remove_folder(folder);
}

static void a_damaged_file_is_refused_by_name(void **state)
{
	struct history *h;
	struct diag d = {.text = ""};
	char folder[] = "/tmp/history-XXXXXX", path[64];
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/history.db", folder);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("this was a database once, and is none any more", f);
	fclose(f);
	assert_true(history_open(folder, ROWS, &h, &d) < 0);
	assert_null(h);
	assert_non_null(strstr(d.text, "history.db"));
	remove_folder(folder);
}

static void *add_many(void *self)
{
	for (int i = 0; i < EACH; i++)
		add(self, "SEP1", HISTORY_REGISTERED, "", i);
	return NULL;
}

static void threads_may_add_and_ask_at_once(void **state)
{
	pthread_t threads[THREADS];
	struct history *h = open_in(NULL);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, add_many, h), 0);
	for (int i = 0; i < 20; i++)
		count_of(h, "SEP1");
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(count_of(h, "SEP1"), HISTORY_OF_DEVICE_MAX);
	assert_int_equal(history_count(h).dropped, 0);
	history_close(h);
}

static void every_what_has_a_name(void **state)
{
	for (int i = 0; i < HISTORY_WHATS; i++)
		assert_true(strlen(history_what_name((enum history_what)i)));
	assert_string_equal(
		history_what_name((enum history_what)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_is_read_newest_first),
		cmocka_unit_test(refusals_alike_are_one),
		cmocka_unit_test(no_more_than_the_limit_is_kept),
		cmocka_unit_test(strangers_do_not_push_out_devices),
		cmocka_unit_test(a_full_queue_drops_and_counts),
		cmocka_unit_test(it_lasts_over_a_restart),
		cmocka_unit_test(an_older_file_keeps_its_events),
		cmocka_unit_test(a_damaged_file_is_refused_by_name),
		cmocka_unit_test(threads_may_add_and_ask_at_once),
		cmocka_unit_test(every_what_has_a_name),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}

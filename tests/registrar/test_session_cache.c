/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about sessions kept by id: bounded, durable, never half. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "registrar/tls/session_cache.h"

enum { HEADER = 128 /* bytes, before the sessions */ };

static char path[] = "/tmp/dialtone-sessions-XXXXXX";

static struct session_cache *open_file(size_t max)
{
	struct session_cache *c;
	struct diag d;
	assert_int_equal(session_cache_open(path, max, &c, &d), 0);
	return c;
}

static int set_up(void **state)
{
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	return 0;
}

static int tear_down(void **state)
{
	return unlink(path);
}

static void id_of(uint32_t n, uint8_t id[32])
{
	memset(id, 0, 32);
	memcpy(id, &n, sizeof(n));
}

static void put(struct session_cache *c, uint32_t n, int64_t expires)
{
	uint8_t id[32];
	id_of(n, id);
	session_cache_put(
		c, &(struct session_cache_entry){id, id, 32, 32, expires}, 0);
}

static bool has(struct session_cache *c, uint32_t n, int64_t now)
{
	uint8_t id[32], data[SESSION_DATA_MAX];
	id_of(n, id);
	size_t got = session_cache_get(c, id, 32, now, data);
	return got == 32 && memcmp(data, id, 32) == 0;
}

static void keeps_until_the_end_and_no_longer(void **state)
{
	struct session_cache *c = open_file(64);
	session_cache_clear(c);
	put(c, 1, 100);
	assert_true(has(c, 1, 99));
	assert_false(has(c, 1, 100));
	assert_false(has(c, 2, 1));
	uint8_t id[32];
	id_of(1, id);
	session_cache_drop(c, id, 32);
	assert_false(has(c, 1, 1));
	session_cache_close(c);
}

static void comes_back_after_the_process_died(void **state)
{
	struct session_cache *c = open_file(64);
	session_cache_clear(c);
	put(c, 7, 100);
	session_cache_close(c);
	/* Closing writes nothing: what kill -9 leaves is what was mapped. */
	c = open_file(64);
	assert_true(has(c, 7, 1));
	session_cache_close(c);
}

static size_t used(const struct session_cache *c)
{
	return session_cache_fill(c).used;
}

static void knows_how_full_it_is(void **state)
{
	struct session_cache *c = open_file(64);
	uint8_t id[32];
	session_cache_clear(c);
	assert_int_equal(used(c), 0);
	put(c, 1, 100);
	put(c, 2, 100);
	put(c, 2, 200); /* the same place */
	assert_int_equal(used(c), 2);
	session_cache_close(c);
	c = open_file(64);
	assert_int_equal(used(c), 2);
	id_of(1, id);
	session_cache_drop(c, id, 32);
	session_cache_drop(c, id, 32);
	assert_int_equal(used(c), 1);
	for (uint32_t i = 0; i < 1000; i++)
		put(c, i, 1000);
	assert_int_equal(used(c), session_cache_fill(c).room);
	assert_int_equal(session_cache_clear(c), 0);
	assert_int_equal(used(c), 0);
	assert_int_equal(session_cache_count(c, 1), 0);
	session_cache_close(c);
}

static void another_size_begins_anew(void **state)
{
	struct session_cache *c = open_file(64);
	put(c, 7, 100);
	session_cache_close(c);
	c = open_file(640);
	assert_false(has(c, 7, 1));
	assert_int_equal(session_cache_count(c, 1), 0);
	session_cache_close(c);
}

static void a_flipped_bit_is_an_empty_slot(void **state)
{
	struct session_cache *c = open_file(8);
	session_cache_clear(c);
	put(c, 7, 100);
	session_cache_close(c);
	struct stat st;
	int fd = open(path, O_RDWR);
	fstat(fd, &st);
	uint8_t *all = malloc((size_t)st.st_size);
	assert_int_equal(pread(fd, all, (size_t)st.st_size, 0), st.st_size);
	size_t flips = 0;
	for (off_t i = HEADER; i < st.st_size; i++) {
		if (!all[i])
			continue;
		uint8_t bad = all[i] ^ 1;
		assert_int_equal(pwrite(fd, &bad, 1, i), 1);
		c = open_file(8);
		assert_false(has(c, 7, 1));
		session_cache_close(c);
		assert_int_equal(pwrite(fd, &all[i], 1, i), 1);
		flips++;
	}
	assert_true(flips > 10);
	c = open_file(8);
	assert_true(has(c, 7, 1));
	session_cache_close(c);
	free(all);
	close(fd);
}

static void is_bounded_and_the_oldest_go(void **state)
{
	struct session_cache *c = open_file(64);
	session_cache_clear(c);
	for (uint32_t i = 0; i < 10000; i++)
		put(c, i, 1000 + i);
	assert_int_equal(session_cache_count(c, 1), session_cache_fill(c).room);
	assert_true(has(c, 9999, 1));
	assert_false(has(c, 0, 1));
	session_cache_close(c);
}

static void what_has_expired_makes_room_first(void **state)
{
	struct session_cache *c;
	struct diag d;
	uint8_t id[32];
	assert_int_equal(session_cache_open(NULL, 1600, &c, &d), 0);
	for (uint32_t i = 0; i < 1000; i++)
		put(c, i, 100);
	for (uint32_t i = 1000; i < 2000; i++) {
		id_of(i, id);
		session_cache_put(c,
			&(struct session_cache_entry){id, id, 32, 32, 200},
			100);
	}
	/* Shards reclaim when they are written to: nearly all have. */
	assert_in_range(used(c), 1000, 1010);
	assert_int_equal(session_cache_count(c, 100), 1000);
	session_cache_close(c);
}

static void a_file_in_use_is_refused(void **state)
{
	struct session_cache *c = open_file(64), *other;
	struct diag d = {.text = ""};
	assert_int_equal(
		session_cache_open(path, 64, &other, &d), -EWOULDBLOCK);
	assert_non_null(strstr(d.text, "another process"));
	session_cache_close(c);
}

static void what_is_too_large_is_not_kept(void **state)
{
	static uint8_t data[SESSION_DATA_MAX + 1];
	uint8_t id[64] = {1};
	struct session_cache *c;
	struct diag d;
	assert_int_equal(session_cache_open(NULL, 64, &c, &d), 0);
	session_cache_put(c,
		&(struct session_cache_entry){id, data, 32, sizeof(data), 100},
		0);
	session_cache_put(
		c, &(struct session_cache_entry){id, data, 33, 10, 100}, 0);
	session_cache_put(
		c, &(struct session_cache_entry){id, data, 0, 10, 100}, 0);
	assert_int_equal(session_cache_count(c, 1), 0);
	session_cache_close(c);
}

static void a_file_others_may_read_is_refused(void **state)
{
	struct session_cache *c;
	struct diag d = {.text = ""};
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(session_cache_open(path, 64, &c, &d), -EPERM);
	assert_non_null(strstr(d.text, "only its owner"));
	assert_int_equal(chmod(path, 0600), 0);
}

enum { NOT_PERMITTED = 77, MANY = 2000 };

/* In a process of its own: on a file system with room for some of them. */
static int fill_a_file_system(const char *folder)
{
	char file[64];
	struct session_cache *c;
	struct diag d;
	size_t kept;
	if (unshare(CLONE_NEWNS) < 0 ||
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", folder, "tmpfs", 0, "size=128k") < 0)
		return NOT_PERMITTED;
	snprintf(file, sizeof(file), "%s/sessions", folder);
	if (session_cache_open(file, MANY, &c, &d) < 0)
		return 1;
	for (uint32_t i = 0; i < MANY; i++)
		put(c, i, 1000);
	kept = session_cache_count(c, 1);
	session_cache_close(c);
	if (kept == 0 || kept == MANY ||
		session_cache_open(file, MANY, &c, &d) < 0)
		return 2;
	bool same = session_cache_count(c, 1) == kept;
	session_cache_close(c);
	/* One of another size has no room for its first page. */
	int fd = open(file, O_WRONLY | O_TRUNC | O_CLOEXEC);
	while (write(fd, file, sizeof(file)) > 0)
		;
	close(fd);
	if (!same)
		return 3;
	strcat(file, "2");
	return session_cache_open(file, MANY, &c, &d) == -ENOSPC &&
			       strstr(d.text, "is full")
		       ? 0
		       : 4;
}

static void a_full_file_system_costs_sessions_and_nothing_else(void **state)
{
	char folder[] = "/tmp/dialtone-full-XXXXXX";
	int status = 0;
	assert_non_null(mkdtemp(folder));
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(fill_a_file_system(folder));
	assert_int_equal(waitpid(child, &status, 0), child);
	rmdir(folder);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_PERMITTED)
		skip();
	assert_int_equal(status, 0);
}

static void *churn(void *arg)
{
	struct session_cache *c = arg;
	for (uint32_t i = 0; i < 5000; i++) {
		put(c, i % 500, 100);
		has(c, (i * 7) % 500, 1);
		uint8_t id[32];
		id_of(i % 50, id);
		if (i % 11 == 0)
			session_cache_drop(c, id, 32);
	}
	return NULL;
}

static void threads_read_whole_sessions(void **state)
{
	pthread_t threads[4];
	struct session_cache *c;
	struct diag d;
	assert_int_equal(session_cache_open(NULL, 256, &c, &d), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, churn, c);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_true(session_cache_count(c, 1) > 0);
	assert_int_equal(used(c), session_cache_count(c, 1));
	session_cache_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_until_the_end_and_no_longer),
		cmocka_unit_test(comes_back_after_the_process_died),
		cmocka_unit_test(knows_how_full_it_is),
		cmocka_unit_test(another_size_begins_anew),
		cmocka_unit_test(a_flipped_bit_is_an_empty_slot),
		cmocka_unit_test(is_bounded_and_the_oldest_go),
		cmocka_unit_test(what_has_expired_makes_room_first),
		cmocka_unit_test(a_file_in_use_is_refused),
		cmocka_unit_test(what_is_too_large_is_not_kept),
		cmocka_unit_test(a_file_others_may_read_is_refused),
		cmocka_unit_test(
			a_full_file_system_costs_sessions_and_nothing_else),
		cmocka_unit_test(threads_read_whole_sessions),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name(
		"session cache", tests, set_up, tear_down);
}

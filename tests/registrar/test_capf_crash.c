/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about CAPF's records when the disk fails, or the process is killed. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "tests/registrar/capf_rig.h"

/* ---- a disk that fails ---- */

enum call { WRITE, SYNC };

/* The n-th call of a kind from now on fails, or this many do. */
static struct {
	enum call call;
	unsigned at, many;
	int with;
	unsigned calls, hits;
} fault;

static bool fails(enum call call)
{
	fault.calls += call == fault.call;
	if (!fault.at || call != fault.call || fault.calls < fault.at ||
		fault.calls >= fault.at + fault.many)
		return false;
	fault.hits++;
	errno = fault.with;
	return true;
}

/* SQLite's, for this executable alone. */
int fdatasync(int fd) /* NOLINT: unistd.h calls it by a reserved name */
{
	return fails(SYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

static ssize_t failing_pwrite(int fd, const void *data, size_t n, off_t at)
{
	return fails(WRITE) ? -1 : pwrite(fd, data, n, at);
}

static int failing_ftruncate(int fd, off_t n)
{
	return fails(WRITE) ? -1 : ftruncate(fd, n);
}

static int begin_failing(void **state)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	fault.at = 0;
	assert_int_equal(vfs->xSetSystemCall(vfs, "pwrite64",
				 (sqlite3_syscall_ptr)failing_pwrite),
		SQLITE_OK);
	assert_int_equal(vfs->xSetSystemCall(vfs, "ftruncate",
				 (sqlite3_syscall_ptr)failing_ftruncate),
		SQLITE_OK);
	return rig_set_up(state);
}

static int end_failing(void **state)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	fault.at = 0;
	assert_int_equal(vfs->xSetSystemCall(vfs, "pwrite64", NULL), SQLITE_OK);
	assert_int_equal(
		vfs->xSetSystemCall(vfs, "ftruncate", NULL), SQLITE_OK);
	return rig_tear_down(state);
}

/* An issue: an operation, a line, a link, each of that number. */
static int issue(unsigned number)
{
	struct capf_operation o = rig_operation("");
	struct capf_audit link = {.event = "issued"};
	snprintf(o.device, sizeof(o.device), "SEP%u", number);
	int error = capf_store_begin(rig_store, &rig_why);
	if (error < 0)
		return error;
	error = capf_store_put_operation(rig_store, &o, &rig_why);
	if (error == 0)
		error = rig_add(rig_issued(number, o.device));
	if (error == 0)
		error = capf_store_audit(rig_store, &link, &rig_why);
	if (error == 0)
		return capf_store_commit(rig_store, &rig_why);
	capf_store_rollback(rig_store);
	return error;
}

/* Exactly n issues are there, from 1 on, each of them whole. */
static void holds(unsigned n)
{
	struct capf_store_counts counts;
	struct capf_issued i;
	struct capf_operation o;
	uint8_t *der;
	size_t size;
	char device[16];
	rig_good(capf_store_count(rig_store, &counts, &rig_why));
	assert_int_equal(counts.issued[CAPF_ISSUED_STALE], n);
	assert_int_equal(counts.pending[CAPF_INSTALL], n);
	assert_int_equal(counts.audit, n);
	for (unsigned at = 1; at <= n; at++) {
		snprintf(device, sizeof(device), "SEP%u", at);
		rig_good(capf_store_operation(rig_store, device, &o, &rig_why));
		rig_good(capf_store_issued(
			rig_store, rig_issued(at, "").serial, &i, &rig_why));
		assert_string_equal(i.device, device);
		rig_good(capf_store_issued_der(
			rig_store, i.serial, &der, &size, &rig_why));
		assert_int_equal(size, sizeof(rig_der));
		free(der);
	}
	rig_good(capf_store_audit_check(rig_store, &rig_why));
}

static void run(const char *command)
{
	if (system(command) != 0) /* NOLINT(cert-env33-c): cp, by a test */
		fail_msg("%s", command);
}

/* Who opens what is on the disk now, as after kill -9, finds n issues. */
static void a_crash_leaves(unsigned n)
{
	static unsigned copies;
	char command[512], copy[sizeof(rig_folder)];
	struct capf_store *live = rig_store;
	snprintf(copy, sizeof(copy), "%.40s-copy%u", rig_folder, copies++);
	snprintf(command, sizeof(command), "cp -a %s %s", rig_folder, copy);
	run(command);
	rig_good(capf_store_open(copy, &rig_store, &rig_why));
	holds(n);
	rig_close();
	rig_store = live;
}

/* Fails `many` of the calls of each issue, in each place, until none is left.
 */
static void each_call_fails(enum call call, unsigned many, int with)
{
	unsigned there = 0;
	issue(++there);
	for (unsigned at = 1;; at++) {
		fault.call = call;
		fault.at = at;
		fault.many = many;
		fault.with = with;
		fault.calls = fault.hits = 0;
		int error = issue(there + 1);
		fault.at = 0;
		if (error == 0)
			there++;
		else if (error != -ENOSPC && error != -EIO)
			fail_msg("%d: %s", error, rig_why.text);
		if (fault.hits && with == ENOSPC && error)
			assert_int_equal(error, -ENOSPC);
		holds(there);
		a_crash_leaves(there);
		if (!fault.hits)
			break;
		assert_int_not_equal(error, 0);
		rig_good(issue(++there)); /* there is room again */
		holds(there);
	}
	assert_true(there > 2);
	rig_reopen();
	holds(there);
}

static void a_write_that_fails_leaves_nothing(void **state)
{
	each_call_fails(WRITE, 1, EIO);
}

static void a_sync_that_fails_leaves_nothing(void **state)
{
	each_call_fails(SYNC, 1, EIO);
}

static void a_full_disk_leaves_nothing(void **state)
{
	each_call_fails(WRITE, 1000000, ENOSPC);
}

/* ---- more than SQLite keeps in memory ---- */

static void a_transaction_that_was_undone_is_not_gone_on_with(void **state)
{
	static uint8_t big[16384];
	struct capf_shown c = {.der = big, .n = sizeof(big)};
	struct capf_audit link = {.event = "fetched"};
	struct capf_store_counts counts;
	int error = 0;
	rig_good(issue(1));
	rig_begin();
	fault.call = WRITE;
	fault.at = 1;
	fault.many = 1000000;
	fault.with = ENOSPC;
	fault.calls = fault.hits = 0;
	for (unsigned i = 0; error == 0 && i < 1000; i++) {
		snprintf(c.device, sizeof(c.device), "SEP%u", i);
		error = capf_store_put_shown(rig_store, &c, &rig_why);
	}
	assert_int_equal(error, -ENOSPC);
	fault.at = 0;
	assert_int_equal(capf_store_audit(rig_store, &link, &rig_why), -EIO);
	assert_int_equal(capf_store_mark(rig_store, &rig_why), -EIO);
	assert_int_equal(capf_store_commit(rig_store, &rig_why), -EIO);
	rig_good(issue(2));
	rig_reopen();
	holds(2);
	rig_good(capf_store_count(rig_store, &counts, &rig_why));
	assert_int_equal(counts.shown, 0);
}

/* ---- kill -9 ---- */

/* Issues as fast as it can, and says the number of each that is on the disk. */
static void issue_until_killed(unsigned from, int said)
{
	rig_open();
	for (unsigned n = from;; n++)
		if (issue(n) < 0 || write(said, &n, sizeof(n)) != sizeof(n))
			_exit(1);
}

/* The last number that was said: of what it said when it was killed, after
 * it had said `least` more. */
static unsigned kill_after(unsigned from, unsigned least)
{
	int said[2], status;
	unsigned n = from - 1;
	assert_int_equal(pipe(said), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(said[0]);
		issue_until_killed(from, said[1]);
	}
	close(said[1]);
	while (n < from + least &&
		read(said[0], &n, sizeof(n)) == (ssize_t)sizeof(n))
		;
	assert_int_equal(kill(pid, SIGKILL), 0);
	while (read(said[0], &n, sizeof(n)) == (ssize_t)sizeof(n))
		;
	close(said[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	return n;
}

static void what_was_acknowledged_outlives_kill_9(void **state)
{
	struct capf_store_counts counts;
	unsigned there = 0;
	rig_close();
	for (unsigned round = 0; round < 20; round++) {
		unsigned said = kill_after(there + 1, round * 7 % 40);
		rig_open();
		rig_good(capf_store_count(rig_store, &counts, &rig_why));
		/* the one that was on the disk before it could say so */
		assert_in_range(counts.audit, said, said + 1);
		there = (unsigned)counts.audit;
		holds(there);
		rig_close();
	}
	assert_true(there >= 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define FACT(f) cmocka_unit_test_setup_teardown(f, begin_failing, end_failing)
		FACT(a_write_that_fails_leaves_nothing),
		FACT(a_sync_that_fails_leaves_nothing),
		FACT(a_full_disk_leaves_nothing),
		FACT(a_transaction_that_was_undone_is_not_gone_on_with),
		FACT(what_was_acknowledged_outlives_kill_9),
#undef FACT
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("capf_crash", tests, NULL, rig_end);
}

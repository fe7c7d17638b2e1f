/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about CAPF's records: what is kept, the ledger, the audit chain. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "registrar/store/capf_store.h"

static char top[] = "/tmp/dialtone-capf-XXXXXX";
static char folder[64], database[80];
static struct capf_store *store;

/* Of the last call. */
static struct diag why;

static void good(int error)
{
	if (error < 0)
		fail_msg("%d: %s", error, why.text);
}

static void open_store(void)
{
	good(capf_store_open(folder, &store, &why));
}

/* Each fact begins with an empty store. */
static int set_up(void **state)
{
	static int n;
	if (n == 0)
		assert_non_null(mkdtemp(top));
	snprintf(folder, sizeof(folder), "%s/%d", top, n++);
	snprintf(database, sizeof(database), "%s/capf.db", folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	open_store();
	return 0;
}

static int tear_down(void **state)
{
	capf_store_close(store);
	store = NULL;
	return 0;
}

static void reopen(void)
{
	capf_store_close(store);
	open_store();
}

static int drop(
	const char *path, const struct stat *st, int type, struct FTW *f)
{
	return remove(path);
}

static int end(void **state)
{
	return nftw(top, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static void begin(void)
{
	good(capf_store_begin(store, &why));
}

static void commit(void)
{
	good(capf_store_commit(store, &why));
}

/* ---- operations ---- */

static struct capf_operation operation(const char *device)
{
	struct capf_operation o = {
		.kind = CAPF_INSTALL,
		.mode = CAPF_MODE_STRING,
		.state = CAPF_STATE_PENDING,
		.why = CAPF_WHY_WRONG_STRING,
		.detail = "Gr\xc3\xbc\xc3\x9f, \"a\" \xff",
		.origin = "admin",
		.queued_at = 1,
		.turn_at = 2,
		.completes_by = 3,
		.changed_at = 4,
		.tell = true,
		.told_at = 5,
		.visits = 4000000000,
		.key_failures = 7,
		.address = "2001:db8::1",
		.salt = {8, 0, 9},
		.hash = {10, 0, 11},
		.string_until = 12,
		.wrong_strings = 2,
		.null_until = 13,
		.serial = "0123456789abcdef0123456789abcdef",
	};
	snprintf(o.device, sizeof(o.device), "%s", device);
	return o;
}

static void put(struct capf_operation o)
{
	good(capf_store_put_operation(store, &o, &why));
}

static void an_operation_is_read_as_it_was_put(void **state)
{
	struct capf_operation o = operation("SEP1"), back;
	begin();
	put(o);
	commit();
	reopen();
	good(capf_store_operation(store, "SEP1", &back, &why));
	assert_memory_equal(&back, &o, sizeof(o));
}

static void no_operation_is_enoent(void **state)
{
	struct capf_operation o;
	assert_int_equal(
		capf_store_operation(store, "SEP1", &o, &why), -ENOENT);
	assert_non_null(strstr(why.text, "SEP1"));
}

static void a_device_has_one_whatever_its_case(void **state)
{
	struct capf_operation o;
	begin();
	put(operation("SEPAB"));
	o = operation("sepab");
	o.kind = CAPF_DELETE;
	put(o);
	commit();
	good(capf_store_operation(store, "SepAb", &o, &why));
	assert_int_equal(o.kind, CAPF_DELETE);
	begin();
	good(capf_store_remove_operation(store, "SEPab", &why));
	good(capf_store_remove_operation(
		store, "SEPab", &why)); /* it is gone: fine */
	commit();
	assert_int_equal(
		capf_store_operation(store, "SEPAB", &o, &why), -ENOENT);
}

static char seen[4096];

static bool see_operation(void *self, const struct capf_operation *o)
{
	size_t n = strlen(seen);
	snprintf(seen + n, sizeof(seen) - n, "%s ", o->device);
	return !self || --*(int *)self > 0;
}

static void sees(const struct capf_which *which, const char *wanted)
{
	seen[0] = '\0';
	good(capf_store_operations(store, which, see_operation, NULL, &why));
	assert_string_equal(seen, wanted);
}

/* A: pending, turn at 30; B: pending, turn at 20, by null string until 100;
 * C: told; D: done; E: pending, nobody tells it, from a rollover. */
static void put_five(void)
{
	begin();
	for (int i = 0; i < 5; i++) {
		char name[2] = {(char)('A' + i), '\0'};
		struct capf_operation o = operation(name);
		o.told_at = i == 2;
		o.turn_at = i == 1 ? 20 : 30;
		o.state = i == 3 ? CAPF_STATE_DONE : CAPF_STATE_PENDING;
		o.why = CAPF_WHY_NOTHING;
		o.tell = i != 4;
		o.completes_by = i * 100;
		o.mode = i == 1 ? CAPF_MODE_NULL_STRING : CAPF_MODE_LSC;
		o.null_until = 100;
		strcpy(o.origin, i == 4 ? "rollover" : "admin");
		put(o);
	}
	commit();
}

static void those_that_are_asked_for_are_shown(void **state)
{
	put_five();
	sees(&(struct capf_which){.after = NULL}, "A B C D E ");
	sees(&(struct capf_which){.after = "b"}, "C D E ");
	sees(&(struct capf_which){.most = 2}, "A B ");
	sees(&(struct capf_which){.after = "A", .most = 2}, "B C ");
	sees(&(struct capf_which){.pending = true}, "A B C E ");
	sees(&(struct capf_which){.turn_by = 30}, "B A ");
	sees(&(struct capf_which){.turn_by = 29}, "B ");
	sees(&(struct capf_which){.turn_by = 30, .most = 1}, "B ");
	sees(&(struct capf_which){.late_at = 200}, "B ");
	sees(&(struct capf_which){.late_at = 201}, "B C ");
	sees(&(struct capf_which){.null_at = 99}, "B ");
	sees(&(struct capf_which){.null_at = 100}, "");
	sees(&(struct capf_which){.origin = "rollover"}, "E ");
	sees(&(struct capf_which){.pending = true, .origin = "admin"},
		"A B C ");
	int two = 2;
	seen[0] = '\0';
	good(capf_store_operations(store, &(struct capf_which){.most = 0},
		see_operation, &two, &why));
	assert_string_equal(seen, "A B ");
}

/* ---- the ledger ---- */

static struct capf_issued issued(unsigned number, const char *device)
{
	struct capf_issued i = {
		.state = CAPF_ISSUED_STALE,
		.sha256 = {(uint8_t)number, (uint8_t)(number >> 8), 1},
		.key_sha256 = {2},
		.issuer = {3},
		.issuer_cn = "CAPF-00000001",
		.issued_at = 1764100000 + number,
		.confirmed_at = 0,
		.not_before = 1000,
		.not_after = 2000,
		.key = "RSA-2048",
		.origin = "admin",
	};
	snprintf(i.serial, sizeof(i.serial), "%032x", number);
	snprintf(i.device, sizeof(i.device), "%s", device);
	return i;
}

static const uint8_t der[] = {0x30, 0x00, 0x05};

static int add(struct capf_issued i)
{
	return capf_store_add_issued(store, &i, der, sizeof(der), &why);
}

static void a_line_is_read_as_it_was_written(void **state)
{
	struct capf_issued i = issued(1, "SEP1"), back;
	uint8_t *got;
	size_t n;
	begin();
	good(add(i));
	commit();
	reopen();
	good(capf_store_issued(store, i.serial, &back, &why));
	assert_memory_equal(&back, &i, sizeof(i));
	good(capf_store_issued_as(store, i.sha256, &back, &why));
	assert_memory_equal(&back, &i, sizeof(i));
	good(capf_store_stale(store, "sep1", i.key_sha256, &back, &why));
	assert_memory_equal(&back, &i, sizeof(i));
	good(capf_store_newest(store, "sep1", CAPF_ISSUED_STALE, &back, &why));
	assert_memory_equal(&back, &i, sizeof(i));
	good(capf_store_issued_der(store, i.serial, &got, &n, &why));
	assert_int_equal(n, sizeof(der));
	assert_memory_equal(got, der, n);
	free(got);
}

static void what_the_ledger_does_not_hold_is_enoent(void **state)
{
	struct capf_issued i = issued(1, "SEP1");
	uint8_t *got;
	size_t n;
	int64_t at = 1;
	assert_int_equal(capf_store_issued(store, i.serial, &i, &why), -ENOENT);
	assert_int_equal(
		capf_store_issued_as(store, i.sha256, &i, &why), -ENOENT);
	assert_int_equal(
		capf_store_stale(store, "SEP1", i.sha256, &i, &why), -ENOENT);
	assert_int_equal(capf_store_newest(store, "SEP1", CAPF_ISSUED_INSTALLED,
				 &i, &why),
		-ENOENT);
	assert_int_equal(capf_store_issued_der(store, i.serial, &got, &n, &why),
		-ENOENT);
	assert_null(got);
	good(capf_store_newest_issue(store, &at, &why));
	assert_int_equal(at, 0);
	begin();
	assert_int_equal(capf_store_set_issued(store, i.serial,
				 CAPF_ISSUED_INSTALLED, 1, &why),
		-ENOENT);
	capf_store_rollback(store);
}

static void a_serial_number_is_never_used_twice(void **state)
{
	struct capf_issued i = issued(1, "SEP1"), again = issued(2, "SEP2");
	begin();
	good(add(i));
	commit();
	memcpy(again.serial, i.serial, sizeof(i.serial));
	begin();
	assert_int_equal(add(again), -EEXIST);
	assert_non_null(strstr(why.text, i.serial));
	good(add(issued(3, "SEP3"))); /* the transaction goes on */
	commit();
	good(capf_store_issued(store, i.serial, &again, &why));
	assert_string_equal(again.device, "SEP1");
	good(capf_store_issued(store, issued(3, "").serial, &again, &why));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define FACT(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		FACT(an_operation_is_read_as_it_was_put),
		FACT(no_operation_is_enoent),
		FACT(a_device_has_one_whatever_its_case),
		FACT(those_that_are_asked_for_are_shown),
		FACT(a_line_is_read_as_it_was_written),
		FACT(what_the_ledger_does_not_hold_is_enoent),
		FACT(a_serial_number_is_never_used_twice),
#undef FACT
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("capf_store", tests, NULL, end);
}

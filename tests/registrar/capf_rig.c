/* SPDX-License-Identifier: Apache-2.0 */
/* A store of CAPF's records in a folder of its own, for facts about it. */
#include "tests/registrar/capf_rig.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

static char top[] = "/tmp/dialtone-capf-XXXXXX";
char rig_folder[64], rig_database[80];
struct capf_store *rig_store;

struct diag rig_why;

void rig_good(int error)
{
	if (error < 0)
		fail_msg("%d: %s", error, rig_why.text);
}

void rig_open(void)
{
	rig_good(capf_store_open(rig_folder, &rig_store, &rig_why));
}

int rig_set_up(void **state)
{
	static int n;
	if (n == 0)
		assert_non_null(mkdtemp(top));
	snprintf(rig_folder, sizeof(rig_folder), "%s/%d", top, n++);
	snprintf(rig_database, sizeof(rig_database), "%s/capf.db", rig_folder);
	assert_int_equal(mkdir(rig_folder, 0700), 0);
	rig_open();
	return 0;
}

void rig_close(void)
{
	capf_store_close(rig_store);
	rig_store = NULL;
}

int rig_tear_down(void **state)
{
	rig_close();
	return 0;
}

void rig_reopen(void)
{
	rig_close();
	rig_open();
}

static int drop(
	const char *path, const struct stat *st, int type, struct FTW *f)
{
	return remove(path);
}

int rig_end(void **state)
{
	return nftw(top, drop, 8, FTW_DEPTH | FTW_PHYS);
}

void rig_begin(void)
{
	rig_good(capf_store_begin(rig_store, &rig_why));
}

void rig_commit(void)
{
	rig_good(capf_store_commit(rig_store, &rig_why));
}

void rig_change(const char *sql)
{
	sqlite3 *db;
	char *fault = NULL;
	assert_int_equal(sqlite3_open(rig_database, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &fault) != SQLITE_OK)
		fail_msg("%s: %s", sql, fault);
	sqlite3_close(db);
}

struct capf_operation rig_operation(const char *device)
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

const uint8_t rig_der[3] = {0x30, 0x00, 0x05};

struct capf_issued rig_issued(unsigned number, const char *device)
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

int rig_add(struct capf_issued i)
{
	return capf_store_add_issued(
		rig_store, &i, rig_der, sizeof(rig_der), &rig_why);
}

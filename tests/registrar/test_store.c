/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about what lasts: the state folder, its database, their damages. */
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
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "registrar/store/folder.h"
#include "registrar/store/store.h"

static char top[] = "/tmp/dialtone-store-XXXXXX";
static char folder[64], database[80];

/* Each fact begins without a state folder. */
static int set_up(void **state)
{
	static int n;
	if (n == 0)
		assert_non_null(mkdtemp(top));
	snprintf(folder, sizeof(folder), "%s/%d", top, n++);
	snprintf(database, sizeof(database), "%s/devices.db", folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	return 0;
}

static int drop(
	const char *path, const struct stat *st, int type, struct FTW *f)
{
	return remove(path);
}

static int tear_down(void **state)
{
	return nftw(top, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static struct store *open_store(void)
{
	struct store *s;
	struct diag d = {.text = ""};
	if (store_open(folder, &s, &d) < 0)
		fail_msg("%s", d.text);
	return s;
}

static void refuses(int error, const char *fault, const char *cure)
{
	struct store *s;
	struct diag d = {.text = ""};
	assert_int_equal(store_open(folder, &s, &d), error);
	if (!strstr(d.text, database) || !strstr(d.text, fault) ||
		!strstr(d.text, cure))
		fail_msg("%s", d.text);
}

/* ---- what it holds ---- */

static const struct device_line lines[] = {
	{"1001", "Front \"desk\"", "anna"}, {"1002", "", ""}};
static const struct device_dial dials[] = {{"*98", "Voice mail", "blf"}};

static struct device device(const char *name)
{
	return (struct device){
		.mic = true,
		.protocol = DEVICE_SIP,
		.name = name,
		.description = "Gr\xc3\xbc\xc3\x9f Gott",
		.model = "CP-8861",
		.profile = "encrypted",
		.digest_user = "anna",
		.softkeys = "redial,hold",
		.ha1_md5 = {1, 2, 3},
		.ha1_sha256 = {4, 5, 6},
		.lines = lines,
		.n_lines = 2,
		.dials = dials,
		.n_dials = 1,
	};
}

static void write_one(struct store *s, struct store_change change)
{
	struct diag d = {.text = ""};
	if (store_write(s, &change, 1, &d) < 0)
		fail_msg("%s", d.text);
}

static void put(struct store *s, const char *name)
{
	struct device one = device(name);
	write_one(s, (struct store_change){
			     .what = STORE_PUT_DEVICE, .device = &one});
}

/* What was read. */
struct held {
	char names[1024];
	size_t n, n_profiles, n_sightings;
	struct device *last;
	struct security_profile profile;
	struct store_sighting sighting;
	struct store_window window;
};

static int take_device(void *self, const struct device *from, struct diag *d)
{
	struct held *h = self;
	device_unref(h->last);
	h->last = device_new(from);
	h->n++;
	if (h->n < 20)
		snprintf(h->names + strlen(h->names), 40, "%s ", from->name);
	return 0;
}

static int take_profile(
	void *self, const struct security_profile *profile, struct diag *d)
{
	struct held *h = self;
	h->profile = *profile;
	h->n_profiles++;
	return 0;
}

static int take_sighting(
	void *self, const struct store_sighting *sighting, struct diag *d)
{
	struct held *h = self;
	h->sighting = *sighting;
	assert_string_equal(sighting->seen.issuer, "CAPF-1");
	assert_string_equal(sighting->seen.anchor, "CAPF-1.pem");
	h->n_sightings++;
	return 0;
}

static int take_window(
	void *self, const struct store_window *window, struct diag *d)
{
	struct held *h = self;
	h->window = *window;
	return 0;
}

static struct held load(struct store *s)
{
	struct held h = {{0}};
	struct diag d = {.text = ""};
	const struct store_reader reader = {
		&h, take_device, take_profile, take_sighting, take_window};
	if (store_load(s, &reader, &d) < 0)
		fail_msg("%s", d.text);
	return h;
}

static struct held reopen(struct store *s)
{
	store_close(s);
	s = open_store();
	struct held h = load(s);
	store_close(s);
	return h;
}

static void what_is_put_is_read_again(void **state)
{
	struct store *s = open_store();
	const struct store_sighting sighting = {
		"SEP2", {.registered = 1764100000,
				.not_after = 1864100000,
				.issuer = "CAPF-1",
				.anchor = "CAPF-1.pem",
				.anchor_sha256 = {6, 5},
				.sha256 = {9, 8, 7},
				.serial = "0a1b",
				.kind = CERT_KIND_LSC}};
	struct security_profile profile = security_predefined[2];
	const struct store_window window = {1764100001, true};
	strcpy(profile.name, "our phones");
	put(s, "SEP2");
	put(s, "SEP1");
	write_one(s, (struct store_change){.what = STORE_PUT_SIGHTING,
			     .sighting = &sighting});
	write_one(s, (struct store_change){
			     .what = STORE_PUT_PROFILE, .profile = &profile});
	write_one(s, (struct store_change){
			     .what = STORE_PUT_WINDOW, .window = &window});
	struct held h = reopen(s);
	struct device wanted = device("SEP2");
	assert_string_equal(h.names, "SEP1 SEP2 ");
	assert_true(device_equal(h.last, &wanted));
	assert_memory_equal(&h.profile, &profile, sizeof(profile));
	assert_string_equal(h.sighting.name, "SEP2");
	assert_string_equal(h.sighting.seen.serial, "0a1b");
	assert_memory_equal(h.sighting.seen.sha256, sighting.seen.sha256, 32);
	assert_memory_equal(
		h.sighting.seen.anchor_sha256, sighting.seen.anchor_sha256, 32);
	assert_int_equal(h.sighting.seen.registered, 1764100000);
	assert_int_equal(h.sighting.seen.not_after, 1864100000);
	assert_int_equal(h.window.until, 1764100001);
	assert_true(h.window.plain);
	device_unref(h.last);
}

static void a_name_is_one_device_whatever_its_case(void **state)
{
	struct store *s = open_store();
	put(s, "SEP1");
	put(s, "sep1");
	struct held h = reopen(s);
	assert_string_equal(h.names, "sep1 ");
	assert_int_equal(h.last->n_lines, 2);
	device_unref(h.last);
}

static void what_is_removed_takes_its_parts_along(void **state)
{
	struct store *s = open_store();
	put(s, "SEP1");
	write_one(s, (struct store_change){
			     .what = STORE_REMOVE_DEVICE, .name = "sep1"});
	struct held h = load(s);
	assert_int_equal(h.n, 0);
	const struct device bare = {.name = "SEP1",
		.description = "",
		.model = "",
		.profile = "encrypted",
		.digest_user = "",
		.softkeys = ""};
	write_one(s, (struct store_change){
			     .what = STORE_PUT_DEVICE, .device = &bare});
	h = reopen(s);
	assert_int_equal(h.last->n_lines, 0);
	assert_int_equal(h.last->n_dials, 0);
	device_unref(h.last);
}

static void holds(size_t n)
{
	struct held h = reopen(open_store());
	assert_int_equal(h.n, n);
	device_unref(h.last);
}

/* ---- all or nothing ---- */

/* No file may grow: a disk that is full, for this process alone. */
static void limit_files(rlim_t bytes)
{
	struct rlimit limit = {bytes, RLIM_INFINITY};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_write_that_fails_changes_nothing(void **state)
{
	enum { MANY = 2000 };
	static char names[MANY][16];
	static struct device devices[MANY];
	static struct store_change changes[MANY];
	struct diag d = {.text = ""};
	struct store *s = open_store();
	put(s, "SEP1");
	for (int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "SEPX%d", i);
		devices[i] = device(names[i]);
		changes[i] = (struct store_change){
			.what = STORE_PUT_DEVICE, .device = &devices[i]};
	}
	limit_files(100000);
	int error = store_write(s, changes, MANY, &d);
	limit_files(RLIM_INFINITY);
	assert_true(error == -EIO || error == -ENOSPC);
	assert_non_null(strstr(d.text, "devices.db"));
	put(s, "SEP2"); /* it goes on when there is room again */
	store_close(s);
	holds(2);
}

/* ---- files ---- */

static void folder_and_files_are_private(void **state)
{
	struct folder *f;
	struct diag d = {.text = ""};
	struct stat st;
	char path[128];
	snprintf(path, sizeof(path), "%s/new", folder);
	assert_int_equal(folder_open(path, &f, &d), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	folder_close(f);
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(folder_open(path, &f, &d), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	folder_close(f);
	struct store *s = open_store();
	put(s, "SEP1");
	const char *const tails[] = {"", "-wal", "-made"};
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", database, tails[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	store_close(s);
}

static void a_folder_is_one_process_s(void **state)
{
	struct folder *one, *two;
	struct diag d = {.text = ""};
	assert_int_equal(folder_open(folder, &one, &d), 0);
	assert_int_equal(folder_open(folder, &two, &d), -EBUSY);
	assert_non_null(strstr(d.text, "another dialtoned"));
	folder_close(one);
	assert_int_equal(folder_open(folder, &two, &d), 0);
	folder_close(two);
	assert_int_equal(folder_open("/dev/null", &two, &d), -ENOTDIR);
	assert_int_equal(folder_open("/nowhere/at/all", &two, &d), -ENOENT);
}

static void another_program_finds_it_locked(void **state)
{
	struct store *s = open_store();
	sqlite3 *other;
	assert_int_equal(sqlite3_open(database, &other), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(other, "DELETE FROM device", NULL, NULL, NULL),
		SQLITE_BUSY);
	store_close(s);
	assert_int_equal(
		sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL),
		SQLITE_OK);
	refuses(-EBUSY, "another program has it open", "end that");
	sqlite3_close(other);
	store_close(open_store());
}

/* ---- damages: never an empty inventory for a real one ---- */

/* A database with some devices, closed. */
static void make_some(void)
{
	char name[16];
	struct store *s = open_store();
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "SEP%d", i);
		put(s, name);
	}
	store_close(s);
}

static void a_missing_database_is_not_made_anew(void **state)
{
	make_some();
	assert_int_equal(unlink(database), 0);
	refuses(-ENOENT, "is missing", "restore it from a backup");
	char wal[128], made[128];
	snprintf(made, sizeof(made), "%s-made", database);
	snprintf(wal, sizeof(wal), "%s-wal", database);
	assert_int_equal(unlink(made), 0);
	close(open(wal, O_CREAT | O_WRONLY, 0600));
	refuses(-ENOENT, "is missing", "restore it from a backup");
	assert_int_equal(unlink(wal), 0);
	store_close(open_store()); /* whoever moves all away begins anew */
}

static void a_database_without_its_mark_gets_it_back(void **state)
{
	char made[128];
	make_some();
	snprintf(made, sizeof(made), "%s-made", database);
	assert_int_equal(unlink(made), 0);
	holds(50);
	assert_int_equal(access(made, F_OK), 0);
}

static void a_start_that_was_cut_short_is_begun_again(void **state)
{
	char path[128];
	snprintf(path, sizeof(path), "%s-new", database);
	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, "half", 4), 4);
	close(fd);
	store_close(open_store());
	assert_int_not_equal(access(path, F_OK), 0);
}

static void an_empty_file_is_refused(void **state)
{
	make_some();
	assert_int_equal(truncate(database, 0), 0);
	refuses(-EINVAL, "is empty", "restore it from a backup");
}

static void no_database_is_refused(void **state)
{
	make_some();
	FILE *f = fopen(database, "w");
	fputs("name,profile,and,more\n", f);
	fclose(f);
	refuses(-EINVAL, "is no SQLite database", "restore it from a backup");
}

static void a_cut_one_is_refused(void **state)
{
	struct stat st;
	make_some();
	assert_int_equal(stat(database, &st), 0);
	for (off_t n = st.st_size - 4096; n > 0; n -= 4096) {
		assert_int_equal(truncate(database, n), 0);
		refuses(-EINVAL, "is damaged", "restore it from a backup");
	}
	assert_int_equal(truncate(database, 50), 0);
	refuses(-EINVAL, "is damaged", "restore it from a backup");
}

/* Pages full of nonsense, each in its turn. */
static void a_damaged_one_is_refused(void **state)
{
	struct stat st;
	char page[4096], was[4096];
	make_some();
	memset(page, 0xa5, sizeof(page));
	assert_int_equal(stat(database, &st), 0);
	int fd = open(database, O_RDWR);
	for (off_t at = 4096; at < st.st_size; at += 4096) {
		assert_int_equal(pread(fd, was, sizeof(was), at), sizeof(was));
		assert_int_equal(
			pwrite(fd, page, sizeof(page), at), sizeof(page));
		refuses(-EINVAL, "is damaged", "restore it from a backup");
		assert_int_equal(pwrite(fd, was, sizeof(was), at), sizeof(was));
	}
	close(fd);
	holds(50);
}

static void change(const char *sql)
{
	sqlite3 *db;
	char *why = NULL;
	assert_int_equal(sqlite3_open(database, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	sqlite3_close(db);
}

static void a_foreign_one_is_refused(void **state)
{
	make_some();
	change("PRAGMA application_id = 7");
	refuses(-EINVAL, "another program", "restore it from a backup");
}

static void a_newer_one_is_refused(void **state)
{
	make_some();
	change("PRAGMA user_version = 1000");
	refuses(-EINVAL, "version 1000", "run the newer one");
}

/* As version 1 wrote it. */
static void an_older_one_is_brought_up_to_date(void **state)
{
	store_close(open_store());
	change("DROP TABLE device; DROP TABLE dial; DROP TABLE sighting;"
	       "CREATE TABLE sighting (device TEXT PRIMARY KEY COLLATE NOCASE,"
	       " registered INTEGER NOT NULL, kind INTEGER NOT NULL,"
	       " issuer TEXT NOT NULL, anchor TEXT NOT NULL,"
	       " serial TEXT NOT NULL, sha256 BLOB NOT NULL,"
	       " not_after INTEGER NOT NULL) WITHOUT ROWID;"
	       "INSERT INTO sighting VALUES ('SEP1', 1764100000, 1, 'CAPF-1',"
	       " 'CAPF-1.pem', '0a1b', x'05', 1864100000);"
	       "CREATE TABLE dial (device TEXT COLLATE NOCASE,"
	       " position INTEGER, number TEXT NOT NULL, label TEXT NOT NULL,"
	       " PRIMARY KEY (device, position)) WITHOUT ROWID;"
	       "INSERT INTO dial VALUES ('SEP1', 0, '*98', 'Mail');"
	       "CREATE TABLE device (name TEXT PRIMARY KEY COLLATE NOCASE,"
	       " protocol INTEGER NOT NULL, mic INTEGER NOT NULL,"
	       " description TEXT NOT NULL, model TEXT NOT NULL,"
	       " profile TEXT NOT NULL COLLATE NOCASE,"
	       " digest_user TEXT NOT NULL, ha1_md5 BLOB NOT NULL,"
	       " ha1_sha256 BLOB NOT NULL) WITHOUT ROWID;"
	       "INSERT INTO device VALUES ('SEP1', 2, 1, 'hall', 'CP-8861',"
	       " 'encrypted', 'anna', x'01', x'02');"
	       "INSERT INTO line VALUES ('SEP1', 0, '1001', '', '');"
	       "PRAGMA user_version = 1");
	struct store *s = open_store();
	struct held h = load(s);
	assert_string_equal(h.names, "SEP1 ");
	assert_string_equal(h.last->description, "hall");
	assert_string_equal(h.last->softkeys, "");
	assert_int_equal(h.n_sightings, 1);
	assert_int_equal(h.sighting.seen.registered, 1764100000);
	assert_int_equal(h.sighting.seen.anchor_sha256[0], 0);
	assert_int_equal(h.last->n_lines, 1);
	assert_string_equal(h.last->dials[0].label, "Mail");
	assert_string_equal(h.last->dials[0].type, "");
	device_unref(h.last);
	put(s, "SEP2");
	h = reopen(s); /* once */
	assert_string_equal(h.names, "SEP1 SEP2 ");
	assert_string_equal(h.last->softkeys, "redial,hold");
	assert_string_equal(h.last->dials[0].type, "blf");
	device_unref(h.last);
}

static void rows_that_hang_on_no_device_are_refused(void **state)
{
	struct store *s;
	struct held h = {{0}};
	struct diag d = {.text = ""};
	const struct store_reader reader = {
		&h, take_device, take_profile, take_sighting, take_window};
	const char *const hang[] = {
		"INSERT INTO line VALUES ('AAA', 0, '1', '', '')",
		"DELETE FROM line; INSERT INTO dial VALUES ('ZZZ', 0, '1', '', "
		"'')",
	};
	make_some();
	for (size_t i = 0; i < 2; i++) {
		change(hang[i]);
		s = open_store();
		assert_int_equal(store_load(s, &reader, &d), -EINVAL);
		assert_non_null(strstr(d.text, "belong to no device"));
		store_close(s);
	}
	device_unref(h.last);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define FACT(f) cmocka_unit_test_setup(f, set_up)
		FACT(what_is_put_is_read_again),
		FACT(a_name_is_one_device_whatever_its_case),
		FACT(what_is_removed_takes_its_parts_along),
		FACT(a_write_that_fails_changes_nothing),
		FACT(folder_and_files_are_private),
		FACT(a_folder_is_one_process_s),
		FACT(another_program_finds_it_locked),
		FACT(a_missing_database_is_not_made_anew),
		FACT(a_database_without_its_mark_gets_it_back),
		FACT(a_start_that_was_cut_short_is_begun_again),
		FACT(an_empty_file_is_refused),
		FACT(no_database_is_refused),
		FACT(a_cut_one_is_refused),
		FACT(a_damaged_one_is_refused),
		FACT(a_foreign_one_is_refused),
		FACT(a_newer_one_is_refused),
		FACT(an_older_one_is_brought_up_to_date),
		FACT(rows_that_hang_on_no_device_are_refused),
#undef FACT
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("store", tests, NULL, tear_down);
}

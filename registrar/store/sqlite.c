/* SPDX-License-Identifier: Apache-2.0 */
/* A SQLite file in the state folder: opened with every check or not at all. */
#include "registrar/store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/file.h"
#include "registrar/memory.h"

enum {
	BUSY_MS = 2000, /* somebody may be looking with sqlite3 */
	WAL_KEPT = 16 << 20
};

/* ---- faults ---- */

int sqlite_fault(sqlite3 *db, const char *doing, struct diag *d)
{
	const char *file = sqlite3_db_filename(db, "main");
	int code = sqlite3_errcode(db);
	int system = code & 0xff ? sqlite3_system_errno(db) : 0;
	/* A full disk is told as an I/O error of a write, too. */
	if ((code & 0xff) == SQLITE_FULL || system == ENOSPC ||
		system == EDQUOT)
		return diag_set(d, -ENOSPC,
			"%s: %s: the disk is full: make room on it", file,
			doing);
	return diag_set(d, -EIO, "%s: %s: %s%s%s", file, doing,
		sqlite3_errmsg(db), system ? ": " : "",
		system ? strerror(system) : "");
}

int sqlite_run(sqlite3 *db, const char *sql, const char *doing, struct diag *d)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return sqlite_fault(db, doing, d);
}

int sqlite_prepare(
	sqlite3 *db, const char *sql, sqlite3_stmt **out, struct diag *d)
{
	if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out,
		    NULL) == SQLITE_OK)
		return 0;
	*out = NULL;
	return sqlite_fault(db, "cannot be asked", d);
}

int sqlite_step(sqlite3_stmt *statement, const char *doing, struct diag *d)
{
	int error = 0;
	if (sqlite3_step(statement) != SQLITE_DONE)
		error = sqlite_fault(sqlite3_db_handle(statement), doing, d);
	sqlite3_reset(statement);
	return error;
}

void sqlite_rollback(sqlite3 *db)
{
	if (!sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}

/*
 * A commit that failed when it was synced is whole in the WAL all the same:
 * whoever opened the file after a crash would find it. So the WAL is emptied.
 * If the disk does not let us, what is written next overwrites it.
 */
int sqlite_commit(sqlite3 *db, const char *doing, struct diag *d)
{
	int error = sqlite_run(db, "COMMIT", doing, d);
	if (error == 0)
		return 0;
	sqlite_rollback(db);
	sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
	return error;
}

int64_t sqlite_answer(sqlite3_stmt *statement)
{
	int64_t number = sqlite3_step(statement) == SQLITE_ROW
				 ? sqlite_number(statement, 0)
				 : 0;
	sqlite3_reset(statement);
	return number;
}

/* ---- values ---- */

void sqlite_bind_text(sqlite3_stmt *s, int at, const char *text)
{
	sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
}

void sqlite_bind_number(sqlite3_stmt *s, int at, int64_t number)
{
	sqlite3_bind_int64(s, at, number);
}

void sqlite_bind_bytes(sqlite3_stmt *s, int at, const void *data, size_t n)
{
	sqlite3_bind_blob(s, at, data, (int)n, SQLITE_STATIC);
}

const char *sqlite_text(sqlite3_stmt *s, int at)
{
	const char *text = (const char *)sqlite3_column_text(s, at);
	return text ? text : "";
}

int64_t sqlite_number(sqlite3_stmt *s, int at)
{
	return sqlite3_column_int64(s, at);
}

void sqlite_bytes(sqlite3_stmt *s, int at, void *out, size_t n)
{
	const void *data = sqlite3_column_blob(s, at);
	if (data && sqlite3_column_bytes(s, at) == (int)n)
		memcpy(out, data, n);
	else
		memset(out, 0, n);
}

/* ---- opening ---- */

/* The file being opened, and its neighbours. */
struct opening {
	const struct sqlite_kind *kind;
	const char *folder;
	char path[PATH_MAX], fresh[PATH_MAX], made[PATH_MAX], wal[PATH_MAX];
	sqlite3 *db;
	struct diag *d;
};

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Who restores a backup loses nothing; who begins anew must say so. */
static int refuse(const struct opening *o, int error, const char *fault)
{
	return diag_set(o->d, error,
		"%s: %s: restore it from a backup, or move %s* away to begin "
		"without %s",
		o->path, fault, o->path, o->kind->holds);
}

/* Answers the first value of a question, or -1. */
static int64_t ask(const struct opening *o, const char *sql)
{
	sqlite3_stmt *s = NULL;
	int64_t value = -1;
	if (sqlite_prepare(o->db, sql, &s, o->d) == 0 &&
		sqlite3_step(s) == SQLITE_ROW)
		value = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return value;
}

static int open_file(struct opening *o, const char *path)
{
	int code = sqlite3_open_v2(path, &o->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (code != SQLITE_OK && o->db)
		return diag_set(o->d, -EIO,
			"%s: %s: dialtoned must be able to read and write it",
			path, sqlite3_errmsg(o->db));
	if (code != SQLITE_OK)
		return diag_set(
			o->d, -EIO, "%s: %s", path, sqlite3_errstr(code));
	sqlite3_extended_result_codes(o->db, 1);
	sqlite3_busy_timeout(o->db, BUSY_MS);
	/* Whoever wrote the file, its schema runs nothing of its own. */
	sqlite3_db_config(o->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(o->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	return 0;
}

/* Brings the file to today's version, in one transaction. */
static int migrate(const struct opening *o, int64_t version)
{
	char *last = memory_format("PRAGMA application_id = %d; "
				   "PRAGMA user_version = %d; COMMIT;",
		(int)o->kind->application_id, o->kind->version);
	int error = sqlite_run(
		o->db, "BEGIN IMMEDIATE", "cannot be brought up to date", o->d);
	for (; error == 0 && version < o->kind->version; version++)
		error = sqlite_run(o->db, o->kind->steps[version],
			"cannot be brought up to date", o->d);
	if (error == 0)
		error = sqlite_run(
			o->db, last, "cannot be brought up to date", o->d);
	free(last);
	return error;
}

static int sync_folder(const struct opening *o)
{
	int fd = open(o->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = fd < 0 || fsync(fd) < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	return error ? diag_set(o->d, -error, "%s: %s", o->folder,
			       strerror(error))
		     : 0;
}

static int write_mark(const struct opening *o)
{
	char *text = memory_format("%s was made here. While this file is here, "
				   "dialtoned does not begin with an empty "
				   "one when it is missing.\n",
		o->kind->file);
	int error = cert_file_write(o->made, 0600, text, strlen(text), o->d);
	free(text);
	return error ? error : sync_folder(o);
}

/* A whole file appears under its name, or none does. */
static int make_file(struct opening *o)
{
	char *journal = memory_format("%s-journal", o->fresh);
	unlink(o->fresh); /* of a start that was cut short */
	unlink(journal);
	free(journal);
	int fd = open(o->fresh,
		O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return diag_set(o->d, -errno,
			"%s: %s: dialtoned must be able to write to "
			"state.folder",
			o->fresh, strerror(errno));
	close(fd);
	int error = open_file(o, o->fresh);
	if (error == 0)
		error = migrate(o, 0);
	sqlite3_close(o->db);
	o->db = NULL;
	if (error == 0 && rename(o->fresh, o->path) < 0)
		error = diag_set(
			o->d, -errno, "%s: %s", o->path, strerror(errno));
	return error == 0 ? sync_folder(o) : error;
}

/* Never made: make it. Gone, cut short or no SQLite file: refuse it. */
static int look_at_file(struct opening *o)
{
	static const char magic[16] = "SQLite format 3";
	char head[16];
	struct stat st;
	if (lstat(o->path, &st) < 0 && errno == ENOENT) {
		if (exists(o->made) || exists(o->wal))
			return refuse(o, -ENOENT,
				"is missing, though it was made here");
		return make_file(o);
	}
	int fd = open(o->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return diag_set(o->d, -errno,
			"%s: %s: dialtoned must be able to read and write it",
			o->path, strerror(errno));
	ssize_t n = read(fd, head, sizeof(head));
	close(fd);
	if (n == 0)
		return refuse(o, -EINVAL, "is empty: it was cut short");
	if (n != sizeof(head) || memcmp(head, magic, sizeof(head)) != 0)
		return refuse(o, -EINVAL, "is no SQLite database");
	return 0;
}

static int check_whole(const struct opening *o)
{
	sqlite3_stmt *s = NULL;
	char fault[256] = "";
	if (sqlite_prepare(o->db, "PRAGMA quick_check(1)", &s, o->d) < 0 ||
		sqlite3_step(s) != SQLITE_ROW)
		snprintf(fault, sizeof(fault), "is damaged (%s)",
			sqlite3_errmsg(o->db));
	else if (strcmp(sqlite_text(s, 0), "ok") != 0)
		snprintf(fault, sizeof(fault), "is damaged (%.200s)",
			sqlite_text(s, 0));
	sqlite3_finalize(s);
	for (char *p = fault; *p; p++)
		if (*p == '\n')
			*p = ' ';
	return *fault ? refuse(o, -EINVAL, fault) : 0;
}

/* The lock is taken with the first look, and kept. */
static int take(const struct opening *o)
{
	char *pragmas = memory_format(
		"PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; "
		"PRAGMA synchronous = %s; PRAGMA journal_size_limit = %d; "
		"BEGIN IMMEDIATE; COMMIT;",
		o->kind->written_behind ? "NORMAL" : "FULL", WAL_KEPT);
	int code = sqlite3_exec(o->db, pragmas, NULL, NULL, NULL);
	free(pragmas);
	if (sqlite3_db_readonly(o->db, "main") == 1)
		return diag_set(o->d, -EACCES,
			"%s: is read-only: dialtoned must be able to write "
			"it, and to the folder",
			o->path);
	switch (code & 0xff) {
	case SQLITE_OK:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return diag_set(o->d, -EBUSY,
			"%s: another program has it open: end that, then "
			"start dialtoned",
			o->path);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return refuse(o, -EINVAL, "is damaged");
	default:
		return sqlite_fault(o->db, "cannot be opened", o->d);
	}
}

static int judge(const struct opening *o)
{
	int error = take(o);
	if (error == 0)
		error = check_whole(o);
	if (error < 0)
		return error;
	int64_t version = ask(o, "PRAGMA user_version");
	if (ask(o, "PRAGMA application_id") != o->kind->application_id)
		return refuse(o, -EINVAL, "is a database of another program");
	if (version > o->kind->version)
		return diag_set(o->d, -EINVAL,
			"%s: is of version %d, and this dialtoned knows none "
			"above %d: run the newer one, or restore a backup",
			o->path, (int)version, o->kind->version);
	return version < o->kind->version ? migrate(o, version) : 0;
}

static void name(char out[PATH_MAX], const struct opening *o, const char *tail)
{
	snprintf(out, PATH_MAX, "%s/%s%s", o->folder, o->kind->file, tail);
}

/* Nobody asks SQLite how much memory it has; counting it takes a lock at each
 * allocation. */
__attribute__((constructor)) static void set_up(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int open_in_memory(
	const struct sqlite_kind *kind, sqlite3 **out, struct diag *d)
{
	int error = 0;
	if (sqlite3_open_v2(":memory:", out,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
		    NULL) != SQLITE_OK)
		return diag_set(d, -ENOMEM, "no memory for %s", kind->holds);
	for (int i = 0; error == 0 && i < kind->version; i++)
		error = sqlite_run(*out, kind->steps[i], kind->holds, d);
	return error;
}

static int open_in_folder(const char *folder, const struct sqlite_kind *kind,
	sqlite3 **out, struct diag *d)
{
	struct opening o = {.kind = kind, .folder = folder, .d = d};
	name(o.path, &o, "");
	name(o.fresh, &o, "-new");
	name(o.made, &o, "-made");
	name(o.wal, &o, "-wal");
	int error = look_at_file(&o);
	if (error == 0)
		error = open_file(&o, o.path);
	if (error == 0)
		error = judge(&o);
	if (error == 0 && !exists(o.made))
		error = write_mark(&o);
	*out = o.db;
	return error;
}

int sqlite_open(const char *folder, const struct sqlite_kind *kind,
	sqlite3 **out, sqlite3_stmt **statements, struct diag *d)
{
	sqlite3 *db = NULL;
	int error = folder ? open_in_folder(folder, kind, &db, d)
			   : open_in_memory(kind, &db, d);
	for (size_t i = 0; error == 0 && i < kind->n_statements; i++)
		error = sqlite_prepare(
			db, kind->statements[i], &statements[i], d);
	if (error < 0) {
		sqlite_close(db);
		db = NULL;
	}
	*out = db;
	return error;
}

void sqlite_close(sqlite3 *db)
{
	sqlite3_stmt *s;
	while (db && (s = sqlite3_next_stmt(db, NULL)))
		sqlite3_finalize(s);
	sqlite3_close(db);
}

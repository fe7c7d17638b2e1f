/* SPDX-License-Identifier: Apache-2.0 */
/* A SQLite file in the state folder: opened with every check or not at all. */
#ifndef REGISTRAR_STORE_SQLITE_H
#define REGISTRAR_STORE_SQLITE_H

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "certs/diag.h"

/* What a file is. steps[i] brings a database of version i to version i + 1;
 * steps[0] makes an empty one. */
struct sqlite_kind {
	const char *file;  /* in the state folder: "devices.db" */
	const char *holds; /* for people: "the device inventory" */
	int32_t application_id;
	const char *const *steps;
	int version;		       /* how many steps there are */
	const char *const *statements; /* that are used often */
	size_t n_statements;
	/* Its last commits may be lost with the power, never with us. */
	int written_behind;
};

/*
 * Opens the file, which is made (0600) if it never was there; beside it lies
 * NAME-made ever after, so that one that went missing is not taken for one
 * that never was. Damaged, cut short, foreign, read-only, of a newer version
 * or in use by another program: -errno, and d names file, fault and cure.
 * For one thread at a time. What is open is locked against other programs.
 * folder NULL: in memory, gone when it is closed. The kind's statements are
 * prepared into statements[], and go with the closing, as all do.
 */
int sqlite_open(const char *folder, const struct sqlite_kind *kind,
	sqlite3 **out, sqlite3_stmt **statements, struct diag *d);
void sqlite_close(sqlite3 *db);

/* Why the last call failed, and the cure: d says "file: doing: why". -ENOSPC
 * when the disk is full, -EIO for everything else. */
int sqlite_fault(sqlite3 *db, const char *doing, struct diag *d);

/* Runs statements that answer nothing. 0, or as sqlite_fault(). */
int sqlite_run(sqlite3 *db, const char *sql, const char *doing, struct diag *d);

/* A statement to be used often; NULL in *out and as sqlite_fault(). */
int sqlite_prepare(
	sqlite3 *db, const char *sql, sqlite3_stmt **out, struct diag *d);
/* Runs a bound statement that answers no row, and makes it ready again. */
int sqlite_step(sqlite3_stmt *statement, const char *doing, struct diag *d);

/* Ends what was begun: all of it is written (0), or nothing is, as
 * sqlite_fault(). */
int sqlite_commit(sqlite3 *db, const char *doing, struct diag *d);
/* Gives up what was begun; a full disk may have done so already. */
void sqlite_rollback(sqlite3 *db);
/* The number that a bound statement answers, 0 if none, ready again. */
int64_t sqlite_answer(sqlite3_stmt *statement);

/* Bound from 1 on; a text must stay until the statement is run. */
void sqlite_bind_text(sqlite3_stmt *s, int at, const char *text);
void sqlite_bind_number(sqlite3_stmt *s, int at, int64_t number);
void sqlite_bind_bytes(sqlite3_stmt *s, int at, const void *data, size_t n);

/* Columns from 0 on. A text is never NULL, and gone with the next step. */
const char *sqlite_text(sqlite3_stmt *s, int at);
int64_t sqlite_number(sqlite3_stmt *s, int at);
/* Exactly n bytes, else zeroes. */
void sqlite_bytes(sqlite3_stmt *s, int at, void *out, size_t n);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* CAPF's records in a SQLite file, capf.db: the file and its transactions. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/memory.h"
#include "registrar/store/sqlite_capf_inside.h"

/* The certificates lie beside the ledger, so that who walks over it does not
 * read them. */
static const char *const steps[] = {
	"CREATE TABLE operation (device TEXT PRIMARY KEY COLLATE NOCASE"
	" CHECK (length(device) BETWEEN 1 AND 63), kind TEXT NOT NULL,"
	" mode TEXT NOT NULL, state TEXT NOT NULL, why TEXT NOT NULL,"
	" detail TEXT NOT NULL, origin TEXT NOT NULL,"
	" queued_at INTEGER NOT NULL, turn_at INTEGER NOT NULL,"
	" completes_by INTEGER NOT NULL, changed_at INTEGER NOT NULL,"
	" tell INTEGER NOT NULL, told_at INTEGER NOT NULL,"
	" visits INTEGER NOT NULL, key_failures INTEGER NOT NULL,"
	" address TEXT NOT NULL, salt BLOB NOT NULL, hash BLOB NOT NULL,"
	" string_until INTEGER NOT NULL, wrong_strings INTEGER NOT NULL,"
	" null_until INTEGER NOT NULL, serial TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX operation_turn ON operation (turn_at, device)"
	" WHERE state = 'pending' AND tell = 1 AND told_at = 0;"
	"CREATE INDEX operation_end ON operation (completes_by)"
	" WHERE state = 'pending' AND completes_by > 0;"
	"CREATE TABLE issued (id INTEGER PRIMARY KEY,"
	" serial TEXT NOT NULL UNIQUE CHECK (length(serial) BETWEEN 1 AND 64),"
	" device TEXT NOT NULL COLLATE NOCASE"
	" CHECK (length(device) BETWEEN 1 AND 63), state TEXT NOT NULL,"
	" sha256 BLOB NOT NULL UNIQUE, key_sha256 BLOB NOT NULL,"
	" issuer BLOB NOT NULL, issuer_cn TEXT NOT NULL,"
	" issued_at INTEGER NOT NULL, confirmed_at INTEGER NOT NULL,"
	" not_before INTEGER NOT NULL, not_after INTEGER NOT NULL,"
	" key TEXT NOT NULL, origin TEXT NOT NULL);"
	"CREATE INDEX issued_to ON issued (device);"
	"CREATE INDEX issued_state ON issued (state);"
	"CREATE TABLE certificate (id INTEGER PRIMARY KEY, der BLOB NOT NULL);"
	"CREATE TABLE shown (device TEXT NOT NULL COLLATE NOCASE"
	" CHECK (length(device) BETWEEN 1 AND 63), type INTEGER NOT NULL,"
	" at INTEGER NOT NULL, der BLOB NOT NULL, UNIQUE (device, type));"
	"CREATE TABLE request (device TEXT NOT NULL UNIQUE COLLATE NOCASE"
	" CHECK (length(device) BETWEEN 1 AND 63), key_sha256 BLOB NOT NULL,"
	" at INTEGER NOT NULL, exported_at INTEGER NOT NULL,"
	" spki BLOB NOT NULL);"
	"CREATE TABLE audit (number INTEGER PRIMARY KEY, at INTEGER NOT NULL,"
	" event TEXT NOT NULL, device TEXT NOT NULL, serial TEXT NOT NULL,"
	" address TEXT NOT NULL, detail TEXT NOT NULL, hash BLOB NOT NULL);"
	"CREATE TABLE head (only INTEGER PRIMARY KEY CHECK (only = 1),"
	" number INTEGER NOT NULL, hash BLOB NOT NULL);",
	/* A clock that an admin said is right, though lines of the ledger, up
	 * to `line`, are of later. */
	"CREATE TABLE clock (only INTEGER PRIMARY KEY CHECK (only = 1),"
	" at INTEGER NOT NULL, line INTEGER NOT NULL);",
};

static const char *const statements[] = {
#define X(symbol, sql) sql,
	SQLITE_CAPF_STATEMENT_LIST(X)
#undef X
};

static const struct sqlite_kind kind = {
	.file = "capf.db",
	.holds = "the ledger of the phones' LSCs",
	.application_id = 0x44697461, /* "Dita" */
	.steps = steps,
	.version = sizeof(steps) / sizeof(steps[0]),
	.statements = statements,
	.n_statements = SQLITE_CAPF_STATEMENTS,
};

static const char doing[] = "CAPF's records were not written";

/* ---- rows ---- */

/* As it was written, to the byte: a text that is longer, or goes on behind a
 * NUL, was not. */
void sqlite_capf_text(struct sqlite_capf_row *row, char *out, size_t size)
{
	const char *text = sqlite_text(row->q, row->at);
	size_t n = (size_t)sqlite3_column_bytes(row->q, row->at++);
	if (n >= size || memchr(text, '\0', n)) {
		row->bad = true;
		n = 0;
	}
	memcpy(out, text, n);
	memset(out + n, 0, size - n);
}

int sqlite_capf_word(struct sqlite_capf_row *row, int (*find)(const char *name))
{
	int number = find(sqlite_text(row->q, row->at++));
	if (number >= 0)
		return number;
	row->bad = true;
	return 0;
}

void sqlite_capf_filter(sqlite3_stmt *q, int at, const char *text)
{
	sqlite3_bind_text(q, at, text, -1, SQLITE_TRANSIENT);
}

void sqlite_capf_filter_number(sqlite3_stmt *q, int at, int64_t number)
{
	if (number)
		sqlite_bind_number(q, at, number);
}

static int damaged(struct capf_store *s, sqlite3_stmt *row, struct diag *d)
{
	return diag_set(d, -EINVAL,
		"%s: is damaged: the row of \"%.64s\" holds what dialtoned "
		"never writes: restore it from a backup",
		sqlite3_db_filename(s->db, "main"), sqlite_text(row, 0));
}

int sqlite_capf_one(struct capf_store *s, sqlite3_stmt *q,
	const struct sqlite_capf_wanted *wanted, struct diag *d)
{
	int error = 0;
	switch (sqlite3_step(q)) {
	case SQLITE_ROW:
		if (!wanted->take(q, wanted->out))
			error = damaged(s, q, d);
		break;
	case SQLITE_DONE:
		error = diag_set(d, -ENOENT, "there is no %s of %s",
			wanted->what, wanted->whose);
		break;
	default:
		error = sqlite_fault(s->db, "cannot be read", d);
	}
	sqlite3_reset(q);
	return error;
}

int sqlite_capf_each(struct capf_store *s, sqlite3_stmt *q,
	int (*visit)(void *self, sqlite3_stmt *row), void *self, struct diag *d)
{
	int code = SQLITE_ROW, more = 1;
	while (more > 0 && (code = sqlite3_step(q)) == SQLITE_ROW)
		more = visit(self, q);
	int error = 0;
	if (more < 0)
		error = damaged(s, q, d);
	else if (code != SQLITE_ROW && code != SQLITE_DONE)
		error = sqlite_fault(s->db, "cannot be read", d);
	sqlite3_finalize(q);
	return error;
}

/* ---- transactions ---- */

/* When a disk is full SQLite may undo all of a transaction by itself; what
 * comes afterwards must not be a transaction of its own. */
static int within(const struct capf_store *s, struct diag *d)
{
	assert(s->begun);
	if (!sqlite3_get_autocommit(s->db))
		return 0;
	return diag_set(d, -EIO,
		"%s: %s: a write failed, and all before it was undone",
		sqlite3_db_filename(s->db, "main"), doing);
}

int sqlite_capf_change(struct capf_store *s, sqlite3_stmt *q, struct diag *d)
{
	int error = within(s, d);
	return error ? error : sqlite_step(q, doing, d);
}

int capf_store_begin(struct capf_store *s, struct diag *d)
{
	assert(!s->begun);
	int error = sqlite_run(s->db, "BEGIN IMMEDIATE", doing, d);
	s->begun = error == 0;
	s->marked = false;
	return error;
}

int capf_store_commit(struct capf_store *s, struct diag *d)
{
	int error = within(s, d);
	if (error == 0)
		error = sqlite_commit(s->db, doing, d);
	s->begun = false;
	return error;
}

void capf_store_rollback(struct capf_store *s)
{
	sqlite_rollback(s->db);
	s->begun = false;
}

int capf_store_mark(struct capf_store *s, struct diag *d)
{
	int error = within(s, d);
	if (error == 0 && s->marked)
		error = sqlite_run(s->db, "RELEASE mark", doing, d);
	if (error == 0)
		error = sqlite_run(s->db, "SAVEPOINT mark", doing, d);
	s->marked = error == 0;
	return error;
}

void capf_store_back_to_mark(struct capf_store *s)
{
	assert(s->begun && s->marked);
	sqlite3_exec(s->db, "ROLLBACK TO mark", NULL, NULL, NULL);
}

/* ---- life ---- */

int capf_store_open(const char *folder, struct capf_store **out, struct diag *d)
{
	struct capf_store *s = memory_zero(sizeof(*s));
	*out = NULL;
	s->digest = EVP_MD_CTX_new();
	if (!s->digest || EVP_DigestInit_ex(s->digest, EVP_sha256(), NULL) != 1)
		abort();
	int error = sqlite_open(folder, &kind, &s->db, s->statements, d);
	/* What a mark may have to undo stays out of the folder for temporary
	 * files. */
	if (error == 0)
		error = sqlite_run(s->db, "PRAGMA temp_store = MEMORY",
			"cannot be opened", d);
	if (error == 0)
		error = capf_store_audit_check(s, d);
	if (error < 0) {
		capf_store_close(s);
		return error;
	}
	*out = s;
	return 0;
}

void capf_store_close(struct capf_store *s)
{
	if (!s)
		return;
	sqlite_close(s->db);
	EVP_MD_CTX_free(s->digest);
	free(s);
}

static bool take_counts(sqlite3_stmt *q, void *into)
{
	struct capf_store_counts *out = into;
	out->shown = (size_t)sqlite_number(q, 0);
	out->requests = (size_t)sqlite_number(q, 1);
	return true;
}

int capf_store_count(
	struct capf_store *s, struct capf_store_counts *out, struct diag *d)
{
	uint8_t hash[32];
	memset(out, 0, sizeof(*out));
	int error = sqlite_capf_one(s, s->statements[SQLITE_CAPF_COUNT],
		&(struct sqlite_capf_wanted){
			take_counts, out, "number", "records"},
		d);
	if (error == 0)
		error = sqlite_capf_head(s, &out->audit, hash, d);
	if (error == 0)
		error = sqlite_capf_count_operations(s, out, d);
	return error ? error : sqlite_capf_count_issued(s, out, d);
}

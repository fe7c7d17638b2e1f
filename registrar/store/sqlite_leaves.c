/* SPDX-License-Identifier: Apache-2.0 */
/* Phones' certificates in a SQLite file, certificates.db. */
#include <stdlib.h>
#include <string.h>

#include "registrar/memory.h"
#include "registrar/store/leaf_store.h"
#include "registrar/store/sqlite.h"
#include "registrar/text.h"

enum { PAGE = 256 };

/* `kind` by its number in C: append only. A row that changes gets a new id, so
 * the smallest is the longest unchanged. */
static const char *const steps[] = {
	"CREATE TABLE certificate (id INTEGER PRIMARY KEY,"
	" device TEXT NOT NULL COLLATE NOCASE"
	" CHECK (length(device) BETWEEN 1 AND 63),"
	" kind INTEGER NOT NULL CHECK (kind IN (1, 2)),"
	" sha256 BLOB NOT NULL, anchor BLOB NOT NULL,"
	" not_after INTEGER NOT NULL, chain BLOB NOT NULL);"
	"CREATE UNIQUE INDEX certificate_of ON certificate (device, kind);",
};

#define BEHIND                                            \
	" FROM certificate WHERE (device, kind) > (?, ?)" \
	" ORDER BY device, kind LIMIT ?"
#define STATEMENT_LIST(X)                                                      \
	X(PUT, "REPLACE INTO certificate"                                      \
	       " (device, kind, sha256, anchor, not_after, chain)"             \
	       " VALUES (?, ?, ?, ?, ?, ?)")                                   \
	X(THERE, "SELECT 1 FROM certificate WHERE device = ? AND kind = ?"     \
		 " AND sha256 = ? AND anchor = ?")                             \
	X(FORGET, "DELETE FROM certificate WHERE device = ?")                  \
	X(DROP_OLDEST, "DELETE FROM certificate WHERE id IN"                   \
		       " (SELECT id FROM certificate ORDER BY id LIMIT ?)")    \
	X(COUNT, "SELECT count(*) FROM certificate")                           \
	X(FACTS, "SELECT device, kind, sha256, anchor, not_after, x''" BEHIND) \
	X(WHOLE, "SELECT device, kind, sha256, anchor, not_after, "            \
		 "chain" BEHIND)

enum {
#define X(name, sql) name,
	STATEMENT_LIST(X)
#undef X
		STATEMENTS
};

static const char *const statements[] = {
#define X(name, sql) sql,
	STATEMENT_LIST(X)
#undef X
};

static const struct sqlite_kind kind = {
	.file = "certificates.db",
	.holds = "the phones' last certificates",
	.application_id = 0x44697463, /* "Ditc" */
	.steps = steps,
	.version = sizeof(steps) / sizeof(steps[0]),
	.statements = statements,
	.n_statements = STATEMENTS,
	.written_behind = 1,
};

struct leaf_store {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	size_t rows, rows_max;
};

static const char doing[] = "cannot keep certificates";

static size_t count(struct leaf_store *s)
{
	return (size_t)sqlite_answer(s->statements[COUNT]);
}

int leaf_store_open(const char *folder, size_t rows_max,
	struct leaf_store **out, struct diag *d)
{
	struct leaf_store *s = memory_zero(sizeof(*s));
	*out = NULL;
	s->rows_max = rows_max;
	int error = sqlite_open(folder, &kind, &s->db, s->statements, d);
	if (error < 0) {
		leaf_store_close(s);
		return error;
	}
	s->rows = count(s);
	*out = s;
	return 0;
}

void leaf_store_close(struct leaf_store *s)
{
	if (!s)
		return;
	sqlite_close(s->db);
	free(s);
}

size_t leaf_store_rows(const struct leaf_store *s)
{
	return s->rows;
}

/* ---- writing ---- */

static void bind_leaf(sqlite3_stmt *q, const struct leaf *leaf)
{
	sqlite_bind_text(q, 1, leaf->device);
	sqlite_bind_number(q, 2, leaf->kind);
	sqlite_bind_bytes(q, 3, leaf->sha256, sizeof(leaf->sha256));
	sqlite_bind_bytes(q, 4, leaf->anchor, sizeof(leaf->anchor));
}

static int put(struct leaf_store *s, const struct leaf *leaf, struct diag *d)
{
	sqlite3_stmt *q = s->statements[THERE];
	bind_leaf(q, leaf);
	if (sqlite_answer(q))
		return 0;
	q = s->statements[PUT];
	bind_leaf(q, leaf);
	sqlite_bind_number(q, 5, leaf->not_after);
	sqlite_bind_bytes(q, 6, leaf->chain, leaf->n);
	return sqlite_step(q, doing, d);
}

static int forget(struct leaf_store *s, const char *device, struct diag *d)
{
	sqlite_bind_text(s->statements[FORGET], 1, device);
	return sqlite_step(s->statements[FORGET], doing, d);
}

/* A tenth more than there must, so that it is seldom done. */
static int prune(struct leaf_store *s, struct diag *d)
{
	size_t rows = count(s);
	if (rows <= s->rows_max)
		return 0;
	sqlite_bind_number(s->statements[DROP_OLDEST], 1,
		(int64_t)(rows - s->rows_max + s->rows_max / 10));
	return sqlite_step(s->statements[DROP_OLDEST], doing, d);
}

int leaf_store_write(
	struct leaf_store *s, const struct leaf *list, struct diag *d)
{
	int error = sqlite_run(s->db, "BEGIN", doing, d);
	for (; error == 0 && list; list = list->next)
		error = list->kind == CERT_KIND_UNKNOWN
				? forget(s, list->device, d)
				: put(s, list, d);
	if (error == 0)
		error = prune(s, d);
	if (error == 0)
		error = sqlite_commit(s->db, doing, d);
	if (error < 0)
		sqlite_rollback(s->db);
	s->rows = count(s);
	return error;
}

/* ---- reading ---- */

static struct leaf *take(sqlite3_stmt *row)
{
	int n = sqlite3_column_bytes(row, 5);
	size_t size = n > 0 && n <= LEAVES_CHAIN_MAX ? (size_t)n : 0;
	struct leaf *leaf = memory_zero(sizeof(*leaf) + size);
	text_copy(leaf->device, sizeof(leaf->device), sqlite_text(row, 0));
	leaf->kind = (enum cert_kind)sqlite_number(row, 1);
	sqlite_bytes(row, 2, leaf->sha256, sizeof(leaf->sha256));
	sqlite_bytes(row, 3, leaf->anchor, sizeof(leaf->anchor));
	leaf->not_after = sqlite_number(row, 4);
	leaf->n = size;
	sqlite_bytes(row, 5, leaf->chain, size);
	return leaf;
}

struct leaf *leaf_store_after(
	struct leaf_store *s, enum leaves_depth depth, const struct leaf *last)
{
	sqlite3_stmt *q = s->statements[depth == LEAVES_WHOLE ? WHOLE : FACTS];
	struct leaf *list = NULL, **end = &list;
	sqlite_bind_text(q, 1, last ? last->device : "");
	sqlite_bind_number(q, 2, last ? last->kind : CERT_KIND_UNKNOWN);
	sqlite_bind_number(q, 3, PAGE);
	while (sqlite3_step(q) == SQLITE_ROW) {
		*end = take(q);
		end = &(*end)->next;
	}
	sqlite3_reset(q);
	return list;
}

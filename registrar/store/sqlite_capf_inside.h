/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of CAPF's store in SQLite share. */
#ifndef REGISTRAR_STORE_SQLITE_CAPF_INSIDE_H
#define REGISTRAR_STORE_SQLITE_CAPF_INSIDE_H

#include <stdbool.h>

#include <openssl/evp.h>

#include "registrar/store/capf_store.h"
#include "registrar/store/sqlite.h"

/*
 * The columns of a table, as the fields of its structure, behind the first one.
 * T(text) N(type, number) B(bytes of a fixed size) W(its words, type, one of
 * them): words are kept by name, so that their lists may grow anywhere.
 */
#define SQLITE_CAPF_OPERATION(T, N, B, W)     \
	W(capf_kind, enum capf_kind, kind)    \
	W(capf_mode, enum capf_mode, mode)    \
	W(capf_state, enum capf_state, state) \
	W(capf_why, enum capf_why, why)       \
	T(detail)                             \
	T(origin)                             \
	N(int64_t, queued_at)                 \
	N(int64_t, turn_at)                   \
	N(int64_t, completes_by)              \
	N(int64_t, changed_at)                \
	N(bool, tell)                         \
	N(int64_t, told_at)                   \
	N(uint32_t, visits)                   \
	N(uint32_t, key_failures)             \
	T(address)                            \
	B(salt)                               \
	B(hash)                               \
	N(int64_t, string_until)              \
	N(uint32_t, wrong_strings)            \
	N(int64_t, null_until)                \
	T(serial)
#define SQLITE_CAPF_ISSUED(T, N, B, W)                \
	T(device)                                     \
	W(capf_issued, enum capf_issued_state, state) \
	B(sha256)                                     \
	B(key_sha256)                                 \
	B(issuer)                                     \
	T(issuer_cn)                                  \
	N(int64_t, issued_at)                         \
	N(int64_t, confirmed_at)                      \
	N(int64_t, not_before)                        \
	N(int64_t, not_after)                         \
	T(key)                                        \
	T(origin)
#define SQLITE_CAPF_AUDIT(T, N, B, W) \
	N(int64_t, at)                \
	T(event)                      \
	T(device)                     \
	T(serial)                     \
	T(address)                    \
	T(detail)                     \
	B(hash)

/* A list as SQL: ", kind, mode" and ", ?, ?". */
#define SQLITE_CAPF_T(field) ", " #field
#define SQLITE_CAPF_N(type, field) ", " #field
#define SQLITE_CAPF_W(words, type, field) ", " #field
#define SQLITE_CAPF_T_MARK(field) ", ?"
#define SQLITE_CAPF_N_MARK(type, field) ", ?"
#define SQLITE_CAPF_W_MARK(words, type, field) ", ?"
#define SQLITE_CAPF_NAMES(LIST) \
	LIST(SQLITE_CAPF_T, SQLITE_CAPF_N, SQLITE_CAPF_T, SQLITE_CAPF_W)
#define SQLITE_CAPF_MARKS(LIST)                                          \
	LIST(SQLITE_CAPF_T_MARK, SQLITE_CAPF_N_MARK, SQLITE_CAPF_T_MARK, \
		SQLITE_CAPF_W_MARK)

/* A list as C: binds the fields of *from, or takes those of *into, at the next
 * column of q. */
#define SQLITE_CAPF_BIND_T(field) sqlite_bind_text(q, ++at, from->field);
#define SQLITE_CAPF_BIND_N(type, field) \
	sqlite_bind_number(q, ++at, (int64_t)from->field);
#define SQLITE_CAPF_BIND_B(field) \
	sqlite_bind_bytes(q, ++at, from->field, sizeof(from->field));
#define SQLITE_CAPF_BIND_W(words, type, field) \
	sqlite_bind_text(q, ++at, words##_name(from->field));
#define SQLITE_CAPF_BIND(LIST)                                           \
	LIST(SQLITE_CAPF_BIND_T, SQLITE_CAPF_BIND_N, SQLITE_CAPF_BIND_B, \
		SQLITE_CAPF_BIND_W)
#define SQLITE_CAPF_TAKE_T(field) \
	sqlite_capf_text(&row, into->field, sizeof(into->field));
#define SQLITE_CAPF_TAKE_N(type, field) \
	into->field = (type)sqlite_number(row.q, row.at++);
#define SQLITE_CAPF_TAKE_B(field) \
	sqlite_bytes(row.q, row.at++, into->field, sizeof(into->field));
#define SQLITE_CAPF_TAKE_W(words, type, field) \
	into->field = (type)sqlite_capf_word(&row, words##_find);
#define SQLITE_CAPF_TAKE(LIST)                                           \
	LIST(SQLITE_CAPF_TAKE_T, SQLITE_CAPF_TAKE_N, SQLITE_CAPF_TAKE_B, \
		SQLITE_CAPF_TAKE_W)

#define SQLITE_CAPF_SELECT(first, LIST, table) \
	"SELECT " #first SQLITE_CAPF_NAMES(LIST) " FROM " #table
#define SQLITE_CAPF_INTO(table, first, LIST)           \
	" INTO " #table " (" #first SQLITE_CAPF_NAMES( \
		LIST) ") "                             \
		      "VALUES (?" SQLITE_CAPF_MARKS(LIST) ")"
#define SQLITE_CAPF_OPERATIONS \
	SQLITE_CAPF_SELECT(device, SQLITE_CAPF_OPERATION, operation)
#define SQLITE_CAPF_LEDGER \
	SQLITE_CAPF_SELECT(serial, SQLITE_CAPF_ISSUED, issued)
#define SQLITE_CAPF_LINKS SQLITE_CAPF_SELECT(number, SQLITE_CAPF_AUDIT, audit)

/* "+state": not by the index of states, of which most lines have one. X(symbol,
 * SQL) */
#define SQLITE_CAPF_STATEMENT_LIST(X)                                          \
	X(GET_OPERATION, SQLITE_CAPF_OPERATIONS " WHERE device = ?")           \
	X(PUT_OPERATION, "REPLACE" SQLITE_CAPF_INTO(                           \
				 operation, device, SQLITE_CAPF_OPERATION))    \
	X(REMOVE_OPERATION, "DELETE FROM operation WHERE device = ?")          \
	X(PUT_SHOWN, "REPLACE INTO shown (device, type, at, der)"              \
		     " VALUES (?, ?, ?, ?)")                                   \
	X(REMOVE_SHOWN, "DELETE FROM shown WHERE device = ?")                  \
	X(PUT_REQUEST, "REPLACE INTO request (device, key_sha256, at,"         \
		       " exported_at, spki) VALUES (?, ?, ?, ?, ?)")           \
	X(REMOVE_REQUEST, "DELETE FROM request WHERE device = ?")              \
	X(COUNT, "SELECT (SELECT count(*) FROM shown),"                        \
		 " (SELECT count(*) FROM request)")                            \
	X(ADD_ISSUED,                                                          \
		"INSERT" SQLITE_CAPF_INTO(issued, serial, SQLITE_CAPF_ISSUED)) \
	X(ADD_DER, "INSERT INTO certificate (id, der)"                         \
		   " VALUES (last_insert_rowid(), ?)")                         \
	X(SET_ISSUED, "UPDATE issued SET state = ?, confirmed_at ="            \
		      " coalesce(nullif(?, 0), confirmed_at)"                  \
		      " WHERE serial = ?")                                     \
	X(END_ISSUED, "UPDATE issued SET state = ? WHERE device = ?"           \
		      " AND +state IN ('installed', 'stale') AND id <"         \
		      " coalesce((SELECT id FROM issued WHERE serial = ?),"    \
		      " 9223372036854775807)")                                 \
	X(BY_SERIAL, SQLITE_CAPF_LEDGER " WHERE serial = ?")                   \
	X(BY_SHA256, SQLITE_CAPF_LEDGER " WHERE sha256 = ?")                   \
	X(STALE, SQLITE_CAPF_LEDGER " WHERE device = ? AND key_sha256 = ?"     \
				    " AND +state = 'stale'"                    \
				    " ORDER BY id DESC LIMIT 1")               \
	X(NEWEST, SQLITE_CAPF_LEDGER " WHERE device = ? AND +state = ?"        \
				     " ORDER BY id DESC LIMIT 1")              \
	X(DER, "SELECT der FROM certificate WHERE id ="                        \
	       " (SELECT id FROM issued WHERE serial = ?)")                    \
	X(NEWEST_ISSUE,                                                        \
		"SELECT max(coalesce((SELECT at FROM clock), 0),"              \
		" coalesce((SELECT max(issued_at) FROM issued WHERE id >"      \
		" coalesce((SELECT line FROM clock), 0)), 0))")                \
	X(ACCEPT_CLOCK, "REPLACE INTO clock (only, at, line) VALUES (1, ?,"    \
			" (SELECT coalesce(max(id), 0) FROM issued))")         \
	X(HEAD, "SELECT number, hash FROM head")                               \
	X(LINK, SQLITE_CAPF_LINKS " WHERE number = ?")                         \
	X(ADD_LINK,                                                            \
		"INSERT" SQLITE_CAPF_INTO(audit, number, SQLITE_CAPF_AUDIT))   \
	X(SET_HEAD, "REPLACE INTO head (only, number, hash) VALUES (1, ?, ?)")

enum {
#define X(symbol, sql) SQLITE_CAPF_##symbol,
	SQLITE_CAPF_STATEMENT_LIST(X)
#undef X
		SQLITE_CAPF_STATEMENTS
};

struct capf_store {
	sqlite3 *db;
	sqlite3_stmt *statements[SQLITE_CAPF_STATEMENTS];
	EVP_MD_CTX *digest; /* SHA-256 */
	bool begun, marked;
};

/* A row that is being read. bad: a text that does not fit or names nothing. */
struct sqlite_capf_row {
	sqlite3_stmt *q;
	int at;
	bool bad;
};
void sqlite_capf_text(struct sqlite_capf_row *row, char *out, size_t size);
int sqlite_capf_word(
	struct sqlite_capf_row *row, int (*find)(const char *name));

/* Binds what rows are asked for: NULL and 0 stay NULL. A text is copied, for
 * who is shown rows may change it (the last one seen, for the next page). */
void sqlite_capf_filter(sqlite3_stmt *q, int at, const char *text);
void sqlite_capf_filter_number(sqlite3_stmt *q, int at, int64_t number);

/* Runs a bound statement that changes something, within the transaction. */
int sqlite_capf_change(struct capf_store *s, sqlite3_stmt *q, struct diag *d);
/* The row of a bound statement into *out, by take(). -ENOENT: "there is no
 * <what> of <whose>". */
typedef bool (*sqlite_capf_take_fn)(sqlite3_stmt *q, void *out);
struct sqlite_capf_wanted {
	sqlite_capf_take_fn take;
	void *out;
	const char *what, *whose;
};
int sqlite_capf_one(struct capf_store *s, sqlite3_stmt *q,
	const struct sqlite_capf_wanted *wanted, struct diag *d);
/* Each row of a bound statement to visit(), which answers whether to go on, or
 * -EINVAL: the row is damaged. Finalizes q. */
int sqlite_capf_each(struct capf_store *s, sqlite3_stmt *q,
	int (*visit)(void *self, sqlite3_stmt *row), void *self,
	struct diag *d);

/* The audit chain's head; 0 links: *number is 0 and the hash all zero. */
int sqlite_capf_head(struct capf_store *s, uint64_t *number, uint8_t hash[32],
	struct diag *d);
/* Which part of the store holds how many. */
int sqlite_capf_count_operations(
	struct capf_store *s, struct capf_store_counts *out, struct diag *d);
int sqlite_capf_count_issued(
	struct capf_store *s, struct capf_store_counts *out, struct diag *d);

#endif

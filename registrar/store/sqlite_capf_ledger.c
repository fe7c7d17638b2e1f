/* SPDX-License-Identifier: Apache-2.0 */
/* CAPF's records in SQLite: the ledger of the LSCs that were issued. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/memory.h"
#include "registrar/store/sqlite_capf_inside.h"

static bool take_issued(sqlite3_stmt *q, void *out)
{
	struct capf_issued *into = out;
	struct sqlite_capf_row row = {.q = q};
	SQLITE_CAPF_TAKE_T(serial)
	SQLITE_CAPF_TAKE(SQLITE_CAPF_ISSUED)
	return !row.bad;
}

/* ---- writing ---- */

int capf_store_add_issued(struct capf_store *s, const struct capf_issued *from,
	const uint8_t *der, size_t n, struct diag *d)
{
	sqlite3_stmt *q = s->statements[SQLITE_CAPF_ADD_ISSUED];
	int at = 0;
	SQLITE_CAPF_BIND_T(serial)
	SQLITE_CAPF_BIND(SQLITE_CAPF_ISSUED)
	int error = sqlite_capf_change(s, q, d);
	if (error &&
		sqlite3_extended_errcode(s->db) == SQLITE_CONSTRAINT_UNIQUE)
		return diag_set(d, -EEXIST,
			"serial number %s, or this very certificate, was "
			"issued before",
			from->serial);
	if (error < 0)
		return error;
	sqlite_bind_bytes(s->statements[SQLITE_CAPF_ADD_DER], 1, der, n);
	return sqlite_capf_change(s, s->statements[SQLITE_CAPF_ADD_DER], d);
}

int capf_store_set_issued(struct capf_store *s, const char *serial,
	enum capf_issued_state state, int64_t confirmed_at, struct diag *d)
{
	sqlite3_stmt *q = s->statements[SQLITE_CAPF_SET_ISSUED];
	sqlite_bind_text(q, 1, capf_issued_name(state));
	sqlite_bind_number(q, 2, confirmed_at);
	sqlite_bind_text(q, 3, serial);
	int error = sqlite_capf_change(s, q, d);
	if (error == 0 && sqlite3_changes(s->db) == 0)
		error = diag_set(d, -ENOENT,
			"there is no LSC of serial number %s", serial);
	return error;
}

int capf_store_end_issued(struct capf_store *s, const char *device,
	const char *before_serial, enum capf_issued_state state, struct diag *d)
{
	sqlite3_stmt *q = s->statements[SQLITE_CAPF_END_ISSUED];
	sqlite_bind_text(q, 1, capf_issued_name(state));
	sqlite_bind_text(q, 2, device);
	sqlite_bind_text(q, 3, before_serial);
	return sqlite_capf_change(s, q, d);
}

/* ---- one line ---- */

static int line(struct capf_store *s, sqlite3_stmt *q, struct capf_issued *out,
	const char *whose, struct diag *d)
{
	return sqlite_capf_one(s, q,
		&(struct sqlite_capf_wanted){take_issued, out, "LSC", whose},
		d);
}

int capf_store_issued(struct capf_store *s, const char *serial,
	struct capf_issued *out, struct diag *d)
{
	sqlite3_stmt *q = s->statements[SQLITE_CAPF_BY_SERIAL];
	sqlite_bind_text(q, 1, serial);
	return line(s, q, out, serial, d);
}

int capf_store_issued_as(struct capf_store *s, const uint8_t sha256[32],
	struct capf_issued *out, struct diag *d)
{
	sqlite3_stmt *q = s->statements[SQLITE_CAPF_BY_SHA256];
	sqlite_bind_bytes(q, 1, sha256, 32);
	return line(s, q, out, "this fingerprint", d);
}

int capf_store_stale(struct capf_store *s, const char *device,
	const uint8_t key_sha256[32], struct capf_issued *out, struct diag *d)
{
	sqlite3_stmt *q = s->statements[SQLITE_CAPF_STALE];
	sqlite_bind_text(q, 1, device);
	sqlite_bind_bytes(q, 2, key_sha256, 32);
	return line(s, q, out, device, d);
}

int capf_store_newest(struct capf_store *s, const char *device,
	enum capf_issued_state state, struct capf_issued *out, struct diag *d)
{
	sqlite3_stmt *q = s->statements[SQLITE_CAPF_NEWEST];
	sqlite_bind_text(q, 1, device);
	sqlite_bind_text(q, 2, capf_issued_name(state));
	return line(s, q, out, device, d);
}

struct der {
	uint8_t *p;
	size_t n;
};

static bool take_der(sqlite3_stmt *q, void *out)
{
	struct der *der = out;
	const void *from = sqlite3_column_blob(q, 0);
	der->n = (size_t)sqlite3_column_bytes(q, 0);
	if (der->n == 0)
		return false;
	der->p = memory_zero(der->n);
	memcpy(der->p, from, der->n);
	return true;
}

int capf_store_issued_der(struct capf_store *s, const char *serial,
	uint8_t **der, size_t *n, struct diag *d)
{
	sqlite3_stmt *q = s->statements[SQLITE_CAPF_DER];
	struct der one = {NULL, 0};
	sqlite_bind_text(q, 1, serial);
	int error = sqlite_capf_one(s, q,
		&(struct sqlite_capf_wanted){
			take_der, &one, "certificate", serial},
		d);
	*der = one.p;
	*n = one.n;
	return error;
}

/* ---- many lines ---- */

struct visitor {
	bool (*visit)(void *self, const struct capf_issued *i);
	void *self;
};

static int visit_issued(void *self, sqlite3_stmt *row)
{
	const struct visitor *v = self;
	struct capf_issued i;
	return take_issued(row, &i) ? v->visit(v->self, &i) : -EINVAL;
}

/* By the index that leaves the fewest. What is not bound is NULL, and filters
 * nothing. */
#define LINES(first)                                                   \
	SQLITE_CAPF_LEDGER                                             \
	" WHERE " first                                                \
	"id > coalesce((SELECT id FROM issued WHERE serial = ?7), 0)"  \
	" AND (?1 IS NULL OR device = ?1)"                             \
	" AND (?2 IS NULL OR state = ?2)"                              \
	" AND (?3 IS NULL OR issuer = ?3)"                             \
	" AND (?4 IS NULL OR not_after < ?4)"                          \
	" AND (?5 IS NULL OR"                                          \
	"  (?5 - not_before) * 1000 >= ?6 * (not_after - not_before))" \
	" AND (?9 IS NULL OR not_before > ?9)"                         \
	" ORDER BY id LIMIT coalesce(?8, -1)"

static const char *question(const struct capf_issued_which *which)
{
	if (which->device)
		return LINES("device = ?1 AND ");
	return which->state ? LINES("state = ?2 AND ") : LINES("");
}

static const char *state_of(const struct capf_issued_which *which)
{
	if (!which->state)
		return NULL;
	return capf_issued_name((enum capf_issued_state)(which->state - 1));
}

int capf_store_ledger(struct capf_store *s,
	const struct capf_issued_which *which,
	bool (*visit)(void *self, const struct capf_issued *i), void *self,
	struct diag *d)
{
	sqlite3_stmt *q;
	struct visitor v = {visit, self};
	int error = sqlite_prepare(s->db, question(which), &q, d);
	if (error < 0)
		return error;
	sqlite_capf_filter(q, 1, which->device);
	sqlite_capf_filter(q, 2, state_of(which));
	if (which->issuer)
		sqlite_bind_bytes(q, 3, which->issuer, 32);
	sqlite_capf_filter_number(q, 4, which->ends_before);
	sqlite_capf_filter_number(q, 5, which->part ? which->now : 0);
	sqlite_capf_filter_number(q, 6, which->part);
	sqlite_capf_filter(q, 7, which->after_serial);
	sqlite_capf_filter_number(q, 8, (int64_t)which->most);
	sqlite_capf_filter_number(q, 9, which->begins_after);
	return sqlite_capf_each(s, q, visit_issued, &v, d);
}

static bool take_time(sqlite3_stmt *q, void *out)
{
	*(int64_t *)out = sqlite_number(q, 0);
	return true;
}

int capf_store_newest_issue(struct capf_store *s, int64_t *at, struct diag *d)
{
	*at = 0;
	int error = sqlite_capf_one(s, s->statements[SQLITE_CAPF_NEWEST_ISSUE],
		&(struct sqlite_capf_wanted){
			take_time, at, "LSC", "any device"},
		d);
	return error == -ENOENT ? 0 : error;
}

int capf_store_accept_clock(struct capf_store *s, int64_t at, struct diag *d)
{
	sqlite3_stmt *q = s->statements[SQLITE_CAPF_ACCEPT_CLOCK];
	sqlite_bind_number(q, 1, at);
	return sqlite_capf_change(s, q, d);
}

static int count_alike(void *self, sqlite3_stmt *q)
{
	struct capf_store_counts *out = self;
	int state = capf_issued_find(sqlite_text(q, 0));
	if (state < 0)
		return -EINVAL;
	out->issued[state] += (size_t)sqlite_number(q, 1);
	return 1;
}

int sqlite_capf_count_issued(
	struct capf_store *s, struct capf_store_counts *out, struct diag *d)
{
	sqlite3_stmt *q;
	int error = sqlite_prepare(s->db,
		"SELECT state, count(*) FROM issued GROUP BY state", &q, d);
	return error ? error : sqlite_capf_each(s, q, count_alike, out, d);
}

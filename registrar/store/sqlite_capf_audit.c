/* SPDX-License-Identifier: Apache-2.0 */
/* CAPF's records in SQLite: the audit chain, and its walk. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/store/sqlite_capf_inside.h"

enum { HASH = 32, NUMBER_TEXT = 21 };

static bool take_link(sqlite3_stmt *q, void *out)
{
	struct capf_audit *into = out;
	struct sqlite_capf_row row = {.q = q, .at = 1};
	into->number = (uint64_t)sqlite_number(q, 0);
	SQLITE_CAPF_TAKE(SQLITE_CAPF_AUDIT)
	return !row.bad;
}

/* ---- hashes ---- */

/* A netstring: "5:hello,". */
static void update(EVP_MD_CTX *ctx, const char *text)
{
	char length[NUMBER_TEXT + 1];
	size_t n = strlen(text);
	int digits = snprintf(length, sizeof(length), "%zu:", n);
	if (EVP_DigestUpdate(ctx, length, (size_t)digits) != 1 ||
		EVP_DigestUpdate(ctx, text, n) != 1 ||
		EVP_DigestUpdate(ctx, ",", 1) != 1)
		abort();
}

/* As capf_store_audit() in the header says. */
static void hash_of(const struct capf_store *s, const uint8_t previous[HASH],
	const struct capf_audit *link, uint8_t out[HASH])
{
	char number[NUMBER_TEXT], at[NUMBER_TEXT];
	snprintf(number, sizeof(number), "%" PRIu64, link->number);
	snprintf(at, sizeof(at), "%" PRId64, link->at);
	if (EVP_DigestInit_ex(s->digest, NULL, NULL) != 1 ||
		EVP_DigestUpdate(s->digest, previous, HASH) != 1)
		abort();
	const char *const fields[] = {number, at, link->event, link->device,
		link->serial, link->address, link->detail};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		update(s->digest, fields[i]);
	if (EVP_DigestFinal_ex(s->digest, out, NULL) != 1)
		abort();
}

/* ---- the end of the chain ---- */

int sqlite_capf_head(struct capf_store *s, uint64_t *number, uint8_t hash[HASH],
	struct diag *d)
{
	sqlite3_stmt *q = s->statements[SQLITE_CAPF_HEAD];
	int code = sqlite3_step(q), error = 0;
	*number = code == SQLITE_ROW ? (uint64_t)sqlite_number(q, 0) : 0;
	memset(hash, 0, HASH);
	if (code == SQLITE_ROW)
		sqlite_bytes(q, 1, hash, HASH);
	else if (code != SQLITE_DONE)
		error = sqlite_fault(s->db, "cannot be read", d);
	sqlite3_reset(q);
	return error;
}

static int add(
	struct capf_store *s, const struct capf_audit *from, struct diag *d)
{
	sqlite3_stmt *q = s->statements[SQLITE_CAPF_ADD_LINK];
	int at = 1;
	sqlite_bind_number(q, 1, (int64_t)from->number);
	SQLITE_CAPF_BIND(SQLITE_CAPF_AUDIT)
	int error = sqlite_capf_change(s, q, d);
	if (error < 0)
		return error;
	q = s->statements[SQLITE_CAPF_SET_HEAD];
	sqlite_bind_number(q, 1, (int64_t)from->number);
	sqlite_bind_bytes(q, 2, from->hash, HASH);
	return sqlite_capf_change(s, q, d);
}

int capf_store_audit(
	struct capf_store *s, struct capf_audit *link, struct diag *d)
{
	uint8_t previous[HASH];
	int error = sqlite_capf_head(s, &link->number, previous, d);
	if (error < 0)
		return error;
	link->number++;
	hash_of(s, previous, link, link->hash);
	return add(s, link, d);
}

int capf_store_audit_head(
	struct capf_store *s, struct capf_audit *out, struct diag *d)
{
	uint8_t hash[HASH];
	uint64_t number;
	sqlite3_stmt *q = s->statements[SQLITE_CAPF_LINK];
	int error = sqlite_capf_head(s, &number, hash, d);
	if (error < 0)
		return error;
	sqlite_bind_number(q, 1, (int64_t)number);
	return sqlite_capf_one(s, q,
		&(struct sqlite_capf_wanted){
			take_link, out, "link", "the audit chain"},
		d);
}

/* ---- walking ---- */

struct visitor {
	bool (*visit)(void *self, const struct capf_audit *link);
	void *self;
};

static int visit_link(void *self, sqlite3_stmt *row)
{
	const struct visitor *v = self;
	struct capf_audit link;
	return take_link(row, &link) ? v->visit(v->self, &link) : -EINVAL;
}

int capf_store_audit_read(struct capf_store *s, uint64_t number,
	bool (*visit)(void *self, const struct capf_audit *link), void *self,
	struct diag *d)
{
	sqlite3_stmt *q;
	struct visitor v = {visit, self};
	int error = sqlite_prepare(s->db,
		SQLITE_CAPF_LINKS " WHERE number >= ? ORDER BY number", &q, d);
	if (error < 0)
		return error;
	sqlite_bind_number(q, 1, (int64_t)number);
	return sqlite_capf_each(s, q, visit_link, &v, d);
}

/* A walk: the last link that held, and what is wrong with the next. */
struct walk {
	const struct capf_store *store;
	uint64_t number;
	uint8_t hash[HASH];
	const char *fault;
};

static int check_link(void *self, sqlite3_stmt *row)
{
	struct walk *w = self;
	struct capf_audit link;
	uint8_t hash[HASH];
	int64_t number = sqlite_number(row, 0);
	if (number < 1)
		w->fault = "stands before the first one: it was inserted";
	else if ((uint64_t)number != w->number + 1)
		w->fault = "is missing: it was removed";
	else if (!take_link(row, &link))
		w->fault = "holds what dialtoned never writes: it was changed";
	if (w->fault) {
		w->number = number < 1 ? (uint64_t)number : w->number + 1;
		return 0;
	}
	w->number++;
	hash_of(w->store, w->hash, &link, hash);
	if (memcmp(hash, link.hash, HASH) != 0) {
		w->fault = "does not fit its hash and the link before: it was "
			   "changed, moved or inserted";
		return 0;
	}
	memcpy(w->hash, hash, HASH);
	return 1;
}

/* What the head says of a chain that holds in itself. */
static void check_head(
	struct walk *w, uint64_t number, const uint8_t hash[HASH])
{
	if (w->number < number) {
		w->number++;
		w->fault = "is missing: the end of the chain was removed";
	} else if (w->number > number) {
		w->number = number + 1;
		w->fault = "stands behind the chain's head: it was added by "
			   "another program";
	} else if (memcmp(w->hash, hash, HASH) != 0) {
		w->fault = "is not what the chain's head says: one of them was "
			   "changed";
	}
}

int capf_store_audit_check(struct capf_store *s, struct diag *d)
{
	sqlite3_stmt *q;
	struct walk w = {.store = s};
	uint8_t hash[HASH];
	uint64_t number;
	int error = sqlite_capf_head(s, &number, hash, d);
	if (error == 0)
		error = sqlite_prepare(
			s->db, SQLITE_CAPF_LINKS " ORDER BY number", &q, d);
	if (error == 0)
		error = sqlite_capf_each(s, q, check_link, &w, d);
	if (error < 0)
		return error;
	if (!w.fault)
		check_head(&w, number, hash);
	if (!w.fault)
		return 0;
	const char *path = sqlite3_db_filename(s->db, "main");
	return diag_set(d, -EINVAL,
		"%s: link %" PRId64
		" of the audit chain %s: find out who wrote "
		"to the file, then restore it from a backup, or move %s* away "
		"to begin without the ledger",
		path, (int64_t)w.number, w.fault, path);
}

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

/* One part of a walk, and what is wrong with the link behind it. */
struct part {
	struct capf_store *store;
	struct capf_audit_walk *walk;
	size_t seen;
	const char *fault;
	int64_t number; /* of the link at fault */
};

static int fault(struct part *p, int64_t number, const char *what)
{
	p->fault = what;
	p->number = number;
	return 0;
}

static int check_link(void *self, sqlite3_stmt *row)
{
	struct part *p = self;
	struct capf_audit_walk *w = p->walk;
	struct capf_audit link;
	uint8_t hash[HASH];
	int64_t number = sqlite_number(row, 0);
	int64_t next = (int64_t)w->number + 1;
	p->seen++;
	if (number < 1)
		return fault(p, number,
			"stands before the first one: it was inserted");
	if (number != next)
		return fault(p, next, "is missing: it was removed");
	if (!take_link(row, &link))
		return fault(p, next,
			"holds what dialtoned never writes: it was changed");
	hash_of(p->store, w->hash, &link, hash);
	if (memcmp(hash, link.hash, HASH) != 0)
		return fault(p, next,
			"does not fit its hash and the link before: it was "
			"changed, moved or inserted");
	w->number++;
	memcpy(w->hash, hash, HASH);
	return 1;
}

/* What the head says of a chain that holds in itself. */
static int check_head(struct part *p, struct diag *d)
{
	const struct capf_audit_walk *w = p->walk;
	uint8_t hash[HASH];
	uint64_t number;
	int error = sqlite_capf_head(p->store, &number, hash, d);
	if (error < 0)
		return error;
	if (w->number < number)
		return fault(p, (int64_t)w->number + 1,
			"is missing: the end of the chain was removed");
	if (w->number > number)
		return fault(p, (int64_t)number + 1,
			"stands behind the chain's head: it was added by "
			"another program");
	if (memcmp(w->hash, hash, HASH) != 0)
		return fault(p, (int64_t)number,
			"is not what the chain's head says: one of them was "
			"changed");
	p->walk->over = true;
	return 0;
}

static int walk_part(
	struct capf_store *s, struct part *p, size_t most, struct diag *d)
{
	sqlite3_stmt *q;
	const struct capf_audit_walk *w = p->walk;
	int error = sqlite_prepare(s->db,
		SQLITE_CAPF_LINKS " WHERE number >= ? ORDER BY number"
				  " LIMIT coalesce(?, -1)",
		&q, d);
	if (error < 0)
		return error;
	sqlite_bind_number(
		q, 1, w->number ? (int64_t)w->number + 1 : INT64_MIN);
	sqlite_capf_filter_number(q, 2, (int64_t)most);
	return sqlite_capf_each(s, q, check_link, p, d);
}

int capf_store_audit_walk(struct capf_store *s, struct capf_audit_walk *w,
	size_t most, struct diag *d)
{
	struct part p = {.store = s, .walk = w};
	int error = walk_part(s, &p, most, d);
	if (error == 0 && !p.fault && (most == 0 || p.seen < most))
		error = check_head(&p, d);
	if (error < 0 || !p.fault)
		return error;
	const char *path = sqlite3_db_filename(s->db, "main");
	return diag_set(d, -EINVAL,
		"%s: link %" PRId64
		" of the audit chain %s: find out who wrote "
		"to the file, then restore it from a backup, or move %s* away "
		"to begin without the ledger",
		path, p.number, p.fault, path);
}

int capf_store_audit_check(struct capf_store *s, struct diag *d)
{
	struct capf_audit_walk w = {.number = 0};
	return capf_store_audit_walk(s, &w, 0, d);
}

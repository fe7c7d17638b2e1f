/* SPDX-License-Identifier: Apache-2.0 */
/* CAPF's records in SQLite: operations, shown certificates, requests. */
#include <errno.h>
#include <string.h>

#include "registrar/store/sqlite_capf_inside.h"

/* ---- operations ---- */

static bool take_operation(sqlite3_stmt *q, void *out)
{
	struct capf_operation *into = out;
	struct sqlite_capf_row row = {.q = q};
	SQLITE_CAPF_TAKE_T(device)
	SQLITE_CAPF_TAKE(SQLITE_CAPF_OPERATION)
	return !row.bad;
}

int capf_store_operation(struct capf_store *s, const char *device,
	struct capf_operation *out, struct diag *d)
{
	sqlite3_stmt *q = s->statements[SQLITE_CAPF_GET_OPERATION];
	sqlite_bind_text(q, 1, device);
	return sqlite_capf_one(s, q,
		&(struct sqlite_capf_wanted){
			take_operation, out, "CAPF operation", device},
		d);
}

int capf_store_put_operation(
	struct capf_store *s, const struct capf_operation *from, struct diag *d)
{
	sqlite3_stmt *q = s->statements[SQLITE_CAPF_PUT_OPERATION];
	int at = 0;
	SQLITE_CAPF_BIND_T(device)
	SQLITE_CAPF_BIND(SQLITE_CAPF_OPERATION)
	return sqlite_capf_change(s, q, d);
}

static int remove_of(
	struct capf_store *s, int statement, const char *whose, struct diag *d)
{
	sqlite_bind_text(s->statements[statement], 1, whose);
	return sqlite_capf_change(s, s->statements[statement], d);
}

int capf_store_remove_operation(
	struct capf_store *s, const char *device, struct diag *d)
{
	return remove_of(s, SQLITE_CAPF_REMOVE_OPERATION, device, d);
}

/* Who is called for each. */
struct visitor {
	bool (*operation)(void *self, const struct capf_operation *o);
	bool (*shown)(void *self, const struct capf_shown *c);
	bool (*request)(void *self, const struct capf_request *r);
	void *self;
};

static int visit_operation(void *self, sqlite3_stmt *row)
{
	const struct visitor *v = self;
	struct capf_operation o;
	return take_operation(row, &o) ? v->operation(v->self, &o) : -EINVAL;
}

/* Of the three, one goes through an index. What is not bound is NULL, and
 * filters nothing. */
#define OPERATIONS(first, order)                                             \
	"SELECT device" SQLITE_CAPF_NAMES(                                   \
		SQLITE_CAPF_OPERATION) " FROM operation WHERE " first        \
				       " AND (?1 IS NULL OR device > ?1)"    \
				       " AND (?2 IS NULL OR state = "        \
				       "'pending')"                          \
				       " AND (?3 IS NULL OR (tell = 1 AND "  \
				       "told_at = 0 AND turn_at <= ?3))"     \
				       " AND (?4 IS NULL OR completes_by "   \
				       "BETWEEN 1 AND ?4 - 1)"               \
				       " AND (?5 IS NULL OR (mode = 'null' " \
				       "AND null_until BETWEEN ?5 + 1 "      \
				       "AND ?5 + 86700))"                    \
				       " AND (?6 IS NULL OR origin = ?6)"    \
				       " ORDER BY " order                    \
				       " LIMIT coalesce(?7, -1)"

static const char *question(const struct capf_which *which)
{
	if (which->turn_by)
		return OPERATIONS("state = 'pending' AND tell = 1 AND"
				  " told_at = 0 AND turn_at <= ?3",
			"turn_at, device");
	if (which->missed)
		return OPERATIONS("state = 'pending' AND tell = 1 AND"
				  " told_at < 0",
			"device");
	if (which->late_at)
		return OPERATIONS("state = 'pending' AND completes_by > 0"
				  " AND completes_by < ?4",
			"device");
	return OPERATIONS("device > coalesce(?1, '')", "device");
}

int capf_store_operations(struct capf_store *s, const struct capf_which *which,
	bool (*visit)(void *self, const struct capf_operation *o), void *self,
	struct diag *d)
{
	sqlite3_stmt *q;
	struct visitor v = {.operation = visit, .self = self};
	int error = sqlite_prepare(s->db, question(which), &q, d);
	if (error < 0)
		return error;
	sqlite_capf_filter(q, 1, which->after);
	sqlite_capf_filter_number(q, 2,
		which->pending || which->turn_by || which->missed ||
			which->late_at || which->null_at);
	sqlite_capf_filter_number(q, 3, which->turn_by);
	sqlite_capf_filter_number(q, 4, which->late_at);
	sqlite_capf_filter_number(q, 5, which->null_at);
	sqlite_capf_filter(q, 6, which->origin);
	sqlite_capf_filter_number(q, 7, (int64_t)which->most);
	return sqlite_capf_each(s, q, visit_operation, &v, d);
}

/* How many stand alike. */
static int count_alike(void *self, sqlite3_stmt *q)
{
	struct capf_store_counts *out = self;
	struct sqlite_capf_row row = {.q = q};
	enum capf_kind kind =
		(enum capf_kind)sqlite_capf_word(&row, capf_kind_find);
	enum capf_state state =
		(enum capf_state)sqlite_capf_word(&row, capf_state_find);
	enum capf_why why =
		(enum capf_why)sqlite_capf_word(&row, capf_why_find);
	enum capf_mode mode =
		(enum capf_mode)sqlite_capf_word(&row, capf_mode_find);
	size_t n = (size_t)sqlite_number(q, row.at);
	if (row.bad)
		return -EINVAL;
	out->by_status[capf_status_number(kind, state, why, mode)] += n;
	if (state == CAPF_STATE_PENDING)
		out->pending[kind] += n;
	return 1;
}

int sqlite_capf_count_operations(
	struct capf_store *s, struct capf_store_counts *out, struct diag *d)
{
	sqlite3_stmt *q;
	int error = sqlite_prepare(s->db,
		"SELECT kind, state, why, mode, count(*) FROM operation"
		" GROUP BY kind, state, why, mode",
		&q, d);
	return error ? error : sqlite_capf_each(s, q, count_alike, out, d);
}

/* ---- phones' certificates ---- */

int capf_store_put_shown(
	struct capf_store *s, const struct capf_shown *c, struct diag *d)
{
	sqlite3_stmt *q = s->statements[SQLITE_CAPF_PUT_SHOWN];
	sqlite_bind_text(q, 1, c->device);
	sqlite_bind_number(q, 2, c->type);
	sqlite_bind_number(q, 3, c->at);
	sqlite_bind_bytes(q, 4, c->der, c->n);
	return sqlite_capf_change(s, q, d);
}

int capf_store_remove_shown(
	struct capf_store *s, const char *device, struct diag *d)
{
	return remove_of(s, SQLITE_CAPF_REMOVE_SHOWN, device, d);
}

static int visit_shown(void *self, sqlite3_stmt *q)
{
	const struct visitor *v = self;
	struct sqlite_capf_row row = {.q = q};
	struct capf_shown c = {.type = (unsigned)sqlite_number(q, 1),
		.at = sqlite_number(q, 2),
		.der = sqlite3_column_blob(q, 3),
		.n = (size_t)sqlite3_column_bytes(q, 3)};
	sqlite_capf_text(&row, c.device, sizeof(c.device));
	return row.bad ? -EINVAL : v->shown(v->self, &c);
}

int capf_store_shown(struct capf_store *s, const char *device,
	bool (*visit)(void *self, const struct capf_shown *c), void *self,
	struct diag *d)
{
	sqlite3_stmt *q;
	struct visitor v = {.shown = visit, .self = self};
	int error = sqlite_prepare(s->db,
		"SELECT device, type, at, der FROM shown WHERE device = ?"
		" ORDER BY type",
		&q, d);
	if (error < 0)
		return error;
	sqlite_capf_filter(q, 1, device);
	return sqlite_capf_each(s, q, visit_shown, &v, d);
}

/* ---- requests to a CA outside ---- */

int capf_store_put_request(
	struct capf_store *s, const struct capf_request *r, struct diag *d)
{
	sqlite3_stmt *q = s->statements[SQLITE_CAPF_PUT_REQUEST];
	sqlite_bind_text(q, 1, r->device);
	sqlite_bind_bytes(q, 2, r->key_sha256, sizeof(r->key_sha256));
	sqlite_bind_number(q, 3, r->at);
	sqlite_bind_number(q, 4, r->exported_at);
	sqlite_bind_bytes(q, 5, r->spki, r->n);
	return sqlite_capf_change(s, q, d);
}

int capf_store_remove_request(
	struct capf_store *s, const char *device, struct diag *d)
{
	return remove_of(s, SQLITE_CAPF_REMOVE_REQUEST, device, d);
}

static int visit_request(void *self, sqlite3_stmt *q)
{
	const struct visitor *v = self;
	struct sqlite_capf_row row = {.q = q};
	struct capf_request r = {.at = sqlite_number(q, 2),
		.exported_at = sqlite_number(q, 3),
		.spki = sqlite3_column_blob(q, 4),
		.n = (size_t)sqlite3_column_bytes(q, 4)};
	sqlite_capf_text(&row, r.device, sizeof(r.device));
	sqlite_bytes(q, 1, r.key_sha256, sizeof(r.key_sha256));
	return row.bad ? -EINVAL : v->request(v->self, &r);
}

int capf_store_requests(struct capf_store *s, const char *device,
	bool (*visit)(void *self, const struct capf_request *r), void *self,
	struct diag *d)
{
	sqlite3_stmt *q;
	struct visitor v = {.request = visit, .self = self};
	int error = sqlite_prepare(s->db,
		"SELECT device, key_sha256, at, exported_at, spki FROM request"
		" WHERE ?1 IS NULL OR device = ?1 ORDER BY device",
		&q, d);
	if (error < 0)
		return error;
	sqlite_capf_filter(q, 1, device);
	return sqlite_capf_each(s, q, visit_request, &v, d);
}

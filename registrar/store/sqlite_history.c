/* SPDX-License-Identifier: Apache-2.0 */
/* History in a SQLite file, history.db. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/memory.h"
#include "registrar/store/history_store.h"
#include "registrar/store/sqlite.h"

enum { STRANGERS_SHARE = 10 }; /* one tenth */

/* `what`, `space` and `kind` by their numbers in C: append only. */
static const char *const steps[] = {
	"CREATE TABLE event (id INTEGER PRIMARY KEY,"
	" device TEXT NOT NULL COLLATE NOCASE, what INTEGER NOT NULL,"
	" at_ms INTEGER NOT NULL, first_ms INTEGER NOT NULL,"
	" times INTEGER NOT NULL, stranger INTEGER NOT NULL,"
	" protocol INTEGER NOT NULL, tls INTEGER NOT NULL,"
	" udp INTEGER NOT NULL,"
	" address TEXT NOT NULL, port INTEGER NOT NULL,"
	" kind INTEGER NOT NULL, issuer TEXT NOT NULL,"
	" space INTEGER NOT NULL, code INTEGER NOT NULL,"
	" rule TEXT NOT NULL, why TEXT NOT NULL, key INTEGER NOT NULL);"
	"CREATE INDEX event_key ON event (key, id DESC);"
	"CREATE INDEX event_stranger ON event (id) WHERE stranger = 1;",
};

static const struct sqlite_kind kind = {
	.file = "history.db",
	.holds = "the history of the devices",
	.application_id = 0x44697468, /* "Dith" */
	.steps = steps,
	.version = sizeof(steps) / sizeof(steps[0]),
	.written_behind = 1,
};

#define COLUMNS                                                          \
	"device, what, at_ms, first_ms, times, stranger, protocol, tls," \
	" udp, address, port, kind, issuer, space, code, rule, why"

/*
 * Refusals by one rule since anything else happened to the device are one
 * event: a phone that comes again every half minute, or somebody who plays
 * with its name, does not push out what it did before.
 */
#define STATEMENT_LIST(X)                                                    \
	X(PUT, "INSERT INTO event (" COLUMNS ", key) VALUES"                 \
	       " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")    \
	X(FIND_ALIKE, "SELECT id, first_ms, times FROM event WHERE key = ?1" \
		      " AND device = ?4 AND what = ?2 AND rule = ?3"         \
		      " AND id > coalesce((SELECT id FROM event"             \
		      " WHERE key = ?1 AND device = ?4 AND what <> ?2"       \
		      " ORDER BY id DESC LIMIT 1), 0)")                      \
	X(DROP, "DELETE FROM event WHERE id = ?")                            \
	X(READ, "SELECT " COLUMNS " FROM event WHERE key = ?1"               \
		" AND device = ?3"                                           \
		" ORDER BY id DESC LIMIT ?2")                                \
	X(COUNT, "SELECT count(*) FROM event")                               \
	X(COUNT_STRANGERS, "SELECT count(*) FROM event WHERE stranger = 1")  \
	X(DROP_STRANGERS,                                                    \
		"DELETE FROM event WHERE id IN (SELECT id FROM event"        \
		" WHERE stranger = 1 ORDER BY id LIMIT ?)")                  \
	X(DROP_OLDEST, "DELETE FROM event WHERE id IN (SELECT id FROM event" \
		       " ORDER BY id LIMIT ?)")                              \
	X(DROP_BEYOND, "DELETE FROM event WHERE id IN (SELECT id FROM"       \
		       " (SELECT id, row_number() OVER (PARTITION BY key"    \
		       " ORDER BY id DESC) AS n FROM event) WHERE n > ?)")

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

struct history_store {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	size_t rows, rows_max;
	int64_t of_each; /* that the last pruning left a device */
};

static const char doing[] = "cannot keep history";

/* Which device, without case, as a number for the index, where comparing names
 * would be half of what a row costs (FNV-1a). Two may share one: who reads
 * looks at the name, too. */
static int64_t key_of(const char *device)
{
	uint64_t h = 14695981039346656037u;
	for (; *device; device++)
		h = (h ^ (unsigned char)tolower((unsigned char)*device)) *
		    1099511628211u;
	return (int64_t)h;
}

/* ---- opening ---- */

static int open_in_memory(sqlite3 **out, struct diag *d)
{
	int error = 0;
	if (sqlite3_open_v2(":memory:", out,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
		    NULL) != SQLITE_OK)
		return diag_set(d, -ENOMEM, "%s", doing);
	for (int i = 0; error == 0 && i < kind.version; i++)
		error = sqlite_run(*out, steps[i], doing, d);
	return error;
}

static size_t count(struct history_store *s, int which)
{
	sqlite3_stmt *statement = s->statements[which];
	size_t n = sqlite3_step(statement) == SQLITE_ROW
			   ? (size_t)sqlite_number(statement, 0)
			   : 0;
	sqlite3_reset(statement);
	return n;
}

int history_store_open(const char *folder, size_t rows_max,
	struct history_store **out, struct diag *d)
{
	struct history_store *s = memory_zero(sizeof(*s));
	*out = NULL;
	s->rows_max = rows_max;
	s->of_each = HISTORY_OF_DEVICE_MAX;
	int error = folder ? sqlite_open(folder, &kind, &s->db, d)
			   : open_in_memory(&s->db, d);
	for (int i = 0; error == 0 && i < STATEMENTS; i++)
		error = sqlite_prepare(
			s->db, statements[i], &s->statements[i], d);
	if (error < 0) {
		history_store_close(s);
		return error;
	}
	s->rows = count(s, COUNT);
	*out = s;
	return 0;
}

void history_store_close(struct history_store *s)
{
	if (!s)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(s->statements[i]);
	sqlite_close(s->db);
	free(s);
}

size_t history_store_rows(const struct history_store *s)
{
	return s->rows;
}

/* ---- writing ---- */

/* Runs a statement that takes rows away. */
static int drop(
	struct history_store *s, int which, int64_t argument, struct diag *d)
{
	sqlite_bind_number(s->statements[which], 1, argument);
	int error = sqlite_step(s->statements[which], doing, d);
	if (error == 0)
		s->rows -= (size_t)sqlite3_changes(s->db);
	return error;
}

/* A refusal takes the place of one like it. */
static int merge_alike(
	struct history_store *s, struct history_event *e, struct diag *d)
{
	sqlite3_stmt *find = s->statements[FIND_ALIKE];
	sqlite_bind_number(find, 1, key_of(e->device));
	sqlite_bind_number(find, 2, HISTORY_REFUSED);
	sqlite_bind_text(find, 3, e->rule);
	sqlite_bind_text(find, 4, e->device);
	bool found = sqlite3_step(find) == SQLITE_ROW;
	int64_t id = found ? sqlite_number(find, 0) : 0;
	if (found) {
		e->first_ms = sqlite_number(find, 1);
		e->times += (uint32_t)sqlite_number(find, 2);
	}
	sqlite3_reset(find);
	return found ? drop(s, DROP, id, d) : 0;
}

static int put(struct history_store *s, const struct history_event *from,
	struct diag *d)
{
	struct history_event e = *from;
	sqlite3_stmt *put = s->statements[PUT];
	e.times = e.times ? e.times : 1;
	e.first_ms = e.first_ms ? e.first_ms : e.at_ms;
	int error = e.what == HISTORY_REFUSED ? merge_alike(s, &e, d) : 0;
	if (error < 0)
		return error;
	sqlite_bind_text(put, 1, e.device);
	sqlite_bind_number(put, 2, e.what);
	sqlite_bind_number(put, 3, e.at_ms);
	sqlite_bind_number(put, 4, e.first_ms);
	sqlite_bind_number(put, 5, e.times);
	sqlite_bind_number(put, 6, e.stranger);
	sqlite_bind_number(put, 7, e.protocol);
	sqlite_bind_number(put, 8, e.tls);
	sqlite_bind_number(put, 9, e.udp);
	sqlite_bind_text(put, 10, e.address);
	sqlite_bind_number(put, 11, e.port);
	sqlite_bind_number(put, 12, e.kind);
	sqlite_bind_text(put, 13, e.issuer);
	sqlite_bind_number(put, 14, e.space);
	sqlite_bind_number(put, 15, e.code);
	sqlite_bind_text(put, 16, e.rule);
	sqlite_bind_text(put, 17, e.why);
	sqlite_bind_number(put, 18, key_of(e.device));
	error = sqlite_step(put, doing, d);
	s->rows += error == 0;
	return error;
}

/*
 * Back to half, so that it is seldom done: strangers go first, then what is
 * oldest of each device, so that none loses its last events to another's
 * many. Each pass looks at every row: it begins near where it ended before.
 */
static int prune(struct history_store *s, struct diag *d)
{
	size_t strangers_max = s->rows_max / STRANGERS_SHARE;
	size_t wanted = s->rows_max / 2;
	size_t strangers = count(s, COUNT_STRANGERS);
	int error = 0;
	if (strangers > strangers_max)
		error = drop(s, DROP_STRANGERS,
			(int64_t)(strangers - strangers_max), d);
	if (error < 0 || s->rows <= s->rows_max - s->rows_max / 10)
		return error;
	int64_t of_each = s->of_each < HISTORY_OF_DEVICE_MAX / 2
				  ? s->of_each * 2
				  : HISTORY_OF_DEVICE_MAX;
	for (; error == 0 && of_each > 0 && s->rows > wanted; of_each /= 2) {
		error = drop(s, DROP_BEYOND, of_each, d);
		s->of_each = of_each;
	}
	if (error == 0 && s->rows > wanted)
		error = drop(s, DROP_OLDEST, (int64_t)(s->rows - wanted), d);
	return error;
}

int history_store_write(struct history_store *s,
	const struct history_event *const *events, size_t n, struct diag *d)
{
	size_t rows = s->rows;
	int error = sqlite_run(s->db, "BEGIN", doing, d);
	for (size_t i = 0; error == 0 && i < n; i++)
		error = put(s, events[i], d);
	if (error == 0 && s->rows > s->rows_max)
		error = prune(s, d);
	if (error == 0)
		error = sqlite_run(s->db, "COMMIT", doing, d);
	if (error < 0) {
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
		s->rows = rows;
	}
	return error;
}

/* ---- reading ---- */

static struct history_event *take(sqlite3_stmt *s)
{
	const struct history_event e = {
		.device = sqlite_text(s, 0),
		.what = (enum history_what)sqlite_number(s, 1),
		.at_ms = sqlite_number(s, 2),
		.first_ms = sqlite_number(s, 3),
		.times = (uint32_t)sqlite_number(s, 4),
		.stranger = sqlite_number(s, 5) != 0,
		.protocol = sqlite_number(s, 6) ? CONFIG_SIP : CONFIG_SCCP,
		.tls = sqlite_number(s, 7) != 0,
		.udp = sqlite_number(s, 8) != 0,
		.address = sqlite_text(s, 9),
		.port = (uint16_t)sqlite_number(s, 10),
		.kind = (enum cert_kind)sqlite_number(s, 11),
		.issuer = sqlite_text(s, 12),
		.space = (enum history_space)sqlite_number(s, 13),
		.code = (int)sqlite_number(s, 14),
		.rule = sqlite_text(s, 15),
		.why = sqlite_text(s, 16),
	};
	return history_event_copy(&e);
}

struct history_event **history_store_read(
	struct history_store *s, const char *device, size_t most, size_t *n)
{
	sqlite3_stmt *read = s->statements[READ];
	struct history_event **list =
		memory_zero(most * sizeof(struct history_event *));
	*n = 0;
	sqlite_bind_number(read, 1, key_of(device));
	sqlite_bind_number(read, 2, (int64_t)most);
	sqlite_bind_text(read, 3, device);
	while (*n < most && sqlite3_step(read) == SQLITE_ROW)
		list[(*n)++] = take(read);
	sqlite3_reset(read);
	return list;
}

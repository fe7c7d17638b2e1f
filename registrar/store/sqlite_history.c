/* SPDX-License-Identifier: Apache-2.0 */
/* History in a SQLite file, history.db. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "registrar/memory.h"
#include "registrar/store/history_store.h"
#include "registrar/store/sqlite.h"

enum { STRANGERS_SHARE = 10 }; /* one tenth */

/*
 * A row is what the index needs and the event as a line, because each column
 * more costs SQLite 150 instructions to write, and there are two events a
 * visit of a phone. Version 1 had the columns of LINE.
 */
#define LINE                                                             \
	"what || char(9) || at_ms || char(9) || first_ms || char(9) || " \
	"times || char(9) || protocol || char(9) || tls || char(9) || "  \
	"udp || char(9) || port || char(9) || kind || char(9) || "       \
	"space || char(9) || code || char(9) || device || char(9) || "   \
	"address || char(9) || issuer || char(9) || rule || char(9) || why"

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
	" rule TEXT NOT NULL, why TEXT NOT NULL, key INTEGER NOT NULL);",
	"CREATE TABLE line (id INTEGER PRIMARY KEY, key INTEGER,"
	" stranger INTEGER, event TEXT);"
	"INSERT INTO line SELECT id, key, stranger, " LINE " FROM event;"
	"DROP TABLE event;"
	"ALTER TABLE line RENAME TO event;"
	"CREATE INDEX event_key ON event (key, id DESC);"
	"CREATE INDEX event_stranger ON event (id) WHERE stranger = 1;",
};

#define STATEMENT_LIST(X)                                                    \
	X(PUT, "INSERT INTO event (key, stranger, event) VALUES (?, ?, ?)")  \
	X(READ, "SELECT event, id FROM event WHERE key = ?"                  \
		" ORDER BY id DESC")                                         \
	X(DROP, "DELETE FROM event WHERE id = ?")                            \
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

static const struct sqlite_kind kind = {
	.file = "history.db",
	.holds = "the history of the devices",
	.application_id = 0x44697468, /* "Dith" */
	.steps = steps,
	.version = sizeof(steps) / sizeof(steps[0]),
	.statements = statements,
	.n_statements = STATEMENTS,
	.written_behind = 1,
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

/* ---- lines ---- */

enum { NUMBERS = 11, NUMBER_MAX = 21, LINE_SIZE = 2048 };

static char *write_number(char *at, int64_t number)
{
	char digits[NUMBER_MAX];
	size_t n = 0;
	uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
	do
		digits[n++] = (char)('0' + rest % 10);
	while (rest /= 10);
	if (number < 0)
		*at++ = '-';
	while (n)
		*at++ = digits[--n];
	return at;
}

static char *write_text(char *at, const char *text)
{
	size_t n = strlen(text);
	*at = '\t';
	memcpy(at + 1, text, n);
	return at + 1 + n;
}

/* The texts are cleaned: no TAB is in them. */
static size_t line_write(char line[LINE_SIZE], const struct history_event *e)
{
	const int64_t numbers[NUMBERS] = {e->what, e->at_ms, e->first_ms,
		e->times, e->protocol, e->tls, e->udp, e->port, e->kind,
		e->space, e->code};
	char *at = line;
	for (size_t i = 0; i < NUMBERS; i++) {
		if (i)
			*at++ = '\t';
		at = write_number(at, numbers[i]);
	}
#define X(field, most)                                                     \
	_Static_assert((most) <= 255, "so that a line holds all of them"); \
	at = write_text(at, e->field);
	HISTORY_TEXT_LIST(X)
#undef X
	return (size_t)(at - line);
}

/* The line is cut up. NULL: it is none of ours. */
static struct history_event *line_read(char *line)
{
	int64_t numbers[NUMBERS];
	struct history_event e = {.at_ms = 0};
	for (size_t i = 0; i < NUMBERS; i++) {
		const char *field = strsep(&line, "\t");
		if (!field)
			return NULL;
		numbers[i] = strtoll(field, NULL, 10);
	}
#define X(field, most)                        \
	if (!(e.field = strsep(&line, "\t"))) \
		return NULL;
	HISTORY_TEXT_LIST(X)
#undef X
	e.what = (enum history_what)numbers[0];
	e.at_ms = numbers[1];
	e.first_ms = numbers[2];
	e.times = (uint32_t)numbers[3];
	e.protocol = numbers[4] > 0 && numbers[4] <= CONFIG_CAPF
			     ? (enum config_protocol)numbers[4]
			     : CONFIG_SCCP;
	e.tls = numbers[5] != 0;
	e.udp = numbers[6] != 0;
	e.port = (uint16_t)numbers[7];
	e.kind = (enum cert_kind)numbers[8];
	e.space = (enum history_space)numbers[9];
	e.code = (int)numbers[10];
	return history_event_copy(&e);
}

/* The next event of a device from READ; NULL: no more. */
static struct history_event *take_of(sqlite3_stmt *read, const char *device)
{
	while (sqlite3_step(read) == SQLITE_ROW) {
		char line[LINE_SIZE];
		snprintf(line, sizeof(line), "%s", sqlite_text(read, 0));
		struct history_event *e = line_read(line);
		if (e && strcasecmp(e->device, device) == 0)
			return e;
		free(e);
	}
	return NULL;
}

/* ---- opening ---- */

int history_store_open(const char *folder, size_t rows_max,
	struct history_store **out, struct diag *d)
{
	struct history_store *s = memory_zero(sizeof(*s));
	*out = NULL;
	s->rows_max = rows_max;
	s->of_each = HISTORY_OF_DEVICE_MAX;
	int error = sqlite_open(folder, &kind, &s->db, s->statements, d);
	if (error < 0) {
		history_store_close(s);
		return error;
	}
	s->rows = (size_t)sqlite_answer(s->statements[COUNT]);
	*out = s;
	return 0;
}

void history_store_close(struct history_store *s)
{
	if (!s)
		return;
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

/*
 * Refusals by one rule since anything else happened to the device are one
 * event: a phone that comes again every half minute, or somebody who plays
 * with its name, does not push out what it did before.
 */
static int merge_alike(
	struct history_store *s, struct history_event *e, struct diag *d)
{
	sqlite3_stmt *read = s->statements[READ];
	struct history_event *before = NULL;
	int64_t id = 0;
	sqlite_bind_number(read, 1, key_of(e->device));
	while (!id && (before = take_of(read, e->device)) &&
		before->what == HISTORY_REFUSED) {
		if (strcmp(before->rule, e->rule) == 0) {
			id = sqlite_number(read, 1);
			e->first_ms = before->first_ms;
			e->times += before->times;
		}
		free(before);
		before = NULL;
	}
	free(before);
	sqlite3_reset(read);
	return id ? drop(s, DROP, id, d) : 0;
}

static int put(struct history_store *s, const struct history_event *from,
	struct diag *d)
{
	struct history_event e = *from;
	sqlite3_stmt *put = s->statements[PUT];
	char line[LINE_SIZE];
	e.times = e.times ? e.times : 1;
	e.first_ms = e.first_ms ? e.first_ms : e.at_ms;
	int error = e.what == HISTORY_REFUSED ? merge_alike(s, &e, d) : 0;
	if (error < 0)
		return error;
	sqlite_bind_number(put, 1, key_of(e.device));
	sqlite_bind_number(put, 2, e.stranger);
	sqlite3_bind_text(
		put, 3, line, (int)line_write(line, &e), SQLITE_STATIC);
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
	size_t strangers =
		(size_t)sqlite_answer(s->statements[COUNT_STRANGERS]);
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
		error = sqlite_commit(s->db, doing, d);
	if (error < 0) {
		sqlite_rollback(s->db);
		s->rows = rows;
	}
	return error;
}

/* ---- reading ---- */

struct history_event **history_store_read(
	struct history_store *s, const char *device, size_t most, size_t *n)
{
	sqlite3_stmt *read = s->statements[READ];
	struct history_event **list =
		memory_zero(most * sizeof(struct history_event *));
	*n = 0;
	sqlite_bind_number(read, 1, key_of(device));
	while (*n < most && (list[*n] = take_of(read, device)))
		(*n)++;
	sqlite3_reset(read);
	return list;
}

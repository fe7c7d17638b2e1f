/* SPDX-License-Identifier: Apache-2.0 */
/* The inventory in a SQLite file, devices.db. */
#include "registrar/store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/memory.h"
#include "registrar/store/sqlite.h"

static const char *const steps[] = {
	"CREATE TABLE profile (name TEXT PRIMARY KEY COLLATE NOCASE,"
	" description TEXT NOT NULL, mode INTEGER NOT NULL,"
	" transport INTEGER NOT NULL, sip_phone_port INTEGER NOT NULL,"
	" nonce_s INTEGER NOT NULL, digest INTEGER NOT NULL,"
	" exclude_digest_credentials INTEGER NOT NULL,"
	" encrypted_config INTEGER NOT NULL, oauth INTEGER NOT NULL,"
	" authentication_mode INTEGER NOT NULL, key_order INTEGER NOT NULL,"
	" rsa_bits INTEGER NOT NULL, ec_bits INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE device (name TEXT PRIMARY KEY COLLATE NOCASE,"
	" protocol INTEGER NOT NULL, mic INTEGER NOT NULL,"
	" description TEXT NOT NULL, model TEXT NOT NULL,"
	" profile TEXT NOT NULL COLLATE NOCASE, digest_user TEXT NOT NULL,"
	" ha1_md5 BLOB NOT NULL, ha1_sha256 BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE line (device TEXT COLLATE NOCASE, position INTEGER,"
	" number TEXT NOT NULL, label TEXT NOT NULL, owner TEXT NOT NULL,"
	" PRIMARY KEY (device, position)) WITHOUT ROWID;"
	"CREATE TABLE dial (device TEXT COLLATE NOCASE, position INTEGER,"
	" number TEXT NOT NULL, label TEXT NOT NULL,"
	" PRIMARY KEY (device, position)) WITHOUT ROWID;"
	"CREATE TABLE sighting (device TEXT PRIMARY KEY COLLATE NOCASE,"
	" registered INTEGER NOT NULL, kind INTEGER NOT NULL,"
	" issuer TEXT NOT NULL, anchor TEXT NOT NULL, serial TEXT NOT NULL,"
	" sha256 BLOB NOT NULL, not_after INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE auto_registration (only INTEGER PRIMARY KEY"
	" CHECK (only = 1), until INTEGER NOT NULL, plain INTEGER NOT NULL);",
	"ALTER TABLE device ADD COLUMN softkeys TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE dial ADD COLUMN type TEXT NOT NULL DEFAULT '';",
	"ALTER TABLE sighting ADD COLUMN anchor_sha256 BLOB NOT NULL"
	" DEFAULT x'';",
};

/* Statements that are used often. X(name, SQL) */
#define STATEMENT_LIST(X)                                                    \
	X(PUT_DEVICE,                                                        \
		"REPLACE INTO device VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)") \
	X(PUT_LINE, "INSERT INTO line VALUES (?, ?, ?, ?, ?)")               \
	X(PUT_DIAL, "INSERT INTO dial VALUES (?, ?, ?, ?, ?)")               \
	X(DROP_DEVICE, "DELETE FROM device WHERE name = ?")                  \
	X(DROP_LINES, "DELETE FROM line WHERE device = ?")                   \
	X(DROP_DIALS, "DELETE FROM dial WHERE device = ?")                   \
	X(DROP_SIGHTING, "DELETE FROM sighting WHERE device = ?")            \
	X(PUT_PROFILE,                                                       \
		"REPLACE INTO profile VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)") \
	X(DROP_PROFILE, "DELETE FROM profile WHERE name = ?")                \
	X(PUT_SIGHTING,                                                      \
		"REPLACE INTO sighting VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")  \
	X(PUT_WINDOW, "REPLACE INTO auto_registration VALUES (1, ?, ?)")

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
	.file = "devices.db",
	.holds = "the device inventory",
	.application_id = 0x4469746f, /* "Dito" */
	.steps = steps,
	.version = sizeof(steps) / sizeof(steps[0]),
	.statements = statements,
	.n_statements = STATEMENTS,
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
};

/* ---- writing ---- */

static const char doing[] = "the change was not written";

static int drop(
	struct store *s, int statement, const char *name, struct diag *d)
{
	sqlite_bind_text(s->statements[statement], 1, name);
	return sqlite_step(s->statements[statement], doing, d);
}

/* The rows that hang on a device. */
static int drop_parts(struct store *s, const char *name, struct diag *d)
{
	int error = drop(s, DROP_LINES, name, d);
	return error ? error : drop(s, DROP_DIALS, name, d);
}

static int put_line(
	struct store *s, const struct device *device, size_t i, struct diag *d)
{
	sqlite3_stmt *q = s->statements[PUT_LINE];
	sqlite_bind_text(q, 1, device->name);
	sqlite_bind_number(q, 2, (int64_t)i);
	sqlite_bind_text(q, 3, device->lines[i].number);
	sqlite_bind_text(q, 4, device->lines[i].label);
	sqlite_bind_text(q, 5, device->lines[i].owner);
	return sqlite_step(q, doing, d);
}

static int put_dial(
	struct store *s, const struct device *device, size_t i, struct diag *d)
{
	sqlite3_stmt *q = s->statements[PUT_DIAL];
	sqlite_bind_text(q, 1, device->name);
	sqlite_bind_number(q, 2, (int64_t)i);
	sqlite_bind_text(q, 3, device->dials[i].number);
	sqlite_bind_text(q, 4, device->dials[i].label);
	sqlite_bind_text(q, 5, device->dials[i].type);
	return sqlite_step(q, doing, d);
}

static int put_device(
	struct store *s, const struct device *device, struct diag *d)
{
	sqlite3_stmt *q = s->statements[PUT_DEVICE];
	sqlite_bind_text(q, 1, device->name);
	sqlite_bind_number(q, 2, device->protocol);
	sqlite_bind_number(q, 3, device->mic);
	sqlite_bind_text(q, 4, device->description);
	sqlite_bind_text(q, 5, device->model);
	sqlite_bind_text(q, 6, device->profile);
	sqlite_bind_text(q, 7, device->digest_user);
	sqlite_bind_bytes(q, 8, device->ha1_md5, sizeof(device->ha1_md5));
	sqlite_bind_bytes(q, 9, device->ha1_sha256, sizeof(device->ha1_sha256));
	sqlite_bind_text(q, 10, device->softkeys);
	int error = sqlite_step(q, doing, d);
	if (error == 0)
		error = drop_parts(s, device->name, d);
	for (size_t i = 0; error == 0 && i < device->n_lines; i++)
		error = put_line(s, device, i, d);
	for (size_t i = 0; error == 0 && i < device->n_dials; i++)
		error = put_dial(s, device, i, d);
	return error;
}

static int remove_device(struct store *s, const char *name, struct diag *d)
{
	int error = drop(s, DROP_DEVICE, name, d);
	if (error == 0)
		error = drop_parts(s, name, d);
	return error ? error : drop(s, DROP_SIGHTING, name, d);
}

static int put_profile(
	struct store *s, const struct security_profile *p, struct diag *d)
{
	sqlite3_stmt *q = s->statements[PUT_PROFILE];
	const int64_t numbers[] = {p->mode, p->transport, p->sip_phone_port,
		p->nonce_s, p->digest, p->exclude_digest_credentials,
		p->encrypted_config, p->oauth, p->authentication_mode,
		p->key_order, p->rsa_bits, p->ec_bits};
	sqlite_bind_text(q, 1, p->name);
	sqlite_bind_text(q, 2, p->description);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sqlite_bind_number(q, 3 + (int)i, numbers[i]);
	return sqlite_step(q, doing, d);
}

static int put_sighting(
	struct store *s, const struct store_sighting *at, struct diag *d)
{
	sqlite3_stmt *q = s->statements[PUT_SIGHTING];
	const struct device_seen *seen = &at->seen;
	sqlite_bind_text(q, 1, at->name);
	sqlite_bind_number(q, 2, seen->registered);
	sqlite_bind_number(q, 3, seen->kind);
	sqlite_bind_text(q, 4, seen->issuer);
	sqlite_bind_text(q, 5, seen->anchor);
	sqlite_bind_text(q, 6, seen->serial);
	sqlite_bind_bytes(q, 7, seen->sha256, sizeof(seen->sha256));
	sqlite_bind_number(q, 8, seen->not_after);
	sqlite_bind_bytes(
		q, 9, seen->anchor_sha256, sizeof(seen->anchor_sha256));
	return sqlite_step(q, doing, d);
}

static int put_window(
	struct store *s, const struct store_window *window, struct diag *d)
{
	sqlite3_stmt *q = s->statements[PUT_WINDOW];
	sqlite_bind_number(q, 1, window->until);
	sqlite_bind_number(q, 2, window->plain);
	return sqlite_step(q, doing, d);
}

static int write_one(
	struct store *s, const struct store_change *change, struct diag *d)
{
	switch (change->what) {
	case STORE_PUT_DEVICE:
		return put_device(s, change->device, d);
	case STORE_REMOVE_DEVICE:
		return remove_device(s, change->name, d);
	case STORE_PUT_PROFILE:
		return put_profile(s, change->profile, d);
	case STORE_REMOVE_PROFILE:
		return drop(s, DROP_PROFILE, change->name, d);
	case STORE_PUT_SIGHTING:
		return put_sighting(s, change->sighting, d);
	case STORE_PUT_WINDOW:
		return put_window(s, change->window, d);
	}
	return 0;
}

int store_write(struct store *s, const struct store_change *changes, size_t n,
	struct diag *d)
{
	int error = sqlite_run(s->db, "BEGIN IMMEDIATE", doing, d);
	for (size_t i = 0; error == 0 && i < n; i++)
		error = write_one(s, &changes[i], d);
	if (error == 0)
		error = sqlite_commit(s->db, doing, d);
	if (error < 0)
		sqlite_rollback(s->db);
	return error;
}

/* ---- reading ---- */

/* Rows that hang on devices, read beside them in the same order. */
struct parts {
	sqlite3_stmt *rows;
	bool more;
};

struct loading {
	struct store *store;
	const struct store_reader *reader;
	struct diag *d;
	struct parts lines, dials;
	/* Of the device at hand; texts are ours. */
	struct device_line line[DEVICE_LINES_MAX];
	struct device_dial dial[DEVICE_DIALS_MAX];
	struct device device;
};

static int fault(const struct loading *l)
{
	return sqlite_fault(l->store->db, "cannot be read", l->d);
}

static int damaged(const struct loading *l, const char *device)
{
	return diag_set(l->d, -EINVAL,
		"%s: is damaged: rows of \"%.64s\" belong to no device or are "
		"too many: restore it from a backup",
		sqlite3_db_filename(l->store->db, "main"), device);
}

/* Is there a next row? Then 1; 0 at the end, or -errno. */
static int next(const struct loading *l, sqlite3_stmt *rows)
{
	int code = sqlite3_step(rows);
	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : fault(l);
}

static int begin_parts(struct loading *l, struct parts *p, const char *sql)
{
	int more = sqlite_prepare(l->store->db, sql, &p->rows, l->d);
	if (more == 0)
		more = next(l, p->rows);
	p->more = more > 0;
	return more < 0 ? more : 0;
}

/* Is the part at hand one of the device's? Then 1. */
static int of_device(const struct loading *l, const struct parts *p)
{
	if (!p->more)
		return 0;
	int order = sqlite3_stricmp(sqlite_text(p->rows, 0), l->device.name);
	if (order < 0) /* its device would have come before */
		return damaged(l, sqlite_text(p->rows, 0));
	return order == 0;
}

static int advance(const struct loading *l, struct parts *p)
{
	int more = next(l, p->rows);
	p->more = more > 0;
	return more < 0 ? more : 0;
}

static int load_lines(struct loading *l)
{
	int ours;
	while ((ours = of_device(l, &l->lines)) > 0) {
		if (l->device.n_lines == DEVICE_LINES_MAX)
			return damaged(l, l->device.name);
		l->line[l->device.n_lines++] = (struct device_line){
			memory_dup(sqlite_text(l->lines.rows, 1)),
			memory_dup(sqlite_text(l->lines.rows, 2)),
			memory_dup(sqlite_text(l->lines.rows, 3))};
		int error = advance(l, &l->lines);
		if (error < 0)
			return error;
	}
	return ours;
}

static int load_dials(struct loading *l)
{
	int ours;
	while ((ours = of_device(l, &l->dials)) > 0) {
		if (l->device.n_dials == DEVICE_DIALS_MAX)
			return damaged(l, l->device.name);
		l->dial[l->device.n_dials++] = (struct device_dial){
			memory_dup(sqlite_text(l->dials.rows, 1)),
			memory_dup(sqlite_text(l->dials.rows, 2)),
			memory_dup(sqlite_text(l->dials.rows, 3))};
		int error = advance(l, &l->dials);
		if (error < 0)
			return error;
	}
	return ours;
}

static void free_parts(struct loading *l)
{
	for (size_t i = 0; i < l->device.n_lines; i++) {
		free((char *)l->line[i].number);
		free((char *)l->line[i].label);
		free((char *)l->line[i].owner);
	}
	for (size_t i = 0; i < l->device.n_dials; i++) {
		free((char *)l->dial[i].number);
		free((char *)l->dial[i].label);
		free((char *)l->dial[i].type);
	}
}

static int load_device(struct loading *l, sqlite3_stmt *row)
{
	l->device = (struct device){
		.name = sqlite_text(row, 0),
		.protocol = (enum device_protocol)sqlite_number(row, 1),
		.mic = sqlite_number(row, 2),
		.description = sqlite_text(row, 3),
		.model = sqlite_text(row, 4),
		.profile = sqlite_text(row, 5),
		.digest_user = sqlite_text(row, 6),
		.softkeys = sqlite_text(row, 9),
		.lines = l->line,
		.dials = l->dial,
	};
	sqlite_bytes(row, 7, l->device.ha1_md5, sizeof(l->device.ha1_md5));
	sqlite_bytes(
		row, 8, l->device.ha1_sha256, sizeof(l->device.ha1_sha256));
	int error = load_lines(l);
	if (error == 0)
		error = load_dials(l);
	if (error == 0)
		error = l->reader->device(l->reader->self, &l->device, l->d);
	free_parts(l);
	return error;
}

static int load_profile(struct loading *l, sqlite3_stmt *row)
{
	struct security_profile p = {
		.mode = (enum security_mode)sqlite_number(row, 2),
		.transport = (enum security_transport)sqlite_number(row, 3),
		.sip_phone_port = (uint16_t)sqlite_number(row, 4),
		.nonce_s = (uint32_t)sqlite_number(row, 5),
		.digest = sqlite_number(row, 6),
		.exclude_digest_credentials = sqlite_number(row, 7),
		.encrypted_config = sqlite_number(row, 8),
		.oauth = sqlite_number(row, 9),
		.authentication_mode = (uint8_t)sqlite_number(row, 10),
		.key_order = (uint8_t)sqlite_number(row, 11),
		.rsa_bits = (uint16_t)sqlite_number(row, 12),
		.ec_bits = (uint16_t)sqlite_number(row, 13),
	};
	strncpy(p.name, sqlite_text(row, 0), sizeof(p.name) - 1);
	strncpy(p.description, sqlite_text(row, 1), sizeof(p.description) - 1);
	return l->reader->profile(l->reader->self, &p, l->d);
}

static int load_sighting(struct loading *l, sqlite3_stmt *row)
{
	struct store_sighting s = {
		.seen = {
			.registered = sqlite_number(row, 1),
			.kind = (uint8_t)sqlite_number(row, 2),
			.issuer = sqlite_text(row, 3),
			.anchor = sqlite_text(row, 4),
			.not_after = sqlite_number(row, 7),
		}};
	strncpy(s.name, sqlite_text(row, 0), sizeof(s.name) - 1);
	strncpy(s.seen.serial, sqlite_text(row, 5), sizeof(s.seen.serial) - 1);
	sqlite_bytes(row, 6, s.seen.sha256, sizeof(s.seen.sha256));
	sqlite_bytes(
		row, 8, s.seen.anchor_sha256, sizeof(s.seen.anchor_sha256));
	return l->reader->sighting(l->reader->self, &s, l->d);
}

static int load_window(struct loading *l, sqlite3_stmt *row)
{
	struct store_window window = {
		.until = sqlite_number(row, 0), .plain = sqlite_number(row, 1)};
	return l->reader->window(l->reader->self, &window, l->d);
}

static int for_each(struct loading *l, const char *sql,
	int (*act)(struct loading *l, sqlite3_stmt *row))
{
	sqlite3_stmt *rows;
	int error = sqlite_prepare(l->store->db, sql, &rows, l->d);
	int more = 0;
	while (error == 0 && (more = next(l, rows)) > 0)
		error = act(l, rows);
	sqlite3_finalize(rows);
	return error ? error : more;
}

static int load_devices(struct loading *l)
{
	int error = begin_parts(l, &l->lines,
		"SELECT device, number, label, owner FROM line "
		"ORDER BY device, position");
	if (error == 0)
		error = begin_parts(l, &l->dials,
			"SELECT device, number, label, type FROM dial "
			"ORDER BY device, position");
	if (error == 0)
		error = for_each(
			l, "SELECT * FROM device ORDER BY name", load_device);
	if (error == 0 && l->lines.more)
		error = damaged(l, sqlite_text(l->lines.rows, 0));
	if (error == 0 && l->dials.more)
		error = damaged(l, sqlite_text(l->dials.rows, 0));
	sqlite3_finalize(l->lines.rows);
	sqlite3_finalize(l->dials.rows);
	return error;
}

int store_load(
	struct store *s, const struct store_reader *reader, struct diag *d)
{
	struct loading l = {.store = s, .reader = reader, .d = d};
	int error = for_each(&l, "SELECT * FROM profile", load_profile);
	if (error == 0)
		error = load_devices(&l);
	if (error == 0)
		error = for_each(&l, "SELECT * FROM sighting", load_sighting);
	if (error == 0)
		error = for_each(&l,
			"SELECT until, plain FROM auto_registration",
			load_window);
	return error;
}

/* ---- life ---- */

int store_open(const char *folder, struct store **out, struct diag *d)
{
	struct store *s = memory_zero(sizeof(*s));
	int error = sqlite_open(folder, &kind, &s->db, s->statements, d);
	if (error < 0) {
		store_close(s);
		return error;
	}
	*out = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	sqlite_close(s->db);
	free(s);
}

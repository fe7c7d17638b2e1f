/* SPDX-License-Identifier: Apache-2.0 */
/* Devices as CSV, both ways: what is exported imports to the same. */
#include "registrar/admin/device_csv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "registrar/admin/device_draft.h"
#include "registrar/csv.h"
#include "registrar/device_rules.h"
#include "registrar/memory.h"
#include "registrar/text.h"

/* What a column is about. */
enum column_kind {
	COLUMN_NAME,
	COLUMN_PROTOCOL,
	COLUMN_MODEL,
	COLUMN_DESCRIPTION,
	COLUMN_PROFILE,
	COLUMN_MIC,
	COLUMN_SOFTKEYS,
	COLUMN_USER,
	COLUMN_PASSWORD,
	COLUMNS_ALONE, /* how many there are above, once each */
	COLUMN_LINE = COLUMNS_ALONE,
	COLUMN_DIAL,
};

static const char *const names[COLUMNS_ALONE] = {
	[COLUMN_NAME] = "name",
	[COLUMN_PROTOCOL] = "protocol",
	[COLUMN_MODEL] = "model",
	[COLUMN_DESCRIPTION] = "description",
	[COLUMN_PROFILE] = "profile",
	[COLUMN_MIC] = "mic",
	[COLUMN_SOFTKEYS] = "softkeys",
	[COLUMN_USER] = "digest_user",
	[COLUMN_PASSWORD] = "digest_password",
};

/* "line3_label": the label of the third line. */
enum part { PART_NUMBER, PART_LABEL, PART_LAST, PARTS };
static const char *const line_tails[PARTS] = {"", "_label", "_owner"};
static const char *const dial_tails[PARTS] = {"", "_label", "_type"};

struct column {
	enum column_kind kind;
	size_t index; /* of its line or dial, from 0 on */
	enum part part;
};

struct reading {
	struct inventory *inv;
	const char *realm;
	struct device_csv *out;
	struct csv csv;
	struct csv_row row;
	/* The header, kept while the rows are read. */
	struct column columns[CSV_FIELDS_MAX];
	size_t n_columns;
	size_t n_lines, n_dials; /* that it has columns for; 0: leave them */
	struct device_draft draft;
	size_t *lines; /* of the devices, in the file */
	size_t n_of_lines;
};

/* ---- faults ---- */

static int refuse(
	struct reading *r, size_t line, const char *column, const char *why)
{
	if (r->out->n_faults < DEVICE_CSV_FAULTS) {
		struct device_csv_fault *f =
			&r->out->faults[r->out->n_faults++];
		f->line = line;
		text_copy(f->column, sizeof(f->column), column);
		text_copy(f->why, sizeof(f->why), why);
	}
	return -EINVAL;
}

static int refuse_syntax(struct reading *r, const struct csv_fault *fault)
{
	char column[40];
	snprintf(column, sizeof(column), "field %zu", fault->field);
	return refuse(r, fault->line, column, fault->why);
}

/* ---- the header ---- */

/* "line12_label" with "line": 12 and its part. */
static bool read_part(const char *name, const char *head, size_t most,
	const char *const tails[PARTS], struct column *out)
{
	size_t n = strlen(head);
	char *end = NULL;
	if (strncasecmp(name, head, n) != 0 || name[n] < '1' || name[n] > '9')
		return false;
	unsigned long number = strtoul(name + n, &end, 10);
	out->index = number - 1;
	for (int part = PART_NUMBER; part < PARTS; part++)
		if (strcasecmp(end, tails[part]) == 0) {
			out->part = (enum part)part;
			return number <= most;
		}
	return false;
}

static bool read_column(const char *name, struct column *out)
{
	*out = (struct column){0};
	for (int kind = 0; kind < COLUMNS_ALONE; kind++)
		if (strcasecmp(names[kind], name) == 0) {
			out->kind = (enum column_kind)kind;
			return true;
		}
	out->kind = COLUMN_LINE;
	if (read_part(name, "line", DEVICE_LINES_MAX, line_tails, out))
		return true;
	out->kind = COLUMN_DIAL;
	return read_part(name, "dial", DEVICE_DIALS_MAX, dial_tails, out);
}

static bool same_column(const struct column *a, const struct column *b)
{
	return a->kind == b->kind && a->index == b->index && a->part == b->part;
}

static int add_column(struct reading *r, size_t i)
{
	char why[128];
	struct column *c = &r->columns[i];
	const char *name = r->row.fields[i];
	if (!read_column(name, c)) {
		snprintf(why, sizeof(why),
			"is no column: there are name, protocol, model, "
			"description, profile, mic, softkeys, digest_user, "
			"digest_password, line1, ...");
		return refuse(r, r->row.line, name, why);
	}
	for (size_t k = 0; k < i; k++)
		if (same_column(&r->columns[k], c))
			return refuse(r, r->row.line, name, "is there twice");
	if (c->kind == COLUMN_LINE && c->index >= r->n_lines)
		r->n_lines = c->index + 1;
	if (c->kind == COLUMN_DIAL && c->index >= r->n_dials)
		r->n_dials = c->index + 1;
	return 0;
}

static int read_header(struct reading *r)
{
	struct csv_fault fault;
	int more = csv_next(&r->csv, &r->row, &fault);
	bool named = false;
	if (more < 0)
		return refuse_syntax(r, &fault);
	if (more == 0)
		return refuse(r, 1, "name",
			"is missing: the first row names the columns");
	for (size_t i = 0; i < r->row.n; i++) {
		int error = add_column(r, i);
		if (error < 0)
			return error;
		named |= r->columns[i].kind == COLUMN_NAME;
	}
	r->n_columns = r->row.n;
	return named ? 0
		     : refuse(r, r->row.line, "name",
			       "is missing among the columns");
}

/* ---- a row ---- */

/* Of which column a field of the row at hand is, or "" when there is none. */
static const char *field_of(const struct reading *r, enum column_kind kind)
{
	for (size_t i = 0; i < r->n_columns; i++)
		if (r->columns[i].kind == kind)
			return r->row.fields[i];
	return "";
}

static bool set_protocol(
	struct device *d, const char *text, struct device_fault *fault)
{
	if (!*text)
		text = "any";
	for (int p = DEVICE_ANY; p <= DEVICE_SIP; p++)
		if (strcasecmp(device_protocol_name((enum device_protocol)p),
			    text) == 0) {
			d->protocol = (enum device_protocol)p;
			return true;
		}
	return device_refuse(fault, "protocol", "must be any, sccp or sip");
}

static bool set_mic(
	struct device *d, const char *text, struct device_fault *fault)
{
	d->mic = strcasecmp(text, "yes") == 0;
	return d->mic || !*text || strcasecmp(text, "no") == 0 ||
	       device_refuse(fault, "mic", "must be yes or no");
}

static void set_line(struct device_line *line, enum part part, const char *text)
{
	const char **const parts[PARTS] = {
		&line->number, &line->label, &line->owner};
	*parts[part] = text;
}

static void set_dial(struct device_dial *dial, enum part part, const char *text)
{
	const char **const parts[PARTS] = {
		&dial->number, &dial->label, &dial->type};
	*parts[part] = text;
}

static bool set_field(struct reading *r, const struct column *c,
	const char *text, struct device_fault *fault)
{
	struct device *d = &r->draft.device;
	switch (c->kind) {
	case COLUMN_NAME:
		d->name = text;
		return true;
	case COLUMN_PROTOCOL:
		return set_protocol(d, text, fault);
	case COLUMN_MODEL:
		d->model = text;
		return true;
	case COLUMN_DESCRIPTION:
		d->description = text;
		return true;
	case COLUMN_PROFILE:
		d->profile = *text ? text : SECURITY_PROFILE_DEFAULT;
		return true;
	case COLUMN_MIC:
		return set_mic(d, text, fault);
	case COLUMN_SOFTKEYS:
		device_draft_softkeys(&r->draft, text);
		return true;
	case COLUMN_USER:
		device_draft_user(&r->draft, text);
		return true;
	case COLUMN_PASSWORD: /* needs the user: after all others */
		return true;
	case COLUMN_LINE:
		set_line(&r->draft.lines[c->index], c->part, text);
		return true;
	case COLUMN_DIAL:
		set_dial(&r->draft.dials[c->index], c->part, text);
		return true;
	}
	return true;
}

/* How many of them are there; a gap, or a label without a number, is none. */
static bool count_lines(struct reading *r, struct device_fault *fault)
{
	char field[40];
	struct device *d = &r->draft.device;
	for (size_t i = 0; i < r->n_lines; i++) {
		const struct device_line *line = &r->draft.lines[i];
		bool said = *line->number || *line->label || *line->owner;
		snprintf(field, sizeof(field), "line%zu", d->n_lines + 1);
		if (said && (i > d->n_lines || !*line->number))
			return device_refuse(fault, field,
				"is empty, but line%zu is not", i + 1);
		d->n_lines += said;
	}
	return true;
}

static bool count_dials(struct reading *r, struct device_fault *fault)
{
	char field[40];
	struct device *d = &r->draft.device;
	for (size_t i = 0; i < r->n_dials; i++) {
		const struct device_dial *dial = &r->draft.dials[i];
		bool said = *dial->number || *dial->label || *dial->type;
		snprintf(field, sizeof(field), "dial%zu", d->n_dials + 1);
		if (said && (i > d->n_dials || !*dial->number))
			return device_refuse(fault, field,
				"is empty, but dial%zu is not", i + 1);
		d->n_dials += said;
	}
	return true;
}

/* The columns' lines and dials take the place of what was there. */
static void clear_parts(struct reading *r)
{
	if (r->n_lines)
		r->draft.device.n_lines = 0;
	if (r->n_dials)
		r->draft.device.n_dials = 0;
	for (size_t i = 0; i < r->n_lines; i++)
		r->draft.lines[i] = (struct device_line){"", "", ""};
	for (size_t i = 0; i < r->n_dials; i++)
		r->draft.dials[i] = (struct device_dial){"", "", ""};
}

static bool read_fields(struct reading *r, struct device_fault *fault)
{
	const char *password = field_of(r, COLUMN_PASSWORD);
	clear_parts(r);
	for (size_t i = 0; i < r->n_columns; i++)
		if (!set_field(r, &r->columns[i], r->row.fields[i], fault))
			return false;
	if (*password)
		device_draft_password(&r->draft, r->draft.device.digest_user,
			r->realm, password);
	return count_lines(r, fault) && count_dials(r, fault) &&
	       inventory_judge(r->inv, &r->draft.device, fault) == 0;
}

static int read_row(struct reading *r)
{
	char why[128];
	struct device_fault fault;
	if (r->row.n != r->n_columns) {
		snprintf(why, sizeof(why),
			"the row has %zu fields, the first row names %zu",
			r->row.n, r->n_columns);
		return refuse(r, r->row.line, "", why);
	}
	struct device *there = inventory_find(r->inv, field_of(r, COLUMN_NAME));
	device_draft_init(&r->draft, there);
	bool good = read_fields(r, &fault);
	if (good) {
		struct device **at = memory_grow((void **)&r->out->devices,
			&r->out->n_devices, sizeof(struct device *));
		*at = device_new(&r->draft.device);
		*(size_t *)memory_grow((void **)&r->lines, &r->n_of_lines,
			sizeof(size_t)) = r->row.line;
	}
	device_unref(there);
	return good ? 0 : refuse(r, r->row.line, fault.field, fault.why);
}

/* ---- the file ---- */

struct named {
	const char *name;
	size_t line;
};

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = strcasecmp(x->name, y->name);
	return order ? order : x->line < y->line ? -1 : x->line > y->line;
}

static int refuse_twins(struct reading *r)
{
	char why[96];
	struct named *all = memory_zero((r->out->n_devices + 1) * sizeof(*all));
	for (size_t i = 0; i < r->out->n_devices; i++)
		all[i] = (struct named){r->out->devices[i]->name, r->lines[i]};
	qsort(all, r->out->n_devices, sizeof(*all), by_name);
	for (size_t i = 1; i < r->out->n_devices; i++)
		if (strcasecmp(all[i - 1].name, all[i].name) == 0) {
			snprintf(why, sizeof(why), "is the same as in line %zu",
				all[i - 1].line);
			refuse(r, all[i].line, "name", why);
		}
	free(all);
	return r->out->n_faults ? -EINVAL : 0;
}

static int read_all(struct reading *r)
{
	struct csv_fault fault;
	int more, error = read_header(r);
	if (error < 0)
		return error;
	while (r->out->n_faults < DEVICE_CSV_FAULTS) {
		more = csv_next(&r->csv, &r->row, &fault);
		if (more < 0)
			return refuse_syntax(r, &fault);
		if (more == 0)
			break;
		if (r->out->n_devices == INVENTORY_MAX)
			return refuse(r, r->row.line, "name",
				"is one device more than there may be");
		read_row(r);
	}
	return r->out->n_faults ? -EINVAL : refuse_twins(r);
}

int device_csv_read(struct inventory *inv, const char *realm, char *text,
	size_t n, struct device_csv *out)
{
	struct reading *r = memory_zero(sizeof(*r));
	*out = (struct device_csv){0};
	r->inv = inv;
	r->realm = realm;
	r->out = out;
	csv_init(&r->csv, text, n);
	int error = read_all(r);
	if (error < 0) {
		inventory_list_free(out->devices, out->n_devices);
		out->devices = NULL;
		out->n_devices = 0;
	}
	free(r->lines);
	free(r);
	return error;
}

/* ---- out ---- */

/* As many columns as the device with most of them needs. */
struct width {
	size_t lines, dials;
};

static struct width width_of(struct device *const *list, size_t n)
{
	struct width w = {1, 0};
	for (size_t i = 0; i < n; i++) {
		if (list[i]->fixed)
			continue;
		if (list[i]->n_lines > w.lines)
			w.lines = list[i]->n_lines;
		if (list[i]->n_dials > w.dials)
			w.dials = list[i]->n_dials;
	}
	return w;
}

static void write_header(FILE *f, struct width w)
{
	for (size_t i = 0; i < COLUMN_PASSWORD; i++)
		csv_put(f, names[i], i);
	for (size_t i = 1; i <= w.lines; i++)
		fprintf(f, ",line%zu,line%zu_label,line%zu_owner", i, i, i);
	for (size_t i = 1; i <= w.dials; i++)
		fprintf(f, ",dial%zu,dial%zu_label,dial%zu_type", i, i, i);
	csv_end(f);
}

static void write_row(FILE *f, const struct device *d, struct width w)
{
	static const struct device_line no_line = {"", "", ""};
	static const struct device_dial no_dial = {"", "", ""};
	const char *const alone[] = {d->name, device_protocol_name(d->protocol),
		d->model, d->description, d->profile, d->mic ? "yes" : "no",
		device_softkeys(d), d->digest_user};
	for (size_t i = 0; i < COLUMN_PASSWORD; i++)
		csv_put(f, alone[i], i);
	for (size_t i = 0; i < w.lines; i++) {
		const struct device_line *line =
			i < d->n_lines ? &d->lines[i] : &no_line;
		csv_put(f, line->number, 1);
		csv_put(f, line->label, 1);
		csv_put(f, line->owner, 1);
	}
	for (size_t i = 0; i < w.dials; i++) {
		const struct device_dial *dial =
			i < d->n_dials ? &d->dials[i] : &no_dial;
		csv_put(f, dial->number, 1);
		csv_put(f, dial->label, 1);
		csv_put(f, dial->type, 1);
	}
	csv_end(f);
}

char *device_csv_write(struct inventory *inv)
{
	char *text = NULL;
	size_t size, n;
	FILE *f = open_memstream(&text, &size);
	if (!f)
		abort(); /* law 2: no memory */
	struct device **list = inventory_list(inv, &n);
	struct width w = width_of(list, n);
	write_header(f, w);
	for (size_t i = 0; i < n; i++)
		if (!list[i]->fixed)
			write_row(f, list[i], w);
	inventory_list_free(list, n);
	if (fclose(f) != 0)
		abort(); /* law 2: no memory */
	return text;
}

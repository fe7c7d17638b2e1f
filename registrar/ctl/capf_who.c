/* SPDX-License-Identifier: Apache-2.0 */
/* For whom an order to CAPF is: names, a CSV file, or a filter. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "certs/file.h"
#include "registrar/csv.h"
#include "registrar/ctl/capf.h"
#include "registrar/ctl/ctl.h"
#include "registrar/ctl/say.h"
#include "registrar/memory.h"

enum { FILE_MAX = 64 << 20 };

static const char *const titles[] = {"name", "device name", "device"};

/* The column that the first row calls by such a name; -1: none, so that it is
 * no header. */
static int column_of(const struct csv_row *row)
{
	for (size_t i = 0; i < row->n; i++)
		for (size_t k = 0; k < sizeof(titles) / sizeof(titles[0]); k++)
			if (strcasecmp(row->fields[i], titles[k]) == 0)
				return (int)i;
	return -1;
}

/* A row without that column has no name: it is passed over, as empty lines
 * are. */
static void add_row(json_t *names, const struct csv_row *row, size_t column)
{
	if (column < row->n && *row->fields[column])
		json_array_append_new(names, json_string(row->fields[column]));
}

static int read_rows(const char *file, struct csv *csv, json_t *names)
{
	struct csv_row *row = memory_zero(sizeof(*row));
	struct csv_fault fault;
	size_t column = 0;
	bool first = true;
	int more;
	while ((more = csv_next(csv, row, &fault)) > 0) {
		int named = first ? column_of(row) : -1;
		if (named >= 0)
			column = (size_t)named;
		else
			add_row(names, row, column);
		first = false;
	}
	free(row);
	if (more == 0)
		return CTL_OK;
	say("%s:%zu: %s", file, fault.line, fault.why);
	say("nothing of %s was taken", file);
	return CTL_FAILED;
}

static int read_csv(const char *file, json_t *names)
{
	struct diag d;
	struct csv csv;
	char *text;
	size_t n;
	if (cert_file_read(file, FILE_MAX, &text, &n, &d) < 0) {
		return say_file(file, d.text);
	}
	csv_init(&csv, text, n);
	int status = read_rows(file, &csv, names);
	free(text);
	if (status == CTL_OK && json_array_size(names) == 0) {
		say("%s names no device", file);
		status = CTL_FAILED;
	}
	return status;
}

/* What is of the filter, by the keys that the registrar knows. */
static json_t *filter_of(const json_t *options)
{
	static const char *const keys[] = {
		"model", "subnet", "issuer", "expiresBefore"};
	json_t *filter = json_object();
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		json_object_set(
			filter, keys[i], json_object_get(options, keys[i]));
	return filter;
}

int ctl_capf_who(int argc, char **argv, const json_t *options, json_t *body)
{
	json_t *filter = filter_of(options), *names = json_array();
	const char *csv = ctl_text(options, "csv");
	bool filtered = json_object_size(filter), named = argc > 0 || *csv;
	int status = CTL_OK;
	for (int i = 0; i < argc; i++)
		json_array_append_new(names, json_string(argv[i]));
	if (filtered == named) {
		say("%s", named ? "name devices, or filter them: not both"
				: "for which devices? Name them, or a --csv "
				  "FILE of them, or filter with --model, "
				  "--subnet, --issuer, --expires-before");
		status = CTL_USAGE;
	} else if (*csv) {
		status = read_csv(csv, names);
	}
	json_object_set(body, filtered ? "filter" : "devices",
		filtered ? filter : names);
	json_decref(filter);
	json_decref(names);
	return status;
}

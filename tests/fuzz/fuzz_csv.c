/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as CSV: rows within limits, and what is written reads the same. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth)
{
	if (!truth)
		abort();
}

static void check_row(const struct csv_row *row, const char *text, size_t size)
{
	check(row->n > 0 && row->n <= CSV_FIELDS_MAX);
	for (size_t i = 0; i < row->n; i++) {
		const char *field = row->fields[i];
		check(field >= text && field <= text + size);
		size_t n = strlen(field);
		check(n <= CSV_FIELD_MAX && field + n <= text + size);
		for (size_t k = 0; k < n; k++)
			check((unsigned char)field[k] >= 0x20);
	}
}

/* A row that was written is the row that is read. */
static void check_round(const struct csv_row *row)
{
	char *text = NULL;
	size_t n = 0;
	struct csv again;
	static struct csv_row read;
	struct csv_fault fault;
	FILE *f = open_memstream(&text, &n);
	check(f != NULL);
	for (size_t i = 0; i < row->n; i++)
		csv_put(f, row->fields[i], i);
	csv_end(f);
	fclose(f);
	csv_init(&again, text, n);
	/* A row of one empty field is an empty line, and a byte order mark
	 * at its start is none of the field. */
	if ((row->n > 1 || *row->fields[0]) &&
		strncmp(row->fields[0], "\xef\xbb\xbf", 3) != 0) {
		check(csv_next(&again, &read, &fault) == 1);
		check(read.n == row->n);
		for (size_t i = 0; i < row->n; i++)
			check(strcmp(read.fields[i], row->fields[i]) == 0);
		check(csv_next(&again, &read, &fault) == 0);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct csv_row row;
	struct csv csv;
	struct csv_fault fault = {0};
	int more;
	size_t line = 0;
	char *text = malloc(size + 1); /* exactly what the reader may touch */
	check(text != NULL);
	if (size)
		memcpy(text, data, size);
	csv_init(&csv, text, size);
	while ((more = csv_next(&csv, &row, &fault)) > 0) {
		check(row.line > line);
		line = row.line;
		check_row(&row, text, size);
		check_round(&row);
	}
	check(more == 0 || (fault.why && fault.line > line && fault.field));
	free(text);
	return 0;
}

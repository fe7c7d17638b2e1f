/* SPDX-License-Identifier: Apache-2.0 */
/* Comma-separated values (RFC 4180), row by row, both ways. */
#ifndef REGISTRAR_CSV_H
#define REGISTRAR_CSV_H

#include <stddef.h>
#include <stdio.h>

enum {
	CSV_FIELDS_MAX = 768, /* a device may need 732 */
	CSV_FIELD_MAX = 1000, /* bytes */
};

struct csv_row {
	size_t line; /* from 1 on */
	const char *fields[CSV_FIELDS_MAX];
	size_t n;
};

/* What breaks a rule, and where. */
struct csv_fault {
	size_t line;
	size_t field; /* from 1 on */
	const char *why;
};

/* A reader of a whole text, which it changes. */
struct csv {
	char *p, *end;
	size_t line;
};

/* Of text[n]; text[n] must be there, and may be overwritten. A byte order
 * mark before it is passed over. */
void csv_init(struct csv *c, char *text, size_t n);
/*
 * 1: a row, whose fields point into the text. 0: no more. -EINVAL: fault
 * says why; read no further. Empty lines are passed over. Stricter than the
 * RFC: no field holds a control character, be it a line break in quotes.
 */
int csv_next(struct csv *c, struct csv_row *row, struct csv_fault *fault);

/* Writes one field, in quotes where it needs them, behind a comma if it is
 * not the first; ends a row. */
void csv_put(FILE *to, const char *field, size_t position);
void csv_end(FILE *to);

#endif

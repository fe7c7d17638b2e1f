/* SPDX-License-Identifier: Apache-2.0 */
/* Comma-separated values (RFC 4180), row by row, both ways. */
#include "registrar/csv.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

void csv_init(struct csv *c, char *text, size_t n)
{
	static const char mark[] = "\xef\xbb\xbf";
	size_t skip = n >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;
	*c = (struct csv){.p = text + skip, .end = text + n, .line = 1};
}

static bool at_break(const struct csv *c)
{
	return c->p == c->end || *c->p == '\n' ||
	       (*c->p == '\r' && c->p + 1 < c->end && c->p[1] == '\n');
}

static void pass_break(struct csv *c)
{
	if (c->p == c->end)
		return;
	c->p += *c->p == '\r' ? 2 : 1;
	c->line++;
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* A field in quotes, its doubled ones made single. Why not, or NULL. */
static const char *read_quoted(struct csv *c)
{
	char *to = c->p++;
	for (; c->p < c->end; c->p++) {
		if (*c->p == '"' && (c->p + 1 == c->end || c->p[1] != '"'))
			break;
		if (*c->p == '"')
			c->p++;
		else if (*c->p == '\n' || *c->p == '\r')
			return "the quotation mark before it is not closed on "
			       "this line";
		else if (is_control(*c->p))
			return "holds a control character";
		*to++ = *c->p;
	}
	if (c->p == c->end)
		return "the quotation mark before it is never closed";
	c->p++;
	*to = '\0';
	if (!at_break(c) && *c->p != ',')
		return "something follows its closing quotation mark";
	return NULL;
}

static const char *read_bare(struct csv *c)
{
	for (; !at_break(c) && *c->p != ','; c->p++) {
		if (*c->p == '"')
			return "holds a quotation mark, but does not begin "
			       "with one";
		if (is_control(*c->p))
			return "holds a control character";
	}
	return NULL;
}

/* Reads one field up to what ends it, which the next step overwrites. */
static const char *read_field(struct csv *c, struct csv_row *row)
{
	const char *start = c->p;
	if (row->n == CSV_FIELDS_MAX)
		return "there are more fields than any row may have (640)";
	row->fields[row->n++] = start;
	const char *why =
		c->p < c->end && *c->p == '"' ? read_quoted(c) : read_bare(c);
	if (!why && c->p - start > CSV_FIELD_MAX)
		return "is longer than any field may be (1000 bytes)";
	return why;
}

int csv_next(struct csv *c, struct csv_row *row, struct csv_fault *fault)
{
	while (c->p < c->end && at_break(c))
		pass_break(c);
	if (c->p == c->end)
		return 0;
	row->line = c->line;
	row->n = 0;
	for (;;) {
		const char *why = read_field(c, row);
		if (why) {
			*fault = (struct csv_fault){c->line, row->n, why};
			return -EINVAL;
		}
		char *end = c->p;
		bool last = at_break(c);
		if (last)
			pass_break(c);
		else
			c->p++;
		*end = '\0';
		if (last)
			return 1;
	}
}

void csv_put(FILE *to, const char *field, size_t position)
{
	size_t n = strlen(field);
	bool quoted = strpbrk(field, "\",") || *field == ' ' ||
		      (n && field[n - 1] == ' ');
	if (position > 0)
		fputc(',', to);
	if (!quoted) {
		fputs(field, to);
		return;
	}
	fputc('"', to);
	for (; *field; field++) {
		if (*field == '"')
			fputc('"', to);
		fputc(*field, to);
	}
	fputc('"', to);
}

void csv_end(FILE *to)
{
	fputs("\r\n", to);
}

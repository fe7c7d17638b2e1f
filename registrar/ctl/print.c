/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as tables and lines for people. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <libsmartcols.h>

#include "registrar/ctl/ctl.h"
#include "registrar/ctl/wrap.h"
#include "registrar/memory.h"

enum { CELL_MAX = 512, PATH_MAX_LEN = 64 };

const char *ctl_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

long long ctl_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

void ctl_set_text(json_t *object, const char *key, const char *text)
{
	if (text && *text)
		json_object_set_new(object, key, json_string(text));
}

int ctl_print_json(const json_t *object)
{
	json_dumpf(object, stdout, JSON_INDENT(2));
	putchar('\n');
	return CTL_OK;
}

/* The member at "a.b", or NULL. */
static const json_t *at(const json_t *object, const char *path)
{
	while (object && *path) {
		char part[PATH_MAX_LEN];
		size_t n = strcspn(path, ".");
		snprintf(part, sizeof(part), "%.*s", (int)n, path);
		object = json_object_get(object, part);
		path += path[n] ? n + 1 : n;
	}
	return object;
}

/* The texts of a list, a space between. */
static void words(const json_t *list, char text[CELL_MAX])
{
	size_t i, n = 0;
	json_t *word;
	json_array_foreach((json_t *)list, i, word)
	{
		const char *one = json_string_value(word);
		if (one && n < CELL_MAX)
			n += (size_t)snprintf(text + n, CELL_MAX - n, "%s%s",
				i ? " " : "", one);
	}
}

static void cell(const json_t *object, const char *path, char text[CELL_MAX])
{
	const json_t *v = at(object, path);
	text[0] = '\0';
	if (json_is_string(v))
		snprintf(text, CELL_MAX, "%s", json_string_value(v));
	else if (json_is_integer(v))
		snprintf(text, CELL_MAX, "%lld",
			(long long)json_integer_value(v));
	else if (json_is_boolean(v))
		snprintf(text, CELL_MAX, "%s", json_is_true(v) ? "yes" : "no");
	else if (json_is_array(v))
		words(v, text);
}

/* Characters, not bytes: what a UTF-8 terminal shows. */
static size_t width_of(const char *text)
{
	size_t n = 0;
	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* ---- colours: of states, where a terminal shows them ---- */

static bool has_colours(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	return isatty(STDOUT_FILENO) && !(no && *no) && term &&
	       strcmp(term, "dumb") != 0;
}

/* NULL: it has none. */
static const char *colour_of(const char *path, const char *text)
{
	static const struct {
		const char *word, *colour;
	} states[] = {
		{"registered", "green"},
		{"installed", "green"},
		{"rejected", "red"},
		{"failed", "red"},
		{"locked-out", "red"},
		{"overload", "red"},
		{"busy", "yellow"},
		{"pending", "yellow"},
		{"stale", "yellow"},
	};
	const char *last = strrchr(path, '.');
	if (strcmp(last ? last + 1 : path, "state") != 0)
		return NULL;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcasecmp(states[i].word, text) == 0)
			return states[i].colour;
	return NULL;
}

/* ---- tables ---- */

/* How many columns have room, each with its title and the first in whole. */
static size_t that_fit(
	const json_t *list, const struct ctl_column *columns, size_t n_columns)
{
	char text[CELL_MAX];
	size_t used = strlen(columns[0].title), i, c;
	json_t *row;
	json_array_foreach((json_t *)list, i, row)
	{
		cell(row, columns[0].path, text);
		if (width_of(text) > used)
			used = width_of(text);
	}
	for (c = 1; c < n_columns; c++) {
		used += 1 + strlen(columns[c].title);
		if (used > wrap_width())
			break;
	}
	return c;
}

/* Fitted into the terminal: all but the first column may be cut. */
static void print_fitted(
	const json_t *list, const struct ctl_column *columns, size_t n_columns)
{
	char text[CELL_MAX];
	size_t i;
	json_t *row;
	bool colours = has_colours();
	n_columns = that_fit(list, columns, n_columns);
	struct libscols_table *t = scols_new_table();
	if (!t)
		abort(); /* law 2: no memory */
	scols_table_set_termwidth(t, wrap_width());
	scols_table_set_termforce(t, SCOLS_TERMFORCE_ALWAYS);
	scols_table_enable_colors(t, colours);
	for (size_t c = 0; c < n_columns; c++)
		scols_table_new_column(
			t, columns[c].title, 0, c ? SCOLS_FL_TRUNC : 0);
	json_array_foreach((json_t *)list, i, row)
	{
		struct libscols_line *line = scols_table_new_line(t, NULL);
		for (size_t c = 0; line && c < n_columns; c++) {
			cell(row, columns[c].path, text);
			scols_line_set_data(line, c, *text ? text : "-");
			if (colours && colour_of(columns[c].path, text))
				scols_cell_set_color(
					scols_line_get_cell(line, c),
					colour_of(columns[c].path, text));
		}
	}
	scols_print_table(t);
	scols_unref_table(t);
}

static void print_cell(const char *text, size_t width, bool last)
{
	fputs(text, stdout);
	for (size_t n = width_of(text); !last && n < width + 2; n++)
		putchar(' ');
}

void ctl_print_table(
	const json_t *list, const struct ctl_column *columns, size_t n_columns)
{
	char text[CELL_MAX];
	if (isatty(STDOUT_FILENO)) {
		print_fitted(list, columns, n_columns);
		return;
	}
	size_t *widths = memory_zero(n_columns * sizeof(*widths));
	size_t i;
	json_t *row;
	for (size_t c = 0; c < n_columns; c++)
		widths[c] = width_of(columns[c].title);
	json_array_foreach((json_t *)list, i, row) for (size_t c = 0;
							c < n_columns; c++)
	{
		cell(row, columns[c].path, text);
		if (width_of(text) > widths[c])
			widths[c] = width_of(text);
	}
	for (size_t c = 0; c < n_columns; c++)
		print_cell(columns[c].title, widths[c], c + 1 == n_columns);
	putchar('\n');
	json_array_foreach((json_t *)list, i, row)
	{
		for (size_t c = 0; c < n_columns; c++) {
			cell(row, columns[c].path, text);
			print_cell(*text ? text : "-", widths[c],
				c + 1 == n_columns);
		}
		putchar('\n');
	}
	free(widths);
}

void ctl_print_fields(const json_t *object, const struct ctl_column *columns,
	size_t n_columns)
{
	char text[CELL_MAX];
	size_t width = 0;
	for (size_t c = 0; c < n_columns; c++)
		if (width_of(columns[c].title) > width)
			width = width_of(columns[c].title);
	for (size_t c = 0; c < n_columns; c++) {
		cell(object, columns[c].path, text);
		if (!*text)
			continue;
		print_cell(columns[c].title, width, false);
		puts(text);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A command line as a table: one row for getopt, help and tests. */
#include "bench/option_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <getopt.h>

enum { HELP_INDENT = 26, COLUMNS = 78 };

/* Index of the argument among the row's words; -1. */
static int find_word(const struct option_row *row, const char *argument)
{
	for (int i = 0; row->words && row->words[i]; i++)
		if (strcmp(row->words[i], argument) == 0)
			return i;
	return -1;
}

static int set_word(const struct option_row *row, int *to, const char *argument,
	struct diag *d)
{
	int i = find_word(row, argument);
	if (i < 0)
		return diag_set(d, -EINVAL, "--%s: '%.80s' is not known: %s",
			row->name, argument, row->help);
	*to = i;
	return 0;
}

static int set_number(const struct option_row *row, int *to,
	const char *argument, struct diag *d)
{
	char *end;
	errno = 0;
	long n = strtol(argument, &end, 10);
	int word = find_word(row, argument);
	if (word >= 0) {
		*to = (int)row->max + 1 + word;
		return 0;
	}
	if (end == argument || *end || errno || n < row->min || n > row->max)
		return diag_set(d, -EINVAL,
			"--%s: '%.80s' is not a number from %ld to %ld%s%s",
			row->name, argument, row->min, row->max,
			row->words ? ", nor " : "",
			row->words ? row->words[0] : "");
	*to = (int)n;
	return 0;
}

static int append(const struct option_row *row, struct option_list *to,
	const char *argument, struct diag *d)
{
	if (to->n == OPTION_LIST_MAX)
		return diag_set(d, -EINVAL, "--%s: given more than %d times",
			row->name, OPTION_LIST_MAX);
	to->text[to->n++] = argument;
	return 0;
}

static int set(
	const struct option_row *row, void *out, char *argument, struct diag *d)
{
	void *field = (char *)out + row->offset;
	switch (row->kind) {
	case OPTION_FLAG:
	case OPTION_HELP:
		*(int *)field = 1;
		return 0;
	case OPTION_TEXT:
		if (!*argument)
			return diag_set(
				d, -EINVAL, "--%s: is empty", row->name);
		*(const char **)field = argument;
		return 0;
	case OPTION_NUMBER:
		return set_number(row, field, argument, d);
	case OPTION_WORD:
		return set_word(row, field, argument, d);
	case OPTION_LIST:
		return append(row, field, argument, d);
	}
	return 0;
}

static void fill(const struct option_table *table,
	struct option out[OPTION_TABLE_MAX + 1])
{
	for (size_t i = 0; i < table->n; i++)
		out[i] = (struct option){
			.name = table->rows[i].name,
			.has_arg = table->rows[i].argument ? required_argument
							   : no_argument,
			.val = 1,
		};
	out[table->n] = (struct option){0};
}

int option_table_parse(const struct option_table *table, int argc, char **argv,
	void *out, struct diag *d)
{
	struct option known[OPTION_TABLE_MAX + 1];
	int found, index = 0;
	if (table->n > OPTION_TABLE_MAX)
		abort();
	fill(table, known);
	optind = 0; /* glibc: start afresh */
	while ((found = getopt_long(argc, argv, ":", known, &index)) != -1) {
		const char *what = argv[optind > 0 ? optind - 1 : 0];
		if (found == ':')
			return diag_set(
				d, -EINVAL, "%.80s: needs an argument", what);
		if (found != 1)
			return diag_set(d, -EINVAL,
				"%.80s: no such option, or not like this",
				what);
		int error = set(&table->rows[index], out, optarg, d);
		if (error || table->rows[index].kind == OPTION_HELP)
			return error;
	}
	if (optind < argc)
		return diag_set(
			d, -EINVAL, "'%.80s' is not an option", argv[optind]);
	return 0;
}

static void join(const struct option_list *list, char *dst, size_t size)
{
	size_t at = 0;
	for (size_t i = 0; i < list->n && at < size; i++)
		at += (size_t)snprintf(dst + at, size - at, "%s%s",
			i ? " " : "", list->text[i]);
}

void option_table_value(const struct option_table *table, size_t i,
	const void *options, char *dst, size_t size)
{
	const struct option_row *row = &table->rows[i];
	const void *field = (const char *)options + row->offset;
	int number = row->kind == OPTION_TEXT || row->kind == OPTION_LIST
			     ? 0
			     : *(const int *)field;
	dst[0] = '\0';
	switch (row->kind) {
	case OPTION_FLAG:
	case OPTION_HELP:
		snprintf(dst, size, "%s", number ? "yes" : "no");
		return;
	case OPTION_TEXT:
		if (*(const char *const *)field)
			snprintf(dst, size, "%s", *(const char *const *)field);
		return;
	case OPTION_NUMBER:
		if (number > row->max)
			snprintf(dst, size, "%s",
				row->words[number - row->max - 1]);
		else if (number >= row->min)
			snprintf(dst, size, "%d", number);
		return;
	case OPTION_WORD:
		if (number >= 0)
			snprintf(dst, size, "%s", row->words[number]);
		return;
	case OPTION_LIST:
		join(field, dst, size);
		return;
	}
}

int option_table_check(
	const struct option_rule *rules, size_t n, struct diag *d)
{
	for (size_t i = 0; i < n; i++)
		if (rules[i].wrong)
			return diag_set(d, -EINVAL, "%s", rules[i].why);
	return 0;
}

void option_table_fold(FILE *to, const char *text)
{
	size_t column = HELP_INDENT;
	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		size_t n = strcspn(text, " ");
		bool first = column == HELP_INDENT;
		if (!first && column + 1 + n > COLUMNS) {
			fprintf(to, "\n%*s", HELP_INDENT, "");
			column = HELP_INDENT;
			first = true;
		}
		column += (size_t)fprintf(
			to, "%s%.*s", first ? "" : " ", (int)n, text);
		text += n;
	}
	fputc('\n', to);
}

void option_table_help(const struct option_table *table, FILE *to)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct option_row *row = &table->rows[i];
		int n = fprintf(to, "  --%s %s", row->name,
			row->argument ? row->argument : "");
		fprintf(to, "%*s", n < HELP_INDENT ? HELP_INDENT - n : 1, "");
		option_table_fold(to, row->help);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A command line as a table: one row for getopt, help and tests. */
#ifndef BENCH_OPTION_TABLE_H
#define BENCH_OPTION_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include "certs/diag.h"

enum option_kind {
	OPTION_FLAG,   /* int, set to 1 */
	OPTION_HELP,   /* likewise; nothing behind it is read */
	OPTION_TEXT,   /* const char *, argv's */
	OPTION_NUMBER, /* int from min to max; words[i] stands for max+1+i */
	OPTION_WORD,   /* int: index in words */
	OPTION_LIST,   /* struct option_list: may be given again */
};

enum { OPTION_LIST_MAX = 16, OPTION_TABLE_MAX = 64 };

struct option_list {
	size_t n;
	const char *text[OPTION_LIST_MAX];
};

struct option_row {
	const char *name;
	const char *argument; /* NULL: FLAG and HELP */
	const char *help;
	enum option_kind kind;
	size_t offset; /* of its field in the struct that is filled in */
	long min, max;
	const char *const *words; /* NULL behind the last, or NULL */
};

/* At most OPTION_TABLE_MAX rows. */
struct option_table {
	const struct option_row *rows;
	size_t n;
};

/* Sets the fields of `out` that are given. 0; -EINVAL with d set: the option,
 * what came, and what it takes. */
int option_table_parse(const struct option_table *table, int argc, char **argv,
	void *out, struct diag *d);
void option_table_help(const struct option_table *table, FILE *to);
/* Prints text in words, folded into the right-hand column of the help. */
void option_table_fold(FILE *to, const char *text);

/* The value of the i-th row in `options` as people write it; "" for a text
 * that is not given. */
void option_table_value(const struct option_table *table, size_t i,
	const void *options, char *dst, size_t size);

/* Options that forbid or need each other: the first wrong rule is told. */
struct option_rule {
	int wrong;
	const char *why;
};
int option_table_check(
	const struct option_rule *rules, size_t n, struct diag *d);

#endif

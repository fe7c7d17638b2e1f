/* SPDX-License-Identifier: Apache-2.0 */
/* One line of progress on a terminal, written over and over. */
#ifndef BENCH_PROGRESS_H
#define BENCH_PROGRESS_H

#include <stdio.h>

#include "bench/storm.h"

/* Fits the line into the terminal behind `to`, so that it never wraps: the
 * figures that matter come first. */
void progress_show(FILE *to, const struct storm *s);
/* Leaves an empty line. */
void progress_clear(FILE *to);
/* The same line, as text of at most `columns` characters. */
void progress_text(
	const struct storm *s, unsigned columns, char *dst, size_t size);

#endif

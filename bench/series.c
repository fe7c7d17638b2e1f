/* SPDX-License-Identifier: Apache-2.0 */
/* What happened over time, in a bounded number of cells of equal length. */
#include "bench/series.h"

static const uint64_t second_ns = 1000000000;

const char *series_count_name(enum series_count count)
{
	static const char *const names[] = {
#define X(symbol, name) name,
		SERIES_COUNT_LIST(X)
#undef X
	};
	return names[count];
}

unsigned series_cell_seconds(const struct series *s)
{
	return s->seconds ? s->seconds : 1;
}

static uint64_t higher(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static struct series_cell sum(struct series_cell a, const struct series_cell *b)
{
	for (int i = 0; i < SERIES_COUNTS; i++)
		a.counts[i] += b->counts[i];
	a.rss = higher(a.rss, b->rss);
	a.held = higher(a.held, b->held);
	return a;
}

static void halve(struct series *s)
{
	const struct series_cell empty = {0};
	for (size_t i = 0; i < SERIES_CELLS; i++)
		s->cells[i] =
			i < SERIES_CELLS / 2
				? sum(s->cells[2 * i], &s->cells[2 * i + 1])
				: empty;
	s->n = (s->n + 1) / 2;
	s->seconds = 2 * series_cell_seconds(s);
}

struct series_cell *series_at(struct series *s, uint64_t ns)
{
	while (ns / second_ns / series_cell_seconds(s) >= SERIES_CELLS)
		halve(s);
	size_t i = (size_t)(ns / second_ns / series_cell_seconds(s));
	if (i >= s->n)
		s->n = i + 1;
	return &s->cells[i];
}

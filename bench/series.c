/* SPDX-License-Identifier: Apache-2.0 */
/* What happened over time, in a bounded number of cells of equal length. */
#include "bench/series.h"

#include <math.h>

#include "bench/histogram.h"

enum { CELL_MS = 1000, NS_PER_MS = 1000000 };

const char *series_count_name(enum series_count count)
{
	static const char *const names[] = {
#define X(symbol, name) name,
		SERIES_COUNT_LIST(X)
#undef X
	};
	return names[count];
}

static unsigned cell_ms(const struct series *s)
{
	return s->cell_ms ? s->cell_ms : CELL_MS;
}

double series_cell_seconds(const struct series *s)
{
	return (double)cell_ms(s) / 1000;
}

static uint64_t higher(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void add(struct series_cell *a, const struct series_cell *b)
{
	for (int i = 0; i < SERIES_COUNTS; i++)
		a->counts[i] += b->counts[i];
	for (int i = 0; i < SERIES_LATENCIES; i++)
		a->latencies[i] += b->latencies[i];
	a->rss = higher(a->rss, b->rss);
	a->held = higher(a->held, b->held);
	a->slowest = higher(a->slowest, b->slowest);
}

static void halve(struct series *s)
{
	for (size_t i = 0; i < SERIES_CELLS / 2; i++) {
		struct series_cell merged = s->cells[2 * i];
		add(&merged, &s->cells[2 * i + 1]);
		s->cells[i] = merged;
	}
	for (size_t i = SERIES_CELLS / 2; i < SERIES_CELLS; i++)
		s->cells[i] = (struct series_cell){0};
	s->n = (s->n + 1) / 2;
	s->cell_ms = 2 * cell_ms(s);
}

struct series_cell *series_at(struct series *s, uint64_t ns)
{
	uint64_t ms = ns / NS_PER_MS;
	while (ms / cell_ms(s) >= SERIES_CELLS)
		halve(s);
	size_t i = (size_t)(ms / cell_ms(s));
	if (i >= s->n)
		s->n = i + 1;
	return &s->cells[i];
}

void series_spread(struct series *s, enum series_count count, uint64_t from_ns,
	uint64_t to_ns, uint64_t amount)
{
	uint64_t at = from_ns, span = to_ns - from_ns;
	series_at(s, to_ns); /* merges now what must be, not in between */
	const uint64_t cell_ns = (uint64_t)cell_ms(s) * NS_PER_MS;
	while (at < to_ns) {
		uint64_t end = (at / cell_ns + 1) * cell_ns;
		if (end > to_ns)
			end = to_ns;
		uint64_t part = (uint64_t)((double)amount * (double)(end - at) /
					   (double)span);
		/* The last piece takes what rounding has left. */
		if (end == to_ns)
			part = amount;
		series_at(s, at)->counts[count] += part;
		amount -= part;
		span -= end - at;
		at = end;
	}
}

void series_level(struct series *s, uint64_t from_ns, uint64_t to_ns,
	uint64_t rss, uint64_t held)
{
	series_at(s, to_ns);
	const uint64_t cell_ns = (uint64_t)cell_ms(s) * NS_PER_MS;
	size_t i = from_ns ? (size_t)(from_ns / cell_ns + 1) : 0;
	size_t last = (size_t)(to_ns / cell_ns);
	for (i = i < last ? i : last; i <= last; i++) {
		s->cells[i].rss = higher(s->cells[i].rss, rss);
		s->cells[i].held = higher(s->cells[i].held, held);
	}
}

void series_latency(struct series_cell *c, uint64_t us)
{
	uint64_t capped = us < SERIES_LATENCY_TOP ? us : SERIES_LATENCY_TOP;
	c->latencies[histogram_bucket(capped, SERIES_LATENCY_BITS)]++;
	c->slowest = higher(c->slowest, us);
}

double series_percentile(const struct series_cell *c, double p)
{
	uint64_t count = 0, seen = 0;
	for (unsigned i = 0; i < SERIES_LATENCIES; i++)
		count += c->latencies[i];
	double rank = fmax(ceil((double)count * p / 100), 1);
	for (unsigned i = 0; i < SERIES_LATENCIES; i++) {
		seen += c->latencies[i];
		if ((double)seen < rank)
			continue;
		return fmin((double)histogram_top(i, SERIES_LATENCY_BITS),
			(double)c->slowest);
	}
	return NAN;
}

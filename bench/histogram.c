/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of times in log-linear buckets: any percentile, bounded error. */
#include "bench/histogram.h"

enum { EXACT_BITS = 7 };

static unsigned bucket_of(uint64_t value)
{
	if (value < HISTOGRAM_EXACT)
		return (unsigned)value;
	if (value > HISTOGRAM_TOP)
		value = HISTOGRAM_TOP;
	unsigned shift = 63 - (unsigned)__builtin_clzll(value) - EXACT_BITS;
	return HISTOGRAM_EXACT * shift + (unsigned)(value >> shift);
}

/* The largest value that falls into the bucket. */
static uint64_t top_of(unsigned bucket)
{
	if (bucket < HISTOGRAM_EXACT)
		return bucket;
	unsigned shift = bucket / HISTOGRAM_EXACT - 1;
	uint64_t head = bucket % HISTOGRAM_EXACT + HISTOGRAM_EXACT;
	return ((head + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t value)
{
	h->buckets[bucket_of(value)]++;
	h->count++;
	if (value > h->max)
		h->max = value;
}

void histogram_merge(struct histogram *h, const struct histogram *from)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		h->buckets[i] += from->buckets[i];
	h->count += from->count;
	if (from->max > h->max)
		h->max = from->max;
}

uint64_t histogram_percentile(const struct histogram *h, double p)
{
	/* A rank is the least integer that is not below p percent. */
	double share = (double)h->count * p / 100;
	uint64_t rank = (uint64_t)share, seen = 0;
	if ((double)rank < share || rank == 0)
		rank++;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->buckets[i];
		if (h->buckets[i] == 0 || seen < rank)
			continue;
		uint64_t top = top_of(i);
		return top < h->max && i < HISTOGRAM_BUCKETS - 1 ? top : h->max;
	}
	return h->max;
}

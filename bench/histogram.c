/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of times in log-linear buckets: any percentile, bounded error. */
#include "bench/histogram.h"

enum { EXACT_BITS = 7 };

unsigned histogram_bucket(uint64_t value, unsigned bits)
{
	if (value >> bits == 0)
		return (unsigned)value;
	unsigned shift = 63 - (unsigned)__builtin_clzll(value) - bits;
	return (1u << bits) * shift + (unsigned)(value >> shift);
}

uint64_t histogram_top(unsigned bucket, unsigned bits)
{
	if (bucket >> bits == 0)
		return bucket;
	unsigned shift = (bucket >> bits) - 1;
	uint64_t head = (bucket & ((1u << bits) - 1)) + (UINT64_C(1) << bits);
	return ((head + 1) << shift) - 1;
}

static unsigned bucket_of(uint64_t value)
{
	return histogram_bucket(
		value < HISTOGRAM_TOP ? value : HISTOGRAM_TOP, EXACT_BITS);
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
		uint64_t top = histogram_top(i, EXACT_BITS);
		return top < h->max && i < HISTOGRAM_BUCKETS - 1 ? top : h->max;
	}
	return h->max;
}

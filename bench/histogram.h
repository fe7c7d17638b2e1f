/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of times in log-linear buckets: any percentile, bounded error. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

/*
 * Values below HISTOGRAM_EXACT are kept as they are; above, a bucket is at
 * most 1/HISTOGRAM_EXACT of its values wide. What is above HISTOGRAM_TOP
 * counts as that; `max` is true for all values. Zeroed is empty.
 */
enum {
	HISTOGRAM_EXACT = 128,
	HISTOGRAM_BITS = 40,
	HISTOGRAM_BUCKETS = HISTOGRAM_EXACT * (HISTOGRAM_BITS - 6)
};
#define HISTOGRAM_TOP ((UINT64_C(1) << HISTOGRAM_BITS) - 1)

struct histogram {
	uint64_t count;
	uint64_t max;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* The bucket of a value, and the largest value in a bucket, when each power
 * of two is cut into 1 << bits of them: for tables of other finenesses. */
unsigned histogram_bucket(uint64_t value, unsigned bits);
uint64_t histogram_top(unsigned bucket, unsigned bits);

void histogram_add(struct histogram *h, uint64_t value);
/* Adds all of `from`. */
void histogram_merge(struct histogram *h, const struct histogram *from);
/* By nearest rank: a value that at least p percent are not above, never below
 * the true one and at most 1/HISTOGRAM_EXACT above it; 0 when empty. */
uint64_t histogram_percentile(const struct histogram *h, double p);

#endif

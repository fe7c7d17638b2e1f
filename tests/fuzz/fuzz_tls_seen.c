/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a watched TLS connection: split as they like, they tell the
 * same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/tls/seen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth)
{
	if (!truth)
		abort();
}

static uint64_t mix(uint64_t sum, const void *data, size_t n)
{
	const uint8_t *p = data;
	for (size_t i = 0; i < n; i++)
		sum = (sum ^ p[i]) * 1099511628211u;
	return sum;
}

/* All that an event says: ASan sees each byte that is no longer there. */
static uint64_t take(uint64_t sum, const struct tls_seen_event *e)
{
	int numbers[] = {(int)e->type, (int)e->from, e->version, e->suite,
		e->resumes, e->level, e->alert};
	check(e->n_suites <= TLS_SEEN_SUITES_MAX);
	sum = mix(sum, numbers, sizeof(numbers));
	sum = mix(sum, e->suites, e->n_suites * sizeof(e->suites[0]));
	sum = mix(sum, e->leaf.p, e->leaf.n);
	return mix(sum, e->issuer.p, e->issuer.n);
}

/* The input: a byte says who speaks and how long, then come the bytes. Each
 * end's events by themselves: the order among the two is the feeds'. */
static void watch(
	const uint8_t *data, size_t size, size_t piece, uint64_t sums[2])
{
	struct tls_seen t;
	struct tls_seen_event e = {0};
	sums[0] = sums[1] = 14695981039346656037u;
	tls_seen_init(&t);
	for (size_t at = 0; at < size;) {
		enum tls_seen_end from =
			data[at] & 1 ? TLS_SEEN_SERVER : TLS_SEEN_CLIENT;
		size_t n = (size_t)(data[at] >> 1) * 4 + 1;
		n = n < size - at - 1 ? n : size - at - 1;
		at++;
		for (size_t done = 0; done < n; done += piece) {
			size_t part = n - done < piece ? n - done : piece;
			tls_seen_feed(&t, from, data + at + done, part);
			while (tls_seen_next(&t, &e))
				sums[e.from] = take(sums[e.from], &e);
		}
		at += n;
	}
	tls_seen_deinit(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t whole[2], bytes[2];
	watch(data, size, TLS_SEEN_FEED_MAX, whole);
	watch(data, size, 1, bytes);
	check(memcmp(whole, bytes, sizeof(whole)) == 0);
	return 0;
}

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

static uint64_t mix(uint64_t sum, int number)
{
	return (sum ^ (uint64_t)number) * 1099511628211u;
}

/* ASan sees each byte that is no longer there. */
static uint64_t mix_slice(uint64_t sum, const struct tls_hello_slice *s)
{
	for (size_t i = 0; i < s->n; i++)
		sum = mix(sum, s->p[i]);
	return mix(sum, -1);
}

/* All that an event says. */
static uint64_t take(uint64_t sum, const struct tls_seen_event *e)
{
	int numbers[] = {(int)e->type, (int)e->from, e->version, e->suite,
		e->resumes, e->level, e->alert};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sum = mix(sum, numbers[i]);
	check(e->n_suites <= TLS_SEEN_SUITES_MAX);
	for (size_t i = 0; i < e->n_suites; i++)
		sum = mix(sum, e->suites[i]);
	return mix_slice(mix_slice(sum, &e->leaf), &e->issuer);
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

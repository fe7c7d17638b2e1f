/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses that phones call from, spread over a range of IPv4. */
#ifndef BENCH_SOURCES_H
#define BENCH_SOURCES_H

#include <stdint.h>

#include <netinet/in.h>

#include "bench/target.h"

/* n addresses, evenly over the range, its first and last one left out. */
struct sources {
	uint32_t first; /* host order; the first phone's */
	uint32_t step;
	unsigned n; /* 0: the kernel chooses */
};

/* `range` is "127.1.0.0/16": an address and its prefix, 8 to 30 bits.
 * LOOPBACK_ONLY refuses what is not within 127.0.0.0/8. 0; -EINVAL or -EPERM
 * with d set, which speaks of --from and --sources. */
int sources_parse(const char *range, unsigned n, enum target_reach reach,
	struct sources *out, struct diag *d);
/* Of the i-th phone, with port 0. n must not be 0. */
void sources_at(
	const struct sources *s, unsigned i, struct sockaddr_in *address);

#endif

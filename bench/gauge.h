/* SPDX-License-Identifier: Apache-2.0 */
/* What the server and this program use while a storm blows, into its tally. */
#ifndef BENCH_GAUGE_H
#define BENCH_GAUGE_H

#include <stdint.h>

#include "bench/tally.h"
#include "bench/watch.h"

struct gauge {
	struct watch watch;
	uint64_t own_from_ns; /* CPU of this program when the storm began */
	uint64_t own_ns;      /* at the last look */
	uint64_t looked_ns;   /* when that was, since the storm began */
	uint64_t from_ns;     /* CPU of the server when the storm began */
	uint64_t server_ns;
	/* What it uses counts for arriving, for staying, or for nothing. */
	enum { GAUGE_STORM, GAUGE_HOLD, GAUGE_OVER } part;
};

/* The storm begins now; g->watch is initialised. */
void gauge_begin(struct gauge *g, struct tally *t);
/* What was used since the last look goes to the cells since then; so does
 * how many phones are held now. */
void gauge_look(
	struct gauge *g, struct tally *t, uint64_t passed_ns, uint64_t held);
/* CPU that this program has used since gauge_begin(). */
double gauge_own_s(const struct gauge *g);

#endif

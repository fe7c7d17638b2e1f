/* SPDX-License-Identifier: Apache-2.0 */
/* How many phones may be on their way before this program chokes on them. */
#include "bench/gate.h"

#include <limits.h>

enum { WINDOW_MIN = 32, LATE_MS = 500, EASY_MS = 100, NS_PER_MS = 1000000 };

static unsigned window(const struct gate *g)
{
	return g->window ? g->window : UINT_MAX;
}

bool gate_room(const struct gate *g)
{
	return g->busy < window(g);
}

void gate_turn(struct gate *g, uint64_t now_ns)
{
	uint64_t took_ms = g->last_ns ? (now_ns - g->last_ns) / NS_PER_MS : 0;
	g->last_ns = now_ns;
	if (took_ms >= LATE_MS) {
		unsigned inside = g->busy < window(g) ? g->busy : window(g);
		g->window = inside / 2 > WINDOW_MIN ? inside / 2 : WINDOW_MIN;
	} else if (took_ms < EASY_MS && window(g) < UINT_MAX) {
		g->window++;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* How many of CAPF's records stand how, for who asks again and again. */
#include "registrar/capf/counts.h"

#include <time.h>

enum { WORTH = 50 };

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void capf_counts_init(struct capf_counts *c)
{
	*c = (struct capf_counts){.until = 0};
	pthread_mutex_init(&c->lock, NULL);
}

void capf_counts_deinit(struct capf_counts *c)
{
	pthread_mutex_destroy(&c->lock);
}

struct capf_store_counts capf_counts_look(
	struct capf_counts *c, struct capf_desk *desk)
{
	pthread_mutex_lock(&c->lock);
	if (seconds() >= c->until) {
		struct capf_store *store = capf_desk_look(desk);
		double began = seconds();
		if (capf_store_count(store, &c->last, NULL) < 0)
			c->last = (struct capf_store_counts){.audit = 0};
		capf_desk_looked(desk);
		double ended = seconds();
		c->until = ended + (ended - began) * WORTH;
	}
	struct capf_store_counts counts = c->last;
	pthread_mutex_unlock(&c->lock);
	return counts;
}

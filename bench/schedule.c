/* SPDX-License-Identifier: Apache-2.0 */
/* When phones come: a rate, a ramp or a burst, fixed before anybody answers. */
#include "bench/schedule.h"

#include <math.h>

enum { BACKOFF_MS = 1000, BACKOFF_MAX_MS = 60000 };

static const double second_ns = 1e9;

/* Arrivals within the ramp: the area of its triangle. */
static uint64_t in_ramp(const struct schedule *s)
{
	return (uint64_t)((double)s->rate * (double)s->ramp_ns / 2 / second_ns);
}

void schedule_steady(struct schedule *s, uint32_t rate, uint32_t ramp_s,
	uint32_t seconds, uint64_t most)
{
	if (ramp_s > seconds)
		ramp_s = seconds;
	*s = (struct schedule){
		.shape = SCHEDULE_STEADY,
		.rate = rate,
		.ramp_ns = (uint64_t)(ramp_s * second_ns),
	};
	s->arrivals = in_ramp(s) + (uint64_t)rate * (seconds - ramp_s);
	if (s->arrivals > most)
		s->arrivals = most;
}

void schedule_burst(
	struct schedule *s, uint64_t size, uint32_t every_s, uint32_t seconds)
{
	uint64_t times = 1;
	if (every_s > 0 && seconds > 0)
		times = (seconds - 1) / every_s + 1;
	*s = (struct schedule){
		.shape = SCHEDULE_BURST,
		.size = size,
		.every_ns = (uint64_t)(every_s * second_ns),
		.arrivals = size * times,
	};
}

uint64_t schedule_at(const struct schedule *s, uint64_t i)
{
	if (s->shape == SCHEDULE_BURST)
		return i / s->size * s->every_ns;
	uint64_t ramp = in_ramp(s);
	if (i < ramp)
		return (uint64_t)sqrt(2 * second_ns * (double)s->ramp_ns *
				      (double)i / s->rate);
	return s->ramp_ns +
	       (uint64_t)((double)(i - ramp) * second_ns / s->rate);
}

uint64_t schedule_due(const struct schedule *s, uint64_t ns)
{
	/* schedule_at() never falls: the first that is not due. */
	uint64_t low = 0, high = s->arrivals;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if (schedule_at(s, middle) <= ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t schedule_backoff_ms(unsigned n, uint64_t random)
{
	uint32_t whole = BACKOFF_MAX_MS;
	if (n < 6)
		whole = (uint32_t)BACKOFF_MS << n;
	if (whole > BACKOFF_MAX_MS)
		whole = BACKOFF_MAX_MS;
	return whole / 2 + (uint32_t)(random % (whole / 2 + 1));
}

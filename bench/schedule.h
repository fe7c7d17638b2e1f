/* SPDX-License-Identifier: Apache-2.0 */
/* When phones come: a rate, a ramp or a burst, fixed before anybody answers. */
#ifndef BENCH_SCHEDULE_H
#define BENCH_SCHEDULE_H

#include <stdint.h>

/*
 * Arrivals are numbered from 0. BURST: `size` at once, and again each
 * `every_ns`. STEADY: 1/rate apart.
 * Within the ramp the rate grows evenly from nothing to `rate`. Their times
 * do not depend on how fast the server or this program is: a latency counted
 * from them hides no waiting (no coordinated omission).
 */
enum schedule_shape { SCHEDULE_STEADY, SCHEDULE_BURST };

struct schedule {
	enum schedule_shape shape;
	uint32_t rate; /* per second; not 0 unless BURST */
	uint64_t ramp_ns;
	uint64_t size; /* of a burst; not 0 */
	uint64_t every_ns;
	uint64_t arrivals; /* in all */
};

/* STEADY: as many arrivals as `seconds` hold, the ramp included, at most
 * `most`. */
void schedule_steady(struct schedule *s, uint32_t rate, uint32_t ramp_s,
	uint32_t seconds, uint64_t most);
/* BURST: at 0 and then every so many seconds, as often as `seconds` hold;
 * every_s 0: once. */
void schedule_burst(
	struct schedule *s, uint64_t size, uint32_t every_s, uint32_t seconds);
/* When the i-th is due, in ns since the start. */
uint64_t schedule_at(const struct schedule *s, uint64_t i);
/* How many are due when ns have passed: those with schedule_at() <= ns. */
uint64_t schedule_due(const struct schedule *s, uint64_t ns);

/* How long a phone waits before its n-th retry (from 0): 1 s, doubled up to
 * 60 s, half of it fixed and half by chance (`random`: any number), so that a
 * refused storm does not come back as one. */
uint32_t schedule_backoff_ms(unsigned n, uint64_t random);

#endif

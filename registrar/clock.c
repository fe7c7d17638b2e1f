/* SPDX-License-Identifier: Apache-2.0 */
/* The moment that engines are handed, cheap enough for every message. */
#include "registrar/clock.h"

#include <time.h>

enum { QUARTER_S = 900 };

struct moment clock_moment(struct clock *c, uint64_t mono_ms)
{
	struct timespec wall;
	clock_gettime(CLOCK_REALTIME, &wall);
	if (c->quarter != wall.tv_sec / QUARTER_S) {
		struct tm local;
		localtime_r(&wall.tv_sec, &local);
		c->quarter = wall.tv_sec / QUARTER_S;
		c->utc_offset_s = (int32_t)local.tm_gmtoff;
	}
	return (struct moment){
		.mono_ms = mono_ms,
		.unix_ms = wall.tv_sec * 1000 + wall.tv_nsec / 1000000,
		.utc_offset_s = c->utc_offset_s,
	};
}

uint64_t clock_cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The moment that engines are handed, cheap enough for every message. */
#ifndef REGISTRAR_CLOCK_H
#define REGISTRAR_CLOCK_H

#include <stdint.h>

#include "protocols/moment.h"

/* What one thread remembers of the time zone; zeroed knows nothing yet. */
struct clock {
	int64_t quarter; /* of an hour since 1970, that the offset is of */
	int32_t utc_offset_s;
};

/* mono_ms: the loop's. The UTC offset is asked for every quarter of an hour,
 * which is when time zones change theirs. */
struct moment clock_moment(struct clock *c, uint64_t mono_ms);

/* Of this thread, in processor time: what others take is not our doing. */
uint64_t clock_cpu_ns(void);

#endif

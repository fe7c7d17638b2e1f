/* SPDX-License-Identifier: Apache-2.0 */
/* A point in time, handed to engines by whoever owns a clock. */
#ifndef PROTOCOLS_MOMENT_H
#define PROTOCOLS_MOMENT_H

#include <stdint.h>

/* "no deadline": what an engine's deadline() answers when nothing is due. */
#define MOMENT_NEVER UINT64_MAX

struct moment {
	uint64_t mono_ms;     /* monotonic: deadlines are counted in this */
	int64_t unix_ms;      /* wall clock, milliseconds since 1970, UTC */
	int32_t utc_offset_s; /* local time minus UTC, seconds */
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* How long a worker's loop works before it looks at its sockets again. */
#ifndef REGISTRAR_LAG_H
#define REGISTRAR_LAG_H

#include <uv.h>

#include "registrar/meters.h"

/* What comes in meanwhile waits for it: timers, orders and sockets alike. */
struct lag {
	uv_check_t after;    /* the loop has looked */
	uv_prepare_t before; /* it is about to */
	struct meters *meters;
	uint64_t looked_ms; /* the loop's time; 0: not yet */
};

/* From now on each turn of the loop is in METERS_TURN. */
void lag_begin(struct lag *lag, uv_loop_t *loop, struct meters *meters);
void lag_end(struct lag *lag);

#endif

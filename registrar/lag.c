/* SPDX-License-Identifier: Apache-2.0 */
/* How long a worker's loop works before it looks at its sockets again. */
#include "registrar/lag.h"

/* The loop read the clock when it had looked, before it called anybody. */
static void on_looked(uv_check_t *after)
{
	struct lag *lag = after->data;
	lag->looked_ms = uv_now(after->loop);
}

/* Connections are closed and timers run between the two, too. */
static void on_before(uv_prepare_t *before)
{
	struct lag *lag = before->data;
	if (lag->looked_ms)
		meters_turned(lag->meters, lag->looked_ms);
}

void lag_begin(struct lag *lag, uv_loop_t *loop, struct meters *meters)
{
	lag->meters = meters;
	uv_check_init(loop, &lag->after);
	uv_prepare_init(loop, &lag->before);
	lag->after.data = lag;
	lag->before.data = lag;
	uv_check_start(&lag->after, on_looked);
	uv_prepare_start(&lag->before, on_before);
}

void lag_end(struct lag *lag)
{
	uv_close((uv_handle_t *)&lag->after, NULL);
	uv_close((uv_handle_t *)&lag->before, NULL);
}

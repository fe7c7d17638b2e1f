/* SPDX-License-Identifier: Apache-2.0 */
/* SIGINT and SIGTERM end a program in order instead of at once. */
#include "bench/interrupt.h"

#include <signal.h>

static void on_signal(uv_signal_t *handle, int number)
{
	struct interrupt *i = handle->data;
	i->stop(i->owner);
}

static void watch(
	struct interrupt *i, uv_loop_t *loop, uv_signal_t *handle, int number)
{
	uv_signal_init(loop, handle);
	handle->data = i;
	uv_signal_start(handle, on_signal, number);
	/* The loop lives as long as its phones. */
	uv_unref((uv_handle_t *)handle);
}

void interrupt_open(struct interrupt *i, uv_loop_t *loop,
	void (*stop)(void *owner), void *owner)
{
	i->stop = stop;
	i->owner = owner;
	signal(SIGPIPE, SIG_IGN);
	watch(i, loop, &i->interrupted, SIGINT);
	watch(i, loop, &i->terminated, SIGTERM);
}

void interrupt_close(struct interrupt *i)
{
	uv_close((uv_handle_t *)&i->interrupted, NULL);
	uv_close((uv_handle_t *)&i->terminated, NULL);
}

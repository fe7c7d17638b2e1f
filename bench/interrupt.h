/* SPDX-License-Identifier: Apache-2.0 */
/* SIGINT and SIGTERM end a program in order instead of at once. */
#ifndef BENCH_INTERRUPT_H
#define BENCH_INTERRUPT_H

#include <uv.h>

struct interrupt {
	uv_signal_t interrupted;
	uv_signal_t terminated;
	void (*stop)(void *owner);
	void *owner;
};

/* Does not keep the loop alive. Ignores SIGPIPE, too. */
void interrupt_open(struct interrupt *i, uv_loop_t *loop,
	void (*stop)(void *owner), void *owner);
/* The memory is needed until the loop has run once more. */
void interrupt_close(struct interrupt *i);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A command of the tester's, run once in mid-storm. */
#ifndef BENCH_RESTART_H
#define BENCH_RESTART_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

struct restart {
	const char *command; /* for sh -c; NULL: nothing to run */
	uv_process_t process;
	bool open; /* process is */
	/* It is about to run; it has ended with this exit code, 128 + the
	 * signal that ended it, or -1 when it could not be run. */
	void (*on_begin)(void *owner);
	void (*on_end)(void *owner, int code);
	void *owner;
};

/* Runs it, in a session of its own and with /dev/null for its input and
 * output: a server that it leaves in the background is not ours, and holds
 * no pipe of ours open. */
void restart_run(struct restart *r, uv_loop_t *loop);
/* Waits for it no longer. */
void restart_close(struct restart *r);

#endif

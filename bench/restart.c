/* SPDX-License-Identifier: Apache-2.0 */
/* A command of the tester's, run once in mid-storm. */
#include "bench/restart.h"

enum { SIGNALLED = 128 };

static void on_exit(uv_process_t *process, int64_t status, int signal)
{
	struct restart *r = process->data;
	r->on_end(r->owner, signal ? SIGNALLED + signal : (int)status);
}

void restart_run(struct restart *r, uv_loop_t *loop)
{
	char shell[] = "/bin/sh", option[] = "-c";
	char *words[] = {shell, option, (char *)r->command, NULL};
	const uv_process_options_t options = {
		.file = shell,
		.args = words,
		.exit_cb = on_exit,
		.flags = UV_PROCESS_DETACHED,
		.stdio_count = 0, /* libuv opens /dev/null for 0, 1 and 2 */
	};
	r->on_begin(r->owner);
	r->process.data = r;
	r->open = true; /* also a handle that could not be spawned */
	if (uv_spawn(loop, &r->process, &options) < 0)
		r->on_end(r->owner, -1);
	else
		uv_unref((uv_handle_t *)&r->process);
}

void restart_close(struct restart *r)
{
	if (r->open)
		uv_close((uv_handle_t *)&r->process, NULL);
	r->open = false;
}

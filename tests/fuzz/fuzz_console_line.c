/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a line of a phone's log: what is captured lies in it. */
#include <stdint.h>
#include <stdlib.h>

#include "protocols/console/line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth)
{
	if (!truth)
		abort();
}

static void check_inside(struct console_text t, const char *line, size_t n)
{
	check(!t.n || (t.p >= line && t.p + t.n <= line + n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct console_line line;
	const char *text = (const char *)data;
	console_line_read(text, size, &line);
	check_inside(line.number, text, size);
	check_inside(line.time, text, size);
	check_inside(line.task, text, size);
	check_inside(line.user, text, size);
	check_inside(line.ciphers, text, size);
	check_inside(line.address, text, size);
	check(line.event != CONSOLE_NO_LSC || line.task.n);
	check(line.event != CONSOLE_ALERT ||
		line.direction.n + line.level.n + line.text.n <= size + 16);
	return 0;
}

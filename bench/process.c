/* SPDX-License-Identifier: Apache-2.0 */
/* What a process on this machine has used: CPU time and memory. */
#include "bench/process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t = {0};
	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int process_use(pid_t pid, struct process_use *out)
{
	char path[64];
	char text[128] = "";
	clockid_t clock;
	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	FILE *f = fopen(path, "re");
	if (!f)
		return -ESRCH;
	const char *line = fgets(text, sizeof(text), f);
	fclose(f);
	const char *second = line ? strchr(line, ' ') : NULL;
	uint64_t pages = second ? strtoull(second, NULL, 10) : 0;
	/* A zombie still has a clock, but no memory. */
	if (pages == 0 || clock_getcpuclockid(pid, &clock) != 0)
		return -ESRCH;
	out->rss = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	out->cpu_ns = clock_ns(clock);
	return 0;
}

uint64_t process_own_cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a process on this machine has used: CPU time and memory. */
#include "bench/process.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
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
	uint64_t pages;
	clockid_t clock;
	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	FILE *f = fopen(path, "re");
	if (!f)
		return -ESRCH;
	int found = fscanf(f, "%*u %" SCNu64, &pages);
	fclose(f);
	/* A zombie still has a clock, but no memory. */
	if (found != 1 || pages == 0 || clock_getcpuclockid(pid, &clock) != 0)
		return -ESRCH;
	out->rss = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	out->cpu_ns = clock_ns(clock);
	return 0;
}

uint64_t process_own_cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

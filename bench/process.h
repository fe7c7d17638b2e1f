/* SPDX-License-Identifier: Apache-2.0 */
/* What a process on this machine and its children use: CPU and memory. */
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

#include <stdint.h>

#include <sys/types.h>

struct process_use {
	uint64_t cpu_ns; /* all threads, ended ones included */
	uint64_t own_ns; /* of that, the process without its children */
	uint64_t rss;	 /* bytes */
};

enum { PROCESS_FAMILY_MAX = 64 };

/* Of the process and all that descend from it, as they are now: a server may
 * be many. CPU from their own clocks, exact to the nanosecond where
 * /proc/PID/stat counts in ticks; memory from /proc/PID/statm, what they
 * share counted in each. 0; -ESRCH when there is no such process (any more).
 */
int process_use(pid_t pid, struct process_use *out);
/* CPU time of this process. */
uint64_t process_own_cpu_ns(void);

#endif

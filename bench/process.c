/* SPDX-License-Identifier: Apache-2.0 */
/* What a process on this machine and its children use: CPU and memory. */
#include "bench/process.h"

#include <dirent.h>
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

static int use_one(pid_t pid, struct process_use *out)
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
	out->rss += pages * (uint64_t)sysconf(_SC_PAGESIZE);
	out->cpu_ns += clock_ns(clock);
	return 0;
}

/* A process and what it has forked, the ancestors first. */
struct family {
	pid_t pid[PROCESS_FAMILY_MAX];
	size_t n;
};

static void add_children(struct family *all, pid_t pid, const char *thread)
{
	char path[300];
	char text[PROCESS_FAMILY_MAX * 12] = "";
	snprintf(path, sizeof(path), "/proc/%d/task/%.200s/children", (int)pid,
		thread);
	FILE *f = fopen(path, "re");
	if (!f)
		return;
	const char *rest = fgets(text, sizeof(text), f);
	fclose(f);
	while (rest && all->n < PROCESS_FAMILY_MAX) {
		char *end;
		long child = strtol(rest, &end, 10);
		if (end == rest)
			return;
		all->pid[all->n++] = (pid_t)child;
		rest = end;
	}
}

static void find_family(struct family *all, pid_t pid)
{
	all->pid[0] = pid;
	all->n = 1;
	for (size_t i = 0; i < all->n; i++) {
		char path[64];
		snprintf(path, sizeof(path), "/proc/%d/task", (int)all->pid[i]);
		DIR *threads = opendir(path);
		if (!threads)
			continue;
		const struct dirent *thread;
		while ((thread = readdir(threads)))
			if (thread->d_name[0] != '.')
				add_children(all, all->pid[i], thread->d_name);
		closedir(threads);
	}
}

int process_use(pid_t pid, struct process_use *out)
{
	struct family all;
	*out = (struct process_use){0};
	find_family(&all, pid);
	int error = use_one(pid, out);
	out->own_ns = out->cpu_ns;
	for (size_t i = 1; i < all.n && !error; i++)
		use_one(all.pid[i], out); /* may have ended meanwhile */
	return error;
}

uint64_t process_own_cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

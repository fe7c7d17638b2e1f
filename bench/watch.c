/* SPDX-License-Identifier: Apache-2.0 */
/* One server over all its incarnations: what they have used together. */
#include "bench/watch.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/process.h"

enum { PID_MAX = 1 << 22, DIGITS_MAX = 16 };

void watch_init(struct watch *w, pid_t pid, const char *file)
{
	*w = (struct watch){.pid = pid, .file = file};
}

bool watch_on(const struct watch *w)
{
	return w->pid > 0 || w->file;
}

/* The number in the file; 0: half written, or not there. */
static pid_t read_pid(const char *path)
{
	char text[DIGITS_MAX] = "";
	FILE *f = fopen(path, "re");
	if (!f)
		return 0;
	const char *line = fgets(text, sizeof(text), f);
	fclose(f);
	long pid = line ? strtol(line, NULL, 10) : 0;
	return pid > 0 && pid <= PID_MAX ? (pid_t)pid : 0;
}

static void follow(struct watch *w, pid_t pid, const struct process_use *now)
{
	/* A clock that runs backwards is another process of that number. */
	if (w->lives == 0 || pid != w->pid || now->own_ns < w->own_ns) {
		w->lives++;
		w->past_ns += w->last_ns;
		w->pid = pid;
	} else if (now->cpu_ns < w->last_ns) {
		w->past_ns += w->last_ns - now->cpu_ns;
	}
	w->last_ns = now->cpu_ns;
	w->own_ns = now->own_ns;
}

void watch_look(struct watch *w, struct watch_use *use)
{
	struct process_use now = {0};
	pid_t pid = w->file ? read_pid(w->file) : w->pid;
	bool there = pid > 0 && process_use(pid, &now) == 0;
	/* Their time together can only shrink if one of many has ended. */
	if (!w->file && now.cpu_ns < w->last_ns)
		there = false;
	if (there)
		follow(w, pid, &now);
	*use = (struct watch_use){
		.there = there,
		.cpu_ns = w->past_ns + w->last_ns,
		.rss = there ? now.rss : 0,
	};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One server over all its incarnations: what they have used together. */
#ifndef BENCH_WATCH_H
#define BENCH_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <sys/types.h>

/* Zeroed watches nothing. */
struct watch {
	pid_t pid;	  /* 0: none known */
	const char *file; /* holds its number, read at each look; or NULL */
	unsigned lives;	  /* processes seen so far */
	uint64_t past_ns; /* CPU of those before this one, as last seen */
	uint64_t last_ns; /* CPU of this one and its children, as last seen */
	uint64_t own_ns;  /* of that, without its children */
};

struct watch_use {
	bool there;	 /* it is whole; with a file: there is a process */
	uint64_t cpu_ns; /* never falls; its first process's from its birth */
	uint64_t rss;	 /* bytes; 0 when not there */
};

/* At most one of pid and file; the file need not be there yet. */
void watch_init(struct watch *w, pid_t pid, const char *file);
bool watch_on(const struct watch *w);
/* What dies between two looks takes along what it used since the first: with
 * a file that is let pass, without one the server is not there any more. */
void watch_look(struct watch *w, struct watch_use *use);

#endif

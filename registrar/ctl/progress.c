/* SPDX-License-Identifier: Apache-2.0 */
/* A bar on stderr for work that takes a while, when a terminal watches. */
#include "registrar/ctl/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { MOMENT_MS = 400, CELLS = 30 };

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool progress_is_watched(void)
{
	return isatty(STDERR_FILENO);
}

void progress_begin(struct progress *p)
{
	*p = (struct progress){.began_ms = now_ms()};
}

static void draw(double share)
{
	int full = (int)(share * CELLS);
	fputs(" [", stderr);
	for (int i = 0; i < CELLS; i++)
		fputc(i < full ? '#' : ' ', stderr);
	fprintf(stderr, "] %3.0f %%", share * 100);
}

void progress_show(
	struct progress *p, const char *what, double done, double all)
{
	int64_t for_ms = now_ms() - p->began_ms;
	if (for_ms < MOMENT_MS)
		return;
	p->shown = true;
	fprintf(stderr, "\r\033[K%s", what);
	if (all > 0)
		draw(done < all ? done / all : 1);
	fprintf(stderr, " %lld s", (long long)for_ms / 1000);
	fflush(stderr);
}

void progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that writes behind: what came within a second, or a batch of it. */
#include "registrar/behind.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "registrar/memory.h"

enum { GATHER_S = 1 };

struct behind {
	void (*write)(void *self);
	void *self;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;
	bool news, batch, stopping;
	pthread_t thread;
};

/* Waits until there is a batch, or something and a second has passed. */
static bool wait_for_news(struct behind *b)
{
	struct timespec until;
	pthread_mutex_lock(&b->lock);
	while (!b->news && !b->batch && !b->stopping)
		pthread_cond_wait(&b->wake, &b->lock);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += GATHER_S;
	while (!b->batch && !b->stopping &&
		pthread_cond_timedwait(&b->wake, &b->lock, &until) == 0)
		;
	b->news = b->batch = false;
	bool stopping = b->stopping;
	pthread_mutex_unlock(&b->lock);
	return !stopping;
}

static void *run(void *self)
{
	struct behind *b = self;
	bool more;
	do {
		more = wait_for_news(b);
		b->write(b->self);
	} while (more);
	return NULL;
}

static void destroy(struct behind *b)
{
	pthread_mutex_destroy(&b->lock);
	pthread_cond_destroy(&b->wake);
	free(b);
}

int behind_start(void (*write)(void *self), void *self, const char *what,
	struct behind **out, struct diag *d)
{
	struct behind *b = memory_zero(sizeof(*b));
	pthread_condattr_t monotonic;
	sigset_t all, before;
	b->write = write;
	b->self = self;
	pthread_mutex_init(&b->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&b->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	sigfillset(&all); /* signals are the main loop's */
	pthread_sigmask(SIG_BLOCK, &all, &before);
	int error = pthread_create(&b->thread, NULL, run, b);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	*out = error ? NULL : b;
	if (!error)
		return 0;
	destroy(b);
	return diag_set(d, -error, "cannot start the thread that writes %s: %s",
		what, strerror(error));
}

void behind_stop(struct behind *b)
{
	if (!b)
		return;
	pthread_mutex_lock(&b->lock);
	b->stopping = true;
	pthread_mutex_unlock(&b->lock);
	pthread_cond_signal(&b->wake);
	pthread_join(b->thread, NULL);
	destroy(b);
}

static void tell(struct behind *b, bool *what)
{
	pthread_mutex_lock(&b->lock);
	*what = true;
	pthread_mutex_unlock(&b->lock);
	pthread_cond_signal(&b->wake);
}

void behind_news(struct behind *b)
{
	tell(b, &b->news);
}

void behind_batch(struct behind *b)
{
	tell(b, &b->batch);
}

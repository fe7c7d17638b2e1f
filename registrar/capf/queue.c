/* SPDX-License-Identifier: Apache-2.0 */
/* The desk's thread: all that waits is decided in one transaction. */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "registrar/capf/desk_inside.h"

enum {
	/* Signing takes milliseconds: so many keep the first of them, and an
	 * admin's order, waiting for a fraction of a second. */
	BATCH = 64,
};

/* What the thread took from the queue at once. */
struct batch {
	struct capf_visit *visits[BATCH];
	size_t n;
	struct desk_seen seen[DESK_SEEN_MAX];
	bool tell[DESK_SEEN_MAX]; /* that one is to be reset */
	size_t n_seen;
	bool forget; /* devices have left the inventory */
};

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_idle(const struct capf_desk *desk)
{
	return !desk->first && !desk->n_seen && !desk->forget;
}

static void take_visits(struct capf_desk *desk, struct batch *b)
{
	for (b->n = 0; b->n < BATCH && desk->first; b->n++) {
		struct capf_visit *v = desk->first;
		desk->first = v->next;
		b->visits[b->n] = v;
		v->taken = v->news;
		v->news = (struct visit_news){.said = NULL};
		v->waiting = false;
	}
	if (!desk->first)
		desk->end = &desk->first;
	desk->state.waiting -= b->n;
}

/* Until there is news, or it is time to tend. */
static void wait_for_news(struct capf_desk *desk)
{
	struct timespec until;
	if (!desk->world.tend_ms) {
		pthread_cond_wait(&desk->news, &desk->lock);
		return;
	}
	until.tv_sec = (time_t)(desk->tend_at_ms / 1000);
	until.tv_nsec = (long)(desk->tend_at_ms % 1000) * 1000000;
	pthread_cond_timedwait(&desk->news, &desk->lock, &until);
}

static bool is_time(const struct capf_desk *desk)
{
	return desk->world.tend_ms && now_ms() >= desk->tend_at_ms;
}

/* Waits for something; false: there is nothing more to come. */
static bool take(struct capf_desk *desk, struct batch *b)
{
	pthread_mutex_lock(&desk->lock);
	while (is_idle(desk) && !desk->stopping && !is_time(desk))
		wait_for_news(desk);
	bool more = !is_idle(desk) || !desk->stopping;
	take_visits(desk, b);
	b->n_seen = desk->n_seen;
	memcpy(b->seen, desk->seen, desk->n_seen * sizeof(desk->seen[0]));
	desk->n_seen = 0;
	b->forget = desk->forget != NULL;
	pthread_mutex_unlock(&desk->lock);
	return more;
}

/* What cannot be done for one visit alone is undone to the mark; a disk that
 * fails fails for the whole batch. */
static int decide(struct capf_desk *desk, struct capf_visit *v, struct diag *d)
{
	size_t notes;
	int error = capf_desk_mark(desk, &notes, d);
	if (error == 0)
		error = capf_decide(v, d);
	if (error != -EINVAL)
		return error;
	capf_desk_back_to_mark(desk, notes);
	capf_visit_end(v, CAPF_REASON_DECLINED, CAPF_WHY_NOT_WRITTEN, d->text);
	return 0;
}

static int look_at(struct capf_desk *desk, const struct desk_seen *seen,
	bool *tell, struct diag *d)
{
	int error = capf_used(desk, seen->sha256, d);
	return error ? error : capf_tend_back(desk, seen->device, tell, d);
}

static int write_batch(struct capf_desk *desk, struct batch *b, struct diag *d)
{
	int error = capf_desk_begin(desk, d);
	if (error < 0)
		return error;
	for (size_t i = 0; i < b->n && error == 0; i++)
		error = decide(desk, b->visits[i], d);
	for (size_t i = 0; i < b->n_seen && error == 0; i++)
		error = look_at(desk, &b->seen[i], &b->tell[i], d);
	if (error == 0)
		return capf_desk_commit(desk, d);
	capf_desk_fail(desk, d);
	return error;
}

/* Nothing of the batch is on the disk, so nobody hears anything else. */
static void decline(const struct batch *b, const struct diag *d)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->visits[i]->taken.said || b->visits[i]->taken.reply)
			capf_visit_end(b->visits[i], CAPF_REASON_DECLINED,
				CAPF_WHY_NOT_WRITTEN, d->text);
}

/* What depends on the disk may happen now. Who has left, and is not waited
 * for by the CA outside, is left over in the batch. */
static void settle(struct batch *b)
{
	size_t n = 0;
	for (size_t i = 0; i < b->n; i++) {
		struct capf_visit *v = b->visits[i];
		v->gone |= v->taken.left;
		v->asking &= !v->taken.reply;
		capf_visit_drop_news(&v->taken);
		if (v->asks)
			capf_outside_begin(v);
		if (!v->gone || v->asking)
			continue;
		capf_visit_forget(v);
		v->desk->unattended -= v->unattended;
		b->visits[n++] = v;
	}
	b->n = n;
}

static void serve(struct capf_desk *desk, struct batch *b)
{
	struct diag d;
	capf_desk_enter(desk);
	int error = write_batch(desk, b, &d);
	if (error < 0)
		decline(b, &d);
	settle(b);
	capf_desk_leave(desk);
	for (size_t i = 0; i < b->n; i++)
		capf_visit_free(b->visits[i]);
	for (size_t i = 0; i < b->n_seen && error == 0; i++)
		if (b->tell[i])
			desk->world.reset(desk->world.self, b->seen[i].device);
}

static void *run(void *self)
{
	struct capf_desk *desk = self;
	static _Thread_local struct batch b;
	while (take(desk, &b)) {
		if (b.n || b.n_seen || b.forget)
			serve(desk, &b);
		if (!is_time(desk))
			continue;
		capf_desk_tend(desk);
		desk->tend_at_ms = now_ms() + desk->world.tend_ms;
	}
	return NULL;
}

int capf_queue_start(struct capf_desk *desk, struct diag *d)
{
	sigset_t all, before;
	sigfillset(&all); /* signals are the main loop's */
	pthread_sigmask(SIG_BLOCK, &all, &before);
	int error = pthread_create(&desk->thread, NULL, run, desk);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		return diag_set(d, -error, "cannot start CAPF's thread: %s",
			strerror(error));
	return 0;
}

void capf_queue_stop(struct capf_desk *desk)
{
	pthread_mutex_lock(&desk->lock);
	desk->stopping = true;
	pthread_mutex_unlock(&desk->lock);
	pthread_cond_signal(&desk->news);
	pthread_join(desk->thread, NULL);
	assert(desk->state.visits == 0);
}

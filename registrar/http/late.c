/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that take long: made beside the plane's thread, which serves others
 * meanwhile. */
#include "registrar/http/late.h"

#include <signal.h>
#include <stdlib.h>

/* The plane goes: nobody begins anything. */
static void decline(struct late *l)
{
	plane_problem(&l->answer, PROBLEM_ENDS,
		"the registrar ends; nothing was done");
}

/* Behind it the client may be gone, and `l` with it. */
static void resume(struct late *l)
{
	l->there = true;
	MHD_resume_connection(l->client);
}

/* The next one that waits; NULL: it is over. With the lock. */
static struct late *next(struct lates *all)
{
	all->idle++;
	while (!all->first && !all->ending)
		pthread_cond_wait(&all->news, &all->lock);
	all->idle--;
	struct late *l = all->first;
	if (!l)
		return NULL;
	all->first = l->next;
	if (!all->first)
		all->end = &all->first;
	return l;
}

static void *run(void *self)
{
	struct lates *all = self;
	struct late *l;
	pthread_mutex_lock(&all->lock);
	while ((l = next(all))) {
		bool ending = all->ending;
		pthread_mutex_unlock(&all->lock);
		if (ending)
			decline(l);
		else
			all->handler->answer(
				all->handler->self, &l->request, &l->answer);
		resume(l);
		pthread_mutex_lock(&all->lock);
	}
	pthread_mutex_unlock(&all->lock);
	return NULL;
}

void lates_init(struct lates *all, const struct plane_handler *handler)
{
	*all = (struct lates){.handler = handler};
	all->end = &all->first;
	pthread_mutex_init(&all->lock, NULL);
	pthread_cond_init(&all->news, NULL);
}

/* One more, if there are fewer idle ones than wait, with that which comes.
 * With the lock. */
static void start_thread(struct lates *all)
{
	sigset_t every, before;
	size_t waiting = 1;
	for (const struct late *l = all->first; l; l = l->next)
		waiting++;
	if (all->ending || all->idle >= waiting || all->n == LATE_THREADS)
		return;
	sigfillset(&every); /* signals are the main loop's */
	pthread_sigmask(SIG_BLOCK, &every, &before);
	if (pthread_create(&all->threads[all->n], NULL, run, all) == 0)
		all->n++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void late_begin(struct lates *all, struct late *l)
{
	MHD_suspend_connection(l->client);
	l->answer = (struct plane_answer){.status = MHD_HTTP_OK};
	l->next = NULL;
	pthread_mutex_lock(&all->lock);
	start_thread(all);
	bool nobody = all->ending || all->n == 0;
	if (!nobody) {
		*all->end = l;
		all->end = &l->next;
		pthread_cond_signal(&all->news);
	}
	pthread_mutex_unlock(&all->lock);
	if (!nobody)
		return;
	decline(l);
	resume(l);
}

void late_deinit(struct late *l)
{
	json_decref(l->answer.json);
	free(l->answer.text);
}

void lates_end(struct lates *all)
{
	pthread_mutex_lock(&all->lock);
	all->ending = true;
	pthread_cond_broadcast(&all->news);
	pthread_mutex_unlock(&all->lock);
	/* No thread begins behind that. */
	for (size_t i = 0; i < all->n; i++)
		pthread_join(all->threads[i], NULL);
}

void lates_deinit(struct lates *all)
{
	pthread_mutex_destroy(&all->lock);
	pthread_cond_destroy(&all->news);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A CA outside, asked over EST (RFC 7030) on a thread of its own. */
#include "registrar/capf/est.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include <curl/curl.h>
#include <openssl/err.h>

#include "registrar/capf/est_answer.h"
#include "registrar/capf/est_call.h"
#include "registrar/memory.h"

enum {
	AT_ONCE = 4,	   /* requests at the server */
	WAITING_MAX = 256, /* for their turn */
};

struct job {
	TAILQ_ENTRY(job) next;
	struct est_call *call;
	void (*done)(void *self, const struct est_answer *answer);
	void *self;
	int64_t until_ms;
};
TAILQ_HEAD(jobs, job);

/* One thread runs all requests: curl keeps the connections for the next ones,
 * and a wake-up ends whatever they wait for. */
struct est {
	struct est_settings settings;
	CURLM *multi;
	pthread_t thread;
	struct job *running[AT_ONCE]; /* the thread's; NULL: a free place */
	pthread_mutex_t lock;	      /* of what follows */
	struct jobs waiting;
	size_t n_waiting;
	bool stopping;
};

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Tells its owner, who is never called under the lock. */
static void finish(struct job *job, struct est_answer *answer)
{
	job->done(job->self, answer);
	X509_free(answer->cert);
	est_call_free(job->call);
	free(job);
	ERR_clear_error(); /* curl leaves some in this thread's queue */
}

static void give_up(struct job *job, const char *why)
{
	struct est_answer answer = {0};
	est_answer_set(&answer, EST_UNREACHABLE, "%s", why);
	finish(job, &answer);
}

static struct job *take(struct est *e)
{
	pthread_mutex_lock(&e->lock);
	struct job *job = TAILQ_FIRST(&e->waiting);
	if (job) {
		TAILQ_REMOVE(&e->waiting, job, next);
		e->n_waiting--;
	}
	pthread_mutex_unlock(&e->lock);
	return job;
}

static bool is_stopping(struct est *e)
{
	pthread_mutex_lock(&e->lock);
	bool stopping = e->stopping;
	pthread_mutex_unlock(&e->lock);
	return stopping;
}

/* Its time began when it was asked for. */
static void start(struct est *e, struct job *job, struct job **place)
{
	int64_t left = job->until_ms - now_ms();
	if (left <= 0) {
		give_up(job, "the EST server is so slow that the request found "
			     "no turn within capf.est_ms");
		return;
	}
	CURL *easy = est_call_easy(job->call);
	est_call_limit(job->call, (long)left);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, job);
	*place = job;
	if (curl_multi_add_handle(e->multi, easy) != CURLM_OK)
		abort(); /* law 2: it fails of memory alone */
}

static void stop(struct est *e, struct job *job)
{
	curl_multi_remove_handle(e->multi, est_call_easy(job->call));
	for (size_t i = 0; i < AT_ONCE; i++)
		if (e->running[i] == job)
			e->running[i] = NULL;
}

static void take_answers(struct est *e)
{
	CURLMsg *message;
	int left;
	while ((message = curl_multi_info_read(e->multi, &left))) {
		struct est_answer answer;
		char *job = NULL;
		CURLcode code = message->data.result;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &job);
		struct job *j = (struct job *)(void *)job;
		est_call_judge(j->call, code, &answer);
		stop(e, j);
		finish(j, &answer);
	}
}

static void start_waiting(struct est *e)
{
	for (size_t i = 0; i < AT_ONCE; i++) {
		struct job *job;
		while (!e->running[i] && (job = take(e)))
			start(e, job, &e->running[i]);
	}
}

static void end_all(struct est *e)
{
	static const char why[] = "the registrar ends";
	struct job *job;
	for (size_t i = 0; i < AT_ONCE; i++)
		if ((job = e->running[i])) {
			stop(e, job);
			give_up(job, why);
		}
	while ((job = take(e)))
		give_up(job, why);
}

static void *run(void *self)
{
	enum { NAP_MS = 60000 }; /* curl wakes earlier if need be, as do we */
	struct est *e = self;
	int running;
	while (!is_stopping(e)) {
		start_waiting(e);
		curl_multi_perform(e->multi, &running);
		take_answers(e);
		start_waiting(e);
		curl_multi_poll(e->multi, NULL, 0, NAP_MS, NULL);
	}
	end_all(e);
	return NULL;
}

/* ---- life ---- */

static void destroy(struct est *e)
{
	curl_multi_cleanup(e->multi);
	est_settings_deinit(&e->settings);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

static int start_thread(struct est *e, struct diag *d)
{
	sigset_t all, before;
	sigfillset(&all); /* signals are the main loop's */
	pthread_sigmask(SIG_BLOCK, &all, &before);
	int error = pthread_create(&e->thread, NULL, run, e);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error ? diag_set(d, -error,
			       "cannot start the thread that asks the EST "
			       "server: %s",
			       strerror(error))
		     : 0;
}

int est_open(const struct config *config, struct est **out, struct diag *d)
{
	struct est *e = memory_zero(sizeof(*e));
	pthread_mutex_init(&e->lock, NULL);
	TAILQ_INIT(&e->waiting);
	e->multi = curl_multi_init();
	if (!e->multi)
		abort(); /* law 2: no memory */
	curl_multi_setopt(e->multi, CURLMOPT_MAXCONNECTS, (long)AT_ONCE);
	int error = est_settings_read(config, &e->settings, d);
	if (!error)
		error = start_thread(e, d);
	*out = error ? NULL : e;
	if (error)
		destroy(e);
	return error;
}

void est_close(struct est *e)
{
	if (!e)
		return;
	pthread_mutex_lock(&e->lock);
	e->stopping = true;
	pthread_mutex_unlock(&e->lock);
	curl_multi_wakeup(e->multi);
	pthread_join(e->thread, NULL);
	destroy(e);
}

int est_enrol(struct est *e, const uint8_t *request, size_t n,
	void (*done)(void *self, const struct est_answer *answer), void *self)
{
	struct est_call *call = est_call_new(&e->settings, request, n);
	if (!call)
		return -EINVAL;
	struct job *job = memory_zero(sizeof(*job));
	*job = (struct job){.call = call,
		.done = done,
		.self = self,
		.until_ms = now_ms() + e->settings.ms};
	pthread_mutex_lock(&e->lock);
	bool room = e->n_waiting < WAITING_MAX && !e->stopping;
	if (room) {
		TAILQ_INSERT_TAIL(&e->waiting, job, next);
		e->n_waiting++;
	}
	pthread_mutex_unlock(&e->lock);
	if (room) {
		curl_multi_wakeup(e->multi);
		return 0;
	}
	est_call_free(call);
	free(job);
	return -ENOBUFS;
}

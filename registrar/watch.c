/* SPDX-License-Identifier: Apache-2.0 */
/* Watches folders on a thread of its own, and says when to look at them. */
#include "registrar/watch.h"

#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "registrar/memory.h"
#include "registrar/text.h"

enum {
	QUIET_MS = 200,	  /* without an event, then we look */
	GATHER_MS = 2000, /* and no later than that after the first */
	AGAIN_MS = 250,	  /* after a look that went wrong; doubles */
	AGAIN_MAX_MS = 64000,
	LINKS_MAX = 40, /* as the kernel has it */
	FAULT_MAX = 128,
};

/* One folder on the way; `name` is what is looked for in it, "": anything. */
struct spot {
	uv_fs_event_t event;
	struct watch *watch;
	char name[NAME_MAX + 1];
	struct spot *next;
};

struct target {
	char *folder;
	char fault[FAULT_MAX];
};

struct watch {
	uv_loop_t loop;
	uv_thread_t thread;
	bool started;
	uv_async_t wake;
	uv_timer_t timer;
	uint64_t first_ms;  /* of the events that are gathered; 0: none */
	uint64_t again_ms;  /* the interval after the last look; 0: well */
	struct spot *spots; /* what is watched now */
	struct target *targets;
	size_t n;
	watch_fn look;
	void *self;
	atomic_bool asked, nudged, stopping;
	uv_mutex_t lock; /* of the faults */
};

/* ---- what is watched ---- */

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void forget(struct watch *w)
{
	while (w->spots) {
		struct spot *s = w->spots;
		w->spots = s->next;
		uv_close((uv_handle_t *)&s->event, on_closed);
	}
}

static void on_due(uv_timer_t *timer);

static void gather(struct watch *w)
{
	uint64_t now = uv_now(&w->loop);
	if (!w->first_ms)
		w->first_ms = now;
	uint64_t last = w->first_ms + GATHER_MS;
	uint64_t due = now + QUIET_MS < last ? now + QUIET_MS : last;
	uv_timer_start(&w->timer, on_due, due > now ? due - now : 0, 0);
}

static void on_event(
	uv_fs_event_t *event, const char *name, int events, int status)
{
	const struct spot *s = event->data;
	if (*s->name && (!name || strcmp(name, s->name) != 0))
		return;
	s->watch->again_ms = 0;
	gather(s->watch);
}

/* 0, or what libuv says against it. */
static int watch_spot(struct watch *w, const char *folder, const char *name)
{
	struct spot *s = memory_zero(sizeof(*s));
	s->watch = w;
	snprintf(s->name, sizeof(s->name), "%s", name);
	s->event.data = s;
	uv_fs_event_init(&w->loop, &s->event);
	s->next = w->spots;
	w->spots = s;
	return uv_fs_event_start(&s->event, on_event, folder, 0);
}

/* A path being walked: where we are, and what is left of it. */
struct walk {
	char at[PATH_MAX];
	char rest[PATH_MAX];
};

/* Takes the next name off the rest; false: there is none. */
static bool next_name(struct walk *k, char name[NAME_MAX + 1])
{
	const char *from = k->rest + strspn(k->rest, "/");
	size_t n = strcspn(from, "/");
	if (n == 0 || n > NAME_MAX)
		return false;
	memcpy(name, from, n);
	name[n] = '\0';
	memmove(k->rest, from + n, strlen(from + n) + 1);
	return true;
}

/* Steps into `name`, through a link if it is one; false: too long. */
static bool step(struct walk *k, const char *name, size_t *links)
{
	char path[PATH_MAX], target[PATH_MAX], rest[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", k->at, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return false;
	ssize_t length = readlink(path, target, sizeof(target) - 1);
	if (length < 0) {
		memcpy(k->at, path, (size_t)n + 1);
		return true;
	}
	target[length] = '\0';
	n = snprintf(rest, sizeof(rest), "%s/%s", target, k->rest);
	if (n < 0 || (size_t)n >= sizeof(rest) || ++*links > LINKS_MAX)
		return false;
	memcpy(k->rest, rest, (size_t)n + 1);
	if (*target == '/')
		snprintf(k->at, sizeof(k->at), "/");
	return true;
}

/* Each folder of the path for its next name, and the last for anything. What
 * is missing is watched for where it would be. */
static int watch_path(struct watch *w, const char *folder)
{
	struct walk k;
	char name[NAME_MAX + 1];
	size_t links = 0;
	if (strlen(folder) >= sizeof(k.rest))
		return UV_ENAMETOOLONG;
	snprintf(k.at, sizeof(k.at), "%s", *folder == '/' ? "/" : ".");
	snprintf(k.rest, sizeof(k.rest), "%s", folder);
	while (next_name(&k, name)) {
		/* Who may not read a folder on the way may still pass. */
		if (watch_spot(w, k.at, name) == UV_ENOENT)
			return 0;
		if (!step(&k, name, &links))
			return UV_ELOOP;
	}
	int error = watch_spot(w, k.at, "");
	return error == UV_ENOENT ? 0 : error;
}

static void watch_all(struct watch *w)
{
	forget(w);
	for (size_t i = 0; i < w->n; i++) {
		struct target *t = &w->targets[i];
		int error = watch_path(w, t->folder);
		uv_mutex_lock(&w->lock);
		text_copy(t->fault, sizeof(t->fault),
			error < 0 ? uv_strerror(error) : "");
		uv_mutex_unlock(&w->lock);
	}
}

static bool is_watching(const struct watch *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (*w->targets[i].fault)
			return false;
	return true;
}

/* ---- when to look ---- */

static void look(struct watch *w)
{
	uint64_t next = w->again_ms ? 2 * w->again_ms : AGAIN_MS;
	w->first_ms = 0;
	uv_timer_stop(&w->timer);
	watch_all(w); /* before the look: whatever comes later is an event */
	bool well = w->look(w->self, atomic_exchange(&w->asked, false));
	uv_update_time(&w->loop);
	if (well && is_watching(w)) {
		w->again_ms = 0;
		return;
	}
	w->again_ms = next < AGAIN_MAX_MS ? next : AGAIN_MAX_MS;
	uv_timer_start(&w->timer, on_due, w->again_ms, 0);
}

static void on_due(uv_timer_t *timer)
{
	look(timer->data);
}

static void on_wake(uv_async_t *wake)
{
	struct watch *w = wake->data;
	if (atomic_load(&w->stopping)) {
		uv_stop(&w->loop);
		return;
	}
	if (atomic_exchange(&w->nudged, false))
		gather(w);
	if (atomic_load(&w->asked))
		look(w);
}

void watch_ask(struct watch *w)
{
	atomic_store(&w->asked, true);
	uv_async_send(&w->wake);
}

void watch_nudge(struct watch *w)
{
	atomic_store(&w->nudged, true);
	uv_async_send(&w->wake);
}

void watch_fault(struct watch *w, const char *folder, char *why, size_t n)
{
	text_copy(why, n, "");
	uv_mutex_lock(&w->lock);
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->targets[i].folder, folder) == 0)
			text_copy(why, n, w->targets[i].fault);
	uv_mutex_unlock(&w->lock);
}

/* ---- life ---- */

struct watch *watch_new(
	const char *const *folders, size_t n, watch_fn on_look, void *self)
{
	struct watch *w = memory_zero(sizeof(*w));
	if (uv_loop_init(&w->loop) < 0 || uv_mutex_init(&w->lock) < 0 ||
		uv_async_init(&w->loop, &w->wake, on_wake) < 0)
		abort(); /* law 2: no memory */
	uv_timer_init(&w->loop, &w->timer);
	w->wake.data = w->timer.data = w;
	w->look = on_look;
	w->self = self;
	w->n = n;
	w->targets = memory_zero((n ? n : 1) * sizeof(*w->targets));
	for (size_t i = 0; i < n; i++)
		w->targets[i].folder = memory_dup(folders[i]);
	watch_all(w);
	return w;
}

static void run(void *self)
{
	struct watch *w = self;
	sigset_t all;
	sigfillset(&all); /* signals are the main loop's */
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	uv_run(&w->loop, UV_RUN_DEFAULT);
}

void watch_start(struct watch *w)
{
	if (uv_thread_create(&w->thread, run, w) < 0)
		abort(); /* law 2: no memory */
	w->started = true;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	atomic_store(&w->stopping, true);
	uv_async_send(&w->wake);
	if (w->started)
		uv_thread_join(&w->thread);
	forget(w);
	uv_close((uv_handle_t *)&w->wake, NULL);
	uv_close((uv_handle_t *)&w->timer, NULL);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	uv_loop_close(&w->loop);
	for (size_t i = 0; i < w->n; i++)
		free(w->targets[i].folder);
	free(w->targets);
	uv_mutex_destroy(&w->lock);
	free(w);
}

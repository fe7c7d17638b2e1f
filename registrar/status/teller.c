/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at the registrar while somebody reads events, and tells what changed.
 */
#include "registrar/status/teller.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "registrar/memory.h"
#include "registrar/status/events.h"
#include "registrar/status/events_json.h"
#include "registrar/version.h"

enum {
	TICK_MS = 250,
	SECOND_MS = 1000,
	SLOW_MS = 5000, /* between looks at every device */
	BEAT_MS = 10000,
	STAY_MS = 60000, /* after the last reader: it may come again */
	FAILURES_MAX = 20,
	RETRY_S = 5,
};

struct teller {
	struct server *server;
	struct roster *roster;
	struct refusals *refusals;
	struct events *events;
	struct plane *plane;
	pthread_t thread;
	pthread_mutex_t lock; /* of these: */
	pthread_cond_t news;
	bool started, stopping;
	bool active;   /* else the thread sleeps and has nothing to tell */
	bool newcomer; /* somebody wants to know how things stand */
	/* What was told. The thread's while active; else under the lock. */
	uint64_t version;
	uint64_t failures;
	json_t *told[EVENT_TOPICS];
	json_t *rollover;
	int64_t second_ms, slow_ms, beat_ms, read_ms; /* when last */
};

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- telling ---- */

static bool tell_phones(struct teller *t)
{
	roster_look(t->roster);
	json_t *news = t->version < t->roster->oldest
			       ? NULL
			       : events_json_phones(t->roster, t->version);
	bool lost = t->version < t->roster->oldest;
	t->version = t->roster->now.number;
	roster_release(t->roster);
	if (lost)
		events_cut(t->events); /* all begin anew */
	if (news)
		events_tell(t->events, EVENT_PHONES, news);
	return lost || news;
}

static bool tell_failures(struct teller *t)
{
	uint64_t total;
	size_t more;
	json_t *list = refusals_since(
		t->refusals, t->failures, FAILURES_MAX, &total, &more);
	bool any = total > t->failures;
	t->failures = total;
	json_t *o = json_pack("{so sI sI}", "failures", list, "more",
		(json_int_t)more, "total", (json_int_t)total);
	if (any)
		events_tell(t->events, EVENT_FAILURES, o);
	else
		json_decref(o);
	return any;
}

/* Takes how things stand, and tells it if they stood otherwise, or always. */
static bool tell_state(
	struct teller *t, enum event_topic topic, json_t *now, bool always)
{
	if (!now || (!always && json_equal(now, t->told[topic]))) {
		json_decref(now);
		return false;
	}
	json_decref(t->told[topic]);
	t->told[topic] = now;
	json_t *o = json_copy(now);
	if (topic == EVENT_STATUS)
		events_json_stamp(o);
	events_tell(t->events, topic, o);
	return true;
}

static bool is_due(int64_t *last_ms, int64_t every_ms, int64_t now)
{
	if (now - *last_ms < every_ms)
		return false;
	*last_ms = now;
	return true;
}

static void look(struct teller *t, bool newcomer)
{
	int64_t now = now_ms();
	bool told = tell_phones(t);
	told |= tell_failures(t);
	if (is_due(&t->slow_ms, SLOW_MS, now)) {
		json_decref(t->rollover);
		t->rollover = events_json_rollover(t->server);
	}
	if (is_due(&t->second_ms, SECOND_MS, now) || newcomer) {
		struct server *s = t->server;
		told |= tell_state(
			t, EVENT_STATUS, events_json_status(s), newcomer);
		told |= tell_state(
			t, EVENT_TRUST, events_json_trust(s), newcomer);
		told |= tell_state(t, EVENT_CAPF,
			events_json_capf(s, json_incref(t->rollover)),
			newcomer);
	}
	if (is_due(&t->beat_ms, BEAT_MS, now)) {
		events_beat(t->events);
		told = true;
	}
	if (told)
		plane_wake(t->plane);
}

/* ---- the thread ---- */

/* Until there is something to do; under the lock. */
static void sleep_some(struct teller *t)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)TICK_MS * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	if (!t->active)
		pthread_cond_wait(&t->news, &t->lock);
	else if (!t->newcomer)
		pthread_cond_timedwait(&t->news, &t->lock, &until);
}

/* A reader that lost its connection may come again and go on. */
static void rest_if_alone(struct teller *t)
{
	int64_t now = now_ms();
	if (events_readers(t->events) > 0)
		t->read_ms = now;
	else if (now - t->read_ms >= STAY_MS)
		t->active = false;
}

static void *run(void *self)
{
	struct teller *t = self;
	pthread_mutex_lock(&t->lock);
	while (!t->stopping) {
		sleep_some(t);
		if (t->stopping || !t->active)
			continue;
		bool newcomer = t->newcomer;
		t->newcomer = false;
		pthread_mutex_unlock(&t->lock);
		look(t, newcomer);
		pthread_mutex_lock(&t->lock);
		rest_if_alone(t);
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

/* ---- readers ---- */

const struct query_row teller_parameters[] = {
	{"topics", "some of status,phones,failures,trust,capf, by commas"},
	{NULL, NULL},
};

/* It tells from here on; under the lock. */
static void wake(struct teller *t)
{
	if (!t->active) {
		json_decref(refusals_since(
			t->refusals, 0, 0, &t->failures, &(size_t){0}));
		roster_look(t->roster);
		t->version = t->roster->now.number;
		roster_release(t->roster);
		events_cut(t->events);
		t->slow_ms = 0;
		t->active = true;
	}
	t->read_ms = now_ms();
}

static json_t *topics_json(unsigned topics)
{
	json_t *list = json_array();
	for (int i = 0; i < EVENT_TOPICS; i++)
		if (topics & 1u << i)
			json_array_append_new(list,
				json_string(
					event_topic_name((enum event_topic)i)));
	return list;
}

static json_t *hello(struct teller *t, unsigned topics, bool resumed)
{
	char since[TOKEN_MAX + 1], started[21];
	roster_look(t->roster);
	token_write_moment(since, TOKEN_SINCE, t->roster->now);
	roster_release(t->roster);
	cert_time_text((time_t)(server_started_ms(t->server) / 1000), started);
	return json_pack("{ss ss ss so sb ss}", "node",
		server_config(t->server)->node, "version", DIALTONE_VERSION,
		"started", started, "topics", topics_json(topics), "resumed",
		resumed, "since", since);
}

static void refuse_full(struct teller *t, struct plane_answer *out)
{
	events_beat(t->events); /* who is gone is found so */
	pthread_mutex_lock(&t->lock);
	struct plane *plane = t->plane;
	pthread_mutex_unlock(&t->lock);
	if (plane)
		plane_wake(plane);
	plane_problem(out, PROBLEM_READERS,
		"16 read events already, and more may not; come later, or ask "
		"/v1/phones?since= now and then");
	out->retry_s = RETRY_S;
}

void teller_answer(struct teller *t, const struct plane_request *request,
	const struct query *query, struct plane_answer *out)
{
	struct events_reader *reader = NULL;
	const char *wanted = query_get(query, "topics");
	const char *last = plane_header(request, "Last-Event-ID");
	unsigned topics =
		wanted ? event_topics_read(wanted) : (1u << EVENT_TOPICS) - 1;
	if (!topics) {
		query_refuse(query, "topics", out);
		return;
	}
	pthread_mutex_lock(&t->lock);
	wake(t);
	/* Opened first: what changes after `since` is told to it. */
	enum events_opened how = events_open(
		t->events, topics, last && *last ? last : NULL, &reader);
	t->newcomer |= how != EVENTS_RESUMED && how != EVENTS_FULL;
	if (how != EVENTS_FULL) {
		out->source = events_greet(reader,
			hello(t, topics, how == EVENTS_RESUMED),
			how == EVENTS_MISSED
				? "what came after Last-Event-ID is not kept"
				: NULL);
		out->type = "text/event-stream";
	}
	pthread_cond_signal(&t->news);
	pthread_mutex_unlock(&t->lock);
	if (how == EVENTS_FULL)
		refuse_full(t, out);
}

/* ---- life ---- */

struct teller *teller_new(
	struct server *s, struct roster *roster, struct refusals *refusals)
{
	pthread_condattr_t monotonic;
	struct teller *t = memory_zero(sizeof(*t));
	t->server = s;
	t->roster = roster;
	t->refusals = refusals;
	t->events = events_new();
	t->beat_ms = now_ms();
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&t->news, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return t;
}

int teller_start(struct teller *t, struct plane *plane, struct diag *d)
{
	sigset_t all, before;
	pthread_mutex_lock(&t->lock);
	t->plane = plane; /* who reads may have come already */
	pthread_mutex_unlock(&t->lock);
	sigfillset(&all); /* signals are the main loop's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&t->thread, NULL, run, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	t->started = error == 0;
	return error ? diag_set(d, -error, "no thread for events: %s",
			       strerror(error))
		     : 0;
}

void teller_stop(struct teller *t)
{
	if (!t || !t->started)
		return;
	pthread_mutex_lock(&t->lock);
	t->stopping = true;
	pthread_cond_signal(&t->news);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
	t->started = false;
}

void teller_free(struct teller *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < EVENT_TOPICS; i++)
		json_decref(t->told[i]);
	json_decref(t->rollover);
	events_free(t->events);
	pthread_cond_destroy(&t->news);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The last events, and those who read them, each at its own pace. */
#include "registrar/status/events.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "registrar/memory.h"
#include "registrar/status/token.h"

#define RETRY "retry: 2000\n\n"
/* An empty id: who comes again comes as a new one. */
#define RESYNC "event: resync\nid:\ndata: {\"why\":\"%s\"}\n\n"
#define BEAT ":\n\n"

/* A frozen text, counted under the lock of all. */
struct event {
	int refs;
	enum event_topic topic;
	size_t n;
	char *text;
};

struct events {
	pthread_mutex_t lock;
	uint64_t run;
	struct event *ring[EVENTS_KEPT]; /* number n at n % EVENTS_KEPT */
	uint64_t first, next;		 /* numbers of those kept */
	size_t bytes;			 /* of their texts */
	uint64_t beats;
	size_t readers;
};

struct events_reader {
	struct events *all;
	unsigned topics;
	uint64_t at; /* the number it reads next */
	uint64_t beats;
	struct event *now; /* it is in the middle of, with a reference */
	size_t sent;	   /* of its text */
	bool over;	   /* after `now` */
};

static const struct {
	const char *name, *event;
} topics[] = {
#define X(symbol, name, event) {name, event},
	EVENT_TOPIC_LIST(X)
#undef X
};

const char *event_topic_name(enum event_topic topic)
{
	return topics[topic].name;
}

unsigned event_topics_read(const char *text)
{
	unsigned all = 0;
	for (;; text++) {
		size_t n = strcspn(text, ",");
		unsigned one = 0;
		for (size_t i = 0; i < EVENT_TOPICS; i++)
			if (strlen(topics[i].name) == n &&
				memcmp(topics[i].name, text, n) == 0)
				one = 1u << i;
		if (!one)
			return 0;
		all |= one;
		text += n;
		if (!*text)
			return all;
	}
}

/* ---- events ---- */

/* Takes the text. */
static struct event *new_event(enum event_topic topic, char *text)
{
	struct event *e = memory_zero(sizeof(*e));
	e->refs = 1;
	e->topic = topic;
	e->text = text;
	e->n = strlen(text);
	return e;
}

static void unref(struct event *e)
{
	if (!e || --e->refs > 0)
		return;
	free(e->text);
	free(e);
}

static void drop_first(struct events *e)
{
	struct event **at = &e->ring[e->first++ % EVENTS_KEPT];
	e->bytes -= (*at)->n;
	unref(*at);
	*at = NULL;
}

void events_tell(struct events *e, enum event_topic topic, json_t *data)
{
	char id[TOKEN_MAX + 1];
	char *json = json_dumps(data, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(data);
	pthread_mutex_lock(&e->lock);
	token_write_moment(
		id, TOKEN_EVENT, (struct token_moment){e->run, e->next});
	struct event *one = new_event(
		topic, memory_format("event: %s\nid: %s\ndata: %s\n\n",
			       topics[topic].event, id, json));
	while (e->next - e->first == EVENTS_KEPT ||
		(e->first < e->next && e->bytes + one->n > EVENTS_KEPT_BYTES))
		drop_first(e);
	e->ring[e->next++ % EVENTS_KEPT] = one;
	e->bytes += one->n;
	pthread_mutex_unlock(&e->lock);
	free(json);
}

void events_beat(struct events *e)
{
	pthread_mutex_lock(&e->lock);
	e->beats++;
	pthread_mutex_unlock(&e->lock);
}

void events_cut(struct events *e)
{
	pthread_mutex_lock(&e->lock);
	while (e->first < e->next)
		drop_first(e);
	e->first = ++e->next; /* the last id is too old, too */
	pthread_mutex_unlock(&e->lock);
}

size_t events_readers(struct events *e)
{
	pthread_mutex_lock(&e->lock);
	size_t n = e->readers;
	pthread_mutex_unlock(&e->lock);
	return n;
}

struct events *events_new(void)
{
	struct events *e = memory_zero(sizeof(*e));
	pthread_mutex_init(&e->lock, NULL);
	if (RAND_bytes((uint8_t *)&e->run, sizeof(e->run)) != 1)
		abort(); /* no entropy */
	return e;
}

void events_free(struct events *e)
{
	if (!e)
		return;
	while (e->first < e->next)
		drop_first(e);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

/* ---- readers ---- */

static void go_to(struct events_reader *r, struct event *event)
{
	unref(r->now);
	r->now = event;
	r->sent = 0;
}

/* What comes next for that reader becomes its `now`; false: nothing yet. */
static bool advance(struct events_reader *r)
{
	struct events *e = r->all;
	if (r->at < e->first) {
		go_to(r, new_event(EVENT_STATUS,
				 memory_format(RESYNC, "you read too slowly: "
						       "some is missing")));
		r->over = true;
		return true;
	}
	while (r->at < e->next) {
		struct event *one = e->ring[r->at++ % EVENTS_KEPT];
		if (!(r->topics & 1u << one->topic))
			continue;
		one->refs++;
		go_to(r, one);
		return true;
	}
	if (r->beats == e->beats)
		return false;
	r->beats = e->beats;
	go_to(r, new_event(EVENT_STATUS, memory_dup(BEAT)));
	return true;
}

static ssize_t on_read(void *self, char *to, size_t n)
{
	struct events_reader *r = self;
	size_t done = 0;
	pthread_mutex_lock(&r->all->lock);
	while (done < n) {
		size_t left = r->now ? r->now->n - r->sent : 0;
		if (left == 0 && (r->over || !advance(r)))
			break;
		left = r->now->n - r->sent;
		size_t part = left < n - done ? left : n - done;
		memcpy(to + done, r->now->text + r->sent, part);
		r->sent += part;
		done += part;
	}
	pthread_mutex_unlock(&r->all->lock);
	return done == 0 && r->over ? -1 : (ssize_t)done;
}

static void on_close(void *self)
{
	struct events_reader *r = self;
	struct events *e = r->all;
	pthread_mutex_lock(&e->lock);
	e->readers--;
	unref(r->now);
	pthread_mutex_unlock(&e->lock);
	free(r);
}

/* The number behind that id; false: it is not kept. */
static bool is_kept(const struct events *e, const char *id, uint64_t *at)
{
	struct token_moment m;
	*at = e->next;
	if (!token_read_moment(id, TOKEN_EVENT, &m) || m.run != e->run ||
		m.number + 1 < e->first || m.number >= e->next)
		return false;
	*at = m.number + 1;
	return true;
}

enum events_opened events_open(struct events *e, unsigned wanted,
	const char *last_id, struct events_reader **out)
{
	enum events_opened how = EVENTS_NEW;
	uint64_t at;
	pthread_mutex_lock(&e->lock);
	at = e->next;
	if (e->readers == PLANE_SOURCES_MAX) {
		pthread_mutex_unlock(&e->lock);
		return EVENTS_FULL;
	}
	if (last_id)
		how = is_kept(e, last_id, &at) ? EVENTS_RESUMED : EVENTS_MISSED;
	struct events_reader *r = memory_zero(sizeof(*r));
	r->all = e;
	r->topics = wanted;
	r->at = at;
	r->beats = e->beats;
	e->readers++;
	pthread_mutex_unlock(&e->lock);
	*out = r;
	return how;
}

struct plane_source events_greet(
	struct events_reader *r, json_t *hello, const char *resync)
{
	char *json = json_dumps(hello, JSON_COMPACT | JSON_ENSURE_ASCII);
	char *again = resync ? memory_format(RESYNC, resync) : memory_dup("");
	r->now = new_event(EVENT_STATUS,
		memory_format(
			RETRY "event: hello\ndata: %s\n\n%s", json, again));
	free(again);
	free(json);
	json_decref(hello);
	return (struct plane_source){on_read, on_close, r};
}

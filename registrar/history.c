/* SPDX-License-Identifier: Apache-2.0 */
/* What happened to each device lately: kept over restarts, written behind. */
#include "registrar/history.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/behind.h"
#include "registrar/log.h"
#include "registrar/memory.h"
#include "registrar/store/history_store.h"
#include "registrar/text.h"

enum {
	BATCH = 4096, /* so many are written without waiting for more */
	/* Of the queue: who plays with names leaves room for devices. */
	STRANGERS_MAX = HISTORY_QUEUE_MAX / 4,
};

/* Newest last; the order of `queue` is the order of history. */
struct history {
	pthread_mutex_t lock; /* of what follows */
	struct history_event *queue[HISTORY_QUEUE_MAX];
	size_t n;
	uint64_t dropped;
	pthread_mutex_t store_lock; /* taken before `lock` */
	struct history_store *store;
	struct history_event *batch[HISTORY_QUEUE_MAX];
	uint64_t dropped_told;
	struct behind *behind;
};

static const char *const whats[] = {
#define X(symbol, name) name,
	HISTORY_WHAT_LIST(X)
#undef X
};

const char *history_what_name(enum history_what what)
{
	return what < HISTORY_WHATS ? whats[what] : "unknown";
}

/* ---- events ---- */

static const struct {
	size_t offset; /* of the pointer, in struct history_event */
	size_t most;
} texts[] = {
#define X(field, most) {offsetof(struct history_event, field), most},
	HISTORY_TEXT_LIST(X)
#undef X
};
enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };

static const char **text_of(struct history_event *e, size_t i)
{
	return (const char **)((char *)e + texts[i].offset);
}

struct history_event *history_event_copy(const struct history_event *from)
{
	size_t size = sizeof(*from), room[TEXTS];
	struct history_event named = *from;
	for (size_t i = 0; i < TEXTS; i++) {
		const char **text = text_of(&named, i);
		*text = *text ? *text : "";
		room[i] = strnlen(*text, texts[i].most) + 1;
		size += room[i];
	}
	struct history_event *e = memory_zero(size);
	char *at = (char *)(e + 1);
	*e = named;
	for (size_t i = 0; i < TEXTS; i++) {
		text_copy(at, room[i], *text_of(&named, i));
		*text_of(e, i) = at;
		at += room[i];
	}
	return e;
}

/* ---- the queue ---- */

void history_add(struct history *h, const struct history_event *e)
{
	if (!h)
		return;
	struct history_event *copy = history_event_copy(e);
	pthread_mutex_lock(&h->lock);
	bool room = h->n < (e->stranger ? STRANGERS_MAX : HISTORY_QUEUE_MAX);
	if (room)
		h->queue[h->n++] = copy;
	else
		h->dropped++;
	size_t n = room ? h->n : 0;
	pthread_mutex_unlock(&h->lock);
	if (n == 1)
		behind_news(h->behind);
	else if (n == BATCH)
		behind_batch(h->behind);
	if (!room)
		free(copy);
}

static void log_dropped(const struct history *h, uint64_t dropped)
{
	struct log_line line;
	if (dropped == h->dropped_told)
		return;
	log_begin(&line, LOG_EV_HISTORY_DROPPED);
	log_num(&line, "count", (int64_t)(dropped - h->dropped_told));
	log_str(&line, "why", "more happened at once than is written");
	log_end(&line);
}

static void log_refused(size_t n, const struct diag *d)
{
	struct log_line line;
	log_begin(&line, LOG_EV_HISTORY_REFUSED);
	log_num(&line, "count", (int64_t)n);
	log_str(&line, "why", d->text);
	log_end(&line);
}

/* Writes what waits, in one transaction. The caller has store_lock. */
static void flush(struct history *h)
{
	struct diag d;
	pthread_mutex_lock(&h->lock);
	size_t n = h->n;
	uint64_t dropped = h->dropped;
	for (size_t i = 0; i < n; i++)
		h->batch[i] = h->queue[i];
	h->n = 0;
	pthread_mutex_unlock(&h->lock);
	log_dropped(h, dropped);
	h->dropped_told = dropped;
	if (n && history_store_write(h->store,
			 (const struct history_event *const *)h->batch, n,
			 &d) < 0) {
		log_refused(n, &d);
		pthread_mutex_lock(&h->lock);
		h->dropped += n;
		h->dropped_told += n;
		pthread_mutex_unlock(&h->lock);
	}
	for (size_t i = 0; i < n; i++)
		free(h->batch[i]);
}

static void write_behind(void *self)
{
	struct history *h = self;
	pthread_mutex_lock(&h->store_lock);
	flush(h);
	pthread_mutex_unlock(&h->store_lock);
}

/* ---- life ---- */

static void destroy(struct history *h)
{
	history_store_close(h->store);
	pthread_mutex_destroy(&h->lock);
	pthread_mutex_destroy(&h->store_lock);
	free(h);
}

int history_open(const char *folder, size_t rows_max, struct history **out,
	struct diag *d)
{
	struct history *h = memory_zero(sizeof(*h));
	*out = NULL;
	pthread_mutex_init(&h->lock, NULL);
	pthread_mutex_init(&h->store_lock, NULL);
	if (!folder && rows_max > HISTORY_IN_MEMORY_MAX)
		rows_max = HISTORY_IN_MEMORY_MAX;
	int error = history_store_open(folder, rows_max, &h->store, d);
	if (error == 0)
		error = behind_start(write_behind, h, "history", &h->behind, d);
	if (error < 0) {
		destroy(h);
		return error;
	}
	*out = h;
	return 0;
}

void history_close(struct history *h)
{
	if (!h)
		return;
	behind_stop(h->behind);
	destroy(h);
}

/* ---- asking ---- */

struct history_event **history_of(
	struct history *h, const char *device, size_t *n)
{
	pthread_mutex_lock(&h->store_lock);
	flush(h);
	struct history_event **list =
		history_store_read(h->store, device, HISTORY_OF_DEVICE_MAX, n);
	pthread_mutex_unlock(&h->store_lock);
	return list;
}

void history_list_free(struct history_event **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

struct history_counts history_count(struct history *h)
{
	struct history_counts counts;
	pthread_mutex_lock(&h->store_lock);
	counts.rows = history_store_rows(h->store);
	pthread_mutex_unlock(&h->store_lock);
	pthread_mutex_lock(&h->lock);
	counts.dropped = h->dropped;
	pthread_mutex_unlock(&h->lock);
	return counts;
}

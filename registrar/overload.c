/* SPDX-License-Identifier: Apache-2.0 */
/* Is there more than can be served, and how phones are spread over time. */
#include "registrar/overload.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "registrar/log.h"
#include "registrar/memory.h"

enum {
	BUSY_MS = 250,	/* a shorter wait is nobody's business */
	HOLD_MS = 5000, /* a state lasts that long after its cause */
	RATE_MS = 1000, /* the rate of serving is taken over this */
	RATE_OLD_MS = 10000,
	WAIT_MAX_S = 120, /* before it is spread */
};

struct overload {
	const struct config *config;
	pthread_mutex_t lock; /* of all below, but state and drain_s */
	struct overload_part *parts;
	size_t n_parts;
	enum overload_state state; /* atomic */
	uint32_t drain_s;	   /* atomic */
	int64_t since_ms;
	uint64_t busy_until, overload_until;
	uint64_t rated_ms, rated_served; /* when the rate was last taken */
	double per_s;
};

static const char *const state_names[] = {
#define X(symbol, name, text) name,
	OVERLOAD_STATE_LIST(X)
#undef X
};

const char *overload_state_name(enum overload_state state)
{
	return state_names[state];
}

const struct overload_row overload_rows[] = {
#define X(kind, field, group, name, meaning)                               \
	{OVERLOAD_##kind, offsetof(struct overload_figures, field), group, \
		name, meaning},
	OVERLOAD_FIGURE_LIST(X)
#undef X
};
const size_t overload_rows_n = sizeof(overload_rows) / sizeof(*overload_rows);

void overload_add(uint64_t *figure, uint64_t n)
{
	__atomic_add_fetch(figure, n, __ATOMIC_RELAXED);
}

void overload_set(uint64_t *figure, uint64_t n)
{
	__atomic_store_n(figure, n, __ATOMIC_RELAXED);
}

uint64_t overload_get(const uint64_t *figure)
{
	return __atomic_load_n(figure, __ATOMIC_RELAXED);
}

uint64_t overload_figure(
	const struct overload_figures *f, const struct overload_row *row)
{
	return overload_get((const uint64_t *)((const char *)f + row->offset));
}

static int64_t unix_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct overload *overload_new(const struct config *config)
{
	struct overload *o = memory_zero(sizeof(*o));
	o->config = config;
	o->since_ms = unix_ms();
	pthread_mutex_init(&o->lock, NULL);
	return o;
}

void overload_free(struct overload *o)
{
	if (!o)
		return;
	pthread_mutex_destroy(&o->lock);
	free(o);
}

void overload_join(struct overload *o, struct overload_part *part)
{
	part->all = o;
	if (getrandom(&part->random, sizeof(part->random), 0) < 0)
		part->random = (uint64_t)(uintptr_t)part;
	part->random |= 1; /* xorshift never leaves 0 */
	pthread_mutex_lock(&o->lock);
	part->next = o->parts;
	o->parts = part;
	o->n_parts++;
	pthread_mutex_unlock(&o->lock);
}

/* ---- the state ---- */

/* The sums over all workers; locked. */
static struct overload_figures sum(const struct overload *o)
{
	struct overload_figures all = {0};
	for (const struct overload_part *p = o->parts; p; p = p->next)
		for (size_t i = 0; i < overload_rows_n; i++) {
			const struct overload_row *row = &overload_rows[i];
			uint64_t *to = (uint64_t *)((char *)&all + row->offset);
			uint64_t n = overload_figure(&p->figures, row);
			if (row->kind != OVERLOAD_LONGEST)
				*to += n;
			else if (n > *to)
				*to = n;
		}
	return all;
}

static void log_state(enum overload_state state,
	const struct overload_figures *all, const char *why)
{
	static const enum log_event events[] = {LOG_EV_ADMISSION_CALM,
		LOG_EV_ADMISSION_BUSY, LOG_EV_ADMISSION_OVERLOAD};
	struct log_line line;
	log_begin(&line, events[state]);
	log_str(&line, "why", why);
	for (size_t i = 0; i < overload_rows_n; i++)
		log_num(&line, overload_rows[i].name,
			(int64_t)overload_figure(all, &overload_rows[i]));
	log_end(&line);
}

static void set_drain(struct overload *o, double seconds)
{
	uint32_t s =
		seconds < WAIT_MAX_S ? (uint32_t)(seconds + 0.5) : WAIT_MAX_S;
	__atomic_store_n(&o->drain_s, s, __ATOMIC_RELAXED);
}

/* How fast they are served, and thus how long those who wait will wait. */
static void rate(struct overload *o, uint64_t now_ms)
{
	if (now_ms < o->rated_ms + RATE_MS)
		return;
	struct overload_figures all = sum(o);
	uint64_t served =
		all.at_once + all.waited_resuming + all.waited_strangers;
	uint64_t passed = now_ms - o->rated_ms;
	double per_s =
		(double)(served - o->rated_served) * 1000 / (double)passed;
	o->rated_ms = now_ms;
	o->rated_served = served;
	if (passed > RATE_OLD_MS) {
		o->per_s = 0; /* what was long ago says nothing */
		set_drain(o, 0);
		return;
	}
	o->per_s = o->per_s > 0 ? (o->per_s + per_s) / 2 : per_s;
	double waiting = (double)(all.backlog + all.resuming + all.strangers);
	set_drain(o, waiting / (o->per_s > 1 ? o->per_s : 1));
}

static void change(
	struct overload *o, enum overload_state state, const char *why)
{
	struct overload_figures all = sum(o);
	if (state == o->state)
		return;
	__atomic_store_n(&o->state, state, __ATOMIC_RELAXED);
	o->since_ms = unix_ms();
	log_state(state, &all, why);
}

/* Why part's worker is overloaded now; NULL: it is not. */
static const char *cause(struct overload_part *part)
{
	const struct overload_figures *f = &part->figures;
	uint64_t shed = f->expired + f->room_full;
	bool sheds = shed != part->shed;
	part->shed = shed;
	if (sheds)
		return "connections were refused";
	if (f->oldest_ms > part->all->config->wait_ms)
		return "the first in turn waits longer than limits.wait_ms";
	return NULL;
}

void overload_report(struct overload_part *part, uint64_t now_ms)
{
	struct overload *o = part->all;
	pthread_mutex_lock(&o->lock);
	rate(o, now_ms);
	const char *overloaded = cause(part);
	if (overloaded)
		o->overload_until = now_ms + HOLD_MS;
	if (part->figures.oldest_ms > BUSY_MS)
		o->busy_until = now_ms + HOLD_MS;
	if (now_ms < o->overload_until)
		change(o, OVERLOAD_OVERLOAD, overloaded);
	else if (now_ms < o->busy_until && o->state == OVERLOAD_CALM)
		change(o, OVERLOAD_BUSY, "limits.handshakes are in progress");
	else if (now_ms < o->busy_until)
		change(o, OVERLOAD_BUSY, "nobody is refused any more");
	else
		change(o, OVERLOAD_CALM, "nobody waits long any more");
	pthread_mutex_unlock(&o->lock);
}

struct overload_view overload_view(struct overload *o)
{
	pthread_mutex_lock(&o->lock);
	struct overload_view view = {
		.state = o->state,
		.since_ms = o->since_ms,
		.drain_s = o->drain_s,
		.handshakes_max = o->n_parts * o->config->handshakes_max,
		.figures = sum(o),
	};
	pthread_mutex_unlock(&o->lock);
	return view;
}

enum overload_state overload_state(const struct overload *o)
{
	return __atomic_load_n(&o->state, __ATOMIC_RELAXED);
}

/* ---- for the services ---- */

/* Spreads phones, keeps no secret: xorshift64. */
static uint32_t between(struct overload_part *part, uint32_t low, uint32_t high)
{
	part->random ^= part->random << 13;
	part->random ^= part->random >> 7;
	part->random ^= part->random << 17;
	return low + (uint32_t)(part->random % ((uint64_t)high - low + 1));
}

uint32_t overload_jitter(struct overload_part *part, uint32_t seconds)
{
	uint32_t percent = part->all->config->jitter_percent;
	uint32_t most = (uint32_t)((uint64_t)seconds * percent / 100);
	return between(part, seconds - most, seconds);
}

uint32_t overload_wait_s(struct overload_part *part, uint32_t floor_s)
{
	uint32_t drain_s =
		__atomic_load_n(&part->all->drain_s, __ATOMIC_RELAXED);
	uint32_t least = drain_s > floor_s ? drain_s : floor_s;
	return between(part, least, 2 * least);
}

bool overload_reached(const struct overload_part *part)
{
	return overload_state(part->all) == OVERLOAD_OVERLOAD;
}

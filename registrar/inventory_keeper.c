/* SPDX-License-Identifier: Apache-2.0 */
/* The inventory's thread: writes sightings behind, adds who may be added. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "registrar/inventory_inside.h"
#include "registrar/log.h"
#include "registrar/memory.h"

enum {
	TICK_S = 5,
	ROWS = 512,    /* in one transaction */
	STORM = 1000,  /* devices that came in a tick: the disk can wait */
	LATEST_S = 60, /* but no longer than this */
	DAY_S = 86400,
};

/* ---- sightings ---- */

/* Where a round over all buckets is. */
struct round {
	size_t bucket;
	bool over;
	size_t n;
	struct store_sighting rows[ROWS];
	struct store_change changes[ROWS];
};

static void take_row(struct inventory *inv, struct round *r, struct entry *e)
{
	struct store_sighting *row = &r->rows[r->n];
	strncpy(row->name, e->device->name, sizeof(row->name) - 1);
	row->name[sizeof(row->name) - 1] = '\0';
	pthread_mutex_lock(&inv->sight);
	row->seen = *e->seen;
	__atomic_store_n(&e->dirty, 0, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&inv->sight);
	__atomic_sub_fetch(&inv->n_dirty, 1, __ATOMIC_RELAXED);
	r->changes[r->n++] = (struct store_change){
		.what = STORE_PUT_SIGHTING, .sighting = row};
}

/* Rows of whole buckets, until they might not fit. */
static void take_rows(struct inventory *inv, struct round *r)
{
	r->n = 0;
	pthread_rwlock_rdlock(&inv->lock);
	for (; r->bucket < inv->n_buckets && r->n < ROWS / 2; r->bucket++)
		for (struct entry *e = inv->buckets[r->bucket];
			e && r->n < ROWS; e = e->next)
			if (__atomic_load_n(&e->dirty, __ATOMIC_RELAXED))
				take_row(inv, r, e);
	r->over = r->bucket >= inv->n_buckets;
	pthread_rwlock_unlock(&inv->lock);
}

/* They were not written: they are to be written still. */
static void give_back(struct inventory *inv, const struct round *r)
{
	pthread_rwlock_rdlock(&inv->lock);
	pthread_mutex_lock(&inv->sight);
	for (size_t i = 0; i < r->n; i++) {
		struct entry *e = *inventory_place(inv, r->rows[i].name);
		if (!e || e->dirty)
			continue;
		__atomic_store_n(&e->dirty, 1, __ATOMIC_RELAXED);
		__atomic_add_fetch(&inv->n_dirty, 1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&inv->sight);
	pthread_rwlock_unlock(&inv->lock);
}

/* Once when it begins to fail, and once when it goes well again. */
static void tell(struct inventory *inv, int error, const struct diag *d)
{
	struct log_line line;
	bool fails = error < 0;
	if (fails == inv->failing)
		return;
	__atomic_store_n(&inv->failing, fails, __ATOMIC_RELAXED);
	log_begin(&line, fails ? LOG_EV_STORE_FAILED : LOG_EV_STORE_WORKS);
	log_str(&line, "what", "what was last seen of devices");
	log_str(&line, "why", fails ? d->text : NULL);
	log_end(&line);
}

bool inventory_fails(const struct inventory *inv)
{
	return __atomic_load_n(&inv->failing, __ATOMIC_RELAXED);
}

/* One transaction. Others may change the inventory between two. */
static int write_rows(struct inventory *inv, struct round *r)
{
	struct diag d;
	int error = 0;
	pthread_mutex_lock(&inv->changing);
	take_rows(inv, r);
	if (r->n) {
		error = store_write(inv->store, r->changes, r->n, &d);
		tell(inv, error, &d);
	}
	if (error < 0)
		give_back(inv, r);
	pthread_mutex_unlock(&inv->changing);
	return error;
}

static void write_sightings(struct inventory *inv)
{
	struct round *r = memory_zero(sizeof(*r));
	int error = 0;
	/* The table only grows, and then the next round finds the rest. */
	while (error == 0 && !r->over)
		error = write_rows(inv, r);
	free(r);
}

/* ---- strangers ---- */

static void log_added(const struct device *device)
{
	struct log_line line;
	log_begin(&line, LOG_EV_DEVICE_ADDED);
	log_str(&line, "device", device->name);
	log_str(&line, "profile", device->profile);
	log_str(&line, "mic", device->mic ? "yes" : "no");
	log_str(&line, "why", "auto-registration is open");
	log_end(&line);
}

static void log_not_added(size_t n, const struct device *first, const char *why)
{
	struct log_line line;
	log_begin(&line, LOG_EV_STORE_FAILED);
	log_str(&line, "what", "devices that register themselves");
	log_num(&line, "devices", (int64_t)n);
	log_str(&line, "first", first->name);
	log_str(&line, "why", why);
	log_end(&line);
}

/* All of them in one transaction; who was added meanwhile is left alone. */
static void add_all(struct inventory *inv, struct device **devices, size_t n)
{
	struct store_change changes[AUTO_WAITING_MAX];
	struct diag d;
	size_t k = 0;
	for (size_t i = 0; i < n; i++) {
		struct device *there = inventory_find(inv, devices[i]->name);
		if (!there)
			changes[k++] = (struct store_change){
				.what = STORE_PUT_DEVICE, .device = devices[i]};
		device_unref(there);
	}
	if (k == 0)
		return;
	if (store_write(inv->store, changes, k, &d) < 0) {
		log_not_added(k, changes[0].device, d.text);
		return;
	}
	pthread_rwlock_wrlock(&inv->lock);
	for (size_t i = 0; i < k; i++)
		inventory_keep(
			inv, device_ref((struct device *)changes[i].device));
	pthread_rwlock_unlock(&inv->lock);
	for (size_t i = 0; i < k; i++)
		log_added(changes[i].device);
}

/* They stay in `waiting` until they are added, so that none waits twice. */
static void add_strangers(struct inventory *inv)
{
	struct device *taken[AUTO_WAITING_MAX];
	pthread_mutex_lock(&inv->sight);
	size_t n = inv->n_waiting;
	memcpy(taken, inv->waiting, n * sizeof(struct device *));
	pthread_mutex_unlock(&inv->sight);
	if (n == 0)
		return;
	pthread_mutex_lock(&inv->changing);
	add_all(inv, taken, n);
	pthread_mutex_unlock(&inv->changing);
	pthread_mutex_lock(&inv->sight);
	inv->n_waiting -= n;
	memmove(inv->waiting, inv->waiting + n,
		inv->n_waiting * sizeof(struct device *));
	pthread_mutex_unlock(&inv->sight);
	for (size_t i = 0; i < n; i++)
		device_unref(taken[i]);
}

static struct device *stranger(const char *name, const struct peer *peer)
{
	enum security_mode mode = security_mode_of(peer->tls, peer->cipher);
	return device_new(&(struct device){
		.name = name,
		.description = "auto-registered",
		.model = peer->cert ? peer->cert->model : "",
		.profile = security_mode_name(mode),
		.protocol =
			peer->protocol == CONFIG_SIP ? DEVICE_SIP : DEVICE_SCCP,
		.mic = peer->kind == CERT_KIND_MIC,
	});
}

static bool waits(const struct inventory *inv, const char *name)
{
	for (size_t i = 0; i < inv->n_waiting; i++)
		if (strcasecmp(inv->waiting[i]->name, name) == 0)
			return true;
	return false;
}

static bool is_open(const struct inventory *inv, int64_t unix_s)
{
	return unix_s < inv->window.until &&
	       inv->window.until - unix_s <= INVENTORY_WINDOW_DAYS * DAY_S;
}

/* Those who wait and are not added yet: they stay for a moment longer. */
static size_t to_be_added(const struct inventory *inv)
{
	size_t n = 0;
	for (size_t i = 0; i < inv->n_waiting; i++)
		n += !*inventory_place(inv, inv->waiting[i]->name);
	return n;
}

/* With `lock` and `sight` held. */
static enum inventory_auto auto_register(struct inventory *inv,
	const char *name, const struct peer *peer, int64_t unix_s)
{
	if (*inventory_place(inv, name)) /* it was added since it was judged */
		return INVENTORY_AUTO_PENDING;
	if (!is_open(inv, unix_s) || (!peer->tls && !inv->window.plain) ||
		(peer->tls && !peer->verified))
		return INVENTORY_AUTO_CLOSED;
	if (waits(inv, name))
		return INVENTORY_AUTO_PENDING;
	if (inv->n_waiting == AUTO_WAITING_MAX ||
		inv->n + to_be_added(inv) >= inv->config->devices_max)
		return INVENTORY_AUTO_FULL;
	inv->waiting[inv->n_waiting++] = stranger(name, peer);
	pthread_cond_signal(&inv->wake);
	return INVENTORY_AUTO_PENDING;
}

enum inventory_auto inventory_auto_register(struct inventory *inv,
	const char *name, const struct peer *peer, int64_t unix_s)
{
	pthread_rwlock_rdlock(&inv->lock);
	pthread_mutex_lock(&inv->sight);
	enum inventory_auto result = auto_register(inv, name, peer, unix_s);
	pthread_mutex_unlock(&inv->sight);
	pthread_rwlock_unlock(&inv->lock);
	return result;
}

/* ---- the window ---- */

static void log_window(const struct store_window *window, const char *why)
{
	struct log_line line;
	char until[21];
	cert_time_text(window->until, until);
	log_begin(&line, LOG_EV_AUTO_REGISTRATION);
	log_str(&line, "state", window->until ? "open" : "closed");
	log_str(&line, "until", window->until ? until : NULL);
	log_str(&line, "plain", window->plain ? "yes" : NULL);
	log_str(&line, "why", why);
	log_end(&line);
}

static int judge_window(
	const struct store_window *window, int64_t unix_s, struct diag *d)
{
	int64_t left = window->until - unix_s;
	if (window->until == 0)
		return 0;
	if (left <= 0)
		return diag_set(d, -ERANGE, "until: is over already");
	if (left > INVENTORY_WINDOW_DAYS * DAY_S)
		return diag_set(d, -ERANGE,
			"until: is more than %d days away, the longest that "
			"strangers may be let in",
			INVENTORY_WINDOW_DAYS);
	return 0;
}

static int write_window(struct inventory *inv,
	const struct store_window *window, const char *why, struct diag *d)
{
	const struct store_change change = {
		.what = STORE_PUT_WINDOW, .window = window};
	int error = store_write(inv->store, &change, 1, d);
	if (error < 0)
		return error;
	pthread_mutex_lock(&inv->sight);
	inv->window = *window;
	pthread_mutex_unlock(&inv->sight);
	log_window(window, why);
	return 0;
}

int inventory_may_set_window(struct inventory *inv,
	const struct store_window *window, int64_t unix_s, struct diag *d)
{
	int error = judge_window(window, unix_s, d);
	if (error < 0 || inv->store)
		return error;
	return diag_set(d, -ENOTSUP,
		"strangers cannot be added: the configuration names no "
		"state.folder; name one and start dialtoned anew");
}

int inventory_set_window(struct inventory *inv,
	const struct store_window *window, int64_t unix_s, struct diag *d)
{
	int error = inventory_may_set_window(inv, window, unix_s, d);
	if (error < 0)
		return error;
	pthread_mutex_lock(&inv->changing);
	error = write_window(inv, window, "an admin's order", d);
	pthread_mutex_unlock(&inv->changing);
	return error;
}

struct store_window inventory_window(struct inventory *inv, int64_t unix_s)
{
	struct store_window closed = {0};
	pthread_mutex_lock(&inv->sight);
	struct store_window window =
		is_open(inv, unix_s) ? inv->window : closed;
	pthread_mutex_unlock(&inv->sight);
	return window;
}

/* Its time is over: say so, once, and forget it. */
static void close_window(struct inventory *inv)
{
	static const struct store_window closed;
	struct diag d;
	pthread_mutex_lock(&inv->changing);
	pthread_mutex_lock(&inv->sight);
	bool over = inv->window.until && !is_open(inv, time(NULL));
	pthread_mutex_unlock(&inv->sight);
	if (over)
		write_window(inv, &closed, "its time is over", &d);
	pthread_mutex_unlock(&inv->changing);
}

/* ---- the thread ---- */

/* Waits for a stranger, the end, or the next tick; then true. */
static bool wait(struct inventory *inv, const struct timespec *tick)
{
	int code = 0;
	pthread_mutex_lock(&inv->sight);
	while (!inv->stop && !inv->n_waiting && code != ETIMEDOUT)
		code = pthread_cond_timedwait(&inv->wake, &inv->sight, tick);
	bool ticks = !inv->stop && !inv->n_waiting;
	pthread_mutex_unlock(&inv->sight);
	return ticks;
}

static bool stops(struct inventory *inv)
{
	pthread_mutex_lock(&inv->sight);
	bool stop = inv->stop;
	pthread_mutex_unlock(&inv->sight);
	return stop;
}

/* While many come, their sightings wait: a storm costs no SQL. */
static void tick(struct inventory *inv, size_t *before, int *ticks_waited)
{
	size_t now = __atomic_load_n(&inv->n_dirty, __ATOMIC_RELAXED);
	bool storm = now > *before + STORM;
	*before = now;
	if (storm && ++*ticks_waited < LATEST_S / TICK_S)
		return;
	*ticks_waited = 0;
	if (now)
		write_sightings(inv);
	*before = __atomic_load_n(&inv->n_dirty, __ATOMIC_RELAXED);
	close_window(inv);
}

static void *keep(void *self)
{
	struct inventory *inv = self;
	struct timespec next;
	size_t before = 0;
	int waited = 0;
	sigset_t all;
	sigfillset(&all); /* signals are the main loop's */
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	clock_gettime(CLOCK_MONOTONIC, &next);
	next.tv_sec += TICK_S;
	while (!stops(inv)) {
		if (wait(inv, &next)) {
			tick(inv, &before, &waited);
			clock_gettime(CLOCK_MONOTONIC, &next);
			next.tv_sec += TICK_S;
		}
		add_strangers(inv);
	}
	add_strangers(inv);
	write_sightings(inv);
	return NULL;
}

void inventory_keeper_start(struct inventory *inv)
{
	inv->keeping = pthread_create(&inv->keeper, NULL, keep, inv) == 0;
	if (!inv->keeping)
		abort(); /* law 2: no memory for a thread */
}

void inventory_keeper_stop(struct inventory *inv)
{
	if (!inv->keeping)
		return;
	pthread_mutex_lock(&inv->sight);
	inv->stop = true;
	pthread_cond_signal(&inv->wake);
	pthread_mutex_unlock(&inv->sight);
	pthread_join(inv->keeper, NULL);
	inv->keeping = false;
}

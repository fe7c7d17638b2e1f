/* SPDX-License-Identifier: Apache-2.0 */
/* Who is locked out by a change of trust: before it is made, and after. */
#include "registrar/impact.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "registrar/log.h"
#include "registrar/memory.h"
#include "registrar/server.h"
#include "registrar/text.h"
#include "registrar/tls/lean.h"

/* A census is good for so many times as long as it took: a fiftieth of a
 * processor at most, whoever asks however often. */
enum { CENSUS_WORTH = 50 };

/* A change of one store that is to be told. */
struct change {
	struct trust_snapshot *before, *after; /* NULL: all is told */
	struct impact_told told;
};

struct impact {
	struct server *server;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;
	struct change changes[TRUST_STORES];
	bool stop;
	pthread_t thread;
	pthread_mutex_t census_lock;
	struct census *census;
	double census_until; /* by seconds() */
};

static double seconds(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int64_t unix_ms(void)
{
	return (int64_t)(seconds(CLOCK_REALTIME) * 1000);
}

/* ---- judging ---- */

struct judging {
	struct server *server;
	struct impact_report *report;
	time_t now;
	const bool *stop;
};

/* Decoded where that costs less; NULL of shown->leaf: it was not kept. */
static void show(const struct leaf *kept, struct trust_shown *shown)
{
	const unsigned char *at = kept ? kept->chain : NULL;
	const unsigned char *end = kept ? at + kept->n : NULL;
	*shown = (struct trust_shown){.leaf = NULL};
	while (at < end) {
		X509 *cert = X509_new_ex(lean_library(), NULL);
		if (!cert)
			abort();		     /* law 2: no memory */
		if (!d2i_X509(&cert, &at, end - at)) /* frees it */
			return;
		if (!shown->leaf) {
			shown->leaf = cert;
			shown->helpers = sk_X509_new_null();
		} else if (sk_X509_push(shown->helpers, cert) == 0) {
			abort(); /* law 2: no memory */
		}
	}
}

static void hide(struct trust_shown *shown)
{
	X509_free(shown->leaf);
	sk_X509_pop_free(shown->helpers, X509_free);
}

static void find_in_directory(struct server *s, struct impact_row *row)
{
	struct directory_entry e;
	if (!directory_find(server_directory(s), row->device, &e))
		return;
	row->registered = e.registered;
	if (e.seen_ms > row->seen_ms)
		row->seen_ms = e.seen_ms;
	directory_entry_deinit(&e);
}

static size_t anchor_of(struct impact_report *r, const char *file)
{
	size_t i = 0;
	while (i < r->n_anchors && strcmp(r->anchors[i].file, file) != 0)
		i++;
	if (i < r->n_anchors)
		return i;
	struct impact_anchor *fresh = memory_grow(
		(void **)&r->anchors, &r->n_anchors, sizeof(*fresh));
	*fresh = (struct impact_anchor){.locked_out = 0};
	text_copy(fresh->file, sizeof(fresh->file), file);
	return i;
}

static int by_name(const void *name, const void *row)
{
	return strcasecmp(name, ((const struct impact_row *)row)->device);
}

/* Under which anchor it was locked out before; NULL: it was not. */
static const char *standing(const struct impact_report *r, const char *device)
{
	const struct impact_report *earlier = r->standing;
	const struct impact_row *row =
		earlier && earlier->n_rows
			? bsearch(device, earlier->rows, earlier->n_rows,
				  sizeof(*row), by_name)
			: NULL;
	return row ? earlier->anchors[row->anchor].file : NULL;
}

static void add_row(const struct judging *j, const struct bearer *b,
	const struct trust_impact *impact, const char *file)
{
	struct impact_report *r = j->report;
	const struct leaf *last = census_last(b);
	struct impact_row *row =
		memory_grow((void **)&r->rows, &r->n_rows, sizeof(*row));
	*row = (struct impact_row){
		.kind = last ? last->kind : (enum cert_kind)b->seen.kind,
		.anchor = anchor_of(r, file),
		.then = impact->then,
		.judged = impact->judged,
		.mic_passes = impact->mic_passes,
		.seen_ms = b->seen.registered * 1000,
	};
	text_copy(row->device, sizeof(row->device), b->name);
	find_in_directory(j->server, row);
	r->n.locked_out++;
	r->n.registered += row->registered;
	r->n.mic_passes += row->mic_passes;
	r->n.not_judged += !row->judged;
	r->anchors[row->anchor].locked_out++;
	r->anchors[row->anchor].registered += row->registered;
}

static bool judge(void *self, const struct bearer *b)
{
	struct judging *j = self;
	struct impact_report *r = j->report;
	const struct leaf *last = census_last(b);
	struct trust_bearer bearer = {
		.anchor_file = b->seen.anchor, .purpose = r->purpose};
	struct trust_impact impact;
	if (!last && b->seen.kind == CERT_KIND_UNKNOWN)
		return true;
	memcpy(bearer.anchor, census_anchor(b), sizeof(bearer.anchor));
	show(last, &bearer.last);
	if (b->mic != last &&
		(r->purpose == TRUST_ENROL || (b->device && b->device->mic)))
		show(b->mic, &bearer.mic);
	trust_impact(r->before, r->after, &bearer, j->now, &impact);
	hide(&bearer.last);
	hide(&bearer.mic);
	r->n.devices++;
	r->n.let_in += trust_impact_lets_in(&impact);
	const char *file = trust_impact_locks_out(&impact) ? impact.anchor->file
			   : impact.then != TRUST_OK ? standing(r, b->name)
						     : NULL;
	if (file)
		add_row(j, b, &impact, file);
	return !j->stop || !__atomic_load_n(j->stop, __ATOMIC_RELAXED);
}

void impact_judge(
	struct server *s, struct impact_report *report, const bool *stop)
{
	struct judging j = {s, report, time(NULL), stop};
	double began = seconds(CLOCK_THREAD_CPUTIME_ID);
	const struct census_sources from = server_census(s);
	census_walk(&from, LEAVES_WHOLE, judge, &j);
	report->cpu_s = seconds(CLOCK_THREAD_CPUTIME_ID) - began;
}

enum trust_purpose impact_purpose(enum trust_store store)
{
	return store == STORE_CAPF ? TRUST_ENROL : TRUST_REGISTER;
}

void impact_report_deinit(struct impact_report *report)
{
	free(report->anchors);
	free(report->rows);
}

/* ---- after a reload ---- */

static void write_anchors(const struct impact_report *r, char *out, size_t size)
{
	size_t n = 0;
	*out = '\0';
	for (size_t i = 0; i < r->n_anchors && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s %zu",
			i ? ", " : "", r->anchors[i].file,
			r->anchors[i].locked_out);
}

static void log_told(enum trust_store store, const struct impact_told *told)
{
	struct log_line line;
	log_begin(&line, told->n.locked_out ? LOG_EV_LOCKED_OUT
					    : LOG_EV_LOCKED_OUT_NO_MORE);
	log_str(&line, "store", trust_store_name(store));
	log_num(&line, "locked_out", (int64_t)told->n.locked_out);
	if (told->n.locked_out) {
		log_num(&line, "registered", (int64_t)told->n.registered);
		log_num(&line, "mic_passes", (int64_t)told->n.mic_passes);
		log_num(&line, "not_judged", (int64_t)told->n.not_judged);
		log_str(&line, "by_anchor", told->anchors);
		log_str(&line, "cure",
			"put the CA file back, or give these phones a new LSC");
	}
	log_end(&line);
}

static void tell(
	struct impact *i, enum trust_store store, const struct impact_report *r)
{
	struct impact_told *last = &i->changes[store].told;
	struct impact_told told = {.since_ms = unix_ms(), .n = r->n};
	write_anchors(r, told.anchors, sizeof(told.anchors));
	pthread_mutex_lock(&i->lock);
	bool news = told.n.locked_out != last->n.locked_out ||
		    strcmp(told.anchors, last->anchors) != 0;
	if (last->n.locked_out)
		told.since_ms = last->since_ms;
	*last = told;
	pthread_mutex_unlock(&i->lock);
	if (news)
		log_told(store, &told);
}

/* The next store that changed, or TRUST_STORES. */
static int next_store(const struct impact *i)
{
	int store = 0;
	while (store < TRUST_STORES && !i->changes[store].after)
		store++;
	return store;
}

/* References on both sets are the caller's then. TRUST_STORES: the end. */
static int wait_for_change(struct impact *i, struct impact_report *r)
{
	int store;
	pthread_mutex_lock(&i->lock);
	while ((store = next_store(i)) == TRUST_STORES && !i->stop)
		pthread_cond_wait(&i->wake, &i->lock);
	if (i->stop)
		store = TRUST_STORES;
	if (store < TRUST_STORES) {
		struct change *c = &i->changes[store];
		r->before = c->before;
		r->after = c->after;
		c->before = c->after = NULL;
	}
	pthread_mutex_unlock(&i->lock);
	return store;
}

static void *run(void *self)
{
	struct impact *i = self;
	struct impact_report last[TRUST_STORES] = {{.before = NULL}};
	struct impact_report r = {.before = NULL};
	int store;
	while ((store = wait_for_change(i, &r)) < TRUST_STORES) {
		r.purpose = impact_purpose((enum trust_store)store);
		r.standing = &last[store];
		impact_judge(i->server, &r, &i->stop);
		if (!__atomic_load_n(&i->stop, __ATOMIC_RELAXED))
			tell(i, (enum trust_store)store, &r);
		trust_snapshot_unref((struct trust_snapshot *)r.before);
		trust_snapshot_unref((struct trust_snapshot *)r.after);
		impact_report_deinit(&last[store]);
		last[store] = r;
		r = (struct impact_report){.before = NULL};
	}
	for (int k = 0; k < TRUST_STORES; k++)
		impact_report_deinit(&last[k]);
	return NULL;
}

void impact_tell(struct server *s, enum trust_store store,
	struct trust_snapshot *before, struct trust_snapshot *after)
{
	struct impact *i = server_impact(s);
	struct change *c = &i->changes[store];
	pthread_mutex_lock(&i->lock);
	if (!c->after)
		c->before = trust_snapshot_ref(before);
	trust_snapshot_unref(c->after);
	c->after = trust_snapshot_ref(after);
	pthread_mutex_unlock(&i->lock);
	pthread_cond_signal(&i->wake);
}

struct impact_told impact_told(struct server *s, enum trust_store store)
{
	struct impact *i = server_impact(s);
	pthread_mutex_lock(&i->lock);
	struct impact_told told = i->changes[store].told;
	pthread_mutex_unlock(&i->lock);
	return told;
}

/* ---- life ---- */

int impact_new(struct server *s, struct impact **out, struct diag *d)
{
	struct impact *i = memory_zero(sizeof(*i));
	sigset_t all, before;
	i->server = s;
	pthread_mutex_init(&i->lock, NULL);
	pthread_mutex_init(&i->census_lock, NULL);
	pthread_cond_init(&i->wake, NULL);
	sigfillset(&all); /* signals are the main loop's */
	pthread_sigmask(SIG_BLOCK, &all, &before);
	int error = pthread_create(&i->thread, NULL, run, i);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	*out = i;
	if (!error)
		return 0;
	free(i);
	*out = NULL;
	return diag_set(d, -error,
		"cannot start the thread that judges "
		"changes of trust: %s",
		strerror(error));
}

void impact_free(struct impact *i)
{
	if (!i)
		return;
	pthread_mutex_lock(&i->lock);
	__atomic_store_n(&i->stop, true, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&i->lock);
	pthread_cond_signal(&i->wake);
	pthread_join(i->thread, NULL);
	for (int k = 0; k < TRUST_STORES; k++) {
		trust_snapshot_unref(i->changes[k].before);
		trust_snapshot_unref(i->changes[k].after);
	}
	census_free(i->census);
	pthread_mutex_destroy(&i->lock);
	pthread_mutex_destroy(&i->census_lock);
	pthread_cond_destroy(&i->wake);
	free(i);
}

/* ---- at any time ---- */

const struct census *impact_census(struct server *s)
{
	struct impact *i = server_impact(s);
	pthread_mutex_lock(&i->census_lock);
	double began = seconds(CLOCK_MONOTONIC);
	if (!i->census || began >= i->census_until) {
		census_free(i->census);
		const struct census_sources from = server_census(s);
		i->census = census_take(&from, time(NULL));
		double ended = seconds(CLOCK_MONOTONIC);
		i->census_until = ended + (ended - began) * CENSUS_WORTH;
	}
	return i->census;
}

void impact_census_release(struct server *s)
{
	pthread_mutex_unlock(&server_impact(s)->census_lock);
}

size_t impact_depending(struct server *s, const uint8_t anchor[32])
{
	struct profiles *p = server_profiles(s);
	const struct trust_anchor *a = trust_snapshot_find(p->trust, anchor);
	const struct census *c = impact_census(s);
	size_t n = census_depending(c, anchor, a ? a->file : "") +
		   census_lost(c, p->trust);
	impact_census_release(s);
	profiles_unref(p);
	return n;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker counts by name and by how long it took: for /metrics. */
#include "registrar/meters.h"

#include <string.h>
#include <time.h>

#include "registrar/text.h"

static void add(uint64_t *counter, uint64_t n)
{
	__atomic_add_fetch(counter, n, __ATOMIC_RELAXED);
}

static uint64_t get(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void set(uint64_t *gauge, uint64_t n)
{
	__atomic_store_n(gauge, n, __ATOMIC_RELAXED);
}

static bool is_used(const bool *used)
{
	return __atomic_load_n(used, __ATOMIC_ACQUIRE);
}

static void mark_used(bool *used)
{
	__atomic_store_n(used, true, __ATOMIC_RELEASE);
}

uint64_t meters_now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void meters_add(struct meters *m, enum meters_count what)
{
	add(&m->counts[what], 1);
}

/* ---- how long ---- */

uint64_t meters_bound_us(size_t bucket)
{
	return (uint64_t)METERS_LEAST_US << bucket;
}

/* The first whose bound is not below it. */
static size_t bucket_of(uint64_t us)
{
	uint64_t times = us ? (us - 1) / METERS_LEAST_US : 0;
	size_t bits = times ? 64 - (size_t)__builtin_clzll(times) : 0;
	return bits < METERS_BOUNDS ? bits : METERS_BOUNDS;
}

void meters_took(struct meters *m, enum meters_span span, uint64_t us)
{
	struct meters_histogram *h = &m->spans[span];
	add(&h->n[bucket_of(us)], 1);
	add(&h->sum_us, us);
}

/* A window is told before its number: who reads between the two takes it for
 * one that is long over. */
void meters_turned(struct meters *m, uint64_t woke_ms)
{
	uint64_t now_ms = meters_now_us() / 1000;
	uint64_t ms = now_ms > woke_ms ? now_ms - woke_ms : 0;
	uint64_t window = now_ms / METERS_WINDOW_MS + 1; /* zeroed: none */
	struct meters_longest *l = &m->longest[window % 2];
	bool fresh = l->window != window;
	meters_took(m, METERS_TURN, ms * 1000);
	if (!fresh && ms <= l->ms)
		return;
	set(&l->ms, ms);
	if (fresh)
		set(&l->window, window);
}

uint64_t meters_longest_ms(const struct meters *m, uint64_t now_ms)
{
	uint64_t window = now_ms / METERS_WINDOW_MS + 1;
	uint64_t longest = 0;
	for (size_t i = 0; i < 2; i++) {
		uint64_t of = get(&m->longest[i].window);
		uint64_t ms = get(&m->longest[i].ms);
		if (of != 0 && of + 1 >= window && ms > longest)
			longest = ms;
	}
	return longest;
}

/* ---- by name ---- */

/* Its place, looked for from c on, and taken if it had none; the last one where
 * there is no room. */
static struct meters_cipher *cipher_place(
	struct meters *m, struct meters_cipher *c, const char *name)
{
	struct meters_cipher *last = &m->ciphers[METERS_CIPHERS];
	while (c < last && is_used(&c->used) && c->name != name &&
		strcmp(c->name, name) != 0)
		c++;
	if (is_used(&c->used))
		return c;
	c->name = c < last ? name : "other";
	mark_used(&c->used);
	return c;
}

static struct meters_anchor *anchor_place(struct meters *m,
	struct meters_anchor *a, const char *file, enum cert_kind kind)
{
	struct meters_anchor *last = &m->anchors[METERS_ANCHORS];
	while (a < last && is_used(&a->used) &&
		(a->kind != kind ||
			strncmp(a->file, file, METERS_NAME_MAX) != 0))
		a++;
	if (is_used(&a->used))
		return a;
	text_copy(a->file, sizeof(a->file), a < last ? file : "other");
	a->kind = a < last ? kind : CERT_KIND_UNKNOWN;
	mark_used(&a->used);
	return a;
}

void meters_secured(struct meters *m, const struct meters_handshake *h)
{
	const struct trust_anchor *by = h->anchor;
	struct meters_anchor *a = anchor_place(m, m->anchors,
		by ? by->file : "none", by ? by->kind : CERT_KIND_UNKNOWN);
	struct meters_cipher *c = cipher_place(m, m->ciphers, h->cipher);
	add(&a->n[h->resumed], 1);
	add(&c->n[h->version][h->resumed], 1);
	meters_took(m, h->resumed ? METERS_RESUMED : METERS_FULL, h->us);
}

void meters_alerted(struct meters *m, int alert, bool received)
{
	if (alert >= 0 && alert < METERS_ALERTS)
		add(&m->alerts[alert][received], 1);
}

/* ---- sums ---- */

/* All counters of a table or of a histogram lie in a row. */
static void add_all(uint64_t *sum, const uint64_t *from, size_t size)
{
	for (size_t i = 0; i < size / sizeof(*sum); i++)
		sum[i] += get(&from[i]);
}

/* What is "other" stays so: it is looked for in the last place alone. */
static void sum_ciphers(struct meters *sum, const struct meters *w)
{
	for (size_t i = 0; i <= METERS_CIPHERS; i++) {
		const struct meters_cipher *c = &w->ciphers[i];
		if (!is_used(&c->used))
			continue;
		size_t from = i < METERS_CIPHERS ? 0 : i;
		struct meters_cipher *to =
			cipher_place(sum, &sum->ciphers[from], c->name);
		add_all(to->n[0], c->n[0], sizeof(c->n));
	}
}

static void sum_anchors(struct meters *sum, const struct meters *w)
{
	for (size_t i = 0; i <= METERS_ANCHORS; i++) {
		const struct meters_anchor *a = &w->anchors[i];
		if (!is_used(&a->used))
			continue;
		size_t from = i < METERS_ANCHORS ? 0 : i;
		struct meters_anchor *to = anchor_place(
			sum, &sum->anchors[from], a->file, a->kind);
		add_all(to->n, a->n, sizeof(a->n));
	}
}

void meters_sum(struct meters *sum, const struct meters *w)
{
	sum_ciphers(sum, w);
	sum_anchors(sum, w);
	add_all(sum->alerts[0], w->alerts[0], sizeof(w->alerts));
	add_all(sum->sip_answers, w->sip_answers, sizeof(w->sip_answers));
	add_all(sum->counts, w->counts, sizeof(w->counts));
	for (size_t i = 0; i < METERS_SPANS; i++) {
		struct meters_histogram *h = &sum->spans[i];
		add_all(h->n, w->spans[i].n, sizeof(h->n));
		h->sum_us += get(&w->spans[i].sum_us);
	}
}

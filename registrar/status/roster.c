/* SPDX-License-Identifier: Apache-2.0 */
/* Status's own copy of the directory, so that no poller holds up a phone. */
#include "registrar/status/roster.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/rand.h>

#include "registrar/memory.h"
#include "registrar/status/phone.h"

/* ---- phones ---- */

static struct roster_phone *new_phone(struct directory_entry *taken)
{
	struct roster_phone *p = memory_zero(sizeof(*p));
	p->refs = 1;
	p->entry = *taken;
	taken->device = NULL; /* its texts are ours now */
	return p;
}

void roster_phone_unref(struct roster_phone *p)
{
	if (__atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	directory_entry_deinit(&p->entry);
	free(p->text);
	free(p);
}

struct roster_phone *roster_take(struct roster *r, size_t slot)
{
	struct roster_phone *p = r->slots[slot].phone;
	if (!p->text) {
		json_t *o = status_phone_json(&p->entry);
		char *text = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
		p->text = memory_format(",%s", text);
		p->n = strlen(p->text);
		free(text);
		json_decref(o);
	}
	__atomic_add_fetch(&p->refs, 1, __ATOMIC_RELAXED);
	return p;
}

/* ---- places ---- */

/* How many of the first n come before that name (or, with it, up to it). */
static size_t place(
	const struct roster *r, const char *name, size_t n, int with)
{
	size_t low = 0;
	while (low < n) {
		size_t mid = low + (n - low) / 2;
		if (strcasecmp(r->slots[mid].phone->entry.device, name) < with)
			low = mid + 1;
		else
			n = mid;
	}
	return low;
}

size_t roster_behind(const struct roster *r, const char *name)
{
	return place(r, name, r->n, 1);
}

/* NULL: it is not there. */
static struct roster_slot *find(const struct roster *r, const char *name)
{
	size_t at = place(r, name, r->n, 0);
	return at < r->n && strcasecmp(
				    r->slots[at].phone->entry.device, name) == 0
		       ? &r->slots[at]
		       : NULL;
}

/* ---- who is gone ---- */

static void add_gone(struct roster *r, const char *name)
{
	struct roster_gone *g = &r->gone[r->n_gone++ % ROSTER_GONE_MAX];
	if (r->n_gone > ROSTER_GONE_MAX)
		r->oldest = g->changed;
	memcpy(g->name, name, strlen(name) + 1);
	g->changed = r->now.number;
}

const char *roster_gone_since(
	const struct roster *r, uint64_t version, size_t *i)
{
	size_t first =
		r->n_gone > ROSTER_GONE_MAX ? r->n_gone - ROSTER_GONE_MAX : 0;
	for (; first + *i < r->n_gone; ++*i) {
		const struct roster_gone *g =
			&r->gone[(first + *i) % ROSTER_GONE_MAX];
		if (g->changed > version && !find(r, g->name)) {
			++*i;
			return g->name;
		}
	}
	return NULL;
}

static void forget(struct roster *r, const char *name)
{
	struct roster_slot *slot = find(r, name);
	if (!slot)
		return; /* it came and went unseen */
	add_gone(r, slot->phone->entry.device);
	roster_phone_unref(slot->phone);
	r->n--;
	memmove(slot, slot + 1,
		(size_t)(&r->slots[r->n] - slot) * sizeof(*slot));
}

/* ---- who is new ---- */

/* Slots of phones that were not there; `changed` is their order until they
 * are put in. */
struct fresh {
	struct roster_slot *list;
	size_t n;
};

static int by_name(const void *a, const void *b)
{
	const struct roster_slot *x = a, *y = b;
	int order = strcasecmp(x->phone->entry.device, y->phone->entry.device);
	if (order == 0)
		order = x->changed < y->changed ? -1 : 1;
	return order;
}

/* One that changed while it was copied came twice: the last one counts. */
static void sort(struct fresh *f)
{
	size_t n = 0;
	if (f->n)
		qsort(f->list, f->n, sizeof(*f->list), by_name);
	for (size_t i = 0; i < f->n; i++) {
		struct roster_slot *last = n ? &f->list[n - 1] : NULL;
		if (last && strcasecmp(last->phone->entry.device,
				    f->list[i].phone->entry.device) == 0)
			roster_phone_unref(f->list[--n].phone);
		f->list[n++] = f->list[i];
	}
	f->n = n;
}

/* From the end, so that each slot moves once. */
static void put_in(struct roster *r, struct fresh *f)
{
	size_t end = r->n;
	if (r->n + f->n > r->room) {
		r->room = r->n + f->n + r->n / 8;
		r->slots = realloc(r->slots, r->room * sizeof(*r->slots));
		if (!r->slots)
			abort(); /* bounded by limits.devices */
	}
	r->n += f->n;
	for (size_t left = f->n; left; left--) {
		struct roster_slot *one = &f->list[left - 1];
		size_t at = place(r, one->phone->entry.device, end, 0);
		memmove(&r->slots[at + left], &r->slots[at],
			(end - at) * sizeof(*r->slots));
		r->slots[at + left - 1] = *one;
		r->slots[at + left - 1].changed = r->now.number;
		end = at;
	}
}

static void take_entry(
	struct roster *r, struct fresh *f, struct directory_entry *e)
{
	struct roster_phone *phone = new_phone(e);
	struct roster_slot *slot = find(r, phone->entry.device);
	if (!slot) {
		slot = memory_grow((void **)&f->list, &f->n, sizeof(*f->list));
		*slot = (struct roster_slot){phone, f->n};
		return;
	}
	if (slot->phone->entry.changes != phone->entry.changes)
		slot->changed = r->now.number;
	roster_phone_unref(slot->phone);
	slot->phone = phone;
}

/* ---- all of it ---- */

static void clear(struct roster *r)
{
	for (size_t i = 0; i < r->n; i++)
		roster_phone_unref(r->slots[i].phone);
	r->n = 0;
}

/* Does anything of it show, or was it only heard of? */
static bool shows(const struct roster *r, const struct directory_news *news)
{
	bool any = news->n_gone > 0;
	for (size_t i = 0; i < news->n && !any; i++) {
		const struct roster_slot *slot = find(r, news->list[i].device);
		any = !slot ||
		      slot->phone->entry.changes != news->list[i].changes;
	}
	return any;
}

/* What is new; all of it where more was forgotten than is known by name. */
static void get_news(struct roster *r, struct directory_news *news)
{
	directory_news(r->directory, false, news);
	while (news->lost) {
		directory_news_deinit(news);
		directory_news(r->directory, true, news);
		clear(r);
		r->n_gone = 0;
		r->oldest = r->now.number + 1;
	}
	r->now.number += shows(r, news) || r->oldest > r->now.number;
}

void roster_look(struct roster *r)
{
	struct directory_news news;
	struct fresh fresh = {0};
	pthread_mutex_lock(&r->lock);
	get_news(r, &news);
	for (size_t i = 0; i < news.n_gone; i++)
		forget(r, news.gone[i]);
	for (size_t i = 0; i < news.n; i++)
		take_entry(r, &fresh, &news.list[i]);
	sort(&fresh);
	put_in(r, &fresh);
	free(fresh.list);
	directory_news_deinit(&news);
}

void roster_release(struct roster *r)
{
	pthread_mutex_unlock(&r->lock);
}

struct roster *roster_new(struct directory *directory)
{
	struct roster *r = memory_zero(sizeof(*r));
	r->directory = directory;
	pthread_mutex_init(&r->lock, NULL);
	if (RAND_bytes((uint8_t *)&r->now.run, sizeof(r->now.run)) != 1)
		abort(); /* no entropy */
	return r;
}

void roster_free(struct roster *r)
{
	if (!r)
		return;
	clear(r);
	free(r->slots);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The waiting room: accepted sockets that nobody serves yet, and their turn. */
#include "registrar/net/room.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/memory.h"

enum { BUCKETS = 512 };

struct prefix;

/* Linked twice, oldest first each time: in its class, and among those of its
 * class and prefix. */
struct waiting {
	struct room_guest guest;
	struct prefix *prefix;
	struct waiting *older, *newer;
	struct waiting *prefix_older, *prefix_newer;
};

/* A network that somebody waits from. */
struct prefix {
	struct prefix *hash_next;
	uint64_t key;
	size_t waiting;
	struct prefix *weight_prev, *weight_next; /* of that many waiting */
	struct {
		struct waiting *oldest, *newest;
		struct prefix *prev, *next; /* in the class's ring */
	} of[ROOM_CLASSES];
};

struct class
{
	struct waiting *oldest, *newest;
	struct prefix *turn; /* of the ring; NULL: empty */
	size_t n;
};

struct room {
	size_t max;
	uint32_t stale_ms;
	unsigned turns; /* of resuming ones while strangers waited */
	struct class of[ROOM_CLASSES];
	struct prefix *buckets[BUCKETS];
	size_t heaviest;
	struct prefix *by_weight[]; /* [n]: prefixes with n waiting, n <= max */
};

struct room *room_new(size_t max, uint32_t stale_ms)
{
	struct room *r =
		memory_zero(sizeof(*r) + (max + 1) * sizeof(struct prefix *));
	r->max = max;
	r->stale_ms = stale_ms;
	return r;
}

void room_free(struct room *r)
{
	if (!r)
		return;
	assert(!r->of[ROOM_RESUMING].n && !r->of[ROOM_STRANGERS].n);
	free(r);
}

/* ---- prefixes ---- */

static uint64_t key_of(const struct in6_addr *address)
{
	uint64_t key = 0;
	bool v4 = IN6_IS_ADDR_V4MAPPED(address);
	const uint8_t *p = address->s6_addr;
	for (size_t i = v4 ? 12 : 0; i < (v4 ? 15 : 7); i++)
		key = key << 8 | p[i];
	return v4 ? key : key | UINT64_C(1) << 63;
}

static struct prefix **bucket_of(struct room *r, uint64_t key)
{
	return &r->buckets[key * UINT64_C(0x9E3779B97F4A7C15) >> 55];
}

static void weigh(struct room *r, struct prefix *p, size_t waiting)
{
	if (p->waiting && p->weight_prev)
		p->weight_prev->weight_next = p->weight_next;
	else if (p->waiting)
		r->by_weight[p->waiting] = p->weight_next;
	if (p->waiting && p->weight_next)
		p->weight_next->weight_prev = p->weight_prev;
	p->waiting = waiting;
	p->weight_prev = NULL;
	p->weight_next = waiting ? r->by_weight[waiting] : NULL;
	if (p->weight_next)
		p->weight_next->weight_prev = p;
	if (waiting)
		r->by_weight[waiting] = p;
	if (waiting > r->heaviest)
		r->heaviest = waiting;
	while (r->heaviest && !r->by_weight[r->heaviest])
		r->heaviest--;
}

static struct prefix *prefix_enter(struct room *r, uint64_t key)
{
	struct prefix **bucket = bucket_of(r, key), *p = *bucket;
	while (p && p->key != key)
		p = p->hash_next;
	if (!p) {
		p = memory_zero(sizeof(*p));
		p->key = key;
		p->hash_next = *bucket;
		*bucket = p;
	}
	weigh(r, p, p->waiting + 1);
	return p;
}

static void prefix_leave(struct room *r, struct prefix *p)
{
	struct prefix **at = bucket_of(r, p->key);
	weigh(r, p, p->waiting - 1);
	if (p->waiting)
		return;
	while (*at != p)
		at = &(*at)->hash_next;
	*at = p->hash_next;
	free(p);
}

/* Into the ring, last in turn. */
static void ring_put(struct class *c, struct prefix *p, enum room_class class)
{
	struct prefix *turn = c->turn;
	if (!turn) {
		p->of[class].prev = p->of[class].next = p;
		c->turn = p;
		return;
	}
	p->of[class].next = turn;
	p->of[class].prev = turn->of[class].prev;
	turn->of[class].prev->of[class].next = p;
	turn->of[class].prev = p;
}

static void ring_drop(struct class *c, struct prefix *p, enum room_class class)
{
	struct prefix *next = p->of[class].next;
	next->of[class].prev = p->of[class].prev;
	p->of[class].prev->of[class].next = next;
	if (c->turn == p)
		c->turn = next == p ? NULL : next;
}

/* ---- guests ---- */

void room_put(struct room *r, const struct room_guest *guest)
{
	assert(!room_full(r));
	struct class *c = &r->of[guest->class];
	struct waiting *w = memory_zero(sizeof(*w));
	struct prefix *p = prefix_enter(r, key_of(&guest->address));
	w->guest = *guest;
	w->prefix = p;
	w->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = w;
	c->newest = w;
	c->n++;
	struct waiting *before = p->of[guest->class].newest;
	w->prefix_older = before;
	p->of[guest->class].newest = w;
	if (before) {
		before->prefix_newer = w;
		return;
	}
	p->of[guest->class].oldest = w;
	ring_put(c, p, guest->class);
}

static void take(struct room *r, struct waiting *w, struct room_guest *out)
{
	enum room_class class = w->guest.class;
	struct class *c = &r->of[class];
	struct prefix *p = w->prefix;
	*(w->older ? &w->older->newer : &c->oldest) = w->newer;
	*(w->newer ? &w->newer->older : &c->newest) = w->older;
	c->n--;
	*(w->prefix_older ? &w->prefix_older->prefix_newer
			  : &p->of[class].oldest) = w->prefix_newer;
	*(w->prefix_newer ? &w->prefix_newer->prefix_older
			  : &p->of[class].newest) = w->prefix_older;
	if (!p->of[class].oldest)
		ring_drop(c, p, class);
	prefix_leave(r, p);
	*out = w->guest;
	free(w);
}

bool room_full(const struct room *r)
{
	return r->of[ROOM_RESUMING].n + r->of[ROOM_STRANGERS].n >= r->max;
}

/* Whose turn is it? Somebody waits. */
static enum room_class next_class(struct room *r)
{
	if (!r->of[ROOM_STRANGERS].n)
		return ROOM_RESUMING;
	if (!r->of[ROOM_RESUMING].n)
		return ROOM_STRANGERS;
	r->turns = (r->turns + 1) % ROOM_SHARE;
	return r->turns ? ROOM_RESUMING : ROOM_STRANGERS;
}

bool room_take(struct room *r, uint64_t now_ms, struct room_guest *out)
{
	if (!r->of[ROOM_RESUMING].n && !r->of[ROOM_STRANGERS].n)
		return false;
	enum room_class class = next_class(r);
	struct class *c = &r->of[class];
	struct prefix *p = c->turn;
	bool stale = class == ROOM_STRANGERS &&
		     room_oldest_ms(r, class, now_ms) > r->stale_ms;
	c->turn = p->of[class].next;
	take(r, stale ? p->of[class].newest : p->of[class].oldest, out);
	return true;
}

bool room_take_older(struct room *r, uint64_t since_ms, struct room_guest *out)
{
	for (int class = 0; class < ROOM_CLASSES; class ++) {
		struct waiting *w = r->of[class].oldest;
		if (w && w->guest.since_ms < since_ms) {
			take(r, w, out);
			return true;
		}
	}
	return false;
}

bool room_take_heaviest(struct room *r, struct room_guest *out)
{
	if (!r->heaviest)
		return false;
	const struct prefix *p = r->by_weight[r->heaviest];
	bool all_alike = r->heaviest == 1;
	struct waiting *w = all_alike ? r->of[ROOM_STRANGERS].oldest
				      : p->of[ROOM_STRANGERS].oldest;
	if (!w)
		w = all_alike ? r->of[ROOM_RESUMING].oldest
			      : p->of[ROOM_RESUMING].oldest;
	take(r, w, out);
	return true;
}

size_t room_count(const struct room *r, enum room_class class)
{
	return r->of[class].n;
}

uint64_t room_oldest_ms(
	const struct room *r, enum room_class class, uint64_t now_ms)
{
	const struct waiting *w = r->of[class].oldest;
	return w && w->guest.since_ms < now_ms ? now_ms - w->guest.since_ms : 0;
}

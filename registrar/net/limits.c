/* SPDX-License-Identifier: Apache-2.0 */
/* Caps on connections: in all, half open, half open per address. */
#include "registrar/net/limits.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/memory.h"
#include "registrar/peer.h"

enum { BUCKETS = 1024, IDLE_SHARE = 4, HEAVY_SHARE = 16, HEAVY_LEAST = 3 };

/* An address that has half-open connections. */
struct origin {
	struct origin *next;
	char address[PEER_ADDRESS_MAX];
	bool udp;
	uint32_t half_open;
};

struct limits {
	pthread_mutex_t lock;
	uint32_t connections, connections_max;
	uint32_t half_open, half_open_max;
	uint32_t per_address;
	struct origin *buckets[BUCKETS];
	struct limits *whole; /* NULL: this is it */
};

struct limits *limits_new(uint32_t connections_max, uint32_t half_open_max,
	uint32_t half_open_per_address)
{
	struct limits *l = memory_zero(sizeof(*l));
	pthread_mutex_init(&l->lock, NULL);
	l->connections_max = connections_max;
	l->half_open_max = half_open_max;
	l->per_address = half_open_per_address;
	return l;
}

static uint32_t part_of(uint32_t most, uint32_t share)
{
	return most > share ? most / share : 1;
}

struct limits *limits_share(struct limits *whole, uint32_t share)
{
	struct limits *l = limits_new(part_of(whole->connections_max, share),
		part_of(whole->half_open_max, share),
		part_of(whole->per_address, share));
	l->whole = whole;
	return l;
}

void limits_free(struct limits *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (l->buckets[i]) {
			struct origin *next = l->buckets[i]->next;
			free(l->buckets[i]);
			l->buckets[i] = next;
		}
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* Where the address is, or where it would be linked in. */
static struct origin **find(struct limits *l, const char *address, bool udp)
{
	uint32_t h = 2166136261u;
	for (const char *p = address; *p; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	struct origin **at = &l->buckets[h % BUCKETS];
	while (*at &&
		((*at)->udp != udp || strcmp((*at)->address, address) != 0))
		at = &(*at)->next;
	return at;
}

bool limits_room(struct limits *l)
{
	pthread_mutex_lock(&l->lock);
	bool room = l->connections < l->connections_max &&
		    l->half_open < l->half_open_max;
	pthread_mutex_unlock(&l->lock);
	return room;
}

static bool enter(struct limits *l, const char *address, bool udp)
{
	pthread_mutex_lock(&l->lock);
	struct origin **at = find(l, address, udp);
	bool entered = !*at || (*at)->half_open < l->per_address;
	if (entered) {
		if (!*at) {
			*at = memory_zero(sizeof(**at));
			(*at)->udp = udp;
			strncpy((*at)->address, address, PEER_ADDRESS_MAX - 1);
		}
		(*at)->half_open++;
		l->half_open++;
		l->connections++;
	}
	pthread_mutex_unlock(&l->lock);
	return entered;
}

bool limits_enter(struct limits *l, const char *address, bool udp)
{
	if (l->whole && !enter(l->whole, address, udp))
		return false;
	if (enter(l, address, udp))
		return true;
	if (l->whole) {
		limits_opened(l->whole, address, udp);
		limits_leave(l->whole);
	}
	return false;
}

void limits_opened(struct limits *l, const char *address, bool udp)
{
	pthread_mutex_lock(&l->lock);
	struct origin **at = find(l, address, udp);
	struct origin *origin = *at;
	assert(origin && origin->half_open > 0 && l->half_open > 0);
	l->half_open--;
	if (--origin->half_open == 0) {
		*at = origin->next;
		free(origin);
	}
	pthread_mutex_unlock(&l->lock);
	if (l->whole)
		limits_opened(l->whole, address, udp);
}

void limits_leave(struct limits *l)
{
	pthread_mutex_lock(&l->lock);
	assert(l->connections > 0);
	l->connections--;
	pthread_mutex_unlock(&l->lock);
	if (l->whole)
		limits_leave(l->whole);
}

bool limits_heavy(struct limits *l, const char *address)
{
	pthread_mutex_lock(&l->lock);
	const struct origin *origin = *find(l, address, false);
	bool heavy = origin && origin->half_open >= HEAVY_LEAST &&
		     origin->half_open > l->half_open / HEAVY_SHARE;
	pthread_mutex_unlock(&l->lock);
	return heavy;
}

struct limits_counts limits_count(struct limits *l)
{
	pthread_mutex_lock(&l->lock);
	struct limits_counts counts = {l->connections, l->half_open,
		l->connections_max, l->half_open_max};
	pthread_mutex_unlock(&l->lock);
	return counts;
}

/* A share of limits.half_open: addresses are forged there, and phones over TCP
 * are not to pay for it. */
uint32_t limits_idle_flows(uint32_t half_open_max, size_t workers)
{
	size_t most = half_open_max / IDLE_SHARE / workers;
	return most > 1 ? (uint32_t)most : 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The waiting room: accepted sockets that nobody serves yet, and their turn. */
#ifndef REGISTRAR_NET_ROOM_H
#define REGISTRAR_NET_ROOM_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who comes back with a session of ours costs a tenth of a stranger. */
enum room_class { ROOM_RESUMING, ROOM_STRANGERS, ROOM_CLASSES };

struct room_guest {
	int fd;
	void *listener;
	struct in6_addr address; /* IPv4 as ::ffff:a.b.c.d */
	uint64_t since_ms;	 /* waiting, in the kernel's backlog too */
	enum room_class class;
};

struct room;

/*
 * Room for `max` guests of one worker. Strangers are served newest first
 * while the oldest of them has waited longer than stale_ms: then not all can
 * be served in time, and who came last has the most patience left.
 */
struct room *room_new(size_t max, uint32_t stale_ms);
/* Closes no descriptor: take everybody out before. */
void room_free(struct room *r);

/* Takes a guest in; not above max (see room_full). */
void room_put(struct room *r, const struct room_guest *guest);
bool room_full(const struct room *r);

/*
 * The next to be served, taken out; false: nobody is here. Resuming ones come
 * first, oldest first, but each SHARE-th turn is a stranger's. Within a class
 * prefixes (/24, IPv6 /56) take turns.
 */
enum { ROOM_SHARE = 8 };
bool room_take(struct room *r, uint64_t now_ms, struct room_guest *out);
/* The one who came in first, if it has waited since before `since_ms`. */
bool room_take_older(struct room *r, uint64_t since_ms, struct room_guest *out);
/* Of the prefix with most guests the one who came first, a stranger if there
 * is one. Where no prefix has more than one guest, of all of them. */
bool room_take_heaviest(struct room *r, struct room_guest *out);

size_t room_count(const struct room *r, enum room_class class);
/* How long the first of that class has waited; 0 when it is empty. */
uint64_t room_oldest_ms(
	const struct room *r, enum room_class class, uint64_t now_ms);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's loop while somebody waits: whose handshake begins, and when. */
#ifndef REGISTRAR_TURNS_H
#define REGISTRAR_TURNS_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "registrar/net/admission.h"
#include "registrar/net/conn.h"

struct turns_host {
	const struct conn_host *conn;
	/* Whose turn it is. */
	void (*start)(void *self, const struct room_guest *guest);
	/* Connections in the kernel that would need admission's leave. */
	uint64_t (*backlog)(void *self);
	void *self;
};

/*
 * From the first who waits until nobody does and the state is calm, the worker
 * is in a storm: then a few who wait are served at each turn of the loop, and
 * accepting is counted by the time it takes.
 */
struct turns {
	struct turns_host host;
	struct admission admission;
	uv_timer_t tick;    /* on while somebody waits or it is not calm */
	uv_check_t turn;    /* after each look at the sockets */
	uv_idle_t spin;	    /* on while somebody waits: the loop never sleeps */
	uint64_t heard;	    /* bytes that came, at the last turn */
	uint64_t turn_ns;   /* when that was */
	uint64_t accept_ns; /* that accepting may take until the next */
};

/* `admission` is the caller's to fill in before. */
void turns_init(struct turns *t, const struct turns_host *host);
/* Closes all who wait, and its handles. */
void turns_end(struct turns *t);

/* Somebody waits, or did a moment ago: then who comes may be long gone. */
bool turns_in_storm(const struct turns *t);
/* May one more be started without waiting? */
bool turns_at_once(const struct turns *t);
/* Lets an accepted socket wait (admission_wait). */
void turns_let_wait(struct turns *t, int fd, void *listener,
	const struct in6_addr *address);
/* In a storm: has accepting, which began at began_ns of the thread's processor
 * time, taken what it may until the next turn? Then it may take no more. */
bool turns_spent(struct turns *t, uint64_t began_ns);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* One thread that serves phones: a loop, its sockets, its connections. */
#ifndef REGISTRAR_WORKER_H
#define REGISTRAR_WORKER_H

#include <stdint.h>

#include "certs/diag.h"
#include "registrar/net/conn.h"
#include "registrar/net/limits.h"
#include "registrar/service/service.h"

struct worker;

/* What workers share. get_profiles answers a reference of the caller's. Each
 * worker puts its own part of overload into its copy of world. */
struct worker_shared {
	struct service_world world;
	struct limits *limits;
	struct limits *capf_limits; /* CAPF's share of them */
	struct overload *overload;
	struct meters *meters; /* of each worker, by its number */
	const struct resume *resume;
	size_t workers;
	struct profiles *const *profiles; /* in force; read atomically */
	struct profiles *(*get_profiles)(void *self);
	/* worker_make_room of each */
	void (*make_room)(void *self, struct limits *limits);
	void *self;
};

struct worker *worker_new(uint32_t number, const struct worker_shared *shared);
/* Adds a bound socket; before worker_start. Takes fd over, which is one of
 * `sharers` copies: each of them sees the same backlog. */
int worker_listen(struct worker *w, const struct config_listener *listener,
	int fd, size_t sharers, struct diag *d);
int worker_start(struct worker *w, struct diag *d);
/* Closes that connection if it still is there; from any thread. */
void worker_displace(struct worker *w, struct conn_ref ref);
/* Tells the phone of that connection, likewise. */
void worker_order(
	struct worker *w, struct conn_ref ref, enum phone_order phone);
/* Has that connection's service look at what it waits for, likewise. */
void worker_wake(struct worker *w, struct conn_ref ref);
/* Has its loop turned since this was last asked? From any thread. */
bool worker_turns(struct worker *w);
/* Looks at its phones: there is a new trust; likewise. */
void worker_sweep(struct worker *w);
/* Who says too little gives way, for somebody waits for room in those limits;
 * likewise. */
void worker_make_room(struct worker *w, struct limits *limits);
/* Asks it to end, from any thread; waits for that; frees it. No worker is
 * freed before all have ended: until then they write to each other. */
void worker_stop(struct worker *w);
void worker_join(struct worker *w);
void worker_free(struct worker *w);

const struct conn_counters *worker_counters(const struct worker *w);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's look at its phones after a reload: who may not stay. */
#ifndef REGISTRAR_SWEEP_H
#define REGISTRAR_SWEEP_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "registrar/config.h"
#include "registrar/net/conn.h"

/* Revoked phones are closed at once; those whose anchor was removed, where
 * trust.removed says "close", one after the other: their full handshakes are
 * not to come all together. */
struct sweep_host {
	uv_loop_t *loop;
	const struct config *config;
	size_t workers; /* that share trust.close_per_s */
	/* The connection in that place (below `places`) or NULL. */
	size_t (*places)(void *self);
	struct conn *(*at)(void *self, size_t place);
	const struct profiles *(*in_force)(void *self);
	void *self;
};

struct sweep {
	struct sweep_host host;
	uv_timer_t timer;
	size_t next;  /* place */
	bool removed; /* somebody's anchor was, in the first round */
	bool pacing;  /* it is the second round, theirs */
};

void sweep_init(struct sweep *s, const struct sweep_host *host);
/* Looks at everybody, some at each turn of the loop. While it is at it: it
 * begins anew, for there is a newer trust. */
void sweep_begin(struct sweep *s);
/* Closes its handle. */
void sweep_end(struct sweep *s);

#endif

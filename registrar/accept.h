/* SPDX-License-Identifier: Apache-2.0 */
/* Who comes to a worker: its listeners, and how long they leave others out. */
#ifndef REGISTRAR_ACCEPT_H
#define REGISTRAR_ACCEPT_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "certs/diag.h"
#include "registrar/net/conn.h"
#include "registrar/net/limits.h"
#include "registrar/slots.h"
#include "registrar/turns.h"

/* What it has of its worker; all outlives it. */
struct accept_host {
	const struct conn_host *conn;
	struct slots *slots;
	struct limits *limits;
	struct limits *capf_limits; /* CAPF's share of them */
	struct overload_part *overload;
	const struct resume *resume;
	size_t workers;
	/* Every worker's silent connections are to give way. */
	void (*ask_others)(void *self);
	void *self;
};

struct listener;

struct accept {
	struct accept_host host;
	struct listener *listeners;
	struct turns turns; /* of those who need admission's leave */
	uint64_t gave_way_ms, asked_ms; /* last */
	bool paused;			/* accept-paused was logged */
};

void accept_init(struct accept *a, const struct accept_host *host);
/* Serves a bound socket, which it takes over and which is one of `sharers`
 * copies: each of them sees the same backlog. 0, or -errno with d. */
int accept_listen(struct accept *a, const struct config_listener *listener,
	const struct service *service, int fd, size_t sharers, struct diag *d);
/* Nobody comes any more. Its handles close: the loop has to run once more
 * before accept_deinit. */
void accept_end(struct accept *a);
void accept_deinit(struct accept *a);

/* Is there room for one more? If not, who is half open and says too little
 * (conn_give_way) has to go: of this worker at once, of others in a moment. */
bool accept_room(struct accept *a);
/* Another worker has no room: does this one's part, if there still is none. */
void accept_give_way(struct accept *a);

/* conn_host's `opened`: that peer is half open no more. */
void accept_opened(struct accept *a, const struct peer *peer);

#endif

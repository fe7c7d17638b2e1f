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
	/* accept_give_way is to be called for every worker. */
	void (*ask_others)(void *self, struct limits *limits);
	void *self;
};

struct listener;

/* When something was done last, and for room in which limits. */
struct accept_last {
	uint64_t ms;
	const struct limits *limits;
};

struct accept {
	struct accept_host host;
	struct listener *listeners;
	struct turns turns; /* of those who need admission's leave */
	struct accept_last gave_way, asked;
	bool paused; /* accept-paused was logged */
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

/* Is there room for one more? If not, who says too little has to go: of this
 * worker at once, of others in a moment. */
bool accept_room(struct accept *a);
/* Somebody waits for room in those limits, or, if there is some, for a
 * descriptor: the half-open who are counted there and say too little have to
 * go (conn_give_way), then others as far as is needed. */
void accept_give_way(struct accept *a, struct limits *limits);

/* conn_host's `opened`: that peer is half open no more. */
void accept_opened(struct accept *a, const struct peer *peer);

#endif

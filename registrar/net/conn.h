/* SPDX-License-Identifier: Apache-2.0 */
/* One connection: a socket, perhaps TLS, and the service behind it. */
#ifndef REGISTRAR_NET_CONN_H
#define REGISTRAR_NET_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "registrar/clock.h"
#include "registrar/net/conn_counter.h"
#include "registrar/net/limits.h"
#include "registrar/peer.h"
#include "registrar/service/service.h"
#include "registrar/standing.h"
#include "registrar/tls/profile.h"

/* What connections have of the worker they live on. */
struct conn_host {
	uv_loop_t *loop;
	struct clock *clock;
	uint32_t worker;
	const struct service_world *world;
	uint8_t *plain; /* TLS_PLAIN_MAX bytes, shared: one thread */
	uint8_t *input; /* CONN_INPUT_MAX bytes, shared likewise */
	struct conn_counters *counters;
	/* The newest profiles; theirs is the word on who may come in. */
	const struct profiles *(*in_force)(void *self);
	/* The connection left the half-open state, or ended while in it. */
	void (*opened)(void *self, const struct peer *peer);
	/* Its memory is about to go; `ref.id` is free again. */
	void (*gone)(void *self, struct conn_ref ref);
	void *self;
};

enum { CONN_INPUT_MAX = 64 * 1024 };

struct conn;

/*
 * Takes over `tcp`, which lies in memory of conn_tcp() and was accepted, and
 * whose address is known (conn_came_from).
 * profile NULL: plain TCP; tag names the listener for resumption. From here on
 * the connection ends by itself and tells host->gone.
 */
struct conn *conn_new(const struct conn_host *host);
uv_tcp_t *conn_tcp(struct conn *c);
/* Its other end, as accept() told; NULL: the system is asked. False: it has
 * gone already. */
bool conn_came_from(struct conn *c, const struct sockaddr_storage *from);
void conn_start(struct conn *c, const struct service *service,
	struct profile *profile, const uint8_t tag[RESUME_TAG],
	struct conn_ref ref);
/* Accepted but not wanted: closed without a word (why is logged). */
void conn_refuse(struct conn *c, const char *why);

/* Ends it: what waits is sent, then FIN, then a short linger, so that an
 * alert is read. Its registration ends with `cause`. */
void conn_end(struct conn *c, const char *why, enum reason_unreg cause);
/* What that trust says of its phone; good: nobody was verified yet, or it
 * ends already. */
enum standing conn_standing(
	const struct conn *c, const struct trust_snapshot *trust);
/* Ends it, for its standing is not good under that trust. */
void conn_distrust(struct conn *c, const struct trust_snapshot *trust);
/* Tells its phone something, if its service can. */
void conn_order(struct conn *c, enum phone_order order);
/* Has its service looked at what it waited for outside of its bytes. */
void conn_wake(struct conn *c);
bool conn_is_half_open(const struct conn *c);
/*
 * Others wait for its place: closes it, if they have waited long enough for
 * what it says. Half open: 1 s for a first byte, 10 s for the rest, 3 s if its
 * address is heavy in those limits. Plain and not registered: 3 s. Who has
 * shaken hands or registered keeps its place. Was it closed?
 */
bool conn_give_way(struct conn *c, struct limits *limits);
/* Ends it at once, without flushing: the process stops. */
void conn_abort(struct conn *c, enum reason_unreg cause);

#endif

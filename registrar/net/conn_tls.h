/* SPDX-License-Identifier: Apache-2.0 */
/* A connection's TLS: what its handshake found, and how it ended. */
#ifndef REGISTRAR_NET_CONN_TLS_H
#define REGISTRAR_NET_CONN_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "protocols/tls/engine.h"
#include "registrar/net/conn.h"

/* Zeroed: the connection is plain. */
struct conn_tls {
	struct tls_engine *engine;
	struct profile *profile;
	struct profile_finding *finding; /* only until the handshake ends */
};

/* Takes over the reference to the profile; tag names the listener. */
void conn_tls_start(struct conn_tls *t, const struct conn_host *host,
	struct profile *profile, const uint8_t tag[RESUME_TAG],
	const struct peer *peer, const struct moment *now);
/* UP: what it found goes into peer, and is counted. False: a reload has
 * meanwhile taken away the CA that it was let in by. */
bool conn_tls_up(struct conn_tls *t, const struct conn_host *host,
	struct peer *peer, uint64_t started_us);
/* FAILED, in the handshake or later: counted, and kept among the failures. */
void conn_tls_failed(struct conn_tls *t, const struct conn_host *host,
	struct peer *peer, const struct tls_event *e);
void conn_tls_deinit(struct conn_tls *t);

#endif

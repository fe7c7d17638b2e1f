/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that one snapshot has found good, so that it judges each once.
 */
#ifndef REGISTRAR_TLS_VERDICTS_H
#define REGISTRAR_TLS_VERDICTS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "registrar/peer.h"
#include "trust/snapshot.h"

/* Belongs to one snapshot and goes with it: a verdict outlives no trust.
 * Only OK is kept; who is refused is looked at anew. Bounded; thread-safe. */
struct verdicts;

struct verdicts *verdicts_new(void);
void verdicts_free(struct verdicts *v);

/* The certificate with that SHA-256 is good until `until`, for anchor vouches
 * for it. Takes a reference of its own on cert. */
void verdicts_put(struct verdicts *v, const struct trust_anchor *anchor,
	time_t until, struct peer_cert *cert);
/* The anchor, and a reference on *cert for the caller; NULL: not known, or
 * not good at `now`. */
const struct trust_anchor *verdicts_find(struct verdicts *v,
	const uint8_t sha256[32], time_t now, struct peer_cert **cert);

#endif

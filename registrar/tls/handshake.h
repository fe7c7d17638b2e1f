/* SPDX-License-Identifier: Apache-2.0 */
/* What a handshake says of the peer, and why it failed, in our words. */
#ifndef REGISTRAR_TLS_HANDSHAKE_H
#define REGISTRAR_TLS_HANDSHAKE_H

#include "protocols/tls/engine.h"
#include "registrar/failures.h"
#include "registrar/peer.h"
#include "registrar/tls/profile.h"

/* TLS version, suite and certificate into peer, as far as they are known;
 * the certificate changes hands. */
void handshake_facts(
	struct peer *peer, SSL *ssl, struct profile_finding *finding);

/* The failure that a FAILED event before UP is; after handshake_facts. */
void handshake_failure(struct failure *out, const struct peer *peer,
	const struct profile_finding *finding, const struct tls_event *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A phone's TLS meets a profile, in memory. */
#ifndef TESTS_REGISTRAR_MEETING_H
#define TESTS_REGISTRAR_MEETING_H

#include "protocols/tls/engine.h"
#include "registrar/tls/profile.h"

/* One handshake, and what both ends made of it. */
struct meeting {
	struct profile *profile;
	struct tls_engine client, server;
	uint8_t client_plain[TLS_PLAIN_MAX], server_plain[TLS_PLAIN_MAX];
	struct profile_finding finding;
	struct tls_event client_end, server_end;
	bool client_up, server_up;
	struct moment now;
};

/* A client context for one TLS version, with a certificate or none. */
SSL_CTX *client_ctx(int version, X509 *cert, EVP_PKEY *key);
/* A handshake at the listener named `listener`, perhaps with a session. */
struct meeting *meet(struct profile *profile, const char *listener,
	SSL_CTX *client, SSL_SESSION *session);
/* Moves what waits both ways until nothing moves. */
void converse(struct meeting *m);
void part(struct meeting *m);

#endif

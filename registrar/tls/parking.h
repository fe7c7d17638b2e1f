/* SPDX-License-Identifier: Apache-2.0 */
/* Exchanges the session that a connection holds, after OpenSSL made it. */
#ifndef REGISTRAR_TLS_PARKING_H
#define REGISTRAR_TLS_PARKING_H

#include <stdbool.h>

#include <openssl/ssl.h>

/*
 * SSL_set_session() starts the method anew, and with it destroys the
 * handshake, where the context's method is version-flexible. So there is one
 * context for each version whose method is the negotiated one, on which a
 * connection is put while its session is exchanged. Thread-safe.
 */
struct parking;

struct parking *parking_new(void);
void parking_free(struct parking *p);

/* The connection's session becomes `session`. False: it stays as it was. */
bool parking_exchange(struct parking *p, SSL *ssl, SSL_SESSION *session);
/*
 * After the handshake, and after its tickets: the connection needs its keys
 * and not its session, whose certificate and ticket data are 2 to 8 KB. It
 * gets an empty one that all share, and stays on the parking context.
 */
void parking_settle(struct parking *p, SSL *ssl);

#endif

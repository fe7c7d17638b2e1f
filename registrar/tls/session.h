/* SPDX-License-Identifier: Apache-2.0 */
/* TLS sessions without the phone's certificate, made without a decoder. */
#ifndef REGISTRAR_TLS_SESSION_H
#define REGISTRAR_TLS_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

/*
 * OpenSSL keeps the peer's certificate in a session and offers no way to take
 * it out; to write and read it costs more than the rest of a resumption, and
 * so does its decoder for the small rest. So sessions are made here as copies
 * of an empty one: its setters cover all that resumption needs, but for the
 * extended master secret (RFC 7627), which only a decoded session can have.
 * Hence two to copy from. Not kept: what early data (off) and ALPN (none)
 * would need.
 */
struct session_mould {
	SSL_SESSION *empty[2]; /* without and with extended master secret */
};

void session_mould_init(struct session_mould *m);
void session_mould_deinit(struct session_mould *m);

/* The session without its certificate; NULL when OpenSSL does not take
 * something. extended: it has an extended master secret. */
SSL_SESSION *session_strip(
	const struct session_mould *m, SSL_SESSION *session, bool extended);

/* The same as bytes, for the cache; 0 when they do not fit into data[max].
 * It holds the session's secret: cleanse it. */
size_t session_pack(
	SSL_SESSION *session, bool extended, uint8_t *data, size_t max);
/* Back again, under that id; NULL when data is not what session_pack made. */
SSL_SESSION *session_unpack(const struct session_mould *m, SSL *ssl,
	const uint8_t *data, size_t n, const uint8_t *id, size_t n_id);

#endif

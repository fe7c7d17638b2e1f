/* SPDX-License-Identifier: Apache-2.0 */
/* What a ClientHello offers to resume, read before OpenSSL sees it. */
#ifndef PROTOCOLS_TLS_HELLO_H
#define PROTOCOLS_TLS_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of the bytes that were read; n 0: it was not there, or is empty. */
struct tls_hello_slice {
	const uint8_t *p;
	size_t n;
};

/* What may name an earlier session. Claims of the peer, nothing more. */
struct tls_hello {
	struct tls_hello_slice session_id; /* TLS 1.3 sends a random one */
	struct tls_hello_slice ticket;	   /* RFC 5077, TLS 1.2 and older */
	struct tls_hello_slice psk;	   /* RFC 8446 4.2.11: the first one */
};

/*
 * Reads the first bytes of a connection. True: one whole, well-formed
 * ClientHello in one record stands at the start (RFC 8446 4.1.2, RFC 5246
 * 7.4.1.2), and *out points into data. False: it does not, be it cut short,
 * spread over records, an SSLv2 hello or no TLS at all; *out is empty then.
 */
bool tls_hello_read(const void *data, size_t n, struct tls_hello *out);

#endif

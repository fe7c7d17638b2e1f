/* SPDX-License-Identifier: Apache-2.0 */
/* The phones' side of TLS: one SSL_CTX for a whole fleet. */
#ifndef BENCH_TLS_CLIENT_H
#define BENCH_TLS_CLIENT_H

#include <stddef.h>

#include <openssl/ssl.h>

#include "certs/diag.h"

struct tls_client_config {
	int min; /* TLS1_VERSION .. TLS1_3_VERSION */
	int max;
	const char *ciphers; /* up to TLS 1.2; NULL: as 88xx phones offer */
	const char *ca;	     /* file that must vouch for the server, or NULL:
			      * the server's certificate is not looked at */
	/* IDS: TLS 1.2 sessions have an id and no ticket. */
	enum { TLS_CLIENT_TICKETS, TLS_CLIENT_IDS } sessions;
};

/* Security level 0, as phones are: what is weak is for the server to refuse.
 * 0, or -errno with d set. */
int tls_client_new(
	const struct tls_client_config *config, SSL_CTX **out, struct diag *d);

/* "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3": the highest that is offered. */
const char *tls_client_version(SSL *ssl);
/* Offered ciphers in OpenSSL's names and order, colons between, cut at size. */
void tls_client_ciphers(SSL *ssl, char *dst, size_t size);

#endif

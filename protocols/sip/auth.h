/* SPDX-License-Identifier: Apache-2.0 */
/* Digest credentials and challenges as headers word them (RFC 8760). */
#ifndef PROTOCOLS_SIP_AUTH_H
#define PROTOCOLS_SIP_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/sip/field.h"

/* Strongest first: the order in which challenges go out (RFC 8760 2.4).
 * X(symbol, name, hexadecimal digits of a response) */
#define SIP_ALGORITHM_LIST(X)    \
	X(SHA256, "SHA-256", 64) \
	X(MD5, "MD5", 32)

enum sip_algorithm {
#define X(symbol, name, digits) SIP_ALGORITHM_##symbol,
	SIP_ALGORITHM_LIST(X)
#undef X
		SIP_ALGORITHMS
};

const char *sip_algorithm_name(enum sip_algorithm algorithm);

/*
 * The fields of an Authorization; texts without their quotes, never NULL.
 * Nothing of it was believed yet.
 */
struct sip_auth {
	enum sip_algorithm algorithm;
	const char *username;
	const char *realm;
	const char *nonce;
	const char *uri;
	const char *response; /* hexadecimal, of the algorithm's length */
	const char *cnonce;   /* "": none */
	const char *nc;	      /* eight hexadecimal digits, or "" */
	uint32_t count;	      /* what nc says */
	bool qop;	      /* auth; false: as before RFC 2617 */
};

enum sip_auth_step {
	SIP_AUTH_OTHER, /* another scheme or algorithm: as if it were not there
			 */
	SIP_AUTH_READ,
	SIP_AUTH_BROKEN,
};

/* Reads the value of an Authorization. Texts go to *room, which needs
 * sip_auth_room(value) bytes and is moved on. */
enum sip_auth_step sip_auth_read(
	struct sip_slice value, struct sip_auth *auth, char **room);
size_t sip_auth_room(struct sip_slice value);

/* What a server asks for, as a phone reads it in a WWW-Authenticate. */
struct sip_challenge_read {
	enum sip_algorithm algorithm;
	char realm[128];
	char nonce[256];
	char opaque[128];
	bool qop; /* it offers auth */
	bool stale;
};

/* False: another scheme or algorithm, or broken. */
bool sip_auth_challenge(
	struct sip_slice value, struct sip_challenge_read *challenge);

#endif

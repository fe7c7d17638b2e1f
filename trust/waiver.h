/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on strength that may be waived for the phones of one anchor. */
#ifndef TRUST_WAIVER_H
#define TRUST_WAIVER_H

#include <openssl/x509.h>

/*
 * Old phones cannot have better certificates than the factory gave them. A
 * set of these bits says what one anchor's may be. X(symbol, bit, the key that
 * allows it in the configuration)
 */
#define TRUST_WAIVER_LIST(X)         \
	X(SHA1, 1, TRUST_ALLOW_SHA1) \
	X(RSA1024, 2, TRUST_ALLOW_RSA1024)
#define TRUST_ALLOW_SHA1 "allow_sha1"
#define TRUST_ALLOW_RSA1024 "allow_rsa1024"

enum trust_waiver {
#define X(symbol, bit, key) TRUST_WAIVER_##symbol = (bit),
	TRUST_WAIVER_LIST(X)
#undef X
		TRUST_WAIVER_NEVER = 4, /* weaker than any of them allows */
};

/*
 * What a chain (the leaf first, its anchor last) needs waived at that auth
 * level; 0: nothing. SHA1: a signature below the anchor is made with it.
 * RSA1024: the leaf's key is RSA of 1024 bits or more. No key of a CA is
 * excused.
 */
unsigned trust_waiver_needed(STACK_OF(X509) * chain, int auth_level);
/* The keys of a set, as "allow_sha1, allow_rsa1024"; "" for none. */
const char *trust_waiver_text(unsigned waivers);
/* The bit of that key; 0: there is none. */
unsigned trust_waiver_find(const char *key);

/* The strength in bits that OpenSSL's level asks of a key. */
int trust_level_bits(int auth_level);

#endif

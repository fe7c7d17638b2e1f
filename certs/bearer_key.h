/* SPDX-License-Identifier: Apache-2.0 */
/* Is a public key that somebody wants certified fit for it? */
#ifndef CERTS_BEARER_KEY_H
#define CERTS_BEARER_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>

#include "certs/diag.h"

/* X(symbol, name, what it says) */
#define CERT_BEARER_KEY_LIST(X)                                                \
	X(OK, "ok", "the key is fit")                                          \
	X(UNREADABLE, "unreadable-key",                                        \
		"what came is no DER SubjectPublicKeyInfo, or has bytes "      \
		"behind "                                                      \
		"it")                                                          \
	X(WRONG_TYPE, "wrong-key-type", "not of the kind asked for")           \
	X(WRONG_SIZE, "wrong-key-size", "not of the size asked for")           \
	X(BAD_EXPONENT, "bad-exponent",                                        \
		"its public exponent is not 65537 (nor 3, where that is "      \
		"allowed)")                                                    \
	X(BAD_MODULUS, "bad-modulus",                                          \
		"its modulus is even, has a small factor, or is a prime or a " \
		"power")                                                       \
	X(CLOSE_PRIMES, "close-primes",                                        \
		"its primes are so close that Fermat's method finds them")     \
	X(ROCA, "roca",                                                        \
		"it has the fingerprint of ROCA (CVE-2017-15361): its "        \
		"private key can be computed")                                 \
	X(BAD_POINT, "bad-point", "its point is not on the curve")

enum cert_bearer_key {
#define X(symbol, name, text) CERT_BEARER_KEY_##symbol,
	CERT_BEARER_KEY_LIST(X)
#undef X
		CERT_BEARER_KEYS
};
const char *cert_bearer_key_name(enum cert_bearer_key verdict);
const char *cert_bearer_key_text(enum cert_bearer_key verdict);

struct cert_key_wish {
	bool ec;
	unsigned bits; /* RSA 512 to 4096, EC 256, 384, 521 */
	bool allow_e3; /* exponent 3 passes, too */
};

/*
 * Judges n bytes of DER. OK: *out is the key, the caller frees it. Else why in
 * d, whose rule is the verdict's name. Named curves only, uncompressed points
 * only. Takes 25 ms for RSA-4096, 5 ms for RSA-2048: not for a thread that
 * phones wait for. Leaves nothing in OpenSSL's error queue.
 */
enum cert_bearer_key cert_bearer_key_check(const void *spki, size_t n,
	const struct cert_key_wish *wish, EVP_PKEY **out, struct diag *d);

#endif

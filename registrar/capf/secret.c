/* SPDX-License-Identifier: Apache-2.0 */
/* Authentication strings: made by chance, kept salted and hashed. */
#include "registrar/capf/secret.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

enum {
	/*
	 * Six digits do not withstand whoever has the file for long, however
	 * often they are hashed: so many times, a million guesses take a core
	 * an hour, for each device anew, and the strings live for days. More
	 * would be felt where an admin orders for 10,000 phones at once: that
	 * takes a minute as it is.
	 */
	ROUNDS = 20000,
	FAIR = 250, /* bytes below that make each digit equally often */
};

void capf_secret_make(char out[CAPF_SECRET_MAX + 1], unsigned digits)
{
	assert(digits >= CAPF_SECRET_MIN && digits <= CAPF_SECRET_MAX);
	for (unsigned i = 0; i < digits; i++) {
		unsigned char chance;
		do {
			if (RAND_bytes(&chance, 1) != 1)
				abort();
		} while (chance >= FAIR);
		out[i] = (char)('0' + chance % 10);
	}
	out[digits] = '\0';
}

static void derive(const char *secret, const uint8_t salt[CAPF_SALT],
	uint8_t hash[CAPF_HASH])
{
	if (PKCS5_PBKDF2_HMAC(secret, (int)strlen(secret), salt, CAPF_SALT,
		    ROUNDS, EVP_sha256(), CAPF_HASH, hash) != 1)
		abort();
}

void capf_secret_hash(
	const char *secret, uint8_t salt[CAPF_SALT], uint8_t hash[CAPF_HASH])
{
	if (RAND_bytes(salt, CAPF_SALT) != 1)
		abort();
	derive(secret, salt, hash);
}

bool capf_secret_is_set(const struct capf_operation *o)
{
	static const uint8_t none[CAPF_HASH];
	return memcmp(o->hash, none, CAPF_HASH) != 0;
}

bool capf_secret_is(const struct capf_operation *o, const char *secret)
{
	uint8_t hash[CAPF_HASH];
	derive(secret, o->salt, hash);
	bool same = CRYPTO_memcmp(hash, o->hash, CAPF_HASH) == 0;
	OPENSSL_cleanse(hash, sizeof(hash));
	return same && capf_secret_is_set(o);
}

void capf_secret_void(struct capf_operation *o)
{
	OPENSSL_cleanse(o->salt, sizeof(o->salt));
	OPENSSL_cleanse(o->hash, sizeof(o->hash));
}

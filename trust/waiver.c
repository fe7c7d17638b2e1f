/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on strength that may be waived for the phones of one anchor. */
#include "trust/waiver.h"

#include <stdbool.h>
#include <string.h>

#include "trust/snapshot.h"

enum { RSA_LEAST = 1024 };

int trust_level_bits(int auth_level)
{
	static const int bits[TRUST_AUTH_LEVEL_MAX + 1] = {
		0, 80, 112, 128, 192, 256};
	return bits[auth_level];
}

static unsigned key_needs(const X509 *cert, int bits, bool leaf)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	if (key && EVP_PKEY_get_security_bits(key) >= bits)
		return 0;
	return key && leaf && EVP_PKEY_is_a(key, "RSA") &&
			       EVP_PKEY_get_bits(key) >= RSA_LEAST
		       ? TRUST_WAIVER_RSA1024
		       : TRUST_WAIVER_NEVER;
}

static unsigned signature_needs(X509 *cert, int bits)
{
	int digest, strength;
	if (X509_get_signature_info(cert, &digest, NULL, &strength, NULL) != 1)
		return TRUST_WAIVER_NEVER;
	if (strength >= bits)
		return 0;
	return digest == NID_sha1 ? TRUST_WAIVER_SHA1 : TRUST_WAIVER_NEVER;
}

unsigned trust_waiver_needed(STACK_OF(X509) * chain, int auth_level)
{
	int bits = trust_level_bits(auth_level), n = sk_X509_num(chain);
	unsigned needed = 0;
	for (int i = 0; i < n; i++) {
		X509 *cert = sk_X509_value(chain, i);
		needed |= key_needs(cert, bits, i == 0);
		/* Nobody asks who signed what we believe by itself. */
		if (i < n - 1)
			needed |= signature_needs(cert, bits);
	}
	return needed;
}

const char *trust_waiver_text(unsigned waivers)
{
	static const char *const texts[] = {"", TRUST_ALLOW_SHA1,
		TRUST_ALLOW_RSA1024, TRUST_ALLOW_SHA1 ", " TRUST_ALLOW_RSA1024};
	return texts[waivers & (TRUST_WAIVER_SHA1 | TRUST_WAIVER_RSA1024)];
}

unsigned trust_waiver_find(const char *key)
{
#define X(symbol, bit, name)        \
	if (strcmp(key, name) == 0) \
		return bit;
	TRUST_WAIVER_LIST(X)
#undef X
	return 0;
}

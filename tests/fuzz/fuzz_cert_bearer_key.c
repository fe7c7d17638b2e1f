/* SPDX-License-Identifier: Apache-2.0 */
/* Any public key that a phone sends: what passes is what was asked for. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "certs/bearer_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth)
{
	if (!truth)
		abort();
}

/* What passes is the one encoding of a key of that kind and size. */
static void check_good(EVP_PKEY *key, const uint8_t *data, size_t size,
	const struct cert_key_wish *wish)
{
	unsigned char *der = NULL;
	check(key != NULL);
	check(EVP_PKEY_is_a(key, wish->ec ? "EC" : "RSA"));
	check(EVP_PKEY_get_bits(key) == (int)wish->bits);
	check(i2d_PUBKEY(key, &der) == (int)size && !memcmp(der, data, size));
	OPENSSL_free(der);
}

/* The first byte says what was asked for, the others are the key. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct cert_key_wish wishes[] = {
		{.bits = 512},
		{.bits = 512, .allow_e3 = true},
		{.bits = 1024},
		{.bits = 2048},
		{.ec = true, .bits = 256},
		{.ec = true, .bits = 384},
		{.ec = true, .bits = 521},
	};
	if (!size)
		return 0;
	const struct cert_key_wish *wish =
		&wishes[data[0] % (sizeof(wishes) / sizeof(wishes[0]))];
	EVP_PKEY *key = NULL;
	struct diag d = {.text = ""};
	enum cert_bearer_key verdict =
		cert_bearer_key_check(data + 1, size - 1, wish, &key, &d);
	if (verdict == CERT_BEARER_KEY_OK)
		check_good(key, data + 1, size - 1, wish);
	else
		check(!key && d.text[0] && d.rule);
	check(ERR_peek_error() == 0);
	EVP_PKEY_free(key);
	return 0;
}

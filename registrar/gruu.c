/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary GRUUs: users of URIs that lead to a phone and tell nobody which. */
#include "registrar/gruu.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "registrar/memory.h"

enum { BLOCK = 16, PREFIX = 3 };

/* Hexadecimal would not fit; this is case-sensitive, as users are. */
static const char prefix[] = "tg.";
static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
			     "wxyz0123456789-_";
enum { DIGITS = (BLOCK * 8 + 5) / 6 };

_Static_assert(PREFIX + DIGITS < SIP_GRUU_SIZE, "a GRUU's user has to fit");

struct gruu {
	uint8_t key[BLOCK];
};

struct gruu *gruu_new(void)
{
	struct gruu *g = memory_zero(sizeof(*g));
	if (RAND_bytes(g->key, sizeof(g->key)) != 1)
		abort(); /* law 2: no entropy */
	return g;
}

void gruu_free(struct gruu *g)
{
	if (g)
		OPENSSL_cleanse(g->key, sizeof(g->key));
	free(g);
}

enum direction { DECRYPT, ENCRYPT };

static void crypt_block(const struct gruu *g, enum direction direction,
	const uint8_t in[BLOCK], uint8_t out[BLOCK])
{
	int n = 0;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	/* One block that never repeats: there is nothing to chain. */
	if (!ctx || EVP_CipherInit_ex(ctx, EVP_aes_128_ecb(), NULL, g->key,
			    NULL, direction) != 1)
		abort(); /* law 2: no memory */
	EVP_CIPHER_CTX_set_padding(ctx, 0);
	if (EVP_CipherUpdate(ctx, out, &n, in, BLOCK) != 1 || n != BLOCK)
		abort();
	EVP_CIPHER_CTX_free(ctx);
}

static uint32_t check_of(
	const char *instance, size_t instance_n, const char *call_id)
{
	uint64_t hash = locations_hash(call_id);
	for (size_t i = 0; i < instance_n; i++)
		hash = (hash ^ (unsigned char)instance[i]) *
		       UINT64_C(1099511628211);
	return (uint32_t)(hash ^ hash >> 32);
}

static void write_digits(char *user, const uint8_t block[BLOCK])
{
	unsigned held = 0, bits = 0;
	size_t n = 0;
	for (size_t i = 0; i < BLOCK; i++) {
		held = held << 8 | block[i];
		for (bits += 8; bits >= 6; bits -= 6)
			user[n++] = digits[held >> (bits - 6) & 63];
	}
	user[n++] = digits[held << (6 - bits) & 63];
	user[n] = '\0';
}

static bool read_digits(const char *user, uint8_t block[BLOCK])
{
	unsigned held = 0, bits = 0;
	size_t n = 0;
	if (strlen(user) != DIGITS)
		return false;
	for (; *user; user++) {
		const char *digit = strchr(digits, *user);
		if (!digit)
			return false;
		held = held << 6 | (unsigned)(digit - digits);
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		block[n++] = (uint8_t)(held >> bits);
	}
	return n == BLOCK;
}

void gruu_make(const struct gruu *g, const struct sip_binding *binding,
	char user[SIP_GRUU_SIZE])
{
	struct sip_slice instance = locations_urn(binding);
	struct gruu_meaning meaning = {
		.aor_hash = locations_hash(binding->aor),
		.check = check_of(instance.p, instance.n, binding->call_id),
		.cseq = binding->cseq,
	};
	uint8_t in[BLOCK], out[BLOCK];
	user[0] = '\0';
	if (!instance.n)
		return;
	memcpy(in, &meaning, sizeof(in));
	crypt_block(g, ENCRYPT, in, out);
	memcpy(user, prefix, PREFIX);
	write_digits(user + PREFIX, out);
}

_Static_assert(sizeof(struct gruu_meaning) == BLOCK, "one block holds it");

bool gruu_read(
	const struct gruu *g, const char *user, struct gruu_meaning *meaning)
{
	uint8_t in[BLOCK], out[BLOCK];
	if (strncmp(user, prefix, PREFIX) != 0 ||
		!read_digits(user + PREFIX, in))
		return false;
	crypt_block(g, DECRYPT, in, out);
	memcpy(meaning, out, sizeof(out));
	return true;
}

bool gruu_means(
	const struct gruu_meaning *meaning, const struct location *location)
{
	return location->instance[0] && meaning->cseq <= location->cseq &&
	       meaning->check == check_of(location->instance,
					 strlen(location->instance),
					 location->call_id);
}

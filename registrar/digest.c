/* SPDX-License-Identifier: Apache-2.0 */
/* Digest authentication of SIP phones: nonces, and who knows the password. */
#include "registrar/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "registrar/memory.h"

enum { KEY_SIZE = 32, MAC_SIZE = 16, HEX_MAX = 2 * DIGEST_HA1_MAX + 1 };

struct digest {
	uint8_t key[KEY_SIZE];
};

static const struct {
	const char *rule;
	const char *text;
} verdicts[] = {
#define X(symbol, rule, text) {rule, text},
	DIGEST_LIST(X)
#undef X
};

const char *digest_verdict_rule(enum digest_verdict verdict)
{
	return verdicts[verdict].rule;
}

const char *digest_verdict_text(enum digest_verdict verdict)
{
	return verdicts[verdict].text;
}

struct digest *digest_new(void)
{
	struct digest *d = memory_zero(sizeof(*d));
	if (RAND_bytes(d->key, sizeof(d->key)) != 1)
		abort(); /* law 2: no entropy */
	return d;
}

void digest_free(struct digest *d)
{
	if (d)
		OPENSSL_cleanse(d->key, sizeof(d->key));
	free(d);
}

static void hex(char *dst, const uint8_t *data, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		*dst++ = digits[data[i] >> 4];
		*dst++ = digits[data[i] & 15];
	}
	*dst = '\0';
}

/* ---- nonces ---- */

static void nonce_at(const struct digest *d, struct conn_ref ref,
	uint64_t made_ms, char nonce[DIGEST_NONCE_SIZE])
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	const uint64_t what[] = {made_ms, ref.worker, ref.id};
	unsigned n = 0;
	if (!HMAC(EVP_sha256(), d->key, sizeof(d->key), (const uint8_t *)what,
		    sizeof(what), mac, &n))
		abort(); /* law 2: no memory */
	snprintf(nonce, DIGEST_NONCE_SIZE, "%016llx",
		(unsigned long long)made_ms);
	hex(nonce + 16, mac, MAC_SIZE);
}

void digest_nonce(const struct digest *d, struct conn_ref ref,
	const struct moment *now, char nonce[DIGEST_NONCE_SIZE])
{
	nonce_at(d, ref, now->mono_ms, nonce);
}

/* When it was made; false: not by us for this connection. */
static bool nonce_made(const struct digest *d, const char *nonce,
	struct conn_ref ref, uint64_t *made_ms)
{
	char own[DIGEST_NONCE_SIZE], time[17];
	if (strlen(nonce) != DIGEST_NONCE_SIZE - 1)
		return false;
	snprintf(time, sizeof(time), "%.16s", nonce);
	if (strspn(time, "0123456789abcdef") != 16)
		return false;
	*made_ms = strtoull(time, NULL, 16);
	nonce_at(d, ref, *made_ms, own);
	return CRYPTO_memcmp(own, nonce, DIGEST_NONCE_SIZE - 1) == 0;
}

/* Is the nonce young, ours, and not used like this before? */
static bool fresh(const struct digest *d, const struct sip_auth *auth,
	const struct digest_check *check, const struct moment *now,
	struct digest_seen *seen)
{
	uint64_t made_ms;
	/* Without qop there is no count: such a nonce is good once. */
	uint32_t count = auth->qop ? auth->count : 1;
	if (!nonce_made(d, auth->nonce, check->ref, &made_ms) ||
		made_ms > now->mono_ms ||
		now->mono_ms - made_ms > check->lifetime_s * UINT64_C(1000) ||
		made_ms < seen->made_ms || !count)
		return false;
	if (made_ms == seen->made_ms && count <= seen->count)
		return false;
	*seen = (struct digest_seen){made_ms, count};
	return true;
}

/* ---- responses ---- */

static const char *const names[] = {
	[SIP_ALGORITHM_SHA256] = "SHA256",
	[SIP_ALGORITHM_MD5] = "MD5",
};

/* H(a:b:...), which the texts of the list up to NULL make; its size. */
static size_t hash(enum sip_algorithm algorithm, const char *const *texts,
	uint8_t md[DIGEST_HA1_MAX])
{
	unsigned n = 0;
	EVP_MD *type = EVP_MD_fetch(NULL, names[algorithm], NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (!type || !ctx || EVP_DigestInit_ex(ctx, type, NULL) != 1)
		abort(); /* law 2: no memory; OpenSSL has both */
	for (size_t i = 0; texts[i]; i++) {
		if (i)
			EVP_DigestUpdate(ctx, ":", 1);
		EVP_DigestUpdate(ctx, texts[i], strlen(texts[i]));
	}
	EVP_DigestFinal_ex(ctx, md, &n);
	EVP_MD_CTX_free(ctx);
	EVP_MD_free(type);
	return n;
}

static void hash_text(enum sip_algorithm algorithm, const char *const *texts,
	char digits[HEX_MAX])
{
	uint8_t md[DIGEST_HA1_MAX];
	hex(digits, md, hash(algorithm, texts, md));
}

static size_t ha1_size(enum sip_algorithm algorithm)
{
	return algorithm == SIP_ALGORITHM_MD5 ? 16 : DIGEST_HA1_MAX;
}

void digest_ha1(enum sip_algorithm algorithm, const char *username,
	const char *realm, const char *password, uint8_t ha1[DIGEST_HA1_MAX])
{
	const char *const texts[] = {username, realm, password, NULL};
	hash(algorithm, texts, ha1);
}

/* Constant in time: how much of it is right is nobody's business. */
static bool right(const struct sip_auth *auth, const struct digest_check *check)
{
	char ha1[HEX_MAX], ha2[HEX_MAX], expected[HEX_MAX], came[HEX_MAX];
	const char *const request[] = {check->method, auth->uri, NULL};
	const char *const with[] = {
		ha1, auth->nonce, auth->nc, auth->cnonce, "auth", NULL};
	const char *const without[] = {ha1, auth->nonce, NULL};
	const char *texts[8] = {NULL};
	size_t n = 0;
	hex(ha1, check->ha1, ha1_size(auth->algorithm));
	hash_text(auth->algorithm, request, ha2);
	for (const char *const *t = auth->qop ? with : without; *t; t++)
		texts[n++] = *t;
	texts[n] = ha2;
	hash_text(auth->algorithm, texts, expected);
	OPENSSL_cleanse(ha1, sizeof(ha1));
	size_t length = strlen(expected);
	for (n = 0; n <= length && auth->response[n]; n++)
		came[n] = sip_field_lower(auth->response[n]);
	return n == length && CRYPTO_memcmp(came, expected, length) == 0;
}

enum digest_verdict digest_judge(const struct digest *d,
	const struct sip_auth *auth, const struct digest_check *check,
	const struct moment *now, struct digest_seen *seen)
{
	if (strcmp(auth->realm, check->realm) != 0)
		return DIGEST_REALM;
	if (!check->ha1 || !right(auth, check))
		return DIGEST_WRONG;
	return fresh(d, auth, check, now, seen) ? DIGEST_GOOD : DIGEST_STALE;
}

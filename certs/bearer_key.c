/* SPDX-License-Identifier: Apache-2.0 */
/* Is a public key that somebody wants certified fit for it? */
#include "certs/bearer_key.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "certs/must.h"

enum {
	SPKI_MAX = 1024,	/* RSA-4096 has 550 bytes */
	SMALL_FACTOR_BITS = 16, /* no prime factor below 2^16 */
	FERMAT_ROUNDS = 100,	/* |p - q| < 28 n^(1/4) is found */
	UNCOMPRESSED = 4,	/* SEC 1, 2.3.3 */
	RSA_BITS_MIN = 512,
	RSA_BITS_MAX = 4096,
};

static const struct {
	const char *name, *text;
} verdicts[CERT_BEARER_KEYS] = {
#define X(symbol, name, text) {name, text},
	CERT_BEARER_KEY_LIST(X)
#undef X
};

const char *cert_bearer_key_name(enum cert_bearer_key verdict)
{
	return verdicts[verdict].name;
}

const char *cert_bearer_key_text(enum cert_bearer_key verdict)
{
	return verdicts[verdict].text;
}

static const struct curve {
	int nid;
	unsigned bits;
} curves[] = {
	{NID_X9_62_prime256v1, 256},
	{NID_secp384r1, 384},
	{NID_secp521r1, 521},
};

/* What is computed is public and within the limits: only memory can lack. */
static void must(int done)
{
	if (!done)
		abort();
}

static BIGNUM *number(BN_CTX *ctx)
{
	return cert_must(BN_CTX_get(ctx));
}

/* Every prime below 2^16 but 2 divides the product of all odd numbers there:
 * no table of primes is needed. */
static bool has_small_factor(const BIGNUM *n, BN_CTX *ctx)
{
	BIGNUM *product = number(ctx);
	must(BN_one(product));
	for (BN_ULONG odd = 1; odd < 1UL << SMALL_FACTOR_BITS; odd += 4) {
		must(BN_mul_word(product, odd * (odd + 2)));
		if (BN_num_bits(product) > 2 * BN_num_bits(n))
			must(BN_mod(product, product, n, ctx));
	}
	must(BN_gcd(product, product, n, ctx));
	return !BN_is_one(product);
}

/* Newton's method, from above. */
static void square_root(BIGNUM *root, const BIGNUM *of, BN_CTX *ctx)
{
	BN_CTX_start(ctx);
	BIGNUM *next = number(ctx);
	must(BN_one(next) && BN_lshift(next, next, (BN_num_bits(of) + 1) / 2));
	do {
		must(BN_copy(root, next) != NULL);
		must(BN_div(next, NULL, of, root, ctx) &&
			BN_add(next, next, root) && BN_rshift1(next, next));
	} while (BN_cmp(next, root) < 0);
	BN_CTX_end(ctx);
}

/*
 * Is n = x^k? Odd numbers have one k-th root modulo 2^b for each odd k, for
 * k can be inverted modulo 2^(b-2), the exponent of that group; x is below
 * 2^b, so it is that root or there is none.
 */
static bool is_power_of(const BIGNUM *n, BN_ULONG k, BN_CTX *ctx)
{
	BN_CTX_start(ctx);
	BIGNUM *exponent = number(ctx), *modulus = number(ctx);
	BIGNUM *root = number(ctx), *power = number(ctx);
	int bits = BN_num_bits(n) / (int)k + 3;
	must(BN_one(modulus) && BN_lshift(modulus, modulus, bits - 2));
	must(BN_set_word(power, k));
	must(BN_mod_inverse(exponent, power, modulus, ctx) != NULL);
	must(BN_lshift(modulus, modulus, 2));
	must(BN_nnmod(root, n, modulus, ctx));
	must(BN_mod_exp(root, root, exponent, modulus, ctx));
	must(BN_exp(power, root, power, ctx));
	bool is = BN_cmp(power, n) == 0;
	BN_CTX_end(ctx);
	return is;
}

static bool is_power(const BIGNUM *n, BN_CTX *ctx)
{
	BIGNUM *root = number(ctx);
	square_root(root, n, ctx);
	must(BN_sqr(root, root, ctx));
	if (BN_cmp(root, n) == 0)
		return true;
	/* Roots have no small factor either. */
	for (BN_ULONG k = 3; k * SMALL_FACTOR_BITS <= (unsigned)BN_num_bits(n);
		k += 2)
		if (is_power_of(n, k, ctx))
			return true;
	return false;
}

/* Fermat's test to the base 2: what passes is prime, or as odd as one. */
static bool is_probable_prime(const BIGNUM *n, BN_CTX *ctx)
{
	BIGNUM *two = number(ctx), *exponent = number(ctx);
	must(BN_set_word(two, 2) && BN_sub(exponent, n, BN_value_one()));
	must(BN_mod_exp(two, two, exponent, n, ctx));
	return BN_is_one(two);
}

static bool is_square(const BIGNUM *n, BN_CTX *ctx)
{
	/* Squares are 0, 1, 4, 9, 16, 17, 25, 33, 36, 41, 49 or 57 mod 64. */
	const uint64_t residues = 0x0202021202030213;
	if (!(residues >> BN_mod_word(n, 64) & 1))
		return false;
	BN_CTX_start(ctx);
	BIGNUM *root = number(ctx);
	square_root(root, n, ctx);
	must(BN_sqr(root, root, ctx));
	bool is = BN_cmp(root, n) == 0;
	BN_CTX_end(ctx);
	return is;
}

/*
 * Fermat: n = a^2 - b^2 with a = (p + q) / 2. The search for a starts at the
 * root of n, from which it is (p - q)^2 / (8 sqrt n) away. Primes chosen by
 * chance are never so close; those of CVE-2022-26320, where q is one of the
 * next primes after p, are found at the first step.
 */
static bool has_close_primes(const BIGNUM *n, BN_CTX *ctx)
{
	BIGNUM *a = number(ctx), *difference = number(ctx);
	square_root(a, n, ctx);
	for (int i = 0; i < FERMAT_ROUNDS; i++) {
		must(BN_add_word(a, 1) && BN_sqr(difference, a, ctx) &&
			BN_sub(difference, difference, n));
		if (is_square(difference, ctx))
			return true;
	}
	return false;
}

static unsigned gcd(unsigned a, unsigned b)
{
	while (b) {
		unsigned rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* A discrete logarithm: base^exponent is the residue, for all exponents that
 * differ by a multiple of order. */
struct logarithm {
	unsigned exponent, order;
};

/* Of n to the base 65537 modulo a small prime; false: it has none. */
static bool find_logarithm(
	const BIGNUM *n, unsigned prime, struct logarithm *out)
{
	unsigned wanted = (unsigned)BN_mod_word(n, prime);
	unsigned power = 1;
	bool found = false;
	out->order = 0;
	do {
		if (power == wanted) {
			out->exponent = out->order;
			found = true;
		}
		power = power * (65537 % prime) % prime;
		out->order++;
	} while (power != 1);
	return found;
}

/*
 * ROCA, CVE-2017-15361 (Nemec, Sys, Svenda, Klinec, Matyas: "The Return of
 * Coppersmith's Attack", CCS 2017): the library made primes k M + (65537^a mod
 * M), where M is the product of the first primes, so that n is a power of
 * 65537 modulo M, too. Key sizes have different M; the one of the first 39
 * primes divides all. By the Chinese remainder theorem there is one exponent
 * for all primes if there is one for each two of them. Of 2^154 keys made
 * otherwise, one looks the same.
 */
static bool is_roca(const BIGNUM *n)
{
	static const unsigned char primes[] = {3, 5, 7, 11, 13, 17, 19, 23, 29,
		31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101,
		103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163,
		167};
	struct logarithm logs[sizeof(primes)];
	for (size_t i = 0; i < sizeof(primes); i++) {
		if (!find_logarithm(n, primes[i], &logs[i]))
			return false;
		for (size_t j = 0; j < i; j++) {
			unsigned common = gcd(logs[i].order, logs[j].order);
			if (logs[i].exponent % common !=
				logs[j].exponent % common)
				return false;
		}
	}
	return true;
}

static enum cert_bearer_key judge_modulus(const BIGNUM *n, BN_CTX *ctx)
{
	if (!BN_is_odd(n) || has_small_factor(n, ctx) || is_power(n, ctx) ||
		is_probable_prime(n, ctx))
		return CERT_BEARER_KEY_BAD_MODULUS;
	if (has_close_primes(n, ctx))
		return CERT_BEARER_KEY_CLOSE_PRIMES;
	return is_roca(n) ? CERT_BEARER_KEY_ROCA : CERT_BEARER_KEY_OK;
}

static BIGNUM *parameter(EVP_PKEY *key, const char *name)
{
	BIGNUM *value = NULL;
	must(EVP_PKEY_get_bn_param(key, name, &value));
	return value;
}

static enum cert_bearer_key judge_rsa(
	EVP_PKEY *key, const struct cert_key_wish *wish, struct diag *d)
{
	int bits = EVP_PKEY_get_bits(key);
	if (bits != (int)wish->bits || bits < RSA_BITS_MIN ||
		bits > RSA_BITS_MAX) {
		diag_set(d, 0, "RSA-%d, where RSA-%u was asked for", bits,
			wish->bits);
		return CERT_BEARER_KEY_WRONG_SIZE;
	}
	BIGNUM *e = parameter(key, OSSL_PKEY_PARAM_RSA_E);
	bool good = BN_is_word(e, RSA_F4) ||
		    (wish->allow_e3 && BN_is_word(e, RSA_3));
	BN_free(e);
	if (!good)
		return CERT_BEARER_KEY_BAD_EXPONENT;
	BIGNUM *n = parameter(key, OSSL_PKEY_PARAM_RSA_N);
	BN_CTX *ctx = cert_must(BN_CTX_new());
	BN_CTX_start(ctx);
	enum cert_bearer_key verdict = judge_modulus(n, ctx);
	BN_CTX_end(ctx);
	BN_CTX_free(ctx);
	BN_free(n);
	return verdict;
}

static const struct curve *find_curve(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *oid = NULL;
	int type = 0;
	const void *value = NULL;
	X509_ALGOR_get0(&oid, &type, &value, algorithm);
	int nid = type == V_ASN1_OBJECT ? OBJ_obj2nid(value) : NID_undef;
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (curves[i].nid == nid)
			return &curves[i];
	return NULL;
}

/* An SPKI as it came, not looked into. */
struct spki {
	const unsigned char *der;
	size_t der_n;
	X509_PUBKEY *all;
	X509_ALGOR *algorithm;
	const unsigned char *bits;
	int n;
	int type; /* NID */
};

static enum cert_bearer_key judge_ec(const struct spki *spki, EVP_PKEY *key,
	const struct cert_key_wish *wish, struct diag *d)
{
	const struct curve *curve = find_curve(spki->algorithm);
	if (!curve) {
		diag_set(
			d, 0, "its curve is not P-256, P-384 or P-521 by name");
		return CERT_BEARER_KEY_WRONG_TYPE;
	}
	if (curve->bits != wish->bits) {
		diag_set(d, 0, "P-%u, where P-%u was asked for", curve->bits,
			wish->bits);
		return CERT_BEARER_KEY_WRONG_SIZE;
	}
	if (spki->n != 1 + 2 * (int)((curve->bits + 7) / 8) ||
		spki->bits[0] != UNCOMPRESSED) {
		diag_set(d, 0, "its point is not written uncompressed");
		return CERT_BEARER_KEY_BAD_POINT;
	}
	EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
	bool on_curve = ctx && EVP_PKEY_public_check(ctx) == 1;
	EVP_PKEY_CTX_free(ctx);
	return on_curve ? CERT_BEARER_KEY_OK : CERT_BEARER_KEY_BAD_POINT;
}

static bool read_spki(const void *der, size_t n, struct spki *out)
{
	const unsigned char *p = der;
	out->der = der;
	out->der_n = n;
	if (!n || n > SPKI_MAX)
		return false;
	out->all = d2i_X509_PUBKEY(NULL, &p, (long)n);
	ASN1_OBJECT *oid = NULL;
	if (!out->all || p != (const unsigned char *)der + n ||
		!X509_PUBKEY_get0_param(
			&oid, &out->bits, &out->n, &out->algorithm, out->all))
		return false;
	out->type = OBJ_obj2nid(oid);
	return true;
}

/* One encoding of a key alone is DER: ours. */
static bool is_der(const struct spki *spki, EVP_PKEY *key)
{
	unsigned char *again = NULL;
	int n = i2d_PUBKEY(key, &again);
	bool is = n == (int)spki->der_n && !memcmp(again, spki->der, (size_t)n);
	OPENSSL_free(again);
	return is;
}

static enum cert_bearer_key judge(const struct spki *spki, EVP_PKEY *key,
	const struct cert_key_wish *wish, struct diag *d)
{
	bool ec = spki->type == NID_X9_62_id_ecPublicKey;
	if ((!ec && spki->type != NID_rsaEncryption) || ec != wish->ec) {
		diag_set(d, 0, "%.40s, where %s was asked for",
			OBJ_nid2ln(spki->type), wish->ec ? "EC" : "RSA");
		return CERT_BEARER_KEY_WRONG_TYPE;
	}
	/* A point that is none has no key, and deserves its own verdict. */
	if (!ec && (!key || !is_der(spki, key)))
		return CERT_BEARER_KEY_UNREADABLE;
	enum cert_bearer_key verdict =
		ec ? judge_ec(spki, key, wish, d) : judge_rsa(key, wish, d);
	return verdict == CERT_BEARER_KEY_OK && !is_der(spki, key)
		       ? CERT_BEARER_KEY_UNREADABLE
		       : verdict;
}

enum cert_bearer_key cert_bearer_key_check(const void *der, size_t n,
	const struct cert_key_wish *wish, EVP_PKEY **out, struct diag *d)
{
	struct diag detail = {.text = ""};
	struct spki spki = {0};
	enum cert_bearer_key verdict = CERT_BEARER_KEY_UNREADABLE;
	*out = NULL;
	ERR_set_mark();
	EVP_PKEY *key = NULL;
	if (read_spki(der, n, &spki)) {
		key = X509_PUBKEY_get(spki.all);
		verdict = judge(&spki, key, wish, &detail);
	}
	X509_PUBKEY_free(spki.all);
	ERR_pop_to_mark();
	if (verdict == CERT_BEARER_KEY_OK) {
		*out = key;
		return verdict;
	}
	EVP_PKEY_free(key);
	diag_refuse(d, cert_bearer_key_name(verdict), 0,
		"the phone's new key: %s%s%s", cert_bearer_key_text(verdict),
		detail.text[0] ? ": " : "", detail.text);
	return verdict;
}

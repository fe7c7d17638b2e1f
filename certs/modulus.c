/* SPDX-License-Identifier: Apache-2.0 */
/* Can the primes of an RSA modulus be found by what is known? */
#include "certs/modulus.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "certs/must.h"

enum {
	SMALL_FACTOR_BITS = 16, /* no prime factor below 2^16 */
	FERMAT_ROUNDS = 100,	/* |p - q| < 28 n^(1/4) is found */
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

static enum cert_bearer_key judge(const BIGNUM *n, BN_CTX *ctx)
{
	if (!BN_is_odd(n) || has_small_factor(n, ctx) || is_power(n, ctx) ||
		is_probable_prime(n, ctx))
		return CERT_BEARER_KEY_BAD_MODULUS;
	if (has_close_primes(n, ctx))
		return CERT_BEARER_KEY_CLOSE_PRIMES;
	return is_roca(n) ? CERT_BEARER_KEY_ROCA : CERT_BEARER_KEY_OK;
}

enum cert_bearer_key cert_modulus_check(const BIGNUM *n)
{
	BN_CTX *ctx = cert_must(BN_CTX_new());
	BN_CTX_start(ctx);
	enum cert_bearer_key verdict = judge(n, ctx);
	BN_CTX_end(ctx);
	BN_CTX_free(ctx);
	return verdict;
}

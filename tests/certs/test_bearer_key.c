/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about public keys that phones want certified. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "certs/bearer_key.h"
#include "tests/certs/made.h"

static BN_CTX *ctx;

static int begin(void **state)
{
	ctx = BN_CTX_new();
	return 0;
}

static int end(void **state)
{
	BN_CTX_free(ctx);
	return 0;
}

static enum cert_bearer_key check(
	const void *der, size_t n, struct cert_key_wish wish)
{
	struct diag d = {.text = ""};
	EVP_PKEY *key = NULL;
	/* A block of its own: reading beyond it is seen. */
	uint8_t *copy = malloc(n ? n : 1);
	memcpy(copy, der, n);
	enum cert_bearer_key verdict =
		cert_bearer_key_check(copy, n, &wish, &key, &d);
	free(copy);
	assert_int_equal(key != NULL, verdict == CERT_BEARER_KEY_OK);
	if (verdict == CERT_BEARER_KEY_OK) {
		assert_string_equal(d.text, "");
	} else {
		assert_non_null(strstr(d.text, cert_bearer_key_text(verdict)));
		assert_string_equal(d.rule, cert_bearer_key_name(verdict));
	}
	EVP_PKEY_free(key);
	return verdict;
}

static void assert_verdict(
	enum cert_bearer_key verdict, enum cert_bearer_key expected)
{
	assert_string_equal(
		cert_bearer_key_name(verdict), cert_bearer_key_name(expected));
}

static enum cert_bearer_key check_key(EVP_PKEY *key, struct cert_key_wish wish)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);
	assert_true(n > 0);
	enum cert_bearer_key verdict = check(der, (size_t)n, wish);
	OPENSSL_free(der);
	return verdict;
}

/* An RSA key of that modulus, asked for in just its size. */
static enum cert_bearer_key check_modulus(const BIGNUM *n)
{
	BIGNUM *e = BN_new();
	BN_set_word(e, RSA_F4);
	EVP_PKEY *key = made_rsa_public(n, e);
	enum cert_bearer_key verdict = check_key(
		key, (struct cert_key_wish){.bits = (unsigned)BN_num_bits(n)});
	EVP_PKEY_free(key);
	BN_free(e);
	return verdict;
}

static BIGNUM *prime(int bits)
{
	BIGNUM *p = BN_new();
	assert_int_equal(BN_generate_prime_ex(p, bits, 0, NULL, NULL, NULL), 1);
	return p;
}

static void fit_keys_pass(void **state)
{
	static const struct {
		const char *kind;
		struct cert_key_wish wish;
	} rows[] = {
		{"rsa1024", {.bits = 1024}},
		{"rsa2048", {.bits = 2048}},
		{"rsa3072", {.bits = 3072}},
		{"rsa4096", {.bits = 4096}},
		{"p256", {.ec = true, .bits = 256}},
		{"p384", {.ec = true, .bits = 384}},
		{"p521", {.ec = true, .bits = 521}},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EVP_PKEY *key = made_key(rows[i].kind, 0), *out = NULL;
		unsigned char *der = NULL;
		int n = i2d_PUBKEY(key, &der);
		enum cert_bearer_key verdict = cert_bearer_key_check(
			der, (size_t)n, &rows[i].wish, &out, NULL);
		assert_verdict(verdict, CERT_BEARER_KEY_OK);
		assert_int_equal(EVP_PKEY_eq(key, out), 1);
		EVP_PKEY_free(out);
		OPENSSL_free(der);
	}
}

static void key_of_another_kind_or_size_is_refused(void **state)
{
	static const struct {
		const char *kind;
		struct cert_key_wish wish;
		enum cert_bearer_key verdict;
	} rows[] = {
		{"rsa2048", {.bits = 2047}, CERT_BEARER_KEY_WRONG_SIZE},
		{"rsa2048", {.bits = 2049}, CERT_BEARER_KEY_WRONG_SIZE},
		{"rsa1024", {.bits = 2048}, CERT_BEARER_KEY_WRONG_SIZE},
		{"rsa2048", {.bits = 256, .ec = true},
			CERT_BEARER_KEY_WRONG_TYPE},
		{"p256", {.bits = 384, .ec = true}, CERT_BEARER_KEY_WRONG_SIZE},
		{"p384", {.bits = 256, .ec = true}, CERT_BEARER_KEY_WRONG_SIZE},
		{"p256", {.bits = 2048}, CERT_BEARER_KEY_WRONG_TYPE},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
			check_key(made_key(rows[i].kind, 0), rows[i].wish),
			rows[i].verdict);
	static const char *const strange[] = {"ED25519", "X25519"};
	for (size_t i = 0; i < 2; i++) {
		EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, strange[i]);
		assert_verdict(
			check_key(key, (struct cert_key_wish){.bits = 256,
					       .ec = true}),
			CERT_BEARER_KEY_WRONG_TYPE);
		EVP_PKEY_free(key);
	}
}

static void refusal_says_what_came_and_what_was_asked_for(void **state)
{
	struct diag d;
	EVP_PKEY *out = NULL;
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(made_key("rsa1024", 0), &der);
	const struct cert_key_wish wish = {.bits = 2048};
	cert_bearer_key_check(der, (size_t)n, &wish, &out, &d);
	assert_string_equal(d.text,
		"the phone's new key: not of the size asked for: RSA-1024, "
		"where RSA-2048 was asked for");
	OPENSSL_free(der);
}

/* ---- the encoding ---- */

static const struct cert_key_wish P256 = {.bits = 256, .ec = true};
static const struct cert_key_wish RSA1024 = {.bits = 1024};

static void every_byte_must_be_there_and_no_more(void **state)
{
	static const char *const kinds[] = {"p256", "rsa1024"};
	for (size_t k = 0; k < 2; k++) {
		struct cert_key_wish wish = k ? RSA1024 : P256;
		uint8_t der[2000] = {0};
		unsigned char *p = der;
		size_t n = (size_t)i2d_PUBKEY(made_key(kinds[k], 0), &p);
		assert_verdict(check(der, n, wish), CERT_BEARER_KEY_OK);
		assert_verdict(
			check(der, n + 1, wish), CERT_BEARER_KEY_UNREADABLE);
		assert_verdict(check(der, sizeof(der), wish),
			CERT_BEARER_KEY_UNREADABLE);
		for (size_t i = 0; i < n; i++)
			assert_verdict(check(der, i, wish),
				CERT_BEARER_KEY_UNREADABLE);
	}
}

/* The same key in BER: the outer length with a byte more. */
static void ber_is_not_der(void **state)
{
	uint8_t der[200] = {0}, ber[200] = {0};
	unsigned char *p = der;
	size_t n = (size_t)i2d_PUBKEY(made_key("p256", 0), &p);
	ber[0] = der[0];
	ber[1] = 0x81;
	memcpy(ber + 2, der + 1, n - 1);
	assert_verdict(check(ber, n + 1, P256), CERT_BEARER_KEY_UNREADABLE);
}

/* Where `from` is, `to` is put, of the same length. */
static enum cert_bearer_key check_replaced(EVP_PKEY *key,
	struct cert_key_wish wish, const char *from, const char *to, size_t n)
{
	uint8_t der[1000];
	unsigned char *p = der;
	size_t size = (size_t)i2d_PUBKEY(key, &p);
	uint8_t *at = memmem(der, size, from, n);
	assert_non_null(at);
	memcpy(at, to, n);
	return check(der, size, wish);
}

static void algorithm_is_written_as_in_rfc_3279(void **state)
{
	EVP_PKEY *key = made_key("rsa1024", 0);
	/* The NULL of rsaEncryption becomes an empty OCTET STRING. */
	assert_verdict(check_replaced(key, RSA1024, "\x01\x05\x00\x03",
			       "\x01\x04\x00\x03", 4),
		CERT_BEARER_KEY_UNREADABLE);
	/* RSASSA-PSS is another kind of key. */
	assert_verdict(check_replaced(key, RSA1024,
			       "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01",
			       "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", 9),
		CERT_BEARER_KEY_WRONG_TYPE);
	/* A modulus without its leading zero would be negative. */
	assert_verdict(check_replaced(key, RSA1024, "\x02\x81\x81\x00",
			       "\x02\x81\x81\xff", 4),
		CERT_BEARER_KEY_UNREADABLE);
	/* A bit string with unused bits. */
	assert_verdict(check_replaced(key, RSA1024, "\x81\x8d\x00\x30",
			       "\x81\x8d\x01\x30", 4),
		CERT_BEARER_KEY_UNREADABLE);
	assert_verdict(check_replaced(key, RSA1024, "\x30\x81\x89\x02",
			       "\x30\x81\x89\x03", 4),
		CERT_BEARER_KEY_UNREADABLE);
}

/* ---- RSA ---- */

static void exponent_is_65537_or_where_allowed_3(void **state)
{
	static const struct {
		unsigned long e;
		bool allow_e3, good;
	} rows[] = {{3, false, false}, {3, true, true}, {5, true, false},
		{17, true, false}, {65539, false, false}, {65537, true, true},
		{65537, false, true}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EVP_PKEY *key = made_rsa(1024, rows[i].e);
		assert_int_equal(
			check_key(key, (struct cert_key_wish){.bits = 1024,
					       .allow_e3 = rows[i].allow_e3}),
			rows[i].good ? CERT_BEARER_KEY_OK
				     : CERT_BEARER_KEY_BAD_EXPONENT);
		EVP_PKEY_free(key);
	}
	static const char *const strange[] = {
		"0", "1", "2", "10000", "100000001", "10000000000010001"};
	BIGNUM *n = NULL, *e = NULL;
	EVP_PKEY_get_bn_param(
		made_key("rsa1024", 0), OSSL_PKEY_PARAM_RSA_N, &n);
	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
		BN_hex2bn(&e, strange[i]);
		EVP_PKEY *key = made_rsa_public(n, e);
		assert_verdict(
			check_key(key, RSA1024), CERT_BEARER_KEY_BAD_EXPONENT);
		EVP_PKEY_free(key);
	}
	BN_free(e);
	BN_free(n);
}

static void size_stays_within_what_phones_make(void **state)
{
	static const int bits[] = {8, 64, 511, 4097, 7000};
	BIGNUM *n = BN_new();
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		BN_rand(n, bits[i], BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
		assert_verdict(check_modulus(n), CERT_BEARER_KEY_WRONG_SIZE);
	}
	BN_free(n);
}

/* An honest key times (or with) something. */
static void modulus_with_a_small_factor_is_refused(void **state)
{
	static const BN_ULONG factors[] = {
		2, 3, 5, 127, 257, 32749, 65519, 65521};
	for (size_t i = 0; i < sizeof(factors) / sizeof(factors[0]); i++) {
		BIGNUM *n = prime(600);
		BN_mul_word(n, factors[i]);
		assert_verdict(check_modulus(n), CERT_BEARER_KEY_BAD_MODULUS);
		BN_free(n);
	}
	/* The first prime beyond is found by nobody. */
	BIGNUM *n = prime(600);
	BN_mul_word(n, 65537);
	assert_verdict(check_modulus(n), CERT_BEARER_KEY_OK);
	BN_free(n);
}

static void modulus_of_small_factors_alone_is_refused(void **state)
{
	BIGNUM *n = BN_new();
	BN_one(n);
	for (BN_ULONG odd = 3; BN_num_bits(n) < 2048; odd += 2)
		BN_mul_word(n, odd);
	assert_verdict(check_modulus(n), CERT_BEARER_KEY_BAD_MODULUS);
	BN_free(n);
}

static void prime_modulus_is_refused(void **state)
{
	static const int bits[] = {512, 1024, 2048};
	for (size_t i = 0; i < 3; i++) {
		BIGNUM *p = prime(bits[i]);
		assert_verdict(check_modulus(p), CERT_BEARER_KEY_BAD_MODULUS);
		BN_free(p);
	}
}

static void check_power(const BIGNUM *root, BN_ULONG k)
{
	BIGNUM *n = BN_new(), *exponent = BN_new();
	BN_set_word(exponent, k);
	BN_exp(n, root, exponent, ctx);
	if (BN_num_bits(n) >= 512 && BN_num_bits(n) <= 4096)
		assert_verdict(check_modulus(n), CERT_BEARER_KEY_BAD_MODULUS);
	else
		fail_msg("%d bits", BN_num_bits(n));
	BN_free(exponent);
	BN_free(n);
}

static void powers_of_primes_and_of_others_are_refused(void **state)
{
	static const struct {
		int bits;
		BN_ULONG k;
	} rows[] = {{256, 3}, {512, 2}, {1024, 2}, {683, 3}, {1365, 3},
		{512, 5}, {257, 7}, {300, 9}, {128, 31}, {40, 101}, {24, 167},
		{17, 239}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		BIGNUM *p = prime(rows[i].bits);
		check_power(p, rows[i].k);
		BN_free(p);
	}
	BIGNUM *p = prime(256), *q = prime(300);
	BN_mul(p, p, q, ctx);
	check_power(p, 2);
	check_power(p, 3);
	check_power(p, 5);
	BN_set_word(p, 65537);
	check_power(p, 33);
	check_power(p, 255);
	BN_free(p);
	BN_free(q);
}

/* n = p q with q the first prime at least `apart` above p. */
static enum cert_bearer_key check_apart(const BIGNUM *p, const BIGNUM *apart)
{
	BIGNUM *q = BN_new(), *n = BN_new();
	BN_add(q, p, apart);
	BN_set_bit(q, 0);
	while (BN_check_prime(q, ctx, NULL) != 1)
		BN_add_word(q, 2);
	BN_mul(n, p, q, ctx);
	enum cert_bearer_key verdict = check_modulus(n);
	BN_free(q);
	BN_free(n);
	return verdict;
}

static void close_primes_are_found(void **state)
{
	BIGNUM *p = prime(512), *apart = BN_new();
	BN_set_word(apart, 2);
	assert_verdict(check_apart(p, apart), CERT_BEARER_KEY_CLOSE_PRIMES);
	BN_set_word(apart, 1000000);
	assert_verdict(check_apart(p, apart), CERT_BEARER_KEY_CLOSE_PRIMES);
	/* |p - q| = 2^256 is the fourth root of n: one step. */
	BN_zero(apart);
	BN_set_bit(apart, 256);
	assert_verdict(check_apart(p, apart), CERT_BEARER_KEY_CLOSE_PRIMES);
	/* 16 and 22 fourth roots: within the hundred. */
	BN_zero(apart);
	BN_set_bit(apart, 260);
	assert_verdict(check_apart(p, apart), CERT_BEARER_KEY_CLOSE_PRIMES);
	BN_zero(apart);
	BN_set_bit(apart, 266);
	assert_verdict(check_apart(p, apart), CERT_BEARER_KEY_OK);
	BN_free(p);
	BN_free(apart);
}

/* ---- ROCA ---- */

static bool is_prime(BN_ULONG p)
{
	BN_ULONG q = 2;
	while (p % q)
		q++;
	return q == p;
}

/* The product of the first n primes. */
static BIGNUM *primorial(int n)
{
	BIGNUM *m = BN_new();
	BN_one(m);
	for (BN_ULONG p = 2; n > 0; p++) {
		if (!is_prime(p))
			continue;
		BN_mul_word(m, p);
		n--;
	}
	return m;
}

/* A prime as the library of CVE-2017-15361 makes them: k M + 65537^a mod M. */
static BIGNUM *roca_prime(int bits, const BIGNUM *m)
{
	BIGNUM *p = BN_new(), *a = BN_new(), *k = BN_new(), *g = BN_new();
	BN_set_word(g, 65537);
	do {
		BN_rand_range(a, m);
		BN_mod_exp(p, g, a, m, ctx);
		BN_rand(k, bits - BN_num_bits(m) + 1, BN_RAND_TOP_TWO,
			BN_RAND_BOTTOM_ANY);
		BN_mul(k, k, m, ctx);
		BN_add(p, p, k);
	} while (BN_check_prime(p, ctx, NULL) != 1);
	BN_free(a);
	BN_free(k);
	BN_free(g);
	return p;
}

static void roca_s_fingerprint_is_found_in_every_size(void **state)
{
	/* Key sizes, and how many primes the library took for them. */
	static const int rows[][2] = {{512, 39}, {1024, 71}, {2048, 126}};
	for (size_t i = 0; i < 3; i++) {
		BIGNUM *m = primorial(rows[i][1]);
		BIGNUM *p = roca_prime(rows[i][0] / 2, m);
		BIGNUM *q = roca_prime(rows[i][0] / 2, m);
		BIGNUM *honest = prime(rows[i][0] / 2);
		BN_mul(q, p, q, ctx);
		assert_verdict(check_modulus(q), CERT_BEARER_KEY_ROCA);
		/* One prime of two is not the fingerprint. */
		BN_mul(q, p, honest, ctx);
		assert_verdict(check_modulus(q), CERT_BEARER_KEY_OK);
		BN_free(m);
		BN_free(p);
		BN_free(q);
		BN_free(honest);
	}
}

/* A power of 65537 modulo each prime, but another one each time. */
static void roca_needs_one_exponent_for_all_primes(void **state)
{
	BIGNUM *m = primorial(39), *n = BN_new(), *part = BN_new();
	BIGNUM *k = BN_new(), *small = BN_new(), *inverse = BN_new();
	do {
		BN_zero(n);
		for (BN_ULONG p = 2; p <= 167; p++) {
			if (!is_prime(p))
				continue;
			BN_ULONG power = 1;
			for (BN_ULONG a = 1 + p % 5; a; a--)
				power = power * 65537 % p;
			BN_set_word(small, p);
			BN_copy(part, m);
			BN_div_word(part, p);
			BN_mod_inverse(inverse, part, small, ctx);
			BN_mul(part, part, inverse, ctx);
			BN_mul_word(part, power);
			BN_add(n, n, part);
		}
		BN_nnmod(n, n, m, ctx);
		BN_rand(k, 600, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY);
		BN_mul(k, k, m, ctx);
		BN_add(n, n, k);
		/* A stray factor would be another fault. */
	} while (check_modulus(n) == CERT_BEARER_KEY_BAD_MODULUS);
	assert_verdict(check_modulus(n), CERT_BEARER_KEY_OK);
	BN_free(m);
	BN_free(n);
	BN_free(part);
	BN_free(k);
	BN_free(small);
	BN_free(inverse);
}

static void honest_keys_pass_every_time(void **state)
{
	for (int i = 0; i < 400; i++) {
		EVP_PKEY *key = made_rsa(512, RSA_F4);
		assert_verdict(
			check_key(key, (struct cert_key_wish){.bits = 512}),
			CERT_BEARER_KEY_OK);
		EVP_PKEY_free(key);
	}
	for (int i = 0; i < 30; i++) {
		EVP_PKEY *key = made_rsa(1024, RSA_3);
		assert_verdict(
			check_key(key, (struct cert_key_wish){.bits = 1024,
					       .allow_e3 = true}),
			CERT_BEARER_KEY_OK);
		EVP_PKEY_free(key);
	}
}

/* ---- elliptic curves ---- */

static void curves_that_phones_do_not_have_are_refused(void **state)
{
	static const struct {
		const char *curve;
		unsigned bits;
	} rows[] = {{"secp256k1", 256}, {"brainpoolP256r1", 256},
		{"brainpoolP384r1", 384}, {"P-224", 224}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EVP_PKEY *key = EVP_EC_gen(rows[i].curve);
		assert_verdict(
			check_key(key,
				(struct cert_key_wish){
					.bits = rows[i].bits, .ec = true}),
			CERT_BEARER_KEY_WRONG_TYPE);
		EVP_PKEY_free(key);
	}
}

static void curve_that_is_spelt_out_is_refused(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	assert_int_equal(
		EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING,
			OSSL_PKEY_EC_ENCODING_EXPLICIT),
		1);
	assert_verdict(check_key(key, P256), CERT_BEARER_KEY_WRONG_TYPE);
	EVP_PKEY_free(key);
}

/* The SPKI of P-256 up to the point. */
static const uint8_t SPKI[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86,
	0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
	0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

static enum cert_bearer_key check_point(const uint8_t *point, size_t n)
{
	uint8_t der[200];
	memcpy(der, SPKI, sizeof(SPKI));
	memcpy(der + sizeof(SPKI), point, n);
	der[1] = (uint8_t)(sizeof(SPKI) - 2 + n);
	der[sizeof(SPKI) - 2] = (uint8_t)(1 + n);
	return check(der, sizeof(SPKI) + n, P256);
}

static void point_is_uncompressed_and_on_the_curve(void **state)
{
	uint8_t der[200] = {0};
	unsigned char *p = der;
	uint8_t *point = der + sizeof(SPKI), changed[65];
	assert_int_equal(i2d_PUBKEY(made_key("p256", 0), &p), 91);
	assert_verdict(check_point(point, 65), CERT_BEARER_KEY_OK);
	for (size_t i = 0; i < 65; i++) {
		memcpy(changed, point, 65);
		changed[i] ^= 1;
		assert_verdict(
			check_point(changed, 65), CERT_BEARER_KEY_BAD_POINT);
	}
	/* Compressed, hybrid, infinity, nothing, (0, 0), beyond the field. */
	memcpy(changed, point, 65);
	changed[0] = 2 + (point[64] & 1);
	assert_verdict(check_point(changed, 33), CERT_BEARER_KEY_BAD_POINT);
	changed[0] = 6 + (point[64] & 1);
	assert_verdict(check_point(changed, 65), CERT_BEARER_KEY_BAD_POINT);
	memset(changed, 0, sizeof(changed));
	assert_verdict(check_point(changed, 1), CERT_BEARER_KEY_BAD_POINT);
	assert_verdict(check_point(changed, 0), CERT_BEARER_KEY_BAD_POINT);
	changed[0] = 4;
	assert_verdict(check_point(changed, 65), CERT_BEARER_KEY_BAD_POINT);
	memset(changed + 1, 0xff, 64);
	assert_verdict(check_point(changed, 65), CERT_BEARER_KEY_BAD_POINT);
	assert_verdict(check_point(point, 64), CERT_BEARER_KEY_BAD_POINT);
	memcpy(der + sizeof(SPKI) + 65, "", 1);
	assert_verdict(check_point(point, 66), CERT_BEARER_KEY_BAD_POINT);
}

/* ---- what else ---- */

static void openssl_errors_stay_as_they_were(void **state)
{
	uint8_t der[200] = {0};
	unsigned char *p = der;
	size_t n = (size_t)i2d_PUBKEY(made_key("p256", 0), &p);
	for (size_t i = 0; i <= n; i++) {
		ERR_clear_error();
		ERR_raise(ERR_LIB_USER, 7);
		if (i < n)
			der[i] ^= 0x10;
		check(der, n, P256);
		if (i < n)
			der[i] ^= 0x10;
		assert_int_equal(ERR_GET_REASON(ERR_get_error()), 7);
		assert_int_equal(ERR_get_error(), 0);
	}
}

static void every_verdict_has_a_name_of_its_own(void **state)
{
	for (int i = 0; i < CERT_BEARER_KEYS; i++) {
		assert_true(strlen(cert_bearer_key_text(i)) > 5);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(cert_bearer_key_name(i),
				cert_bearer_key_name(j));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fit_keys_pass),
		cmocka_unit_test(key_of_another_kind_or_size_is_refused),
		cmocka_unit_test(refusal_says_what_came_and_what_was_asked_for),
		cmocka_unit_test(every_byte_must_be_there_and_no_more),
		cmocka_unit_test(ber_is_not_der),
		cmocka_unit_test(algorithm_is_written_as_in_rfc_3279),
		cmocka_unit_test(exponent_is_65537_or_where_allowed_3),
		cmocka_unit_test(size_stays_within_what_phones_make),
		cmocka_unit_test(modulus_with_a_small_factor_is_refused),
		cmocka_unit_test(modulus_of_small_factors_alone_is_refused),
		cmocka_unit_test(prime_modulus_is_refused),
		cmocka_unit_test(powers_of_primes_and_of_others_are_refused),
		cmocka_unit_test(close_primes_are_found),
		cmocka_unit_test(roca_s_fingerprint_is_found_in_every_size),
		cmocka_unit_test(roca_needs_one_exponent_for_all_primes),
		cmocka_unit_test(honest_keys_pass_every_time),
		cmocka_unit_test(curves_that_phones_do_not_have_are_refused),
		cmocka_unit_test(curve_that_is_spelt_out_is_refused),
		cmocka_unit_test(point_is_uncompressed_and_on_the_curve),
		cmocka_unit_test(openssl_errors_stay_as_they_were),
		cmocka_unit_test(every_verdict_has_a_name_of_its_own),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("bearer_key", tests, begin, end);
}

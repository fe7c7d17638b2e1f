/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about proofs that a certificate is the phone's own. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "certs/proof.h"
#include "tests/certs/made.h"

static const char DEVICE[] = "SEP001122334455";
enum { SESSION = 0x11223344, SHA1_N = 20, SHA512_N = 64 };

/* What a phone sent, and room to change it. */
struct sent {
	struct cert_proof_parts parts;
	struct cert_proof_made made;
	unsigned char *der;
};

static X509 *cert_of(EVP_PKEY *key)
{
	const struct cert_attribute subject[] = {{"CN", DEVICE}, {NULL, NULL}};
	return made_cert((struct cert_order){.subject = subject, .key = key});
}

/* Any key below an issuer that has another. */
static X509 *issued_to(EVP_PKEY *key)
{
	X509 *ca = made_ca("CA", 9);
	const struct cert_attribute subject[] = {{"CN", DEVICE}, {NULL, NULL}};
	X509 *cert = made_cert((struct cert_order){.subject = subject,
		.key = key,
		.issuer = ca,
		.issuer_key = made_key("rsa2048", 9)});
	X509_free(ca);
	return cert;
}

static void use_der(struct sent *s, X509 *cert)
{
	s->der = NULL;
	int n = i2d_X509(cert, &s->der);
	assert_true(n > 0);
	s->parts.certificate = (struct cert_bytes){s->der, (size_t)n};
}

static struct sent send_proof(EVP_PKEY *key, EVP_PKEY *sudi_key)
{
	struct sent s = {.parts = {.device = DEVICE, .session = SESSION}};
	struct diag d = {.text = ""};
	X509 *cert = cert_of(key);
	X509 *sudi = sudi_key ? cert_of(sudi_key) : NULL;
	if (cert_proof_make(
		    DEVICE, SESSION, cert, key, sudi, sudi_key, &s.made, &d))
		fail_msg("%s", d.text);
	use_der(&s, cert);
	s.parts.sha1 = (struct cert_bytes){s.made.sha1, s.made.sha1_n};
	s.parts.sha2 = (struct cert_bytes){s.made.sha2, s.made.sha2_n};
	s.parts.sudi = (struct cert_bytes){s.made.sudi, s.made.sudi_n};
	X509_free(cert);
	X509_free(sudi);
	return s;
}

static void forget(struct sent *s)
{
	cert_proof_made_deinit(&s->made);
	OPENSSL_free(s->der);
}

static enum cert_proof check(const struct cert_proof_parts *parts)
{
	X509 *cert = NULL, *sudi = NULL;
	enum cert_proof verdict = cert_proof_check(parts, &cert, &sudi);
	assert_int_equal(cert != NULL, verdict == CERT_PROOF_OK);
	assert_int_equal(
		sudi != NULL, verdict == CERT_PROOF_OK && parts->sudi.p);
	X509_free(cert);
	X509_free(sudi);
	return verdict;
}

static void assert_verdict(
	const struct cert_proof_parts *parts, enum cert_proof expected)
{
	assert_string_equal(
		cert_proof_name(check(parts)), cert_proof_name(expected));
}

static void every_kind_of_key_can_prove_itself(void **state)
{
	static const char *const kinds[] = {
		"rsa1024", "rsa2048", "rsa4096", "p256", "p384", "p521"};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct sent s = send_proof(
			made_key(kinds[i], 0), made_key("rsa2048", 1));
		X509 *cert = NULL, *sudi = NULL;
		assert_int_equal(cert_proof_check(&s.parts, &cert, &sudi),
			CERT_PROOF_OK);
		assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(cert),
					 made_key(kinds[i], 0)),
			1);
		assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(sudi),
					 made_key("rsa2048", 1)),
			1);
		X509_free(cert);
		X509_free(sudi);
		forget(&s);
	}
}

static void rsa_512_has_no_sha_512_form(void **state)
{
	EVP_PKEY *key = made_rsa(512, RSA_F4);
	struct sent s = send_proof(key, key);
	assert_null(s.made.sha2);
	assert_int_equal(s.made.sha1_n, 64);
	assert_verdict(&s.parts, CERT_PROOF_OK);
	/* One cannot be made, so one that comes is wrong. */
	uint8_t sha2[3 + 64] = {3, 0, 64};
	s.parts.sha2 = (struct cert_bytes){sha2, sizeof(sha2)};
	assert_verdict(&s.parts, CERT_PROOF_BAD_SHA512);
	s.parts.sha2.p = NULL;
	s.made.sha1[5] ^= 1;
	assert_verdict(&s.parts, CERT_PROOF_BAD_SHA1);
	forget(&s);
	EVP_PKEY_free(key);
}

static void what_does_not_come_is_named(void **state)
{
	struct sent s = send_proof(made_key("rsa2048", 0), NULL);
	const struct cert_proof_parts all = s.parts;
	assert_verdict(&s.parts, CERT_PROOF_OK);
	s.parts.sha2.p = NULL;
	assert_verdict(&s.parts, CERT_PROOF_NO_SIGNATURE);
	s.parts.sha1.p = NULL;
	assert_verdict(&s.parts, CERT_PROOF_NO_SIGNATURE);
	s.parts.sha2 = all.sha2;
	assert_verdict(&s.parts, CERT_PROOF_NO_SIGNATURE);
	s.parts.certificate.p = NULL;
	assert_verdict(&s.parts, CERT_PROOF_NO_CERTIFICATE);
	forget(&s);
}

/* Copies a part, flips each bit of each byte in turn. */
static void flip(struct sent *s, struct cert_bytes *part, size_t from,
	enum cert_proof expected)
{
	const struct cert_bytes was = *part;
	uint8_t *copy = malloc(was.n);
	memcpy(copy, was.p, was.n);
	part->p = copy;
	for (size_t i = from; i < was.n; i++) {
		copy[i] ^= (uint8_t)(1 << i % 8);
		enum cert_proof verdict = check(&s->parts);
		if (expected == CERT_PROOF_OK)
			assert_int_not_equal(verdict, CERT_PROOF_OK);
		else
			assert_int_equal(verdict, expected);
		copy[i] ^= (uint8_t)(1 << i % 8);
	}
	*part = was;
	free(copy);
}

static void no_byte_can_be_changed(void **state)
{
	static const char *const kinds[] = {"rsa1024", "p256"};
	for (size_t i = 0; i < 2; i++) {
		EVP_PKEY *key = made_key(kinds[i], 0);
		struct sent s = send_proof(key, made_key("rsa1024", 1));
		flip(&s, &s.parts.sha1, 0, CERT_PROOF_BAD_SHA1);
		flip(&s, &s.parts.sha2, 3, CERT_PROOF_BAD_SHA512);
		flip(&s, &s.parts.sha2, 0, CERT_PROOF_OK);
		flip(&s, &s.parts.certificate, 0, CERT_PROOF_OK);
		flip(&s, &s.parts.sudi, 0, CERT_PROOF_OK);
		assert_verdict(&s.parts, CERT_PROOF_OK);
		forget(&s);
	}
}

static void proof_is_of_this_name_and_this_session_alone(void **state)
{
	struct sent s =
		send_proof(made_key("rsa2048", 0), made_key("rsa2048", 1));
	char other[sizeof(DEVICE)];
	for (size_t i = 0; i < sizeof(DEVICE) - 1; i++) {
		memcpy(other, DEVICE, sizeof(DEVICE));
		other[i] ^= 1;
		s.parts.device = other;
		assert_verdict(&s.parts, CERT_PROOF_BAD_SHA1);
	}
	s.parts.device = "SEP00112233445";
	assert_verdict(&s.parts, CERT_PROOF_BAD_SHA1);
	s.parts.device = DEVICE;
	for (int bit = 0; bit < 32; bit++) {
		s.parts.session = SESSION ^ (UINT32_C(1) << bit);
		assert_verdict(&s.parts, CERT_PROOF_BAD_SUDI);
	}
	forget(&s);
}

static void signature_of_another_key_is_none(void **state)
{
	static const char *const kinds[] = {"rsa2048", "p256"};
	for (size_t i = 0; i < 2; i++) {
		struct sent a = send_proof(made_key(kinds[i], 0), NULL);
		struct sent b = send_proof(made_key(kinds[i], 1), NULL);
		struct cert_proof_parts mixed = a.parts;
		mixed.sha2 = b.parts.sha2;
		assert_verdict(&mixed, CERT_PROOF_BAD_SHA512);
		mixed.sha2 = a.parts.sha2;
		mixed.sha1 = b.parts.sha1;
		assert_verdict(&mixed, CERT_PROOF_BAD_SHA1);
		/* The SHA-1 signature is not a SHA-512 one, nor turned. */
		mixed.sha1 = (struct cert_bytes){
			a.parts.sha2.p + 3, a.parts.sha2.n - 3};
		assert_verdict(&mixed, CERT_PROOF_BAD_SHA1);
		forget(&a);
		forget(&b);
	}
}

/* An element with one change: what at `at` is cut off, is put there. */
static uint8_t *changed(struct cert_bytes part, size_t *n, size_t at,
	size_t cut, struct cert_bytes put)
{
	uint8_t *copy = malloc(part.n + put.n + 1);
	memcpy(copy, part.p, at);
	if (put.n)
		memcpy(copy + at, put.p, put.n);
	memcpy(copy + at + put.n, part.p + at + cut, part.n - at - cut);
	*n = part.n - cut + put.n;
	return copy;
}

static void expect(struct sent *s, struct cert_bytes *part, size_t at,
	size_t cut, const char *put, size_t put_n)
{
	const struct cert_bytes was = *part;
	uint8_t *copy = changed(was, &part->n, at, cut,
		(struct cert_bytes){(const uint8_t *)put, put_n});
	part->p = copy;
	assert_verdict(&s->parts, CERT_PROOF_MALFORMED);
	*part = was;
	free(copy);
}

static void sha2_signed_data_has_one_form(void **state)
{
	struct sent s = send_proof(made_key("rsa2048", 0), NULL);
	struct cert_bytes *sha2 = &s.parts.sha2;
	assert_int_equal(sha2->n, 3 + 256);
	assert_memory_equal(sha2->p, "\3\1\0", 3);
	expect(&s, sha2, 0, 1, "\1", 1);
	expect(&s, sha2, 0, 1, "\2", 1);
	expect(&s, sha2, 0, 1, "\4", 1);
	expect(&s, sha2, sha2->n, 0, "", 1);
	expect(&s, sha2, sha2->n - 1, 1, "", 0);
	expect(&s, sha2, 1, 2, "\xff\xff", 2);
	expect(&s, sha2, 1, 2, "\0\0", 2);
	for (size_t n = 0; n < 4; n++)
		expect(&s, sha2, n, sha2->n - n, "", 0);
	forget(&s);
}

static void sudi_data_has_one_form(void **state)
{
	EVP_PKEY *key = made_key("rsa2048", 1);
	struct sent s = send_proof(made_key("p256", 0), key);
	struct cert_bytes *sudi = &s.parts.sudi;
	size_t sha1_at = 3 + ((size_t)sudi->p[1] << 8 | sudi->p[2]);
	size_t sha512_at = sha1_at + 3 + 256;
	assert_int_equal(sudi->n, sha512_at + 3 + 256);
	assert_memory_equal(sudi->p + sha1_at, "\1\1\0", 3);
	assert_memory_equal(sudi->p + sha512_at, "\3\1\0", 3);
	expect(&s, sudi, sudi->n, 0, "", 1);
	expect(&s, sudi, sudi->n - 1, 1, "", 0);
	expect(&s, sudi, 0, 1, "\1", 1);
	expect(&s, sudi, sha1_at, 1, "\3", 1);
	expect(&s, sudi, sha512_at, 1, "\2", 1);
	expect(&s, sudi, sha512_at + 1, 2, "\xff\xff", 2);
	expect(&s, sudi, sha1_at, sudi->n - sha1_at, "", 0);
	expect(&s, sudi, sha1_at, 3 + 256, "", 0);
	expect(&s, sudi, 0, sha1_at, "\0\0\0", 3);
	expect(&s, sudi, 0, sudi->n, "", 0);
	/* Its certificate has a byte behind it. */
	uint8_t longer[] = {
		0, (uint8_t)((sha1_at - 2) >> 8), (uint8_t)(sha1_at - 2)};
	size_t n = 0;
	uint8_t *copy = changed(*sudi, &n, sha1_at, 0,
		(struct cert_bytes){(const uint8_t *)"", 1});
	memcpy(copy, longer, 3);
	*sudi = (struct cert_bytes){copy, n};
	assert_verdict(&s.parts, CERT_PROOF_MALFORMED);
	free(copy);
	/* Without the SHA-512 half, which this key can make. */
	*sudi = (struct cert_bytes){s.made.sudi, sha512_at};
	assert_verdict(&s.parts, CERT_PROOF_BAD_SUDI);
	forget(&s);
}

static void sudi_of_an_elliptic_curve_is_malformed(void **state)
{
	struct sent s = send_proof(made_key("p256", 0), NULL);
	struct cert_proof_made made;
	X509 *cert = cert_of(made_key("p256", 0));
	struct diag d = {.text = ""};
	assert_int_equal(
		cert_proof_make(DEVICE, SESSION, cert, made_key("p256", 0),
			cert, made_key("p256", 0), &made, &d),
		-EINVAL);
	assert_non_null(strstr(d.text, "SUDI"));
	assert_null(made.sha1);
	uint8_t sudi[2000] = {0, (uint8_t)(s.parts.certificate.n >> 8),
		(uint8_t)s.parts.certificate.n};
	memcpy(sudi + 3, s.parts.certificate.p, s.parts.certificate.n);
	size_t n = 3 + s.parts.certificate.n;
	memcpy(sudi + n, "\1\0\1x\3\0\1x", 8);
	s.parts.sudi = (struct cert_bytes){sudi, n + 8};
	assert_verdict(&s.parts, CERT_PROOF_MALFORMED);
	X509_free(cert);
	forget(&s);
}

static void unreadable(struct sent *s, const uint8_t *der, size_t n)
{
	const struct cert_bytes was = s->parts.certificate;
	s->parts.certificate = (struct cert_bytes){der, n};
	assert_verdict(&s->parts, CERT_PROOF_UNREADABLE);
	s->parts.certificate = was;
}

static void certificate_is_read_whole_or_not_at_all(void **state)
{
	struct sent s = send_proof(made_key("rsa1024", 0), NULL);
	size_t n = s.parts.certificate.n;
	uint8_t *longer = calloc(1, 20000);
	memcpy(longer, s.der, n);
	unreadable(&s, longer, n + 1);
	unreadable(&s, longer, 20000);
	for (size_t i = 0; i < n; i++) {
		/* A block of its own: reading beyond it is seen. */
		uint8_t *part = malloc(i ? i : 1);
		memcpy(part, s.der, i);
		unreadable(&s, part, i);
		free(part);
	}
	free(longer);
	forget(&s);
}

static void certificate_longer_than_the_wire_is_unreadable(void **state)
{
	char *comment = calloc(1, 17000);
	memset(comment, 'x', 16999);
	const struct cert_extension extensions[] = {
		{"nsComment", comment}, {NULL, NULL}};
	X509 *cert = made_cert((struct cert_order){
		.key = made_key("p256", 0), .extensions = extensions});
	struct cert_proof_made made;
	assert_int_equal(cert_proof_make(DEVICE, SESSION, cert,
				 made_key("p256", 0), NULL, NULL, &made, NULL),
		-EINVAL);
	struct sent s = {.parts = {.device = DEVICE}};
	use_der(&s, cert);
	assert_verdict(&s.parts, CERT_PROOF_UNREADABLE);
	X509_free(cert);
	OPENSSL_free(s.der);
	free(comment);
}

static void keys_that_cost_too_much_are_unreadable(void **state)
{
	BIGNUM *n = BN_new(), *e = BN_new();
	EVP_PKEY *keys[4];
	BN_rand(n, 4097, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD);
	BN_set_word(e, RSA_F4);
	keys[0] = made_rsa_public(n, e);
	BN_rand(n, 2048, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD);
	BN_rand(e, 65, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
	keys[1] = made_rsa_public(n, e);
	BN_copy(e, n);
	keys[2] = made_rsa_public(n, e);
	keys[3] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	for (size_t i = 0; i < 4; i++) {
		X509 *cert = issued_to(keys[i]);
		struct sent s = {.parts = {.device = DEVICE}};
		use_der(&s, cert);
		s.parts.sha1 = s.parts.sha2 = s.parts.certificate;
		assert_verdict(&s.parts, CERT_PROOF_UNREADABLE);
		X509_free(cert);
		OPENSSL_free(s.der);
		EVP_PKEY_free(keys[i]);
	}
	BN_free(n);
	BN_free(e);
}

/* Keys that are no keys: even, tiny, one. */
static void moduli_that_make_no_sense_verify_nothing(void **state)
{
	BIGNUM *n = BN_new(), *e = BN_new();
	BN_set_word(e, RSA_F4);
	for (int i = 0; i < 4; i++) {
		BN_rand(n, 2048, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD);
		if (i == 0)
			BN_clear_bit(n, 0);
		if (i > 0)
			BN_set_word(n, (BN_ULONG)i);
		EVP_PKEY *key = made_rsa_public(n, e);
		X509 *cert = issued_to(key);
		struct sent s = {.parts = {.device = DEVICE}};
		use_der(&s, cert);
		uint8_t zeros[3 + 256] = {3, 1, 0};
		size_t size = i ? 1 : 256;
		s.parts.sha1 = (struct cert_bytes){zeros + 3, size};
		s.parts.sha2 = (struct cert_bytes){zeros, 3 + 256};
		assert_int_not_equal(check(&s.parts), CERT_PROOF_OK);
		X509_free(cert);
		OPENSSL_free(s.der);
		EVP_PKEY_free(key);
	}
	BN_free(n);
	BN_free(e);
}

/* ---- signatures that are not what they seem ---- */

/* Signs a hash with the digest named, so with a DigestInfo before it. */
static void sign_with_digest_info(EVP_PKEY *key, const EVP_MD *digest,
	struct cert_bytes data, uint8_t *out)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t n = (size_t)EVP_PKEY_get_size(key);
	assert_int_equal(
		EVP_DigestSignInit(context, NULL, digest, NULL, key), 1);
	assert_int_equal(EVP_DigestSign(context, out, &n, data.p, data.n), 1);
	EVP_MD_CTX_free(context);
}

static struct cert_bytes signed_bytes(const struct cert_proof_parts *parts)
{
	size_t name = strlen(parts->device) + 1;
	uint8_t *p = malloc(name + parts->certificate.n);
	memcpy(p, parts->device, name);
	memcpy(p + name, parts->certificate.p, parts->certificate.n);
	return (struct cert_bytes){p, name + parts->certificate.n};
}

static void digest_info_is_not_bare(void **state)
{
	EVP_PKEY *key = made_key("rsa2048", 0);
	struct sent s = send_proof(key, NULL);
	struct cert_bytes data = signed_bytes(&s.parts);
	uint8_t sha1[256], sha2[3 + 256] = {3, 1, 0};
	sign_with_digest_info(key, EVP_sha1(), data, sha1);
	sign_with_digest_info(key, EVP_sha512(), data, sha2 + 3);
	struct cert_proof_parts other = s.parts;
	other.sha1 = (struct cert_bytes){sha1, sizeof(sha1)};
	assert_verdict(&other, CERT_PROOF_BAD_SHA1);
	other.sha1 = s.parts.sha1;
	other.sha2 = (struct cert_bytes){sha2, sizeof(sha2)};
	assert_verdict(&other, CERT_PROOF_BAD_SHA512);
	free((void *)data.p);
	forget(&s);
}

/* The padding as it should be, over that hash. */
static void pad(uint8_t *block, size_t n, const uint8_t *hash, size_t hash_n)
{
	memset(block, 0xff, n);
	block[0] = 0;
	block[1] = 1;
	block[n - hash_n - 1] = 0;
	memcpy(block + n - hash_n, hash, hash_n);
}

static void raw_sign(EVP_PKEY *key, const uint8_t *block, uint8_t *out)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	size_t n = (size_t)EVP_PKEY_get_size(key);
	assert_int_equal(EVP_PKEY_sign_init(context), 1);
	assert_int_equal(
		EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING), 1);
	assert_int_equal(EVP_PKEY_sign(context, out, &n, block, n), 1);
	EVP_PKEY_CTX_free(context);
}

static void every_byte_of_the_padding_counts(void **state)
{
	EVP_PKEY *key = made_key("rsa1024", 0);
	struct sent s = send_proof(key, NULL);
	struct cert_bytes data = signed_bytes(&s.parts);
	uint8_t hash[EVP_MAX_MD_SIZE], block[128], signature[128];
	EVP_Digest(data.p, data.n, hash, NULL, EVP_sha1(), NULL);
	s.parts.sha1 = (struct cert_bytes){signature, sizeof(signature)};
	pad(block, sizeof(block), hash, SHA1_N);
	raw_sign(key, block, signature);
	assert_verdict(&s.parts, CERT_PROOF_OK);
	for (size_t i = 0; i < sizeof(block); i++) {
		block[i] ^= 1;
		raw_sign(key, block, signature);
		assert_verdict(&s.parts, CERT_PROOF_BAD_SHA1);
		block[i] ^= 1;
	}
	for (size_t i = 2; i < sizeof(block) - SHA1_N - 1; i++) {
		block[i] = 0;
		raw_sign(key, block, signature);
		assert_verdict(&s.parts, CERT_PROOF_BAD_SHA1);
		block[i] = 0xff;
	}
	free((void *)data.p);
	forget(&s);
}

static void signature_without_its_leading_zero_is_too_short(void **state)
{
	EVP_PKEY *key = made_key("rsa1024", 0);
	X509 *cert = cert_of(key);
	struct sent s = {0};
	use_der(&s, cert);
	char name[16];
	for (unsigned i = 0;; i++) {
		snprintf(name, sizeof(name), "SEP%012X", i);
		assert_int_equal(cert_proof_make(name, SESSION, cert, key, NULL,
					 NULL, &s.made, NULL),
			0);
		if (s.made.sha1[0] == 0)
			break;
		cert_proof_made_deinit(&s.made);
	}
	s.parts.device = name;
	s.parts.sha1 = (struct cert_bytes){s.made.sha1, s.made.sha1_n};
	s.parts.sha2 = (struct cert_bytes){s.made.sha2, s.made.sha2_n};
	assert_verdict(&s.parts, CERT_PROOF_OK);
	s.parts.sha1.p++;
	s.parts.sha1.n--;
	assert_verdict(&s.parts, CERT_PROOF_BAD_SHA1);
	X509_free(cert);
	forget(&s);
}

/* ---- forgeries: without the private key, where e = 3 ---- */

/* The integer cube root, rounded up. */
static void cube_root_up(BIGNUM *root, const BIGNUM *of, BN_CTX *ctx)
{
	BIGNUM *cube = BN_new(), *three = BN_new();
	BN_set_word(three, 3);
	BN_zero(root);
	for (int bit = BN_num_bits(of) / 3 + 1; bit >= 0; bit--) {
		BN_set_bit(root, bit);
		BN_exp(cube, root, three, ctx);
		if (BN_cmp(cube, of) >= 0)
			BN_clear_bit(root, bit);
	}
	BN_add_word(root, 1);
	BN_free(cube);
	BN_free(three);
}

/* root is changed in its lowest `bits` bits so that its cube ends in `tail`,
 * which is odd. */
static void cube_ends_in(
	BIGNUM *root, const BIGNUM *tail, int bits, BN_CTX *ctx)
{
	BIGNUM *cube = BN_new(), *three = BN_new();
	BN_set_word(three, 3);
	for (int bit = 0; bit < bits; bit++)
		BN_clear_bit(root, bit);
	for (int bit = 0; bit < bits; bit++) {
		BN_exp(cube, root, three, ctx);
		if (BN_is_bit_set(cube, bit) != BN_is_bit_set(tail, bit))
			BN_set_bit(root, bit);
	}
	BN_free(cube);
	BN_free(three);
}

/* What somebody sees who raises the signature to the third power. */
static void open_it(const uint8_t *signature, EVP_PKEY *key, uint8_t *block)
{
	BIGNUM *n = NULL, *s = BN_bin2bn(signature, 256, NULL);
	BIGNUM *e = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n);
	BN_set_word(e, 3);
	BN_mod_exp(s, s, e, n, ctx);
	assert_int_equal(BN_bn2binpad(s, block, 256), 256);
	BN_free(n);
	BN_free(s);
	BN_free(e);
	BN_CTX_free(ctx);
}

enum forgery { TAIL, HEAD_AND_TAIL, BLEICHENBACHER, FORGERIES };

static const uint8_t HEAD[] = {
	0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/*
 * TAIL: 00 .. 00 garbage 00 hash, for who looks at the end alone.
 * HEAD_AND_TAIL: 00 01 ff .. ff garbage 00 hash, for who looks at both.
 * BLEICHENBACHER: 00 01 ff .. ff 00 hash garbage, as in 2006, for who stops
 * behind the hash.
 */
static void forge(enum forgery how, const uint8_t *hash, size_t n,
	EVP_PKEY *key, uint8_t *signature)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *root = BN_new(), *tail = BN_new();
	uint8_t block[256] = {0};
	memset(block, 0xff, sizeof(block));
	memcpy(block, HEAD, sizeof(HEAD));
	if (how == BLEICHENBACHER) {
		block[sizeof(HEAD)] = 0;
		memcpy(block + sizeof(HEAD) + 1, hash, n);
		memset(block + sizeof(HEAD) + 1 + n, 0,
			sizeof(block) - sizeof(HEAD) - 1 - n);
	} else if (how == HEAD_AND_TAIL) {
		/* A head like this one's survives the changes below. */
		memset(block + sizeof(HEAD), 0x80,
			sizeof(block) - sizeof(HEAD));
	}
	if (how != TAIL) {
		BN_bin2bn(block, sizeof(block), tail);
		cube_root_up(root, tail, ctx);
	}
	if (how != BLEICHENBACHER) {
		BN_bin2bn(hash, (int)n, tail);
		cube_ends_in(root, tail, 8 * ((int)n + 1), ctx);
	}
	assert_int_equal(BN_bn2binpad(root, signature, 256), 256);
	BN_free(root);
	BN_free(tail);
	BN_CTX_free(ctx);
	/* It is a forgery: who looks less closely is taken in. */
	open_it(signature, key, block);
	if (how != TAIL)
		assert_memory_equal(block, HEAD, sizeof(HEAD));
	const uint8_t *seen = how == BLEICHENBACHER ? block + sizeof(HEAD) + 1
						    : block + sizeof(block) - n;
	assert_int_equal(seen[-1], 0);
	assert_memory_equal(seen, hash, n);
}

/* A name for which both hashes are odd, as roots modulo 2^k ask. */
static void odd_hashes(struct cert_proof_parts *parts, char name[16],
	uint8_t *sha1, uint8_t *sha512)
{
	parts->device = name;
	for (unsigned i = 0;; i++) {
		snprintf(name, 16, "SEP%012X", i);
		struct cert_bytes data = signed_bytes(parts);
		EVP_Digest(data.p, data.n, sha1, NULL, EVP_sha1(), NULL);
		EVP_Digest(data.p, data.n, sha512, NULL, EVP_sha512(), NULL);
		free((void *)data.p);
		if (sha1[SHA1_N - 1] & sha512[SHA512_N - 1] & 1)
			return;
	}
}

static void forgeries_under_exponent_3_are_refused(void **state)
{
	EVP_PKEY *key = made_rsa(2048, 3);
	X509 *cert = cert_of(key);
	struct sent s = {0};
	char name[16];
	uint8_t hash1[SHA1_N], hash512[SHA512_N];
	use_der(&s, cert);
	odd_hashes(&s.parts, name, hash1, hash512);
	assert_int_equal(cert_proof_make(name, SESSION, cert, key, NULL, NULL,
				 &s.made, NULL),
		0);
	for (enum forgery how = 0; how < FORGERIES; how++) {
		uint8_t sha1[256], sha2[3 + 256] = {3, 1, 0};
		s.parts.sha1 = (struct cert_bytes){s.made.sha1, 256};
		s.parts.sha2 = (struct cert_bytes){s.made.sha2, 3 + 256};
		assert_verdict(&s.parts, CERT_PROOF_OK);
		forge(how, hash512, SHA512_N, key, sha2 + 3);
		s.parts.sha2.p = sha2;
		assert_verdict(&s.parts, CERT_PROOF_BAD_SHA512);
		forge(how, hash1, SHA1_N, key, sha1);
		s.parts.sha1.p = sha1;
		assert_verdict(&s.parts, CERT_PROOF_BAD_SHA1);
	}
	X509_free(cert);
	EVP_PKEY_free(key);
	forget(&s);
}

/* The bytes that SUDI_DATA signs begin with the session's number. */
static void forged_sudi_is_refused(void **state)
{
	EVP_PKEY *key = made_rsa(2048, 3);
	for (enum forgery how = 0; how < FORGERIES; how++) {
		struct sent s = send_proof(made_key("p256", 0), key);
		size_t n = (size_t)s.made.sudi[1] << 8 | s.made.sudi[2];
		uint8_t *data = malloc(4 + n);
		uint8_t hash[SHA1_N], hash512[SHA512_N];
		uint32_t session = SESSION;
		memcpy(data + 4, s.made.sudi + 3, n);
		do {
			session++;
			for (int i = 0; i < 4; i++)
				data[i] = (uint8_t)(session >> 8 * i);
			EVP_Digest(data, 4 + n, hash, NULL, EVP_sha1(), NULL);
			EVP_Digest(
				data, 4 + n, hash512, NULL, EVP_sha512(), NULL);
		} while (!(hash[SHA1_N - 1] & hash512[SHA512_N - 1] & 1));
		s.parts.session = session;
		uint8_t *sha1 = s.made.sudi + 3 + n + 3;
		forge(how, hash, SHA1_N, key, sha1);
		forge(how, hash512, SHA512_N, key, sha1 + 256 + 3);
		assert_verdict(&s.parts, CERT_PROOF_BAD_SUDI);
		free(data);
		forget(&s);
	}
	EVP_PKEY_free(key);
}

/* ---- what else ---- */

static void key_that_cannot_sign_makes_no_proof(void **state)
{
	struct cert_proof_made made;
	struct diag d = {.text = ""};
	X509 *issued = cert_of(made_key("p256", 0));
	/* A certificate that was read has the public half alone. */
	X509 *cert = X509_dup(issued);
	EVP_PKEY *public_key = X509_get0_pubkey(cert);
	assert_int_equal(cert_proof_make(DEVICE, SESSION, cert, public_key,
				 NULL, NULL, &made, &d),
		-EINVAL);
	assert_non_null(strstr(d.text, "the certificate cannot sign"));
	assert_null(made.sha1);
	X509_free(cert);
	X509_free(issued);
}

static void openssl_errors_stay_as_they_were(void **state)
{
	struct sent s =
		send_proof(made_key("rsa1024", 0), made_key("rsa1024", 1));
	for (int i = 0; i < 4; i++) {
		ERR_clear_error();
		ERR_raise(ERR_LIB_USER, 7);
		check(&s.parts);
		assert_int_equal(ERR_GET_REASON(ERR_get_error()), 7);
		assert_int_equal(ERR_get_error(), 0);
		if (i == 0)
			s.made.sudi[s.made.sudi_n - 1] ^= 1;
		if (i == 1)
			s.made.sha1[0] ^= 1;
		if (i == 2)
			s.der[0] ^= 1;
	}
	forget(&s);
}

static void every_verdict_has_a_name_of_its_own(void **state)
{
	for (int i = 0; i < CERT_PROOFS; i++) {
		assert_true(strlen(cert_proof_text(i)) > 10);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(
				cert_proof_name(i), cert_proof_name(j));
	}
}

/* ---- what real phones' client sent ---- */

/* The n-th line that begins with "> ", as bytes. */
static uint8_t *read_message(const char *path, int which, size_t *n)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	long read = 0;
	assert_non_null(f);
	while ((read = getline(&line, &room, f)) > 0)
		if (line[0] == '>' && which-- == 0)
			break;
	assert_true(read > 2);
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	long size = 0;
	uint8_t *made = OPENSSL_hexstr2buf(line + 2, &size);
	assert_non_null(made);
	free(line);
	*n = (size_t)size;
	return made;
}

/* The value of the first element of that tag. */
static struct cert_bytes element(const uint8_t *p, size_t n, uint8_t tag)
{
	size_t at = 8;
	while (at + 3 <= n) {
		size_t size = (size_t)p[at + 1] << 8 | p[at + 2];
		if (p[at] == tag)
			return (struct cert_bytes){p + at + 3, size};
		at += 3 + size;
	}
	fail_msg("no element %d", tag);
	return (struct cert_bytes){NULL, 0};
}

static void recorded_proofs_are_right(void **state)
{
	static const char *const files[] = {"install-by-cert-lsc-rsa2048",
		"install-by-cert-mic-sha2-chain"};
	const char *shared = getenv("DIALTONE_SHARED");
	for (size_t i = 0; i < 2; i++) {
		char path[1024];
		size_t n = 0;
		snprintf(path, sizeof(path), "%s/capf-sessions/%s.txt",
			shared ? shared : "", files[i]);
		FILE *there = fopen(path, "re");
		if (!there) {
			print_message("%s is not there\n", path);
			skip();
		}
		fclose(there);
		uint8_t *message = read_message(path, 0, &n);
		struct cert_bytes list = element(message, n, 4);
		struct cert_proof_parts parts = {
			.device = (const char *)element(message, n, 13).p,
			.session = (uint32_t)message[2] << 24 |
				   (uint32_t)message[3] << 16 |
				   (uint32_t)message[4] << 8 | message[5],
			/* 01, length, 00, type */
			.certificate = {list.p + 5, list.n - 5},
			.sha1 = element(message, n, 6),
			.sha2 = element(message, n, 20),
			.sudi = element(message, n, 16),
		};
		assert_verdict(&parts, CERT_PROOF_OK);
		parts.session++;
		assert_verdict(&parts, CERT_PROOF_BAD_SUDI);
		OPENSSL_free(message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_key_can_prove_itself),
		cmocka_unit_test(rsa_512_has_no_sha_512_form),
		cmocka_unit_test(what_does_not_come_is_named),
		cmocka_unit_test(no_byte_can_be_changed),
		cmocka_unit_test(proof_is_of_this_name_and_this_session_alone),
		cmocka_unit_test(signature_of_another_key_is_none),
		cmocka_unit_test(sha2_signed_data_has_one_form),
		cmocka_unit_test(sudi_data_has_one_form),
		cmocka_unit_test(sudi_of_an_elliptic_curve_is_malformed),
		cmocka_unit_test(certificate_is_read_whole_or_not_at_all),
		cmocka_unit_test(
			certificate_longer_than_the_wire_is_unreadable),
		cmocka_unit_test(keys_that_cost_too_much_are_unreadable),
		cmocka_unit_test(moduli_that_make_no_sense_verify_nothing),
		cmocka_unit_test(digest_info_is_not_bare),
		cmocka_unit_test(every_byte_of_the_padding_counts),
		cmocka_unit_test(
			signature_without_its_leading_zero_is_too_short),
		cmocka_unit_test(forgeries_under_exponent_3_are_refused),
		cmocka_unit_test(forged_sudi_is_refused),
		cmocka_unit_test(key_that_cannot_sign_makes_no_proof),
		cmocka_unit_test(openssl_errors_stay_as_they_were),
		cmocka_unit_test(every_verdict_has_a_name_of_its_own),
		cmocka_unit_test(recorded_proofs_are_right),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("proof", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a phone signs to show CAPF that an existing certificate is its own. */
#include "certs/proof.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "certs/must.h"

enum {
	DER_MAX = 16384,
	RSA_BITS_MAX = 4096,
	RSA_EXPONENT_BITS_MAX = 64, /* a long one costs like a private key */
	SHA512_ID = 3,
	SHA512_SIZE = 64,
	ENTRY_HEAD = 3, /* id u8, length u16 */
};
/* The entries of SUDI_DATA. */
enum { SUDI_CERTIFICATE = 0, SUDI_SHA1 = 1, SUDI_SHA512 = 3 };

static const struct {
	const char *name, *text;
} proofs[CERT_PROOFS] = {
#define X(symbol, name, text) {name, text},
	CERT_PROOF_LIST(X)
#undef X
};

const char *cert_proof_name(enum cert_proof proof)
{
	return proofs[proof].name;
}

const char *cert_proof_text(enum cert_proof proof)
{
	return proofs[proof].text;
}

/* Two signatures over the same bytes. */
struct pair {
	struct cert_bytes sha1, sha512;
};

/* Takes id u8 | length u16 | value off in; false: that is not there whole. */
static bool take(struct cert_bytes *in, uint8_t id, struct cert_bytes *out)
{
	if (in->n < ENTRY_HEAD || in->p[0] != id)
		return false;
	size_t n = (size_t)in->p[1] << 8 | in->p[2];
	if (n > in->n - ENTRY_HEAD)
		return false;
	*out = (struct cert_bytes){in->p + ENTRY_HEAD, n};
	in->p += ENTRY_HEAD + n;
	in->n -= ENTRY_HEAD + n;
	return true;
}

static bool read_sha2(struct cert_bytes in, struct cert_bytes *signature)
{
	return take(&in, SHA512_ID, signature) && !in.n;
}

static bool read_sudi(
	struct cert_bytes in, struct cert_bytes *der, struct pair *signatures)
{
	return take(&in, SUDI_CERTIFICATE, der) &&
	       take(&in, SUDI_SHA1, &signatures->sha1) &&
	       (!in.n || take(&in, SUDI_SHA512, &signatures->sha512)) && !in.n;
}

/* What anybody may send must not cost more than a key of ours would. */
static bool is_cheap_rsa(EVP_PKEY *key)
{
	BIGNUM *e = NULL;
	bool cheap = EVP_PKEY_is_a(key, "RSA") &&
		     EVP_PKEY_get_bits(key) <= RSA_BITS_MAX &&
		     EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) &&
		     BN_num_bits(e) <= RSA_EXPONENT_BITS_MAX;
	BN_free(e);
	return cheap;
}

static X509 *read_certificate(struct cert_bytes der)
{
	const unsigned char *p = der.p;
	X509 *cert = der.n && der.n <= DER_MAX ? d2i_X509(NULL, &p, (long)der.n)
					       : NULL;
	EVP_PKEY *key = cert ? X509_get0_pubkey(cert) : NULL;
	if (key && p == der.p + der.n &&
		(is_cheap_rsa(key) || EVP_PKEY_is_a(key, "EC")))
		return cert;
	X509_free(cert);
	return NULL;
}

/* RSA-512: type-1 padding of 64 bytes needs 75. */
static bool can_sign_sha512(EVP_PKEY *key)
{
	return !EVP_PKEY_is_a(key, "RSA") ||
	       EVP_PKEY_get_size(key) >= SHA512_SIZE + RSA_PKCS1_PADDING_SIZE;
}

/*
 * A context for bare hashes. Without a digest set OpenSSL neither adds nor
 * wants a DigestInfo, and still checks the padding byte by byte.
 */
static EVP_PKEY_CTX *context_of(EVP_PKEY *key, int (*init)(EVP_PKEY_CTX *))
{
	EVP_PKEY_CTX *context = cert_must(EVP_PKEY_CTX_new(key, NULL));
	if (init(context) == 1 && (!EVP_PKEY_is_a(key, "RSA") ||
					  EVP_PKEY_CTX_set_rsa_padding(context,
						  RSA_PKCS1_PADDING) == 1))
		return context;
	EVP_PKEY_CTX_free(context);
	return NULL;
}

static unsigned int hash(const EVP_MD *digest, struct cert_bytes data,
	unsigned char out[EVP_MAX_MD_SIZE])
{
	unsigned int n = 0;
	if (EVP_Digest(data.p, data.n, out, &n, digest, NULL) != 1)
		abort();
	return n;
}

static bool verifies(EVP_PKEY *key, const EVP_MD *digest,
	struct cert_bytes data, struct cert_bytes signature)
{
	/* OpenSSL takes RSA signatures without their leading zeros, too. */
	if (EVP_PKEY_is_a(key, "RSA") &&
		signature.n != (size_t)EVP_PKEY_get_size(key))
		return false;
	unsigned char hashed[EVP_MAX_MD_SIZE];
	unsigned int n = hash(digest, data, hashed);
	EVP_PKEY_CTX *context = context_of(key, EVP_PKEY_verify_init);
	bool ok = context && EVP_PKEY_verify(context, signature.p, signature.n,
				     hashed, n) == 1;
	EVP_PKEY_CTX_free(context);
	return ok;
}

static enum cert_proof check_pair(
	EVP_PKEY *key, struct cert_bytes data, const struct pair *signatures)
{
	if (!signatures->sha1.p ||
		(!signatures->sha512.p && can_sign_sha512(key)))
		return CERT_PROOF_NO_SIGNATURE;
	if (!verifies(key, EVP_sha1(), data, signatures->sha1))
		return CERT_PROOF_BAD_SHA1;
	if (signatures->sha512.p &&
		!verifies(key, EVP_sha512(), data, signatures->sha512))
		return CERT_PROOF_BAD_SHA512;
	return CERT_PROOF_OK;
}

/* head || der; the caller frees p. */
static struct cert_bytes join(const void *head, size_t n, struct cert_bytes der)
{
	uint8_t *joined = cert_must(malloc(n + der.n));
	memcpy(joined, head, n);
	memcpy(joined + n, der.p, der.n);
	return (struct cert_bytes){joined, n + der.n};
}

/* What the certificate's key signs: the name, its NUL, the certificate. */
static struct cert_bytes auth_data(const char *device, struct cert_bytes der)
{
	return join(device, strlen(device) + 1, der);
}

/* What the SUDI's signs: the number of the session, in the byte order of
 * Cisco's own server, and the SUDI. */
static struct cert_bytes sudi_data(uint32_t session, struct cert_bytes der)
{
	const uint8_t number[] = {(uint8_t)session, (uint8_t)(session >> 8),
		(uint8_t)(session >> 16), (uint8_t)(session >> 24)};
	return join(number, sizeof(number), der);
}

static enum cert_proof check_certificate(
	const struct cert_proof_parts *parts, X509 *cert)
{
	struct pair signatures = {.sha1 = parts->sha1};
	if (parts->sha2.p && !read_sha2(parts->sha2, &signatures.sha512))
		return CERT_PROOF_MALFORMED;
	struct cert_bytes data = auth_data(parts->device, parts->certificate);
	enum cert_proof verdict =
		check_pair(X509_get0_pubkey(cert), data, &signatures);
	free((void *)data.p);
	return verdict;
}

static enum cert_proof check_sudi(
	const struct cert_proof_parts *parts, X509 **sudi)
{
	struct cert_bytes der;
	struct pair signatures = {0};
	if (!read_sudi(parts->sudi, &der, &signatures))
		return CERT_PROOF_MALFORMED;
	*sudi = read_certificate(der);
	EVP_PKEY *key = *sudi ? X509_get0_pubkey(*sudi) : NULL;
	if (!key || !EVP_PKEY_is_a(key, "RSA"))
		return CERT_PROOF_MALFORMED;
	struct cert_bytes data = sudi_data(parts->session, der);
	enum cert_proof verdict = check_pair(key, data, &signatures);
	free((void *)data.p);
	return verdict == CERT_PROOF_OK ? verdict : CERT_PROOF_BAD_SUDI;
}

static enum cert_proof check(
	const struct cert_proof_parts *parts, X509 **cert, X509 **sudi)
{
	if (!parts->certificate.p)
		return CERT_PROOF_NO_CERTIFICATE;
	*cert = read_certificate(parts->certificate);
	if (!*cert)
		return CERT_PROOF_UNREADABLE;
	enum cert_proof verdict = check_certificate(parts, *cert);
	if (verdict == CERT_PROOF_OK && parts->sudi.p)
		verdict = check_sudi(parts, sudi);
	return verdict;
}

enum cert_proof cert_proof_check(
	const struct cert_proof_parts *parts, X509 **cert, X509 **sudi)
{
	*cert = NULL;
	*sudi = NULL;
	ERR_set_mark();
	enum cert_proof verdict = check(parts, cert, sudi);
	ERR_pop_to_mark();
	if (verdict == CERT_PROOF_OK)
		return verdict;
	X509_free(*cert);
	X509_free(*sudi);
	*cert = NULL;
	*sudi = NULL;
	return verdict;
}

/* A signature by key, malloc'ed; NULL: the key cannot sign that. */
static uint8_t *sign(
	EVP_PKEY *key, const EVP_MD *digest, struct cert_bytes data, size_t *n)
{
	unsigned char hashed[EVP_MAX_MD_SIZE];
	unsigned int hashed_n = hash(digest, data, hashed);
	*n = (size_t)EVP_PKEY_get_size(key);
	uint8_t *signature = cert_must(malloc(*n));
	EVP_PKEY_CTX *context = context_of(key, EVP_PKEY_sign_init);
	bool ok = context &&
		  EVP_PKEY_sign(context, signature, n, hashed, hashed_n) == 1;
	EVP_PKEY_CTX_free(context);
	if (ok)
		return signature;
	free(signature);
	*n = 0;
	return NULL;
}

/* An element under way. */
struct element {
	uint8_t *p;
	size_t n;
};

/* Puts id u8 | length u16 | value behind it. */
static void put(struct element *to, uint8_t id, const void *value, size_t n)
{
	to->p = cert_must(realloc(to->p, to->n + ENTRY_HEAD + n));
	uint8_t *at = to->p + to->n;
	at[0] = id;
	at[1] = (uint8_t)(n >> 8);
	at[2] = (uint8_t)n;
	memcpy(at + ENTRY_HEAD, value, n);
	to->n += ENTRY_HEAD + n;
}

/* The same of a signature; false: the key cannot sign that. */
static bool put_signature(struct element *to, uint8_t id, EVP_PKEY *key,
	const EVP_MD *digest, struct cert_bytes data)
{
	size_t n = 0;
	uint8_t *signature = sign(key, digest, data, &n);
	bool made = signature;
	if (made)
		put(to, id, signature, n);
	free(signature);
	return made;
}

static bool make_certificate(const char *device, struct cert_bytes der,
	EVP_PKEY *key, struct cert_proof_made *out)
{
	struct cert_bytes data = auth_data(device, der);
	struct element sha2 = {0};
	out->sha1 = sign(key, EVP_sha1(), data, &out->sha1_n);
	bool ok = out->sha1 &&
		  (!can_sign_sha512(key) || put_signature(&sha2, SHA512_ID, key,
						    EVP_sha512(), data));
	out->sha2 = sha2.p;
	out->sha2_n = sha2.n;
	free((void *)data.p);
	return ok;
}

static bool make_sudi(uint32_t session, struct cert_bytes der, EVP_PKEY *key,
	struct cert_proof_made *out)
{
	struct cert_bytes data = sudi_data(session, der);
	struct element sudi = {0};
	put(&sudi, SUDI_CERTIFICATE, der.p, der.n);
	bool ok = EVP_PKEY_is_a(key, "RSA") &&
		  put_signature(&sudi, SUDI_SHA1, key, EVP_sha1(), data) &&
		  (!can_sign_sha512(key) || put_signature(&sudi, SUDI_SHA512,
						    key, EVP_sha512(), data));
	out->sudi = sudi.p;
	out->sudi_n = sudi.n;
	free((void *)data.p);
	return ok;
}

/* Certificates that came as files are as short as on the wire. */
static struct cert_bytes encode(X509 *cert)
{
	unsigned char *der = NULL;
	int n = i2d_X509(cert, &der);
	if (n < 0)
		abort();
	return (struct cert_bytes){der, (size_t)n};
}

static bool make(const char *device, X509 *cert, EVP_PKEY *key,
	struct cert_proof_made *out)
{
	struct cert_bytes der = encode(cert);
	bool ok = der.n <= DER_MAX && make_certificate(device, der, key, out);
	OPENSSL_free((void *)der.p);
	return ok;
}

static bool add_sudi(uint32_t session, X509 *cert, EVP_PKEY *key,
	struct cert_proof_made *out)
{
	struct cert_bytes der = encode(cert);
	bool ok = der.n <= DER_MAX && make_sudi(session, der, key, out);
	OPENSSL_free((void *)der.p);
	return ok;
}

/* NOLINTNEXTLINE(readability-function-size): two things come, two go. */
int cert_proof_make(const char *device, uint32_t session, X509 *cert,
	EVP_PKEY *key, X509 *sudi_cert, EVP_PKEY *sudi_key,
	struct cert_proof_made *out, struct diag *d)
{
	*out = (struct cert_proof_made){0};
	ERR_set_mark();
	bool ok = make(device, cert, key, out);
	bool sudi_ok =
		!sudi_cert || add_sudi(session, sudi_cert, sudi_key, out);
	ERR_pop_to_mark();
	if (ok && sudi_ok)
		return 0;
	cert_proof_made_deinit(out);
	return diag_set(d, -EINVAL, "the key of the %s cannot sign the proof",
		ok ? "SUDI" : "certificate");
}

void cert_proof_made_deinit(struct cert_proof_made *made)
{
	free(made->sha1);
	free(made->sha2);
	free(made->sudi);
	*made = (struct cert_proof_made){0};
}

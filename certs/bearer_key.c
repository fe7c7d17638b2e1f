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

#include "certs/modulus.h"
#include "certs/must.h"

enum {
	SPKI_MAX = 1024,  /* RSA-4096 has 550 bytes */
	UNCOMPRESSED = 4, /* SEC 1, 2.3.3 */
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

static BIGNUM *parameter(EVP_PKEY *key, const char *name)
{
	BIGNUM *value = NULL;
	EVP_PKEY_get_bn_param(key, name, &value);
	return cert_must(value);
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
	enum cert_bearer_key verdict = cert_modulus_check(n);
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

enum cert_bearer_key cert_bearer_key_check(const void *spki, size_t n,
	const struct cert_key_wish *wish, EVP_PKEY **out, struct diag *d)
{
	struct diag detail = {.text = ""};
	struct spki read = {0};
	enum cert_bearer_key verdict = CERT_BEARER_KEY_UNREADABLE;
	*out = NULL;
	ERR_set_mark();
	EVP_PKEY *key = NULL;
	if (read_spki(spki, n, &read)) {
		key = X509_PUBKEY_get(read.all);
		verdict = judge(&read, key, wish, &detail);
	}
	X509_PUBKEY_free(read.all);
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

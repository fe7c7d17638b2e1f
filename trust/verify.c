/* SPDX-License-Identifier: Apache-2.0 */
/* The one function that decides whether we believe a certificate. */
#include "trust/verify.h"

#include <assert.h>
#include <stdbool.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "certs/must.h"
#include "trust/why.h"

static void set(struct trust_result *result, int error, int depth)
{
	result->verdict = trust_verdict_of_x509(error, depth);
	result->x509_error = error;
	result->depth = depth;
}

/* What keeps us from even beginning. OpenSSL calls the first two an unknown
 * issuer and a short key, which would send an admin looking in the wrong
 * place; the third (RFC 5480, 2.1.1) it takes. */
static int reading_error(X509 *leaf)
{
	EVP_PKEY *key = X509_get0_pubkey(leaf);
	int spelt_out = 0;
	if (X509_check_purpose(leaf, -1, 0) != 1)
		return X509_V_ERR_INVALID_EXTENSION;
	if (!key)
		return X509_V_ERR_UNSPECIFIED;
	if (EVP_PKEY_get_int_param(key,
		    OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
		    &spelt_out) &&
		spelt_out)
		return X509_V_ERR_EC_KEY_EXPLICIT_PARAMS;
	return X509_V_OK;
}

/* Without a key id in the leaf, its issuer is the CA of that name whose key
 * fits. When none fits, that CA is not here: the signature is not wrong. */
static bool is_unknown_ca(const struct trust_result *result, X509 *leaf)
{
	return result->verdict == TRUST_BAD_SIGNATURE && result->depth == 0 &&
	       !X509_get0_authority_key_id(leaf);
}

/* The end of the certificate's life; 0 when it cannot be read. */
static time_t end_of(const X509 *cert)
{
	struct tm tm;
	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
		return 0;
	return timegm(&tm);
}

static void vouch(const struct trust_snapshot *snapshot, X509_STORE_CTX *ctx,
	struct trust_result *result)
{
	/* The chain ends with the first certificate that is an anchor, thus
	 * with the leaf's issuer where that is one (TRUSTED_FIRST). */
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	X509 *top = sk_X509_value(chain, sk_X509_num(chain) - 1);
	unsigned char sha256[32];
	if (X509_digest(top, EVP_sha256(), sha256, NULL) != 1)
		abort();
	result->anchor = trust_snapshot_find(snapshot, sha256);
	assert(result->anchor);
	result->kind = result->anchor->kind;
	result->until = end_of(top);
	for (int i = sk_X509_num(chain) - 2; i >= 0; i--)
		if (end_of(sk_X509_value(chain, i)) < result->until)
			result->until = end_of(sk_X509_value(chain, i));
}

static void judge(const struct trust_snapshot *snapshot, X509_STORE_CTX *ctx,
	X509 *leaf, struct trust_result *result)
{
	int verified = X509_verify_cert(ctx);
	int error = X509_STORE_CTX_get_error(ctx);
	if (verified <= 0) {
		set(result, error ? error : X509_V_ERR_UNSPECIFIED,
			X509_STORE_CTX_get_error_depth(ctx));
		if (is_unknown_ca(result, leaf))
			result->verdict = TRUST_UNKNOWN_CA;
		return;
	}
	/* OpenSSL lets a CA act as a client if its key usage allows both. */
	if (X509_check_ca(leaf)) {
		set(result, X509_V_ERR_INVALID_PURPOSE, 0);
		return;
	}
	set(result, X509_V_OK, 0);
	vouch(snapshot, ctx, result);
}

void trust_verify(const struct trust_snapshot *snapshot, X509 *leaf,
	STACK_OF(X509) * untrusted, time_t now, struct trust_result *result)
{
	*result = (struct trust_result){.verdict = TRUST_NO_CERTIFICATE,
		.x509_error = X509_V_ERR_UNSPECIFIED};
	ERR_set_mark();
	X509_STORE_CTX *ctx = NULL;
	int error = leaf ? reading_error(leaf) : X509_V_ERR_UNSPECIFIED;
	if (leaf && error) {
		set(result, error, 0);
	} else if (leaf) {
		ctx = cert_must(X509_STORE_CTX_new());
		if (X509_STORE_CTX_init(ctx, trust_snapshot_store(snapshot),
			    leaf, untrusted) != 1)
			abort();
		X509_STORE_CTX_set_time(ctx, 0, now);
		judge(snapshot, ctx, leaf, result);
	}
	if (result->verdict != TRUST_OK)
		trust_why(snapshot, leaf, ctx, now, result);
	X509_STORE_CTX_free(ctx);
	ERR_pop_to_mark();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The one function that decides whether we believe a certificate. */
#include "trust/verify.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "certs/must.h"
#include "trust/form.h"
#include "trust/revocation.h"
#include "trust/waiver.h"
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

/* The chain ends with the first certificate that is an anchor, thus with the
 * leaf's issuer where that is one (TRUSTED_FIRST). NULL: there is none. */
static const struct trust_anchor *anchor_of(
	const struct trust_snapshot *snapshot, STACK_OF(X509) * chain)
{
	unsigned char sha256[32];
	if (sk_X509_num(chain) < 2)
		return NULL;
	if (X509_digest(sk_X509_value(chain, sk_X509_num(chain) - 1),
		    EVP_sha256(), sha256, NULL) != 1)
		abort();
	return trust_snapshot_find(snapshot, sha256);
}

/* A verification under way: whose phones, for what. */
struct trial {
	const struct trust_snapshot *snapshot;
	enum trust_purpose purpose;
	time_t now;
};

/* OpenSSL asks what to make of an error. The leaf's end is what it looks at
 * last of it, so the chain is built, and all signatures are good. */
static int forgive(int ok, X509_STORE_CTX *ctx)
{
	const struct trial *trial = X509_STORE_CTX_get_app_data(ctx);
	if (ok || X509_STORE_CTX_get_error_depth(ctx) > 0 ||
		X509_STORE_CTX_get_error(ctx) != X509_V_ERR_CERT_HAS_EXPIRED)
		return ok;
	const struct trust_anchor *anchor =
		anchor_of(trial->snapshot, X509_STORE_CTX_get0_chain(ctx));
	time_t end = end_of(X509_STORE_CTX_get0_cert(ctx));
	if (!anchor || trial->now >= end + anchor->grace_s)
		return 0;
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return 1;
}

/* What OpenSSL lets pass and we do not: the place in the chain, or -1. */
static int bad_form_at(
	const struct trust_anchor *anchor, STACK_OF(X509) * chain)
{
	int last = sk_X509_num(chain) - 1;
	if (!anchor->usable)
		return last;
	if (anchor->kind != CERT_KIND_LSC)
		return -1;
	for (int i = last - 1; i > 0; i--)
		if (trust_form_ca(sk_X509_value(chain, i)))
			return i;
	return trust_form_leaf(sk_X509_value(chain, 0)) ? 0 : -1;
}

static time_t until(const struct trust_anchor *anchor, STACK_OF(X509) * chain)
{
	time_t first = end_of(sk_X509_value(chain, 0)) + anchor->grace_s;
	for (int i = sk_X509_num(chain) - 1; i > 0; i--)
		if (end_of(sk_X509_value(chain, i)) < first)
			first = end_of(sk_X509_value(chain, i));
	return first;
}

/* The chain holds; is it one of those that we believe? */
static void vouch(const struct trial *trial, X509_STORE_CTX *ctx,
	struct trust_result *result)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	const struct trust_anchor *anchor = anchor_of(trial->snapshot, chain);
	assert(anchor);
	int bad = bad_form_at(anchor, chain);
	if (bad >= 0) {
		set(result,
			bad ? X509_V_ERR_INVALID_CA : X509_V_ERR_CERT_REJECTED,
			bad);
		X509_STORE_CTX_set_current_cert(ctx, sk_X509_value(chain, bad));
		if (bad == 0)
			result->verdict = TRUST_BAD_FORM;
		return;
	}
	if (anchor->enrol_only && trial->purpose != TRUST_ENROL) {
		set(result, X509_V_ERR_INVALID_PURPOSE, 0);
		result->verdict = TRUST_ENROL_ONLY;
		snprintf(result->cure, sizeof(result->cure),
			"%s, or take enrol_only from \"%s\" in trust.anchors",
			trust_verdict_cure(result->verdict), anchor->file);
		return;
	}
	set(result, X509_V_OK, 0);
	result->anchor = anchor;
	result->kind = anchor->kind;
	result->until = until(anchor, chain);
}

/* What the anchor issued is revoked, or the anchor: nothing that was found
 * counts any more. */
static void judge_revocation(const struct trust_snapshot *snapshot,
	X509_STORE_CTX *ctx, struct trust_result *result)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	int top = sk_X509_num(chain) - 1;
	char serial[CERT_SERIAL_MAX + 1];
	struct trust_revoked revoked;
	cert_serial_text(sk_X509_value(chain, top - 1), serial);
	if (!trust_revocation_find(trust_snapshot_revocation(snapshot),
		    result->anchor->id.sha256_raw, serial, &revoked)) {
		if (top > 1)
			memcpy(result->ca_serial, serial, sizeof(serial));
		return;
	}
	*result = (struct trust_result){.verdict = TRUST_OK};
	set(result, X509_V_ERR_CERT_REVOKED, revoked.anchor ? top : top - 1);
	X509_STORE_CTX_set_current_cert(
		ctx, sk_X509_value(chain, result->depth));
	trust_revoked_text(&revoked, result->why, sizeof(result->why));
}

static void judge(const struct trial *trial, X509_STORE_CTX *ctx, X509 *leaf,
	struct trust_result *result)
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
	if (cert_is_ca(leaf)) {
		set(result, X509_V_ERR_INVALID_PURPOSE, 0);
		return;
	}
	vouch(trial, ctx, result);
}

/* A verification of that leaf that is to be run. */
static X509_STORE_CTX *begin(
	const struct trial *trial, X509 *leaf, STACK_OF(X509) * untrusted)
{
	X509_STORE_CTX *ctx = cert_must(X509_STORE_CTX_new());
	if (X509_STORE_CTX_init(ctx, trust_snapshot_store(trial->snapshot),
		    leaf, untrusted) != 1 ||
		X509_STORE_CTX_set_app_data(ctx, (void *)trial) != 1)
		abort();
	X509_STORE_CTX_set_verify_cb(ctx, forgive);
	X509_STORE_CTX_set_time(ctx, 0, trial->now);
	return ctx;
}

static bool is_too_weak(const struct trust_result *result)
{
	return result->verdict == TRUST_WEAK_KEY ||
	       result->verdict == TRUST_WEAK_DIGEST;
}

/* Would the anchor of this chain have what is weak in it? */
static bool is_excused(const struct trust_snapshot *snapshot,
	STACK_OF(X509) * chain, struct trust_result *result)
{
	const struct trust_anchor *anchor = anchor_of(snapshot, chain);
	if (!anchor)
		return false;
	result->waived = trust_waiver_needed(
		chain, trust_snapshot_policy(snapshot)->auth_level);
	unsigned lacks = result->waived & ~anchor->allows;
	/* OpenSSL stopped at the key, but that is not what is in the way. */
	int digest = NID_undef;
	X509_get_signature_info(
		sk_X509_value(chain, 0), &digest, NULL, NULL, NULL);
	if (lacks == TRUST_WAIVER_SHA1 && digest == NID_sha1)
		set(result, X509_V_ERR_CA_MD_TOO_WEAK, 0);
	if (lacks && !(lacks & TRUST_WAIVER_NEVER))
		snprintf(result->cure, sizeof(result->cure),
			"%s, or set %s to true for \"%s\" in trust.anchors",
			trust_verdict_cure(result->verdict),
			trust_waiver_text(lacks), anchor->file);
	return result->waived && !lacks;
}

/*
 * The anchor is known only once the chain is built, and OpenSSL finds a short
 * key before that. So it goes again, at level 0: if the anchor allows what is
 * weak, that result counts; else the first stands. Answers the one that
 * counts, frees the other.
 */
static X509_STORE_CTX *reconsider(const struct trial *trial,
	X509_STORE_CTX *first, struct trust_result *result)
{
	X509 *leaf = X509_STORE_CTX_get0_cert(first);
	struct trust_result anew = {.waived = 0};
	X509_STORE_CTX *ctx =
		begin(trial, leaf, X509_STORE_CTX_get0_untrusted(first));
	X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(ctx), 0);
	judge(trial, ctx, leaf, &anew);
	bool excused = is_excused(
		trial->snapshot, X509_STORE_CTX_get0_chain(ctx), result);
	if (excused) {
		anew.waived = anew.verdict == TRUST_OK ? result->waived : 0;
		*result = anew;
	} else {
		result->waived = 0;
	}
	X509_STORE_CTX_free(excused ? first : ctx);
	return excused ? ctx : first;
}

void trust_verify_for(enum trust_purpose purpose,
	const struct trust_snapshot *snapshot, X509 *leaf,
	STACK_OF(X509) * untrusted, time_t now, struct trust_result *result)
{
	const struct trial trial = {snapshot, purpose, now};
	*result = (struct trust_result){.verdict = TRUST_NO_CERTIFICATE,
		.x509_error = X509_V_ERR_UNSPECIFIED};
	ERR_set_mark();
	X509_STORE_CTX *ctx = NULL;
	int error = leaf ? reading_error(leaf) : X509_V_ERR_UNSPECIFIED;
	if (leaf && error) {
		set(result, error, 0);
	} else if (leaf) {
		ctx = begin(&trial, leaf, untrusted);
		judge(&trial, ctx, leaf, result);
		if (is_too_weak(result))
			ctx = reconsider(&trial, ctx, result);
		if (result->verdict == TRUST_OK)
			judge_revocation(snapshot, ctx, result);
	}
	if (result->verdict != TRUST_OK)
		trust_why(snapshot, leaf, ctx, now, result);
	X509_STORE_CTX_free(ctx);
	ERR_pop_to_mark();
}

void trust_verify(const struct trust_snapshot *snapshot, X509 *leaf,
	STACK_OF(X509) * untrusted, time_t now, struct trust_result *result)
{
	trust_verify_for(
		TRUST_REGISTER, snapshot, leaf, untrusted, now, result);
}

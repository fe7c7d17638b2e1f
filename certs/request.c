/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for LSCs, to CAs outside; the contract stands in lsc.h. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "certs/lsc_parts.h"
#include "certs/must.h"

static int set_names(
	X509_REQ *request, const struct cert_attribute *row, struct diag *d)
{
	X509_NAME *name = X509_REQ_get_subject_name(request);
	for (; row->type; row++)
		if (X509_NAME_add_entry_by_txt(name, row->type, MBSTRING_UTF8,
			    (const unsigned char *)row->text, -1, -1, 0) != 1)
			return diag_set(d, -EINVAL,
				"\"%s\" cannot be the %s of a subject",
				row->text, row->type);
	return 0;
}

/* Asks for what an LSC has (PKCS#9's extensionRequest). */
static void ask_for(X509_REQ *request, const struct cert_extension *e)
{
	STACK_OF(X509_EXTENSION) *all = NULL;
	X509V3_CTX context;
	X509V3_set_ctx(&context, NULL, NULL, request, NULL, 0);
	for (; e->type; e++) {
		X509_EXTENSION *extension = cert_must(
			X509V3_EXT_nconf(NULL, &context, e->type, e->value));
		cert_must(X509v3_add_ext(&all, extension, -1));
		X509_EXTENSION_free(extension);
	}
	if (X509_REQ_add_extensions(request, all) != 1)
		abort();
	sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
}

/*
 * RFC 5272, C.1: the parameters are NULL, the signature is the hash of the
 * CertificationRequestInfo. It proves nothing, and says so.
 */
static void sign_with_nobodys_key(X509_REQ *request)
{
	unsigned char *info = NULL;
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned int hash_n = 0;
	int n = i2d_re_X509_REQ_tbs(request, &info);
	if (n < 0 || EVP_Digest(info, (size_t)n, hash, &hash_n, EVP_sha256(),
			     NULL) != 1)
		abort();
	OPENSSL_free(info);
	X509_ALGOR *algorithm = cert_must(X509_ALGOR_new());
	ASN1_BIT_STRING *signature = cert_must(ASN1_BIT_STRING_new());
	if (X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_id_alg_noSignature),
		    V_ASN1_NULL, NULL) != 1 ||
		X509_REQ_set1_signature_algo(request, algorithm) != 1 ||
		ASN1_BIT_STRING_set(signature, hash, (int)hash_n) != 1)
		abort();
	/* Without this, zero bits at the end of the hash would be cut off. */
	signature->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
	signature->flags |= ASN1_STRING_FLAG_BITS_LEFT;
	X509_REQ_set0_signature(request, signature);
	X509_ALGOR_free(algorithm);
}

static int fill(X509_REQ *request, const struct cert_lsc_parts *parts,
	EVP_PKEY *key, struct diag *d)
{
	if (X509_REQ_set_version(request, X509_REQ_VERSION_1) != 1 ||
		X509_REQ_set_pubkey(request, key) != 1)
		return diag_set(
			d, -EINVAL, "a request cannot hold a key of that kind");
	int error = set_names(request, parts->subject, d);
	if (error)
		return error;
	ask_for(request, parts->extensions);
	sign_with_nobodys_key(request);
	return 0;
}

static int encode(X509_REQ *request, uint8_t **der)
{
	int n = i2d_X509_REQ(request, NULL);
	if (n <= 0)
		abort();
	*der = cert_must(malloc((size_t)n));
	unsigned char *p = *der;
	return i2d_X509_REQ(request, &p);
}

int cert_request_make(const char *device, const struct cert_organisation *of,
	EVP_PKEY *key, uint8_t **der, size_t *n, struct diag *d)
{
	struct cert_lsc_parts parts;
	*der = NULL;
	*n = 0;
	int error = cert_lsc_parts(&parts, device, of, key, d);
	if (error)
		return error;
	X509_REQ *request = cert_must(X509_REQ_new());
	ERR_set_mark();
	error = fill(request, &parts, key, d);
	if (!error)
		*n = (size_t)encode(request, der);
	ERR_pop_to_mark();
	X509_REQ_free(request);
	return error;
}

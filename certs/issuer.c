/* SPDX-License-Identifier: Apache-2.0 */
/* Makes one certificate from its description. */
#include "certs/issuer.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "certs/must.h"

enum { SERIAL_BYTES = 16 };

static const struct {
	const char *name;
	unsigned int bits; /* of RSA; 0: EC */
	const char *curve;
} key_kinds[] = {
	{"rsa1024", 1024, NULL},
	{"rsa2048", 2048, NULL},
	{"rsa3072", 3072, NULL},
	{"rsa4096", 4096, NULL},
	{"p256", 0, "P-256"},
	{"p384", 0, "P-384"},
	{"p521", 0, "P-521"},
};

int cert_key_make(const char *kind, EVP_PKEY **out, struct diag *d)
{
	*out = NULL;
	for (size_t i = 0; i < sizeof(key_kinds) / sizeof(key_kinds[0]); i++) {
		if (strcmp(kind, key_kinds[i].name) != 0)
			continue;
		/* Without a key there is no entropy: nothing else can fail. */
		*out = cert_must(key_kinds[i].bits
					 ? EVP_RSA_gen(key_kinds[i].bits)
					 : EVP_EC_gen(key_kinds[i].curve));
		return 0;
	}
	return diag_set(d, -EINVAL,
		"no key kind \"%s\"; there are rsa1024, rsa2048, rsa3072, "
		"rsa4096, p256, p384 and p521",
		kind);
}

static bool set_serial(X509 *cert, const char *hex)
{
	unsigned char bytes[SERIAL_BYTES];
	BIGNUM *number = NULL;
	if (hex) {
		BN_hex2bn(&number, hex);
	} else {
		if (RAND_bytes(bytes, sizeof(bytes)) != 1)
			abort();
		/* Never zero, and always as many digits in a file name. */
		bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40);
		number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	}
	bool ok = number &&
		  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
	BN_free(number);
	return ok;
}

static int set_names(X509 *cert, const struct cert_order *order, struct diag *d)
{
	X509_NAME *name = X509_get_subject_name(cert);
	const struct cert_attribute *a = order->subject;
	for (; a && a->type; a++) {
		if (X509_NAME_add_entry_by_txt(name, a->type, MBSTRING_UTF8,
			    (const unsigned char *)a->text, -1, -1, 0) != 1)
			return diag_set(d, -EINVAL,
				"\"%s\" cannot be the %s of a subject", a->text,
				a->type);
	}
	X509_NAME *issuer =
		order->issuer ? X509_get_subject_name(order->issuer) : name;
	if (X509_set_issuer_name(cert, issuer) != 1)
		abort();
	return 0;
}

static int set_extensions(
	X509 *cert, const struct cert_order *order, struct diag *d)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, order->issuer ? order->issuer : cert, cert,
		NULL, NULL, 0);
	const struct cert_extension *e = order->extensions;
	for (; e && e->type; e++) {
		X509_EXTENSION *extension =
			X509V3_EXT_nconf(NULL, &context, e->type, e->value);
		int added = extension ? X509_add_ext(cert, extension, -1) : 0;
		X509_EXTENSION_free(extension);
		if (!added)
			return diag_set(d, -EINVAL,
				"\"%s\" cannot be the extension %s", e->value,
				e->type);
	}
	return 0;
}

static int fill(X509 *cert, const struct cert_order *order, struct diag *d)
{
	if (X509_set_version(cert, X509_VERSION_3) != 1 ||
		X509_set_pubkey(cert, order->key) != 1 ||
		!X509_time_adj_ex(X509_getm_notBefore(cert), 0, 0,
			(time_t *)&order->not_before) ||
		!X509_time_adj_ex(X509_getm_notAfter(cert), 0, 0,
			(time_t *)&order->not_after))
		return diag_set(d, -EINVAL,
			"a certificate cannot hold that key or those dates");
	if (!set_serial(cert, order->serial))
		return diag_set(d, -EINVAL, "\"%s\" is no hex serial number",
			order->serial);
	int error = set_names(cert, order, d);
	if (error)
		return error;
	error = set_extensions(cert, order, d);
	if (error)
		return error;
	const char *name = order->digest ? order->digest : "SHA256";
	const EVP_MD *digest = EVP_get_digestbyname(name);
	EVP_PKEY *signer = order->issuer ? order->issuer_key : order->key;
	if (!digest || X509_sign(cert, signer, digest) <= 0)
		return diag_set(d, -EINVAL, "cannot sign with %s", name);
	return 0;
}

int cert_issue(const struct cert_order *order, X509 **out, struct diag *d)
{
	X509 *cert = cert_must(X509_new());
	ERR_set_mark();
	int error = fill(cert, order, d);
	ERR_pop_to_mark();
	*out = error ? NULL : cert;
	if (error)
		X509_free(cert);
	return error;
}

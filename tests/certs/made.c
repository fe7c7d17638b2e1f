/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, keys and folders that tests make for themselves. */
#include "tests/certs/made.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "certs/pem.h"

enum { KEYS_MAX = 64, DAY = 86400 };

static struct {
	const char *kind;
	int which;
	EVP_PKEY *key;
} keys[KEYS_MAX];

/* An RSA key takes longer than most tests: a build makes each one once. Two
 * programs that make the same at a time have each their own. */
static EVP_PKEY *key_of_build(const char *kind, int which)
{
	const char *build = getenv("DIALTONE_BUILD");
	char folder[PATH_MAX], path[PATH_MAX + 32];
	EVP_PKEY *key = NULL;
	struct diag d = {.text = ""};
	snprintf(folder, sizeof(folder), "%s/tests/keys", build ? build : ".");
	snprintf(path, sizeof(path), "%s/%s-%d.key", folder, kind, which);
	if (!cert_key_read(path, &key, &d))
		return key;
	assert_int_equal(cert_key_make(kind, &key, &d), 0);
	/* Where the folder cannot be, each program makes its own. */
	if (build && (!mkdir(folder, 0700) || errno == EEXIST))
		(void)cert_key_write(path, key, &d);
	return key;
}

EVP_PKEY *made_key(const char *kind, int which)
{
	size_t i = 0;
	for (; i < KEYS_MAX && keys[i].key; i++)
		if (!strcmp(keys[i].kind, kind) && keys[i].which == which)
			return keys[i].key;
	assert_true(i < KEYS_MAX);
	keys[i].key = key_of_build(kind, which);
	keys[i].kind = kind;
	keys[i].which = which;
	return keys[i].key;
}

EVP_PKEY *made_rsa(unsigned bits, unsigned long exponent)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *e = BN_new();
	EVP_PKEY *key = NULL;
	assert_int_equal(BN_set_word(e, exponent), 1);
	assert_int_equal(EVP_PKEY_keygen_init(context), 1);
	assert_int_equal(
		EVP_PKEY_CTX_set_rsa_keygen_bits(context, (int)bits), 1);
	assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, e), 1);
	assert_int_equal(EVP_PKEY_generate(context, &key), 1);
	BN_free(e);
	EVP_PKEY_CTX_free(context);
	return key;
}

EVP_PKEY *made_rsa_public(const BIGNUM *modulus, const BIGNUM *exponent)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent);
	OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(build);
	assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
	assert_int_equal(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY,
				 parameters),
		1);
	OSSL_PARAM_free(parameters);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(context);
	return key;
}

X509 *made_cert(struct cert_order order)
{
	struct diag d = {.text = ""};
	X509 *cert = NULL;
	if (!order.not_before)
		order.not_before = MADE_NOW - DAY;
	if (!order.not_after)
		order.not_after = MADE_NOW + 365 * DAY;
	int error = cert_issue(&order, &cert, &d);
	if (error)
		fail_msg("%s", d.text);
	return cert;
}

X509 *made_ca(const char *cn, int which)
{
	const struct cert_attribute subject[] = {{"CN", cn}, {NULL, NULL}};
	const struct cert_extension extensions[] = {
		{"basicConstraints", "critical,CA:TRUE"},
		{"keyUsage", "digitalSignature,keyCertSign,cRLSign"},
		{"subjectKeyIdentifier", "hash"},
		{NULL, NULL},
	};
	return made_cert((struct cert_order){.subject = subject,
		.extensions = extensions,
		.key = made_key("rsa2048", which)});
}

X509 *made_leaf(const char *cn, X509 *ca, int which_ca)
{
	const struct cert_attribute subject[] = {{"CN", cn}, {NULL, NULL}};
	const struct cert_extension extensions[] = {
		{"basicConstraints", "critical,CA:FALSE"},
		{"keyUsage", "critical,digitalSignature,keyEncipherment"},
		{"extendedKeyUsage", "clientAuth"},
		{"authorityKeyIdentifier", "keyid"},
		{NULL, NULL},
	};
	return made_cert((struct cert_order){.subject = subject,
		.extensions = extensions,
		.key = made_key("rsa2048", 0),
		.issuer = ca,
		.issuer_key = made_key("rsa2048", which_ca)});
}

static X509_EXTENSION *extension_of(const struct cert_extension *e, X509 *ca)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, ca, NULL, NULL, NULL, 0);
	X509_EXTENSION *made =
		X509V3_EXT_nconf(NULL, &context, e->type, e->value);
	if (!made)
		fail_msg("%s = %s", e->type, e->value);
	return made;
}

static void put_entry(X509_CRL *crl, const struct made_crl *order,
	const char *serial, ASN1_TIME *since)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	BIGNUM *number = NULL;
	assert_true(BN_hex2bn(&number, serial) > 0);
	ASN1_INTEGER *value = BN_to_ASN1_INTEGER(number, NULL);
	X509_REVOKED_set_serialNumber(entry, value);
	X509_REVOKED_set_revocationDate(entry, since);
	if (order->reason) {
		ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();
		ASN1_ENUMERATED_set(reason, order->reason);
		X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, reason, 0, 0);
		ASN1_ENUMERATED_free(reason);
	}
	const struct cert_extension *e = order->each;
	for (; e && e->type; e++) {
		X509_EXTENSION *made = extension_of(e, order->ca);
		assert_int_equal(X509_REVOKED_add_ext(entry, made, -1), 1);
		X509_EXTENSION_free(made);
	}
	assert_int_equal(X509_CRL_add0_revoked(crl, entry), 1);
	ASN1_INTEGER_free(value);
	BN_free(number);
}

X509_CRL *made_crl(const struct made_crl *order)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *from = ASN1_TIME_set(
		NULL, order->from ? order->from : MADE_NOW - 3600);
	ASN1_TIME *to = ASN1_TIME_set(
		NULL, order->to > 0 ? order->to : MADE_NOW + 7 * DAY);
	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(order->ca));
	X509_CRL_set1_lastUpdate(crl, from);
	if (order->to != -1)
		X509_CRL_set1_nextUpdate(crl, to);
	const char *const *serial = order->serials;
	for (; serial && *serial; serial++)
		put_entry(crl, order, *serial, from);
	if (order->number) {
		ASN1_INTEGER *number = ASN1_INTEGER_new();
		ASN1_INTEGER_set_int64(number, order->number);
		X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0);
		ASN1_INTEGER_free(number);
	}
	const struct cert_extension *e = order->extensions;
	for (; e && e->type; e++) {
		X509_EXTENSION *made = extension_of(e, order->ca);
		assert_int_equal(X509_CRL_add_ext(crl, made, -1), 1);
		X509_EXTENSION_free(made);
	}
	assert_true(X509_CRL_sign(crl, order->key, EVP_sha256()) > 0);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return crl;
}

X509 *made_broken(X509 *cert)
{
	unsigned char *der = NULL;
	int n = i2d_X509(cert, &der);
	assert_true(n > 0);
	der[n - 1] ^= 1;
	const unsigned char *p = der;
	X509 *broken = d2i_X509(NULL, &p, n);
	assert_non_null(broken);
	OPENSSL_free(der);
	return broken;
}

X509 *made_undated(X509 *cert, EVP_PKEY *key)
{
	static const char DATE[] = "20530404000000.000Z";
	X509 *copy = X509_dup(cert);
	ASN1_STRING *time = X509_getm_notAfter(copy);
	assert_int_equal(ASN1_STRING_set(time, DATE, -1), 1);
	time->type = V_ASN1_GENERALIZEDTIME;
	assert_true(X509_sign(copy, key, EVP_sha256()) > 0);
	return copy;
}

char *made_folder(void)
{
	const char *parent = getenv("TMPDIR");
	char *folder = NULL;
	assert_true(asprintf(&folder, "%s/dialtone-test-XXXXXX",
			    parent ? parent : "/tmp") > 0);
	assert_non_null(mkdtemp(folder));
	return folder;
}

static int remove_one(
	const char *path, const struct stat *st, int type, struct FTW *where)
{
	return remove(path);
}

void made_folder_end(char *folder)
{
	assert_int_equal(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	free(folder);
}

const char *made_path(const char *folder, const char *name)
{
	static char paths[4][1024];
	static size_t next;
	char *path = paths[next++ % 4];
	assert_true(snprintf(path, sizeof(paths[0]), "%s/%s", folder, name) <
		    (int)sizeof(paths[0]));
	return path;
}

void made_file(const char *folder, const char *name, const void *data, size_t n)
{
	FILE *file = fopen(made_path(folder, name), "we");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, n, file), n);
	assert_int_equal(fclose(file), 0);
}

void made_pem(const char *folder, const char *name, X509 *cert)
{
	struct diag d = {.text = ""};
	if (cert_pem_write(made_path(folder, name), &cert, 1, &d))
		fail_msg("%s", d.text);
}

void made_crl_pem(const char *folder, const char *name, X509_CRL *crl)
{
	FILE *f = fopen(made_path(folder, name), "we");
	assert_non_null(f);
	assert_int_equal(PEM_write_X509_CRL(f, crl), 1);
	fclose(f);
}

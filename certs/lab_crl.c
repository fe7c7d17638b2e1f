/* SPDX-License-Identifier: Apache-2.0 */
/* The laboratory's CAs revoke phones' certificates. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "certs/file.h"
#include "certs/identity.h"
#include "certs/lab.h"
#include "certs/lab_store.h"
#include "certs/must.h"
#include "certs/pem.h"

enum { CRL_FILE_MAX = 1 << 20, CRL_DAYS = 30, DAY = 86400 };

/* What the CA has revoked so far; *out stays NULL when that is nothing. */
static int read_list(const char *path, X509_CRL **out, struct diag *d)
{
	char *data = NULL;
	size_t n = 0;
	*out = NULL;
	if (access(path, F_OK) < 0)
		return 0;
	int error = cert_file_read(path, CRL_FILE_MAX, &data, &n, d);
	if (error)
		return error;
	BIO *bio = cert_must(BIO_new_mem_buf(data, (int)n));
	*out = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
	BIO_free(bio);
	free(data);
	ERR_clear_error();
	return *out ? 0 : diag_set(d, -EINVAL, "%s: not a CRL", path);
}

static int write_list(const char *path, X509_CRL *list, struct diag *d)
{
	char *text = NULL;
	BIO *bio = cert_must(BIO_new(BIO_s_mem()));
	if (PEM_write_bio_X509_CRL(bio, list) != 1)
		abort(); /* no memory */
	long n = BIO_get_mem_data(bio, &text);
	int error = cert_file_write(path, 0644, text, (size_t)n, d);
	BIO_free(bio);
	return error;
}

/* The number after that of the list before. */
static void set_number(X509_CRL *list, const X509_CRL *before)
{
	ASN1_INTEGER *number = before ? X509_CRL_get_ext_d2i(before,
						NID_crl_number, NULL, NULL)
				      : NULL;
	int64_t last = 0;
	if (number)
		ASN1_INTEGER_get_int64(&last, number);
	else
		number = cert_must(ASN1_INTEGER_new());
	if (ASN1_INTEGER_set_int64(number, last + 1) != 1 ||
		X509_CRL_add1_ext_i2d(list, NID_crl_number, number, 0, 0) != 1)
		abort(); /* no memory */
	ASN1_INTEGER_free(number);
}

static void set_key_id(X509_CRL *list, X509 *ca)
{
	AUTHORITY_KEYID *id = cert_must(AUTHORITY_KEYID_new());
	id->keyid =
		cert_must(ASN1_OCTET_STRING_dup(X509_get0_subject_key_id(ca)));
	if (X509_CRL_add1_ext_i2d(
		    list, NID_authority_key_identifier, id, 0, 0) != 1)
		abort(); /* no memory */
	AUTHORITY_KEYID_free(id);
}

static void keep(X509_CRL *list, X509_CRL *before)
{
	STACK_OF(X509_REVOKED) *all =
		before ? X509_CRL_get_REVOKED(before) : NULL;
	for (int i = 0; i < sk_X509_REVOKED_num(all); i++)
		X509_CRL_add0_revoked(
			list, cert_must(X509_REVOKED_dup(
				      sk_X509_REVOKED_value(all, i))));
}

static void add(X509_CRL *list, const X509 *cert, const ASN1_TIME *since)
{
	X509_REVOKED *entry = cert_must(X509_REVOKED_new());
	ASN1_ENUMERATED *reason = cert_must(ASN1_ENUMERATED_new());
	if (X509_REVOKED_set_serialNumber(
		    entry, (ASN1_INTEGER *)X509_get0_serialNumber(cert)) != 1 ||
		X509_REVOKED_set_revocationDate(entry, (ASN1_TIME *)since) !=
			1 ||
		ASN1_ENUMERATED_set(reason, CRL_REASON_KEY_COMPROMISE) != 1 ||
		X509_REVOKED_add1_ext_i2d(
			entry, NID_crl_reason, reason, 0, 0) != 1 ||
		X509_CRL_add0_revoked(list, entry) != 1)
		abort(); /* no memory */
	ASN1_ENUMERATED_free(reason);
}

static X509_CRL *next_list(const struct cert_lab *lab, enum cert_lab_ca ca,
	X509_CRL *before, const X509 *cert, time_t now)
{
	X509_CRL *list = cert_must(X509_CRL_new());
	ASN1_TIME *from = cert_must(ASN1_TIME_set(NULL, now));
	ASN1_TIME *to = cert_must(ASN1_TIME_set(NULL, now + CRL_DAYS * DAY));
	X509_CRL_set_version(list, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(list, X509_get_subject_name(lab->cert[ca]));
	X509_CRL_set1_lastUpdate(list, from);
	X509_CRL_set1_nextUpdate(list, to);
	keep(list, before);
	add(list, cert, from);
	set_key_id(list, lab->cert[ca]);
	set_number(list, before);
	X509_CRL_sort(list);
	if (X509_CRL_sign(list, lab->key[ca], EVP_sha256()) <= 0)
		abort(); /* no memory */
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return list;
}

static int list_path(const struct cert_lab *lab, enum cert_lab_ca ca,
	char *path, struct diag *d)
{
	struct cert_identity id;
	cert_identity_read(lab->cert[ca], &id);
	for (char *p = id.cn; *p; p++)
		*p = *p == ' ' ? '_' : *p;
	return cert_lab_path(
		path, d, "%s/CallManager-trust/%s.crl", lab->dir, id.cn);
}

int cert_lab_revoke(const struct cert_lab *lab, const char *device,
	enum cert_lab_leaf leaf, time_t now, char path[CERT_LAB_PATH_MAX],
	struct diag *d)
{
	struct cert_list phone = {0};
	X509_CRL *before = NULL;
	enum cert_lab_ca ca = cert_lab_leaf_ca(leaf);
	int error = cert_lab_path(path, d, "%s/phones/%s/%s.pem", lab->dir,
		device, cert_lab_leaf_name(leaf));
	if (!error)
		error = cert_pem_read(path, &phone, d);
	if (!error)
		error = list_path(lab, ca, path, d);
	if (!error)
		error = read_list(path, &before, d);
	if (!error) {
		X509_CRL *list = next_list(lab, ca, before, phone.cert[0], now);
		error = write_list(path, list, d);
		X509_CRL_free(list);
	}
	X509_CRL_free(before);
	cert_list_deinit(&phone);
	return error;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, keys and folders that tests make for themselves. */
#ifndef TESTS_CERTS_MADE_H
#define TESTS_CERTS_MADE_H

#include <stddef.h>
#include <time.h>

#include "certs/issuer.h"

/* When every test takes place, unless it says otherwise. */
#define MADE_NOW ((time_t)1790000000) /* 2026-09-21 */

/* The `which`th key of that kind; made once a build, shared, never freed. */
EVP_PKEY *made_key(const char *kind, int which);

/* A new RSA key of that size and public exponent; the caller frees. */
EVP_PKEY *made_rsa(unsigned bits, unsigned long exponent);
/* A public RSA key of these numbers, whatever they are; the caller frees. */
EVP_PKEY *made_rsa_public(const BIGNUM *modulus, const BIGNUM *exponent);

/* Issues it (from a day before MADE_NOW, for a year, unless dated); a test
 * in which that fails fails. The caller frees. */
X509 *made_cert(struct cert_order order);

/* A self-signed CA with this CN, and rsa2048 key number `which`. */
X509 *made_ca(const char *cn, int which);
/* A client certificate with this CN below ca, whose key has that number. */
X509 *made_leaf(const char *cn, X509 *ca, int which_ca);

/* A list of revoked certificates. */
struct made_crl {
	X509 *ca;
	EVP_PKEY *key;
	const char *const *serials; /* hex, ends with NULL; NULL: none */
	int64_t number;		    /* 0: none */
	int reason;		    /* of all; 0: none given */
	time_t from;		    /* 0: an hour before MADE_NOW */
	time_t to;		    /* 0: a week after MADE_NOW; -1: never */
	const struct cert_extension *extensions; /* of the list, or NULL */
	const struct cert_extension *each;	 /* of its entries, or NULL */
};
X509_CRL *made_crl(const struct made_crl *order);

/* A copy of cert in which one bit of its signature is wrong. */
X509 *made_broken(X509 *cert);
/* A copy whose notAfter is a GeneralizedTime with fractional seconds, as in
 * Cisco's ECC CAs, signed by key. */
X509 *made_undated(X509 *cert, EVP_PKEY *key);

/* A new empty folder; made_folder_end removes it with all in it. */
char *made_folder(void);
void made_folder_end(char *folder);
/* "folder/name", in one of a few static buffers. */
const char *made_path(const char *folder, const char *name);
void made_file(
	const char *folder, const char *name, const void *data, size_t n);
void made_pem(const char *folder, const char *name, X509 *cert);
void made_crl_pem(const char *folder, const char *name, X509_CRL *crl);

#endif

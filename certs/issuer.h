/* SPDX-License-Identifier: Apache-2.0 */
/* Makes one certificate from its description. */
#ifndef CERTS_ISSUER_H
#define CERTS_ISSUER_H

#include <stddef.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "certs/diag.h"

/* One attribute of a name: {"CN", "CP-8861-SEP001122334455"}. */
struct cert_attribute {
	const char *type; /* short or long name, as OpenSSL knows it */
	const char *text; /* UTF-8 */
};

/* One extension as openssl.cnf writes it: {"keyUsage", "critical,..."}. */
struct cert_extension {
	const char *type;
	const char *value;
};

/* Both tables end with a row of NULLs; a NULL table is an empty one. */
struct cert_order {
	const struct cert_attribute *subject;
	const struct cert_extension *extensions;
	EVP_PKEY *key; /* of the bearer */
	X509 *issuer;  /* NULL: self-signed with `key` */
	EVP_PKEY *issuer_key;
	const char *digest; /* NULL: SHA256 */
	const char *serial; /* hex; NULL: 128 random bits */
	time_t not_before;
	time_t not_after;
};

/* 0 and *out (the caller frees); -EINVAL with d set. */
int cert_issue(const struct cert_order *order, X509 **out, struct diag *d);

/* A new private key: rsa1024, rsa2048, rsa3072, rsa4096, p256, p384, p521.
 * 0, or -EINVAL for any other name. */
int cert_key_make(const char *kind, EVP_PKEY **out, struct diag *d);

#endif

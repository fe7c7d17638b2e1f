/* SPDX-License-Identifier: Apache-2.0 */
/* Reads certificates out of PEM or DER, strictly: all of a file or nothing. */
#ifndef CERTS_PEM_H
#define CERTS_PEM_H

#include <stddef.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "certs/diag.h"

enum {
	CERT_FILE_MAX = 1 << 20, /* bytes of one file */
	CERT_LIST_MAX = 512,	 /* certificates in one file */
};

struct cert_list {
	X509 **cert;
	int *line; /* 1-based line of each one's BEGIN; 0 in a DER file */
	size_t n;
};

/*
 * Parses n bytes, PEM (text around the blocks allowed, as CUCM and openssl
 * x509 -text write it) or DER (one or many, end to end). `name` is the file
 * name for messages. Refused whole, with file, line and cause in d: no
 * certificate at all, a private key, any other PEM type, a block without
 * END, bad base64, bytes behind the DER inside a block or behind the last
 * certificate, above the limits. 0, -EINVAL, -E2BIG.
 */
int cert_pem_parse(const void *data, size_t n, const char *name,
	struct cert_list *out, struct diag *d);
/* The same of a file: only a regular file, read at most CERT_FILE_MAX + 1
 * bytes. 0, or -errno with d set. */
int cert_pem_read(const char *path, struct cert_list *out, struct diag *d);
void cert_list_deinit(struct cert_list *list);

/* Reads one unencrypted private key (PEM). The caller frees it. */
int cert_key_read(const char *path, EVP_PKEY **out, struct diag *d);

/* As PEM; 0 and what the caller frees with OPENSSL_free(), or -EINVAL. */
int cert_pem_text(
	X509 *const *certs, size_t n, char **text, size_t *length);
/* Writes PEM through a temporary file and rename; keys are mode 0600. */
int cert_pem_write(
	const char *path, X509 *const *certs, size_t n, struct diag *d);
int cert_key_write(const char *path, EVP_PKEY *key, struct diag *d);

#endif

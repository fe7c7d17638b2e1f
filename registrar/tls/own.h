/* SPDX-License-Identifier: Apache-2.0 */
/* The registrar's own certificates and their keys, read as one set. */
#ifndef REGISTRAR_TLS_OWN_H
#define REGISTRAR_TLS_OWN_H

#include <stdbool.h>

#include <openssl/ssl.h>

#include "certs/diag.h"
#include "certs/identity.h"
#include "certs/pem.h"
#include "registrar/capf/authority.h"
#include "registrar/config.h"

/* A certificate, what stands behind it in its file, and its key. */
struct own_pair {
	const char *name; /* of its file, for messages; stays */
	struct cert_list chain;
	EVP_PKEY *key;
	struct cert_identity id;
};

/* Frozen once made; counted, because sets of profiles share it. */
struct own {
	int refs;
	struct own_pair *pairs;
	size_t n;
	struct own_pair capf; /* what CAPF listeners show; chain.n 0: none */
};

/*
 * Reads every pair of the configuration, which outlives it: all of them or
 * none; and takes CAPF's root (authority NULL: there is none). Refused: what
 * cert_pem_read and cert_key_read refuse, a key of another certificate, and no
 * RSA key where a listener's suites need one. 0, or -errno with d naming the
 * file.
 */
int own_load(const struct config *config, struct capf_authority *authority,
	struct own **out, struct diag *d);
struct own *own_ref(struct own *own);
void own_unref(struct own *own);

/* Do both hold the same certificates? (Then the keys are the same, too.) */
bool own_is_same(const struct own *a, const struct own *b);
/* Is CAPF's root in it the one that CAPF shows now? */
bool own_has_capf(const struct own *own, struct capf_authority *authority);
/* Gives them all to a context, or CAPF's root alone; 0, or -EINVAL with d
 * naming the file. */
int own_use(const struct own *own, SSL_CTX *ctx, struct diag *d);
int own_use_capf(const struct own *own, SSL_CTX *ctx, struct diag *d);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Our anchors as files with which others judge phones' certificates. */
#ifndef TRUST_EXPORT_H
#define TRUST_EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <openssl/x509.h>

#include "certs/diag.h"
#include "certs/folder.h"
#include "certs/identity.h"
#include "trust/crl.h"
#include "trust/snapshot.h"

/* Who is to use it (specs certificates 6). X(symbol, name) */
#define TRUST_EXPORT_LIST(X) \
	X(DOT1X, "802.1x")   \
	X(ASA, "asa")        \
	X(IOS, "ios")        \
	X(PEM, "pem")        \
	X(HASHED_DIR, "hashed-dir")

enum trust_export_for {
#define X(symbol, name) TRUST_EXPORT_##symbol,
	TRUST_EXPORT_LIST(X)
#undef X
};

const char *trust_export_name(enum trust_export_for to);
int trust_export_find(const char *name); /* or -1 */

enum {
	TRUST_EXPORT_CAS_MAX = 1024,
	/* A CN cut to 64, a serial number, a fingerprint, "_" between them. */
	TRUST_EXPORT_NAME_MAX = 64 + 1 + CERT_SERIAL_MAX + 1 + 64,
	TRUST_EXPORT_TRUSTPOINT_MAX = 40,
};

/* How many phones depend on the anchor with this SHA-256, as the registrar
 * counts for those that are retiring. */
struct trust_export_phones {
	const char *sha256;
	long long n;
};

struct trust_export_order {
	enum trust_export_for to;
	struct trust_snapshot *trust; /* loaded with keep_lists */
	/* Issuers of anchors that are not in the set: most who are to use it
	 * want whole chains. What issued none of them is left out. */
	X509 *const *with;
	size_t n_with;
	time_t now;
	const struct trust_export_phones *phones;
	size_t n_phones;
	const char *uncounted; /* why none were counted; NULL: some were */
};

/* One CA, frozen with its export. */
struct trust_export_ca {
	X509 *cert;
	struct cert_identity id;
	const struct trust_anchor *anchor; /* NULL: it came by `with` */
	const struct trust_crl *crl;	   /* its list in force, or NULL */
	char left_out[256]; /* why it is in no file; "": it is in them */
	bool rooted;	    /* up to a root, its chain is here */
	bool old;	    /* a CAPF that is retiring, or has a newer one */
	size_t level;	    /* issuers between it and its chain's end */
	char missing[600];  /* its issuer, which is not here; "" */
	long long phones;   /* that depend on it; -1: nobody counted */
	char name[TRUST_EXPORT_NAME_MAX + 1]; /* of its file, without .pem */
	char trustpoint[TRUST_EXPORT_TRUSTPOINT_MAX + 1];
};

struct trust_export;

/*
 * Makes the files: every anchor that can vouch for a phone at order->now,
 * whatever its kind, and their issuers as far as they are known, issuers first.
 * The same order makes the same bytes. A CA that would only do harm there
 * (expired, revoked, unusable, an extended key usage without clientAuth) is
 * left out and named. Where lists of revoked certificates are of use, each CA's
 * goes along. 0, or -E2BIG above TRUST_EXPORT_CAS_MAX, -ENOENT when nothing is
 * left.
 */
int trust_export_make(const struct trust_export_order *order,
	struct trust_export **out, struct diag *d);
void trust_export_free(struct trust_export *e);

/* All CAs, those left out last. */
const struct trust_export_ca *trust_export_cas(
	const struct trust_export *e, size_t *n);
/* Has each anchor in the files a list that has not ended? Else who checks them
 * refuses phones that we let in. */
bool trust_export_checks(const struct trust_export *e);
/* Issuers above a leaf in its longest chain here, at least 1. */
size_t trust_export_depth(const struct trust_export *e);
/* The files, as they are to be written; one more of the caller's. */
const struct cert_folder_file *trust_export_files(
	const struct trust_export *e, size_t *n);
void trust_export_add(
	struct trust_export *e, const char *name, const void *data, size_t n);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* CAPF's own roots: one that signs and, during a rollover, the one before. */
#ifndef REGISTRAR_CAPF_AUTHORITY_H
#define REGISTRAR_CAPF_AUTHORITY_H

#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "certs/diag.h"
#include "certs/identity.h"
#include "registrar/config.h"

struct capf_root {
	char name[CERT_NAME_MAX + 1]; /* CN; NAME.pem and NAME.key (0600) */
	X509 *cert;
	EVP_PKEY *key;
	struct cert_identity id;
};

/* Frozen, counted. */
struct capf_roots {
	int refs;
	struct capf_root signing; /* new LSCs are signed by this one */
	/* The one before, whose LSCs are still about; cert NULL: none. */
	struct capf_root old;
	/* One that was made for a rollover that has not started to sign with
	 * it; cert NULL: none. */
	struct capf_root next;
};

/*
 * The folder (capf.folder; "": "capf" in the state folder) holds the roots'
 * files and `signing`, which names the one that signs (two lines: it, and the
 * old one or an empty line). Thread-safe.
 */
struct capf_authority;

/*
 * At the first start, when the folder is empty or not there, makes a root and
 * puts its certificate into both trust folders. -errno with d: a folder that
 * lost its roots (`signing` names one that is not there), a root that
 * cert_capf_check() refuses, a key that others can read, a key of another
 * certificate.
 */
int capf_authority_open(const struct config *config, time_t now,
	struct capf_authority **out, struct diag *d);
void capf_authority_close(struct capf_authority *a);
/* References of the caller's. */
struct capf_roots *capf_authority_roots(struct capf_authority *a);
void capf_roots_unref(struct capf_roots *roots);
/* The certificate that phones see in TLS: the old root's while there is one,
 * for their ITL names that one. */
const struct capf_root *capf_roots_tls(const struct capf_roots *roots);
const char *capf_authority_folder(const struct capf_authority *a);
const struct config *capf_authority_config(const struct capf_authority *a);

/* ---- the steps of a rollover, each of them durable and repeatable ---- */

/* Makes `next`, unless it is there. */
int capf_authority_prepare(
	struct capf_authority *a, time_t now, struct diag *d);
/* `next` signs from now on, and what signed is `old`. -EBUSY: there is an old
 * one already. */
int capf_authority_promote(struct capf_authority *a, struct diag *d);
/* Back: what signs is `next` again, and `old` signs. -EBUSY: there is a next
 * one already. */
int capf_authority_demote(struct capf_authority *a, struct diag *d);
/* `old` goes to the folder's `retired`, its key is destroyed. */
int capf_authority_retire(struct capf_authority *a, struct diag *d);
/* `next`, which has signed nothing, goes. */
int capf_authority_abandon(struct capf_authority *a, struct diag *d);
/* Puts a certificate into both trust folders as NAME.pem, or takes the files
 * of it away; what is so already is fine. For each change a reload is due. */
int capf_authority_publish(
	struct capf_authority *a, const struct capf_root *root, struct diag *d);
int capf_authority_withdraw(
	struct capf_authority *a, const struct capf_root *root, struct diag *d);

#endif

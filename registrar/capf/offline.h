/* SPDX-License-Identifier: Apache-2.0 */
/* capf.offline_folder: requests for a CA outside, and what it signed. */
#ifndef REGISTRAR_CAPF_OFFLINE_H
#define REGISTRAR_CAPF_OFFLINE_H

#include "registrar/capf/believe.h"
#include "registrar/capf/csr.h"
#include "registrar/capf/desk.h"

/*
 * Beside README.txt, each request that waits and has no certificate yet is
 * three files: NAME-KEYID.csr (PKCS #10), NAME-KEYID.pub.pem (its key) and
 * NAME-KEYID.ext (extensions for `openssl x509`), which go when it is answered.
 * What a request was exported is kept in the store, so that one whose files
 * people moved away does not come again by itself.
 *
 * Certificates (PEM or DER, one or many in a file) are taken from `signed`; a
 * file goes to `done`, or to `refused` with NAME.why beside it, or stays as
 * long as somebody writes it or nothing can be issued. Hidden files do not
 * count. All of it on a thread of its own, when something happens in `signed`
 * or capf_offline_tend() was called.
 */
struct capf_offline;

/* With another issuer than offline, or no folder: 0 and NULL. The folder is
 * made, but not its parent: -errno with d. Outlives neither desk nor trust. */
int capf_offline_open(const struct config *config, struct capf_desk *desk,
	const struct capf_believers *by, struct capf_offline **out,
	struct diag *d);
void capf_offline_close(struct capf_offline *o);
/* A look, soon. Now and then, from any thread. NULL is nothing. */
void capf_offline_tend(struct capf_offline *o);

/*
 * Imports one certificate: it must be believed here, and a request must wait
 * for it. 0 and the device; -ENOENT nobody asked, -EPERM it would not be
 * believed, -EINVAL unfit, -EBUSY nothing is issued now, or as the records
 * fail; d says why. A warning of the CA's name is logged.
 */
int capf_offline_import(struct capf_desk *desk, const struct capf_believers *by,
	X509 *cert, char device[CERT_DEVICE_MAX + 1], struct diag *d);
/* What that would answer now; nothing is changed. */
int capf_offline_may_import(struct capf_desk *desk,
	const struct capf_believers *by, X509 *cert,
	char device[CERT_DEVICE_MAX + 1], struct diag *d);

/* ---- what lies beside requests ---- */

/* What people of the CA read; malloc'ed. */
char *capf_offline_readme(const struct config *config);
/* The extensions of an LSC of that device, as openssl reads them. */
char *capf_offline_extensions(const struct capf_csr *c);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The files of CAPF's roots: what lies in the folder, and what it means. */
#ifndef REGISTRAR_CAPF_AUTHORITY_FOLDER_H
#define REGISTRAR_CAPF_AUTHORITY_FOLDER_H

#include "registrar/capf/authority.h"

/*
 * `signing` names the root that signs and the old one. A root is NAME.pem and
 * NAME.key; the key is written last and goes first, so that half a root is a
 * certificate without its key, which is nothing. A root that `signing` does
 * not name is `next`, or one whose end was cut short if `retired` has its
 * certificate, too.
 */

/* Made if need be, mode 0700, no half-written file in it. */
int capf_folder_open(const char *folder, struct diag *d);
/* What is there now; counted once, each root of it may have cert NULL. Ends
 * what was cut short. */
int capf_folder_load(
	const char *folder, struct capf_roots **out, struct diag *d);
/* Writes a root, certificate first. */
int capf_folder_put(const char *folder, X509 *cert, EVP_PKEY *key,
	const char *name, struct diag *d);
/* Removes a root, key first, which is overwritten. */
int capf_folder_remove(const char *folder, const char *name, struct diag *d);
/* Copies its certificate into `retired`. */
int capf_folder_keep_retired(
	const char *folder, const struct capf_root *root, struct diag *d);
/* old NULL: there is none. */
int capf_folder_sign_with(
	const char *folder, const char *name, const char *old, struct diag *d);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What an LSC and the request for one have in common. */
#ifndef CERTS_LSC_PARTS_H
#define CERTS_LSC_PARTS_H

#include "certs/issuer.h"
#include "certs/lsc.h"

enum {
	CERT_LSC_SUBJECT_MAX = 7, /* CN, O, OU, L, ST, C, the row of NULLs */
	CERT_LSC_EXTENSIONS_MAX = 8,
};

/* The name and extensions of one, and the texts they point to. */
struct cert_lsc_parts {
	char san[sizeof("URI:") + CERT_DEVICE_MAX];
	struct cert_attribute subject[CERT_LSC_SUBJECT_MAX];
	struct cert_extension extensions[CERT_LSC_EXTENSIONS_MAX];
};

/* Those of that device, organisation and key, without the key identifiers,
 * which are the issuer's to add. `device` and `of` must outlive it. 0, or
 * -EINVAL when device is no device name. */
int cert_lsc_parts(struct cert_lsc_parts *out, const char *device,
	const struct cert_organisation *of, EVP_PKEY *key, struct diag *d);

/* Puts {type, text} into the next row, if there is a text. */
void cert_lsc_add(
	struct cert_attribute **row, const char *type, const char *text);

#endif

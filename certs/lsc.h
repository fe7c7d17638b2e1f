/* SPDX-License-Identifier: Apache-2.0 */
/* The two certificates that CAPF makes: its own root, and phones' LSCs. */
#ifndef CERTS_LSC_H
#define CERTS_LSC_H

#include <stdint.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "certs/diag.h"
#include "certs/identity.h"

/* Of the cluster: what stands beside the CN in root and LSCs; "" or NULL is
 * left out. Country: two letters. */
struct cert_organisation {
	const char *country, *state, *locality, *organisation, *unit;
};

/* The texts of one. */
struct cert_organisation_texts {
	char country[8];
	char state[CERT_NAME_MAX + 1];
	char locality[CERT_NAME_MAX + 1];
	char organisation[CERT_NAME_MAX + 1];
	char unit[CERT_NAME_MAX + 1];
};
/* What stands in the certificate's subject, of each the first value, or "". 0,
 * or -EINVAL with d: one is too long, or cannot be read. */
int cert_organisation_read(
	const X509 *cert, struct cert_organisation_texts *out, struct diag *d);

enum { CERT_LSC_DAYS_MAX = 1825, CERT_CAPF_DAYS = 1825 };

/*
 * A new CAPF root as specs certificates 2 has it: CN "CAPF-" and 8 random hex
 * digits, CA:TRUE pathlen 0 (critical), digitalSignature and keyCertSign
 * (critical) and cRLSign, the key identifiers, SHA-256. kind: as
 * cert_key_make(); phones of the 7900 series want rsa2048. 0, or -EINVAL with
 * d; the caller frees both.
 */
int cert_capf_make(const struct cert_organisation *of, const char *kind,
	time_t now, unsigned days, X509 **cert, EVP_PKEY **key, struct diag *d);
/* Is this a certificate that phones take as CAPF's, and its key? 0, or
 * -EINVAL with d naming the rule. */
int cert_capf_check(X509 *cert, EVP_PKEY *key, struct diag *d);

/* An LSC to be. */
struct cert_lsc {
	const char *device; /* the CN, as the inventory writes it */
	EVP_PKEY *key;	    /* the phone's public one, checked */
	X509 *issuer;
	EVP_PKEY *issuer_key;
	const char *serial;	      /* 32 hex digits */
	time_t not_before, not_after; /* cut to the issuer's */
};
/*
 * Subject: CN, then O, OU, L, ST, C of the issuer. Extensions as
 * usecallmanager's (specs certificates 2): critical CA:FALSE, critical
 * digitalSignature and keyEncipherment (EC: digitalSignature and
 * keyAgreement), EKU serverAuth, clientAuth, ipsecEndSystem, SAN
 * URI:<device>, the key identifiers. SHA-256. What it makes passes trust's
 * form rules. 0 and *out, or -EINVAL with d.
 */
int cert_lsc_make(const struct cert_lsc *lsc, X509 **out, struct diag *d);

/* A fresh serial number: 128 bits of chance, positive, as 32 hex digits whose
 * first is 1 to 7. */
void cert_serial_make(char out[33]);

/*
 * A request for a certificate over the phone's key, for a CA outside
 * (PKCS#10, DER, malloc'ed). CAPF does not have the phone's private key, so
 * the request is not signed by it: its signature is RFC 5272's
 * id-alg-noSignature over SHA-256. Subject: CN and `of`. 0 or -EINVAL.
 */
int cert_request_make(const char *device, const struct cert_organisation *of,
	EVP_PKEY *key, uint8_t **der, size_t *n, struct diag *d);

/* What a CA outside sent back for that phone and key: is the key it, does the
 * subject name the device and nobody else, is it an end entity's, good now,
 * for as long as allowed (max_days)? 0, or -EINVAL with d naming the rule. */
int cert_lsc_check(X509 *cert, const char *device, EVP_PKEY *key, time_t now,
	unsigned max_days, struct diag *d);

#endif

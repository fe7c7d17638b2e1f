/* SPDX-License-Identifier: Apache-2.0 */
/* Finds, among anchors of one name, the one that issued a certificate. */
#ifndef TRUST_ISSUER_H
#define TRUST_ISSUER_H

#include <openssl/x509_vfy.h>

/*
 * For X509_STORE_set_get_issuer. OpenSSL's own takes the first valid anchor
 * whose name (and key id, if the certificate names one) fits. When the CAPF
 * was regenerated under its name and the phone's certificate names no key id,
 * that is the wrong one as often as not; this one tries their keys.
 */
int trust_issuer_pick(X509 **issuer, X509_STORE_CTX *ctx, X509 *cert);

#endif

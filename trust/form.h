/* SPDX-License-Identifier: Apache-2.0 */
/* What the certificates of a CAPF look like, where OpenSSL lets more pass. */
#ifndef TRUST_FORM_H
#define TRUST_FORM_H

#include <openssl/x509.h>

/*
 * X509_V_FLAG_X509_STRICT refuses every real Cisco leaf, so these rules of
 * RFC 5280 are asked of chains that we could have issued alone: of LSCs and
 * the CAs above them. The first rule that is broken, as the end of "it ...";
 * NULL: none is.
 *
 * Both: X.509 version 3; a serial number above zero of at most 20 bytes; a
 * key of RSA or EC.
 */
const char *trust_form_leaf(X509 *leaf); /* may sign no certificates, and has
					  * no extension of a CA's */
const char *trust_form_ca(X509 *ca);	 /* has a subject, and basicConstraints
					  * that are critical */
/* The last of a CA's faults: the one that harms nobody. */
extern const char trust_form_not_critical[];

#endif

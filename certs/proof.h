/* SPDX-License-Identifier: Apache-2.0 */
/* What a phone signs to show CAPF that an existing certificate is its own. */
#ifndef CERTS_PROOF_H
#define CERTS_PROOF_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "certs/diag.h"

/*
 * Specs capf 6. X(symbol, name, what it says)
 */
#define CERT_PROOF_LIST(X)                                                    \
	X(OK, "ok", "the phone has the certificate's key")                    \
	X(NO_CERTIFICATE, "no-certificate", "the phone sent no certificate")  \
	X(UNREADABLE, "unreadable-certificate",                               \
		"the certificate cannot be read, or has a key that is "       \
		"neither EC nor RSA of at most 4096 bits")                    \
	X(NO_SIGNATURE, "no-signature",                                       \
		"the phone sent a certificate, but no proof that it has its " \
		"key")                                                        \
	X(MALFORMED, "malformed-proof", "the proof is not in its format")     \
	X(BAD_SHA1, "bad-sha1-proof",                                         \
		"the SHA-1 proof is not the certificate's key's over this "   \
		"name and certificate")                                       \
	X(BAD_SHA512, "bad-sha512-proof",                                     \
		"the SHA-512 proof is not the certificate's key's over this " \
		"name and certificate")                                       \
	X(BAD_SUDI, "bad-sudi-proof",                                         \
		"the SUDI proof is not the SUDI certificate's key's over "    \
		"this session")

enum cert_proof {
#define X(symbol, name, text) CERT_PROOF_##symbol,
	CERT_PROOF_LIST(X)
#undef X
		CERT_PROOFS
};
const char *cert_proof_name(enum cert_proof proof);
const char *cert_proof_text(enum cert_proof proof);

struct cert_bytes {
	const uint8_t *p; /* NULL: not there */
	size_t n;
};

/* The elements as they came. */
struct cert_proof_parts {
	const char *device; /* DEVICE_NAME */
	uint32_t session;
	struct cert_bytes certificate; /* DER */
	struct cert_bytes sha1;	       /* SIGNED_DATA */
	struct cert_bytes sha2;	       /* SHA2_SIGNED_DATA, whole */
	struct cert_bytes sudi;	       /* SUDI_DATA, whole */
};

/*
 * Both signatures must be there and right, but for the SHA-512 one of an RSA
 * key too short for it (512 bits); SUDI_DATA, if it came, too. PKCS#1 v1.5
 * padding is checked in whole, over the bare hash. *cert is then the
 * certificate and *sudi the SUDI's (NULL: none came), both the caller's; NULL
 * unless OK. Who signed the certificate, its dates and its name are not looked
 * at: trust decides. Leaves nothing in OpenSSL's error queue.
 */
enum cert_proof cert_proof_check(
	const struct cert_proof_parts *parts, X509 **cert, X509 **sudi);

/* What a phone sends; each is malloc'ed, n 0: that form cannot be made. */
struct cert_proof_made {
	uint8_t *sha1, *sha2, *sudi;
	size_t sha1_n, sha2_n, sudi_n;
};
/* sudi_cert and sudi_key NULL: no SUDI_DATA. 0 or -EINVAL with d. */
int cert_proof_make(const char *device, uint32_t session, X509 *cert,
	EVP_PKEY *key, X509 *sudi_cert, EVP_PKEY *sudi_key,
	struct cert_proof_made *out, struct diag *d);
void cert_proof_made_deinit(struct cert_proof_made *made);

#endif

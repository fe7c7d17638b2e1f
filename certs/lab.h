/* SPDX-License-Identifier: Apache-2.0 */
/* A laboratory PKI: CAs as CUCM and Cisco have them, and phones of theirs. */
#ifndef CERTS_LAB_H
#define CERTS_LAB_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "certs/diag.h"

/*
 * The folder, as cert_lab_init makes it:
 *   CallManager-trust/CAPF-xxxxxxxx.pem          this cluster's CAPF root
 *   CallManager-trust/Cisco_Manufacturing_CA_SHA2_<serial>.pem
 *                                                issuing CA alone, no root
 *   CAPF-trust/                                  the same, and the SHA-1
 *                                                manufacturing CA
 *   capf/CAPF-xxxxxxxx.pem .key                  the same root, for CAPF
 *   ca/NAME.pem ca/NAME.key   for each NAME of CERT_LAB_CA_LIST
 *   server/rsa.pem rsa.key ec.pem ec.key         RSA-2048 and P-256
 *   phones/                                      see cert_lab_phone
 * X(symbol, file name)
 */
#define CERT_LAB_CA_LIST(X)                         \
	X(CAPF, "capf")                             \
	X(OTHER_CAPF, "other-capf")                 \
	X(MFG_ROOT, "manufacturing-root")           \
	X(MFG_SHA2, "manufacturing-sha2")           \
	X(MFG_ROOT_SHA1, "manufacturing-root-sha1") \
	X(MFG_SHA1, "manufacturing-sha1")

enum cert_lab_ca {
#define X(symbol, file) CERT_LAB_##symbol,
	CERT_LAB_CA_LIST(X)
#undef X
		CERT_LAB_CAS
};

/*
 * Phone certificates. X(symbol, option name, file name, issuing CA)
 * lsc and mic are good; the others each have one thing wrong.
 */
#define CERT_LAB_LEAF_LIST(X)                                    \
	X(LSC, "lsc", "lsc", CAPF)                               \
	X(MIC, "mic", "mic", MFG_SHA2)                           \
	X(MIC_SHA1, "mic-sha1", "mic-sha1", MFG_SHA1)            \
	X(FOREIGN, "foreign", "foreign", OTHER_CAPF)             \
	X(EXPIRED, "expired", "expired", CAPF)                   \
	X(NOT_YET_VALID, "not-yet-valid", "not-yet-valid", CAPF) \
	X(WRONG_NAME, "wrong-name", "wrong-name", CAPF)          \
	X(WRONG_PURPOSE, "wrong-purpose", "wrong-purpose", CAPF) \
	X(SELF_SIGNED, "self-signed", "self-signed", CAPF)

enum cert_lab_leaf {
#define X(symbol, option, file, ca) CERT_LAB_LEAF_##symbol,
	CERT_LAB_LEAF_LIST(X)
#undef X
		CERT_LAB_LEAVES
};

const char *cert_lab_leaf_name(enum cert_lab_leaf leaf); /* option name */
int cert_lab_leaf_find(const char *option);		 /* or -1 */

struct cert_lab;

/* Makes the folder with every CA and server certificate. -EEXIST when dir
 * exists and is not empty. `now` is the time all validity is counted from;
 * host is the servers' CN and dNSName beside localhost and 127.0.0.1/::1. */
int cert_lab_init(
	const char *dir, const char *host, time_t now, struct diag *d);
/* Opens a folder made by cert_lab_init, CA keys included. */
int cert_lab_open(const char *dir, struct cert_lab **out, struct diag *d);
void cert_lab_close(struct cert_lab *lab);
X509 *cert_lab_ca(const struct cert_lab *lab, enum cert_lab_ca ca);

struct cert_lab_phone {
	const char *device; /* SEP... */
	const char *model;  /* "CP-8861"; NULL: CP-8861 for a MIC or LSC */
	enum cert_lab_leaf leaf;
	const char *key;   /* "rsa2048" (default), "rsa1024", "rsa3072",
			    * "p256", "p384" */
	EVP_PKEY *use_key; /* a key of the caller's instead, or NULL */
	time_t now;
	uint32_t days; /* validity; 0: 1825 LSC, 3650 MIC */
};

/* Makes one certificate in memory; the caller frees both. */
int cert_lab_issue(const struct cert_lab *lab,
	const struct cert_lab_phone *phone, X509 **cert, EVP_PKEY **key,
	struct diag *d);
/* Makes it and writes DIR/phones/<device>/<leaf>.pem and .key (a MIC's .pem
 * holds its issuing CA as second certificate, as phones send it). */
int cert_lab_phone(const struct cert_lab *lab,
	const struct cert_lab_phone *phone, struct diag *d);

enum { CERT_LAB_PATH_MAX = 4096 };

/* Its CA revokes DIR/phones/<device>/<leaf>.pem beside what it has revoked
 * already: the list, whose path comes out in `path`, is in CallManager-trust,
 * for thirty days. */
int cert_lab_revoke(const struct cert_lab *lab, const char *device,
	enum cert_lab_leaf leaf, time_t now, char path[CERT_LAB_PATH_MAX],
	struct diag *d);

#endif

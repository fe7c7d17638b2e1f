/* SPDX-License-Identifier: Apache-2.0 */
/* What a phone's certificate says about its bearer. */
#ifndef CERTS_IDENTITY_H
#define CERTS_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <openssl/x509.h>

/* Who signed it. Decided by the anchor that vouched for it (trust room),
 * never by what the leaf says. */
enum cert_kind { CERT_KIND_UNKNOWN, CERT_KIND_LSC, CERT_KIND_MIC };

const char *cert_kind_name(enum cert_kind kind); /* "LSC", "MIC", "unknown" */

enum {
	CERT_DEVICE_MAX = 63,
	CERT_NAME_MAX = 255,
	CERT_SERIAL_MAX = 64, /* hex digits of a serial number */
};

/*
 * Strings are UTF-8 with control characters replaced by '?' (certs/text.h).
 * Names are judged only when they are unambiguous: a second CN, a NUL or
 * control character in it, or a CN that had to be cut leave `device` empty.
 */
struct cert_identity {
	char device[CERT_DEVICE_MAX + 1]; /* SEPB000B4BA0AEE, upper-case for
					   * SEP names; "" if the CN holds
					   * none */
	char cn[CERT_NAME_MAX + 1];
	char model[32];		  /* CP-8861: the CN before the name,
				   * else the PID of serialNumber */
	char hardware_serial[32]; /* SN: of serialNumber; "" */
	char subject[512];	  /* RFC 2253 one-liner, for people */
	char issuer[512];
	char issuer_cn[CERT_NAME_MAX + 1];
	char serial[CERT_SERIAL_MAX + 1]; /* lower hex */
	char key[32];			  /* "RSA-2048", "P-256", ... */
	time_t not_before;
	time_t not_after;
	bool times_ok; /* both dates are valid DER times */
	char sha1[41]; /* fingerprints, lower hex */
	char sha256[65];
	unsigned char sha256_raw[32];
};

/* Reads all of the above. 0; -EINVAL when the certificate has no readable
 * subject or serial (the rest is filled as far as it goes). */
int cert_identity_read(const X509 *cert, struct cert_identity *out);

/* Its serial number alone, as above. 0; -EINVAL and "" when it has none. */
int cert_serial_text(const X509 *cert, char out[CERT_SERIAL_MAX + 1]);

/* Does it say that it is a CA's, by CA:TRUE or as those without extensions do?
 * X509_check_ca() lets CA:TRUE pass whose key usage forbids signing. */
bool cert_is_ca(X509 *cert);

/* A name as RFC 2253 writes it, cleaned and cut to out[size]. */
void cert_name_text(const X509_NAME *name, char *out, size_t size);

/*
 * The device name inside a common name (specs: certificates 1): what stands
 * behind its last '-', else the CN itself, that matches
 * (SEP|CSF|TCT|BOT|TAB|CIPC|ATA|VGC|AN|SKIGW)[A-Z0-9._-]+, without case.
 * SEP needs exactly 12 hex digits. The freely chosen names of soft phones
 * (CSF, TCT, BOT, TAB, CIPC) are whole CNs first: CSF-SEP001122334455 is not
 * that SEP. NULL when there is none.
 */
const char *cert_device_in_cn(const char *cn);
/* Device names are compared without case. */
bool cert_device_equal(const char *a, const char *b);

/* "2026-11-24T01:02:03Z" into at[21]. */
void cert_time_text(time_t t, char at[21]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What an EST server's answer to simpleenroll means (RFC 7030, 4.2.3). */
#ifndef REGISTRAR_CAPF_EST_ANSWER_H
#define REGISTRAR_CAPF_EST_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "registrar/capf/est.h"

enum {
	EST_BODY_MAX = 64 << 10, /* of an answer, base64 and all */
	EST_CERTS_MAX = 16,	 /* in one answer */
	EST_RETRY_MIN_S = 10,
	EST_RETRY_MAX_S = 7 * 86400,
	EST_RETRY_S = 600, /* when a 202 does not say when */
};

struct est_response {
	long status;
	const char *type; /* Content-Type as it came; NULL: none */
	long retry_s;	  /* Retry-After; 0: none */
	const uint8_t *body;
	size_t n;
};

/*
 * Judges it, of the request whose public key is `key`. out->cert is the
 * caller's to free. 200 is a certs-only PKCS #7 in base64, which RFC 8951 has
 * whatever Content-Transfer-Encoding says; the one certificate in it that has
 * that key is the end entity's. Leaves nothing in OpenSSL's error queue.
 */
void est_answer_read(const struct est_response *response, EVP_PKEY *key,
	struct est_answer *out);

/* Sets result and text. */
void est_answer_set(struct est_answer *out, enum est_result result,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A CA outside, asked over EST (RFC 7030) on a thread of its own. */
#ifndef REGISTRAR_CAPF_EST_H
#define REGISTRAR_CAPF_EST_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "certs/diag.h"
#include "registrar/config.h"

enum est_result {
	EST_OK,
	EST_UNREACHABLE, /* no connection, no answer in time, 5xx */
	EST_REFUSED,	 /* TLS or HTTP said no (4xx) */
	EST_UNFIT,	 /* the answer is not what RFC 7030 says */
	EST_LATER,	 /* 202: retry_s */
};

/* Valid during the call. */
struct est_answer {
	enum est_result result;
	X509 *cert; /* OK: the end entity's; whoever wants it takes a reference
		     */
	long retry_s;
	char text[512]; /* what came, and what was wanted */
};

struct est;

/* Reads capf.est_* and starts the thread. -errno with d: what they say
 * is unfit, or a file of them cannot be read. curl_global_init() came before.
 */
int est_open(const struct config *config, struct est **out, struct diag *d);
/* Ends what is under way: done() is called for it, UNREACHABLE. */
void est_close(struct est *e);

/*
 * POSTs the request (PKCS#10 DER, copied) to /.well-known/est/simpleenroll.
 * done() is called once, on est's thread, capf.est_ms after this call at the
 * latest; it must be quick, for the others' answers wait for it. Thread-safe;
 * -ENOBUFS: too many wait; -EINVAL: it is no request.
 */
int est_enrol(struct est *e, const uint8_t *request, size_t n,
	void (*done)(void *self, const struct est_answer *answer), void *self);

#endif

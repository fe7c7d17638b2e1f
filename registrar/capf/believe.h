/* SPDX-License-Identifier: Apache-2.0 */
/* Would a phone with a certificate of that CA still come in here? */
#ifndef REGISTRAR_CAPF_BELIEVE_H
#define REGISTRAR_CAPF_BELIEVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <openssl/x509.h>

#include "certs/diag.h"
#include "registrar/reload.h"

/* As struct capf_desk_world has it: a reference of the caller's, or NULL. */
struct capf_believers {
	struct trust_snapshot *(*trust)(void *self, enum trust_store store);
	void *self;
};

/*
 * A phone stores its LSC and shows it ever after: one that its registrar does
 * not believe locks it out. So CallManager-trust must let it register, and
 * CAPF-trust, where there is one, let it enrol again, both as an LSC. 0, or
 * -EPERM with d: the store, what is wrong there, the cure. Thread-safe.
 */
int capf_believe(const struct capf_believers *by, X509 *cert, time_t now,
	struct diag *d);

/* Is there, in each store, a CA other than CAPF's own that issues LSCs? 0, or
 * -ENOENT with d: the CA's certificate is still to be put there. */
int capf_believe_any(const struct capf_believers *by, struct diag *d);

/* Phones take a CA for a CAPF whose name holds "CAPF-" (specs certificates 2):
 * what to tell about the issuer's; "" when it is fine. */
void capf_believe_name(const X509 *cert, char *warning, size_t n);

/* The title of a store, of those there are, in which that root of our own is
 * not in force; NULL: it is in all. */
const char *capf_believe_root(
	const struct capf_believers *by, const uint8_t sha256[32]);

#endif

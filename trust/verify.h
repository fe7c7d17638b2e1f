/* SPDX-License-Identifier: Apache-2.0 */
/* The one function that decides whether we believe a certificate. */
#ifndef TRUST_VERIFY_H
#define TRUST_VERIFY_H

#include <time.h>

#include <openssl/x509.h>

#include "certs/identity.h"
#include "trust/snapshot.h"
#include "trust/verdict.h"

/* What the phone wants: CAPF believes anchors too that are for it alone. */
enum trust_purpose { TRUST_REGISTER, TRUST_ENROL };

struct trust_result {
	enum trust_verdict verdict;
	int x509_error;	     /* OpenSSL's own, for the log */
	int depth;	     /* of the offending certificate */
	enum cert_kind kind; /* by the anchor; UNKNOWN unless OK */
	const struct trust_anchor *anchor; /* that vouched; of the snapshot */
	time_t until;	 /* OK: when the first certificate of the chain expires,
			  * the leaf's grace included */
	unsigned waived; /* OK: rules that its anchor waives, trust_waiver */
	/* One sentence naming what came, which rule refused it; "" when OK.
	 * For UNKNOWN_CA it names the missing CA (subject, key id) and says
	 * when a CA of that name but another key is present. */
	char why[512];
	char missing_ca[512]; /* issuer that is not there; "" */
	char cure[512];	      /* "" when OK */
};

/*
 * Judges `leaf` (NULL: none was sent) as a TLS client certificate at time
 * `now`, with `untrusted` (or NULL) as helpers only. Every certificate in the
 * snapshot is an anchor of its own (PARTIAL_CHAIN). The issuer is the anchor
 * of that name and key id; a leaf that names no key id, as MICs do, has the
 * one whose key fits its signature, and none that fits is UNKNOWN_CA. A CA is
 * never OK as a leaf. Who is too weak for the auth level is OK where the
 * anchor that vouches allows just that (`waived` says so); where it could, the
 * cure names the key to set. A leaf that has expired is OK for as long as its
 * anchor's grace says. Chains to a CAPF also keep the rules of form.h. Does
 * not touch the OpenSSL error queue. Thread-safe: a snapshot is frozen.
 */
void trust_verify_for(enum trust_purpose purpose,
	const struct trust_snapshot *snapshot, X509 *leaf,
	STACK_OF(X509) * untrusted, time_t now, struct trust_result *result);
/* The same for TRUST_REGISTER. */
void trust_verify(const struct trust_snapshot *snapshot, X509 *leaf,
	STACK_OF(X509) * untrusted, time_t now, struct trust_result *result);

#endif

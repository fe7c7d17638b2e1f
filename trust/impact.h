/* SPDX-License-Identifier: Apache-2.0 */
/* What a change of trust does to one device: who is locked out by it. */
#ifndef TRUST_IMPACT_H
#define TRUST_IMPACT_H

#include <stdbool.h>
#include <time.h>

#include "trust/verify.h"

/* A certificate, and what came along with it. */
struct trust_shown {
	X509 *leaf; /* NULL: none is known */
	STACK_OF(X509) * helpers;
};

/* What a device is known by. */
struct trust_bearer {
	struct trust_shown last; /* the one it came with last */
	/* Of which only this is known, when `last` is not: who vouched, by
	 * SHA-256, or by file name where that is all zero. */
	unsigned char anchor[32];
	const char *anchor_file;
	struct trust_shown mic; /* another one; it may use it */
	enum trust_purpose purpose;
};

struct trust_impact {
	bool judged; /* by its certificate; else by its anchor alone */
	enum trust_verdict now, then;
	/* Whom it hangs on under the old set; NULL: nobody vouches. */
	const struct trust_anchor *anchor;
	bool mic_passes; /* under the new set */
};

/*
 * Judges with trust_verify_for under both sets, so that a phone meets just
 * this: a CA that was renewed with its key goes on vouching, a revoked
 * certificate does not. Without a certificate the device passes as long as its
 * anchor is there and usable, and not for enrolling only. Pure, thread-safe.
 */
void trust_impact(const struct trust_snapshot *before,
	const struct trust_snapshot *after, const struct trust_bearer *bearer,
	time_t now, struct trust_impact *out);
/* It could come in, and cannot any more; or the other way. */
bool trust_impact_locks_out(const struct trust_impact *impact);
bool trust_impact_lets_in(const struct trust_impact *impact);

#endif

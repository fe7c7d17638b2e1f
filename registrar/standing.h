/* SPDX-License-Identifier: Apache-2.0 */
/* What trust in force says of a phone that an older trust let in. */
#ifndef REGISTRAR_STANDING_H
#define REGISTRAR_STANDING_H

#include "registrar/history.h"
#include "registrar/peer.h"

enum standing {
	STANDING_GOOD,
	STANDING_REVOKED, /* a list names it: out at once */
	STANDING_REMOVED, /* its anchor is gone or cannot vouch any more */
};

/* Would that anchor still let in who came as this, with this waived? NULL: no.
 * Of what a certificate says, its end apart, nothing else can change. */
bool standing_vouches(const struct trust_anchor *anchor, enum cert_kind kind,
	unsigned waived);
/* peer was verified. A few lookups; no lock, no memory. */
enum standing standing_of(
	const struct trust_snapshot *trust, const struct peer *peer);
/* Writes to log and history why that phone, whose standing is not good, is
 * closed; answers the same in short. */
const char *standing_tell(const struct trust_snapshot *trust,
	const struct peer *peer, struct history *history);

#endif

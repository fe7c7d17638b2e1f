/* SPDX-License-Identifier: Apache-2.0 */
/* Judges one CA certificate of the folder as an anchor. */
#ifndef TRUST_ANCHOR_H
#define TRUST_ANCHOR_H

#include "trust/snapshot.h"

/* Fills *anchor, which then holds a reference to cert. NULL, or why this can
 * be no anchor (a string that stays; *anchor is then untouched). */
const char *trust_anchor_init(struct trust_anchor *anchor, X509 *cert,
	const char *file, int line, const struct trust_policy *policy);
void trust_anchor_deinit(struct trust_anchor *anchor);

/* What the policy says of it by file name or fingerprint: its kind, else
 * UNKNOWN; what its leaves may be. */
enum cert_kind trust_anchor_policy_kind(const struct trust_policy *policy,
	const char *file, const char *sha256);
unsigned trust_anchor_policy_allows(const struct trust_policy *policy,
	const char *file, const char *sha256);

#endif

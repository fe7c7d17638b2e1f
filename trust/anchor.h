/* SPDX-License-Identifier: Apache-2.0 */
/* Judges one CA certificate of the folder as an anchor. */
#ifndef TRUST_ANCHOR_H
#define TRUST_ANCHOR_H

#include "certs/rule.h"
#include "trust/snapshot.h"

/* Fills *anchor, which then holds a reference to cert, with all but what
 * trust_anchor_judge says. The rule by which this can be no anchor (*anchor is
 * then untouched), or NONE. */
enum cert_rule trust_anchor_init(struct trust_anchor *anchor, X509 *cert,
	const char *file, int line, const struct trust_policy *policy);
void trust_anchor_deinit(struct trust_anchor *anchor);

/* The anchor is in this file too: what the policy says of it there counts as
 * well. TWO_KINDS, or NONE. */
enum cert_rule trust_anchor_meet(struct trust_anchor *anchor, const char *file,
	const struct trust_policy *policy);

/* Whether it can vouch for anybody, once all is known of it. */
void trust_anchor_judge(
	struct trust_anchor *anchor, const struct trust_policy *policy);

#endif

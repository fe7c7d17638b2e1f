/* SPDX-License-Identifier: Apache-2.0 */
/* What a change of trust does to one device: who is locked out by it. */
#include "trust/impact.h"

#include <string.h>

static enum trust_verdict judge(const struct trust_snapshot *trust,
	const struct trust_shown *shown, const struct trust_bearer *b,
	time_t now, const struct trust_anchor **anchor)
{
	struct trust_result result;
	trust_verify_for(
		b->purpose, trust, shown->leaf, shown->helpers, now, &result);
	*anchor = result.anchor;
	return result.verdict;
}

static const struct trust_anchor *find(
	const struct trust_snapshot *trust, const struct trust_bearer *b)
{
	static const unsigned char unknown[32];
	size_t n;
	const struct trust_anchor *list = trust_snapshot_anchors(trust, &n);
	if (memcmp(b->anchor, unknown, sizeof(unknown)) != 0)
		return trust_snapshot_find(trust, b->anchor);
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].file, b->anchor_file) == 0)
			return &list[i];
	return NULL;
}

static enum trust_verdict guess(const struct trust_snapshot *trust,
	const struct trust_bearer *b, const struct trust_anchor **anchor)
{
	*anchor = find(trust, b);
	if (!*anchor || !(*anchor)->usable)
		return TRUST_UNKNOWN_CA;
	return (*anchor)->enrol_only && b->purpose != TRUST_ENROL
		       ? TRUST_ENROL_ONLY
		       : TRUST_OK;
}

void trust_impact(const struct trust_snapshot *before,
	const struct trust_snapshot *after, const struct trust_bearer *b,
	time_t now, struct trust_impact *out)
{
	const struct trust_anchor *then;
	*out = (struct trust_impact){.judged = b->last.leaf};
	if (out->judged) {
		out->now = judge(before, &b->last, b, now, &out->anchor);
		out->then = judge(after, &b->last, b, now, &then);
	} else {
		out->now = guess(before, b, &out->anchor);
		out->then = guess(after, b, &then);
	}
	out->mic_passes =
		b->mic.leaf && judge(after, &b->mic, b, now, &then) == TRUST_OK;
}

bool trust_impact_locks_out(const struct trust_impact *impact)
{
	return impact->now == TRUST_OK && impact->then != TRUST_OK;
}

bool trust_impact_lets_in(const struct trust_impact *impact)
{
	return impact->now != TRUST_OK && impact->then == TRUST_OK;
}

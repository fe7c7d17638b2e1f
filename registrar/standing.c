/* SPDX-License-Identifier: Apache-2.0 */
/* What trust in force says of a phone that an older trust let in. */
#include "registrar/standing.h"

#include <stdio.h>
#include <time.h>

#include "registrar/log.h"
#include "trust/revocation.h"

static bool is_revoked(const struct trust_snapshot *trust,
	const struct peer *peer, struct trust_revoked *revoked)
{
	return trust_revocation_find(trust_snapshot_revocation(trust),
		peer->anchor->id.sha256_raw, peer_cert_listed(peer->cert),
		revoked);
}

bool standing_vouches(
	const struct trust_anchor *anchor, enum cert_kind kind, unsigned waived)
{
	return anchor && anchor->usable && !anchor->enrol_only &&
	       anchor->kind == kind && (waived & ~anchor->allows) == 0;
}

static const struct trust_anchor *anchor_now(
	const struct trust_snapshot *trust, const struct peer *peer)
{
	return trust_snapshot_find(trust, peer->anchor->id.sha256_raw);
}

enum standing standing_of(
	const struct trust_snapshot *trust, const struct peer *peer)
{
	struct trust_revoked revoked;
	if (is_revoked(trust, peer, &revoked))
		return STANDING_REVOKED;
	return standing_vouches(
		       anchor_now(trust, peer), peer->kind, peer->cert->waived)
		       ? STANDING_GOOD
		       : STANDING_REMOVED;
}

static void log_it(const struct peer *peer, enum log_event event,
	const struct trust_crl *crl, const char *why)
{
	struct log_line line;
	log_begin(&line, event);
	log_peer(&line, peer->address, peer->port);
	log_str(&line, "device", peer_device(peer));
	log_str(&line, "service", config_protocol_name(peer->protocol));
	log_str(&line, "cert", cert_kind_name(peer->kind));
	log_str(&line, "issuer", peer->cert->issuer_cn);
	log_str(&line, "serial", peer->cert->serial);
	log_str(&line, "anchor", peer_anchor(peer));
	log_str(&line, "crl", crl ? crl->file : NULL);
	log_str(&line, "number", crl ? crl->number : NULL);
	log_str(&line, "why", why);
	log_end(&line);
}

const char *standing_tell(const struct trust_snapshot *trust,
	const struct peer *peer, struct history *history)
{
	struct trust_revoked revoked;
	char why[256];
	bool listed = is_revoked(trust, peer, &revoked);
	snprintf(why, sizeof(why), "the CA that vouched for it %s",
		anchor_now(trust, peer)
			? "may not do so any more: dialtone trust list"
			: "is not in CallManager-trust any more");
	if (listed)
		trust_revoked_text(&revoked, why, sizeof(why));
	log_it(peer, listed ? LOG_EV_PHONE_REVOKED : LOG_EV_PHONE_DISTRUSTED,
		listed ? revoked.crl : NULL, why);
	history_distrusted(
		history, peer, listed ? "revoked" : "anchor-gone", why);
	return listed ? "its certificate was revoked" : "its CA was removed";
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Which device a REGISTER is for, and whether it knows its password. */
#include <stdio.h>
#include <string.h>

#include "registrar/service/sip_session.h"
#include "registrar/text.h"

enum { WRONG_MAX = 5 }; /* passwords that a connection may try in a row */

const char *sip_session_device(
	const struct session *s, const struct sip_register *reg)
{
	const struct peer *peer = s->seat.peer;
	if (reg->source != SIP_DEVICE_AOR)
		return reg->device;
	/* `Contact: *` and questions name nobody: who asks is known. */
	if (s->seat.device[0] && !reg->request.n_contacts)
		return s->seat.device;
	if (peer->tls)
		return *peer_device(peer) ? peer_device(peer) : reg->device;
	if (!reg->auth)
		return reg->device;
	struct device *known =
		inventory_find(s->seat.world->inventory, reg->auth->username);
	device_unref(known);
	return known ? reg->auth->username : reg->device;
}

void sip_session_challenge(
	struct session *s, bool stale, const struct moment *now)
{
	char nonce[DIGEST_NONCE_SIZE];
	meters_add(s->seat.world->meters, METERS_DIGEST_CHALLENGES);
	digest_nonce(s->seat.world->digest, s->seat.peer->ref, now, nonce);
	sip_server_challenge(&s->engine,
		&(struct sip_challenge){
			.realm = config_realm(s->seat.world->config),
			.nonce = nonce,
			.stale = stale});
}

static bool zeros(const uint8_t *p, size_t n)
{
	while (n && p[n - 1] == 0)
		n--;
	return n == 0;
}

/* NULL: the device has no credentials of this kind, or another's user. */
static const uint8_t *ha1_of(
	const struct device *known, const struct sip_auth *auth)
{
	bool md5 = auth->algorithm == SIP_ALGORITHM_MD5;
	const uint8_t *ha1 = md5 ? known->ha1_md5 : known->ha1_sha256;
	size_t n = md5 ? sizeof(known->ha1_md5) : sizeof(known->ha1_sha256);
	const char *user =
		known->digest_user[0] ? known->digest_user : known->name;
	if (strcmp(user, auth->username) != 0 || zeros(ha1, n))
		return NULL;
	return ha1;
}

/* A datagram's sender may be forged: none ends a registration, or keeps a phone
 * from refreshing it. */
static bool may_guess(const struct session *s)
{
	return s->wrong <= WRONG_MAX || (s->seat.peer->udp && *s->seat.device);
}

/* CUCM: alarm 4 of SIP lines, and authenticationError of the device. */
static void refuse_password(struct session *s, const char *device,
	const struct sip_auth *auth, enum digest_verdict found)
{
	struct admit_verdict v = {
		.code = REASON_FAILURE_AUTHENTICATION,
		.rule = digest_verdict_rule(found),
		.phone_text = "Wrong password",
		.sip_status = 403,
	};
	char user[64];
	meters_add(s->seat.world->meters, METERS_DIGEST_FAILURES);
	text_copy(user, sizeof(user), auth->username);
	snprintf(v.why, sizeof(v.why), "%s as user %s (%s): %s", device, user,
		sip_algorithm_name(auth->algorithm),
		digest_verdict_text(found));
	snprintf(v.cure, sizeof(v.cure),
		"give %s and the phone the same digest user and password, for "
		"realm %s",
		device, config_realm(s->seat.world->config));
	service_refused(s->seat.world, s->seat.peer, device, &v);
	s->wrong++;
	if (may_guess(s))
		return;
	sip_session_reject(s, &v);
	s->seat.ended = "too many wrong passwords";
}

static bool judge(struct session *s, const struct sip_register *reg,
	const struct device *known, const struct security_profile *profile,
	const struct moment *now)
{
	const struct sip_auth *auth = reg->auth;
	if (!auth) {
		sip_session_challenge(s, false, now);
		return false;
	}
	const struct digest_check check = {
		.ref = s->seat.peer->ref,
		.realm = config_realm(s->seat.world->config),
		.ha1 = ha1_of(known, auth),
		.method = "REGISTER",
		.lifetime_s = profile->nonce_s,
	};
	enum digest_verdict found = digest_judge(
		s->seat.world->digest, auth, &check, now, &s->seen);
	if (found == DIGEST_GOOD) {
		s->wrong = 0;
		return true;
	}
	if (found != DIGEST_STALE)
		refuse_password(s, known->name, auth, found);
	if (may_guess(s))
		sip_session_challenge(s, found == DIGEST_STALE, now);
	return false;
}

/* A certificate says more. */
static bool wants_password(const struct session *s, const struct device *known,
	struct security_profile *profile)
{
	return !s->seat.peer->tls && known &&
	       inventory_profile(
		       s->seat.world->inventory, known->profile, profile) &&
	       profile->digest;
}

bool sip_session_authentic(struct session *s, const struct sip_register *reg,
	const struct device *known, const struct moment *now)
{
	struct security_profile profile;
	return !wants_password(s, known, &profile) ||
	       judge(s, reg, known, &profile, now);
}

bool sip_session_proven(const struct session *s, const struct device *known)
{
	struct security_profile profile;
	return s->seat.peer->tls || wants_password(s, known, &profile);
}

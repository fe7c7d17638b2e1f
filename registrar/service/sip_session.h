/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the SIP service share about one connection. */
#ifndef REGISTRAR_SERVICE_SIP_SESSION_H
#define REGISTRAR_SERVICE_SIP_SESSION_H

#include "protocols/sip/bindings.h"
#include "protocols/sip/server.h"
#include "registrar/admit.h"
#include "registrar/digest.h"
#include "registrar/locations.h"
#include "registrar/service/service.h"

struct session {
	struct seat seat;
	struct sip_server engine;
	struct sip_bindings bindings; /* they live and die with us */
	struct locations_part part;   /* how others find them */
	struct digest_seen seen;
	char *came_back; /* an alarm before REGISTER; NULL: none came */
	enum reason_unreg ordered; /* what the order that is out ends with */
	uint8_t wrong;		   /* wrong passwords in a row */
	bool bulk;		   /* it asked for all its lines at once */
	bool partial;		   /* it lacks lines, and that was logged */
};

void sip_session_reject(struct session *s, const struct admit_verdict *verdict);

/* ---- sip_digest.c ---- */

/* The device that a REGISTER is for: what its Contact says, else what proves
 * itself: the certificate, the digest's user, else the user of its address. */
const char *sip_session_device(
	const struct session *s, const struct sip_register *reg);
/* Does it know its password, where its profile wants one? `known` is its entry
 * or NULL. False: it was answered. */
bool sip_session_authentic(struct session *s, const struct sip_register *reg,
	const struct device *known, const struct moment *now);
/* Was that proof of who it is? Else it is only said. */
bool sip_session_proven(const struct session *s, const struct device *known);
/* A stranger without TLS and without a name of a device: who is it? */
void sip_session_challenge(
	struct session *s, bool stale, const struct moment *now);

/* ---- sip_places.c ---- */

/* Applies a REGISTER to the bindings; who looks for a contact sees them before
 * or after. */
enum sip_bind_verdict sip_session_bind(struct session *s,
	const struct sip_register *reg, const struct moment *now,
	uint32_t *expires_s);
/* From now on they are found. Once the seat has its device. */
void sip_session_publish(struct session *s, const struct device *known);
/* Nothing is bound any more. Before the seat loses its device. */
void sip_session_forget(struct session *s);
/*
 * RFC 5626: a phone may keep several flows, each with a reg-id of its own. Is
 * this one more, beside the connection that holds the device's registration? An
 * earlier one of the same reg-id is closed. Who did not prove to be the device
 * has to come from where its others do.
 */
bool sip_session_joins(struct session *s, const struct sip_register *reg,
	const char *device, const struct device *known,
	const struct moment *now);
/* Lacks the phone lines that it thinks it has registered? */
bool sip_session_is_partial(const struct session *s,
	const struct sip_register *reg, const struct device *known);
void sip_session_grant(struct session *s, const struct sip_register *reg,
	uint32_t expires_s, bool newreg, const struct moment *now);
/* Answers an INVITE with where that AOR is. */
void sip_session_locate(struct session *s, const char *aor, const char *gr,
	const struct moment *now);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* May this device register here, like this? */
#ifndef REGISTRAR_ADMIT_H
#define REGISTRAR_ADMIT_H

#include "registrar/config.h"
#include "registrar/peer.h"
#include "registrar/reason.h"

struct admit_verdict {
	enum reason_failure code; /* NO_ERROR: admitted */
	const char *rule;	  /* short name for log and status */
	const char *phone_text;	  /* for the phone's screen, <= 32 bytes */
	int sip_status;
	const char *sip_warning; /* CUCM's Warning text, or NULL */
	char why[384];		 /* what came, what was expected */
	char cure[256];
};

/*
 * Judges a registration of `device` by `peer`. Over TLS the certificate must
 * name that very device; a MIC (any certificate whose anchor is no LSC
 * issuer) admits only devices that the configuration lists with mic. Without
 * TLS only devices that it lists with plain. Unknown means no.
 */
void admit_decide(const struct config *config, const struct peer *peer,
	const char *device, struct admit_verdict *out);

/* For a device that a connection with a better right holds already. */
void admit_taken(const char *device, struct admit_verdict *out);
/* For more devices than limits.devices. */
void admit_full(const char *device, struct admit_verdict *out);

#endif

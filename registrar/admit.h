/* SPDX-License-Identifier: Apache-2.0 */
/* May this device register here, like this? */
#ifndef REGISTRAR_ADMIT_H
#define REGISTRAR_ADMIT_H

#include "registrar/config.h"
#include "registrar/inventory.h"
#include "registrar/peer.h"
#include "registrar/reason.h"

struct admit_verdict {
	enum reason_failure code; /* NO_ERROR: admitted */
	const char *rule;	  /* short name for log and status */
	const char *phone_text;	  /* for the phone's screen, <= 32 bytes */
	int sip_status;
	uint32_t retry_after_s;	 /* with 503; 0: as overload says */
	const char *sip_warning; /* CUCM's Warning text, or NULL */
	char why[384];		 /* what came, what was expected */
	char cure[256];
};

/*
 * Judges a registration of `device` by `peer`, in this order: a proper name;
 * over TLS a verified certificate that names that very device; an entry in
 * the inventory (or registration.unknown lets an LSC in without one); the
 * device's protocol; the mode of its security profile, held against transport
 * and negotiated cipher (in a non-secure cluster every device is non-secure);
 * and no MIC (any certificate whose anchor is no LSC issuer) unless the entry
 * allows it. Unknown means no. Thread-safe.
 */
void admit_decide(const struct config *config, struct inventory *inventory,
	const struct peer *peer, const char *device, struct admit_verdict *out);

/* For a device that a connection with a better right holds already. */
void admit_taken(const char *device, struct admit_verdict *out);
/* For a stranger that is being added to the inventory; for one that cannot
 * be. */
void admit_pending(const char *device, struct admit_verdict *out);
void admit_no_room(const char *device, struct admit_verdict *out);
/* For more devices than limits.devices. */
void admit_full(const char *device, struct admit_verdict *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Bindings of one device and the rules of RFC 3261 section 10.3 on them. */
#ifndef PROTOCOLS_SIP_BINDINGS_H
#define PROTOCOLS_SIP_BINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/moment.h"
#include "protocols/sip/field.h"

enum {
	SIP_AOR_MAX = 255,
	SIP_CALL_ID_MAX = 255,
	SIP_CONTACT_MAX = 1023, /* phones read header lines of 1024 */
	SIP_CONTACTS_MAX = 16,	/* in one REGISTER */
	SIP_BINDINGS_MAX = 64,	/* of one device, all lines together */
};

/* One Contact of a REGISTER; its text belongs to whoever made it. */
struct sip_contact {
	const char *text;	   /* as received, without expires and
				    * cisco-keep-alive: echoed back; no control
				    * characters */
	struct sip_slice uri;	   /* addr-spec, for comparing; in text */
	struct sip_slice instance; /* +sip.instance, quotes and all; in text;
				    * n 0: none */
	uint32_t reg_id;	   /* RFC 5626; 0: none that counts */
	uint16_t q;		   /* thousandths; without one 1000 */
	bool has_expires;
	uint32_t expires_s; /* saturates at 2^32 - 1 */
};

/* The part of a REGISTER that changes bindings. */
struct sip_binding_request {
	const char *aor; /* canonical: user@host, host lower case, no
			  * parameters */
	const char *call_id;
	const char *path; /* RFC 3327: as to be echoed; NULL or "": none */
	uint32_t cseq;
	bool has_expires; /* the header */
	uint32_t expires_s;
	bool star; /* Contact: * */
	size_t n_contacts;
	const struct sip_contact *contacts;
};

/* Its texts are one block of exactly their length, which begins with the AOR.
 */
struct sip_binding {
	char *aor;
	const char *text;
	const char *call_id; /* and behind its end the Path */
	uint64_t expires_ms; /* monotonic */
	uint32_t cseq;
	uint32_t reg_id;
	uint16_t q;
	uint16_t uri_at, uri_n;		  /* in text */
	uint16_t instance_at, instance_n; /* likewise; n 0: none */
};

struct sip_slice sip_binding_uri(const struct sip_binding *binding);
/* RFC 3327; "": none. */
const char *sip_binding_path(const struct sip_binding *binding);
/* With its quotes; n 0: none. */
struct sip_slice sip_binding_instance(const struct sip_binding *binding);

/* All bindings of one device. Zeroed is empty. */
struct sip_bindings {
	struct sip_binding *list;
	size_t n;
};

struct sip_binding_limits {
	uint32_t expires_s;	/* what we grant at most, and by default */
	uint32_t min_expires_s; /* below it (and not 0): 423 */
	uint32_t per_aor;	/* contacts of one AOR; 0: as many as of a
				 * device */
};

/* X(symbol, status, text) */
#define SIP_BIND_LIST(X)                                                  \
	X(OK, 200, "bound")                                               \
	X(STALE, 500, "CSeq is not above the one this Call-ID used last") \
	X(BAD_STAR, 400, "Contact * needs to be alone and Expires 0")     \
	X(TOO_BRIEF, 423, "Expires is shorter than we grant")             \
	X(TOO_MANY, 403, "more contacts than an address or a device may have")

enum sip_bind_verdict {
#define X(symbol, status, text) SIP_BIND_##symbol,
	SIP_BIND_LIST(X)
#undef X
};

int sip_bind_status(enum sip_bind_verdict verdict);
const char *sip_bind_text(enum sip_bind_verdict verdict);

/*
 * Applies a REGISTER to the bindings (RFC 3261 10.3 steps 6 to 8): all of it
 * or, on any verdict but OK, nothing. Bindings that expired by now are
 * dropped first. Two Contacts are one binding when their URIs are the same
 * (RFC 3261 19.1.4), or, where the newer one has a reg-id, when instance and
 * reg-id are (RFC 5626 6). *added counts bindings that were not there before.
 */
enum sip_bind_verdict sip_bindings_apply(struct sip_bindings *b,
	const struct sip_binding_request *request,
	const struct sip_binding_limits *limits, const struct moment *now,
	size_t *added);
/* Drops what has expired; answers how many are left. */
size_t sip_bindings_expire(struct sip_bindings *b, const struct moment *now);
/* When the last binding ends (monotonic ms), MOMENT_NEVER without any. */
uint64_t sip_bindings_last_ms(const struct sip_bindings *b);
void sip_bindings_deinit(struct sip_bindings *b);

#endif

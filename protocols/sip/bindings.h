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
	const char *text;     /* as received, without expires and
			       * cisco-keep-alive: echoed back; no control
			       * characters */
	struct sip_slice uri; /* addr-spec, for comparing; usually in text */
	bool has_expires;
	uint32_t expires_s; /* saturates at 2^32 - 1 */
};

/* The part of a REGISTER that changes bindings. */
struct sip_binding_request {
	const char *aor; /* canonical: user@host, host lower case, no
			  * parameters */
	const char *call_id;
	uint32_t cseq;
	bool has_expires; /* the header */
	uint32_t expires_s;
	bool star; /* Contact: * */
	size_t n_contacts;
	const struct sip_contact *contacts;
};

/* Its texts are one block of exactly their length. */
struct sip_binding {
	const char *aor;
	const char *uri;
	const char *text;
	const char *call_id;
	char *block;
	uint64_t expires_ms; /* monotonic */
	uint32_t cseq;
};

/* All bindings of one device. Zeroed is empty. */
struct sip_bindings {
	struct sip_binding *list;
	size_t n;
};

struct sip_binding_limits {
	uint32_t expires_s;	/* what we grant at most, and by default */
	uint32_t min_expires_s; /* below it (and not 0): 423 */
};

/* X(symbol, status, text) */
#define SIP_BIND_LIST(X)                                                  \
	X(OK, 200, "bound")                                               \
	X(STALE, 500, "CSeq is not above the one this Call-ID used last") \
	X(BAD_STAR, 400, "Contact * needs to be alone and Expires 0")     \
	X(TOO_BRIEF, 423, "Expires is shorter than we grant")             \
	X(TOO_MANY, 403, "more bindings than a device may have")

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
 * dropped first. RFC 3261 19.1.4 URI comparison. *added counts bindings that
 * were not there before.
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

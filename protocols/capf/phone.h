/* SPDX-License-Identifier: Apache-2.0 */
/* The phone side of one CAPF connection. */
#ifndef PROTOCOLS_CAPF_PHONE_H
#define PROTOCOLS_CAPF_PHONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/bytes.h"
#include "protocols/capf/ids.h"
#include "protocols/capf/server.h"
#include "protocols/moment.h"

struct capf_phone_config {
	unsigned version; /* 2 or 3 */
	/* AUTH_RESPONSE begins with VERSION and DEVICE_NAME, as real phones
	 * write it; those of version 2 always do. Else elements go by tag. */
	bool cisco_order;
	uint32_t answer_ms; /* patience for the server's next message; 0: 30000
			     */
};

/* What the phone says of itself. Absent parts are not sent. */
struct capf_phone_auth {
	const char *device;
	const char *password;  /* NULL: none; "" is one NUL byte */
	struct capf_cert cert; /* der.p NULL: none */
	struct capf_bytes signed_data, sha2_signed_data, sudi_data;
};

enum capf_phone_event_type {
	CAPF_PHONE_AUTH,     /* session, version, auth_type: authenticate() */
	CAPF_PHONE_GENERATE, /* wish: progress()*, then key() or no_key() */
	CAPF_PHONE_STORE,    /* cert: stored() */
	CAPF_PHONE_ERASE,    /* erased() */
	CAPF_PHONE_FETCH,    /* cert.type (0: none named): fetched() */
	CAPF_PHONE_END,	     /* reason. The last event */
	CAPF_PHONE_FAILED,   /* rule, text: the server's fault, or silence. The
			      * last event */
};

struct capf_phone_event {
	enum capf_phone_event_type type;
	uint32_t session;
	unsigned version;
	int auth_type; /* -1: not said */
	struct capf_key_wish wish;
	struct capf_cert cert; /* valid until the next call */
	int reason;
	const char *rule; /* stays */
	const char *text; /* of FAILED; of END: REASON_INFO, or NULL */
};

struct capf_phone {
	struct capf_phone_config config;
	struct bytes_queue in;
	struct bytes_queue out;
	struct capf_phone_state *state;
};

/*
 * As the server side. A missing KEY_TYPE is RSA. The verbs answer the last
 * event, and only that (assert); when END or FAILED came meanwhile, they do
 * nothing. It is strict: a request out of order ends in FAILED, for which
 * nothing is sent.
 */
void capf_phone_init(struct capf_phone *p,
	const struct capf_phone_config *config, const struct moment *now);
void capf_phone_deinit(struct capf_phone *p);
void capf_phone_feed(struct capf_phone *p, const void *data, size_t n,
	const struct moment *now);
void capf_phone_tick(struct capf_phone *p, const struct moment *now);
bool capf_phone_next(struct capf_phone *p, struct capf_phone_event *event);
const uint8_t *capf_phone_out(const struct capf_phone *p, size_t *n);
void capf_phone_sent(struct capf_phone *p, size_t n);
uint64_t capf_phone_deadline(const struct capf_phone *p);

void capf_phone_authenticate(struct capf_phone *p,
	const struct capf_phone_auth *auth, const struct moment *now);
void capf_phone_progress(struct capf_phone *p);
void capf_phone_key(struct capf_phone *p, const void *spki, size_t n,
	const struct moment *now);
void capf_phone_no_key(
	struct capf_phone *p, unsigned reason, const struct moment *now);
void capf_phone_stored(
	struct capf_phone *p, unsigned reason, const struct moment *now);
void capf_phone_erased(
	struct capf_phone *p, unsigned reason, const struct moment *now);
/* n 0: REASON alone. */
void capf_phone_fetched(struct capf_phone *p, unsigned reason,
	const struct capf_cert *certs, size_t n, const struct moment *now);

#endif

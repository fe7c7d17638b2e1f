/* SPDX-License-Identifier: Apache-2.0 */
/* The phone side of one SIP connection, as 78xx/88xx firmware speaks it. */
#ifndef PROTOCOLS_SIP_PHONE_H
#define PROTOCOLS_SIP_PHONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/bytes.h"
#include "protocols/moment.h"
#include "protocols/sip/auth.h"

struct sip_phone_config {
	const char *device;	/* SEP<12 HEX>, CSF..., ... */
	const char *line;	/* user of From and To */
	const char *server;	/* host of the request URI */
	const char *local;	/* host:port of our end, for Contact, Via */
	const char *user_agent; /* NULL: Cisco-CP8841/12.8.1 */
	uint32_t model;		/* 683 = 8841, ... */
	bool tls;
	bool udp;
	bool standby; /* only cisco-keep-alive, never bind */
	bool brief;   /* also the first REGISTER has the short form of a
		       * refresh: a server that lost its state sees this */
	bool leaves;  /* told to reset it unregisters, and does not come back
		       * by itself */
	bool digest;  /* it has credentials: a 401 is CHALLENGED */
	const char *last_reason; /* Reason header; NULL for none */
	uint32_t expires_s;	 /* asked; 0: 3600 */
	uint32_t answer_ms;	 /* patience for each answer; 0: 32000 */
	uint64_t seed;		 /* for Call-ID, tags and branches: engines
				  * have no randomness of their own */
};

enum sip_phone_event_type {
	SIP_PHONE_REGISTERED,	/* first 200; value: Expires granted */
	SIP_PHONE_REFRESHED,	/* a later 200 */
	SIP_PHONE_STANDBY,	/* the keepalive was answered */
	SIP_PHONE_REJECTED,	/* value: status; text: phrase + Warning */
	SIP_PHONE_RETRY,	/* Retry-After: value: seconds until it asks
				 * again, by itself */
	SIP_PHONE_TOKEN,	/* value: 0 granted: start() may follow; else
				 * seconds until it asks again, by itself */
	SIP_PHONE_UNREGISTERED, /* our Expires 0 was answered */
	SIP_PHONE_RESET,	/* NOTIFY service-control; text: action. After
				 * reset and restart it unregisters, and
				 * REGISTERED follows, both by itself; or
				 * UNREGISTERED, if it leaves */
	SIP_PHONE_CHALLENGED,	/* answer authorize(); text: the URI that goes
				 * into the digest, of method REGISTER */
	SIP_PHONE_FAILED,	/* text: what went wrong; it is over */
};

struct sip_phone_event {
	enum sip_phone_event_type type;
	uint32_t value;
	const char *text; /* valid until the next call */
	const struct sip_challenge_read *challenge; /* CHALLENGED */
};

struct sip_phone {
	struct sip_phone_config config; /* strings are the caller's */
	struct bytes_queue in;
	struct bytes_queue out;
	struct sip_phone_state *state;
};

/* start() queues the first REGISTER; refreshes follow by themselves at the
 * granted Expires - 5 s. After REJECTED or UNREGISTERED it may be called
 * again. token() instead of start() asks to fall back here, by REFER; it
 * ends in TOKEN or REJECTED. unregister() waits for an answer that is due. The
 * rest: the engine contract (sccp/server.h). */
void sip_phone_init(struct sip_phone *p, const struct sip_phone_config *config,
	const struct moment *now);
void sip_phone_deinit(struct sip_phone *p);
void sip_phone_start(struct sip_phone *p, const struct moment *now);
void sip_phone_token(struct sip_phone *p, const struct moment *now);
void sip_phone_unregister(struct sip_phone *p, const struct moment *now);
/* Asks again with this value of Authorization; NULL: gives up. */
void sip_phone_authorize(struct sip_phone *p, const char *authorization,
	const struct moment *now);
void sip_phone_feed(struct sip_phone *p, const void *data, size_t n,
	const struct moment *now);
void sip_phone_tick(struct sip_phone *p, const struct moment *now);
bool sip_phone_next(struct sip_phone *p, struct sip_phone_event *event);
const uint8_t *sip_phone_out(const struct sip_phone *p, size_t *n);
void sip_phone_sent(struct sip_phone *p, size_t n);
uint64_t sip_phone_deadline(const struct sip_phone *p);

#endif

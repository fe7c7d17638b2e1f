/* SPDX-License-Identifier: Apache-2.0 */
/* The phone side of one SCCP connection, as 79xx firmware speaks it. */
#ifndef PROTOCOLS_SCCP_PHONE_H
#define PROTOCOLS_SCCP_PHONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/bytes.h"
#include "protocols/moment.h"

struct sccp_generation;

struct sccp_phone_config {
	/* How it speaks; NULL: as is typical of the version. */
	const struct sccp_generation *generation;
	const char *device;	 /* at most 15 characters */
	uint32_t device_type;	 /* 30007 = 7912, 437 = 7975, ... */
	uint8_t version;	 /* highest protocol version offered */
	uint32_t station_ipv4;	 /* network order, as sent */
	const char *load;	 /* firmware name */
	const char *last_reason; /* Alarm text: "Initialized", ... or NULL
				  * for no alarm */
	uint32_t answer_ms;	 /* patience for each answer; 0: 10000 */
	uint32_t standby_ms;	 /* between the keepalives of standby();
				  * 0: 60000 */
};

enum sccp_phone_event_type {
	SCCP_PHONE_REGISTERED,	 /* the whole conversation is done */
	SCCP_PHONE_REJECTED,	 /* text: the server's words */
	SCCP_PHONE_UNREGISTERED, /* our unregister was acknowledged */
	SCCP_PHONE_RESET,	 /* value: enum sccp_reset */
	SCCP_PHONE_TOKEN,	 /* value: 0 granted, else seconds to wait */
	SCCP_PHONE_ALIVE,	 /* a keepalive was answered */
	SCCP_PHONE_FAILED,	 /* text: what the server did wrong, or was
				  * not answered; the connection is over */
};

struct sccp_phone_event {
	enum sccp_phone_event_type type;
	uint32_t value;
	const char *text; /* valid until the next call */
};

struct sccp_phone {
	struct sccp_phone_config config; /* strings are the caller's */
	struct bytes_queue in;
	struct bytes_queue out;
	struct sccp_phone_state *state;
};

/*
 * start() queues Alarm and Register; the engine then walks by itself:
 * capabilities, templates, lines, time, and keepalives at the interval that
 * the RegisterAck named. It is strict: an answer that is malformed, missing,
 * or not asked for ends in FAILED. token() instead of start() asks to fall
 * back here; standby() only keeps alive, as phones do at the server that they
 * would go to next. Feed, next, out, sent, tick, deadline: as the server side
 * (server.h).
 */
void sccp_phone_init(struct sccp_phone *p,
	const struct sccp_phone_config *config, const struct moment *now);
void sccp_phone_deinit(struct sccp_phone *p);
void sccp_phone_start(struct sccp_phone *p, const struct moment *now);
void sccp_phone_token(struct sccp_phone *p, const struct moment *now);
void sccp_phone_standby(struct sccp_phone *p, const struct moment *now);
void sccp_phone_unregister(struct sccp_phone *p, const struct moment *now);
void sccp_phone_feed(struct sccp_phone *p, const void *data, size_t n,
	const struct moment *now);
void sccp_phone_tick(struct sccp_phone *p, const struct moment *now);
bool sccp_phone_next(struct sccp_phone *p, struct sccp_phone_event *event);
const uint8_t *sccp_phone_out(const struct sccp_phone *p, size_t *n);
void sccp_phone_sent(struct sccp_phone *p, size_t n);
uint64_t sccp_phone_deadline(const struct sccp_phone *p);

#endif

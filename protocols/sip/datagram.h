/* SPDX-License-Identifier: Apache-2.0 */
/* SIP over UDP: one datagram to one message, and its way back. */
#ifndef PROTOCOLS_SIP_DATAGRAM_H
#define PROTOCOLS_SIP_DATAGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/bytes.h"
#include "protocols/moment.h"
#include "protocols/sip/frame.h"

enum {
	SIP_DATAGRAM_MAX = 20000, /* the most that message_max may be */
	/* What a message may grow by here: received, rport, a length. */
	SIP_DATAGRAM_GROWTH = 160,
};

enum sip_datagram_kind {
	SIP_DATAGRAM_NONE,  /* no SIP, or an answer that is broken: silence */
	SIP_DATAGRAM_EMPTY, /* CR and LF alone: keeps a NAT open, no more */
	SIP_DATAGRAM_REQUEST,
	SIP_DATAGRAM_ACK, /* a request that is never answered */
	SIP_DATAGRAM_RESPONSE,
};

/* Where a datagram came from. */
struct sip_datagram_source {
	const char *address; /* without brackets */
	uint16_t port;
};

/*
 * A datagram, understood. `message` is what an engine is fed: without bytes
 * in front or behind, with a Content-Length, and in a request the topmost Via
 * has `received` (RFC 3261 18.2.1) and, where it asked for it, `rport`
 * (RFC 3581 4), so that answers have them, too. Fed to a server whose
 * message_max and head_max are SIP_DATAGRAM_GROWTH above the limits here, it
 * is exactly one message.
 *
 * Answers go to the address the request came from and nowhere else: to its
 * port where rport was asked for, else to the port of the Via. maddr is not
 * followed: it would let a stranger point our answers at others.
 */
struct sip_datagram {
	enum sip_datagram_kind kind;
	enum sip_rule rule; /* REQUEST: not OK: refuse() it */
	uint64_t key;	    /* of its transaction */
	int status;	    /* of a RESPONSE */
	uint16_t port;	    /* of a REQUEST: where its answer goes */
	size_t n;
	char message[SIP_DATAGRAM_MAX + SIP_DATAGRAM_GROWTH];
};

/*
 * One datagram is one message (RFC 3261 18.3): no Content-Length means all of
 * the rest, bytes behind it are dropped, fewer than it are refused. `cut`:
 * there was more of it than limits->message_max, which is at most
 * SIP_DATAGRAM_MAX, as is n.
 */
void sip_datagram_read(struct sip_datagram *d, const void *data, size_t n,
	bool cut, const struct sip_datagram_source *from,
	const struct sip_limits *limits);

/* Writes the answer to a request that d->rule refuses. */
void sip_datagram_refuse(const struct sip_datagram *d, struct bytes_queue *out,
	const char *node, const struct moment *now);

/* Length of the first message of n bytes that an engine has to send, and
 * whether it is a request of ours; 0: there is none. */
size_t sip_datagram_first(const void *out, size_t n, bool *request);

/*
 * Copies a request of ours with what only the transport knows (RFC 3261
 * 18.1.1): UDP and sent_by, host[:port], in its Via, and an rport. Answers
 * the length, 0 when it is no request or does not fit; *key names its
 * transaction.
 */
size_t sip_datagram_stamp(const void *request, size_t n, const char *sent_by,
	char *dst, size_t size, uint64_t *key);

#endif

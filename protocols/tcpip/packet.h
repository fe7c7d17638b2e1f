/* SPDX-License-Identifier: Apache-2.0 */
/* The TCP segment in a captured frame: link layer, IP, TCP. */
#ifndef PROTOCOLS_TCPIP_PACKET_H
#define PROTOCOLS_TCPIP_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Link layers, by libpcap's DLT numbers on Linux. */
enum packet_link {
	PACKET_LINK_NULL = 0, /* loopback of BSD; the captor's byte order */
	PACKET_LINK_ETHERNET = 1,
	PACKET_LINK_RAW = 12,
	PACKET_LINK_LOOP = 108, /* of OpenBSD */
	PACKET_LINK_SLL = 113,	/* Linux "any" */
	PACKET_LINK_IPV4 = 228,
	PACKET_LINK_IPV6 = 229,
	PACKET_LINK_SLL2 = 276,
};

enum { PACKET_FIN = 1, PACKET_SYN = 2, PACKET_RST = 4, PACKET_ACK = 16 };

struct packet_end {
	uint8_t address[16]; /* IPv4: the first four */
	uint16_t port;
};

struct packet {
	bool ipv6;
	struct packet_end from, to;
	uint32_t seq;
	uint8_t flags;
	const uint8_t *data; /* of the segment, inside the frame */
	size_t n;
};

enum packet_verdict {
	PACKET_TCP,
	PACKET_OTHER,	 /* sound, but no TCP */
	PACKET_FRAGMENT, /* a piece of an IP packet; they are not joined */
	PACKET_BROKEN,	 /* shorter than its own headers say */
};

bool packet_link_known(int link);
/* Reads a frame as captured; a segment that was cut by the captor is as long
 * as what is there. *out is filled for PACKET_TCP only. */
enum packet_verdict packet_read(
	int link, const void *frame, size_t n, struct packet *out);

#endif

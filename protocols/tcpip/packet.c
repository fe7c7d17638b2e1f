/* SPDX-License-Identifier: Apache-2.0 */
/* The TCP segment in a captured frame: link layer, IP, TCP. */
#include "protocols/tcpip/packet.h"

#include "protocols/bytes.h"

enum {
	IPV4 = 0x0800,
	IPV6 = 0x86dd,
	VLAN = 0x8100,
	VLAN_SERVICE = 0x88a8,
	VLAN_OLD = 0x9100,
	TAGS_MAX = 4,

	IPV4_HEAD = 20,
	IPV6_HEAD = 40,
	TCP_HEAD = 20,

	HOP_BY_HOP = 0,
	TCP = 6,
	ROUTING = 43,
	FRAGMENT = 44,
	AUTHENTICATION = 51,
	DESTINATION = 60,
	HEADERS_MAX = 8, /* IPv6 extension headers */
};

bool packet_link_known(int link)
{
	switch (link) {
	case PACKET_LINK_NULL:
	case PACKET_LINK_ETHERNET:
	case PACKET_LINK_RAW:
	case PACKET_LINK_LOOP:
	case PACKET_LINK_SLL:
	case PACKET_LINK_IPV4:
	case PACKET_LINK_IPV6:
	case PACKET_LINK_SLL2:
		return true;
	default:
		return false;
	}
}

/* Raw IP says what it is in its first four bits. */
static unsigned type_of_raw(const struct bytes_in *in)
{
	unsigned version = in->left ? in->p[0] >> 4 : 0;
	return version == 4 ? IPV4 : version == 6 ? IPV6 : 0;
}

/* Steps over the link layer; answers the EtherType of what follows. */
static unsigned read_link(int link, struct bytes_in *in)
{
	unsigned type;
	switch (link) {
	case PACKET_LINK_ETHERNET:
		bytes_skip(in, 12);
		type = bytes_be16(in);
		break;
	case PACKET_LINK_SLL:
		bytes_skip(in, 14);
		type = bytes_be16(in);
		break;
	case PACKET_LINK_SLL2:
		type = bytes_be16(in);
		bytes_skip(in, 18);
		break;
	case PACKET_LINK_NULL:
	case PACKET_LINK_LOOP:
		/* The family's number is each system's own. */
		bytes_skip(in, 4);
		return type_of_raw(in);
	default:
		return type_of_raw(in);
	}
	for (int i = 0; i < TAGS_MAX && (type == VLAN || type == VLAN_SERVICE ||
						type == VLAN_OLD);
		i++) {
		bytes_skip(in, 2);
		type = bytes_be16(in);
	}
	return type;
}

/* Ethernet pads short packets: what is behind the packet is none of it. */
static void cut_to(struct bytes_in *in, size_t n)
{
	if (n < in->left)
		in->left = n;
}

/* More fragments, or one that is not the first. */
static bool is_piece(unsigned flags_and_offset)
{
	return (flags_and_offset & 0x3fff) != 0;
}

static enum packet_verdict read_ipv4(struct bytes_in *in, struct packet *out)
{
	size_t head = (size_t)(bytes_u8(in) & 15) * 4;
	bytes_u8(in);
	size_t length = bytes_be16(in);
	bytes_be16(in);
	unsigned fragment = bytes_be16(in);
	bytes_u8(in);
	unsigned protocol = bytes_u8(in);
	bytes_be16(in);
	bytes_copy(in, out->from.address, 4);
	bytes_copy(in, out->to.address, 4);
	/* Length 0: the network card was to cut it into packets (TSO). */
	if (in->bad || head < IPV4_HEAD || (length && length < head))
		return PACKET_BROKEN;
	if (length)
		cut_to(in, length - IPV4_HEAD);
	bytes_skip(in, head - IPV4_HEAD);
	if (protocol != TCP)
		return PACKET_OTHER;
	return is_piece(fragment) ? PACKET_FRAGMENT : PACKET_TCP;
}

static enum packet_verdict read_ipv6(struct bytes_in *in, struct packet *out)
{
	bytes_skip(in, 4);
	size_t length = bytes_be16(in);
	unsigned next = bytes_u8(in);
	bytes_u8(in);
	bytes_copy(in, out->from.address, 16);
	bytes_copy(in, out->to.address, 16);
	if (in->bad)
		return PACKET_BROKEN;
	if (length)
		cut_to(in, length);
	for (int i = 0; i < HEADERS_MAX && next != TCP; i++) {
		unsigned type = next;
		if (type != HOP_BY_HOP && type != ROUTING && type != FRAGMENT &&
			type != AUTHENTICATION && type != DESTINATION)
			return PACKET_OTHER;
		next = bytes_u8(in);
		size_t words = bytes_u8(in);
		if (type == FRAGMENT) {
			unsigned fragment = bytes_be16(in);
			if (fragment & 0xfff9)
				return PACKET_FRAGMENT;
			bytes_skip(in, 4);
		} else if (type == AUTHENTICATION) {
			bytes_skip(in, words * 4 + 6);
		} else {
			bytes_skip(in, words * 8 + 6);
		}
	}
	if (in->bad)
		return PACKET_BROKEN;
	return next == TCP ? PACKET_TCP : PACKET_OTHER;
}

static enum packet_verdict read_tcp(struct bytes_in *in, struct packet *out)
{
	out->from.port = bytes_be16(in);
	out->to.port = bytes_be16(in);
	out->seq = bytes_be32(in);
	bytes_be32(in);
	size_t head = (size_t)(bytes_u8(in) >> 4) * 4;
	out->flags = bytes_u8(in);
	bytes_skip(in, 6); /* window, checksum, urgent pointer */
	if (in->bad || head < TCP_HEAD)
		return PACKET_BROKEN;
	bytes_skip(in, head - TCP_HEAD);
	if (in->bad)
		return PACKET_BROKEN;
	out->data = in->p;
	out->n = in->left;
	return PACKET_TCP;
}

enum packet_verdict packet_read(
	int link, const void *frame, size_t n, struct packet *out)
{
	struct bytes_in in = bytes_in(frame, n);
	*out = (struct packet){0};
	unsigned type = read_link(link, &in);
	if (in.bad)
		return PACKET_BROKEN;
	if (type != IPV4 && type != IPV6)
		return PACKET_OTHER;
	out->ipv6 = type == IPV6;
	enum packet_verdict verdict =
		out->ipv6 ? read_ipv6(&in, out) : read_ipv4(&in, out);
	return verdict == PACKET_TCP ? read_tcp(&in, out) : verdict;
}

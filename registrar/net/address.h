/* SPDX-License-Identifier: Apache-2.0 */
/* Socket addresses as text. */
#ifndef REGISTRAR_NET_ADDRESS_H
#define REGISTRAR_NET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "registrar/peer.h"

/*
 * Writes address and port of `from`; *ipv4 in network order, 0 for IPv6.
 * "::ffff:192.0.2.1" is shown, counted and compared as 192.0.2.1.
 */
void address_put(const struct sockaddr_storage *from,
	char text[PEER_ADDRESS_MAX], uint16_t *port, uint32_t *ipv4);
/* The address alone in 16 bytes, IPv4 as ::ffff:a.b.c.d; and as the same text
 * that address_put writes. */
struct in6_addr address_pack(const struct sockaddr_storage *from);
void address_text(const struct in6_addr *address, char text[PEER_ADDRESS_MAX]);
/* Back again, from either way to write it; false: it is no address. */
bool address_read(const char *text, struct in6_addr *out);

#endif

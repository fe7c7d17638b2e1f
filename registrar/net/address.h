/* SPDX-License-Identifier: Apache-2.0 */
/* Socket addresses as text. */
#ifndef REGISTRAR_NET_ADDRESS_H
#define REGISTRAR_NET_ADDRESS_H

#include <stdint.h>
#include <sys/socket.h>

#include "registrar/peer.h"

/*
 * Writes address and port of `from`; *ipv4 in network order, 0 for IPv6.
 * "::ffff:192.0.2.1" is shown, counted and compared as 192.0.2.1.
 */
void address_put(const struct sockaddr_storage *from,
	char text[PEER_ADDRESS_MAX], uint16_t *port, uint32_t *ipv4);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Socket addresses as text. */
#include "registrar/net/address.h"

#include <arpa/inet.h>
#include <string.h>

void address_put(const struct sockaddr_storage *from,
	char text[PEER_ADDRESS_MAX], uint16_t *port, uint32_t *ipv4)
{
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
	const void *v4 = NULL;
	if (from->ss_family == AF_INET)
		v4 = &in4->sin_addr;
	else if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		v4 = &in6->sin6_addr.s6_addr[12];
	*port = ntohs(v4 && from->ss_family == AF_INET ? in4->sin_port
						       : in6->sin6_port);
	if (v4) {
		memcpy(ipv4, v4, 4);
		inet_ntop(AF_INET, v4, text, PEER_ADDRESS_MAX);
		return;
	}
	*ipv4 = 0;
	inet_ntop(AF_INET6, &in6->sin6_addr, text, PEER_ADDRESS_MAX);
}

struct in6_addr address_pack(const struct sockaddr_storage *from)
{
	struct in6_addr out = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
	if (from->ss_family == AF_INET)
		memcpy(&out.s6_addr[12],
			&((const struct sockaddr_in *)from)->sin_addr, 4);
	else
		out = ((const struct sockaddr_in6 *)from)->sin6_addr;
	return out;
}

void address_text(const struct in6_addr *address, char text[PEER_ADDRESS_MAX])
{
	if (IN6_IS_ADDR_V4MAPPED(address))
		inet_ntop(
			AF_INET, &address->s6_addr[12], text, PEER_ADDRESS_MAX);
	else
		inet_ntop(AF_INET6, address, text, PEER_ADDRESS_MAX);
}

bool address_read(const char *text, struct in6_addr *out)
{
	*out = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
	return inet_pton(AF_INET, text, &out->s6_addr[12]) == 1 ||
	       inet_pton(AF_INET6, text, out) == 1;
}

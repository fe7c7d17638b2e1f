/* SPDX-License-Identifier: Apache-2.0 */
/* One UDP socket of a worker: datagrams in by the batch, and out. */
#ifndef REGISTRAR_NET_UDP_H
#define REGISTRAR_NET_UDP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

/* Two ends: whom a datagram is from or to, and which of our addresses it
 * came to, so that the answer leaves from there. IPv4 as ::ffff:a.b.c.d. */
struct udp_ends {
	struct in6_addr address;
	uint16_t port;	/* host order */
	uint32_t scope; /* of a link-local address */
	struct in6_addr local;
	uint32_t interface; /* it came in by; 0: not known */
};

struct udp;
/* One datagram; cut: it was longer than n. data is valid during the call. */
typedef void (*udp_fn)(void *self, const struct udp_ends *ends,
	const void *data, size_t n, bool cut);

/*
 * Takes over a bound socket and begins to read: at most a batch in each turn
 * of the loop, so that others have theirs. Datagrams of more than `most`
 * bytes are cut. 0, or -errno and fd is closed.
 */
int udp_new(uv_loop_t *loop, int fd, size_t most, udp_fn received, void *self,
	struct udp **out);
/* Its memory goes once the loop has run. */
void udp_close(struct udp *u);
/* False: the system would not take it. Nobody waits: to lose datagrams is
 * what UDP does, and who asks for them asks again. */
bool udp_send(
	struct udp *u, const struct udp_ends *to, const void *data, size_t n);
/* Its port, and how many datagrams the system dropped because we were slow.
 */
uint16_t udp_port(const struct udp *u);
uint32_t udp_overflow(const struct udp *u);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Phones over UDP: a flow is who sends from one address and port. */
#ifndef REGISTRAR_NET_FLOW_H
#define REGISTRAR_NET_FLOW_H

#include <stdint.h>

#include "certs/diag.h"
#include "registrar/net/conn.h"
#include "registrar/net/limits.h"

/*
 * A flow has a service of its own, as a connection has: it registers, is
 * displaced and ends in the same way, and counts among the connections. It
 * lives as long as its registration; without one it counts as half open
 * until it registers, and ends 32 s after its last datagram, when no
 * retransmission can come any more.
 *
 * Source addresses are easily forged. So there are at most idle_max flows
 * without a registration: the longest silent makes room. Each datagram gets
 * at most one answer, to the address it came from; what is no SIP gets none
 * and makes no flow.
 */
struct flow;
/* All flows of a worker. */
struct flows;

struct flow_host {
	const struct conn_host *conn; /* what flows share with connections */
	struct limits *limits;
	uint32_t idle_max;
	/* Is there room for one more in them? */
	bool (*room)(void *self);
	/* A reference for a new flow, given back by conn->gone. */
	struct conn_ref (*came)(void *self, struct flow *f);
};

struct flows *flows_new(const struct flow_host *host);
/* Serves one more bound socket; takes fd over. 0, or -errno with d. */
int flows_listen(struct flows *fs, const struct service *service, int fd,
	struct diag *d);
/* Ends all flows and closes the sockets; the loop has to run once more
 * before flows_free. */
void flows_end(struct flows *fs, enum reason_unreg cause);
void flows_free(struct flows *fs);

/* What waits is sent; its registration ends with `cause`. */
void flow_end(struct flow *f, const char *why, enum reason_unreg cause);
/* Tells its phone something, if its service can; again until it answers. */
void flow_order(struct flow *f, enum phone_order order);

#endif

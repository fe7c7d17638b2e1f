/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker counts of its connections and flows. */
#ifndef REGISTRAR_NET_CONN_COUNTER_H
#define REGISTRAR_NET_CONN_COUNTER_H

#include <stdint.h>

enum { CONN_TLS_VERSIONS = 4 };

/*
 * Counted by one worker, read by status: relaxed atomics. Who has closed was
 * accepted before: they are read in this order.
 */
#define CONN_COUNTER_LIST(X)                                             \
	X(closed)   /* of those accepted */                              \
	X(accepted) /* connections, and flows of UDP */                  \
	X(flows_closed)                                                  \
	X(flows)   /* of those accepted */                               \
	X(refused) /* by a cap, or gone before it was accepted */        \
	X(handshakes_ok)                                                 \
	X(handshakes_failed)                                             \
	X(resumed) /* of handshakes_ok */                                \
	X(bytes_in)                                                      \
	X(bytes_out)                                                     \
	X(datagrams_in)                                                  \
	X(datagrams_out)                                                 \
	X(datagrams_repeated)	/* came again, answered as before */     \
	X(datagrams_ignored)	/* no SIP, nothing in it, or nobody's */ \
	X(datagrams_dropped)	/* by a limit */                         \
	X(datagrams_overflowed) /* by the system: we were too slow */

struct conn_counters {
#define X(name) uint64_t name;
	CONN_COUNTER_LIST(X)
#undef X
	/* handshakes_ok by TLS version, from 1.0; full, and resumed. */
	uint64_t by_version[CONN_TLS_VERSIONS][2];
};

void conn_counter_add(uint64_t *counter, uint64_t n);
uint64_t conn_counter_get(const uint64_t *counter);

#endif

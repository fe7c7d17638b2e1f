/* SPDX-License-Identifier: Apache-2.0 */
/* How many phones may be on their way before this program chokes on them. */
#ifndef BENCH_GATE_H
#define BENCH_GATE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * One core plays thousands of phones, and a handshake can cost a phone more
 * than the server. Where the loop falls behind, all phones would crawl
 * together, none be in within its patience, and the storm would end in
 * nothing that the server has done. So whoever is due then waits at the gate:
 * the window halves while the loop is late and grows while it is not. The
 * server's slowness does not make the loop late, and closes no gate.
 */
struct gate {
	unsigned window; /* 0 as UINT_MAX: nothing was ever late */
	unsigned busy;	 /* phones inside */
	uint64_t last_ns;
};

/* Is there room for one more? */
bool gate_room(const struct gate *g);
/* One turn of the loop, which takes a millisecond when all is well. */
void gate_turn(struct gate *g, uint64_t now_ns);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A phone's line over UDP: what it asks is asked again until it is heard. */
#ifndef BENCH_UDP_LINE_H
#define BENCH_UDP_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "bench/target.h"

/* sipcc's sipRetx 10 and timerT1 500: the last request is repeated after 0.5,
 * 1, 2, 4, 4 ... s until it is answered. */
struct udp_line {
	uv_udp_t udp; /* its data is the owner's; closed by uv_close */
	char *asked;  /* the last request; NULL: it was answered */
	size_t n;
	uint64_t key; /* of its transaction */
	uint64_t again_ms;
	uint32_t pause_ms;
	unsigned left;
};

/* Connects to the target and starts to read. 0, or an error of uv's. */
int udp_line_open(struct udp_line *l, const struct target *target,
	const struct sockaddr *from, uv_alloc_cb alloc,
	uv_udp_recv_cb received);
/* Sends the messages that an engine has to say, each in a datagram; false:
 * the system does not take them. */
bool udp_line_send(struct udp_line *l, const void *data, size_t n);
/* Is this for the engine? Answers that come again, or late, are not; the one
 * that is waited for ends the repeating. */
bool udp_line_takes(struct udp_line *l, const void *data, size_t n);
uint64_t udp_line_deadline(const struct udp_line *l);
void udp_line_tick(struct udp_line *l, uint64_t now_ms);
void udp_line_deinit(struct udp_line *l);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Reads one TCP conversation out of a pcapng file. */
#ifndef TESTS_PROTOCOLS_SCCP_PCAPNG_H
#define TESTS_PROTOCOLS_SCCP_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of one direction's stream, as the receiver's TCP handed it up. */
struct pcapng_chunk {
	unsigned packet; /* the packet that completed it, counted from 1 */
	bool from_server;
	size_t offset; /* in the direction's stream */
	uint8_t *data;
	size_t n;
};

struct pcapng {
	struct pcapng_chunk *chunks; /* in the order of the capture */
	size_t n;
	const char *error; /* NULL, or why the rest is missing */
};

/*
 * Every chunk of the TCP conversations with a server port: by sequence
 * number, without repeats. Ethernet and IPv4 only. On any trouble error says
 * what, and chunks holds what came before it. Free it in any case.
 */
void pcapng_open(struct pcapng *p, const char *path, uint16_t server_port);
void pcapng_close(struct pcapng *p);

#endif

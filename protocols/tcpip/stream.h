/* SPDX-License-Identifier: Apache-2.0 */
/* One direction of a captured TCP connection, put in order. */
#ifndef PROTOCOLS_TCPIP_STREAM_H
#define PROTOCOLS_TCPIP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	STREAM_PIECES_MAX = 256,      /* that wait for one before them */
	STREAM_HELD_MAX = 512 * 1024, /* their bytes */
};

struct stream_piece;

/*
 * Put segments in as they come, take bytes out in their order: what came twice
 * comes out once. Zeroed is a stream nothing is known of; it begins with its
 * SYN, or in the middle, with the first segment put. What is missing is waited
 * for until the limits are reached or the stream is ended, then stepped over.
 */
struct stream {
	bool begun, ended;
	uint32_t next; /* sequence number of the next byte */
	struct stream_piece *first, *given;
	size_t pieces, held;
};

void stream_deinit(struct stream *s);
/* The next byte's number, from a SYN. */
void stream_begin(struct stream *s, uint32_t seq);
void stream_put(struct stream *s, uint32_t seq, const void *data, size_t n);
/* No more will be put. */
void stream_end(struct stream *s);
/*
 * False: no more for now. True: the next bytes, valid until the next call of
 * any function; *missing is how many before them are not in the capture.
 */
bool stream_next(
	struct stream *s, const uint8_t **data, size_t *n, uint32_t *missing);

#endif

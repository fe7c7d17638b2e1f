/* SPDX-License-Identifier: Apache-2.0 */
/* SCCP framing: length, header version, message id, body. */
#ifndef PROTOCOLS_SCCP_FRAME_H
#define PROTOCOLS_SCCP_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "protocols/bytes.h"

enum {
	SCCP_HEADER = 8,     /* length and header version */
	SCCP_LENGTH_MIN = 4, /* the message id */
	/* Known protocol versions end at 0x16; far above, framing is lost. */
	SCCP_HEADER_VERSION_MAX = 0x40,
};

struct sccp_frame {
	uint32_t length;  /* the length field: id and body */
	uint32_t version; /* of the header, never compared with another */
	uint32_t id;
	const uint8_t *body; /* inside the queue it was found in */
	size_t body_n;
};

enum sccp_frame_verdict {
	SCCP_FRAME_MORE, /* not all of it is there yet */
	SCCP_FRAME_WHOLE,
	SCCP_FRAME_LENGTH_UNDER_4,
	SCCP_FRAME_TOO_LONG,
	SCCP_FRAME_VERSION_IMPOSSIBLE,
};

/*
 * Looks at the head of a queue. Refusals come as soon as the field that
 * earns them is there. A frame with its length field above length_max is
 * TOO_LONG. After WHOLE, drop the frame before the next call.
 */
enum sccp_frame_verdict sccp_frame_next(const struct bytes_queue *in,
	uint32_t length_max, struct sccp_frame *frame);
void sccp_frame_drop(struct bytes_queue *in, const struct sccp_frame *frame);

/* Appends a frame. 0, or -ENOBUFS (nothing appended) above the queue's max. */
int sccp_frame_put(struct bytes_queue *out, uint32_t header_version,
	uint32_t id, const uint8_t *body, size_t n);

#endif

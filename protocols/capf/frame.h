/* SPDX-License-Identifier: Apache-2.0 */
/* CAPF framing: protocol id, command, session, length of what follows. */
#ifndef PROTOCOLS_CAPF_FRAME_H
#define PROTOCOLS_CAPF_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "protocols/bytes.h"
#include "protocols/capf/rule.h"

enum {
	CAPF_HEADER = 8,
	CAPF_LENGTH_AT = 6, /* in it: of what follows */
	CAPF_PROTOCOL = 0x55,
};

struct capf_frame {
	unsigned command; /* any number */
	uint32_t session;
	const uint8_t *payload; /* inside the queue it was found in */
	size_t n;
};

enum capf_frame_verdict {
	CAPF_FRAME_MORE, /* not all of it is there yet */
	CAPF_FRAME_WHOLE,
	CAPF_FRAME_REFUSED,
};

/*
 * Looks at the head of a queue. A refusal (PROTOCOL, TOO_LONG) comes as soon
 * as the field that earns it is there, and fills why. After WHOLE, drop
 * CAPF_HEADER + n bytes before the next call.
 */
enum capf_frame_verdict capf_frame_next(const struct bytes_queue *in,
	struct capf_frame *frame, struct capf_refusal *why);

#endif

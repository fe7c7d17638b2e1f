/* SPDX-License-Identifier: Apache-2.0 */
/* Finding CAPF frames. */
#include "protocols/capf/frame.h"

#include "protocols/capf/ids.h"

enum capf_frame_verdict capf_frame_next(const struct bytes_queue *in,
	struct capf_frame *frame, struct capf_refusal *why)
{
	size_t n;
	const uint8_t *data = bytes_queue_peek(in, &n);
	struct bytes_in cursor = bytes_in(data, n);
	unsigned protocol = bytes_u8(&cursor);
	if (n && protocol != CAPF_PROTOCOL) {
		capf_refuse(why, CAPF_RULE_PROTOCOL,
			"a message begins with 0x%02x; wanted 0x%02x", protocol,
			CAPF_PROTOCOL);
		return CAPF_FRAME_REFUSED;
	}
	*frame = (struct capf_frame){.command = bytes_u8(&cursor)};
	frame->session = bytes_be32(&cursor);
	frame->n = bytes_be16(&cursor);
	if (cursor.bad)
		return CAPF_FRAME_MORE;
	if (frame->n > CAPF_MESSAGE_MAX - CAPF_HEADER) {
		capf_refuse(why, CAPF_RULE_TOO_LONG,
			"command %u: a message of %zu bytes; %d are the most",
			frame->command, CAPF_HEADER + frame->n,
			CAPF_MESSAGE_MAX);
		return CAPF_FRAME_REFUSED;
	}
	frame->payload = cursor.p;
	return frame->n <= cursor.left ? CAPF_FRAME_WHOLE : CAPF_FRAME_MORE;
}

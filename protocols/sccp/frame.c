/* SPDX-License-Identifier: Apache-2.0 */
/* Finding and writing SCCP frames. */
#include "protocols/sccp/frame.h"

#include <errno.h>

enum sccp_frame_verdict sccp_frame_next(const struct bytes_queue *in,
	uint32_t length_max, struct sccp_frame *frame)
{
	size_t n;
	const uint8_t *data = bytes_queue_peek(in, &n);
	struct bytes_in cursor = bytes_in(data, n);
	*frame = (struct sccp_frame){.length = bytes_le32(&cursor)};
	if (cursor.bad)
		return SCCP_FRAME_MORE;
	if (frame->length < SCCP_LENGTH_MIN)
		return SCCP_FRAME_LENGTH_UNDER_4;
	if (frame->length > length_max)
		return SCCP_FRAME_TOO_LONG;
	frame->version = bytes_le32(&cursor);
	if (frame->version > SCCP_HEADER_VERSION_MAX)
		return SCCP_FRAME_VERSION_IMPOSSIBLE;
	frame->id = bytes_le32(&cursor);
	if (n < (size_t)frame->length + SCCP_HEADER)
		return SCCP_FRAME_MORE;
	frame->body = cursor.p;
	frame->body_n = frame->length - SCCP_LENGTH_MIN;
	return SCCP_FRAME_WHOLE;
}

void sccp_frame_drop(struct bytes_queue *in, const struct sccp_frame *frame)
{
	bytes_queue_drop(in, (size_t)frame->length + SCCP_HEADER);
}

int sccp_frame_put(struct bytes_queue *out, uint32_t header_version,
	uint32_t id, const uint8_t *body, size_t n)
{
	size_t length = SCCP_LENGTH_MIN + n;
	uint8_t *p = bytes_queue_extend(out, SCCP_HEADER + length);
	if (!p)
		return -ENOBUFS;
	struct bytes_out cursor = bytes_out(p, SCCP_HEADER + length);
	bytes_put_le32(&cursor, (uint32_t)length);
	bytes_put_le32(&cursor, header_version);
	bytes_put_le32(&cursor, id);
	bytes_put(&cursor, body, n);
	return 0;
}

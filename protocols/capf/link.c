/* SPDX-License-Identifier: Apache-2.0 */
/* The way of messages through the queues of either side. */
#include "protocols/capf/link.h"

#include <string.h>

#include "protocols/capf/frame.h"

void capf_link_init(struct capf_link *link, const struct moment *now)
{
	*link = (struct capf_link){.now = *now, .due = MOMENT_NEVER};
}

void capf_link_forget(struct capf_link *link, struct bytes_queue *in)
{
	/* It may have been an authentication string. */
	if (link->held)
		explicit_bzero(in->data + in->head, link->held);
	bytes_queue_drop(in, link->held);
	link->held = 0;
}

void capf_link_close(struct capf_link *link, struct bytes_queue *in)
{
	link->held = bytes_queue_len(in);
	capf_link_forget(link, in);
	link->due = MOMENT_NEVER;
}

void capf_link_feed(struct capf_link *link, struct bytes_queue *in,
	const void *data, size_t n)
{
	capf_link_forget(link, in);
	/* What is there is less than two messages: hear() and crowded() see
	 * to it before more is fed. */
	in->max = bytes_queue_len(in) + n;
	bytes_queue_put(in, data, n);
}

static bool comes_from(struct capf_link *link, const struct capf_frame *frame,
	enum capf_side side)
{
	const char *name = capf_command_name(frame->command);
	const char *peer = side == CAPF_FROM_PHONE ? "phone" : "server";
	if (!name)
		return capf_refuse(&link->why, CAPF_RULE_COMMAND,
			"command %u; known are 1 to %d", frame->command,
			CAPF_SIGN_RESPONSE);
	if (capf_command_side(frame->command) == side)
		return true;
	return capf_refuse(&link->why, CAPF_RULE_SIDE, "%s, which no %s sends",
		name, peer);
}

enum capf_link_verdict capf_link_hear(struct capf_link *link,
	const struct bytes_queue *in, enum capf_side side,
	struct capf_message *m)
{
	struct capf_frame frame;
	switch (capf_frame_next(in, &frame, &link->why)) {
	case CAPF_FRAME_MORE:
		return CAPF_LINK_NOTHING;
	case CAPF_FRAME_REFUSED:
		return CAPF_LINK_REFUSED;
	case CAPF_FRAME_WHOLE:
		break;
	}
	if (!comes_from(link, &frame, side) ||
		!capf_message_read(m, &frame, &link->why))
		return CAPF_LINK_REFUSED;
	link->held = CAPF_HEADER + frame.n;
	return CAPF_LINK_MESSAGE;
}

bool capf_link_crowded(struct capf_link *link, const struct bytes_queue *in)
{
	struct capf_frame frame;
	switch (capf_frame_next(in, &frame, &link->why)) {
	case CAPF_FRAME_MORE:
		return false;
	case CAPF_FRAME_REFUSED:
		return true;
	case CAPF_FRAME_WHOLE:
		break;
	}
	if (bytes_queue_len(in) == CAPF_HEADER + frame.n)
		return false;
	capf_refuse(&link->why, CAPF_RULE_ADVANCE,
		"%zu bytes before they were asked for; wanted one message at "
		"most",
		bytes_queue_len(in));
	return true;
}

const uint8_t *capf_link_out(
	const struct capf_link *link, const struct bytes_queue *out, size_t *n)
{
	const uint8_t *data = bytes_queue_peek(out, n);
	if (link->out_left) {
		*n = link->out_left;
	} else if (*n) {
		struct bytes_in length =
			bytes_in(data + CAPF_LENGTH_AT, sizeof(uint16_t));
		*n = CAPF_HEADER + (size_t)bytes_be16(&length);
	}
	return data;
}

void capf_link_sent(struct capf_link *link, struct bytes_queue *out, size_t n)
{
	size_t left;
	capf_link_out(link, out, &left);
	bytes_queue_drop(out, n);
	link->out_left = left - n;
}

bool capf_link_may_follow(enum capf_command last, enum capf_command next)
{
	static const struct {
		enum capf_command last, next;
	} pairs[] = {
		{CAPF_AUTH_RESPONSE, CAPF_KEY_GENERATE_REQUEST},
		/* a CA that took its time has signed the key of another day */
		{CAPF_AUTH_RESPONSE, CAPF_STORE_REQUEST},
		{CAPF_AUTH_RESPONSE, CAPF_DELETE_REQUEST},
		{CAPF_AUTH_RESPONSE, CAPF_FETCH_REQUEST},
		{CAPF_KEY_GENERATE_RESPONSE, CAPF_STORE_REQUEST},
		{CAPF_FETCH_RESPONSE, CAPF_FETCH_REQUEST},
	};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (pairs[i].last == last && pairs[i].next == next)
			return true;
	return false;
}

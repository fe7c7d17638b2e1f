/* SPDX-License-Identifier: Apache-2.0 */
/* What a registered phone asks, answered from what it was promised. */
#ifndef PROTOCOLS_SCCP_ANSWERS_H
#define PROTOCOLS_SCCP_ANSWERS_H

#include "protocols/bytes.h"
#include "protocols/moment.h"
#include "protocols/sccp/frame.h"
#include "protocols/sccp/promise.h"

enum sccp_answered {
	SCCP_ANSWERED,
	SCCP_NEEDS_NO_ANSWER,
	SCCP_NOT_A_REQUEST, /* nothing that a registrar answers */
	SCCP_NO_ROOM,	    /* the answer did not fit into out */
};

/* RegisterAck and what follows it. */
enum sccp_answered sccp_answer_register(
	const struct sccp_promise *promise, struct bytes_queue *out);
/* Any request behind it, in any order, also for an unknown index. */
enum sccp_answered sccp_answer(const struct sccp_promise *promise,
	const struct sccp_frame *frame, const struct moment *now,
	struct bytes_queue *out);

#endif

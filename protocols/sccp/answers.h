/* SPDX-License-Identifier: Apache-2.0 */
/* What a registered phone asks, answered from what it was promised. */
#ifndef PROTOCOLS_SCCP_ANSWERS_H
#define PROTOCOLS_SCCP_ANSWERS_H

#include "protocols/bytes.h"
#include "protocols/moment.h"
#include "protocols/sccp/frame.h"
#include "protocols/sccp/server.h"
#include "protocols/sccp/text.h"

/* A grant of our own, its texts already as this phone reads them. */
struct sccp_promise {
	uint32_t instance; /* of the Register, as is all of the phone's */
	uint32_t device_type;
	uint32_t keepalive_s;
	uint32_t secondary_keepalive_s;
	uint32_t server_ipv4;
	uint16_t server_port;
	uint8_t version; /* negotiated */
	uint8_t n_lines;
	char device[SCCP_NAME_MAX + 2];
	char date_template[6 + 1];
	/* Prompt, server name, then number and label of each line: as long
	 * as they are, one behind the other. */
	char texts[];
};

struct sccp_promise *sccp_promise_new(const struct sccp_register *reg,
	const struct sccp_grant *grant, uint8_t version_max);
void sccp_promise_free(struct sccp_promise *promise);

/* The version for a phone: the best that both sides speak. */
uint8_t sccp_promise_version(
	const struct sccp_register *reg, uint8_t version_max);
/* What the phone's feature bytes say that it reads. */
enum sccp_charset sccp_promise_charset(const struct sccp_register *reg);

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

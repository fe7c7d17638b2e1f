/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting a captured conversation into SCCP frames and turns. */
#include "tests/protocols/sccp/capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocols/sccp/frame.h"
#include "tests/protocols/sccp/pcapng.h"

enum { SCCP_PORT = 2000, LENGTH_MAX = 65536 };

const char *capture_7912(char *path, size_t n)
{
	const char *shared = getenv("DIALTONE_SHARED");
	snprintf(path, n, "%s/sccp-captures/cucm41-7912-register.pcapng",
		shared ? shared : "");
	return shared && access(path, R_OK) == 0 ? path : NULL;
}

static struct capture_frame copy_of(
	const struct sccp_frame *frame, unsigned packet)
{
	struct capture_frame copy = {
		.packet = packet,
		.id = frame->id,
		.n = frame->body_n + SCCP_HEADER + SCCP_LENGTH_MIN,
	};
	copy.data = malloc(copy.n);
	if (!copy.data)
		abort();
	memcpy(copy.data, frame->body - SCCP_HEADER - SCCP_LENGTH_MIN, copy.n);
	return copy;
}

static void on_frame(struct capture *c, const struct pcapng_chunk *chunk,
	const struct sccp_frame *frame)
{
	if (!chunk->from_server) {
		c->turns = realloc(c->turns, (c->n + 1) * sizeof(*c->turns));
		if (!c->turns)
			abort();
		c->turns[c->n++] = (struct capture_turn){
			.said = copy_of(frame, chunk->packet)};
		return;
	}
	struct capture_turn *turn = c->n ? &c->turns[c->n - 1] : NULL;
	if (!turn || turn->n_answers == CAPTURE_ANSWERS_MAX) {
		c->error = "an answer without a question, or too many";
		return;
	}
	turn->answers[turn->n_answers++] = copy_of(frame, chunk->packet);
}

static void cut(struct capture *c, const struct pcapng *p)
{
	struct bytes_queue queues[2];
	bytes_queue_init(&queues[0], LENGTH_MAX);
	bytes_queue_init(&queues[1], LENGTH_MAX);
	for (size_t i = 0; i < p->n && !c->error; i++) {
		const struct pcapng_chunk *chunk = &p->chunks[i];
		struct bytes_queue *q = &queues[chunk->from_server];
		struct sccp_frame frame;
		enum sccp_frame_verdict verdict = SCCP_FRAME_TOO_LONG;
		if (bytes_queue_put(q, chunk->data, chunk->n) == 0)
			verdict = sccp_frame_next(q, LENGTH_MAX, &frame);
		while (verdict == SCCP_FRAME_WHOLE) {
			on_frame(c, chunk, &frame);
			sccp_frame_drop(q, &frame);
			verdict = sccp_frame_next(q, LENGTH_MAX, &frame);
		}
		if (verdict != SCCP_FRAME_MORE)
			c->error = "framing is lost";
	}
	bytes_queue_deinit(&queues[0]);
	bytes_queue_deinit(&queues[1]);
}

void capture_open(struct capture *c, const char *path)
{
	struct pcapng p;
	pcapng_open(&p, path, SCCP_PORT);
	*c = (struct capture){.error = p.error};
	cut(c, &p);
	pcapng_close(&p);
}

void capture_close(struct capture *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->turns[i].said.data);
		for (unsigned k = 0; k < c->turns[i].n_answers; k++)
			free(c->turns[i].answers[k].data);
	}
	free(c->turns);
	*c = (struct capture){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What both sides of a connection do alike: take messages in, hand them out. */
#ifndef PROTOCOLS_CAPF_LINK_H
#define PROTOCOLS_CAPF_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/bytes.h"
#include "protocols/capf/message.h"
#include "protocols/capf/rule.h"
#include "protocols/moment.h"

enum { CAPF_OUT_MAX = 65536 }; /* bytes that wait for a peer to read them */

struct capf_link {
	struct moment now;
	uint64_t due;	 /* of what is waited for, or MOMENT_NEVER */
	size_t held;	 /* bytes of `in` that the last event points into */
	size_t out_left; /* bytes of a message of which some were sent */
	struct capf_refusal why;
};

enum capf_link_verdict {
	CAPF_LINK_NOTHING,
	CAPF_LINK_MESSAGE,
	CAPF_LINK_REFUSED, /* why says so */
};

void capf_link_init(struct capf_link *link, const struct moment *now);
/* Overwrites and drops what the last event pointed into. */
void capf_link_forget(struct capf_link *link, struct bytes_queue *in);
/* Forgets all that came. */
void capf_link_close(struct capf_link *link, struct bytes_queue *in);
void capf_link_feed(struct capf_link *link, struct bytes_queue *in,
	const void *data, size_t n);
/* The next message from `side`, which stays in the queue until forget(). */
enum capf_link_verdict capf_link_hear(struct capf_link *link,
	const struct bytes_queue *in, enum capf_side side,
	struct capf_message *m);
/* Is there more in the queue than one message, or what begins none? Then why
 * says so. */
bool capf_link_crowded(struct capf_link *link, const struct bytes_queue *in);
/* The next message to send, or what is left of it; n 0: none. */
const uint8_t *capf_link_out(
	const struct capf_link *link, const struct bytes_queue *out, size_t *n);
void capf_link_sent(struct capf_link *link, struct bytes_queue *out, size_t n);

/* Specs capf 7: may a server send `next` when the phone has answered `last`? */
bool capf_link_may_follow(enum capf_command last, enum capf_command next);

#endif

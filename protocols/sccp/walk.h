/* SPDX-License-Identifier: Apache-2.0 */
/* What a phone asks once its registration is accepted, and what must come. */
#ifndef PROTOCOLS_SCCP_WALK_H
#define PROTOCOLS_SCCP_WALK_H

#include "protocols/sccp/message.h"

enum {
	SCCP_WALK_OPEN_MAX = 2 * SCCP_BUTTONS_MAX + 8,
	SCCP_WALK_TEXT = 160, /* room for a complaint */
};

/* A request that was sent and not answered yet. */
struct sccp_wish {
	uint32_t ask;
	uint32_t answer;
	uint32_t index; /* 0: the message has none */
};

/*
 * In which order, and whose: 7912 and older, 7940 and 7960 (both one thing at
 * a time), the Java phones (what they can at once, for each button what it
 * is), 8941 and 8945, SPA5xx.
 */
enum sccp_walk_order {
	SCCP_ORDER_7912,
	SCCP_ORDER_7960,
	SCCP_ORDER_JAVA,
	SCCP_ORDER_8945,
	SCCP_ORDER_SPA,
	SCCP_ORDERS,
};

/* Answers may come in any order. */
struct sccp_walk {
	const char *device;
	uint8_t version; /* negotiated */
	enum sccp_walk_order order;
	unsigned stage; /* of the order */
	unsigned step;	/* and how often it was asked */
	unsigned n_lines;
	struct sccp_buttons buttons; /* that we were given */
	unsigned n_keys;
	uint32_t key_events[SCCP_KEYS_MAX];
	unsigned n_open;
	struct sccp_wish open[SCCP_WALK_OPEN_MAX];
};

void sccp_walk_init(struct sccp_walk *w, const char *device, uint8_t version,
	enum sccp_walk_order order);
/* The next request to send now; false: none before an answer comes. */
bool sccp_walk_next(struct sccp_walk *w, struct sccp_message *m);
/* Everything was asked and answered. */
bool sccp_walk_done(const struct sccp_walk *w);
/* Takes a whole answer; false: nobody asked, or it is wrong, and why. */
bool sccp_walk_answer(struct sccp_walk *w, const struct sccp_message *m,
	char why[SCCP_WALK_TEXT]);

#endif

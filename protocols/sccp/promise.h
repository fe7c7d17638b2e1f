/* SPDX-License-Identifier: Apache-2.0 */
/* What a phone was promised when it was accepted. */
#ifndef PROTOCOLS_SCCP_PROMISE_H
#define PROTOCOLS_SCCP_PROMISE_H

#include "protocols/sccp/server.h"
#include "protocols/sccp/text.h"

/* A grant of our own, its texts already as this phone reads them. */
struct sccp_promise {
	uint32_t instance; /* of the Register, as is all of the phone's */
	uint32_t device_type;
	uint32_t keepalive_s;
	uint32_t secondary_keepalive_s;
	uint32_t server_ipv4;
	uint32_t softkeys;
	uint16_t server_port;
	uint8_t version; /* negotiated */
	uint8_t n_buttons;
	char device[SCCP_NAME_MAX + 2];
	char date_template[6 + 1];
	/* Prompt, server name, then of each button its type as one byte, its
	 * target and its label: as long as they are, one behind the other. */
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

const char *sccp_promise_prompt(const struct sccp_promise *promise);
const char *sccp_promise_server_name(const struct sccp_promise *promise);

/*
 * Phones number their buttons by what they ask of them. All dials and
 * features share their numbers, so that SpeedDialStat and FeatureStat never
 * mean two buttons by one.
 */
enum sccp_space {
	SCCP_SPACE_LINES,
	SCCP_SPACE_DIALS,
	SCCP_SPACE_SERVICES,
	SCCP_SPACES,
};

/* A promised button; its texts are the promise's. */
struct sccp_promise_button {
	enum sccp_button_type type; /* as this phone's version knows it */
	uint8_t instance;	    /* in its space, from 1 */
	const char *target;
	const char *label;
};

/* Where a look at all buttons is, from the top. */
struct sccp_promise_walk {
	const char *at;
	unsigned left;
	uint8_t used[SCCP_SPACES];
};

struct sccp_promise_walk sccp_promise_buttons(
	const struct sccp_promise *promise);
/* The next one; false: there is none. */
bool sccp_promise_next(
	struct sccp_promise_walk *walk, struct sccp_promise_button *button);
/* The button that a request means; false: there is none. */
bool sccp_promise_find(const struct sccp_promise *promise,
	enum sccp_space space, uint32_t instance,
	struct sccp_promise_button *button);
uint32_t sccp_promise_count(
	const struct sccp_promise *promise, enum sccp_button_type type);

#endif

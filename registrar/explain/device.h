/* SPDX-License-Identifier: Apache-2.0 */
/* Why a device is not registered, out of what the registrar says of it. */
#ifndef REGISTRAR_EXPLAIN_DEVICE_H
#define REGISTRAR_EXPLAIN_DEVICE_H

#include <jansson.h>

/* Answers of the status plane; NULL: there is none. */
struct explain_facts {
	const json_t *phone;	/* /v1/phones/NAME */
	const json_t *history;	/* /v1/phones/NAME/history */
	const json_t *failures; /* /v1/failures */
	const json_t *device;	/* as the inventory has it (/v1/devices/NAME) */
};

/*
 * One explanation: name, state, what, rule, meaning, cure, and, of the refusal
 * it is about, phoneConsole and the rest. Its own newest refusal is explained
 * if it is newer than its registration; else why that ended; else refusals
 * from its last address whose device nobody could tell; else that it never
 * came.
 */
json_t *explain_device(const char *name, const struct explain_facts *facts);

#endif

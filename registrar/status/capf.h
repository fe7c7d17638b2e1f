/* SPDX-License-Identifier: Apache-2.0 */
/* CAPF for pollers: who issues, what is pending, what holds it up. */
#ifndef REGISTRAR_STATUS_CAPF_H
#define REGISTRAR_STATUS_CAPF_H

#include <stdbool.h>

#include <jansson.h>

#include "registrar/capf/desk.h"
#include "registrar/server.h"

/* Each a new object; NULL: no listener serves CAPF. */
json_t *status_json_capf(struct server *s);
/* The same in short, for /v1/status. */
json_t *status_json_capf_sum(struct server *s);
/* The device's operation in short; NULL, too, when it never had one. */
json_t *status_json_capf_phone(struct server *s, const char *device);

/* What the desk did since the start. */
json_t *status_json_capf_since_start(const struct capf_desk_state *desk);

/* "operation", "operationStatus", "status", "state" and, where there is one,
 * "reason": what every account of an operation begins with. */
json_t *status_json_capf_state(const struct capf_operation *o);

/* Everything countable, as capf/counts.h has it; false: no listener serves
 * CAPF. */
struct status_capf {
	struct capf_desk_state desk;
	struct capf_store_counts counts; /* zero where they cannot be read */
};
bool status_capf_look(struct server *s, struct status_capf *out);

#endif

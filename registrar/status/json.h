/* SPDX-License-Identifier: Apache-2.0 */
/* What the registrar knows, as JSON: one function per resource. */
#ifndef REGISTRAR_STATUS_JSON_H
#define REGISTRAR_STATUS_JSON_H

#include <jansson.h>

#include "registrar/server.h"
#include "registrar/status/refusals.h"

/* Each answers a new object; NULL where the resource does not exist. */
json_t *status_json_status(struct server *s);
json_t *status_json_phone(
	struct server *s, struct refusals *refusals, const char *name);
json_t *status_json_history(struct server *s, const char *name);
json_t *status_json_trust(struct server *s);

/* One of /v1/failures. */
json_t *status_json_failure(const struct failure *f);
/* {"space", "code", "name"} */
json_t *status_json_code(enum reason_space space, int code);

#endif

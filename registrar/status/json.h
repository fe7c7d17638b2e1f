/* SPDX-License-Identifier: Apache-2.0 */
/* What the registrar knows, as JSON: one function per resource. */
#ifndef REGISTRAR_STATUS_JSON_H
#define REGISTRAR_STATUS_JSON_H

#include <jansson.h>

#include "registrar/server.h"

/* Each answers a new object; NULL where the resource does not exist. */
json_t *status_json_status(struct server *s);
json_t *status_json_phones(struct server *s);
json_t *status_json_phone(struct server *s, const char *name);
json_t *status_json_history(struct server *s, const char *name);
json_t *status_json_failures(struct server *s);
json_t *status_json_trust(struct server *s);

/* {"space", "code", "name"} */
json_t *status_json_code(enum reason_space space, int code);

#endif

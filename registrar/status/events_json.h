/* SPDX-License-Identifier: Apache-2.0 */
/* What events say: docs/events.md. */
#ifndef REGISTRAR_STATUS_EVENTS_JSON_H
#define REGISTRAR_STATUS_EVENTS_JSON_H

#include <jansson.h>

#include "registrar/server.h"
#include "registrar/status/roster.h"

/* Each answers a new object. */
json_t *events_json_status(struct server *s);
json_t *events_json_trust(struct server *s);
/* NULL: there is no CAPF. The rollover is taken; NULL: left out. */
json_t *events_json_capf(struct server *s, json_t *rollover);
/* How it stands; looks at every device. NULL: it cannot be known. */
json_t *events_json_rollover(struct server *s);
/* What changed after that version, of a roster that was looked at; NULL:
 * nothing. */
json_t *events_json_phones(const struct roster *r, uint64_t version);
/* "at", which alone is no news. */
void events_json_stamp(json_t *event);

#endif

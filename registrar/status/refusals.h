/* SPDX-License-Identifier: Apache-2.0 */
/* Status's own copy of the last refusals, so that no poller holds up a phone.
 */
#ifndef REGISTRAR_STATUS_REFUSALS_H
#define REGISTRAR_STATUS_REFUSALS_H

#include <jansson.h>

#include "registrar/failures.h"
#include "registrar/http/plane.h"
#include "registrar/status/query.h"

/* Thread-safe. */
struct refusals;

struct refusals *refusals_new(struct failures *of);
void refusals_free(struct refusals *r);

/* GET /v1/failures, and what may be asked of it. */
extern const struct query_row refusals_parameters[];
void refusals_answer(struct refusals *r, const struct plane_request *request,
	const struct query *query, struct plane_answer *out);

/* All of it. */
json_t *refusals_json(struct refusals *r);
/* An array: those of one device, newest first. */
json_t *refusals_of(struct refusals *r, const char *device);
/* Those after that many, newest first, at most so many; *total is how many
 * there were in all since the start, *more how many of these are left out. */
json_t *refusals_since(struct refusals *r, uint64_t nth, size_t most,
	uint64_t *total, size_t *more);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/trust/retiring: the devices that still hang on a retiring CA. */
#ifndef REGISTRAR_STATUS_RETIRING_H
#define REGISTRAR_STATUS_RETIRING_H

#include <jansson.h>

#include "registrar/server.h"
#include "registrar/status/query.h"

/* Every device whose last certificate hangs on a retiring anchor: it wants a
 * new LSC. In the order of names; "count" is how many there are on all pages.
 */
extern const struct query_row retiring_parameters[];
void retiring_answer(
	struct server *s, const struct query *query, struct plane_answer *out);

/* For status: how many anchors are retiring and how many devices hang on them,
 * NULL: no anchor is. */
json_t *retiring_sum(struct server *s, const struct trust_snapshot *trust);

#endif

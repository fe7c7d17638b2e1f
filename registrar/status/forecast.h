/* SPDX-License-Identifier: Apache-2.0 */
/* What will end, who is leaving a CA, who was locked out: as JSON. */
#ifndef REGISTRAR_STATUS_FORECAST_H
#define REGISTRAR_STATUS_FORECAST_H

#include <jansson.h>

#include "registrar/server.h"

/* Which CA and how many phones' certificates end in which month. */
json_t *status_json_expiry(struct server *s);
/* Every device whose last certificate hangs on a retiring anchor: it wants a
 * new LSC. */
json_t *status_json_retiring(struct server *s);
/* For status: how many anchors are retiring and how many devices hang on them,
 * NULL: no anchor is. */
json_t *status_json_retiring_sum(
	struct server *s, const struct trust_snapshot *trust);
/* For status: what ends within 30 and 90 days; whom the last changes of
 * trust in that store locked out, NULL: nobody. */
json_t *status_json_forecast(
	struct server *s, const struct trust_snapshot *trust);
json_t *status_json_locked_out(struct server *s, enum trust_store store);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What will end, who is leaving a CA, who was locked out: as JSON. */
#ifndef REGISTRAR_STATUS_FORECAST_H
#define REGISTRAR_STATUS_FORECAST_H

#include <jansson.h>

#include "registrar/server.h"

/* Which CA and how many phones' certificates end in which month. */
json_t *status_json_expiry(struct server *s);
/* For status: what ends within 30 and 90 days; whom the last changes of
 * trust in that store locked out, NULL: nobody. */
json_t *status_json_forecast(
	struct server *s, const struct trust_snapshot *trust);
json_t *status_json_locked_out(struct server *s, enum trust_store store);

#endif

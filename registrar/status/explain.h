/* SPDX-License-Identifier: Apache-2.0 */
/* Why a device is not registered, as the status plane says it. */
#ifndef REGISTRAR_STATUS_EXPLAIN_H
#define REGISTRAR_STATUS_EXPLAIN_H

#include <jansson.h>

#include "registrar/server.h"
#include "registrar/status/refusals.h"

/* explain_device() on what this registrar knows of the name, also when that
 * is nothing. A new object; NULL: no device can have such a name. */
json_t *status_json_explain(
	struct server *s, struct refusals *refusals, const char *name);

#endif

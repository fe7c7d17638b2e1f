/* SPDX-License-Identifier: Apache-2.0 */
/* Where an address can be reached, as JSON. */
#ifndef REGISTRAR_STATUS_LOCATIONS_H
#define REGISTRAR_STATUS_LOCATIONS_H

#include <jansson.h>

#include "registrar/server.h"

/* A new object; NULL: nobody is registered under it. */
json_t *status_json_location(struct server *s, const char *aor);

#endif

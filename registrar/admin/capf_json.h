/* SPDX-License-Identifier: Apache-2.0 */
/* CAPF's records as JSON. */
#ifndef REGISTRAR_ADMIN_CAPF_JSON_H
#define REGISTRAR_ADMIN_CAPF_JSON_H

#include <jansson.h>

#include "registrar/capf/records.h"

/* Sets a UTC time, unless it is 0. */
void capf_json_time(json_t *o, const char *key, int64_t unix_s);
/* Never what an authentication string is, nor its hash. */
json_t *capf_json_operation(const struct capf_operation *o);
json_t *capf_json_issued(const struct capf_issued *i);
json_t *capf_json_audit(const struct capf_audit *link);

#endif

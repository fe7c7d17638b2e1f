/* SPDX-License-Identifier: Apache-2.0 */
/* The read-only status plane: which resource answers what. */
#ifndef REGISTRAR_STATUS_HTTP_H
#define REGISTRAR_STATUS_HTTP_H

#include <stdint.h>

#include "certs/diag.h"
#include "registrar/status/query.h"

struct http;
struct server;

/* Serves status.address and status.port. 0, or -errno with d. */
int http_new(struct server *server, struct http **out, struct diag *d);
void http_free(struct http *h);

/* The path of the i-th resource, with what it may be asked (NULL: nothing);
 * NULL: there are no more. */
const char *http_resource(size_t i, const struct query_row **parameters);

#endif

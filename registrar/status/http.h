/* SPDX-License-Identifier: Apache-2.0 */
/* The read-only status plane: which resource answers what. */
#ifndef REGISTRAR_STATUS_HTTP_H
#define REGISTRAR_STATUS_HTTP_H

#include <stdint.h>

#include "certs/diag.h"

struct http;
struct server;

/* Serves status.address and status.port. 0, or -errno with d. */
int http_new(struct server *server, struct http **out, struct diag *d);
void http_free(struct http *h);

#endif

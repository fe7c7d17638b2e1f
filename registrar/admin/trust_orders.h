/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about trust that need the whole fleet: who would be locked out. */
#ifndef REGISTRAR_ADMIN_TRUST_ORDERS_H
#define REGISTRAR_ADMIN_TRUST_ORDERS_H

#include <stdbool.h>

#include "registrar/http/plane.h"
#include "registrar/server.h"

/*
 * POST /v1/trust/impact {"store": "callmanager" (default) or "capf", and
 * "without": [file names of its folder] or "folder": an absolute path}: what
 * would change, and whom it would lock out, if the store had no such files, or
 * were that folder. Nothing is changed. False: it has another path.
 */
bool trust_order(struct server *s, const struct plane_request *request,
	struct plane_answer *out);

/* The longest body that such a request may have. */
size_t trust_order_body_max(const char *method, const char *path);

/* The paths there are, for who asks for another. */
extern const char trust_order_paths[];

#endif

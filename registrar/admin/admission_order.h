/* SPDX-License-Identifier: Apache-2.0 */
/* How a registration would go, before the phone tries it. */
#ifndef REGISTRAR_ADMIN_ADMISSION_ORDER_H
#define REGISTRAR_ADMIN_ADMISSION_ORDER_H

#include <stdbool.h>

#include "registrar/http/plane.h"
#include "registrar/server.h"

/*
 * Answers GET /v1/admission/NAME?anchor=SHA256: what admit_decide() says of
 * that device, coming over TLS with a good certificate in its name that hangs
 * on that anchor in force, for each protocol that is served over TLS. False:
 * it has another path.
 */
bool admission_order(struct server *s, const struct plane_request *request,
	struct plane_answer *out);

/* The path there is, for who asks for another. */
extern const char admission_order_paths[];

#endif

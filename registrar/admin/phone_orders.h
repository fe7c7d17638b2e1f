/* SPDX-License-Identifier: Apache-2.0 */
/* Orders to one registered phone: reset, restart, apply. */
#ifndef REGISTRAR_ADMIN_PHONE_ORDERS_H
#define REGISTRAR_ADMIN_PHONE_ORDERS_H

#include <stdbool.h>

#include "registrar/http/plane.h"
#include "registrar/server.h"

struct phone_request {
	struct server *server;
	const struct plane_request *request;
	struct plane_answer *out;
	bool changes; /* it is to be audited */
	int error;    /* 0, or -errno and d */
	struct diag d;
};

/* Obeys POST /v1/phones/NAME/{reset,restart,apply}, and answers it. False: it
 * has another path; nothing was done. */
bool phone_order(struct phone_request *r);

/* The paths there are, for who asks for another. */
extern const char phone_order_paths[];

#endif

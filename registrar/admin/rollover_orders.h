/* SPDX-License-Identifier: Apache-2.0 */
/* Orders that replace CAPF's root: start, issue, finish, cancel; and a look. */
#ifndef REGISTRAR_ADMIN_ROLLOVER_ORDERS_H
#define REGISTRAR_ADMIN_ROLLOVER_ORDERS_H

#include <stdbool.h>

#include "registrar/http/plane.h"
#include "registrar/server.h"

struct rollover_request {
	struct server *server;
	const struct plane_request *request;
	struct plane_answer *out;
	bool changes; /* it is to be audited */
	int error;    /* 0, or -errno and d */
	struct diag d;
};

/*
 * GET /v1/capf/rollover: where it stands, and the phones of the old root.
 * POST /v1/capf/rollover/start and /cancel; /issue, with {"ratePerMinute": N
 * (0: all at once), "tell": true}, which answers how many it "queued"; /finish,
 * with {"force": true} or nothing: 409 with the phones while some hang on the
 * old root. False: it has another path; nothing was done.
 */
bool rollover_order(struct rollover_request *r);
size_t rollover_order_body_max(const char *method, const char *path);

/* The paths there are, for who asks for another. */
extern const char rollover_order_paths[];

#endif

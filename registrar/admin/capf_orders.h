/* SPDX-License-Identifier: Apache-2.0 */
/* Orders to CAPF: who shall come for what; and what became of it. */
#ifndef REGISTRAR_ADMIN_CAPF_ORDERS_H
#define REGISTRAR_ADMIN_CAPF_ORDERS_H

#include <stdbool.h>
#include <stddef.h>

#include "registrar/capf/desk.h"
#include "registrar/http/plane.h"
#include "registrar/server.h"

/* An order, and what came of it. */
struct capf_request_order {
	struct server *server;
	struct capf_desk *desk;
	const struct plane_request *request;
	struct plane_answer *out;
	const char *name; /* what the path ends with, where it names one */
	bool dry;	  /* only say what it would come to */
	bool changes;	  /* it is to be audited */
	int error;	  /* 0, or -errno and d */
	struct diag d;
	char told[96]; /* what was done, for the audit line; "" */
	struct capf_progress *progress; /* of all that take long */
};

/*
 * Obeys, and answers:
 * POST /v1/capf/operations {"operation": "install", "delete" or
 *   "troubleshoot", "devices": [names] or "filter": (capf_filter.h), and
 *   "mode", "completesBy", "ratePerMinute", "tell", "replace",
 *   "stringDigits", "stringUntil", "nullUntil", "dryRun"}: of each device, was
 *   it queued, else why not; and its authentication string, this once.
 * GET /v1/capf/operations?pending=&failed=&after=&limit=
 * GET, DELETE /v1/capf/operations/NAME
 * GET /v1/capf/ledger?device=&state=&issuer=&expiresBefore=&after=&limit=
 * GET /v1/capf/audit?from=&limit=; POST /v1/capf/audit/check
 * GET /v1/capf/progress: how far the orders are that take long
 * GET /v1/capf/clock; POST /v1/capf/clock/accept
 * GET /v1/capf/rollover: where it stands, and the phones of the old root; POST
 *   /v1/capf/rollover/start and /cancel; /issue {"ratePerMinute": N (0: all at
 *   once), "tell": true}, which answers how many it "queued"; /finish {"force":
 *   false, "unseen": false}, 409 with the "rollover" while live phones hang on
 *   the old root.
 * Pages name what to ask for behind them in "next". False: no resource here has
 * that path; nothing was done.
 */
bool capf_orders_obey(struct capf_request_order *o);

/* Does it take longer than others should wait? */
bool capf_orders_take_long(const char *method, const char *path);

/* The longest body that such a request may have. */
size_t capf_orders_body_max(const char *method, const char *path);

/* The paths there are, for who asks for another. */
extern const char capf_orders_paths[];

/* ---- for its own files ---- */

/* Answers no. */
void capf_orders_refuse(struct capf_request_order *o, int error);
/* POST /v1/capf/operations (capf_queue.c). */
void capf_queue(struct capf_request_order *o);

#endif

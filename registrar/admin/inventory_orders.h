/* SPDX-License-Identifier: Apache-2.0 */
/* Orders about devices, security profiles and auto-registration. */
#ifndef REGISTRAR_ADMIN_INVENTORY_ORDERS_H
#define REGISTRAR_ADMIN_INVENTORY_ORDERS_H

#include <stdbool.h>
#include <stddef.h>

#include "registrar/http/plane.h"
#include "registrar/inventory.h"

/* An order, and what came of it. */
struct inventory_order {
	struct inventory *inventory;
	const struct config *config;
	const struct plane_request *request;
	struct plane_answer *out;
	const char *name; /* what the path ends with, where it names one */
	bool dry;	  /* only say what it would come to */
	bool changes;	  /* it is to be audited */
	int error;	  /* 0, or -errno and d */
	struct diag d;
};

/* Obeys the order, and answers it. False: no resource here has that path;
 * nothing was done. */
bool inventory_order(struct inventory_order *o);

/* The longest body that such a request may have. */
size_t inventory_order_body_max(const char *method, const char *path);

/* The paths there are, for who asks for another. */
extern const char inventory_order_paths[];

#endif

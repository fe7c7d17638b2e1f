/* SPDX-License-Identifier: Apache-2.0 */
/* Orders that replace CAPF's root: start, issue, finish, cancel; and a look. */
#ifndef REGISTRAR_ADMIN_ROLLOVER_ORDERS_H
#define REGISTRAR_ADMIN_ROLLOVER_ORDERS_H

#include "registrar/admin/capf_orders.h"

enum { ROLLOVER_BODY_MAX = 1024 };

/* Rows of capf_orders' table; each obeys and answers. */
void rollover_orders_show(struct capf_request_order *o);
void rollover_orders_start(struct capf_request_order *o);
void rollover_orders_issue(struct capf_request_order *o);
void rollover_orders_finish(struct capf_request_order *o);
void rollover_orders_cancel(struct capf_request_order *o);

#endif

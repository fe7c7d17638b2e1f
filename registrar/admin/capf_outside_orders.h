/* SPDX-License-Identifier: Apache-2.0 */
/* Orders about a CA outside: its requests out, its certificates in. */
#ifndef REGISTRAR_ADMIN_CAPF_OUTSIDE_ORDERS_H
#define REGISTRAR_ADMIN_CAPF_OUTSIDE_ORDERS_H

#include "registrar/admin/capf_orders.h"

enum {
	CAPF_MARKS_BODY_MAX = 8 << 20, /* as many as there may be devices */
	CAPF_CERTS_BODY_MAX = 1 << 20, /* CERT_FILE_MAX */
};

/* GET /v1/capf/requests?device=: the requests that wait, with their PEM. */
void capf_outside_requests(struct capf_request_order *o);
/* POST /v1/capf/requests/exported {"requests": [names]}: they lie where people
 * of the CA find them. A name is NAME-KEYID. */
void capf_outside_exported(struct capf_request_order *o);
/* POST /v1/capf/certificates, PEM or DER: each is imported, or why not. */
void capf_outside_certificates(struct capf_request_order *o);

#endif

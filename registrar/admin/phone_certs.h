/* SPDX-License-Identifier: Apache-2.0 */
/* A phone's own certificates, and what both stores say of them. */
#ifndef REGISTRAR_ADMIN_PHONE_CERTS_H
#define REGISTRAR_ADMIN_PHONE_CERTS_H

#include <stdbool.h>

#include "registrar/http/plane.h"
#include "registrar/server.h"

/*
 * GET /v1/phones/NAME/certificates: what the phone gave at Troubleshoot, what
 * it showed at full TLS handshakes and what CAPF issued to it last; each once,
 * as PEM, with how and when it was obtained, whom it names, and whether
 * CallManager-trust lets it register and CAPF-trust lets it enrol. False: it
 * has another path.
 */
bool phone_certs_order(struct server *s, const struct plane_request *request,
	struct plane_answer *out);

/* The paths there are, for who asks for another. */
extern const char phone_certs_paths[];

#endif

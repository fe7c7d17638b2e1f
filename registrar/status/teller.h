/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at the registrar while somebody reads events, and tells what changed.
 */
#ifndef REGISTRAR_STATUS_TELLER_H
#define REGISTRAR_STATUS_TELLER_H

#include "certs/diag.h"
#include "registrar/http/plane.h"
#include "registrar/server.h"
#include "registrar/status/query.h"
#include "registrar/status/refusals.h"
#include "registrar/status/roster.h"

struct teller;

/* What it looks at outlives it. */
struct teller *teller_new(
	struct server *s, struct roster *roster, struct refusals *refusals);
/* It has a thread from here on, which wakes that plane's readers. -EAGAIN */
int teller_start(struct teller *t, struct plane *plane, struct diag *d);
/* Tells nothing more. */
void teller_stop(struct teller *t);
/* After its readers: once the plane is gone. */
void teller_free(struct teller *t);

/* GET /v1/events, and what may be asked of it. */
extern const struct query_row teller_parameters[];
void teller_answer(struct teller *t, const struct plane_request *request,
	const struct query *query, struct plane_answer *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/phones: some of them, page by page, or what changed. */
#ifndef REGISTRAR_STATUS_PHONES_H
#define REGISTRAR_STATUS_PHONES_H

#include "registrar/http/plane.h"
#include "registrar/status/phones_filter.h"
#include "registrar/status/roster.h"

void phones_answer(struct roster *roster, const char *node,
	const struct plane_request *request, const struct query *query,
	struct plane_answer *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What to type after an order was refused. */
#ifndef REGISTRAR_ADMIN_NEXT_H
#define REGISTRAR_ADMIN_NEXT_H

#include "registrar/http/plane.h"

/* Names it in that no, unless it names one. */
void next_name(const struct plane_request *request, struct plane_answer *out);

#endif

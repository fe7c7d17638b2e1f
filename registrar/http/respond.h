/* SPDX-License-Identifier: Apache-2.0 */
/* What was said becomes a response: its bytes, its headers, or 304. */
#ifndef REGISTRAR_HTTP_RESPOND_H
#define REGISTRAR_HTTP_RESPOND_H

#include <microhttpd.h>
#include <stdbool.h>

#include "registrar/http/plane.h"
#include "registrar/http/stream.h"

/* Queues it and takes it. etags: names it for who comes again. */
enum MHD_Result respond(struct streams *streams, struct MHD_Connection *client,
	struct plane_answer *answer, bool etags);
/* Does If-None-Match name that one? */
bool respond_knows(struct MHD_Connection *client, const char *etag);

#endif

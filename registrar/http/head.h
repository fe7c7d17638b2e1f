/* SPDX-License-Identifier: Apache-2.0 */
/* A request by its headers: is it for us, and does it end where we think? */
#ifndef REGISTRAR_HTTP_HEAD_H
#define REGISTRAR_HTTP_HEAD_H

#include <microhttpd.h>
#include <stdbool.h>

#include "registrar/http/plane.h"

/*
 * Its Host is one of ours (host.h; hosts NULL: any is), and there is one, and
 * one header that says where the body ends: whoever reads a request otherwise
 * than a proxy before us would find one hidden in another (RFC 9112 11.2).
 * Else false, and the answer. Who leaves Host out (HTTP/1.0) is no browser,
 * and is not led astray.
 */
bool head_is_plain(struct MHD_Connection *client, const char *hosts,
	struct plane_answer *a);

#endif

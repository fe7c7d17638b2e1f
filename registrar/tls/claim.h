/* SPDX-License-Identifier: Apache-2.0 */
/* Does a ClientHello name a session of ours? Cheap, and no proof. */
#ifndef REGISTRAR_TLS_CLAIM_H
#define REGISTRAR_TLS_CLAIM_H

#include <stdbool.h>
#include <time.h>

#include "protocols/tls/hello.h"
#include "registrar/tls/resume.h"

/*
 * True: its session id is in our cache, or its ticket carries the name of a
 * key of ours. Whoever has seen a ticket pass can claim that too; then a full
 * handshake follows, one stranger was served early, and no more.
 */
bool claim_holds(
	const struct resume *r, const struct tls_hello *hello, time_t now);

#endif

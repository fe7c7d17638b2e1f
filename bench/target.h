/* SPDX-License-Identifier: Apache-2.0 */
/* HOST:PORT → the address that phones connect to, loopback unless allowed. */
#ifndef BENCH_TARGET_H
#define BENCH_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include <sys/socket.h>

#include "certs/diag.h"

struct target {
	struct sockaddr_storage address;
	char host[64]; /* numeric, IPv6 in brackets: fit for a URI */
	char text[80]; /* host:port */
};

enum target_reach { TARGET_LOOPBACK_ONLY, TARGET_ANY_ADDRESS };

/*
 * text is HOST, HOST:PORT, [IPV6] or [IPV6]:PORT; HOST an address or a name.
 * A load tool must not hit strangers by mistake, so LOOPBACK_ONLY refuses all
 * but 127.0.0.0/8 and ::1. 0, or -EINVAL / -EPERM with d set.
 */
int target_parse(const char *text, const char *default_port,
	enum target_reach reach, struct target *out, struct diag *d);
bool target_is_loopback(const struct sockaddr *address);
/* Numeric host (as in struct target) and host:port of an address. */
void target_text(const struct sockaddr *address, struct target *out);

#endif

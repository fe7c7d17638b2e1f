/* SPDX-License-Identifier: Apache-2.0 */
/* The TLS handshakes of a capture file, told in plain words. */
#ifndef REGISTRAR_EXPLAIN_CAPTURE_H
#define REGISTRAR_EXPLAIN_CAPTURE_H

#include <jansson.h>

#include "certs/diag.h"

enum { CAPTURE_CONNECTIONS_MAX = 65536 };

/*
 * Reads a pcap or pcapng file. *out is {"explanations": [...], "packets",
 * "connections", "tls", "otherPackets", "fragments", "broken", "notRead"}: one
 * explanation for each TLS connection, in the order they began; of connections
 * above CAPTURE_CONNECTIONS_MAX only the number, as notRead. `device` that is
 * not "" keeps only those whose certificate names it. 0, or -errno with d.
 */
int explain_capture(
	const char *path, const char *device, json_t **out, struct diag *d);

#endif

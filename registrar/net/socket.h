/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets that several loops share by SO_REUSEPORT. */
#ifndef REGISTRAR_NET_SOCKET_H
#define REGISTRAR_NET_SOCKET_H

#include <stddef.h>
#include <stdint.h>

#include "certs/diag.h"

/*
 * Opens `n` bound (not yet listening), non-blocking sockets of that type
 * (SOCK_STREAM, SOCK_DGRAM) on one address and port into fds. Port 0 in *port
 * is replaced by the one that was found. Refuses a port that anything else
 * listens on, also another dialtoned of ours, which SO_REUSEPORT alone would
 * let in. 0, or -errno with d set and nothing left open.
 */
int socket_open_shared(int type, const char *address, uint16_t *port, int *fds,
	size_t n, struct diag *d);

#endif

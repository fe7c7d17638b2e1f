/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets that several loops share by SO_REUSEPORT. */
#ifndef REGISTRAR_NET_SOCKET_H
#define REGISTRAR_NET_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "certs/diag.h"

/* An IPv4 or IPv6 literal and a port (host order) as an address; its length,
 * or 0: it is none. */
socklen_t socket_address(
	const char *text, uint16_t port, struct sockaddr_storage *out);

/*
 * Opens `n` bound (not yet listening), non-blocking sockets of that type
 * (SOCK_STREAM, SOCK_DGRAM) on one address and port into fds. Port 0 in *port
 * is replaced by the one that was found. Refuses a port that anything else
 * listens on, also another dialtoned of ours, which SO_REUSEPORT alone would
 * let in. 0, or -errno with d set and nothing left open.
 */
int socket_open_shared(int type, const char *address, uint16_t *port, int *fds,
	size_t n, struct diag *d);

/* What a TCP socket of ours, and each that is accepted from it, has: no delay;
 * over TLS, which the peer begins, nothing is accepted without a first byte;
 * long_silent: the system asks now and then whether the peer still is there. */
void socket_set_options(int fd, bool tls, bool long_silent);

/* How many connections wait in the kernel for this listening socket. */
uint64_t socket_backlog(int fd);

#endif

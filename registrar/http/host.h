/* SPDX-License-Identifier: Apache-2.0 */
/* Who a request is for: the Host header against the names that are ours. */
#ifndef REGISTRAR_HTTP_HOST_H
#define REGISTRAR_HTTP_HOST_H

#include <stdbool.h>
#include <sys/socket.h>

/*
 * Is that value of Host (RFC 9110 7.2) ours? So are localhost, an address of
 * loopback, the one that the client connected to (`local`), and the names, with
 * commas between. A page of somebody else's, whose name was made to mean our
 * address (DNS rebinding), comes with a name of its own.
 */
bool host_is_ours(const char *host, const struct sockaddr_storage *local,
	const char *names);
/* Are they names and addresses, without a port and without brackets? */
bool host_names_are_good(const char *names);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A Unix socket that one process serves, from its first to its last moment. */
#ifndef REGISTRAR_NET_UNIX_SOCKET_H
#define REGISTRAR_NET_UNIX_SOCKET_H

#include <sys/types.h>

#include "certs/diag.h"

enum { UNIX_SOCKET_PATH_MAX = 107 /* bytes, unix(7) */ };

struct unix_socket;

/*
 * Makes a socket at path that listens, mode 0660: owner and group may
 * connect. What a dead process left there is replaced; a live one, and
 * anything that is no socket, is refused. "PATH.lock" (mode 0600) is held
 * while we serve, so that of two processes at once only one does; it stays.
 * 0, or -errno with d. path is at most UNIX_SOCKET_PATH_MAX bytes.
 */
int unix_socket_open(
	const char *path, struct unix_socket **out, struct diag *d);
/* Its descriptor, handed over: closing it is the caller's. */
int unix_socket_take(struct unix_socket *s);
/* Unlinks the socket if it still is ours, then lets others have the place. */
void unix_socket_close(struct unix_socket *s);

/* Who connected: as the kernel says, at that moment. */
struct unix_socket_peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};
/* 0, or -errno when fd is no connected Unix socket. */
int unix_socket_peer(int fd, struct unix_socket_peer *out);

#endif

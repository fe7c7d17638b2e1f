/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets that we were started with, found by name and address. */
#ifndef REGISTRAR_NET_INHERIT_H
#define REGISTRAR_NET_INHERIT_H

#include <stddef.h>
#include <stdint.h>

struct inherit;

/* fds[i] is called names[i]; takes over the descriptors, not the arrays. */
struct inherit *inherit_new(const int *fds, const char *const *names, size_t n);

struct inherit_wanted {
	const char *name;
	int type;	     /* SOCK_STREAM or SOCK_DGRAM */
	const char *address; /* literal: that one and no other */
	uint16_t port;	     /* 0: any */
};
/*
 * All of that name, type, address and port, at most `max`; with port 0 those
 * that share the first one's. They are non-blocking and the caller's from now
 * on. *port is theirs. How many: 0 when there is none.
 */
size_t inherit_take(struct inherit *in, const struct inherit_wanted *wanted,
	uint16_t *port, int *fds, size_t max);

/* Closes what nobody took, logs it, and has the service manager drop what it
 * keeps by that name: a phone that it still let in would wait for ever. */
void inherit_free(struct inherit *in);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets that we were started with, found by name and address. */
#include "registrar/net/inherit.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "registrar/log.h"
#include "registrar/memory.h"
#include "registrar/net/address.h"
#include "registrar/net/socket.h"
#include "registrar/notify.h"

/* type 0: it is no socket of the Internet's. */
struct heir {
	char *name;
	int fd; /* -1: taken */
	int type;
	struct sockaddr_storage at;
	uint16_t port;
};

struct inherit {
	size_t n;
	struct heir *all;
};

static void look_at(struct heir *h)
{
	socklen_t n = sizeof(h->at), type_n = sizeof(h->type);
	char text[PEER_ADDRESS_MAX];
	uint32_t ipv4;
	if (getsockname(h->fd, (struct sockaddr *)&h->at, &n) < 0 ||
		getsockopt(h->fd, SOL_SOCKET, SO_TYPE, &h->type, &type_n) < 0 ||
		(h->at.ss_family != AF_INET && h->at.ss_family != AF_INET6)) {
		h->type = 0;
		return;
	}
	address_put(&h->at, text, &h->port, &ipv4);
}

struct inherit *inherit_new(const int *fds, const char *const *names, size_t n)
{
	struct inherit *in = memory_zero(sizeof(*in));
	in->n = n;
	in->all = memory_zero((n + 1) * sizeof(struct heir));
	for (size_t i = 0; i < n; i++) {
		in->all[i].name = memory_dup(names[i]);
		in->all[i].fd = fds[i];
		look_at(&in->all[i]);
	}
	return in;
}

static bool fits(const struct heir *h, const struct inherit_wanted *wanted,
	const struct sockaddr_storage *at, uint16_t port)
{
	if (h->fd < 0 || h->type != wanted->type ||
		strcmp(h->name, wanted->name) != 0 || (port && h->port != port))
		return false;
	const struct in6_addr is = address_pack(&h->at);
	const struct in6_addr should_be = address_pack(at);
	return memcmp(&is, &should_be, sizeof(is)) == 0;
}

size_t inherit_take(struct inherit *in, const struct inherit_wanted *wanted,
	uint16_t *port, int *fds, size_t max)
{
	size_t n = 0;
	struct sockaddr_storage at;
	*port = wanted->port;
	if (!socket_address(wanted->address, 0, &at))
		return 0;
	for (size_t i = 0; i < in->n && n < max; i++) {
		struct heir *h = &in->all[i];
		if (!fits(h, wanted, &at, *port))
			continue;
		*port = h->port;
		fcntl(h->fd, F_SETFL, fcntl(h->fd, F_GETFL) | O_NONBLOCK);
		fds[n++] = h->fd;
		h->fd = -1;
	}
	return n;
}

static void refuse(const struct heir *h)
{
	char text[PEER_ADDRESS_MAX] = "";
	uint16_t port = 0;
	uint32_t ipv4;
	struct log_line line;
	if (h->type)
		address_put(&h->at, text, &port, &ipv4);
	log_begin(&line, LOG_EV_SOCKET_UNUSED);
	log_str(&line, "name", h->name);
	log_str(&line, "address", *text ? text : NULL);
	log_num(&line, "port", port);
	log_str(&line, "why", "no listener has that name, address and port");
	log_str(&line, "cure",
		"let the socket unit say what the listener says "
		"(FileDescriptorName=dialtone-SERVICE-TRANSPORT, "
		"ListenStream=), or disable it");
	log_end(&line);
}

void inherit_free(struct inherit *in)
{
	for (size_t i = 0; i < in->n; i++) {
		struct heir *h = &in->all[i];
		if (h->fd >= 0) {
			refuse(h);
			close(h->fd);
			notify_drop(h->name);
		}
		free(h->name);
	}
	free(in->all);
	free(in);
}

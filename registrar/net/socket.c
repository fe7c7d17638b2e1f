/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets that several loops share by SO_REUSEPORT. */
#include "registrar/net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	/* A connection without a byte stays with the kernel that long. */
	DEFER_ACCEPT_S = 1,
	KEEPALIVE_S = 300,
	KEEPALIVE_EACH_S = 30,
	KEEPALIVES = 4,
};

struct address {
	int type;
	struct sockaddr_storage at;
	socklen_t n;
};

socklen_t socket_address(
	const char *text, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(port);
		return sizeof(*in4);
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1)
		return 0;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	return sizeof(*in6);
}

static int parse(int type, const char *text, uint16_t port, struct address *out)
{
	out->type = type;
	out->n = socket_address(text, port, &out->at);
	return out->n ? 0 : -EINVAL;
}

static int open_bound(const struct address *to, int reuse_port)
{
	int off = 0;
	/* To two datagram sockets it would give one port. */
	int reuse = to->type == SOCK_STREAM;
	int fd = socket(
		to->at.ss_family, to->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse)) <
			0 ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &reuse_port,
			sizeof(reuse_port)) < 0 ||
		(to->at.ss_family == AF_INET6 &&
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off,
				sizeof(off)) < 0) ||
		bind(fd, (const struct sockaddr *)&to->at, to->n) < 0) {
		int error = errno;
		close(fd);
		return -error;
	}
	return fd;
}

static uint16_t port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in4;
		struct sockaddr_in6 in6;
	} at = {.in6 = {.sin6_port = 0}};
	socklen_t n = sizeof(at);
	if (getsockname(fd, &at.any, &n) < 0)
		return 0;
	return ntohs(at.any.sa_family == AF_INET ? at.in4.sin_port
						 : at.in6.sin6_port);
}

/* Without SO_REUSEPORT a bind fails if anyone listens there: a question. */
static int probe(int type, const char *text, uint16_t *port)
{
	struct address to;
	int error = parse(type, text, *port, &to);
	if (error < 0)
		return error;
	int fd = open_bound(&to, 0);
	if (fd < 0)
		return fd;
	/* Two sockets with SO_REUSEADDR may bind; only one may listen. */
	error = type == SOCK_STREAM && listen(fd, 1) < 0 ? -errno : 0;
	*port = port_of(fd);
	close(fd);
	return error;
}

int socket_open_shared(int type, const char *address, uint16_t *port, int *fds,
	size_t n, struct diag *d)
{
	struct address to;
	size_t i = 0;
	uint16_t asked = *port;
	int error = probe(type, address, port);
	if (error < 0)
		goto fail;
	parse(type, address, *port, &to);
	for (; i < n; i++) {
		fds[i] = open_bound(&to, 1);
		if (fds[i] < 0) {
			error = fds[i];
			goto fail;
		}
	}
	return 0;
fail:
	while (i > 0)
		close(fds[--i]);
	return diag_set(d, error, "%s port %u: cannot listen: %s", address,
		asked, strerror(-error));
}

void socket_set_options(int fd, bool tls, bool long_silent)
{
	const struct {
		int level, option, value;
		bool wanted;
	} all[] = {
		{IPPROTO_TCP, TCP_NODELAY, 1, true},
		{IPPROTO_TCP, TCP_DEFER_ACCEPT, DEFER_ACCEPT_S, tls},
		{SOL_SOCKET, SO_KEEPALIVE, 1, long_silent},
		{IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_S, long_silent},
		{IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_EACH_S, long_silent},
		{IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVES, long_silent},
	};
	/* None is worth not to serve for. */
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].wanted)
			setsockopt(fd, all[i].level, all[i].option,
				&all[i].value, sizeof(all[i].value));
}

uint64_t socket_backlog(int fd)
{
	struct tcp_info info; /* of a listening socket: tcpi_unacked */
	socklen_t n = sizeof(info);
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) < 0)
		return 0;
	return info.tcpi_unacked;
}

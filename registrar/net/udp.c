/* SPDX-License-Identifier: Apache-2.0 */
/* One UDP socket of a worker: datagrams in by the batch, and out. */
#include "registrar/net/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "registrar/memory.h"

enum {
	BATCH = 16,	  /* datagrams in one turn of the loop */
	BUFFER = 4 << 20, /* asked for; the system gives what it likes */
	IPV4_OFFSET = 12, /* in ::ffff:a.b.c.d */
	CONTROL_MAX = 128,
};

union address {
	struct sockaddr any;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

/* Where the kernel puts one datagram. */
struct place {
	union address from;
	struct iovec iov;
	_Alignas(struct cmsghdr) uint8_t control[CONTROL_MAX];
};

struct udp {
	uv_poll_t poll;
	int fd;
	sa_family_t family;
	uint16_t port;
	uint32_t overflow; /* written here, read by status */
	size_t most;
	udp_fn received;
	void *self;
	struct mmsghdr messages[BATCH];
	struct place places[BATCH];
	uint8_t data[];
};

/* ---- addresses ---- */

static struct in6_addr mapped(const struct in_addr *in4)
{
	struct in6_addr out = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
	memcpy(&out.s6_addr[IPV4_OFFSET], in4, sizeof(*in4));
	return out;
}

static struct in_addr unmapped(const struct in6_addr *in6)
{
	struct in_addr out;
	memcpy(&out, &in6->s6_addr[IPV4_OFFSET], sizeof(out));
	return out;
}

static void read_from(struct udp_ends *ends, const union address *from)
{
	if (from->any.sa_family == AF_INET) {
		ends->address = mapped(&from->in4.sin_addr);
		ends->port = ntohs(from->in4.sin_port);
		return;
	}
	ends->address = from->in6.sin6_addr;
	ends->port = ntohs(from->in6.sin6_port);
	ends->scope = from->in6.sin6_scope_id;
}

static socklen_t write_to(
	union address *to, sa_family_t family, const struct udp_ends *ends)
{
	memset(to, 0, sizeof(*to));
	to->any.sa_family = family;
	if (family == AF_INET) {
		to->in4.sin_addr = unmapped(&ends->address);
		to->in4.sin_port = htons(ends->port);
		return sizeof(to->in4);
	}
	to->in6.sin6_addr = ends->address;
	to->in6.sin6_port = htons(ends->port);
	to->in6.sin6_scope_id = ends->scope;
	return sizeof(to->in6);
}

/* ---- what comes beside a datagram ---- */

static void read_control(struct udp *u, struct udp_ends *ends, struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct in_pktinfo in4;
		struct in6_pktinfo in6;
		uint32_t dropped;
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&in4, CMSG_DATA(c), sizeof(in4));
			ends->local = mapped(&in4.ipi_spec_dst);
			ends->interface = (uint32_t)in4.ipi_ifindex;
		}
		if (c->cmsg_level == IPPROTO_IPV6 &&
			c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&in6, CMSG_DATA(c), sizeof(in6));
			ends->local = in6.ipi6_addr;
			ends->interface = in6.ipi6_ifindex;
		}
		if (c->cmsg_level == SOL_SOCKET &&
			c->cmsg_type == SO_RXQ_OVFL) {
			memcpy(&dropped, CMSG_DATA(c), sizeof(dropped));
			__atomic_store_n(
				&u->overflow, dropped, __ATOMIC_RELAXED);
		}
	}
}

static void put_control(
	struct msghdr *m, int level, int type, const void *info, size_t n)
{
	m->msg_controllen = CMSG_SPACE(n);
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(n);
	memcpy(CMSG_DATA(c), info, n);
}

/* From which of our addresses; the route decides about the interface, but
 * where the address needs one. */
static void write_control(
	const struct udp *u, const struct udp_ends *ends, struct msghdr *m)
{
	bool link = IN6_IS_ADDR_LINKLOCAL(&ends->local);
	struct in_pktinfo in4 = {.ipi_spec_dst = unmapped(&ends->local)};
	struct in6_pktinfo in6 = {.ipi6_addr = ends->local,
		.ipi6_ifindex = link ? ends->interface : 0};
	if (u->family == AF_INET)
		put_control(m, IPPROTO_IP, IP_PKTINFO, &in4, sizeof(in4));
	else
		put_control(m, IPPROTO_IPV6, IPV6_PKTINFO, &in6, sizeof(in6));
}

/* ---- in and out ---- */

static void prepare(struct udp *u)
{
	for (size_t i = 0; i < BATCH; i++) {
		struct place *p = &u->places[i];
		p->iov = (struct iovec){u->data + i * u->most, u->most};
		u->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &p->from,
			.msg_namelen = sizeof(p->from),
			.msg_iov = &p->iov,
			.msg_iovlen = 1,
			.msg_control = p->control,
			.msg_controllen = sizeof(p->control),
		};
	}
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct udp *u = poll->data;
	prepare(u);
	int n = recvmmsg(u->fd, u->messages, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		struct msghdr *m = &u->messages[i].msg_hdr;
		struct udp_ends ends = {0};
		read_from(&ends, &u->places[i].from);
		read_control(u, &ends, m);
		u->received(u->self, &ends, u->places[i].iov.iov_base,
			u->messages[i].msg_len, m->msg_flags & MSG_TRUNC);
	}
}

bool udp_send(
	struct udp *u, const struct udp_ends *to, const void *data, size_t n)
{
	union address address;
	_Alignas(struct cmsghdr) uint8_t control[CONTROL_MAX] = {0};
	struct iovec iov = {(void *)data, n};
	struct msghdr m = {
		.msg_name = &address,
		.msg_namelen = write_to(&address, u->family, to),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
	};
	write_control(u, to, &m);
	return sendmsg(u->fd, &m, MSG_DONTWAIT) == (ssize_t)n;
}

uint16_t udp_port(const struct udp *u)
{
	return u->port;
}

uint32_t udp_overflow(const struct udp *u)
{
	return __atomic_load_n(&u->overflow, __ATOMIC_RELAXED);
}

/* ---- life ---- */

static int set_up(struct udp *u)
{
	union address at = {.in6 = {.sin6_port = 0}};
	socklen_t n = sizeof(at);
	int on = 1, buffer = BUFFER;
	if (getsockname(u->fd, &at.any, &n) < 0)
		return -errno;
	bool ipv4 = at.any.sa_family == AF_INET;
	u->family = at.any.sa_family;
	u->port = ntohs(ipv4 ? at.in4.sin_port : at.in6.sin6_port);
	/* Phones that come at once wait in there. */
	setsockopt(u->fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	setsockopt(u->fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
	if (setsockopt(u->fd, ipv4 ? IPPROTO_IP : IPPROTO_IPV6,
		    ipv4 ? IP_PKTINFO : IPV6_RECVPKTINFO, &on, sizeof(on)) < 0)
		return -errno;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct udp *u = handle->data;
	close(u->fd);
	free(u);
}

int udp_new(uv_loop_t *loop, int fd, size_t most, udp_fn received, void *self,
	struct udp **out)
{
	struct udp *u = memory_zero(sizeof(*u) + BATCH * most);
	*u = (struct udp){
		.fd = fd, .most = most, .received = received, .self = self};
	int error = set_up(u);
	if (error == 0)
		error = uv_poll_init(loop, &u->poll, fd);
	if (error < 0) {
		close(fd);
		free(u);
		return error;
	}
	u->poll.data = u;
	error = uv_poll_start(&u->poll, UV_READABLE, on_readable);
	if (error < 0)
		udp_close(u);
	else
		*out = u;
	return error;
}

void udp_close(struct udp *u)
{
	uv_close((uv_handle_t *)&u->poll, on_closed);
}

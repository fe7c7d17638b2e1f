/* SPDX-License-Identifier: Apache-2.0 */
/* HOST:PORT → the address that phones connect to, loopback unless allowed. */
#include "bench/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

enum { NAME_MAX_CHARACTERS = 255, PORT_MAX_CHARACTERS = 5 };

struct pieces {
	char host[NAME_MAX_CHARACTERS + 1];
	char port[PORT_MAX_CHARACTERS + 1];
};

static int take(char *dst, size_t max, const char *from, size_t n)
{
	if (n == 0 || n > max)
		return -EINVAL;
	memcpy(dst, from, n);
	dst[n] = '\0';
	return 0;
}

static int split(const char *text, const char *port, struct pieces *p)
{
	const char *host = text;
	const char *end = text + strcspn(text, ":");
	const char *rest = end;
	if (*text == '[') {
		host++;
		end = strchr(host, ']');
		if (!end)
			return -EINVAL;
		rest = end + 1;
	}
	if (*rest == ':')
		port = rest + 1;
	else if (*rest)
		return -EINVAL;
	if (take(p->host, NAME_MAX_CHARACTERS, host, (size_t)(end - host)) < 0)
		return -EINVAL;
	if (strspn(port, "0123456789") != strlen(port))
		return -EINVAL;
	return take(p->port, PORT_MAX_CHARACTERS, port, strlen(port));
}

bool target_is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, address, sizeof(in));
		return ntohl(in.sin_addr.s_addr) >> 24 == 127;
	}
	if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, address, sizeof(in6));
		return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
	}
	return false;
}

void target_text(const struct sockaddr *address, struct target *out)
{
	char number[INET6_ADDRSTRLEN] = "?";
	char port[NI_MAXSERV] = "?";
	socklen_t n = address->sa_family == AF_INET6
			      ? sizeof(struct sockaddr_in6)
			      : sizeof(struct sockaddr_in);
	memset(&out->address, 0, sizeof(out->address));
	memcpy(&out->address, address, n);
	if (address->sa_family == AF_INET) {
		struct sockaddr_in in; /* often: cheaper than getnameinfo() */
		memcpy(&in, address, sizeof(in));
		inet_ntop(AF_INET, &in.sin_addr, number, sizeof(number));
		snprintf(port, sizeof(port), "%u", ntohs(in.sin_port));
	} else {
		getnameinfo(address, n, number, sizeof(number), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	}
	snprintf(out->host, sizeof(out->host),
		address->sa_family == AF_INET6 ? "[%s]" : "%s", number);
	snprintf(out->text, sizeof(out->text), "%s:%s", out->host, port);
}

int target_parse(const char *text, const char *default_port,
	enum target_reach reach, struct target *out, struct diag *d)
{
	struct pieces p;
	if (split(text, default_port, &p) < 0)
		return diag_set(d, -EINVAL,
			"'%.80s' is not HOST:PORT (write IPv6 as [::1]:PORT)",
			text);
	unsigned long port = strtoul(p.port, NULL, 10);
	if (port < 1 || port > 65535)
		return diag_set(
			d, -EINVAL, "port %s is not within 1..65535", p.port);

	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *found;
	int error = getaddrinfo(p.host, p.port, &hints, &found);
	if (error)
		return diag_set(d, -EINVAL, "no address for '%.80s': %s",
			p.host, gai_strerror(error));
	target_text(found->ai_addr, out);
	bool allowed = reach == TARGET_ANY_ADDRESS ||
		       target_is_loopback(found->ai_addr);
	freeaddrinfo(found);
	if (allowed)
		return 0;
	return diag_set(d, -EPERM,
		"%s is not a loopback address: simulated phones call only "
		"127.0.0.0/8 and ::1 unless --allow-any-address is given",
		out->text);
}

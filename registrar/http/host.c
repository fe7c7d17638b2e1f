/* SPDX-License-Identifier: Apache-2.0 */
/* Who a request is for: the Host header against the names that are ours. */
#include "registrar/http/host.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "registrar/net/address.h"

enum { NAME_MAX_LEN = 253 /* of a name in DNS */ };

/* The name without its port, the brackets of IPv6 and the last dot. */
static bool read_name(const char *host, char name[NAME_MAX_LEN + 1])
{
	bool bracket = *host == '[';
	const char *from = host + bracket;
	size_t n = strcspn(from, bracket ? "]" : ":");
	const char *rest = from + n;
	if (bracket && *rest++ != ']')
		return false;
	if (*rest && (*rest != ':' || rest[1 + strspn(rest + 1, "0123456789")]))
		return false;
	if (!bracket && n && from[n - 1] == '.')
		n--;
	if (n == 0 || n > NAME_MAX_LEN)
		return false;
	memcpy(name, from, n);
	name[n] = '\0';
	return true;
}

static bool is_loopback(const struct in6_addr *a)
{
	return IN6_IS_ADDR_LOOPBACK(a) ||
	       (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == IN_LOOPBACKNET);
}

static bool is_local(
	const struct in6_addr *a, const struct sockaddr_storage *local)
{
	struct in6_addr at = address_pack(local);
	return memcmp(a, &at, sizeof(at)) == 0;
}

/* One of them, a comma or spaces between. */
static bool is_named(const char *name, const char *names)
{
	for (size_t n; *(names += strspn(names, ", ")); names += n) {
		n = strcspn(names, ", ");
		if (n == strlen(name) && strncasecmp(names, name, n) == 0)
			return true;
	}
	return false;
}

bool host_is_ours(const char *host, const struct sockaddr_storage *local,
	const char *names)
{
	char name[NAME_MAX_LEN + 1];
	struct in6_addr a;
	if (!read_name(host, name))
		return false;
	if (address_read(name, &a) && (is_loopback(&a) || is_local(&a, local)))
		return true;
	return strcasecmp(name, "localhost") == 0 || is_named(name, names);
}

/* A name or an address, as they stand in `names`. */
static bool is_good(const char *name, size_t n)
{
	char text[NAME_MAX_LEN + 1];
	struct in6_addr a;
	if (n > NAME_MAX_LEN)
		return false;
	memcpy(text, name, n);
	text[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("-._", text[i]))
			return inet_pton(AF_INET6, text, &a) == 1;
	return text[n - 1] != '.';
}

bool host_names_are_good(const char *names)
{
	for (size_t n; *(names += strspn(names, ", ")); names += n) {
		n = strcspn(names, ", ");
		if (!is_good(names, n))
			return false;
	}
	return true;
}

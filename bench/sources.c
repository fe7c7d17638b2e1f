/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses that phones call from, spread over a range of IPv4. */
#include "bench/sources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

enum { BITS_MIN = 8, BITS_MAX = 30, IPV4_BITS = 32, LOOPBACK = 127 };

/* 0, or -EINVAL: not ADDRESS/BITS. */
static int split(const char *range, uint32_t *address, unsigned long *bits)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr in;
	char *end;
	const char *slash = strchr(range, '/');
	size_t n = slash ? (size_t)(slash - range) : sizeof(text);
	if (n >= sizeof(text) || slash[1] < '0' || slash[1] > '9')
		return -EINVAL;
	memcpy(text, range, n);
	text[n] = '\0';
	*bits = strtoul(slash + 1, &end, 10);
	if (*end || *bits < BITS_MIN || *bits > BITS_MAX ||
		inet_pton(AF_INET, text, &in) != 1)
		return -EINVAL;
	*address = ntohl(in.s_addr);
	return 0;
}

int sources_parse(const char *range, unsigned n, enum target_reach reach,
	struct sources *out, struct diag *d)
{
	uint32_t address;
	unsigned long bits;
	*out = (struct sources){0};
	if (n == 0)
		return 0;
	if (split(range, &address, &bits) < 0)
		return diag_set(d, -EINVAL,
			"--from: '%.40s' is not like 127.1.0.0/16, with a "
			"prefix of %d to %d bits",
			range, BITS_MIN, BITS_MAX);
	if (reach == TARGET_LOOPBACK_ONLY && address >> 24 != LOOPBACK)
		return diag_set(d, -EPERM,
			"--from: %s is not within 127.0.0.0/8: give "
			"--allow-any-address, too",
			range);
	uint32_t room = (UINT32_C(1) << (IPV4_BITS - bits)) - 2;
	if (n > room)
		return diag_set(d, -EINVAL,
			"--sources: %s has room for %u addresses, not %u",
			range, room, n);
	*out = (struct sources){
		.first = (address & ~(room + 1)) + 1,
		.step = room / n,
		.n = n,
	};
	return 0;
}

void sources_at(
	const struct sources *s, unsigned i, struct sockaddr_in *address)
{
	*address = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(s->first + i % s->n * s->step),
	};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The topmost Via: where a request came from and which one it is. */
#include "protocols/sip/via.h"

enum { PARTS = 3 }; /* SIP / 2.0 / UDP */

static struct sip_slice after(struct sip_slice s, size_t n)
{
	return (struct sip_slice){s.p + n, s.n - n};
}

static struct sip_slice skip_space(struct sip_slice s)
{
	return after(s, sip_field_span(s, SIP_CHARS_SPACE));
}

/* A token of the sent-protocol; all but the last have a slash behind. */
static bool take_part(struct sip_slice *rest, bool last)
{
	struct sip_slice s = skip_space(*rest);
	size_t n = sip_field_span(s, SIP_CHARS_TOKEN);
	*rest = after(s, n);
	if (last)
		return n && rest->n && sip_field_space(rest->p[0]);
	*rest = skip_space(*rest);
	if (!n || !rest->n || rest->p[0] != '/')
		return false;
	*rest = after(*rest, 1);
	return true;
}

/* host or [IPv6], and what stands behind it. */
static bool take_host(struct sip_slice *rest, struct sip_slice *host)
{
	struct sip_slice s = *rest;
	bool bracket = s.n && s.p[0] == '[';
	const char *end = s.n ? memchr(s.p, bracket ? ']' : ':', s.n) : NULL;
	if (bracket && !end)
		return false;
	size_t n = end ? (size_t)(end - s.p) : s.n;
	*host = bracket ? (struct sip_slice){s.p + 1, n - 1}
			: sip_field_trim((struct sip_slice){s.p, n});
	*rest = skip_space(after(s, bracket ? n + 1 : n));
	return host->n > 0;
}

static bool read_sent_by(struct sip_via *via)
{
	struct sip_slice rest = via->sent_by;
	uint32_t port = SIP_PORT;
	if (!take_host(&rest, &via->host))
		return false;
	if (rest.n && (rest.p[0] != ':' ||
			      !sip_field_number(
				      sip_field_trim(after(rest, 1)), &port)))
		return false;
	via->port = (uint16_t)port;
	return port > 0 && port <= UINT16_MAX;
}

bool sip_via_read(const struct sip_head *head, struct sip_via *via)
{
	struct sip_slice list = sip_head_value(head, SIP_HEADER_VIA);
	*via = (struct sip_via){0};
	if (!sip_field_list(&list, &via->whole) || !via->whole.n)
		return false;
	const char *end = memchr(via->whole.p, ';', via->whole.n);
	size_t n = end ? (size_t)(end - via->whole.p) : via->whole.n;
	struct sip_slice front = {via->whole.p, n};
	via->params = after(via->whole, n);
	for (int part = 1; part <= PARTS; part++)
		if (!take_part(&front, part == PARTS))
			return false;
	via->sent_by = sip_field_trim(front);
	return read_sent_by(via);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* SIP URIs: reading, comparing (RFC 3261 19.1.4), canonical AORs. */
#ifndef PROTOCOLS_SIP_URI_H
#define PROTOCOLS_SIP_URI_H

#include <stdbool.h>
#include <stddef.h>

#include "protocols/sip/field.h"

struct sip_uri {
	struct sip_slice scheme;
	bool sip;	       /* sip or sips; else only the scheme is read */
	bool sips;	       /* the latter */
	struct sip_slice user; /* escaped as received; p NULL: none */
	struct sip_slice password;
	struct sip_slice host; /* an IPv6 address in its brackets */
	struct sip_slice port;
	struct sip_slice params;  /* from the first ';' on */
	struct sip_slice headers; /* behind the '?' */
};

/* False when text is not an absolute URI, or a sip(s) URI that is broken or
 * has more than 16 parameters or headers, or a parameter twice. */
bool sip_uri_read(struct sip_slice text, struct sip_uri *uri);
/* RFC 3261 19.1.4; other schemes are the same when their text is. */
bool sip_uri_same(struct sip_slice a, struct sip_slice b);
/*
 * user@host: parameters, port and password dropped, host in lower case,
 * escapes undone where 19.1.4 calls them equivalent. False: does not fit.
 */
bool sip_uri_aor(const struct sip_uri *uri, char *dst, size_t size);

#endif

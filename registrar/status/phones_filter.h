/* SPDX-License-Identifier: Apache-2.0 */
/* Which phones a poller wants: what it says of them, and who passes. */
#ifndef REGISTRAR_STATUS_PHONES_FILTER_H
#define REGISTRAR_STATUS_PHONES_FILTER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "registrar/directory.h"
#include "registrar/status/query.h"

enum { PHONES_LIMIT_MAX = 10000 };

/* X(name, rule): one parameter of /v1/phones, in phones_filter.c its reader
 */
#define PHONES_FILTER_LIST(X)                                                  \
	X(state, "one of registered, partiallyregistered, unregistered, "      \
		 "rejected")                                                   \
	X(protocol, "sip or sccp")                                             \
	X(security, "encrypted, authenticated or plain")                       \
	X(certificate, "LSC, MIC or unknown: of phones over TLS")              \
	X(issuer, "the CN of the certificate's issuer, whole")                 \
	X(expiresBefore, "a time such as 2027-01-31T00:00:00Z, or 2027-01-31") \
	X(model, "a model, whole, as \"model\" of a phone has it")             \
	X(node, "the name of a node, as \"node\" of /v1/status has it")        \
	X(namePrefix, "how a name begins")                                     \
	X(ip, "an address, or a network such as 192.0.2.0/24 or "              \
	      "2001:db8::/32")

/* What is not asked for is -1, NULL or 0. */
struct phones_filter {
	int state, protocol, security, kind;
	const char *issuer, *model, *prefix;
	int64_t expires_before;
	bool nobody; /* another node's */
	bool has_network;
	struct in6_addr network; /* IPv4 as ::ffff:a.b.c.d */
	unsigned bits;
};

/* All that /v1/phones takes, these and cursor, limit and since. */
extern const struct query_row phones_parameters[];
/* False: out says which value is none. Its texts are the query's. */
bool phones_filter_read(struct phones_filter *f, const struct query *q,
	const char *node, struct plane_answer *out);
bool phones_filter_passes(
	const struct phones_filter *f, const struct directory_entry *e);

#endif

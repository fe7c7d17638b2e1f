/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices of the fleet an order to CAPF is for. */
#ifndef REGISTRAR_ADMIN_CAPF_FILTER_H
#define REGISTRAR_ADMIN_CAPF_FILTER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "certs/diag.h"
#include "registrar/server.h"

/* ---- a CA, as an admin names it ---- */

enum { CAPF_ISSUER_MAX = 16 }; /* CAs of one name */

struct capf_issuer {
	const char *text;		     /* NULL: any */
	uint8_t sha256[CAPF_ISSUER_MAX][32]; /* of those it names */
	size_t n;
};

/* By SHA-256, file name in a trust store, or CN; the text must live on. */
void capf_issuer_find(
	struct server *s, const char *text, struct capf_issuer *out);
/* Is it this one? cn and file may be "". */
bool capf_issuer_is(const struct capf_issuer *i, const uint8_t sha256[32],
	const char *cn, const char *file);

/* ---- an address ---- */

struct capf_subnet {
	struct in6_addr net; /* IPv4 as ::ffff:a.b.c.d */
	unsigned bits;	     /* 0 to 128 */
};
/* "10.1.0.0/16", "2001:db8::/32", or one address. False: it is none, or has
 * bits behind its length. */
bool capf_subnet_read(const char *text, struct capf_subnet *out);
bool capf_subnet_has(const struct capf_subnet *s, const char *address);

/* ---- a filter ---- */

struct capf_filter {
	const char *model; /* a glob, without case; NULL: any */
	bool has_subnet;
	struct capf_subnet subnet; /* of the last known address */
	struct capf_issuer issuer; /* of its LSC */
	int64_t expires_before;	   /* its LSC; unix seconds, 0: any */
};

/* From JSON, which must outlive it. -EINVAL with d: it breaks a rule, or says
 * nothing: nobody means the whole fleet by saying nothing. */
int capf_filter_read(struct server *s, json_t *from, struct capf_filter *out,
	struct diag *d);
/* The names of the inventory's devices that fit all of it, sorted; each
 * malloc'ed, as the list is. Some microseconds a device. */
char **capf_filter_find(
	struct server *s, const struct capf_filter *f, size_t *n);
void capf_filter_free(char **names, size_t n);

#endif

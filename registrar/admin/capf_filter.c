/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices of the fleet an order to CAPF is for. */
#include "registrar/admin/capf_filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "registrar/admin/order.h"
#include "registrar/capf/desk.h"
#include "registrar/census.h"
#include "registrar/history.h"
#include "registrar/memory.h"

enum { V4_BITS = 32, V6_BITS = 128 };

/* ---- a CA, as an admin names it ---- */

static void add_issuer(struct capf_issuer *i, const uint8_t sha256[32])
{
	if (i->n < CAPF_ISSUER_MAX)
		memcpy(i->sha256[i->n++], sha256, 32);
}

static void find_anchors(struct capf_issuer *i, struct trust_snapshot *trust)
{
	size_t n;
	const struct trust_anchor *list =
		trust ? trust_snapshot_anchors(trust, &n) : NULL;
	for (size_t k = 0; list && k < n; k++)
		if (strcasecmp(list[k].file, i->text) == 0 ||
			strcasecmp(list[k].id.cn, i->text) == 0)
			add_issuer(i, list[k].id.sha256_raw);
	trust_snapshot_unref(trust);
}

void capf_issuer_find(
	struct server *s, const char *text, struct capf_issuer *out)
{
	uint8_t raw[32];
	size_t n = 0;
	*out = (struct capf_issuer){.text = text};
	if (!text)
		return;
	if (strlen(text) == 2 * sizeof(raw) &&
		OPENSSL_hexstr2buf_ex(raw, sizeof(raw), &n, text, '\0') == 1)
		add_issuer(out, raw);
	for (int i = 0; i < TRUST_STORES; i++)
		find_anchors(out, server_trust(s, (enum trust_store)i));
}

bool capf_issuer_is(const struct capf_issuer *i, const uint8_t sha256[32],
	const char *cn, const char *file)
{
	if (!i->text || (*cn && strcasecmp(i->text, cn) == 0) ||
		(*file && strcasecmp(i->text, file) == 0))
		return true;
	for (size_t k = 0; k < i->n; k++)
		if (memcmp(i->sha256[k], sha256, 32) == 0)
			return true;
	return false;
}

/* ---- an address ---- */

static bool read_address(const char *text, struct in6_addr *out, bool *v4)
{
	*out = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
	*v4 = inet_pton(AF_INET, text, &out->s6_addr[12]) == 1;
	return *v4 || inet_pton(AF_INET6, text, out) == 1;
}

/* Are the first `bits` alike? */
static bool is_alike(
	const struct in6_addr *a, const struct in6_addr *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	if (memcmp(a->s6_addr, b->s6_addr, whole) != 0)
		return false;
	unsigned differ =
		rest ? (unsigned)(a->s6_addr[whole] ^ b->s6_addr[whole]) : 0;
	return differ >> (8 - rest) == 0;
}

/* No bit behind the first `bits`: 10.1.2.3/16 is a slip of the pen. */
static bool is_clean(const struct capf_subnet *s)
{
	for (unsigned i = s->bits; i < V6_BITS; i++)
		if (s->net.s6_addr[i / 8] & (0x80U >> i % 8))
			return false;
	return true;
}

bool capf_subnet_read(const char *text, struct capf_subnet *out)
{
	char address[INET6_ADDRSTRLEN];
	bool v4;
	size_t n = strcspn(text, "/");
	if (n >= sizeof(address))
		return false;
	snprintf(address, sizeof(address), "%.*s", (int)n, text);
	if (!read_address(address, &out->net, &v4))
		return false;
	unsigned most = v4 ? V4_BITS : V6_BITS;
	unsigned long bits = most;
	if (text[n] == '/') {
		char *end;
		if (text[n + 1] < '0' || text[n + 1] > '9')
			return false;
		bits = strtoul(text + n + 1, &end, 10);
		if (*end || bits > most)
			return false;
	}
	out->bits = (unsigned)bits + (V6_BITS - most);
	return is_clean(out);
}

bool capf_subnet_has(const struct capf_subnet *s, const char *address)
{
	struct in6_addr a;
	bool v4;
	return read_address(address, &a, &v4) && is_alike(&a, &s->net, s->bits);
}

/* ---- what is asked ---- */

int capf_filter_read(
	struct server *s, json_t *from, struct capf_filter *out, struct diag *d)
{
	const char *subnet = NULL, *issuer = NULL, *expires = NULL;
	json_error_t why;
	*out = (struct capf_filter){0};
	if (json_unpack_ex(from, &why, JSON_STRICT, "{s?s, s?s, s?s, s?s}",
		    "model", &out->model, "subnet", &subnet, "issuer", &issuer,
		    "expiresBefore", &expires) < 0)
		return diag_set(d, -EINVAL, "filter: %s", why.text);
	if (!out->model && !subnet && !issuer && !expires)
		return diag_set(d, -EINVAL,
			"filter: is empty, which would be every device; name "
			"model, subnet, issuer or expiresBefore (a model of * "
			"is every device)");
	out->has_subnet = subnet;
	if (subnet && !capf_subnet_read(subnet, &out->subnet))
		return diag_set(d, -EINVAL,
			"filter: subnet: %.64s is no address or network like "
			"10.1.0.0/16 or 2001:db8::/32",
			subnet);
	out->expires_before = expires ? order_time(expires) : 0;
	if (expires && !out->expires_before)
		return diag_set(d, -EINVAL,
			"filter: expiresBefore: must be a date like 2026-11-26 "
			"or a UTC time like 2026-11-26T18:00:00Z");
	capf_issuer_find(s, issuer, &out->issuer);
	return 0;
}

/* ---- one device ---- */

struct search {
	struct server *server;
	const struct capf_filter *filter;
	char **names;
	size_t n;
};

/* As the inventory has it; where it says nothing, as the phone registered. */
static bool has_model(struct search *s, const struct bearer *b)
{
	const char *glob = s->filter->model;
	struct directory_entry e;
	if (*b->device->model)
		return fnmatch(glob, b->device->model, FNM_CASEFOLD) == 0;
	if (!directory_find(server_directory(s->server), b->name, &e))
		return false;
	bool fits = fnmatch(glob, e.model, FNM_CASEFOLD) == 0;
	directory_entry_deinit(&e);
	return fits;
}

/* Of its last visit here; "": it has not been. */
static void visit_address(
	struct search *s, const char *name, char text[PEER_ADDRESS_MAX])
{
	struct capf_operation o;
	struct capf_desk *desk = server_capf(s->server);
	if (capf_store_operation(capf_desk_look(desk), name, &o, NULL) == 0)
		memcpy(text, o.address, PEER_ADDRESS_MAX);
	capf_desk_looked(desk);
}

static void history_address(
	struct search *s, const char *name, char text[PEER_ADDRESS_MAX])
{
	size_t n;
	struct history_event **list =
		history_of(server_history(s->server), name, &n);
	for (size_t i = 0; i < n && !*text; i++)
		snprintf(text, PEER_ADDRESS_MAX, "%s", list[i]->address);
	history_list_free(list, n);
}

/* Of its registration, of this run or an earlier one; else where it last came
 * for an LSC from. */
static void last_address(
	struct search *s, const char *name, char text[PEER_ADDRESS_MAX])
{
	struct directory_entry e;
	text[0] = '\0';
	if (directory_find(server_directory(s->server), name, &e)) {
		snprintf(text, PEER_ADDRESS_MAX, "%s", e.address);
		directory_entry_deinit(&e);
	}
	if (!*text)
		history_address(s, name, text);
	if (!*text)
		visit_address(s, name, text);
}

static bool is_in_subnet(struct search *s, const struct bearer *b)
{
	char address[PEER_ADDRESS_MAX];
	last_address(s, b->name, address);
	return capf_subnet_has(&s->filter->subnet, address);
}

/* The LSC of our own making that it has, or may have. */
static bool issued_to(
	struct search *s, const char *name, struct capf_issued *out)
{
	struct capf_desk *desk = server_capf(s->server);
	struct capf_store *store = capf_desk_look(desk);
	bool there = capf_store_newest(store, name, CAPF_ISSUED_INSTALLED, out,
			     NULL) == 0;
	capf_desk_looked(desk);
	return there;
}

static bool fits_lsc(const struct capf_filter *f, const uint8_t issuer[32],
	const char *cn, const char *file, int64_t not_after)
{
	return (!f->expires_before || not_after < f->expires_before) &&
	       capf_issuer_is(&f->issuer, issuer, cn, file);
}

/* The newest LSC that is known of: one that was issued here and confirmed
 * since the phone last registered, the one it registered with, or one it
 * showed. */
static bool has_lsc(struct search *s, const struct bearer *b)
{
	struct capf_issued issued;
	bool showed = b->seen.kind == CERT_KIND_LSC;
	if (issued_to(s, b->name, &issued) &&
		(!showed || issued.confirmed_at >= b->seen.registered))
		return fits_lsc(s->filter, issued.issuer, issued.issuer_cn, "",
			issued.not_after);
	if (showed)
		return fits_lsc(s->filter, b->seen.anchor_sha256,
			b->seen.issuer, b->seen.anchor, b->seen.not_after);
	return b->lsc &&
	       fits_lsc(s->filter, b->lsc->anchor, "", "", b->lsc->not_after);
}

static bool visit(void *self, const struct bearer *b)
{
	struct search *s = self;
	const struct capf_filter *f = s->filter;
	bool of_lsc = f->issuer.text || f->expires_before;
	if (!b->device || (f->model && !has_model(s, b)) ||
		(of_lsc && !has_lsc(s, b)) ||
		(f->has_subnet && !is_in_subnet(s, b)))
		return true;
	char **one = memory_grow((void **)&s->names, &s->n, sizeof(*one));
	*one = memory_dup(b->name);
	return true;
}

char **capf_filter_find(
	struct server *s, const struct capf_filter *f, size_t *n)
{
	struct search search = {.server = s, .filter = f};
	const struct census_sources from = server_census(s);
	census_walk(&from, LEAVES_FACTS, visit, &search);
	*n = search.n;
	return search.names;
}

void capf_filter_free(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

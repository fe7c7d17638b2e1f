/* SPDX-License-Identifier: Apache-2.0 */
/* Which phones a poller wants: what it says of them, and who passes. */
#include "registrar/status/phones_filter.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "registrar/admin/order.h"
#include "registrar/net/address.h"
#include "registrar/status/phone.h"

const struct query_row phones_parameters[] = {
#define X(name, rule) {#name, rule},
	PHONES_FILTER_LIST(X)
#undef X
		{"limit", "1 to 10000"},
	{"cursor", "\"next\" of an answer; else leave it out to begin anew"},
	{"since", "\"since\" of an answer"},
	{NULL, NULL},
};

/* ---- values: false when it is none ---- */

static bool take_state(
	struct phones_filter *f, const char *value, const char *node)
{
	for (int i = REASON_STATUS_REGISTERED; i <= REASON_STATUS_PARTIALLY;
		i++)
		if (strcmp(reason_name(REASON_SPACE_STATUS, i), value) == 0)
			f->state = i;
	return f->state >= 0;
}

static bool take_protocol(
	struct phones_filter *f, const char *value, const char *node)
{
	for (int i = 0; i < CONFIG_REGISTRATIONS; i++)
		if (strcmp(config_protocol_name((enum config_protocol)i),
			    value) == 0)
			f->protocol = i;
	return f->protocol >= 0;
}

static bool take_security(
	struct phones_filter *f, const char *value, const char *node)
{
	for (int i = 0; i < PHONE_SECURITIES; i++)
		if (strcmp(phone_security_name((enum phone_security)i),
			    value) == 0)
			f->security = i;
	return f->security >= 0;
}

static bool take_certificate(
	struct phones_filter *f, const char *value, const char *node)
{
	for (int i = CERT_KIND_UNKNOWN; i <= CERT_KIND_MIC; i++)
		if (strcasecmp(cert_kind_name((enum cert_kind)i), value) == 0)
			f->kind = i;
	return f->kind >= 0;
}

static bool take_issuer(
	struct phones_filter *f, const char *value, const char *node)
{
	f->issuer = value;
	return *value;
}

static bool take_expiresBefore(
	struct phones_filter *f, const char *value, const char *node)
{
	f->expires_before = order_time(value);
	return f->expires_before > 0;
}

static bool take_model(
	struct phones_filter *f, const char *value, const char *node)
{
	f->model = value;
	return *value;
}

static bool take_node(
	struct phones_filter *f, const char *value, const char *node)
{
	f->nobody = strcasecmp(value, node) != 0;
	return *value;
}

static bool take_namePrefix(
	struct phones_filter *f, const char *value, const char *node)
{
	f->prefix = value;
	return *value;
}

static bool take_ip(
	struct phones_filter *f, const char *value, const char *node)
{
	char address[INET6_ADDRSTRLEN];
	size_t n = strcspn(value, "/");
	if (n >= sizeof(address))
		return false;
	memcpy(address, value, n);
	address[n] = '\0';
	bool good = address_read(address, &f->network);
	const char *digits = value[n] ? value + n + 1 : "128";
	char *end;
	unsigned long bits = strtoul(digits, &end, 10);
	if (value[n] && !strchr(address, ':'))
		bits += 96; /* of ::ffff:0:0 */
	f->has_network = true;
	f->bits = (unsigned)bits;
	return good && *digits >= '0' && *digits <= '9' && !*end && bits <= 128;
}

static const struct {
	const char *name;
	bool (*take)(
		struct phones_filter *f, const char *value, const char *node);
} readers[] = {
#define X(name, rule) {#name, take_##name},
	PHONES_FILTER_LIST(X)
#undef X
};

bool phones_filter_read(struct phones_filter *f, const struct query *q,
	const char *node, struct plane_answer *out)
{
	*f = (struct phones_filter){
		.state = -1, .protocol = -1, .security = -1, .kind = -1};
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		const char *value = query_get(q, readers[i].name);
		if (value && !readers[i].take(f, value, node))
			return query_refuse(q, readers[i].name, out);
	}
	return true;
}

/* ---- who passes ---- */

static bool is_within(const struct phones_filter *f, const char *address)
{
	struct in6_addr a;
	if (!address_read(address, &a))
		return false;
	unsigned bytes = f->bits / 8, rest = f->bits % 8;
	if (memcmp(a.s6_addr, f->network.s6_addr, bytes) != 0)
		return false;
	return !rest || ((a.s6_addr[bytes] ^ f->network.s6_addr[bytes]) >>
				(8 - rest)) == 0;
}

static bool certificate_passes(
	const struct phones_filter *f, const struct directory_entry *e)
{
	if (f->kind >= 0 && (!e->tls || (int)e->kind != f->kind))
		return false;
	if (f->issuer && strcasecmp(f->issuer, e->issuer_cn) != 0)
		return false;
	return !f->expires_before ||
	       (e->tls && e->cert_not_after > 0 &&
		       e->cert_not_after < f->expires_before);
}

bool phones_filter_passes(
	const struct phones_filter *f, const struct directory_entry *e)
{
	if (f->nobody)
		return false;
	if (f->state >= 0 && (int)status_phone_state(e) != f->state)
		return false;
	if (f->protocol >= 0 && (int)e->protocol != f->protocol)
		return false;
	if (f->security >= 0 && (int)status_phone_security(e) != f->security)
		return false;
	if (f->model && strcasecmp(f->model, e->model) != 0)
		return false;
	if (f->prefix &&
		strncasecmp(f->prefix, e->device, strlen(f->prefix)) != 0)
		return false;
	if (f->has_network && !is_within(f, e->address))
		return false;
	return certificate_passes(f, e);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One phone of the directory, as status says it. */
#include "registrar/status/phone.h"

#include <string.h>

#include "registrar/device.h"
#include "registrar/status/json.h"
#include "registrar/status/member.h"
#include "trust/waiver.h"

/* A code of CUCM's: whose it is, its number, its name. */
static void set_code(
	json_t *object, const char *key, enum reason_space space, int code)
{
	json_object_set_new(object, key, status_json_code(space, code));
}

const char *phone_security_name(enum phone_security security)
{
	static const char *const names[] = {
#define X(symbol, name) [PHONE_SECURITY_##symbol] = (name),
		PHONE_SECURITY_LIST(X)
#undef X
	};
	return names[security];
}

enum phone_security status_phone_security(const struct directory_entry *e)
{
	return (enum phone_security)(
		security_mode_of(e->tls, e->cipher) - SECURITY_NON_SECURE);
}

/* Refused since it went: then it did not just stay away. */
enum reason_status status_phone_state(const struct directory_entry *e)
{
	if (e->registered)
		return e->partial ? REASON_STATUS_PARTIALLY
				  : REASON_STATUS_REGISTERED;
	return e->refused_ms > e->since_ms ? REASON_STATUS_REJECTED
					   : REASON_STATUS_UNREGISTERED;
}

static json_t *certificate_of(const struct directory_entry *e)
{
	json_t *o = json_object();
	member_text(o, "kind", cert_kind_name(e->kind));
	member_text(o, "issuer", e->issuer_cn);
	member_text(o, "anchor", e->anchor);
	member_text(o, "waived", trust_waiver_text(e->waived));
	member_text(o, "serial", e->cert_serial);
	member_time(o, "notAfter", (int64_t)e->cert_not_after * 1000);
	return o;
}

/* CcmDeviceStatus as a code, and its name for people. */
static void set_state(json_t *o, enum reason_status status)
{
	member_text(o, "state", reason_name(REASON_SPACE_STATUS, (int)status));
	set_code(o, "status", REASON_SPACE_STATUS, (int)status);
}

json_t *status_phone_json(const struct directory_entry *e)
{
	json_t *o = json_object();
	member_text(o, "name", e->device);
	set_state(o, status_phone_state(e));
	if (!e->registered)
		set_code(o, "reason", REASON_SPACE_UNREG, (int)e->cause);
	member_text(o, "protocol", config_protocol_name(e->protocol));
	member_text(o, "transport", config_transport_name(e->tls, e->udp));
	member_text(o, "address", e->address);
	member_number(o, "port", e->port);
	member_text(
		o, "security", phone_security_name(status_phone_security(e)));
	member_text(o, "tlsVersion", e->tls_version);
	member_text(o, "cipher", e->cipher);
	if (e->tls)
		json_object_set_new(o, "resumed", json_boolean(e->resumed));
	if (e->tls)
		json_object_set_new(o, "certificate", certificate_of(e));
	member_text(o, "model", e->model);
	member_text(o, "firmware", e->firmware);
	member_text(o, "cameBackBecause", e->came_back);
	if (e->protocol == CONFIG_SCCP)
		member_number(o, "sccpVersion", e->sccp_version);
	member_number(o, "keepaliveSeconds", e->keepalive_s);
	member_time(o, "since", e->since_ms);
	member_time(o, "lastSeen", e->seen_ms);
	member_number(o, "registrations", e->registrations);
	return o;
}

static void set_peer(json_t *o, const struct directory_entry *e)
{
	bool six = strchr(e->address, ':') != NULL;
	if (*e->address)
		json_object_set_new(o, "peer",
			json_sprintf("%s%s%s:%u", six ? "[" : "", e->address,
				six ? "]" : "", (unsigned)e->port));
}

json_t *status_phone_brief(const struct directory_entry *e)
{
	json_t *o = json_object();
	member_text(o, "name", e->device);
	member_text(o, "state",
		reason_name(REASON_SPACE_STATUS, (int)status_phone_state(e)));
	if (!e->registered)
		member_text(o, "reason", reason_unreg_name(e->cause));
	member_text(o, "protocol", config_protocol_name(e->protocol));
	member_text(
		o, "security", phone_security_name(status_phone_security(e)));
	if (e->tls)
		member_text(o, "kind", cert_kind_name(e->kind));
	member_text(o, "issuer", e->issuer_cn);
	set_peer(o, e);
	member_text(o, "model", e->model);
	if (e->tls)
		json_object_set_new(o, "resumed", json_boolean(e->resumed));
	member_time(o, "at", e->since_ms);
	return o;
}

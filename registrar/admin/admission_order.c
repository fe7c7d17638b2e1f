/* SPDX-License-Identifier: Apache-2.0 */
/* How a registration would go, before the phone tries it. */
#include "registrar/admin/admission_order.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "registrar/admit.h"
#include "registrar/text.h"

static const char prefix[] = "/v1/admission/";

const char admission_order_paths[] = "GET /v1/admission/NAME?anchor=SHA256";

static bool is_served(struct server *s, enum config_protocol protocol)
{
	const struct config *c = server_config(s);
	for (size_t i = 0; i < c->n_listeners; i++)
		if (c->listeners[i].tls && c->listeners[i].protocol == protocol)
			return true;
	return false;
}

/* A phone keeps to its profile: the cipher is never what is in the way. */
static const char *cipher_for(struct inventory *inv, const char *name)
{
	struct security_profile profile;
	struct device *device = inventory_find(inv, name);
	bool clear = device &&
		     inventory_profile(inv, device->profile, &profile) &&
		     profile.mode == SECURITY_AUTHENTICATED;
	device_unref(device);
	return clear ? "NULL-SHA" : "";
}

static json_t *judge(struct server *s, const char *name,
	const struct trust_anchor *anchor, enum config_protocol protocol)
{
	struct admit_verdict verdict;
	struct inventory *inv = server_inventory(s);
	struct peer_cert cert = {.device = name, .cn = name};
	const struct peer peer = {
		.protocol = protocol,
		.tls = true,
		.cipher = cipher_for(inv, name),
		.anchor = anchor,
		.verified = true,
		.kind = anchor->kind,
		.cert = &cert,
	};
	admit_decide(server_config(s), inv, &peer, name, &verdict);
	bool admitted = verdict.code == REASON_FAILURE_NO_ERROR;
	json_t *o = json_pack("{ss sb}", "protocol",
		protocol == CONFIG_SCCP ? "sccp" : "sip", "admitted", admitted);
	if (!admitted)
		json_object_update_new(
			o, json_pack("{ss ss ss}", "rule", verdict.rule, "why",
				   verdict.why, "cure", verdict.cure));
	return o;
}

static const struct trust_anchor *find(
	const struct trust_snapshot *trust, const char *sha256)
{
	unsigned char raw[32];
	size_t n = 0;
	if (!sha256 || strlen(sha256) != 2 * sizeof(raw) ||
		OPENSSL_hexstr2buf_ex(raw, sizeof(raw), &n, sha256, '\0') != 1)
		return NULL;
	return trust_snapshot_find(trust, raw);
}

static void answer(struct server *s, const char *name,
	const struct trust_anchor *anchor, struct plane_answer *out)
{
	json_t *all = json_array();
	for (int p = 0; p < CONFIG_REGISTRATIONS; p++)
		if (is_served(s, (enum config_protocol)p))
			json_array_append_new(
				all, judge(s, name, anchor,
					     (enum config_protocol)p));
	out->json = json_pack("{ss ss so}", "device", name, "anchor",
		anchor->file, "registration", all);
}

bool admission_order(struct server *s, const struct plane_request *request,
	struct plane_answer *out)
{
	char name[CERT_DEVICE_MAX + 1];
	if (strncmp(request->path, prefix, strlen(prefix)) != 0)
		return false;
	text_copy(name, sizeof(name), request->path + strlen(prefix));
	if (strcmp(request->method, "GET") != 0) {
		plane_not_allowed(out, "GET, HEAD",
			"this changes nothing: it answers GET and HEAD");
		return true;
	}
	struct trust_snapshot *trust = server_trust(s, STORE_CALLMANAGER);
	const struct trust_anchor *anchor =
		find(trust, plane_query(request, "anchor"));
	if (anchor)
		answer(s, name, anchor, out);
	else
		plane_problem(out, PROBLEM_ANCHOR,
			"no CA of this SHA-256 is in force: ask with "
			"?anchor=, 64 hex digits of one that is");
	trust_snapshot_unref(trust);
	return true;
}

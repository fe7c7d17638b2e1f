/* SPDX-License-Identifier: Apache-2.0 */
/* A phone's own certificates, and what both stores say of them. */
#include "registrar/admin/phone_certs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "certs/pem.h"
#include "registrar/admin/capf_json.h"
#include "registrar/capf/desk.h"
#include "registrar/leaves.h"
#include "registrar/memory.h"
#include "trust/verify.h"

static const char prefix[] = "/v1/phones/", tail[] = "/certificates";

const char phone_certs_paths[] = "GET /v1/phones/NAME/certificates";

/* What is known of one phone. */
struct album {
	struct server *server;
	const char *device;
	struct trust_snapshot *trust[TRUST_STORES]; /* NULL: no such store */
	time_t now;
	json_t *list;
};

/* ---- one certificate ---- */

/* What a store says; a MIC or LSC of ours may be in both. */
static json_t *verdict_json(const struct album *a, enum trust_store store,
	X509 *cert, STACK_OF(X509) * helpers)
{
	struct trust_result r;
	bool capf = store == STORE_CAPF;
	trust_verify_for(capf ? TRUST_ENROL : TRUST_REGISTER, a->trust[store],
		cert, helpers, a->now, &r);
	json_t *o = json_pack("{ss ss ss ss}", "store",
		trust_store_title(store), "for", capf ? "enrol" : "register",
		"verdict", trust_verdict_name(r.verdict), "kind",
		cert_kind_name(r.kind));
	if (r.anchor)
		json_object_set_new(o, "anchor", json_string(r.anchor->file));
	if (r.verdict == TRUST_OK) {
		capf_json_time(o, "until", r.until);
		return o;
	}
	json_object_set_new(o, "why", json_string(r.why));
	json_object_set_new(o, "cure", json_string(r.cure));
	if (*r.missing_ca)
		json_object_set_new(o, "missingCa", json_string(r.missing_ca));
	return o;
}

static json_t *verdicts(
	const struct album *a, X509 *cert, STACK_OF(X509) * helpers)
{
	json_t *list = json_array();
	for (int i = 0; i < TRUST_STORES; i++)
		if (a->trust[i])
			json_array_append_new(
				list, verdict_json(a, (enum trust_store)i, cert,
					      helpers));
	return list;
}

static void set_pem(json_t *o, X509 *cert)
{
	char *text;
	size_t n;
	if (cert_pem_text(&cert, 1, &text, &n) < 0)
		return;
	json_object_set_new(o, "pem", json_stringn(text, n));
	OPENSSL_free(text);
}

static json_t *cert_json(const struct album *a, const struct cert_identity *id,
	X509 *cert, STACK_OF(X509) * helpers)
{
	json_t *o = json_pack("{ss ss ss ss ss ss sb s[]}", "subject",
		id->subject, "issuer", id->issuer, "serial", id->serial, "key",
		id->key, "sha1", id->sha1, "sha256", id->sha256,
		"namesThisDevice", cert_device_equal(id->device, a->device),
		"obtained");
	if (id->times_ok) {
		capf_json_time(o, "notBefore", id->not_before);
		capf_json_time(o, "notAfter", id->not_after);
	}
	set_pem(o, cert);
	json_object_set_new(o, "verdicts", verdicts(a, cert, helpers));
	return o;
}

/* The certificate of that fingerprint in the album, made if it is not there. */
static json_t *page_of(struct album *a, X509 *cert, STACK_OF(X509) * helpers)
{
	size_t i;
	json_t *o;
	struct cert_identity id;
	cert_identity_read(cert, &id);
	json_array_foreach(a->list, i, o)
	{
		if (strcmp(json_string_value(json_object_get(o, "sha256")),
			    id.sha256) == 0)
			return o;
	}
	o = cert_json(a, &id, cert, helpers);
	json_array_append_new(a->list, o);
	return o;
}

/* "LSC" as whoever handed it over calls it; the verdicts say what it is. */
static void note(json_t *page, const char *how, const char *type, int64_t at)
{
	json_t *o = json_pack("{ss ss}", "how", how, "type", type);
	capf_json_time(o, "at", at);
	json_array_append_new(json_object_get(page, "obtained"), o);
	if (!json_object_get(page, "type"))
		json_object_set_new(page, "type", json_string(type));
}

/* ---- where they come from ---- */

static const char *wire_type(unsigned type)
{
	if (type == CAPF_CERT_LSC)
		return cert_kind_name(CERT_KIND_LSC);
	return cert_kind_name(
		type == CAPF_CERT_MIC ? CERT_KIND_MIC : CERT_KIND_UNKNOWN);
}

/* What CAPF has of it, copied: to judge takes longer than the desk may wait. */
struct kept {
	const char *how;
	const char *type;
	int64_t at;
	size_t n;
	uint8_t *der;
};
struct pile {
	struct kept *list;
	size_t n;
};

static void keep(struct pile *p, const struct kept *one)
{
	struct kept *at = memory_grow((void **)&p->list, &p->n, sizeof(*at));
	*at = *one;
}

static bool keep_shown(void *self, const struct capf_shown *c)
{
	struct kept one = {.how = "troubleshoot",
		.type = wire_type(c->type),
		.at = c->at,
		.n = c->n,
		.der = memory_zero(c->n + 1)};
	memcpy(one.der, c->der, c->n);
	keep(self, &one);
	return true;
}

static void keep_issued(
	struct pile *p, struct capf_store *store, const char *device)
{
	static const enum capf_issued_state states[] = {
		CAPF_ISSUED_STALE, CAPF_ISSUED_INSTALLED};
	struct capf_issued i;
	for (size_t k = 0; k < sizeof(states) / sizeof(states[0]); k++) {
		struct kept one = {.type = cert_kind_name(CERT_KIND_LSC)};
		if (capf_store_newest(store, device, states[k], &i, NULL) < 0 ||
			capf_store_issued_der(
				store, i.serial, &one.der, &one.n, NULL) < 0)
			continue;
		one.how = states[k] == CAPF_ISSUED_STALE ? "issued, stale"
							 : "issued, installed";
		one.at = i.issued_at;
		keep(p, &one);
	}
}

static int add_capf(struct album *a, struct diag *d)
{
	struct pile pile = {NULL, 0};
	struct capf_desk *desk = server_capf(a->server);
	if (!desk)
		return 0;
	struct capf_store *store = capf_desk_look(desk);
	int error = capf_store_shown(store, a->device, keep_shown, &pile, d);
	if (error == -ENOENT)
		error = 0;
	if (error == 0)
		keep_issued(&pile, store, a->device);
	capf_desk_looked(desk);
	for (size_t i = 0; i < pile.n; i++) {
		const struct kept *k = &pile.list[i];
		const unsigned char *p = k->der;
		X509 *cert = d2i_X509(NULL, &p, (long)k->n);
		if (cert)
			note(page_of(a, cert, NULL), k->how, k->type, k->at);
		X509_free(cert);
		free(k->der);
	}
	free(pile.list);
	return error;
}

/* The certificate, and the CAs that came with it. */
static STACK_OF(X509) * read_chain(const struct leaf *leaf)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	const unsigned char *p = leaf->chain, *end = p + leaf->n;
	while (p < end) {
		X509 *one = d2i_X509(NULL, &p, end - p);
		if (!one)
			break;
		sk_X509_push(chain, one);
	}
	return chain;
}

static void add_leaf(struct album *a, const struct leaf *leaf)
{
	struct device_seen seen;
	STACK_OF(X509) *chain = read_chain(leaf);
	X509 *cert = sk_X509_shift(chain);
	bool last = inventory_sighting(
			    server_inventory(a->server), a->device, &seen) &&
		    memcmp(seen.sha256, leaf->sha256, 32) == 0;
	if (cert)
		note(page_of(a, cert, chain), "TLS handshake",
			cert_kind_name(leaf->kind), last ? seen.registered : 0);
	X509_free(cert);
	sk_X509_pop_free(chain, X509_free);
}

static void add_leaves(struct album *a)
{
	struct leaf before = {.kind = CERT_KIND_UNKNOWN};
	snprintf(before.device, sizeof(before.device), "%s", a->device);
	struct leaf *list =
		leaves_after(server_leaves(a->server), LEAVES_WHOLE, &before);
	for (struct leaf *l = list; l; l = l->next)
		if (strcasecmp(l->device, a->device) == 0)
			add_leaf(a, l);
	leaves_free(list);
}

/* ---- the answer ---- */

static void answer(
	struct server *s, const char *device, struct plane_answer *out)
{
	struct diag d = {.text = ""};
	struct album a = {.server = s,
		.device = device,
		.now = time(NULL),
		.list = json_array()};
	for (int i = 0; i < TRUST_STORES; i++)
		a.trust[i] = server_trust(s, (enum trust_store)i);
	add_leaves(&a);
	int error = add_capf(&a, &d);
	for (int i = 0; i < TRUST_STORES; i++)
		trust_snapshot_unref(a.trust[i]);
	if (error == 0 && json_array_size(a.list)) {
		out->json = json_pack(
			"{ss so}", "device", device, "certificates", a.list);
		return;
	}
	json_decref(a.list);
	if (error < 0)
		plane_problem(out, PROBLEM_FAILED, d.text);
	else
		plane_problem(out, PROBLEM_CERTIFICATE,
			"this phone showed none in a TLS handshake, CAPF "
			"issued none to it and fetched none; dialtone capf "
			"troubleshoot NAME has it fetched");
}

bool phone_certs_order(struct server *s, const struct plane_request *request,
	struct plane_answer *out)
{
	char name[CERT_DEVICE_MAX + 1];
	const char *path = request->path;
	size_t n = strlen(path), head = strlen(prefix), foot = strlen(tail);
	if (n <= head + foot || n - head - foot > CERT_DEVICE_MAX ||
		strncmp(path, prefix, head) != 0 ||
		strcmp(path + n - foot, tail) != 0)
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)(n - head - foot),
		path + head);
	if (strcmp(request->method, "GET") != 0)
		plane_not_allowed(out, "GET, HEAD",
			"this changes nothing: it answers GET and HEAD");
	else
		answer(s, name, out);
	return true;
}

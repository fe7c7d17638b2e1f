/* SPDX-License-Identifier: Apache-2.0 */
/* One TLS connection of a capture, told in plain words. */
#include "registrar/explain/handshake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/explain/issuer.h"
#include "registrar/explain/rules.h"
#include "registrar/explain/words.h"
#include "registrar/memory.h"

enum { TLS13 = TLS_SEEN_TLS13, TOLD_SUITES = 4 };

void handshake_deinit(struct handshake *h)
{
	free(h->cert);
}

/* ---- what is seen ---- */

static void take_hello(struct handshake *h, const struct tls_seen_event *e)
{
	if (h->offered)
		return; /* a second one, after HelloRetryRequest */
	h->offered = true;
	h->offered_version = e->version;
	h->session_offered = e->resumes;
	h->n_suites = e->n_suites;
	memcpy(h->suites, e->suites, e->n_suites * sizeof(e->suites[0]));
}

static bool read_identity(
	const struct tls_hello_slice *der, struct cert_identity *id)
{
	const uint8_t *p = der->p;
	X509 *cert = d2i_X509(NULL, &p, (long)der->n);
	if (!cert)
		return false;
	bool good = cert_identity_read(cert, id) == 0;
	X509_free(cert);
	return good;
}

static void take_certificate(
	struct handshake *h, const struct tls_seen_event *e)
{
	struct cert_identity issuer;
	if (e->from == TLS_SEEN_SERVER) {
		h->server_certificate = true;
		return;
	}
	h->answered = true;
	if (!e->leaf.n || h->cert)
		return;
	h->cert = memory_zero(sizeof(*h->cert));
	h->unreadable = !read_identity(&e->leaf, h->cert);
	if (!e->issuer.n || !read_identity(&e->issuer, &issuer))
		issuer.sha256[0] = '\0';
	h->kind =
		explain_issuer(h->cert->issuer_cn, issuer.sha256, &h->kind_why);
}

static void take_alert(struct handshake *h, const struct tls_seen_event *e)
{
	if (e->alert < 0)
		h->secret_alerts++;
	else if (h->n_alerts < HANDSHAKE_ALERTS_MAX)
		h->alerts[h->n_alerts++] = (struct explain_alert){
			.number = e->alert,
			.by_phone = e->from == TLS_SEEN_CLIENT,
			.fatal = e->level != 1,
		};
}

void handshake_take(struct handshake *h, const struct tls_seen_event *e)
{
	switch (e->type) {
	case TLS_SEEN_CLIENT_HELLO:
		take_hello(h, e);
		break;
	case TLS_SEEN_SERVER_HELLO:
		h->chosen = true;
		h->version = e->version;
		h->suite = e->suite;
		h->psk = e->resumes;
		break;
	case TLS_SEEN_CERTIFICATE:
		take_certificate(h, e);
		break;
	case TLS_SEEN_CERTIFICATE_REQUEST:
		h->asked = true;
		break;
	case TLS_SEEN_CHANGE_CIPHER:
		h->changed[e->from] = true;
		break;
	case TLS_SEEN_ALERT:
		take_alert(h, e);
		break;
	case TLS_SEEN_DATA:
		h->data = true;
		break;
	case TLS_SEEN_LOST:
		h->lost[e->from] = e->why;
		break;
	}
}

bool handshake_is_tls(const struct handshake *h)
{
	return h->offered || h->chosen;
}

bool handshake_is_over(const struct handshake *h)
{
	return h->data && h->chosen &&
	       (h->version == TLS13 || (h->changed[0] && h->changed[1]));
}

/* ---- what it means ---- */

static bool is_resumed(const struct handshake *h)
{
	if (h->version == TLS13)
		return h->psk;
	return h->chosen && h->changed[TLS_SEEN_SERVER] &&
	       !h->server_certificate;
}

static bool is_done(const struct handshake *h)
{
	return h->data || (h->chosen && h->version != TLS13 && h->changed[0] &&
				  h->changed[1]);
}

static const char *about_of(const struct handshake *h)
{
	return h->kind == CERT_KIND_UNKNOWN ? "" : cert_kind_name(h->kind);
}

/* The alert that ended it, NULL for none. */
static const struct explain_alert *fatal_alert(const struct handshake *h)
{
	for (size_t i = 0; i < h->n_alerts; i++)
		if (h->alerts[i].fatal)
			return &h->alerts[i];
	return NULL;
}

static const char *rule_of(const struct handshake *h, time_t at)
{
	const struct explain_alert *alert = fatal_alert(h);
	bool empty = h->answered && !h->cert;
	if (!alert && h->version == TLS13)
		return "tls13-unseen";
	if (!alert)
		return is_done(h) ? "let-in" : "unfinished";
	if (empty && !alert->by_phone)
		return "no-certificate";
	const char *rule = explain_alert_rule(alert, h->cert != NULL);
	if (strcmp(rule, "bad-certificate") == 0 && h->cert &&
		h->cert->times_ok && h->cert->not_before > at)
		return "not-yet-valid";
	return rule;
}

static void add_suite(struct words *w, uint16_t suite)
{
	const char *name = tls_suite_name(suite);
	if (name)
		words_add(w, "%s", name);
	else
		words_add(w, "0x%04x", suite);
}

static void tell_offer(struct words *w, const struct handshake *h)
{
	if (!h->offered) {
		words_add(w, "The beginning is not in the capture. ");
		return;
	}
	words_add(w, "The phone offered %s at most, with ",
		tls_version_name(h->offered_version));
	for (size_t i = 0; i < h->n_suites && i < TOLD_SUITES; i++) {
		words_add(w, "%s", i ? ", " : "");
		add_suite(w, h->suites[i]);
	}
	if (h->n_suites > TOLD_SUITES)
		words_add(w, " and %zu more", h->n_suites - TOLD_SUITES);
	words_add(w, ". ");
}

static void tell_choice(struct words *w, const struct handshake *h)
{
	if (!h->chosen) {
		words_add(w, "The server chose nothing. ");
		return;
	}
	words_add(w, "The server chose %s and ", tls_version_name(h->version));
	add_suite(w, h->suite);
	words_add(w, "%s. ",
		is_resumed(h) ? ", resuming an earlier session" : "");
}

static void tell_certificate(
	struct words *w, const struct handshake *h, time_t at)
{
	if (h->version == TLS13) {
		words_add(w, "In TLS 1.3 certificates are encrypted: a capture "
			     "does not show which one the phone sent. ");
		return;
	}
	if (is_resumed(h)) {
		words_add(w, "No certificate is shown when a session is "
			     "resumed. ");
		return;
	}
	if (h->unreadable) {
		words_add(w, "The phone sent a certificate that cannot be "
			     "read. ");
		return;
	}
	if (h->cert) {
		bool known = h->kind != CERT_KIND_UNKNOWN;
		bool late = h->cert->times_ok && h->cert->not_after < at;
		words_add(w, "The phone showed %s, %s issued by %s%s. ",
			!known			   ? "a certificate"
			: h->kind == CERT_KIND_LSC ? "an LSC"
						   : "a MIC",
			h->cert->device[0] ? h->cert->device : h->cert->cn,
			h->cert->issuer_cn, late ? ", which had expired" : "");
		return;
	}
	if (h->answered)
		words_add(w, "The phone was asked for a certificate and sent "
			     "none. ");
	else if (h->chosen && !h->asked && is_done(h))
		words_add(w, "The server asked for no certificate. ");
}

static void tell_alerts(struct words *w, const struct handshake *h)
{
	for (size_t i = 0; i < h->n_alerts; i++) {
		json_t *o = json_object();
		explain_alert_put(o, &h->alerts[i]);
		const json_t *a = json_object_get(o, "alert");
		words_add(w, "%s sent the %s alert \"%s\" (%d). ",
			h->alerts[i].by_phone ? "The phone" : "The server",
			h->alerts[i].fatal ? "fatal" : "warning",
			json_string_value(json_object_get(a, "name")),
			h->alerts[i].number);
		json_decref(o);
	}
	if (h->secret_alerts)
		words_add(w,
			"%zu alert%s came encrypted (an orderly end, most "
			"likely). ",
			h->secret_alerts, h->secret_alerts == 1 ? "" : "s");
}

static json_t *suite_json(uint16_t suite)
{
	const char *name = tls_suite_name(suite);
	return name ? json_string(name) : json_sprintf("0x%04x", suite);
}

static void put_time(json_t *o, const char *key, time_t t)
{
	char at[21];
	cert_time_text(t, at);
	json_object_set_new(o, key, json_string(at));
}

static json_t *certificate_json(const struct handshake *h, time_t at)
{
	const struct cert_identity *id = h->cert;
	json_t *o = json_pack("{ss ss ss ss ss ss ss}", "kind",
		cert_kind_name(h->kind), "kindBecause", h->kind_why, "subject",
		id->subject, "issuer", id->issuer, "serial", id->serial, "key",
		id->key, "sha256", id->sha256);
	if (id->device[0])
		json_object_set_new(o, "device", json_string(id->device));
	if (id->times_ok) {
		put_time(o, "notBefore", id->not_before);
		put_time(o, "notAfter", id->not_after);
		json_object_set_new(
			o, "expired", json_boolean(id->not_after < at));
	}
	return o;
}

static void put_facts(json_t *o, const struct handshake *h, time_t at)
{
	json_t *offered = json_array();
	for (size_t i = 0; i < h->n_suites; i++)
		json_array_append_new(offered, suite_json(h->suites[i]));
	json_object_set_new(o, "ciphersOffered", offered);
	if (h->offered)
		json_object_set_new(o, "tlsVersionOffered",
			json_string(tls_version_name(h->offered_version)));
	if (h->chosen) {
		json_object_set_new(o, "tlsVersion",
			json_string(tls_version_name(h->version)));
		json_object_set_new(o, "cipher", suite_json(h->suite));
	}
	json_object_set_new(o, "handshake",
		json_string(!is_done(h)	    ? "unfinished"
			    : is_resumed(h) ? "resumed"
					    : "full"));
	if (h->cert && !h->unreadable)
		json_object_set_new(o, "certificate", certificate_json(h, at));
}

static void put_alerts(json_t *o, const struct handshake *h)
{
	const struct explain_alert *fatal = fatal_alert(h);
	json_t *all = json_array();
	for (size_t i = 0; i < h->n_alerts; i++) {
		json_t *one = json_object();
		explain_alert_put(one, &h->alerts[i]);
		json_array_append(all, json_object_get(one, "alert"));
		json_decref(one);
	}
	json_object_set_new(o, "alerts", all);
	if (fatal)
		explain_alert_put(o, fatal);
}

void handshake_put(
	json_t *o, const struct handshake *h, time_t at, const char *device)
{
	struct words w = {.n = 0};
	const char *rule = rule_of(h, at);
	tell_offer(&w, h);
	tell_choice(&w, h);
	tell_certificate(&w, h, at);
	tell_alerts(&w, h);
	/* What was said under a NULL cipher stands there already. */
	words_add(&w, "%s",
		json_string_value(json_object_get(o, "what"))
			? json_string_value(json_object_get(o, "what"))
			: "");
	json_object_set_new(o, "what", words_json(w.text, w.n));
	put_facts(o, h, at);
	put_alerts(o, h);
	json_object_set_new(o, "rule", json_string(rule));
	explain_rule_put(o, explain_rule(rule, about_of(h)),
		h->cert && h->cert->device[0] ? h->cert->device : device);
}

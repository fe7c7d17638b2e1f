/* SPDX-License-Identifier: Apache-2.0 */
/* Why a device is not registered, out of what the registrar says of it. */
#include "registrar/explain/device.h"

#include <string.h>

#include "registrar/explain/issuer.h"
#include "registrar/explain/rules.h"
#include "registrar/explain/words.h"

/* "" when it is not there. */
static const char *text(const json_t *o, const char *key)
{
	const char *value = json_string_value(json_object_get(o, key));
	return value ? value : "";
}

/* Times are ISO 8601 in UTC: as texts they compare as they are. */
static bool is_later(const char *a, const char *b)
{
	return strcmp(a, b) > 0;
}

static bool is_registered(const json_t *phone)
{
	return strcmp(text(phone, "state"), "registered") == 0;
}

/* What stands behind CN= in a name as RFC 2253 writes it. */
static void common_name(const char *name, char *out, size_t size)
{
	const char *at =
		strncmp(name, "CN=", 3) == 0 ? name : strstr(name, ",CN=");
	size_t n = 0;
	out[0] = '\0';
	if (!at)
		return;
	at += *at == ',' ? 4 : 3;
	for (; at[n] && at[n] != ',' && n + 1 < size; n++)
		out[n] = at[n];
	out[n] = '\0';
}

/* ---- what happened, in sentences ---- */

static void tell_registered(struct words *w, const json_t *phone)
{
	const json_t *cert = json_object_get(phone, "certificate");
	words_add(w, "%s is registered since %s, over %s", text(phone, "name"),
		text(phone, "since"), text(phone, "protocol"));
	if (cert)
		words_add(w,
			"/%s (%s) with its %s, issued by %s, good until "
			"%s",
			text(phone, "tlsVersion"), text(phone, "cipher"),
			text(cert, "kind"), text(cert, "issuer"),
			text(cert, "notAfter"));
	else
		words_add(w, " without TLS");
	words_add(w, ", from %s. It was last heard of at %s. ",
		text(phone, "address"), text(phone, "lastSeen"));
}

static void tell_lost(struct words *w, const json_t *phone)
{
	const json_t *reason = json_object_get(phone, "reason");
	words_add(w, "%s is not registered since %s: %s (%lld). ",
		text(phone, "name"), text(phone, "since"), text(reason, "name"),
		(long long)json_integer_value(json_object_get(reason, "code")));
	words_add(w, "It was last heard of at %s, over %s, from %s. ",
		text(phone, "lastSeen"), text(phone, "protocol"),
		text(phone, "address"));
}

/* LSC or MIC by its issuer's name, "" for neither. */
static const char *shown_kind(
	const json_t *failure, char issuer[CERT_NAME_MAX + 1])
{
	const char *why;
	const json_t *shown = json_object_get(failure, "presented");
	common_name(text(shown, "issuer"), issuer, CERT_NAME_MAX + 1);
	enum cert_kind kind = explain_issuer(issuer, "", &why);
	return kind == CERT_KIND_UNKNOWN ? "" : cert_kind_name(kind);
}

static bool is_of_capf(const json_t *failure)
{
	return strcmp(text(failure, "protocol"), "capf") == 0;
}

static void tell_shown(struct words *w, const json_t *failure)
{
	char issuer[CERT_NAME_MAX + 1], subject[CERT_NAME_MAX + 1];
	const json_t *shown = json_object_get(failure, "presented");
	const char *kind = shown_kind(failure, issuer);
	common_name(text(shown, "subject"), subject, sizeof(subject));
	if (shown)
		words_add(w,
			"It showed %s%s, %s, issued by %s, good until "
			"%s. ",
			strcmp(kind, "LSC") == 0 ? "an " : "a ",
			*kind ? kind : "certificate", subject, issuer,
			text(shown, "notAfter"));
	else if (strcmp(text(failure, "transport"), "tls") == 0 &&
		 !is_of_capf(failure)) /* which asks for none */
		words_add(w, "It showed no certificate. ");
}

static void tell_refused(
	struct words *w, const char *who, const json_t *failure)
{
	long long count = json_integer_value(json_object_get(failure, "count"));
	words_add(w, "%s came at %s over %s/%s from %s", who,
		text(failure, "last"), text(failure, "protocol"),
		text(failure, "transport"), text(failure, "address"));
	if (count > 1)
		words_add(w, " (%lld times since %s)", count,
			text(failure, "first"));
	words_add(w, ". ");
	tell_shown(w, failure);
	words_add(w, "The rule %s refused it: %s. ", text(failure, "rule"),
		text(failure, "why"));
}

/* ---- which of it explains ---- */

/* Status gives the newest first. */
static const json_t *newest_refusal(const json_t *phone)
{
	const json_t *f = json_array_get(json_object_get(phone, "failures"), 0);
	return f && is_later(text(f, "last"), text(phone, "since")) ? f : NULL;
}

static const char *last_address(const struct explain_facts *facts)
{
	const json_t *events = json_object_get(facts->history, "events");
	const char *address = text(facts->phone, "address");
	return *address ? address : text(json_array_get(events, 0), "address");
}

/* A refusal from there that names no device: before a certificate came,
 * nobody can tell whose it is. */
static const json_t *nameless_refusal(
	const struct explain_facts *facts, const char *address)
{
	const json_t *list = json_object_get(facts->failures, "failures");
	size_t i;
	json_t *f;
	json_array_foreach((json_t *)list, i, f)
	{
		if (*address && !*text(f, "device") &&
			strcmp(text(f, "address"), address) == 0 &&
			is_later(text(f, "last"), text(facts->phone, "since")))
			return f;
	}
	return NULL;
}

static const char *about_of(const json_t *failure)
{
	char issuer[CERT_NAME_MAX + 1];
	if (strcmp(text(failure, "rule"), "security-mismatch") == 0)
		return text(failure, "transport");
	return shown_kind(failure, issuer);
}

static void copy(json_t *o, const json_t *from, const char *key)
{
	if (json_object_get(from, key))
		json_object_set(o, key, json_object_get(from, key));
}

/* A rule without a paragraph (of a newer registrar) says its own cure. */
static void put_refusal(json_t *o, const json_t *failure, const char *name)
{
	static const char *const keys[] = {"reason", "alert", "presented",
		"address", "missingCa", "phoneConsole"};
	const char *name_of_rule = text(failure, "rule");
	const struct explain_rule *rule =
		explain_rule(name_of_rule, about_of(failure));
	json_object_set_new(o, "rule", json_string(name_of_rule));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		copy(o, failure, keys[i]);
	if (rule) {
		explain_rule_put(o, rule, name);
		return;
	}
	json_object_set_new(o, "meaning", json_string(text(failure, "why")));
	json_object_set_new(
		o, "cure", explain_steps(text(failure, "cure"), name));
}

static void put_rule(json_t *o, const char *rule, const char *name)
{
	json_object_set_new(o, "rule", json_string(rule));
	explain_rule_put(o, explain_rule(rule, ""), name);
}

static void put_end(json_t *o, const json_t *phone, const char *name)
{
	const json_t *reason = json_object_get(phone, "reason");
	const char *cause = text(reason, "name");
	const struct explain_rule *rule = explain_end(cause);
	json_object_set_new(o, "rule", json_string(cause));
	copy(o, phone, "reason");
	if (rule)
		explain_rule_put(o, rule, name);
}

static const char *never_seen(const struct explain_facts *facts)
{
	if (facts->device)
		return "never-seen";
	return facts->inventory_asked ? "never-seen-unknown"
				      : "never-seen-unsaid";
}

/* It never came, or not since the registrar started. */
static const char *explain_absent(json_t *o, struct words *w, const char *name,
	const struct explain_facts *facts)
{
	const json_t *events = json_object_get(facts->history, "events");
	const json_t *last = json_array_get(events, 0);
	put_rule(o, never_seen(facts), name);
	words_add(w, "Nobody came as %s since the registrar started. ", name);
	if (last)
		words_add(w, "Before that, at %s, it was: %s. ",
			text(last, "at"), text(last, "event"));
	return "unknown";
}

/* Fills rule, meaning, cure and the sentences; answers the state. */
static const char *explain_missing(json_t *o, struct words *w, const char *name,
	const struct explain_facts *facts)
{
	const json_t *refusal = newest_refusal(facts->phone);
	if (refusal) {
		words_add(w, "%s is not registered. ", name);
		tell_refused(w, "It", refusal);
		put_refusal(o, refusal, name);
		return "rejected";
	}
	const char *state = "unregistered";
	if (*text(facts->phone, "state")) {
		tell_lost(w, facts->phone);
		put_end(o, facts->phone, name);
	} else {
		state = explain_absent(o, w, name, facts);
	}
	refusal = nameless_refusal(facts, last_address(facts));
	if (refusal) {
		tell_refused(w, "Somebody, perhaps it,", refusal);
		put_refusal(o, refusal, name);
	}
	return state;
}

static void tell_entry(struct words *w, const json_t *device)
{
	if (!device)
		return;
	bool mic = json_is_true(json_object_get(device, "mic"));
	bool fixed = strcmp(text(device, "source"), "config") == 0;
	words_add(w, "Its entry in the inventory: profile %s, MIC %s%s. ",
		text(device, "profile"), mic ? "allowed" : "not allowed",
		fixed ? "; it stands in the configuration file and is changed "
			"there"
		      : "");
}

/* As CUCM says it, beside our reason. */
static void tell_operation(struct words *w, const json_t *phone)
{
	const json_t *capf = json_object_get(phone, "capf");
	if (capf)
		words_add(w, "CAPF's operation for it (%s): %s. ",
			text(capf, "operation"), text(capf, "operationStatus"));
}

/* It is in, and CAPF may still refuse it a new LSC. */
static void explain_registered(
	json_t *o, struct words *w, const char *name, const json_t *phone)
{
	const json_t *refusal = newest_refusal(phone);
	tell_registered(w, phone);
	if (refusal && is_of_capf(refusal)) {
		tell_refused(w, "Since then somebody who says it is that phone",
			refusal);
		put_refusal(o, refusal, name);
		return;
	}
	put_rule(o, "registered", name);
	if (refusal)
		tell_refused(w, "Since then another of this name", refusal);
}

json_t *explain_device(const char *name, const struct explain_facts *facts)
{
	json_t *o = json_object();
	struct words w = {.n = 0};
	const char *state = "registered";
	json_object_set_new(o, "name", json_string(name));
	if (is_registered(facts->phone))
		explain_registered(o, &w, name, facts->phone);
	else
		state = explain_missing(o, &w, name, facts);
	tell_operation(&w, facts->phone);
	tell_entry(&w, facts->device);
	json_object_set_new(o, "state", json_string(state));
	json_object_set_new(o, "what", words_json(w.text, w.n));
	return o;
}

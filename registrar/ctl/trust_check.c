/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone trust check: the very verdict that the handshake would give. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "certs/pem.h"
#include "registrar/ctl/say.h"
#include "registrar/ctl/trust.h"
#include "registrar/memory.h"
#include "registrar/tls/alert.h"
#include "trust/verify.h"
#include "trust/waiver.h"

/* ---- the certificate ---- */

static json_t *describe(const struct trust_result *r, X509 *leaf)
{
	struct cert_identity id;
	char at[21], console[96];
	json_t *o = json_object();
	int alert = trust_verdict_alert(r->verdict);
	cert_identity_read(leaf, &id);
	ctl_set_text(o, "verdict", trust_verdict_name(r->verdict));
	ctl_set_text(o, "device", id.device);
	ctl_set_text(o, "subject", id.subject);
	ctl_set_text(o, "issuer", id.issuer);
	ctl_set_text(o, "serial", id.serial);
	if (id.times_ok) {
		cert_time_text(id.not_after, at);
		ctl_set_text(o, "notAfter", at);
	}
	if (r->anchor) {
		ctl_set_text(o, "kind", cert_kind_name(r->kind));
		ctl_set_text(o, "anchor", r->anchor->file);
		ctl_set_text(o, "waived", trust_waiver_text(r->waived));
	}
	ctl_set_text(o, "meaning", trust_verdict_text(r->verdict));
	ctl_set_text(o, "why", r->why);
	ctl_set_text(o, "missingCa", r->missing_ca);
	ctl_set_text(o, "cure", r->cure);
	if (!alert)
		return o;
	json_object_set_new(o, "alert", json_integer(alert));
	snprintf(console, sizeof(console), "SSL3 alert [read]:[fatal]:[%s]",
		alert_text(alert));
	ctl_set_text(o, "phoneConsole", console);
	return o;
}

static const struct ctl_column fields[] = {
	{"verdict", "verdict"},
	{"device", "device"},
	{"certificate", "subject"},
	{"  issuer", "issuer"},
	{"  serial", "serial"},
	{"  expires", "notAfter"},
	{"kind", "kind"},
	{"anchor", "anchor"},
	{"waived rules", "waived"},
	{"meaning", "meaning"},
	{"why", "why"},
	{"missing CA", "missingCa"},
	{"cure", "cure"},
	{"alert", "alert"},
	{"phone's console", "phoneConsole"},
};

/* ---- the registration behind it ---- */

static const struct ctl_column registration_fields[] = {
	{"registration", "protocol"},
	{"  admitted", "admitted"},
	{"  rule", "rule"},
	{"  why", "why"},
	{"  cure", "cure"},
};

/* What admission would say; only the registrar knows its devices. */
static void ask_admission(
	const struct ctl *ctl, const struct trust_result *r, json_t *o)
{
	json_t *said;
	char *escaped = ctl_path("/v1/admission/", ctl_text(o, "device"));
	char *path =
		memory_format("%s?anchor=%s", escaped, r->anchor->id.sha256);
	int status = ctl_admin(ctl, "GET", path, &said);
	free(path);
	free(escaped);
	if (status != CTL_OK) {
		say("so whether it may register is not known");
		return;
	}
	json_object_set(
		o, "registration", json_object_get(said, "registration"));
	json_decref(said);
}

/* Is it refused over every protocol? */
static bool is_refused(const json_t *registration)
{
	size_t i;
	json_t *o;
	json_array_foreach((json_t *)registration, i,
		o) if (json_is_true(json_object_get(o,
			       "admitted"))) return false;
	return json_array_size(registration) > 0;
}

/* Phones register with what the first store lets in. */
static bool asks_admission(
	const struct ctl_trust *t, const struct trust_result *r)
{
	return r->verdict == TRUST_OK && t->store && t->store == t->said;
}

/* ---- the command ---- */

static void print(const json_t *o)
{
	size_t i;
	json_t *one;
	ctl_print_fields(o, fields, sizeof(fields) / sizeof(fields[0]));
	json_array_foreach(json_object_get(o, "registration"), i,
		one) ctl_print_fields(one, registration_fields,
		sizeof(registration_fields) / sizeof(registration_fields[0]));
}

static int judge(const struct ctl *ctl, const struct ctl_trust *t,
	const struct trust_snapshot *trust, const struct cert_list *list)
{
	struct trust_result result;
	STACK_OF(X509) *rest = sk_X509_new_null();
	for (size_t i = 1; rest && i < list->n; i++)
		sk_X509_push(rest, list->cert[i]);
	/* Who comes to CAPF wants a certificate, and may want nothing else. */
	bool capf = t->store && t->store != t->said;
	trust_verify_for(capf ? TRUST_ENROL : TRUST_REGISTER, trust,
		list->cert[0], rest, time(NULL), &result);
	sk_X509_free(rest);
	json_t *o = describe(&result, list->cert[0]);
	if (asks_admission(t, &result))
		ask_admission(ctl, &result, o);
	if (ctl->json)
		ctl_print_json(o);
	else
		print(o);
	bool good = result.verdict == TRUST_OK &&
		    !is_refused(json_object_get(o, "registration"));
	json_decref(o);
	return good ? CTL_OK : CTL_FAILED;
}

/* The folder may say other things than the set in force. */
static void compare(const struct ctl_trust *t, const struct trust_snapshot *s)
{
	if (t->store && strcmp(ctl_text(t->store, "fingerprint"),
				trust_snapshot_fingerprint(s)) != 0)
		say("warning: the folder has changed since the "
		    "registrar read it; this is what it says now. Reload: "
		    "dialtone trust reload, or SIGHUP.");
}

int ctl_trust_check(const struct ctl *ctl, int argc, char **argv)
{
	const char *file = NULL, *store = NULL;
	struct trust_snapshot *trust = NULL;
	struct cert_list list = {0};
	struct ctl_trust t;
	struct diag d;
	int status = ctl_trust_words(ctl, argc, argv, &store, &file);
	if (status == CTL_OK && !file)
		status = ctl_misused(ctl);
	if (status != CTL_OK)
		return status;
	status = ctl_trust_open(ctl, store, &t);
	if (status == CTL_OK)
		status = ctl_trust_read(&t, &trust);
	if (status == CTL_OK && cert_pem_read(file, &list, &d) < 0)
		status = ctl_trust_complain(&d);
	if (status == CTL_OK) {
		compare(&t, trust);
		status = judge(ctl, &t, trust, &list);
	}
	cert_list_deinit(&list);
	trust_snapshot_unref(trust);
	ctl_trust_close(&t);
	return status;
}

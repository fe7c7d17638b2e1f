/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone trust show: all that is known of one CA. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/x509v3.h>

#include "registrar/ctl/say.h"
#include "registrar/ctl/trust.h"
#include "trust/revocation.h"
#include "trust/waiver.h"

enum {
	SHA256_LEAST = 8, /* hex digits that name an anchor */
	DAY_S = 86400,
};

static const struct ctl_column fields[] = {
	{"anchor", "file"},
	{"  line", "line"},
	{"subject", "subject"},
	{"issuer", "issuer"},
	{"  its file", "issuedBy"},
	{"known as", "knownAs"},
	{"serial", "serial"},
	{"key", "key"},
	{"signed with", "signature"},
	{"begins", "notBefore"},
	{"ends", "notAfter"},
	{"SHA-256", "sha256"},
	{"SHA-1", "sha1"},
	{"key id", "keyId"},
	{"issuer's key id", "issuerKeyId"},
	{"issues", "issues"},
	{"allows", "allows"},
	{"enrol only", "enrolOnly"},
	{"retiring", "retiring"},
	{"expired grace, days", "expiredGraceDays"},
	{"usable", "usable"},
	{"  why not", "unusableWhy"},
	{"others of its name", "twins"},
	{"its CRLs", "crls"},
	{"devices", "devices"},
	{"in force", "inForce"},
};

static void put_hex(json_t *o, const char *key, const ASN1_OCTET_STRING *id)
{
	if (!id)
		return;
	char *text = OPENSSL_buf2hexstr(
		ASN1_STRING_get0_data(id), ASN1_STRING_length(id));
	ctl_set_text(o, key, text);
	OPENSSL_free(text);
}

static void put_time(json_t *o, const char *key, time_t t)
{
	char at[21];
	cert_time_text(t, at);
	ctl_set_text(o, key, at);
}

static json_t *place(const char *file, int line)
{
	char text[300];
	snprintf(text, sizeof(text), line ? "%s:%d" : "%s", file, line);
	return json_string(text);
}

/* Itself, the anchor here that issued it, or nothing. */
static const struct trust_anchor *issuer_of(
	const struct trust_snapshot *s, const struct trust_anchor *a)
{
	size_t n;
	const struct trust_anchor *all = trust_snapshot_anchors(s, &n);
	for (size_t i = 0; i < n; i++)
		if (X509_check_issued(all[i].cert, a->cert) == X509_V_OK &&
			X509_verify(a->cert, X509_get0_pubkey(all[i].cert)) ==
				1)
			return &all[i];
	return NULL;
}

static void put_issuer(
	json_t *o, const struct trust_snapshot *s, const struct trust_anchor *a)
{
	const struct trust_anchor *issuer = issuer_of(s, a);
	json_t *said = issuer == a ? json_string("itself")
		       : issuer	   ? place(issuer->file, issuer->line)
				   : json_string("not here, which is no fault");
	json_object_set_new(o, "issuedBy", said);
}

/* Other CAs of one name, as when a CAPF was regenerated. */
static json_t *twins_of(
	const struct trust_snapshot *s, const struct trust_anchor *a)
{
	size_t n;
	const struct trust_anchor *all = trust_snapshot_anchors(s, &n);
	json_t *twins = json_array();
	for (size_t i = 0; i < n; i++)
		if (&all[i] != a &&
			X509_NAME_cmp(X509_get_subject_name(all[i].cert),
				X509_get_subject_name(a->cert)) == 0)
			json_array_append_new(
				twins, place(all[i].file, all[i].line));
	return twins;
}

static json_t *crls_of(
	const struct trust_snapshot *s, const struct trust_anchor *a)
{
	const struct trust_revocation *r = trust_snapshot_revocation(s);
	json_t *crls = json_array();
	for (size_t i = 0; i < trust_revocation_count(r); i++) {
		const struct trust_crl *crl = trust_revocation_at(r, i);
		if (strcmp(crl->issuer, a->id.subject) == 0)
			json_array_append_new(crls, json_string(crl->file));
	}
	return crls;
}

json_t *ctl_trust_anchor_json(const struct trust_anchor *a)
{
	json_t *o = json_object();
	ctl_set_text(o, "file", a->file);
	json_object_set_new(o, "line", json_integer(a->line));
	ctl_set_text(o, "subject", a->id.subject);
	ctl_set_text(o, "issuer", a->id.issuer);
	ctl_set_text(o, "knownAs", a->known_as);
	ctl_set_text(o, "serial", a->id.serial);
	ctl_set_text(o, "key", a->id.key);
	ctl_set_text(
		o, "signature", OBJ_nid2ln(X509_get_signature_nid(a->cert)));
	if (a->id.times_ok) {
		put_time(o, "notBefore", a->id.not_before);
		put_time(o, "notAfter", a->id.not_after);
	}
	ctl_set_text(o, "sha256", a->id.sha256);
	ctl_set_text(o, "sha1", a->id.sha1);
	put_hex(o, "keyId", X509_get0_subject_key_id(a->cert));
	put_hex(o, "issuerKeyId", X509_get0_authority_key_id(a->cert));
	ctl_set_text(o, "issues", cert_kind_name(a->kind));
	ctl_set_text(o, "allows", trust_waiver_text(a->allows));
	json_object_set_new(
		o, "allowNotCritical", json_boolean(a->allow_not_critical));
	json_object_set_new(o, "enrolOnly", json_boolean(a->enrol_only));
	json_object_set_new(o, "retiring", json_boolean(a->retiring));
	json_object_set_new(
		o, "expiredGraceDays", json_integer(a->grace_s / DAY_S));
	json_object_set_new(o, "usable", json_boolean(a->usable));
	ctl_set_text(o, "unusableWhy", a->unusable_why);
	return o;
}

/* What the registrar alone knows of it. */
static void put_in_force(json_t *o, const struct ctl_trust *t)
{
	size_t i;
	json_t *a;
	bool found = false;
	if (!t->store)
		return;
	json_array_foreach(json_object_get(t->store, "list"), i, a)
	{
		if (strcmp(ctl_text(a, "sha256"), ctl_text(o, "sha256")) != 0)
			continue;
		found = true;
		json_object_set(o, "devices", json_object_get(a, "devices"));
	}
	json_object_set_new(o, "inForce", json_boolean(found));
}

static bool is_named(const struct trust_anchor *a, const char *word)
{
	size_t n = strlen(word);
	return strcmp(a->file, word) == 0 ||
	       (n >= SHA256_LEAST && strncasecmp(a->id.sha256, word, n) == 0);
}

static json_t *named(const struct ctl_trust *t, const struct trust_snapshot *s,
	const char *word)
{
	size_t n;
	const struct trust_anchor *all = trust_snapshot_anchors(s, &n);
	json_t *found = json_array();
	for (size_t i = 0; i < n; i++) {
		if (!is_named(&all[i], word))
			continue;
		json_t *o = ctl_trust_anchor_json(&all[i]);
		put_issuer(o, s, &all[i]);
		json_object_set_new(o, "twins", twins_of(s, &all[i]));
		json_object_set_new(o, "crls", crls_of(s, &all[i]));
		put_in_force(o, t);
		json_array_append_new(found, o);
	}
	return found;
}

static int show(const struct ctl *ctl, const struct ctl_trust *t,
	const struct trust_snapshot *s, const char *word)
{
	size_t i;
	json_t *o, *found = named(t, s, word);
	int status = json_array_size(found) ? CTL_OK : CTL_FAILED;
	if (status != CTL_OK)
		say("%s: no CA of that file name or SHA-256 is "
		    "in it: %s; see dialtone trust list",
			t->folder, word);
	else if (ctl->json)
		ctl_print_json(found);
	else
		json_array_foreach(found, i, o)
		{
			if (i)
				putchar('\n');
			ctl_print_fields(
				o, fields, sizeof(fields) / sizeof(fields[0]));
		}
	json_decref(found);
	return status;
}

int ctl_trust_show(const struct ctl *ctl, int argc, char **argv)
{
	const char *store = NULL, *word = NULL;
	struct trust_snapshot *s = NULL;
	struct ctl_trust t;
	int status = ctl_trust_words(ctl, argc, argv, &store, &word);
	if (status != CTL_OK)
		return status;
	if (!word)
		return ctl_misused(ctl);
	status = ctl_trust_open(ctl, store, &t);
	if (status == CTL_OK)
		status = ctl_trust_read(&t, &s);
	if (status == CTL_OK)
		status = show(ctl, &t, s, word);
	trust_snapshot_unref(s);
	ctl_trust_close(&t);
	return status;
}

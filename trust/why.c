/* SPDX-License-Identifier: Apache-2.0 */
/* Says in one sentence why a certificate was refused. */
#include "trust/why.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/x509v3.h>

#include "certs/text.h"
#include "trust/form.h"

enum {
	KEY_ID_MAX = 20, /* bytes of a key id that are shown */
	KEY_ID_TEXT = 3 * KEY_ID_MAX + 1,
};

/* A sentence under way; longer ones are cut. */
struct sentence {
	char text[4096];
	size_t n;
};

static void say(struct sentence *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(struct sentence *s, const char *format, ...)
{
	size_t room = sizeof(s->text) - s->n;
	va_list args;
	va_start(args, format);
	int n = vsnprintf(s->text + s->n, room, format, args);
	va_end(args);
	if (n > 0)
		s->n += (size_t)n < room ? (size_t)n : room - 1;
}

/* "AB:CD:..", or "none". */
static void key_id_text(const ASN1_OCTET_STRING *id, char out[KEY_ID_TEXT])
{
	int n = id ? ASN1_STRING_length(id) : 0;
	int last = (n < KEY_ID_MAX ? n : KEY_ID_MAX) - 1;
	snprintf(out, KEY_ID_TEXT, "none");
	for (int i = 0; i <= last; i++)
		snprintf(out + 3 * (size_t)i, 4, "%02X%s",
			ASN1_STRING_get0_data(id)[i], i < last ? ":" : "");
}

/* Everything a sentence may need. */
struct offence {
	const struct trust_snapshot *snapshot;
	X509 *leaf;
	X509 *cert; /* the one that was refused: the leaf, or one above */
	struct cert_identity id; /* of cert */
	time_t now;
	struct trust_result *result;
};

static void say_same_name(struct sentence *s, const struct offence *o)
{
	size_t n = 0;
	const struct trust_anchor *anchor =
		trust_snapshot_anchors(o->snapshot, &n);
	const X509_NAME *name = X509_get_issuer_name(o->leaf);
	for (size_t i = 0; i < n; i++) {
		X509 *ca = anchor[i].cert;
		if (X509_NAME_cmp(X509_get_subject_name(ca), name) != 0)
			continue;
		char key[KEY_ID_TEXT];
		key_id_text(X509_get0_subject_key_id(ca), key);
		say(s,
			"; a CA of that name but with another key is there "
			"(%s, key id %s): it was regenerated under the same "
			"name",
			anchor[i].file, key);
		if (o->result->x509_error == X509_V_ERR_CERT_SIGNATURE_FAILURE)
			say(s, ", or this certificate is damaged");
		return;
	}
}

static void say_unknown_ca(struct sentence *s, const struct offence *o)
{
	char issuer[512];
	char key[KEY_ID_TEXT];
	char missing[sizeof(issuer) + sizeof(key) + 16];
	cert_name_text(X509_get_issuer_name(o->leaf), issuer, sizeof(issuer));
	key_id_text(X509_get0_authority_key_id(o->leaf), key);
	snprintf(missing, sizeof(missing), "%s, key id %s", issuer, key);
	cert_text_clean(missing, strlen(missing), o->result->missing_ca,
		sizeof(o->result->missing_ca));
	say(s, ": %s", missing);
	say_same_name(s, o);
	if (o->cert != o->leaf)
		say(s,
			"; the chain it sent ends at %s, whose issuer is not "
			"there either",
			o->id.subject);
}

static void say_dates(struct sentence *s, const struct offence *o)
{
	char from[21], to[21], now[21];
	cert_time_text(o->id.not_before, from);
	cert_time_text(o->id.not_after, to);
	cert_time_text(o->now, now);
	say(s, ": valid from %s to %s, and it is %s", from, to, now);
}

static void say_digest(struct sentence *s, const struct offence *o)
{
	int level = trust_snapshot_policy(o->snapshot)->auth_level;
	int nid = X509_get_signature_nid(o->cert);
	const char *name = OBJ_nid2ln(nid);
	say(s, ": %s, which auth level %d does not allow",
		name ? name : "unknown", level);
}

static void say_extension(struct sentence *s, const struct offence *o)
{
	for (int i = 0; i < X509_get_ext_count(o->cert); i++) {
		X509_EXTENSION *e = X509_get_ext(o->cert, i);
		if (!X509_EXTENSION_get_critical(e) ||
			X509_supported_extension(e))
			continue;
		char oid[80];
		OBJ_obj2txt(oid, sizeof(oid), X509_EXTENSION_get_object(e), 1);
		say(s, ": %s", oid);
		return;
	}
}

static void say_purpose(struct sentence *s, const struct offence *o)
{
	uint32_t extended = X509_get_extended_key_usage(o->cert);
	if (cert_is_ca(o->cert))
		say(s, ": it is a CA certificate");
	else if (extended != UINT32_MAX && !(extended & XKU_SSL_CLIENT))
		say(s, ": its extended key usage lacks clientAuth");
	else
		say(s, ": its key usage lacks digitalSignature");
}

static void say_bad_ca(struct sentence *s, const struct offence *o)
{
	const struct trust_anchor *anchor =
		trust_snapshot_find(o->snapshot, o->id.sha256_raw);
	const char *form = trust_form_ca(o->cert);
	if (o->result->x509_error != X509_V_ERR_INVALID_CA)
		say(s, ": %s",
			X509_verify_cert_error_string(o->result->x509_error));
	else if (anchor && !anchor->usable)
		say(s, ": %s", anchor->unusable_why);
	else
		say(s, ": it %s", form ? form : "is no CA");
}

static void say_detail(struct sentence *s, const struct offence *o)
{
	switch (o->result->verdict) {
	case TRUST_UNKNOWN_CA:
		say_unknown_ca(s, o);
		break;
	case TRUST_EXPIRED:
	case TRUST_ISSUER_EXPIRED:
	case TRUST_NOT_YET_VALID:
		say_dates(s, o);
		break;
	case TRUST_WEAK_KEY:
		say(s, ": %s, which auth level %d does not allow", o->id.key,
			trust_snapshot_policy(o->snapshot)->auth_level);
		break;
	case TRUST_WEAK_DIGEST:
		say_digest(s, o);
		break;
	case TRUST_BAD_EXTENSION:
		say_extension(s, o);
		break;
	case TRUST_WRONG_PURPOSE:
		say_purpose(s, o);
		break;
	case TRUST_BAD_SIGNATURE:
		say(s, ": issuer %s", o->id.issuer);
		break;
	case TRUST_UNREADABLE:
		if (!X509_get0_pubkey(o->leaf)) {
			say(s, ": its public key cannot be read");
			break;
		}
		say(s, ": %s",
			X509_verify_cert_error_string(o->result->x509_error));
		break;
	case TRUST_REVOKED:
		say(s, ": %s, serial number %s", o->result->why, o->id.serial);
		break;
	case TRUST_BAD_CHAIN:
		say_bad_ca(s, o);
		break;
	case TRUST_BAD_FORM:
		say(s, ": it %s", trust_form_leaf(o->leaf));
		break;
	case TRUST_ENROL_ONLY:
		say(s, ": %s", o->id.issuer);
		break;
	case TRUST_OK:
	case TRUST_NO_CERTIFICATE:
	case TRUST_SELF_SIGNED:
	case TRUST_BAD_DATES:
	case TRUST_VERDICTS:
		break;
	}
}

static const char *name_of(const struct cert_identity *id)
{
	return id->cn[0] ? id->cn : id->subject;
}

void trust_why(const struct trust_snapshot *snapshot, X509 *leaf,
	X509_STORE_CTX *ctx, time_t now, struct trust_result *result)
{
	struct sentence s = {.n = 0};
	const char *text = trust_verdict_text(result->verdict);
	if (!result->cure[0])
		snprintf(result->cure, sizeof(result->cure), "%s",
			trust_verdict_cure(result->verdict));
	struct offence o = {.snapshot = snapshot,
		.leaf = leaf,
		.cert = leaf,
		.now = now,
		.result = result};
	if (!leaf) {
		snprintf(result->why, sizeof(result->why), "%s", text);
		return;
	}
	cert_identity_read(leaf, &o.id);
	say(&s, "%s: ", name_of(&o.id));
	X509 *above = ctx && result->depth > 0
			      ? X509_STORE_CTX_get_current_cert(ctx)
			      : NULL;
	if (above) {
		o.cert = above;
		cert_identity_read(above, &o.id);
	}
	say(&s, "%s", text);
	if (above && result->verdict != TRUST_UNKNOWN_CA)
		say(&s, " (said of the CA %s above it)", name_of(&o.id));
	say_detail(&s, &o);
	cert_text_clean(s.text, s.n, result->why, sizeof(result->why));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Judges one CA certificate of the folder as an anchor. */
#include "trust/anchor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "certs/must.h"
#include "certs/text.h"
#include "trust/cisco.h"
#include "trust/form.h"
#include "trust/waiver.h"

static bool is_of(const struct trust_anchor_policy *row, const char *file,
	const char *sha256)
{
	return strcmp(row->name, file) == 0 || strcmp(row->name, sha256) == 0;
}

/* Takes over what the policy says of it by this file's name or its
 * fingerprint; answers the kind that it has there. */
static enum cert_kind apply(struct trust_anchor *anchor, const char *file,
	const struct trust_policy *policy)
{
	enum cert_kind kind = CERT_KIND_UNKNOWN;
	for (size_t i = 0; i < policy->n_anchors; i++) {
		const struct trust_anchor_policy *row = &policy->anchors[i];
		if (!is_of(row, file, anchor->id.sha256))
			continue;
		if (kind == CERT_KIND_UNKNOWN)
			kind = row->kind;
		anchor->allows |= row->allows;
		anchor->allow_not_critical |= row->allow_not_critical;
		anchor->enrol_only |= row->enrol_only;
		anchor->retiring |= row->retiring;
		if (anchor->grace_s < row->grace_s)
			anchor->grace_s = row->grace_s;
	}
	return kind;
}

/* A CAPF's leaves are our phones; any other's are at most Cisco's, the kind
 * that admits least. */
static enum cert_kind kind_by_name(const struct trust_anchor *anchor)
{
	if (anchor->known_as || strncmp(anchor->id.cn, "CAPF-", 5) != 0)
		return CERT_KIND_MIC;
	return CERT_KIND_LSC;
}

void trust_anchor_judge(
	struct trust_anchor *anchor, const struct trust_policy *policy)
{
	X509 *cert = anchor->cert;
	EVP_PKEY *key = X509_get0_pubkey(cert);
	const char *why = "";
	const char *form =
		anchor->kind == CERT_KIND_LSC ? trust_form_ca(cert) : NULL;
	char weak[128], bad[128];
	snprintf(weak, sizeof(weak),
		"its key, %s, is too short for auth level %d", anchor->id.key,
		policy->auth_level);
	snprintf(bad, sizeof(bad), "it %s", form ? form : "");
	if (form == trust_form_not_critical && anchor->allow_not_critical)
		form = NULL;
	if (!anchor->id.times_ok)
		why = "its validity dates are not valid DER times, so nothing "
		      "can be verified under it";
	else if (!key)
		why = "its public key cannot be read";
	else if (EVP_PKEY_get_security_bits(key) <
		 trust_level_bits(policy->auth_level))
		why = weak;
	else if (X509_get_extension_flags(cert) & EXFLAG_CRITICAL)
		why = "it has a critical extension that we do not know";
	else if (X509_check_purpose(cert, X509_PURPOSE_SSL_CLIENT, 1) != 1)
		why = "its key usage does not let it issue TLS client "
		      "certificates";
	else if (form)
		why = bad;
	anchor->usable = !*why;
	snprintf(anchor->unusable_why, sizeof(anchor->unusable_why), "%s", why);
}

/* Why it can be no anchor, judged by its form alone. */
static enum cert_rule rule_of_form(X509 *cert)
{
	/* Also fills in what OpenSSL caches of it: nothing changes later. */
	if (X509_check_purpose(cert, -1, 0) != 1)
		return CERT_RULE_BAD_EXTENSIONS;
	if (X509_get_version(cert) != X509_VERSION_3)
		return CERT_RULE_NOT_V3;
	uint32_t flags = X509_get_extension_flags(cert);
	if (flags & EXFLAG_CA)
		return CERT_RULE_NONE;
	/* Without key usage, every bit of it is set. */
	return flags & EXFLAG_BCONS ||
			       !(X509_get_key_usage(cert) & KU_KEY_CERT_SIGN)
		       ? CERT_RULE_LEAF
		       : CERT_RULE_NO_CA_TRUE;
}

enum cert_rule trust_anchor_init(struct trust_anchor *anchor, X509 *cert,
	const char *file, int line, const struct trust_policy *policy)
{
	enum cert_rule rule = rule_of_form(cert);
	if (rule)
		return rule;
	struct trust_anchor a = {.cert = cert, .line = line};
	if (cert_identity_read(cert, &a.id))
		return CERT_RULE_NAMELESS;
	char clean[NAME_MAX + 1];
	cert_text_clean(file, strlen(file), clean, sizeof(clean));
	a.file = cert_must(strdup(clean));
	a.known_as = trust_cisco_name(a.id.sha256);
	a.kind = apply(&a, file, policy);
	a.kind_said = a.kind != CERT_KIND_UNKNOWN;
	if (!a.kind_said)
		a.kind = kind_by_name(&a);
	X509_up_ref(cert);
	*anchor = a;
	return CERT_RULE_NONE;
}

enum cert_rule trust_anchor_meet(struct trust_anchor *anchor, const char *file,
	const struct trust_policy *policy)
{
	enum cert_kind kind = apply(anchor, file, policy);
	if (kind == CERT_KIND_UNKNOWN)
		return CERT_RULE_NONE;
	if (anchor->kind_said && anchor->kind != kind)
		return CERT_RULE_TWO_KINDS;
	anchor->kind = kind;
	anchor->kind_said = true;
	return CERT_RULE_NONE;
}

void trust_anchor_deinit(struct trust_anchor *anchor)
{
	free(anchor->file);
	X509_free(anchor->cert);
	*anchor = (struct trust_anchor){0};
}

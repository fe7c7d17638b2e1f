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
#include "trust/waiver.h"

static bool is_of(const struct trust_anchor_policy *row, const char *file,
	const char *sha256)
{
	return strcmp(row->name, file) == 0 || strcmp(row->name, sha256) == 0;
}

enum cert_kind trust_anchor_policy_kind(
	const struct trust_policy *policy, const char *file, const char *sha256)
{
	for (size_t i = 0; i < policy->n_anchors; i++) {
		const struct trust_anchor_policy *row = &policy->anchors[i];
		if (row->kind != CERT_KIND_UNKNOWN && is_of(row, file, sha256))
			return row->kind;
	}
	return CERT_KIND_UNKNOWN;
}

unsigned trust_anchor_policy_allows(
	const struct trust_policy *policy, const char *file, const char *sha256)
{
	unsigned allows = 0;
	for (size_t i = 0; i < policy->n_anchors; i++)
		if (is_of(&policy->anchors[i], file, sha256))
			allows |= policy->anchors[i].allows;
	return allows;
}

/* A CAPF's leaves are our phones; any other's are at most Cisco's, the kind
 * that admits least. */
static enum cert_kind kind_of(
	const struct trust_anchor *anchor, const struct trust_policy *policy)
{
	enum cert_kind kind = trust_anchor_policy_kind(
		policy, anchor->file, anchor->id.sha256);
	if (kind != CERT_KIND_UNKNOWN)
		return kind;
	if (anchor->known_as || strncmp(anchor->id.cn, "CAPF-", 5) != 0)
		return CERT_KIND_MIC;
	return CERT_KIND_LSC;
}

static void judge_use(
	struct trust_anchor *anchor, const struct trust_policy *policy)
{
	X509 *cert = anchor->cert;
	EVP_PKEY *key = X509_get0_pubkey(cert);
	const char *why = "";
	char weak[128];
	snprintf(weak, sizeof(weak),
		"its key, %s, is too short for auth level %d", anchor->id.key,
		policy->auth_level);
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
	anchor->usable = !*why;
	snprintf(anchor->unusable_why, sizeof(anchor->unusable_why), "%s", why);
}

const char *trust_anchor_init(struct trust_anchor *anchor, X509 *cert,
	const char *file, int line, const struct trust_policy *policy)
{
	/* Also fills in what OpenSSL caches of it: nothing changes later. */
	if (X509_check_purpose(cert, -1, 0) != 1)
		return "a certificate with extensions that cannot be read";
	if (!(X509_get_extension_flags(cert) & EXFLAG_CA))
		return "not a CA certificate (no CA:TRUE): each certificate "
		       "here is an anchor, and this one must not vouch for "
		       "any; store its issuer instead";
	struct trust_anchor a = {.cert = cert, .line = line};
	if (cert_identity_read(cert, &a.id))
		return "a CA certificate without a readable subject or serial "
		       "number";
	char clean[NAME_MAX + 1];
	cert_text_clean(file, strlen(file), clean, sizeof(clean));
	a.file = cert_must(strdup(clean));
	a.known_as = trust_cisco_name(a.id.sha256);
	a.kind = kind_of(&a, policy);
	a.allows = trust_anchor_policy_allows(policy, a.file, a.id.sha256);
	judge_use(&a, policy);
	X509_up_ref(cert);
	*anchor = a;
	return NULL;
}

void trust_anchor_deinit(struct trust_anchor *anchor)
{
	free(anchor->file);
	X509_free(anchor->cert);
	*anchor = (struct trust_anchor){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Would a phone with a certificate of that CA still come in here? */
#include "registrar/capf/believe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "trust/verify.h"

static const char own_name[] = "CAPF-";

static int distrust(enum trust_store store, const struct trust_result *r,
	const struct cert_identity *id, struct diag *d)
{
	const char *cure = *r->missing_ca
				   ? "put the certificate of the CA that signs "
				     "into both trust folders, with \"kind\": "
				     "\"lsc\" in trust.anchors"
				   : r->cure;
	return diag_refuse(d, trust_verdict_name(r->verdict), -EPERM,
		"%.60s: the phone would be locked out, as %s would not "
		"believe it: %.200s; %.140s",
		id->subject, trust_store_title(store), r->why, cure);
}

static int judge(enum trust_store store, const struct trust_snapshot *s,
	X509 *cert, time_t now, struct diag *d)
{
	struct trust_result r;
	struct cert_identity id;
	cert_identity_read(cert, &id);
	trust_verify_for(store == STORE_CAPF ? TRUST_ENROL : TRUST_REGISTER, s,
		cert, NULL, now, &r);
	if (r.verdict != TRUST_OK)
		return distrust(store, &r, &id, d);
	if (r.kind == CERT_KIND_LSC)
		return 0;
	return diag_refuse(d, "not-an-lsc", -EPERM,
		"%.100s: the phone would be locked out, as %s takes what that "
		"CA issues for MICs: write \"trust\": {\"anchors\": {\"%s\": "
		"{\"kind\": \"lsc\"}}} into the configuration, and start "
		"dialtoned anew",
		id.subject, trust_store_title(store), r.anchor->file);
}

int capf_believe(
	const struct capf_believers *by, X509 *cert, time_t now, struct diag *d)
{
	int error = 0;
	for (int i = 0; i < TRUST_STORES && !error; i++) {
		struct trust_snapshot *s =
			by->trust(by->self, (enum trust_store)i);
		if (s)
			error = judge((enum trust_store)i, s, cert, now, d);
		trust_snapshot_unref(s);
	}
	return error;
}

static bool has_issuer(const struct trust_snapshot *s)
{
	size_t n;
	const struct trust_anchor *a = trust_snapshot_anchors(s, &n);
	for (size_t i = 0; i < n; i++)
		if (a[i].kind == CERT_KIND_LSC && a[i].usable &&
			!strstr(a[i].id.cn, own_name))
			return true;
	return false;
}

int capf_believe_any(const struct capf_believers *by, struct diag *d)
{
	for (int i = 0; i < TRUST_STORES; i++) {
		enum trust_store store = (enum trust_store)i;
		struct trust_snapshot *s = by->trust(by->self, store);
		bool good = !s || has_issuer(s);
		trust_snapshot_unref(s);
		if (!good)
			return diag_set(d, -ENOENT,
				"%s has no CA outside that issues LSCs, so "
				"that none of its certificates would be "
				"believed: put the certificate of the CA that "
				"signs there as FILE, and write \"trust\": "
				"{\"anchors\": {\"FILE\": {\"kind\": "
				"\"lsc\"}}} into the configuration",
				trust_store_title(store));
	}
	return 0;
}

void capf_believe_name(const X509 *cert, char *warning, size_t n)
{
	struct cert_identity id;
	cert_identity_read(cert, &id);
	if (!n)
		return;
	warning[0] = '\0';
	if (strstr(id.issuer_cn, own_name))
		snprintf(warning, n,
			"the CA outside is named %.80s: phones take a name "
			"with %s in it for a CAPF's, so give the CA another",
			id.issuer_cn, own_name);
}

const char *capf_believe_root(
	const struct capf_believers *by, const uint8_t sha256[32])
{
	const char *lacks = NULL;
	for (int i = 0; i < TRUST_STORES && !lacks; i++) {
		enum trust_store store = (enum trust_store)i;
		struct trust_snapshot *s = by->trust(by->self, store);
		const struct trust_anchor *a =
			s ? trust_snapshot_find(s, sha256) : NULL;
		if (s && (!a || !a->usable ||
				 (store == STORE_CALLMANAGER && a->enrol_only)))
			lacks = trust_store_title(store);
		trust_snapshot_unref(s);
	}
	return lacks;
}

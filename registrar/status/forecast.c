/* SPDX-License-Identifier: Apache-2.0 */
/* What will end, who is leaving a CA, who was locked out: as JSON. */
#include "registrar/status/forecast.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "registrar/impact.h"
#include "trust/revocation.h"

enum { DAY_S = 86400 };

static json_t *time_json(int64_t unix_s)
{
	char at[21];
	cert_time_text((time_t)unix_s, at);
	return json_string(at);
}

/* ---- what ends when ---- */

/* The object of that month, made in its place if it is not there. */
static json_t *month_of(json_t *months, int month)
{
	char name[32];
	size_t i = 0;
	snprintf(name, sizeof(name), "%04d-%02d", month / 12, month % 12 + 1);
	for (; i < json_array_size(months); i++) {
		json_t *o = json_array_get(months, i);
		int order = strcmp(
			json_string_value(json_object_get(o, "month")), name);
		if (order == 0)
			return o;
		if (order > 0)
			break;
	}
	json_t *fresh = json_pack("{ss s[] s[] si si}", "month", name, "cas",
		"crls", "lsc", 0, "mic", 0);
	json_array_insert_new(months, i, fresh);
	return fresh;
}

static void add_certificates(json_t *months, const struct census *c)
{
	for (size_t i = 0; i < c->n_months; i++) {
		json_t *o = month_of(months, c->months[i].month);
		json_object_set_new(
			o, "lsc", json_integer((json_int_t)c->months[i].lsc));
		json_object_set_new(
			o, "mic", json_integer((json_int_t)c->months[i].mic));
	}
}

static void add_cas(json_t *months, enum trust_store store,
	const struct trust_snapshot *trust, const struct census *c)
{
	size_t n;
	const struct trust_anchor *list = trust_snapshot_anchors(trust, &n);
	for (size_t i = 0; i < n; i++) {
		const struct trust_anchor *a = &list[i];
		if (!a->id.times_ok)
			continue;
		json_t *o = month_of(months, census_month_of(a->id.not_after));
		size_t devices = census_depending(c, a->id.sha256_raw, a->file);
		json_array_append_new(json_object_get(o, "cas"),
			json_pack("{ss ss ss so sI}", "store",
				trust_store_title(store), "file", a->file,
				"subject", a->id.subject, "notAfter",
				time_json(a->id.not_after), "devices",
				(json_int_t)devices));
	}
}

/* Lists of revoked certificates in force: when the next one is due. */
static void add_crls(json_t *months, enum trust_store store,
	const struct trust_snapshot *trust, time_t now)
{
	const struct trust_revocation *r = trust_snapshot_revocation(trust);
	for (size_t i = 0; i < trust_revocation_count(r); i++) {
		const struct trust_crl *crl = trust_revocation_at(r, i);
		enum trust_crl_state state = trust_revocation_state(r, i, now);
		if (!crl->next_update || state == TRUST_CRL_SUPERSEDED ||
			state == TRUST_CRL_ORPHAN)
			continue;
		json_t *o = month_of(months, census_month_of(crl->next_update));
		json_array_append_new(json_object_get(o, "crls"),
			json_pack("{ss ss ss so ss}", "store",
				trust_store_title(store), "file", crl->file,
				"issuer", crl->issuer, "nextUpdate",
				time_json(crl->next_update), "state",
				trust_crl_state_name(state)));
	}
}

/* CAs that end within so many days. */
static json_int_t cas_within(
	const struct trust_snapshot *trust, int64_t now, int days)
{
	size_t n;
	const struct trust_anchor *list = trust_snapshot_anchors(trust, &n);
	json_int_t found = 0;
	for (size_t i = 0; i < n; i++) {
		int64_t left = list[i].id.not_after - now;
		found += list[i].id.times_ok && left >= 0 &&
			 left < (int64_t)days * DAY_S;
	}
	return found;
}

json_t *status_json_expiry(struct server *s)
{
	const struct census *c = impact_census(s);
	json_t *months = json_array();
	add_certificates(months, c);
	for (int i = 0; i < TRUST_STORES; i++) {
		struct trust_snapshot *trust =
			server_trust(s, (enum trust_store)i);
		if (trust) {
			add_cas(months, (enum trust_store)i, trust, c);
			add_crls(months, (enum trust_store)i, trust, c->at);
		}
		trust_snapshot_unref(trust);
	}
	json_t *o =
		json_pack("{so so}", "now", time_json(c->at), "months", months);
	impact_census_release(s);
	return o;
}

json_t *status_json_forecast(
	struct server *s, const struct trust_snapshot *trust)
{
	const struct census *c = impact_census(s);
	json_t *o = json_pack("{s{sI sI} s{sI sI}}", "within30Days", "cas",
		cas_within(trust, c->at, CENSUS_SOON), "certificates",
		(json_int_t)c->soon, "within90Days", "cas",
		cas_within(trust, c->at, CENSUS_LATER), "certificates",
		(json_int_t)c->later);
	impact_census_release(s);
	return o;
}

/* ---- who was locked out ---- */

json_t *status_json_locked_out(struct server *s, enum trust_store store)
{
	struct impact_told told = impact_told(s, store);
	if (!told.n.locked_out)
		return NULL;
	return json_pack("{so sI sI sI sI ss}", "since",
		time_json(told.since_ms / 1000), "lockedOut",
		(json_int_t)told.n.locked_out, "registered",
		(json_int_t)told.n.registered, "micPasses",
		(json_int_t)told.n.mic_passes, "notJudged",
		(json_int_t)told.n.not_judged, "byAnchor", told.anchors);
}

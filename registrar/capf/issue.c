/* SPDX-License-Identifier: Apache-2.0 */
/* Judges a phone's key, signs it into an LSC, keeps the ledger. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "certs/bearer_key.h"
#include "certs/lsc.h"
#include "registrar/capf/desk_inside.h"

enum {
	DAY_S = 86400,
	SERIAL_TRIES = 8, /* of 2^126; one is enough as long as chance is */
	FIRST_EC_VERSION = 3,
};

/* ---- may we, and what ---- */

enum capf_why capf_issue_wish(const struct config *config,
	const struct security_profile *profile, unsigned version,
	struct capf_key_wish *wish, char detail[CAPF_DETAIL_MAX + 1])
{
	enum { RSA_ONLY, EC_ONLY, EC_PREFERRED };
	if (profile->key_order == EC_ONLY && version < FIRST_EC_VERSION) {
		snprintf(detail, CAPF_DETAIL_MAX + 1,
			"profile %s wants EC keys alone, and the phone speaks "
			"CAPF version %u; set the profile's keyOrder to RSA "
			"only, or EC preferred",
			profile->name, version);
		return CAPF_WHY_NO_EC;
	}
	if (profile->key_order != RSA_ONLY && version >= FIRST_EC_VERSION) {
		*wish = (struct capf_key_wish){CAPF_KEY_EC, profile->ec_bits};
		return CAPF_WHY_NOTHING;
	}
	*wish = (struct capf_key_wish){CAPF_KEY_RSA, profile->rsa_bits};
	if ((wish->bits > 512 || config->capf_allow_rsa512) &&
		(wish->bits != 1024 || config->capf_allow_rsa1024))
		return CAPF_WHY_NOTHING;
	snprintf(detail, CAPF_DETAIL_MAX + 1,
		"profile %s wants RSA-%u keys, which are too weak; give the "
		"profile rsaBits 2048 or, where the phone can do no better, "
		"set capf.allow_rsa%u",
		profile->name, wish->bits, wish->bits);
	return CAPF_WHY_KEY_UNFIT;
}

/* ---- the ledger ---- */

int capf_issue_enter(struct capf_desk *desk, const struct capf_operation *o,
	const struct capf_made *made, char serial[CERT_SERIAL_MAX + 1],
	struct diag *d)
{
	struct cert_identity id;
	struct capf_issued i = {.state = CAPF_ISSUED_STALE};
	unsigned char *der = NULL;
	int n = i2d_X509(made->cert, &der);
	if (n <= 0 || cert_identity_read(made->cert, &id) < 0) {
		OPENSSL_free(der);
		return diag_set(d, -EINVAL, "the certificate cannot be read");
	}
	memcpy(i.serial, id.serial, sizeof(i.serial));
	memcpy(i.device, o->device, sizeof(i.device));
	memcpy(i.sha256, id.sha256_raw, sizeof(i.sha256));
	memcpy(i.key_sha256, made->key_sha256, sizeof(i.key_sha256));
	if (made->issuer)
		memcpy(i.issuer, made->issuer, sizeof(i.issuer));
	memcpy(i.issuer_cn, id.issuer_cn, sizeof(i.issuer_cn));
	memcpy(i.key, id.key, sizeof(i.key));
	memcpy(i.origin, o->origin, sizeof(i.origin));
	i.issued_at = capf_desk_now(desk);
	i.not_before = id.not_before;
	i.not_after = id.not_after;
	int error = capf_store_add_issued(desk->store, &i, der, (size_t)n, d);
	OPENSSL_free(der);
	if (error < 0)
		return error;
	memcpy(serial, i.serial, sizeof(i.serial));
	desk->changed = true;
	desk->issued_at = i.issued_at;
	/* Too many, if the commit fails: until they are counted again. */
	__atomic_add_fetch(&desk->stale, 1, __ATOMIC_RELAXED);
	return 0;
}

int capf_issue_deliver(struct capf_visit *v, struct capf_operation *o,
	enum desk_event event, const char *serial, struct diag *d)
{
	struct capf_desk *desk = v->desk;
	struct capf_issued i;
	size_t n;
	char detail[160];
	int error = capf_store_issued(desk->store, serial, &i, d);
	free(v->der);
	v->der = NULL;
	if (error == 0)
		error = capf_store_issued_der(
			desk->store, serial, &v->der, &n, d);
	if (error < 0)
		return error;
	memcpy(v->serial, i.serial, sizeof(v->serial));
	memcpy(o->serial, i.serial, sizeof(o->serial));
	o->why = CAPF_WHY_NOTHING;
	o->detail[0] = '\0';
	char until[21];
	cert_time_text((time_t)i.not_after, until);
	snprintf(detail, sizeof(detail), "%s, of %.64s, until %s", i.key,
		i.issuer_cn, until);
	struct desk_note note = capf_desk_note_of(v, event, i.serial, detail);
	error = capf_desk_put(desk, o, d);
	if (error == 0)
		error = capf_desk_audit(desk, &note, d);
	if (error < 0)
		return error;
	v->step = STEP_STORE;
	capf_visit_decided(v, &(struct capf_answer){
				      .what = CAPF_ANSWER_STORE,
				      .der = v->der,
				      .n = n,
				      .detail = "",
			      });
	return 0;
}

/* ---- our own root signs ---- */

static int sign(struct capf_visit *v, struct capf_operation *o,
	const struct capf_root *root, EVP_PKEY *key, struct diag *d)
{
	char serial[33];
	int64_t now = capf_desk_now(v->desk);
	int error = -EEXIST;
	for (int i = 0; error == -EEXIST && i < SERIAL_TRIES; i++) {
		const struct cert_lsc lsc = {
			.device = o->device,
			.key = key,
			.issuer = root->cert,
			.issuer_key = root->key,
			.serial = serial,
			.not_before = (time_t)(now - CAPF_BACKDATED_S),
			.not_after =
				(time_t)(now +
					 (int64_t)DAY_S *
						 v->desk->world.config
							 ->capf_validity_days),
		};
		X509 *cert;
		cert_serial_make(serial);
		error = cert_lsc_make(&lsc, &cert, d);
		if (error < 0)
			return capf_visit_refuse(
				v, o, CAPF_WHY_KEY_UNFIT, d->text, d);
		const struct capf_made made = {
			cert, v->key_sha256, root->id.sha256_raw};
		error = capf_issue_enter(v->desk, o, &made, v->serial, d);
		X509_free(cert);
	}
	return error ? error
		     : capf_issue_deliver(v, o, DESK_ISSUED, v->serial, d);
}

/* One of a clock that was ahead begins in years. */
bool capf_issue_is_valid(const struct capf_issued *i, int64_t now)
{
	return i->not_before <= now && now < i->not_after;
}

/* The same key again: the phone did not get, or did not keep, what this root
 * (NULL: a CA outside) made for it. 1: it was answered. */
static int again(struct capf_visit *v, struct capf_operation *o,
	const struct capf_root *root, struct diag *d)
{
	static const uint8_t outside[32];
	struct capf_issued i;
	int error = capf_store_stale(
		v->desk->store, o->device, v->key_sha256, &i, d);
	if (error == -ENOENT)
		return 0;
	if (error < 0)
		return error;
	if (!capf_issue_is_valid(&i, capf_desk_now(v->desk)) ||
		memcmp(i.issuer, root ? root->id.sha256_raw : outside, 32) != 0)
		return 0;
	error = capf_issue_deliver(v, o, DESK_AGAIN, i.serial, d);
	return error < 0 ? error : 1;
}

static int certify(struct capf_visit *v, struct capf_operation *o,
	struct capf_bytes spki, EVP_PKEY *key, struct diag *d)
{
	struct capf_desk *desk = v->desk;
	if (desk->world.config->capf_issuer != CONFIG_ISSUER_OWN) {
		int done = again(v, o, NULL, d);
		if (done)
			return done < 0 ? done : 0;
		EVP_PKEY_free(v->key);
		EVP_PKEY_up_ref(key);
		v->key = key;
		return capf_outside_ask(v, o, spki, d);
	}
	struct capf_roots *roots = capf_authority_roots(desk->world.authority);
	int done = again(v, o, &roots->signing, d);
	if (done == 0)
		done = sign(v, o, &roots->signing, key, d);
	capf_roots_unref(roots);
	return done < 0 ? done : 0;
}

int capf_issue_key(struct capf_visit *v, struct capf_operation *o,
	struct capf_bytes spki, struct diag *d)
{
	const struct config *config = v->desk->world.config;
	const struct cert_key_wish wish = {
		.ec = v->wish.type == CAPF_KEY_EC,
		.bits = v->wish.bits,
		.allow_e3 = config->capf_allow_exponent_3,
	};
	char why[CAPF_DETAIL_MAX + 1];
	EVP_PKEY *key = NULL;
	enum cert_bearer_key verdict =
		cert_bearer_key_check(spki.p, spki.n, &wish, &key, d);
	if (verdict != CERT_BEARER_KEY_OK) {
		snprintf(why, sizeof(why),
			"%s: %.300s; asked for was %s-%u: reset the phone, so "
			"that it makes another one",
			cert_bearer_key_name(verdict), d->text,
			wish.ec ? "EC" : "RSA", wish.bits);
		return capf_visit_refuse(v, o, CAPF_WHY_KEY_UNFIT, why, d);
	}
	SHA256(spki.p, spki.n, v->key_sha256);
	enum capf_why no = capf_issue_may(v->desk, capf_desk_now(v->desk), why);
	int error = no ? capf_visit_refuse(v, o, no, why, d)
		       : certify(v, o, spki, key, d);
	EVP_PKEY_free(key);
	return error;
}

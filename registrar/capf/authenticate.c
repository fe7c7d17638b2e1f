/* SPDX-License-Identifier: Apache-2.0 */
/* Is the phone that asks CAPF for something the one it says it is? */
#include "registrar/capf/authenticate.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "certs/must.h"
#include "certs/proof.h"
#include "certs/text.h"
#include "registrar/capf/secret.h"
#include "trust/verify.h"

/* Sets detail; answers why. */
static enum capf_why say(char *detail, enum capf_why why, const char *format,
	...) __attribute__((format(printf, 3, 4)));

static enum capf_why say(
	char *detail, enum capf_why why, const char *format, ...)
{
	char text[2 * CAPF_DETAIL_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	cert_text_clean(text, strlen(text), detail, CAPF_DETAIL_MAX + 1);
	return why;
}

/* ---- by string, and by none ---- */

/* A clock that was ahead when it was ordered must not open a door for years. */
#define BEYOND                                                          \
	"its %s would end at %s, later than in %s, which no order may " \
	"say: our clock was wrong then; order the operation again"

static const char *time_text(int64_t at, char text[21])
{
	cert_time_text((time_t)at, text);
	return text;
}

static enum capf_why wrong_string(const struct capf_examination *x,
	struct capf_operation *o, char *detail)
{
	o->wrong_strings++;
	if (o->wrong_strings < x->config->capf_string_tries)
		return say(detail, CAPF_WHY_WRONG_STRING,
			"wrong authentication string %u of "
			"capf.string_tries = %u; type the one of the "
			"installers' list",
			o->wrong_strings, x->config->capf_string_tries);
	capf_secret_void(o);
	o->state = CAPF_STATE_FAILED;
	return say(detail, CAPF_WHY_STRING_LOCKED,
		"%u wrong authentication strings, as many as "
		"capf.string_tries allows; order the operation again, with a "
		"new string",
		o->wrong_strings);
}

static enum capf_why by_string(const struct capf_examination *x,
	struct capf_operation *o, char *detail)
{
	const char *password = x->said->password;
	char until[21];
	if (!capf_secret_is_set(o))
		return say(detail, CAPF_WHY_STRING_LOCKED,
			"the operation's authentication string is void; order "
			"it again");
	if (x->now >= o->string_until)
		return say(detail, CAPF_WHY_STRING_EXPIRED,
			"its authentication string was good until %s; order "
			"the operation again",
			time_text(o->string_until, until));
	if (o->string_until - x->now > CAPF_STRING_MAX_S + CAPF_BACKDATED_S)
		return say(detail, CAPF_WHY_STRING_EXPIRED, BEYOND,
			"authentication string",
			time_text(o->string_until, until), "720 hours");
	if (!password || !*password)
		return say(detail, CAPF_WHY_NO_STRING,
			"it sent no authentication string, and the operation "
			"is by string; type it at the phone, or order the "
			"operation by another mode");
	if (!capf_secret_is(o, password))
		return wrong_string(x, o, detail);
	return say(detail, CAPF_WHY_NOTHING, "by authentication string");
}

static enum capf_why by_null(const struct capf_examination *x,
	const struct capf_operation *o, char *detail)
{
	char until[21];
	time_text(o->null_until, until);
	if (o->null_until - x->now > CAPF_NULL_MAX_S + CAPF_BACKDATED_S)
		return say(detail, CAPF_WHY_NULL_ENDED, BEYOND, "null string",
			until, "a day");
	if (x->now >= o->null_until)
		return say(detail, CAPF_WHY_NULL_ENDED,
			"it could come by null string until %s; order the "
			"operation again",
			until);
	return say(detail, CAPF_WHY_NOTHING, "by null string, until %s", until);
}

/* ---- by certificate ---- */

/* What the phone proved to have, and what came along. */
struct shown {
	X509 *cert, *sudi;
	struct cert_identity id;
	STACK_OF(X509) * others;
	char text[320]; /* who it is, for people */
};

static struct cert_bytes bytes(struct capf_bytes from)
{
	return (struct cert_bytes){from.p, from.n};
}

/* The chosen certificate is the first one as far as anybody has seen; of
 * several, the one that the proof is of. */
static enum cert_proof prove(
	const struct capf_examination *x, struct shown *shown)
{
	const struct capf_server_event *e = x->said;
	struct cert_proof_parts parts = {
		.device = e->device,
		.session = x->session,
		.sha1 = bytes(e->signed_data),
		.sha2 = bytes(e->sha2_signed_data),
		.sudi = bytes(e->sudi_data),
	};
	enum cert_proof first = CERT_PROOF_NO_CERTIFICATE;
	for (size_t i = 0; i < e->n_certs; i++) {
		parts.certificate = bytes(e->certs[i].der);
		enum cert_proof proof =
			cert_proof_check(&parts, &shown->cert, &shown->sudi);
		if (proof == CERT_PROOF_OK)
			return proof;
		if (i == 0)
			first = proof;
	}
	return first;
}

static void take_others(const struct capf_server_event *e, struct shown *shown)
{
	shown->others = cert_must(sk_X509_new_null());
	ERR_set_mark();
	for (size_t i = 0; i < e->n_certs; i++) {
		const unsigned char *at = e->certs[i].der.p;
		X509 *one = d2i_X509(NULL, &at, (long)e->certs[i].der.n);
		if (one && !sk_X509_push(shown->others, one))
			abort();
	}
	ERR_pop_to_mark();
}

static enum capf_why no_proof(const struct capf_examination *x,
	const struct capf_operation *o, enum cert_proof proof, char *detail)
{
	enum capf_why why = proof == CERT_PROOF_NO_CERTIFICATE ||
					    proof == CERT_PROOF_NO_SIGNATURE
				    ? CAPF_WHY_NO_PROOF
			    : proof == CERT_PROOF_BAD_SUDI ? CAPF_WHY_BAD_SUDI
							   : CAPF_WHY_BAD_PROOF;
	const unsigned char *der =
		x->said->n_certs ? x->said->certs[0].der.p : NULL;
	struct cert_identity id = {.subject = ""};
	ERR_set_mark();
	X509 *cert = der ? d2i_X509(NULL, &der, (long)x->said->certs[0].der.n)
			 : NULL;
	ERR_pop_to_mark();
	if (cert)
		cert_identity_read(cert, &id);
	X509_free(cert);
	return say(detail, why,
		"%s: %s%s%.120s%s%.40s; a phone that cannot prove a "
		"certificate has to come by null or authentication string "
		"(this operation is %s)",
		cert_proof_name(proof), cert_proof_text(proof),
		*id.subject ? "; it sent " : "", id.subject,
		*id.serial ? ", serial " : "", id.serial,
		capf_mode_cucm(o->mode));
}

/* Trust names the other store, where phones register. */
static void cure_of(const struct trust_result *result, char *cure, size_t n)
{
	if (result->verdict == TRUST_UNKNOWN_CA)
		snprintf(cure, n,
			"add that CA's file to CAPF-trust (dialtone trust add "
			"FILE --store capf), or order the operation by null "
			"or authentication string");
	else if (result->verdict == TRUST_EXPIRED)
		snprintf(cure, n,
			"order the operation by null or authentication "
			"string, and check our clock");
	else
		snprintf(cure, n, "%.200s", result->cure);
}

static enum capf_why not_trusted(enum capf_why why, const char *what,
	const struct trust_result *result, char *detail)
{
	char cure[256];
	cure_of(result, cure, sizeof(cure));
	if (result->verdict == TRUST_UNKNOWN_CA)
		return say(detail, why,
			"%s: %.200s; missing in CAPF-trust: %.120s; %s",
			trust_verdict_name(result->verdict), what,
			result->missing_ca, cure);
	return say(detail, why, "%s: %.120s; %.180s; %s",
		trust_verdict_name(result->verdict), what, result->why, cure);
}

static enum capf_why other_device(const struct capf_examination *x,
	const struct shown *shown, char *detail)
{
	return say(detail, CAPF_WHY_OTHER_DEVICE,
		"%s says it is %s and sent the certificate of %s: %s; give "
		"the phone its own name or, if it is that one, add %s to the "
		"inventory",
		x->said->device, x->said->device,
		*shown->id.device ? shown->id.device : "no device", shown->text,
		*shown->id.device ? shown->id.device : "the phone");
}

/* Specs capf 6: LSC, or MIC if the phone has no LSC; MIC, or LSC if it has no
 * MIC: as far as we know, for only the phone knows. */
static enum capf_why judge_precedence(const struct capf_examination *x,
	const struct capf_operation *o, enum cert_kind kind,
	const struct shown *shown, char *detail)
{
	if (o->mode == CAPF_MODE_LSC && kind != CERT_KIND_LSC && x->known.lsc)
		return say(detail, CAPF_WHY_PRECEDENCE,
			"it came with its MIC (%.200s), and has an LSC (%s), "
			"which goes first; if it lost that one, order the "
			"operation by mode mic, null or string",
			shown->text, x->known.how);
	if (o->mode == CAPF_MODE_MIC && kind != CERT_KIND_MIC && x->known.mic)
		return say(detail, CAPF_WHY_PRECEDENCE,
			"it came with its LSC (%.200s), and has a MIC, which "
			"goes first here; order the operation by mode lsc",
			shown->text);
	return say(detail, CAPF_WHY_NOTHING, "by its %s: %s",
		cert_kind_name(kind), shown->text);
}

static void describe(X509 *cert, struct cert_identity *id, char *text, size_t n)
{
	cert_identity_read(cert, id);
	snprintf(text, n, "%.110s, issued by %.110s, serial %.40s", id->subject,
		id->issuer, id->serial);
}

/* SUDI data that came must hold in whole, although it decides nothing: a
 * phone that sends what is not its own is none of ours. */
static enum capf_why judge_sudi(const struct capf_examination *x,
	const struct shown *shown, char *detail)
{
	struct cert_identity id;
	struct trust_result result;
	char text[sizeof(shown->text)];
	if (!shown->sudi)
		return CAPF_WHY_NOTHING;
	describe(shown->sudi, &id, text, sizeof(text));
	trust_verify_for(TRUST_ENROL, x->trust, shown->sudi, shown->others,
		(time_t)x->now, &result);
	if (result.verdict != TRUST_OK)
		return not_trusted(CAPF_WHY_BAD_SUDI, text, &result, detail);
	if (*id.device && !cert_device_equal(id.device, x->said->device))
		return say(detail, CAPF_WHY_BAD_SUDI,
			"its SUDI certificate is of %s: %s", id.device, text);
	return CAPF_WHY_NOTHING;
}

static enum capf_why judge(const struct capf_examination *x,
	const struct capf_operation *o, struct shown *shown, char *detail)
{
	struct trust_result result;
	enum cert_proof proof = prove(x, shown);
	if (proof != CERT_PROOF_OK)
		return no_proof(x, o, proof, detail);
	take_others(x->said, shown);
	describe(shown->cert, &shown->id, shown->text, sizeof(shown->text));
	trust_verify_for(TRUST_ENROL, x->trust, shown->cert, shown->others,
		(time_t)x->now, &result);
	if (result.verdict != TRUST_OK)
		return not_trusted(
			CAPF_WHY_NOT_TRUSTED, shown->text, &result, detail);
	if (!cert_device_equal(shown->id.device, x->said->device))
		return other_device(x, shown, detail);
	enum capf_why why = judge_sudi(x, shown, detail);
	return why ? why : judge_precedence(x, o, result.kind, shown, detail);
}

static enum capf_why by_certificate(const struct capf_examination *x,
	const struct capf_operation *o, char *detail)
{
	struct shown shown = {.cert = NULL};
	if (!x->trust)
		return say(detail, CAPF_WHY_NO_TRUST,
			"there is no CAPF-trust: name its folder in "
			"trust.capf, "
			"or order the operation by null or authentication "
			"string");
	enum capf_why why = judge(x, o, &shown, detail);
	sk_X509_pop_free(shown.others, X509_free);
	X509_free(shown.cert);
	X509_free(shown.sudi);
	return why;
}

enum capf_why capf_authenticate(const struct capf_examination *x,
	struct capf_operation *o, char detail[CAPF_DETAIL_MAX + 1])
{
	switch (o->mode) {
	case CAPF_MODE_STRING:
		return by_string(x, o, detail);
	case CAPF_MODE_NULL_STRING:
		return by_null(x, o, detail);
	case CAPF_MODE_LSC:
	case CAPF_MODE_MIC:
		return by_certificate(x, o, detail);
	}
	assert(!"an operation without a mode");
	return CAPF_WHY_NO_PROOF;
}

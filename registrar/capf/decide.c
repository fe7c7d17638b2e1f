/* SPDX-License-Identifier: Apache-2.0 */
/* What a phone's words come to: each step of a visit, and its records. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "registrar/capf/desk_inside.h"
#include "registrar/text.h"

enum {
	/* The same refusal of the same phone is one link, and there are so
	 * many in a minute: who comes again and again, or invents names, must
	 * not fill the disk. */
	REPEAT_S = 60,
	REFUSALS_PER_MIN = 600,
	STRANGERS_PER_MIN = 60,
	MINUTE_S = 60,
};

/* ---- refusals ---- */

enum capf_reason capf_visit_nothing(const struct capf_visit *v)
{
	switch (v->desk->world.config->capf_nothing_pending) {
	case CONFIG_NOTHING_0:
		return CAPF_REASON_NO_ACTION;
	case CONFIG_NOTHING_7:
		return CAPF_REASON_DECLINED;
	default: /* specs capf 10: what each shows as no failure */
		return v->version <= 2 ? CAPF_REASON_DECLINED
				       : CAPF_REASON_NO_ACTION;
	}
}

/* Into the chain, if there is room in this minute; the next link that finds
 * room says how many did not. */
static int audit_refusal(struct capf_visit *v, struct desk_note *note,
	struct desk_allowance *a, unsigned most, struct diag *d)
{
	int64_t minute = capf_desk_now(v->desk) / MINUTE_S;
	if (a->minute != minute)
		*a = (struct desk_allowance){minute, 0, a->more};
	if (a->told >= most) {
		a->more++;
		return 0;
	}
	a->told++;
	size_t n = strlen(note->detail);
	if (a->more)
		snprintf(note->detail + n, sizeof(note->detail) - n,
			"; %u more before it", a->more);
	a->more = 0;
	return capf_desk_audit(v->desk, note, d);
}

/* What counts is always told. */
static bool is_repeated(
	const struct capf_operation *o, enum capf_why why, int64_t now)
{
	return o->state == CAPF_STATE_PENDING && o->why == why &&
	       why != CAPF_WHY_WRONG_STRING && why != CAPF_WHY_KEY_FAILED &&
	       why != CAPF_WHY_KEY_LATE && now >= o->changed_at &&
	       now - o->changed_at < REPEAT_S;
}

/* Into the operation and the chain. */
static int record(struct capf_visit *v, struct capf_operation *o,
	enum capf_why why, const char *detail, struct diag *d)
{
	struct capf_desk *desk = v->desk;
	int64_t now = capf_desk_now(desk);
	bool repeated = is_repeated(o, why, now);
	struct desk_note note = capf_desk_note_of(v,
		why == CAPF_WHY_LATE ? DESK_LATE : DESK_REFUSED, o->serial,
		detail);
	note.why = why;
	memcpy(note.device, o->device, sizeof(note.device));
	memcpy(o->address, v->address, sizeof(o->address));
	text_copy(o->detail, sizeof(o->detail), detail);
	if (o->state == CAPF_STATE_FAILED) {
		int error = capf_finish(desk, o, CAPF_STATE_FAILED, why, d);
		return error ? error : capf_desk_audit(desk, &note, d);
	}
	o->why = why;
	o->changed_at = repeated ? o->changed_at : now;
	int error = capf_desk_put(desk, o, d);
	if (error < 0 || repeated)
		return error;
	return audit_refusal(v, &note, &desk->refusals, REFUSALS_PER_MIN, d);
}

int capf_visit_refuse(struct capf_visit *v, struct capf_operation *o,
	enum capf_why why, const char *detail, struct diag *d)
{
	int error = record(v, o, why, detail, d);
	if (error == 0)
		capf_visit_end(v, CAPF_REASON_DECLINED, why, detail);
	return error;
}

int capf_visit_key_failed(struct capf_visit *v, struct capf_operation *o,
	enum capf_why why, const char *detail, struct diag *d)
{
	char text[CAPF_DETAIL_MAX + 1];
	uint32_t most = v->desk->world.config->capf_keygen_attempts;
	o->key_failures++;
	if (o->key_failures >= most)
		o->state = CAPF_STATE_FAILED;
	snprintf(text, sizeof(text),
		"%.300s; failed key %u of "
		"capf.keygen_attempts = %u%s",
		detail, o->key_failures, most,
		o->key_failures >= most ? "; reset the phone and order the "
					  "operation again"
					: "");
	return capf_visit_refuse(v, o, why, text, d);
}

/* Whoever names a device that we do not have. */
static int refuse_stranger(
	struct capf_visit *v, const char *device, struct diag *d)
{
	char detail[160];
	snprintf(detail, sizeof(detail),
		"%.63s is not in the inventory; add it (dialtone device add)",
		device);
	struct desk_note note = capf_desk_note_of(v, DESK_REFUSED, "", detail);
	text_copy(note.device, sizeof(note.device), device);
	note.why = CAPF_WHY_DEVICE_GONE;
	capf_visit_end(
		v, CAPF_REASON_UNKNOWN_DEVICE, CAPF_WHY_DEVICE_GONE, detail);
	return audit_refusal(
		v, &note, &v->desk->strangers, STRANGERS_PER_MIN, d);
}

/* ---- who is it ---- */

static int authenticate(struct capf_visit *v, const struct capf_server_event *e,
	struct capf_operation *o, enum capf_why *why,
	char detail[CAPF_DETAIL_MAX + 1], struct diag *d)
{
	struct capf_desk_world *world = &v->desk->world;
	struct capf_examination x = {
		.config = world->config,
		.said = e,
		.session = v->session,
		.now = capf_desk_now(v->desk),
	};
	bool by_cert = o->mode == CAPF_MODE_LSC || o->mode == CAPF_MODE_MIC;
	int error =
		by_cert ? capf_known_of(v->desk, o->device, x.now, &x.known, d)
			: 0;
	if (error < 0)
		return error;
	struct trust_snapshot *trust =
		by_cert ? world->trust(world->self, STORE_CAPF) : NULL;
	x.trust = trust;
	*why = capf_authenticate(&x, o, detail);
	if (trust)
		trust_snapshot_unref(trust);
	return 0;
}

/* From now on it is that device; a visit that it made before, and whose
 * connection it has lost, is none any more. */
static int admit(struct capf_visit *v, struct capf_operation *o,
	const char *detail, struct diag *d)
{
	capf_visit_supersede(v->desk, o->device, v, CAPF_WHY_PHONE_GONE,
		"the phone came again, over another connection");
	capf_visit_enrol(v, o->device);
	memcpy(o->address, v->address, sizeof(o->address));
	struct desk_note note = capf_desk_note_of(v, DESK_ADMITTED, "", detail);
	return capf_desk_audit(v->desk, &note, d);
}

/* ---- the first request ---- */

static void ask(struct capf_visit *v, enum desk_step step,
	const struct capf_answer *answer)
{
	v->step = step;
	capf_visit_decided(v, answer);
}

static int ask_key(struct capf_visit *v, struct capf_operation *o,
	const struct security_profile *profile, struct diag *d)
{
	char why_not[CAPF_DETAIL_MAX + 1];
	enum capf_why why =
		capf_issue_may(v->desk, capf_desk_now(v->desk), why_not);
	if (!why)
		why = capf_issue_wish(v->desk->world.config, profile,
			v->version, &v->wish, why_not);
	if (why)
		return capf_visit_refuse(v, o, why, why_not, d);
	ask(v, STEP_KEY,
		&(struct capf_answer){
			.what = CAPF_ANSWER_GENERATE, .wish = v->wish});
	return 0;
}

/* It is on its way: what failed before is no news any more. But what waits for
 * a CA outside still does. */
static int begin(struct capf_visit *v, struct capf_operation *o,
	const struct security_profile *profile, struct diag *d)
{
	int error = o->kind == CAPF_INSTALL ? capf_outside_pick_up(v, o, d) : 0;
	if (error)
		return error < 0 ? error : 0;
	switch (o->kind) {
	case CAPF_INSTALL:
		error = ask_key(v, o, profile, d);
		break;
	case CAPF_DELETE:
		ask(v, STEP_ERASE,
			&(struct capf_answer){.what = CAPF_ANSWER_ERASE});
		break;
	case CAPF_TROUBLESHOOT:
		ask(v, STEP_FETCH,
			&(struct capf_answer){.what = CAPF_ANSWER_FETCH});
		break;
	case CAPF_NONE:
	case CAPF_KINDS:
		assert(!"an operation of no kind");
	}
	if (error < 0 || v->step == STEP_ENDED)
		return error;
	if (o->why)
		o->changed_at = capf_desk_now(v->desk);
	o->why = CAPF_WHY_NOTHING;
	o->detail[0] = '\0';
	return capf_desk_put(v->desk, o, d);
}

static int late(struct capf_visit *v, struct capf_operation *o, struct diag *d)
{
	char detail[128], until[21];
	cert_time_text((time_t)o->completes_by, until);
	snprintf(detail, sizeof(detail),
		"it had to be done by %s; order the operation again", until);
	o->state = CAPF_STATE_FAILED;
	return capf_visit_refuse(v, o, CAPF_WHY_LATE, detail, d);
}

static int judge(struct capf_visit *v, const struct capf_server_event *e,
	struct capf_operation *o, struct diag *d)
{
	char detail[CAPF_DETAIL_MAX + 1];
	struct security_profile profile;
	enum capf_why why;
	o->visits++;
	if (o->completes_by && capf_desk_now(v->desk) > o->completes_by)
		return late(v, o, d);
	int error = authenticate(v, e, o, &why, detail, d);
	if (error < 0)
		return error;
	if (why)
		return capf_visit_refuse(v, o, why, detail, d);
	if (!capf_profile_of(v->desk, o->device, &profile))
		return refuse_stranger(v, o->device, d);
	error = admit(v, o, detail, d);
	return error ? error : begin(v, o, &profile, d);
}

static int on_auth(
	struct capf_visit *v, const struct capf_server_event *e, struct diag *d)
{
	struct capf_operation o;
	struct device *known =
		inventory_find(v->desk->world.inventory, e->device);
	v->version = e->version;
	if (!known)
		return refuse_stranger(v, e->device, d);
	int error = capf_pending(v->desk, known->name, &o, d);
	device_unref(known);
	if (error == 0)
		return judge(v, e, &o, d);
	if (error == -ENOENT)
		capf_visit_end(v, capf_visit_nothing(v), CAPF_WHY_NOTHING,
			"nothing is pending");
	return error == -ENOENT ? 0 : error;
}

/* ---- the later steps ---- */

static int on_key(struct capf_visit *v, const struct capf_server_event *e,
	struct capf_operation *o, struct diag *d)
{
	char detail[96];
	if (e->public_key.p)
		return capf_issue_key(v, o, e->public_key, d);
	snprintf(detail, sizeof(detail),
		"the phone made no key, and gave reason %d", e->reason);
	return capf_visit_key_failed(v, o, CAPF_WHY_KEY_FAILED, detail, d);
}

static int refused_by_phone(struct capf_visit *v,
	const struct capf_server_event *e, const char *what, struct diag *d)
{
	struct capf_operation o;
	char detail[160];
	int error = capf_pending(v->desk, v->device, &o, d);
	if (error < 0)
		return error == -ENOENT ? 0 : error;
	snprintf(detail, sizeof(detail),
		"the phone answered %s with reason %d; its own status messages "
		"say more",
		what, e->reason);
	return record(v, &o, CAPF_WHY_PHONE_REFUSED, detail, d);
}

static int note_done(struct capf_visit *v, enum desk_event event,
	const char *serial, const char *detail, struct diag *d)
{
	struct desk_note note = capf_desk_note_of(v, event, serial, detail);
	return capf_desk_audit(v->desk, &note, d);
}

/* The phone has it or not, whatever has become of the operation. */
static int on_stored(
	struct capf_visit *v, const struct capf_server_event *e, struct diag *d)
{
	int error;
	if (e->reason == CAPF_REASON_SUCCESS) {
		error = capf_installed(v->desk, v->device, v->serial,
			capf_desk_now(v->desk), d);
		if (error == 0)
			error = note_done(v, DESK_INSTALLED, v->serial,
				"the phone confirmed it", d);
		capf_visit_end(v, CAPF_REASON_SUCCESS, CAPF_WHY_NOTHING, "");
		return error;
	}
	error = refused_by_phone(v, e, "STORE_CERTIFICATE_REQUEST", d);
	/* It may have lost the key of long ago: it makes a new one next. */
	if (error == 0 && v->no_key)
		error = capf_store_remove_request(v->desk->store, v->device, d);
	capf_visit_end(v, CAPF_REASON_DECLINED, CAPF_WHY_PHONE_REFUSED,
		"the phone did not store its LSC");
	return error == -ENOENT ? 0 : error;
}

static int finish_done(struct capf_visit *v, struct diag *d)
{
	struct capf_operation o;
	int error = capf_pending(v->desk, v->device, &o, d);
	if (error == 0)
		error = capf_finish(
			v->desk, &o, CAPF_STATE_DONE, CAPF_WHY_NOTHING, d);
	return error == -ENOENT ? 0 : error;
}

/*
 * END_SESSION has reason 1 also when the phone could not delete it: that is
 * what usecallmanager sends and phones are known to have met. The phone knows
 * that it failed, and a reason of failure would only have it try again and
 * again.
 */
static int on_erased(
	struct capf_visit *v, const struct capf_server_event *e, struct diag *d)
{
	int error;
	if (e->reason == CAPF_REASON_SUCCESS) {
		error = capf_store_end_issued(
			v->desk->store, v->device, "", CAPF_ISSUED_DELETED, d);
		if (error == 0 || error == -ENOENT)
			error = finish_done(v, d);
		if (error == 0)
			error = note_done(v, DESK_ERASED, "",
				"the phone deleted its LSC", d);
		capf_visit_end(v, CAPF_REASON_SUCCESS, CAPF_WHY_NOTHING, "");
		return error;
	}
	error = refused_by_phone(v, e, "DELETE_CERTIFICATE_REQUEST", d);
	capf_visit_end(v, CAPF_REASON_SUCCESS, CAPF_WHY_PHONE_REFUSED,
		"the phone did not delete its LSC");
	return error;
}

/* ---- Troubleshoot ---- */

/* Phones write type 1 before MICs, too (specs capf 4, 6): of two different
 * certificates of one type the second is of the other. */
static unsigned type_of(
	const struct capf_visit *v, unsigned said, const uint8_t sha256[32])
{
	unsigned type = said == CAPF_CERT_MIC ? CAPF_CERT_MIC : CAPF_CERT_LSC;
	if (!(v->fetched & type) || memcmp(sha256, v->fetched_sha256, 32) == 0)
		return type;
	return CAPF_CERT_LSC + CAPF_CERT_MIC - type;
}

static int keep(struct capf_visit *v, const struct capf_cert *c, struct diag *d)
{
	const unsigned char *at = c->der.p;
	struct cert_identity id;
	struct capf_shown shown = {
		.at = capf_desk_now(v->desk),
		.n = c->der.n,
		.der = c->der.p,
	};
	char detail[320];
	X509 *cert = d2i_X509(NULL, &at, (long)c->der.n);
	bool readable = cert && at == c->der.p + c->der.n &&
			cert_identity_read(cert, &id) == 0;
	X509_free(cert);
	if (!readable)
		return 0;
	memcpy(shown.device, v->device, sizeof(shown.device));
	shown.type = type_of(v, c->type, id.sha256_raw);
	if (!v->fetched)
		memcpy(v->fetched_sha256, id.sha256_raw, 32);
	v->fetched |= shown.type;
	snprintf(detail, sizeof(detail), "%s: %.120s, issued by %.120s",
		shown.type == CAPF_CERT_MIC ? "MIC" : "LSC", id.subject,
		id.issuer);
	int error = capf_store_put_shown(v->desk->store, &shown, d);
	return error ? error : note_done(v, DESK_FETCHED, id.serial, detail, d);
}

/*
 * How a phone is asked for its MIC is not known (specs capf 3 and 7). Where
 * capf.fetch_mic allows the guess, CERTIFICATE_TYPE 2, it is made only of
 * phones of version 3, and after what came first is safe and the operation
 * done: whatever the phone makes of the question, nothing fails by it.
 */
static bool wants_mic(const struct capf_visit *v)
{
	return v->desk->world.config->capf_fetch_mic && !v->asked_mic &&
	       v->version >= 3 && !(v->fetched & CAPF_CERT_MIC);
}

static int on_fetched(
	struct capf_visit *v, const struct capf_server_event *e, struct diag *d)
{
	int error = 0;
	if (e->reason == CAPF_REASON_SUCCESS || e->reason < 0)
		for (size_t i = 0; i < e->n_certs && error == 0; i++)
			error = keep(v, &e->certs[i], d);
	if (error == 0 && v->fetched)
		error = finish_done(v, d);
	if (error < 0)
		return error;
	if (wants_mic(v)) {
		v->asked_mic = true;
		ask(v, STEP_FETCH,
			&(struct capf_answer){.what = CAPF_ANSWER_FETCH,
				.type = CAPF_CERT_MIC});
		return 0;
	}
	if (!v->fetched)
		error = refused_by_phone(v, e, "FETCH_CERTIFICATE_REQUEST", d);
	/* As usecallmanager ends it, whatever came. */
	capf_visit_end(v, CAPF_REASON_NO_ACTION,
		v->fetched ? CAPF_WHY_NOTHING : CAPF_WHY_PHONE_REFUSED,
		v->fetched ? "" : "the phone gave no certificate");
	return error;
}

/* ---- it has gone ---- */

static int on_left(struct capf_visit *v, struct diag *d)
{
	struct capf_operation o;
	char detail[CAPF_DETAIL_MAX + 1];
	bool silent = strcmp(v->left_rule, "capf-silent") == 0;
	bool broke = strncmp(v->left_rule, "capf-", 5) == 0;
	if (v->step == STEP_NEW || v->step == STEP_ENDED)
		return 0;
	int error = capf_pending(v->desk, v->device, &o, d);
	if (error < 0)
		return error == -ENOENT ? 0 : error;
	snprintf(detail, sizeof(detail), "%.47s: %.255s",
		*v->left_rule ? v->left_rule : "phone-gone",
		*v->left_text ? v->left_text : "the connection ended");
	if (silent && v->step == STEP_KEY)
		return capf_visit_key_failed(
			v, &o, CAPF_WHY_KEY_LATE, detail, d);
	return capf_visit_refuse(v, &o,
		silent	? CAPF_WHY_PHONE_SILENT
		: broke ? CAPF_WHY_PHONE_PROTOCOL
			: CAPF_WHY_PHONE_GONE,
		detail, d);
}

/* ---- all of them ---- */

static int on_said(
	struct capf_visit *v, const struct capf_server_event *e, struct diag *d)
{
	struct capf_operation o;
	int error;
	switch (v->step) {
	case STEP_NEW:
		return on_auth(v, e, d);
	case STEP_KEY:
		error = capf_pending(v->desk, v->device, &o, d);
		if (error == 0)
			return on_key(v, e, &o, d);
		if (error != -ENOENT)
			return error;
		capf_visit_end(v, CAPF_REASON_DECLINED, CAPF_WHY_CANCELLED,
			"the operation ended meanwhile");
		return 0;
	case STEP_STORE:
		return on_stored(v, e, d);
	case STEP_ERASE:
		return on_erased(v, e, d);
	case STEP_FETCH:
		return on_fetched(v, e, d);
	case STEP_CA:
	case STEP_ENDED:
		break;
	}
	return 0; /* its END has crossed what it says */
}

int capf_decide(struct capf_visit *v, struct diag *d)
{
	int error = 0;
	if (v->taken.said)
		error = on_said(v, v->taken.said, d);
	if (error == 0 && v->taken.reply)
		error = capf_outside_replied(v, v->taken.reply, d);
	if (error == 0 && v->taken.left)
		error = on_left(v, d);
	return error;
}

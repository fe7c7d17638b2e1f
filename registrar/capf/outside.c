/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that a CA outside certifies: asked over EST, or brought by an admin. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/sha.h>

#include "certs/lsc.h"
#include "registrar/capf/believe.h"
#include "registrar/capf/desk_inside.h"
#include "registrar/capf/est_answer.h"
#include "registrar/memory.h"
#include "registrar/text.h"

/* ---- asking ---- */

/* The phone goes, and its operation waits: that is no failure. */
static int leave_waiting(struct capf_visit *v, struct capf_operation *o,
	const char *detail, struct diag *d)
{
	if (o->why != CAPF_WHY_CA_WAITING)
		o->changed_at = capf_desk_now(v->desk);
	o->why = CAPF_WHY_CA_WAITING;
	text_copy(o->detail, sizeof(o->detail), detail);
	int error = capf_desk_put(v->desk, o, d);
	if (error < 0)
		return error;
	capf_visit_end(v, capf_visit_nothing(v), CAPF_WHY_CA_WAITING, detail);
	return 0;
}

static int audit_request(
	struct capf_visit *v, const char *detail, struct diag *d)
{
	struct desk_note note =
		capf_desk_note_of(v, DESK_REQUESTED, "", detail);
	return capf_desk_audit(v->desk, &note, d);
}

static int keep_request(
	struct capf_visit *v, struct capf_bytes spki, struct diag *d)
{
	struct capf_request r = {
		.at = capf_desk_now(v->desk),
		.n = spki.n,
		.spki = spki.p,
	};
	memcpy(r.device, v->device, sizeof(r.device));
	memcpy(r.key_sha256, v->key_sha256, sizeof(r.key_sha256));
	return capf_store_put_request(v->desk->store, &r, d);
}

static int wait_for_people(struct capf_visit *v, struct capf_operation *o,
	struct capf_bytes spki, struct diag *d)
{
	int error = keep_request(v, spki, d);
	if (error == 0)
		error = audit_request(v, "of the offline CA", d);
	return error ? error
		     : leave_waiting(v, o,
			       "its request waits for the offline CA: export "
			       "it (dialtone capf csr export), have it signed, "
			       "import the certificate; then the phone comes "
			       "again",
			       d);
}

int capf_outside_ask(struct capf_visit *v, struct capf_operation *o,
	struct capf_bytes spki, struct diag *d)
{
	if (v->desk->world.config->capf_issuer == CONFIG_ISSUER_OFFLINE)
		return wait_for_people(v, o, spki, d);
	int error = audit_request(v, "of the CA that is asked over EST", d);
	if (error < 0)
		return error;
	v->step = STEP_CA;
	v->asks = true;
	return 0;
}

/* ---- over EST ---- */

static void take_reply(void *self, const struct est_answer *answer)
{
	struct capf_visit *v = self;
	struct ca_reply *reply = memory_zero(sizeof(*reply));
	reply->result = answer->result;
	reply->retry_s = answer->retry_s;
	/* A copy: it is another thread's from here on. */
	if (answer->cert && answer->result == EST_OK) {
		reply->cert = X509_dup(answer->cert);
		if (!reply->cert)
			abort(); /* law 2: no memory */
	}
	text_copy(reply->text, sizeof(reply->text), answer->text);
	pthread_mutex_lock(&v->desk->lock);
	v->news.reply = reply;
	capf_visit_queue(v);
	pthread_mutex_unlock(&v->desk->lock);
}

void capf_outside_begin(struct capf_visit *v)
{
	const struct config *c = v->desk->world.config;
	const struct cert_organisation of = {
		.country = c->capf_country,
		.state = c->capf_province,
		.locality = c->capf_locality,
		.organisation = c->capf_organisation,
		.unit = c->capf_unit,
	};
	struct est_answer none = {.result = EST_UNREACHABLE};
	struct diag d = {.text = ""};
	uint8_t *request = NULL;
	size_t n = 0;
	v->asks = false;
	v->asking = true;
	int error = v->desk->est ? 0 : -ECANCELED;
	if (error == 0)
		error = cert_request_make(
			v->device, &of, v->key, &request, &n, &d);
	if (error == 0)
		error = est_enrol(v->desk->est, request, n, take_reply, v);
	free(request);
	if (error == 0)
		return;
	snprintf(none.text, sizeof(none.text), "it was not asked: %.480s",
		*d.text ? d.text : strerror(-error));
	take_reply(v, &none);
}

static enum capf_why why_of(enum est_result result)
{
	switch (result) {
	case EST_OK:
	case EST_UNFIT:
		return CAPF_WHY_CA_UNFIT;
	case EST_REFUSED:
		return CAPF_WHY_CA_REFUSED;
	case EST_LATER:
	case EST_UNREACHABLE:
		break;
	}
	return CAPF_WHY_CA_UNREACHABLE;
}

/* Lines of the ledger are known by their serial number, of whichever CA. */
static int say_used(struct capf_desk *desk, X509 *cert, struct diag *d)
{
	char serial[CERT_SERIAL_MAX + 1];
	struct capf_issued i;
	int error = cert_serial_text(cert, serial);
	if (error == 0)
		error = capf_store_issued(desk->store, serial, &i, d);
	return error ? error
		     : diag_set(d, -EEXIST,
			       "its serial number %s is another LSC's in the "
			       "ledger, of %.63s by %.64s: have the CA give it "
			       "one by chance, of 64 bits or more (RFC 5280 "
			       "wants them unique within a CA, the ledger "
			       "among all)",
			       serial, i.device, i.issuer_cn);
}

/* One that came before is fine where it is that very certificate. */
static int enter_once(struct capf_desk *desk, const struct capf_operation *o,
	X509 *cert, const uint8_t key_sha256[32],
	char serial[CERT_SERIAL_MAX + 1], struct diag *d)
{
	struct capf_issued i;
	uint8_t sha256[32];
	const struct capf_made made = {cert, key_sha256, NULL};
	int error = capf_issue_enter(desk, o, &made, serial, d);
	if (error != -EEXIST)
		return error;
	if (X509_digest(cert, EVP_sha256(), sha256, NULL) != 1)
		abort();
	error = capf_store_issued_as(desk->store, sha256, &i, d);
	if (error == -ENOENT)
		return say_used(desk, cert, d);
	memcpy(serial, i.serial, sizeof(i.serial));
	return error;
}

/* Into the ledger, whoever waits for it: the CA has issued it. */
static int enter_reply(struct capf_visit *v, const struct capf_operation *o,
	const struct ca_reply *reply, char *why, struct diag *d)
{
	struct capf_desk *desk = v->desk;
	int64_t now = capf_desk_now(desk);
	const struct capf_believers by = {desk->world.trust, desk->world.self};
	struct diag fault = {.text = ""};
	if (cert_lsc_check(reply->cert, v->device, v->key, (time_t)now,
		    desk->world.config->capf_validity_days, &fault) < 0 ||
		capf_believe(&by, reply->cert, (time_t)now, &fault) < 0) {
		snprintf(why, CAPF_DETAIL_MAX + 1,
			"what the CA outside sent is refused: %.450s",
			fault.text);
		return -EBADMSG;
	}
	int error =
		enter_once(desk, o, reply->cert, v->key_sha256, v->serial, d);
	if (error != -EEXIST)
		return error;
	snprintf(why, CAPF_DETAIL_MAX + 1,
		"what the CA outside sent is refused: %.450s", d->text);
	return -EBADMSG;
}

/* Of a CA that people run: the next visit asks for the same key, as do we. The
 * phone's key is kept as OpenSSL writes it, under the hash of what the phone
 * sent. */
static int later(struct capf_visit *v, struct capf_operation *o,
	const struct ca_reply *reply, struct diag *d)
{
	unsigned char *der = NULL;
	int error = 0;
	capf_later_put(v->desk, v->device, reply->retry_s);
	if (v->unattended)
		return 0;
	if (!v->no_key) {
		int n = i2d_PUBKEY(v->key, &der);
		if (n <= 0)
			abort(); /* law 2: no memory */
		error = keep_request(v, (struct capf_bytes){der, (size_t)n}, d);
		OPENSSL_free(der);
	}
	return error ? error : leave_waiting(v, o, reply->text, d);
}

/* The CA is away: what waited does so still. */
static int later_unreachable(struct capf_visit *v, struct capf_operation *o,
	const char *why, struct diag *d)
{
	capf_later_put(v->desk, v->device, EST_RETRY_S);
	if (!v->unattended)
		return capf_visit_refuse(v, o, CAPF_WHY_CA_UNREACHABLE, why, d);
	if (o->why != CAPF_WHY_CA_WAITING)
		return 0;
	snprintf(o->detail, sizeof(o->detail),
		"its request waits for the CA outside, which was asked again: "
		"%.400s",
		why);
	return capf_desk_put(v->desk, o, d);
}

/* What asks again for a key of an earlier visit's comes to an end. */
static int refused(struct capf_visit *v, struct capf_operation *o,
	const struct ca_reply *reply, const char *why, struct diag *d)
{
	if (v->no_key && reply->result == EST_UNREACHABLE)
		return later_unreachable(v, o, why, d);
	int error = v->no_key ? capf_store_remove_request(
					v->desk->store, v->device, d)
			      : 0;
	if (error < 0 && error != -ENOENT)
		return error;
	return capf_visit_refuse(v, o, why_of(reply->result), why, d);
}

/* The phone has to come for it. */
static int arrived(struct capf_desk *desk, struct capf_operation *o,
	const struct desk_note *note, struct diag *d)
{
	snprintf(o->detail, sizeof(o->detail),
		"the CA's certificate is there; the phone has to come for it");
	o->changed_at = capf_desk_now(desk);
	o->told_at = 0; /* it is told again */
	o->turn_at = o->changed_at;
	int error = capf_desk_put(desk, o, d);
	return error ? error : capf_desk_audit(desk, note, d);
}

/* What nobody stores at once is in the ledger, and so in the chain. */
static int issued(struct capf_visit *v, struct capf_operation *o, bool waits,
	struct diag *d)
{
	struct desk_note note =
		capf_desk_note_of(v, DESK_ISSUED, v->serial, "");
	if (waits && !v->unattended)
		return capf_issue_deliver(v, o, DESK_ISSUED, v->serial, d);
	snprintf(note.detail, sizeof(note.detail), "over EST; %s",
		waits ? "the phone has to come for it"
		      : "nobody waits for it any more");
	return waits ? arrived(v->desk, o, &note, d)
		     : capf_desk_audit(v->desk, &note, d);
}

int capf_outside_replied(
	struct capf_visit *v, struct ca_reply *reply, struct diag *d)
{
	struct capf_operation o;
	char why[CAPF_DETAIL_MAX + 1];
	int error = capf_store_operation(v->desk->store, v->device, &o, d);
	if (error < 0)
		return error == -ENOENT ? 0 : error;
	bool waits = v->step == STEP_CA && o.state == CAPF_STATE_PENDING;
	snprintf(why, sizeof(why), "%.500s", reply->text);
	error = reply->result == EST_OK ? enter_reply(v, &o, reply, why, d)
					: -EBADMSG;
	if (error == 0)
		error = issued(v, &o, waits, d);
	else if (error == -EBADMSG && waits)
		return reply->result == EST_LATER
			       ? later(v, &o, reply, d)
			       : refused(v, &o, reply, why, d);
	if (!waits && v->step == STEP_CA)
		capf_visit_end(v, CAPF_REASON_DECLINED, o.why,
			"the operation ended meanwhile");
	return error == -EBADMSG ? 0 : error;
}

/* ---- offline ---- */

/* The request of a device: its key. */
struct waiting {
	struct capf_request request;
	EVP_PKEY *key;
	uint8_t key_sha256[32];
	bool any_device, found;
};

static bool take_request(void *self, const struct capf_request *r)
{
	struct waiting *w = self;
	const unsigned char *at = r->spki;
	if (w->any_device && memcmp(r->key_sha256, w->key_sha256, 32) != 0)
		return true;
	w->request = *r;
	w->request.spki = NULL; /* the store's */
	memcpy(w->key_sha256, r->key_sha256, sizeof(w->key_sha256));
	w->key = d2i_PUBKEY(NULL, &at, (long)r->n);
	w->found = true;
	return false;
}

int capf_outside_key(struct capf_desk *desk, const char *device, EVP_PKEY **key,
	uint8_t key_sha256[32], struct diag *d)
{
	struct waiting w = {.found = false};
	int error =
		capf_store_requests(desk->store, device, take_request, &w, d);
	*key = w.key;
	memcpy(key_sha256, w.key_sha256, sizeof(w.key_sha256));
	return error ? error : w.key ? 0 : -ENOENT;
}

static int ask_again(
	struct capf_visit *v, struct capf_operation *o, struct diag *d)
{
	char why[CAPF_DETAIL_MAX + 1];
	enum capf_why no = capf_issue_may(v->desk, capf_desk_now(v->desk), why);
	if (no)
		return capf_visit_refuse(v, o, no, why, d);
	v->no_key = true;
	v->step = STEP_CA;
	v->asks = true;
	capf_later_put(v->desk, v->device, EST_RETRY_S);
	return capf_desk_put(v->desk, o, d);
}

static int still_waits(
	struct capf_visit *v, struct capf_operation *o, struct diag *d)
{
	int error = 0;
	switch (v->desk->world.config->capf_issuer) {
	case CONFIG_ISSUER_EST:
		error = ask_again(v, o, d);
		break;
	case CONFIG_ISSUER_OFFLINE:
		error = leave_waiting(v, o,
			"its request still waits for the offline CA's "
			"certificate (dialtone capf csr import)",
			d);
		break;
	default:
		return 0; /* nobody brings it any more */
	}
	return error < 0 ? error : 1;
}

int capf_outside_pick_up(
	struct capf_visit *v, struct capf_operation *o, struct diag *d)
{
	struct capf_issued i;
	EVP_PKEY_free(v->key);
	int error =
		capf_outside_key(v->desk, o->device, &v->key, v->key_sha256, d);
	if (error < 0)
		return error == -ENOENT ? 0 : error;
	error = capf_store_stale(
		v->desk->store, o->device, v->key_sha256, &i, d);
	if (error == -ENOENT)
		return still_waits(v, o, d);
	if (error == 0 && !capf_issue_is_valid(&i, capf_desk_now(v->desk)))
		return 0; /* it came too late: a new key */
	if (error == 0) {
		v->no_key = true;
		error = capf_issue_deliver(v, o, DESK_DELIVERED, i.serial, d);
	}
	return error < 0 ? error : 1;
}

/* By the device that it names; else, for the sake of the message, by its key.
 */
static int find_request(struct capf_desk *desk, X509 *cert,
	const struct cert_identity *id, struct waiting *w, struct diag *d)
{
	unsigned char *spki = NULL;
	int error = 0;
	if (*id->device)
		error = capf_store_requests(
			desk->store, id->device, take_request, w, d);
	if (w->found || (error < 0 && error != -ENOENT))
		return error;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);
	if (n > 0)
		SHA256(spki, (size_t)n, w->key_sha256);
	OPENSSL_free(spki);
	w->any_device = true;
	error = capf_store_requests(desk->store, NULL, take_request, w, d);
	if (w->found || (error < 0 && error != -ENOENT))
		return error;
	return diag_set(d, -ENOENT,
		"no request waits for a certificate of %.80s (%.120s)",
		*id->device ? id->device : "no device", id->subject);
}

static int enter_import(struct capf_desk *desk, X509 *cert,
	const struct waiting *w, struct diag *d)
{
	struct capf_operation o;
	struct desk_note note = {.event = DESK_IMPORTED};
	int64_t now = capf_desk_now(desk);
	if (!w->key)
		return diag_set(d, -EINVAL, "the waiting key is damaged");
	int error = cert_lsc_check(cert, w->request.device, w->key, (time_t)now,
		desk->world.config->capf_validity_days, d);
	if (error == 0)
		error = capf_pending(desk, w->request.device, &o, d);
	if (error < 0)
		return error;
	error = enter_once(desk, &o, cert, w->key_sha256, note.serial, d);
	if (error < 0)
		return error == -EEXIST ? -EINVAL : error;
	memcpy(note.device, o.device, sizeof(note.device));
	snprintf(note.detail, sizeof(note.detail), "of the offline CA");
	return arrived(desk, &o, &note, d);
}

static int import(
	struct capf_desk *desk, X509 *cert, struct waiting *w, struct diag *d)
{
	struct cert_identity id;
	char why[CAPF_DETAIL_MAX + 1];
	if (cert_identity_read(cert, &id) < 0)
		return diag_set(d, -EINVAL, "the certificate cannot be read");
	int error = find_request(desk, cert, &id, w, d);
	if (error < 0)
		return error;
	if (capf_issue_may(desk, capf_desk_now(desk), why))
		return diag_set(d, -EBUSY, "%s", why);
	return enter_import(desk, cert, w, d);
}

/* How a transaction that went well is ended. */
typedef int (*close_fn)(struct capf_desk *desk, int error, struct diag *d);

static int import_with(struct capf_desk *desk, X509 *cert, close_fn close,
	char device[CERT_DEVICE_MAX + 1], struct diag *d)
{
	struct waiting w = {.found = false};
	capf_desk_enter(desk);
	ERR_set_mark();
	int error = capf_desk_begin(desk, d);
	if (error == 0)
		error = close(desk, import(desk, cert, &w, d), d);
	ERR_pop_to_mark();
	capf_desk_leave(desk);
	memcpy(device, w.request.device, sizeof(w.request.device));
	EVP_PKEY_free(w.key);
	return error;
}

int capf_desk_import(struct capf_desk *desk, X509 *cert,
	char device[CERT_DEVICE_MAX + 1], struct diag *d)
{
	return import_with(desk, cert, capf_desk_close_with, device, d);
}

/* All was done but for the commit: nobody can tell it from never. */
static int take_back(struct capf_desk *desk, int error, struct diag *d)
{
	if (error)
		return capf_desk_close_with(desk, error, d);
	capf_desk_abort(desk);
	return 0;
}

int capf_desk_may_import(struct capf_desk *desk, X509 *cert,
	char device[CERT_DEVICE_MAX + 1], struct diag *d)
{
	return import_with(desk, cert, take_back, device, d);
}

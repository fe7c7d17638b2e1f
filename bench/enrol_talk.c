/* SPDX-License-Identifier: Apache-2.0 */
/* One visit of a simulated phone to CAPF: what the phone answers. */
#include "bench/enrol_talk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#include "certs/identity.h"
#include "certs/must.h"
#include "certs/proof.h"

enum { PROGRESS_AT_ONCE = 3, PROGRESS_EVERY_MS = 1000 };

/* Says something to the console; `what` is ours or printable. */
static void say(struct enrol *e, const char *tag, const char *what)
{
	console_say(e->phone.console, "NOT", "SECD", tag, "[CAPF], %s", what);
}

static void complain(struct enrol *e, const struct diag *d)
{
	char text[sizeof(e->result.text)];
	talk_printable(text, sizeof(text), d->text);
	console_say(e->phone.console, "ERR", "SECD", "CAPF_FLASH", "[CAPF], %s",
		text);
}

/* Sends the answer, which is that step. */
static void answered(struct enrol *e, enum enrol_step step)
{
	if (enrol_send(e))
		enrol_step(e, step);
}

/* ---- who it is ---- */

/* By its mode: the one with precedence, or what there is. */
static const struct credential *existing(const struct flash *f)
{
	const struct credential *first = &f->lsc, *second = &f->mic;
	if (f->mode == FLASH_MODE_MIC) {
		first = &f->mic;
		second = &f->lsc;
	}
	return first->cert ? first : second;
}

static const char *password(const struct enrol *e)
{
	bool cisco = e->setup->like == ENROL_LIKE_CISCO;
	switch (e->phone.flash->mode) {
	case FLASH_MODE_STRING:
		return e->setup->string;
	case FLASH_MODE_NULL_STRING:
		return cisco ? NULL : "";
	case FLASH_MODE_NONE:
	case FLASH_MODE_LSC:
	case FLASH_MODE_MIC:
		break;
	}
	return NULL;
}

static struct capf_cert cert_of(const struct credential *c)
{
	unsigned char *der = NULL;
	int n = i2d_X509(c->cert, &der);
	if (n < 0)
		abort();
	return (struct capf_cert){
		.type = c->kind == CREDENTIAL_MIC ? CAPF_CERT_MIC
						  : CAPF_CERT_LSC,
		.der = {der, (size_t)n},
	};
}

/* The certificate, and that its key is ours. 0, or -EINVAL with d set. */
static int prove(struct enrol *e, uint32_t session,
	struct capf_phone_auth *auth, struct cert_proof_made *made,
	struct diag *d)
{
	const struct credential *c = existing(e->phone.flash);
	if (!c->cert)
		return 0;
	bool sudi = e->setup->like == ENROL_LIKE_USECALLMANAGER &&
		    EVP_PKEY_get_base_id(c->key) == EVP_PKEY_RSA;
	int error = cert_proof_make(e->phone.device, session, c->cert, c->key,
		sudi ? c->cert : NULL, sudi ? c->key : NULL, made, d);
	if (error)
		return error;
	say(e, "CAPF_CERT", credential_kind_name(c->kind));
	auth->cert = cert_of(c);
	auth->signed_data = (struct capf_bytes){made->sha1, made->sha1_n};
	auth->sha2_signed_data = (struct capf_bytes){made->sha2, made->sha2_n};
	auth->sudi_data = (struct capf_bytes){made->sudi, made->sudi_n};
	return 0;
}

static void authenticate(struct enrol *e, const struct capf_phone_event *event)
{
	enum flash_mode mode = e->phone.flash->mode;
	struct cert_proof_made made = {0};
	struct diag d = {.text = ""};
	const struct moment now = enrol_now(e);
	struct capf_phone_auth auth = {
		.device = e->phone.device, .password = password(e)};
	if (!enrol_step(e, ENROL_AUTH_REQUEST))
		return;
	bool by_cert = mode == FLASH_MODE_LSC || mode == FLASH_MODE_MIC;
	if (by_cert && prove(e, event->session, &auth, &made, &d) < 0) {
		enrol_close(e, ENROL_BY_FAILED, d.text);
		return;
	}
	capf_phone_authenticate(&e->talk, &auth, &now);
	OPENSSL_free((void *)auth.cert.der.p);
	cert_proof_made_deinit(&made);
	answered(e, ENROL_AUTH_RESPONSE);
}

/* ---- its key ---- */

static void progress(struct enrol *e, unsigned n)
{
	for (unsigned i = 0; i < n && e->state != ENROL_CLOSING; i++) {
		capf_phone_progress(&e->talk);
		answered(e, ENROL_IN_PROGRESS);
	}
}

static void no_key(struct enrol *e)
{
	const struct moment now = enrol_now(e);
	say(e, "CAPF_KEY_FAILED", "no key could be made");
	capf_phone_no_key(&e->talk, CAPF_REASON_DECLINED, &now);
	answered(e, ENROL_KEY_RESPONSE);
}

static void send_key(struct enrol *e)
{
	struct diag d = {.text = ""};
	unsigned char *spki = NULL;
	const struct moment now = enrol_now(e);
	EVP_PKEY *key = e->key;
	e->key = NULL;
	e->key_due_ms = e->progress_due_ms = MOMENT_NEVER;
	int error = 0;
	if (key != e->phone.flash->pending)
		error = flash_keep_pending(e->phone.flash, key, &d);
	if (error)
		complain(e, &d);
	int n = error ? -1 : i2d_PUBKEY(key, &spki);
	EVP_PKEY_free(key);
	if (n < 0) {
		no_key(e);
		return;
	}
	if (enrol_step(e, ENROL_KEY_MADE)) {
		capf_phone_key(&e->talk, spki, (size_t)n, &now);
		answered(e, ENROL_KEY_RESPONSE);
	}
	OPENSSL_free(spki);
}

static void on_key(struct keys_order *order, EVP_PKEY *key)
{
	struct enrol *e = order->owner;
	e->key = key;
	if (!key) {
		e->key_due_ms = e->progress_due_ms = MOMENT_NEVER;
		no_key(e);
	} else if (e->key_due_ms <= uv_now(e->setup->loop)) {
		send_key(e);
	}
	enrol_arm(e);
}

static uint32_t keygen_ms(const struct enrol_setup *s)
{
	uint32_t chance;
	if (RAND_bytes((unsigned char *)&chance, sizeof(chance)) != 1)
		abort();
	return s->keygen_min_ms +
	       chance % (s->keygen_max_ms - s->keygen_min_ms + 1);
}

static void generate(struct enrol *e, const struct capf_phone_event *event)
{
	static const unsigned said[] = {0, 1, PROGRESS_AT_ONCE};
	const struct enrol_setup *s = e->setup;
	struct flash *f = e->phone.flash;
	uint64_t now = uv_now(s->loop);
	e->wish = event->wish;
	console_say(e->phone.console, "NOT", "SECD", "CAPF_KEYGEN",
		"[CAPF], %s key of %u bits",
		e->wish.type == CAPF_KEY_EC ? "EC" : "RSA", e->wish.bits);
	if (!enrol_step(e, ENROL_KEY_REQUEST))
		return;
	if (s->fault == ENROL_FAULT_KEYGEN) {
		no_key(e);
		return;
	}
	progress(e, said[s->progress]);
	if (e->state == ENROL_CLOSING)
		return;
	if (s->progress == ENROL_PROGRESS_MANY)
		e->progress_due_ms = now + PROGRESS_EVERY_MS;
	/* The one it made before power was cut is as good as a new one. */
	if (f->pending && keys_fits(f->pending, &e->wish)) {
		EVP_PKEY_up_ref(f->pending);
		e->key = f->pending;
		send_key(e);
		return;
	}
	e->key_due_ms = now + keygen_ms(s);
	e->order.on_made = on_key;
	e->order.owner = e;
	e->key = keys_ask(s->keys, &e->wish, e->phone.turn, &e->order);
	if (e->key && e->key_due_ms <= now)
		send_key(e);
}

/* ---- what it keeps, gives back and shows ---- */

static int keep(struct enrol *e, const struct capf_cert *cert, struct diag *d)
{
	const unsigned char *p = cert->der.p;
	X509 *lsc = d2i_X509(NULL, &p, (long)cert->der.n);
	ERR_clear_error();
	if (!lsc || p != cert->der.p + cert->der.n) {
		X509_free(lsc);
		return diag_set(d, -EINVAL, "what came is no certificate");
	}
	int error = flash_keep_lsc(e->phone.flash, lsc, d);
	X509_free(lsc);
	return error;
}

static void say_lsc(struct enrol *e)
{
	char serial[CERT_SERIAL_MAX + 1];
	if (!e->phone.console->to)
		return;
	cert_serial_text(e->phone.flash->lsc.cert, serial);
	console_say(e->phone.console, "NOT", "SECD", "CAPF_LSC",
		"[CAPF], LSC installed, serial number %s", serial);
}

static void store(struct enrol *e, const struct capf_phone_event *event)
{
	struct diag d = {.text = "it cannot be written (--fail-at store)"};
	const struct moment now = enrol_now(e);
	if (!enrol_step(e, ENROL_STORE_REQUEST))
		return;
	int error = e->setup->fault == ENROL_FAULT_STORE
			    ? -EIO
			    : keep(e, &event->cert, &d);
	if (error) {
		complain(e, &d);
	} else {
		e->result.delivered = true;
		say_lsc(e);
		if (!enrol_step(e, ENROL_STORED))
			return;
	}
	capf_phone_stored(&e->talk,
		error ? CAPF_REASON_DECLINED : CAPF_REASON_SUCCESS, &now);
	answered(e, ENROL_STORE_RESPONSE);
}

static void erase(struct enrol *e)
{
	struct diag d = {.text = "it cannot be erased (--fail-at delete)"};
	const struct moment now = enrol_now(e);
	if (!enrol_step(e, ENROL_DELETE_REQUEST))
		return;
	int error = e->setup->fault == ENROL_FAULT_DELETE
			    ? -EIO
			    : flash_erase_lsc(e->phone.flash, &d);
	if (error) {
		complain(e, &d);
	} else {
		e->result.removed = true;
		say(e, "CAPF_NO_LSC", "LSC deleted");
		if (!enrol_step(e, ENROL_DELETED))
			return;
	}
	capf_phone_erased(&e->talk,
		error ? CAPF_REASON_DECLINED : CAPF_REASON_SUCCESS, &now);
	answered(e, ENROL_DELETE_RESPONSE);
}

/* Of the type asked for; type 0: the LSC, and a Cisco phone's MIC, too. */
static size_t gather(
	const struct enrol *e, unsigned type, struct capf_cert certs[2])
{
	const struct flash *f = e->phone.flash;
	bool both = type == 0 && e->setup->like == ENROL_LIKE_CISCO;
	size_t n = 0;
	if (f->lsc.cert && (type == 0 || type == CAPF_CERT_LSC))
		certs[n++] = cert_of(&f->lsc);
	if (f->mic.cert && (both || type == CAPF_CERT_MIC))
		certs[n++] = cert_of(&f->mic);
	return n;
}

static void show(struct enrol *e, const struct capf_phone_event *event)
{
	struct capf_cert certs[2];
	size_t n = 0;
	const struct moment now = enrol_now(e);
	if (!enrol_step(e, ENROL_FETCH_REQUEST))
		return;
	if (e->setup->fault != ENROL_FAULT_FETCH)
		n = gather(e, event->cert.type, certs);
	console_say(e->phone.console, "NOT", "SECD", "CAPF_SHOW",
		"[CAPF], %zu certificates shown", n);
	e->result.shown |= n > 0;
	capf_phone_fetched(&e->talk,
		n > 0 ? CAPF_REASON_SUCCESS : CAPF_REASON_DECLINED, certs, n,
		&now);
	for (size_t i = 0; i < n; i++)
		OPENSSL_free((void *)certs[i].der.p);
	answered(e, ENROL_FETCH_RESPONSE);
}

/* ---- the end ---- */

static const struct {
	enum enrol_outcome outcome;
	const char *text;
} ends[] = {
	[CAPF_REASON_NO_ACTION] = {ENROL_BY_NO_ACTION, "nothing to do"},
	[CAPF_REASON_SUCCESS] = {ENROL_BY_SUCCESS, "done"},
	[CAPF_REASON_DECLINED] = {ENROL_BY_DECLINED, "CAPF declined (7)"},
	[CAPF_REASON_UNKNOWN_DEVICE] = {ENROL_BY_UNKNOWN,
		"CAPF does not know this device (9)"},
};

static void end(struct enrol *e, int reason)
{
	enum { KNOWN = sizeof(ends) / sizeof(*ends) };
	char text[64];
	e->result.reason = reason;
	if (!enrol_step(e, ENROL_END_SESSION))
		return;
	if (reason >= 0 && reason < KNOWN && ends[reason].text) {
		enrol_close(e, ends[reason].outcome, ends[reason].text);
		return;
	}
	snprintf(text, sizeof(text), "CAPF ended with reason %d", reason);
	enrol_close(e, ENROL_BY_OTHER, text);
}

static void on_event(struct enrol *e, const struct capf_phone_event *event,
	enum enrol_cause cause)
{
	switch (event->type) {
	case CAPF_PHONE_AUTH:
		authenticate(e, event);
		return;
	case CAPF_PHONE_GENERATE:
		generate(e, event);
		return;
	case CAPF_PHONE_STORE:
		store(e, event);
		return;
	case CAPF_PHONE_ERASE:
		erase(e);
		return;
	case CAPF_PHONE_FETCH:
		show(e, event);
		return;
	case CAPF_PHONE_END:
		end(e, event->reason);
		return;
	case CAPF_PHONE_FAILED:
		enrol_close(e,
			cause == ENROL_CLOCK ? ENROL_BY_TIMEOUT
					     : ENROL_BY_FAILED,
			event->text);
		return;
	}
}

void enrol_talk_run(struct enrol *e, enum enrol_cause cause)
{
	struct capf_phone_event event;
	while (e->state != ENROL_CLOSING && e->talk_on &&
		capf_phone_next(&e->talk, &event))
		on_event(e, &event, cause);
}

void enrol_talk_begin(struct enrol *e)
{
	const struct moment now = enrol_now(e);
	const struct capf_phone_config config = {
		.version = e->setup->version,
		.cisco_order = e->setup->like == ENROL_LIKE_CISCO,
		.answer_ms = e->setup->answer_ms,
	};
	capf_phone_init(&e->talk, &config, &now);
	e->talk_on = true;
}

void enrol_talk_feed(struct enrol *e, const void *data, size_t n)
{
	const struct moment now = enrol_now(e);
	if (e->talk_on)
		capf_phone_feed(&e->talk, data, n, &now);
}

void enrol_talk_tick(struct enrol *e)
{
	const struct moment now = enrol_now(e);
	capf_phone_tick(&e->talk, &now);
	if (e->progress_due_ms <= now.mono_ms) {
		e->progress_due_ms = now.mono_ms + PROGRESS_EVERY_MS;
		progress(e, 1);
	}
	if (e->key && e->key_due_ms <= now.mono_ms)
		send_key(e);
}

uint64_t enrol_talk_deadline(const struct enrol *e)
{
	uint64_t due = capf_phone_deadline(&e->talk);
	if (e->progress_due_ms < due)
		due = e->progress_due_ms;
	if (e->key && e->key_due_ms < due)
		due = e->key_due_ms;
	return due;
}

void enrol_talk_end(struct enrol *e)
{
	keys_forget(&e->order);
	EVP_PKEY_free(e->key);
	e->key = NULL;
}

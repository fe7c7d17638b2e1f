/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated phone's TLS: what it shows, what it offers, why it failed. */
#include "bench/handset_tls.h"

#include <stdlib.h>

#include "bench/tls_client.h"

const struct credential *handset_tls_shown(const struct handset *h)
{
	static const struct credential none;
	return h->shown ? h->shown : &none;
}

/* The server asks for our certificate, although a session was offered. */
static int on_certificate_wanted(SSL *ssl, void *owner)
{
	return credential_use(handset_tls_shown(owner), ssl) == 0;
}

/* Offers the session of the last visit, if there is one. */
static bool offer_session(struct handset *h)
{
	SSL *ssl = h->tls.ssl;
	if (!h->session || !*h->session)
		return false;
	SSL_set_session(ssl, *h->session);
	h->result.offered = true;
	if (SSL_SESSION_get_protocol_version(*h->session) < TLS1_3_VERSION)
		return true;
	SSL_SESSION_free(*h->session);
	*h->session = NULL;
	return true;
}

int handset_tls_begin(struct handset *h, const struct moment *now)
{
	const struct handset_setup *s = h->setup;
	char ciphers[1024];
	if (tls_engine_init(
		    &h->tls, s->ctx, false, s->plain, s->connect_ms, now) < 0)
		abort();
	h->tls_on = true;
	if (h->console.to) {
		tls_client_ciphers(h->tls.ssl, ciphers, sizeof(ciphers));
		console_cert_cipher(&h->console, tls_client_version(h->tls.ssl),
			credential_kind_name(handset_tls_shown(h)->kind),
			ciphers);
	}
	if (!offer_session(h))
		return credential_use(handset_tls_shown(h), h->tls.ssl);
	/* Most sessions resume, and then nobody looks at a certificate. */
	SSL_set_cert_cb(h->tls.ssl, on_certificate_wanted, h);
	return 0;
}

void handset_tls_up(struct handset *h)
{
	SSL *ssl = h->tls.ssl;
	h->result.tls_version = SSL_get_version(ssl);
	h->result.cipher = SSL_get_cipher_name(ssl);
	h->result.resumed = SSL_session_reused(ssl);
	console_say(&h->console, "NOT", "SECD", "PXY_TLS_UP",
		"[%s], [%s], cipher [%s]", h->console.user,
		h->result.tls_version, h->result.cipher);
}

/* Where the chain is not looked at, OpenSSL has a verdict all the same. */
static const char *why_we_refused(SSL *ssl, const char *error)
{
	long verdict = SSL_get_verify_result(ssl);
	if (SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE || verdict == X509_V_OK)
		return error;
	return X509_verify_cert_error_string(verdict);
}

static const char *on_alert(struct handset *h, const struct tls_event *event)
{
	enum console_alert_side side = event->fail == TLS_FAIL_ALERT_SENT
					       ? CONSOLE_ALERT_WRITE
					       : CONSOLE_ALERT_READ;
	h->result.alert = event->alert;
	h->result.alert_side = side;
	const char *text = console_alert_text(event->alert);
	if (side == CONSOLE_ALERT_WRITE) {
		text = why_we_refused(h->tls.ssl, event->error);
		console_say(&h->console, "ERR", "SECD", "PXY_SRVR_REFUSED",
			"[%s], <%s>, we refused the server: %s",
			h->console.user, h->setup->target->text, text);
	}
	console_alert(&h->console, side, SSL3_AL_FATAL, event->alert);
	return text;
}

enum handset_outcome handset_tls_failed(
	struct handset *h, const struct tls_event *event, const char **text)
{
	*text = tls_fail_text(event->fail);
	switch (event->fail) {
	case TLS_FAIL_ALERT_SENT:
	case TLS_FAIL_ALERT_RECEIVED:
		*text = on_alert(h, event);
		return HANDSET_ALERT;
	case TLS_FAIL_LATE:
		return HANDSET_TIMEOUT;
	case TLS_FAIL_NONE:
	case TLS_FAIL_PROTOCOL:
	case TLS_FAIL_NOT_READING:
		if (event->error[0])
			*text = event->error;
		return HANDSET_FAILED;
	}
	abort(); /* no other way to fail */
}

/* Tickets of TLS 1.3 come behind the handshake: the last state counts. */
static void keep_session(struct handset *h)
{
	if (!h->session || !h->result.tls_version)
		return;
	SSL_SESSION *now = SSL_get1_session(h->tls.ssl);
	if (!now || !SSL_SESSION_is_resumable(now)) {
		SSL_SESSION_free(now);
		return;
	}
	SSL_SESSION_free(*h->session);
	*h->session = now;
}

void handset_tls_end(struct handset *h)
{
	keep_session(h);
	tls_engine_deinit(&h->tls);
	h->tls_on = false;
}

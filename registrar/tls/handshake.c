/* SPDX-License-Identifier: Apache-2.0 */
/* What a handshake says of the peer, and why it failed, in our words. */
#include "registrar/tls/handshake.h"

#include <stdio.h>
#include <string.h>

#include "registrar/text.h"

void handshake_facts(
	struct peer *peer, SSL *ssl, struct profile_finding *finding)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
	peer->tls_version = SSL_get_version(ssl);
	peer->cipher = cipher ? SSL_CIPHER_get_name(cipher) : NULL;
	finding->offered = SSL_client_version(ssl);
	if (!finding->record.cert)
		return;
	peer_cert_unref(peer->cert);
	peer->cert = finding->record.cert;
	finding->record.cert = NULL;
	peer->verified = finding->result.verdict == TRUST_OK;
	if (!peer->verified)
		return;
	peer->kind = finding->result.kind;
	peer->anchor = finding->result.anchor;
}

/* What trust said of the certificate, in a failure's words. */
static void add_judgement(struct failure *f, const struct trust_result *result)
{
	f->verdict = result->verdict;
	f->code = REASON_FAILURE_AUTHENTICATION;
	text_copy(
		f->rule, sizeof(f->rule), trust_verdict_name(result->verdict));
	text_copy(f->why, sizeof(f->why),
		result->why[0] ? result->why
			       : trust_verdict_text(result->verdict));
	text_copy(f->cure, sizeof(f->cure),
		result->cure[0] ? result->cure
				: trust_verdict_cure(result->verdict));
	text_copy(f->missing_ca, sizeof(f->missing_ca), result->missing_ca);
}

static bool sent_none(const struct peer *peer, const struct tls_event *e)
{
	/* 116 in TLS 1.3, 40 before: the latter is also "no common suite",
	 * which comes before a certificate can be asked for. */
	return !peer->cert && e->fail == TLS_FAIL_ALERT_SENT &&
	       (e->alert == SSL_AD_CERTIFICATE_REQUIRED ||
		       strstr(e->error, "did not return a certificate"));
}

static const char *tls_cure(const struct tls_event *e)
{
	if (e->fail == TLS_FAIL_ALERT_RECEIVED)
		return "the phone does not trust this registrar: give it a "
		       "CTL/ITL file that holds our certificate";
	if (e->alert == SSL_AD_PROTOCOL_VERSION)
		return "the phone and this listener share no TLS version: give "
		       "old phones a listener with \"profile\": \"legacy\", or "
		       "update the phone's firmware";
	if (e->alert == SSL_AD_HANDSHAKE_FAILURE)
		return "the phone and this listener share no cipher suite: "
		       "look at the listener's profile and ciphers; a phone "
		       "in authenticated mode needs \"null_cipher\": true";
	if (e->fail == TLS_FAIL_LATE)
		return "look at the network between phone and registrar, or "
		       "raise tls.handshake_ms";
	return "look at what this address sends: it is not TLS";
}

/* The newest version that the phone knows: what the alert is about. */
static const char *at_most(int version)
{
	switch (version) {
	case SSL3_VERSION:
		return ", the phone speaks SSL 3.0 at most";
	case TLS1_VERSION:
		return ", the phone speaks TLS 1.0 at most";
	case TLS1_1_VERSION:
		return ", the phone speaks TLS 1.1 at most";
	default:
		return "";
	}
}

void handshake_failure(struct failure *out, const struct peer *peer,
	const struct profile_finding *finding, const struct tls_event *e)
{
	struct trust_result none = {.verdict = TRUST_NO_CERTIFICATE};
	failure_from_peer(out, peer);
	out->stage = FAILURE_TLS;
	if (e->alert >= 0)
		failure_set_alert(
			out, e->alert, e->fail == TLS_FAIL_ALERT_RECEIVED);
	if (peer->cert && !peer->verified) {
		if (finding->subject) {
			text_copy(out->subject, sizeof(out->subject),
				finding->subject);
			text_copy(out->issuer, sizeof(out->issuer),
				finding->issuer);
		}
		add_judgement(out, &finding->result);
		return;
	}
	if (sent_none(peer, e)) {
		add_judgement(out, &none);
		return;
	}
	text_copy(out->rule, sizeof(out->rule), tls_fail_name(e->fail));
	snprintf(out->why, sizeof(out->why), "%s%s%s%s", tls_fail_text(e->fail),
		*e->error ? ": " : "", e->error,
		e->alert == SSL_AD_PROTOCOL_VERSION ? at_most(finding->offered)
						    : "");
	text_copy(out->cure, sizeof(out->cure), tls_cure(e));
}

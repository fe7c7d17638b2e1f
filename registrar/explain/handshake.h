/* SPDX-License-Identifier: Apache-2.0 */
/* One TLS connection of a capture, told in plain words. */
#ifndef REGISTRAR_EXPLAIN_HANDSHAKE_H
#define REGISTRAR_EXPLAIN_HANDSHAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <jansson.h>

#include "certs/identity.h"
#include "protocols/tls/seen.h"
#include "registrar/explain/alerts.h"

enum { HANDSHAKE_ALERTS_MAX = 4 };

/* What was seen of it; zeroed is nothing. */
struct handshake {
	bool offered, chosen;
	uint16_t offered_version, version, suite;
	uint16_t suites[TLS_SEEN_SUITES_MAX];
	size_t n_suites;
	bool session_offered, psk;
	bool server_certificate, asked, answered;
	bool changed[2]; /* keys, by enum tls_seen_end */
	bool data;
	struct cert_identity *cert; /* the client's, NULL: none seen */
	bool unreadable;	    /* it sent one that is none */
	enum cert_kind kind;
	const char *kind_why;
	struct explain_alert alerts[HANDSHAKE_ALERTS_MAX];
	size_t n_alerts;
	size_t secret_alerts;
	const char *lost[2];
};

void handshake_deinit(struct handshake *h);
void handshake_take(struct handshake *h, const struct tls_seen_event *e);
/* A hello was seen: this is TLS. */
bool handshake_is_tls(const struct handshake *h);
/* All of it that tells is there: no more needs to be read. */
bool handshake_is_over(const struct handshake *h);
/* Puts its story before "what", and sets version, ciphers, certificate, alerts,
 * meaning, cure; `at` is when it took place, `device` stands in for a name no
 * certificate gives. */
void handshake_put(
	json_t *o, const struct handshake *h, time_t at, const char *device);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Resumption that never outlives its trust, and never decodes a certificate. */
#ifndef REGISTRAR_TLS_RESUME_H
#define REGISTRAR_TLS_RESUME_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "registrar/config.h"
#include "registrar/inventory.h"
#include "registrar/peer.h"
#include "registrar/tls/parking.h"
#include "registrar/tls/session_cache.h"
#include "registrar/tls/ticket_keys.h"
#include "trust/snapshot.h"

enum {
	RESUME_LIFETIME_S = 3600, /* phones: TLSResumptionTimer */
	RESUME_TAG = 32,	  /* names a listener */
};

/* Why an offered session was not used. X(symbol, name) */
#define RESUME_LIST(X)                    \
	X(OK, "resumed")                  \
	X(UNREADABLE, "unreadable")       \
	X(LISTENER, "other-listener")     \
	X(ANCHOR, "anchor-gone")          \
	X(EXPIRED, "certificate-expired") \
	X(DEVICE, "device-not-allowed")   \
	X(STRENGTH, "too-weak-now")       \
	X(CIPHER, "other-cipher")         \
	X(REVOKED, "revoked")             \
	X(LISTED, "certificate-revoked")  \
	X(FUTURE, "made-in-the-future")

enum resume_verdict {
#define X(symbol, name) RESUME_##symbol,
	RESUME_LIST(X)
#undef X
		RESUME_VERDICTS
};
const char *resume_verdict_name(enum resume_verdict v);

/*
 * What sessions and tickets carry instead of the certificate. It travels in
 * OpenSSL's ticket application data, thus sealed by the ticket key or kept in
 * our cache, never in the phone's power.
 */
struct resume_record {
	uint8_t tag[RESUME_TAG];
	enum cert_kind kind;
	uint8_t anchor[32];	/* SHA-256 of the anchor */
	int64_t made_ns;	/* unix: of the full handshake */
	struct peer_cert *cert; /* the leaf; the owner frees it */
	/* Of this connection, and not written: */
	enum config_protocol protocol; /* the listener's */
	bool extended;		       /* the session's master secret */
};

/* The same as it lies in a session: points into it, and makes nothing. */
struct resume_view {
	const uint8_t *tag;
	enum cert_kind kind;
	const uint8_t *anchor;
	int64_t made_ns;
	struct peer_cert facts; /* but for its texts */
	struct peer_text texts[PEER_CERT_TEXTS];
};

/* What resumption needs; outlives every SSL_CTX it is used on. */
struct resume {
	const struct config *config;
	struct inventory *inventory; /* whose phones may resume */
	struct leaves *leaves;	     /* of who did not resume; NULL: not kept */
	struct ticket_keys *keys;    /* NULL: no tickets */
	struct session_cache *cache; /* NULL: no session ids */
	time_t (*now)(time_t *);     /* time(), but for tests */
	uint64_t verdicts[RESUME_VERDICTS]; /* counted, relaxed */
	int64_t revoked_ns; /* unix: full handshakes until then are void */
};

/* No session that goes back to a full handshake before now is used. New keys
 * and an empty cache do that too, but for a phone that is resuming just then:
 * it would carry the old session on under the new key. */
void resume_revoke(struct resume *resume);

/* Turns resumption on for a context whose clients `trust` judges; trust and
 * parking outlive ctx. */
struct resume_ctx;
struct resume_ctx *resume_ctx_new(struct resume *resume, SSL_CTX *ctx,
	const struct trust_snapshot *trust, struct parking *parking);
void resume_ctx_free(struct resume_ctx *r);

/* Before the handshake: which listener this is. */
void resume_tag(SSL *ssl, const uint8_t tag[RESUME_TAG]);
/* In the verify callback, once the verdict is OK: what later sessions of
 * this connection carry. The record is the caller's, lives until the
 * handshake has ended, and is dated here. */
void resume_remember(SSL *ssl, struct resume_record *record);
/* After the handshake: was it a resumption, and whose? All of *out but its
 * tag is filled. */
bool resume_recall(SSL *ssl, struct resume_record *out);

/* ---- for tests ---- */

enum { RESUME_RECORD_MAX = 900 };
/* 0 when it does not fit, then no session is kept. */
size_t resume_record_write(
	const struct resume_record *record, uint8_t data[RESUME_RECORD_MAX]);
bool resume_view_read(struct resume_view *view, const uint8_t *data, size_t n);

#endif

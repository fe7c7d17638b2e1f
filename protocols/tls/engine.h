/* SPDX-License-Identifier: Apache-2.0 */
/* TLS over bytes: ciphertext in, plaintext and events out, no socket. */
#ifndef PROTOCOLS_TLS_ENGINE_H
#define PROTOCOLS_TLS_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "protocols/bytes.h"
#include "protocols/moment.h"

enum tls_event_type {
	TLS_EVENT_UP,	  /* handshake done */
	TLS_EVENT_DATA,	  /* data, n: plaintext */
	TLS_EVENT_CLOSED, /* the peer sent close_notify. The last event */
	TLS_EVENT_FAILED, /* it is over; drain out(): an alert may be there.
			   * The last event */
};

/* Why a connection failed. X(symbol, name, text) */
#define TLS_FAIL_LIST(X)                                                       \
	X(NONE, "none", "no failure")                                          \
	X(ALERT_SENT, "tls-alert-sent", "we sent a fatal alert")               \
	X(ALERT_RECEIVED, "tls-alert-received", "the peer sent a fatal alert") \
	X(PROTOCOL, "tls-protocol", "what came is not TLS")                    \
	X(LATE, "tls-handshake-late", "the handshake took too long")           \
	X(NOT_READING, "tls-not-reading", "answers pile up unread")

enum tls_fail {
#define X(symbol, name, text) TLS_FAIL_##symbol,
	TLS_FAIL_LIST(X)
#undef X
};

const char *tls_fail_name(enum tls_fail fail);
const char *tls_fail_text(enum tls_fail fail);

/* Everything in an event is valid until the next call on the engine. */
struct tls_event {
	enum tls_event_type type;
	const uint8_t *data;
	size_t n;
	enum tls_fail fail;
	int alert;	   /* FAILED: alert description, -1 when none */
	const char *error; /* FAILED: OpenSSL's own words, or "" */
};

/*
 * One connection. Feed ciphertext, call next() until false, send out(). The
 * handshake has one absolute deadline, set at init and moved by nothing.
 */
struct tls_engine {
	SSL *ssl;
	struct bytes_queue in;	/* ciphertext not yet read by OpenSSL */
	struct bytes_queue out; /* ciphertext to send */
	uint64_t deadline_ms;	/* of the handshake */
	uint8_t *plain;		/* lent by the host: TLS_PLAIN_MAX bytes */
	uint8_t state;
	uint8_t fail;
	int16_t alert;
	const char *error; /* OpenSSL's own words, static */
};

enum {
	TLS_PLAIN_MAX = 16384,	  /* one record of plaintext */
	TLS_OUT_MAX = 256 * 1024, /* ciphertext waiting, at most */
};

/*
 * server: accepts, else connects. handshake_ms counts from now. plain is a
 * buffer of TLS_PLAIN_MAX bytes that may be shared by all engines of one
 * thread; DATA events point into it. 0 or -ENOMEM.
 */
int tls_engine_init(struct tls_engine *e, SSL_CTX *ctx, bool server,
	uint8_t *plain, uint32_t handshake_ms, const struct moment *now);
/* Frees. An established session stays resumable (both shutdown flags). */
void tls_engine_deinit(struct tls_engine *e);
void tls_engine_feed(struct tls_engine *e, const void *data, size_t n);
void tls_engine_tick(struct tls_engine *e, const struct moment *now);
bool tls_engine_next(struct tls_engine *e, struct tls_event *event);
/* Encrypts n bytes. 0; -EPIPE when closed or failed; -ENOBUFS when more
 * waits than TLS_OUT_MAX (the engine fails with NOT_READING). */
int tls_engine_write(struct tls_engine *e, const void *data, size_t n);
/* Queues close_notify. */
void tls_engine_close(struct tls_engine *e);
const uint8_t *tls_engine_out(const struct tls_engine *e, size_t *n);
void tls_engine_sent(struct tls_engine *e, size_t n);
uint64_t tls_engine_deadline(const struct tls_engine *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The server side of one CAPF connection: one operation of one phone. */
#ifndef PROTOCOLS_CAPF_SERVER_H
#define PROTOCOLS_CAPF_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/bytes.h"
#include "protocols/capf/ids.h"
#include "protocols/capf/message.h"
#include "protocols/moment.h"

struct capf_server_config {
	uint32_t session;    /* session id, which the phone echoes */
	uint32_t answer_ms;  /* for each answer of the phone's */
	uint32_t keygen_ms;  /* for KEY_GENERATE_RESPONSE, however many
			      * REQUEST_IN_PROGRESS come before it */
	bool send_auth_type; /* AUTH_REQUEST also has AUTH_TYPE 0, as
			      * usecallmanager sends it */
};

enum capf_server_event_type {
	/* The phone says who it is: device, version, password and the proof.
	 * To be answered with generate_key, store, erase, fetch or end. */
	CAPF_SERVER_AUTH,
	CAPF_SERVER_PROGRESS, /* it works on the key; nothing to answer */
	CAPF_SERVER_KEY,      /* public_key, or reason when it has none */
	CAPF_SERVER_STORED,   /* reason */
	CAPF_SERVER_ERASED,   /* reason */
	CAPF_SERVER_FETCHED,  /* reason, certs */
	/* The phone broke a rule, or kept silent: END_SESSION is in out(),
	 * unless it came too late for that. The last event. */
	CAPF_SERVER_FAILED,
};

/* Everything it points to is valid until the next call on the engine. */
struct capf_server_event {
	enum capf_server_event_type type;
	/* AUTH */
	const char *device;   /* in the grammar: printable, [A-Za-z0-9._-]+ */
	unsigned version;     /* what the phone speaks, 1 to 255 */
	const char *password; /* NULL: it sent none; may be "" */
	struct capf_cert certs[CAPF_CERTS_MAX]; /* FETCHED, too */
	size_t n_certs;
	struct capf_bytes signed_data, sha2_signed_data, sudi_data;
	/* KEY */
	struct capf_bytes public_key; /* DER SubjectPublicKeyInfo, unchecked */
	/* of all but PROGRESS and FAILED: what the phone said, or -1 */
	int reason;
	/* FAILED */
	const char *rule; /* "capf-wrong-session", ...: stays */
	const char *text; /* what came, and what was wanted */
};

struct capf_server {
	struct capf_server_config config;
	struct bytes_queue in;
	struct bytes_queue out;
	struct capf_server_state *state;
};

/*
 * init() queues AUTH_REQUEST. Feed, next, out, sent, tick, deadline as every
 * engine. A message is one piece in out(): the host must send it as one TLS
 * record (each message fits into one). Order of elements is free, unknown ones
 * are skipped, a tag that comes twice is refused.
 *
 * The verbs answer the phone's last message, in the order of specs capf 7, and
 * only then (assert). While the host has not answered, no deadline runs and
 * what the phone sends beyond one message in advance is refused. After FAILED
 * they do nothing.
 */
void capf_server_init(struct capf_server *s,
	const struct capf_server_config *config, const struct moment *now);
void capf_server_deinit(struct capf_server *s);
void capf_server_feed(struct capf_server *s, const void *data, size_t n,
	const struct moment *now);
void capf_server_tick(struct capf_server *s, const struct moment *now);
bool capf_server_next(struct capf_server *s, struct capf_server_event *event);
const uint8_t *capf_server_out(const struct capf_server *s, size_t *n);
void capf_server_sent(struct capf_server *s, size_t n);
uint64_t capf_server_deadline(const struct capf_server *s);

/* To a phone of version 2 or less KEY_SIZE alone (RSA only: assert). */
void capf_server_generate_key(struct capf_server *s,
	const struct capf_key_wish *wish, const struct moment *now);
/* An LSC, 1 to 12,000 bytes of DER. After AUTH or KEY. */
void capf_server_store(struct capf_server *s, const void *der, size_t n,
	const struct moment *now);
void capf_server_erase(struct capf_server *s, const struct moment *now);
/* type 0: FETCH_CERTIFICATE_REQUEST is empty; else it names that type. May
 * follow FETCHED, for the next type. */
void capf_server_fetch(
	struct capf_server *s, unsigned type, const struct moment *now);
/* At any time before the end; nothing is heard after it. */
void capf_server_end(struct capf_server *s, enum capf_reason reason);

#endif

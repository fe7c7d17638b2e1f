/* SPDX-License-Identifier: Apache-2.0 */
/* What an onlooker reads of a TLS connection: both ends' bytes as messages. */
#ifndef PROTOCOLS_TLS_SEEN_H
#define PROTOCOLS_TLS_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/bytes.h"
#include "protocols/tls/hello.h"

enum {
	TLS_SEEN_FEED_MAX = 16384, /* bytes of one feed */
	TLS_SEEN_SUITES_MAX = 128, /* kept of a ClientHello */
	TLS_SEEN_TLS13 = 0x0304,
};

enum tls_seen_end { TLS_SEEN_CLIENT, TLS_SEEN_SERVER };

enum tls_seen_type {
	TLS_SEEN_CLIENT_HELLO, /* version: the highest; suites, resumes */
	TLS_SEEN_SERVER_HELLO, /* version, suite; resumes: by PSK, surely */
	TLS_SEEN_CERTIFICATE,  /* leaf and issuer; leaf.n 0: an empty list */
	TLS_SEEN_CERTIFICATE_REQUEST,
	TLS_SEEN_CHANGE_CIPHER, /* what this end says next is encrypted */
	TLS_SEEN_ALERT,		/* level and alert; -1 each: encrypted */
	TLS_SEEN_DATA,		/* leaf: its plaintext under a NULL cipher */
	TLS_SEEN_LOST,		/* why; the last event of this end */
};

/* Slices are valid until the next call on the parser. */
struct tls_seen_event {
	enum tls_seen_type type;
	enum tls_seen_end from;
	uint16_t version;
	uint16_t suite;
	uint16_t suites[TLS_SEEN_SUITES_MAX];
	size_t n_suites;
	bool resumes;
	struct tls_hello_slice leaf, issuer;
	int level, alert;
	const char *why;
};

/*
 * A connection of TLS 1.0 to 1.3 (and the SSLv2 hello of old phones, RFC 5246
 * E.2), read by who can decrypt nothing. Feed at most TLS_SEEN_FEED_MAX bytes
 * of one end, then call next() until it says false. What an end may make us
 * keep is limited: one record, and 64 KiB of one handshake message.
 */
struct tls_seen {
	struct tls_seen_half {
		struct bytes_queue records, messages;
		/* Bytes of each that the last next() gave out. */
		size_t records_read, messages_read;
		bool encrypted; /* what it says is */
		bool begun;	/* a record was read */
		bool lost;
	} half[2];
	uint16_t version; /* 0: no ServerHello yet */
	uint16_t suite;
};

void tls_seen_init(struct tls_seen *t);
void tls_seen_deinit(struct tls_seen *t);
void tls_seen_feed(
	struct tls_seen *t, enum tls_seen_end from, const void *data, size_t n);
bool tls_seen_next(struct tls_seen *t, struct tls_seen_event *e);
/* Bytes of this end are missing: nothing more can be read of it. */
void tls_seen_gap(struct tls_seen *t, enum tls_seen_end from);

/* OpenSSL's name of a suite, NULL when it is not in the table. */
const char *tls_suite_name(uint16_t suite);
/* "TLSv1", "TLSv1.2"; "" for a number nobody assigned. */
const char *tls_version_name(uint16_t version);
/* Bytes of the MAC behind plaintext under a NULL cipher, 0 for any other. */
size_t tls_suite_null_mac(uint16_t suite);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker counts by name and by how long it took: for /metrics. */
#ifndef REGISTRAR_METERS_H
#define REGISTRAR_METERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trust/snapshot.h"

enum {
	/* Names that have a place of their own; the rest is "other". */
	METERS_CIPHERS = 24,
	METERS_ANCHORS = 32,
	METERS_NAME_MAX = 127,
	METERS_TLS_VERSIONS = 4, /* from 1.0 */
	METERS_ALERTS = 256,
	METERS_SIP_CLASSES = 7, /* the first digit of a status, 1 to 6 */
	/* Bounds double, from METERS_LEAST_US to 33 s; one is for longer. */
	METERS_BOUNDS = 19,
	METERS_LEAST_US = 125,
	METERS_WINDOW_MS = 30000, /* that the longest turn is of */
};

/* What is only counted. */
enum meters_count {
	METERS_DIGEST_CHALLENGES,
	METERS_DIGEST_FAILURES, /* a stale nonce is none */
	METERS_REGISTER_REJECTS,
	METERS_TOKEN_REJECTS,
	METERS_COUNTS
};

/* What takes its time. */
enum meters_span {
	METERS_FULL,	/* handshake, from its start to its end */
	METERS_RESUMED, /* the same, resumed */
	METERS_SCCP,	/* from the start of a connection to its registration */
	METERS_SIP,	/* the same, over TCP or TLS */
	METERS_WAITING, /* in the kernel's backlog and in the waiting room */
	METERS_TURN,	/* of the loop: what comes meanwhile waits for it */
	METERS_SPANS
};

struct meters_histogram {
	uint64_t n[METERS_BOUNDS + 1]; /* not cumulative */
	uint64_t sum_us;
};

/*
 * Written by one thread and read by others: relaxed atomics, but for `used`,
 * which says that what is beside it is there to stay. The last place of a table
 * is for all that found none.
 */
struct meters {
	struct meters_cipher {
		bool used;
		const char *name;		    /* OpenSSL's own */
		uint64_t n[METERS_TLS_VERSIONS][2]; /* full, resumed */
	} ciphers[METERS_CIPHERS + 1];
	struct meters_anchor {
		bool used;
		char file[METERS_NAME_MAX + 1]; /* "none": nobody vouched */
		enum cert_kind kind;
		uint64_t n[2]; /* full, resumed */
	} anchors[METERS_ANCHORS + 1];
	uint64_t alerts[METERS_ALERTS][2]; /* sent, received */
	uint64_t sip_answers[METERS_SIP_CLASSES];
	uint64_t counts[METERS_COUNTS];
	struct meters_histogram spans[METERS_SPANS];
	/* The longest turns of two windows, by a window's parity. */
	struct meters_longest {
		uint64_t window, ms;
	} longest[2];
};

/* ---- by the worker ---- */

void meters_add(struct meters *m, enum meters_count what);
void meters_took(struct meters *m, enum meters_span span, uint64_t us);

/* A handshake that succeeded. */
struct meters_handshake {
	unsigned version;		   /* 0: TLS 1.0, ... */
	const char *cipher;		   /* OpenSSL's own text, which stays */
	const struct trust_anchor *anchor; /* NULL: nobody vouched */
	bool resumed;
	uint64_t us;
};
void meters_secured(struct meters *m, const struct meters_handshake *h);
/* A connection ended by an alert; below 0: by none. */
void meters_alerted(struct meters *m, int alert, bool received);
/* All that a loop woke up for, at that time, is done. */
void meters_turned(struct meters *m, uint64_t woke_ms);
/* Monotonic; libuv's milliseconds, only finer. */
uint64_t meters_now_us(void);

/* ---- for status ---- */

/* Adds what a worker counted to a sum of the caller's. Longest turns are not
 * summed. */
void meters_sum(struct meters *sum, const struct meters *worker);
/* The longest turn of this window and the one before. */
uint64_t meters_longest_ms(const struct meters *m, uint64_t now_ms);
/* Of a bucket that has a bound. */
uint64_t meters_bound_us(size_t bucket);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a storm has counted: arrivals, handshakes, latencies, refusals. */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/histogram.h"
#include "bench/require.h"
#include "bench/series.h"

/* What kind of connection it was. X(symbol, name) */
#define TALLY_KIND_LIST(X)    \
	X(FULL, "full")       \
	X(RESUMED, "resumed") \
	X(PLAIN, "plain")

enum tally_kind {
#define X(symbol, name) TALLY_##symbol,
	TALLY_KIND_LIST(X)
#undef X
		TALLY_KINDS
};

const char *tally_kind_name(enum tally_kind kind);

/* Why attempts ended badly, each with its count; the last row takes what
 * comes when the table is full, so that a server cannot make it grow. */
enum { TALLY_REASONS = 24, TALLY_REASON_MAX = 191 };

struct tally_reason {
	char text[TALLY_REASON_MAX + 1];
	uint64_t count;
};

struct tally_reasons {
	size_t n;
	struct tally_reason rows[TALLY_REASONS];
};

void tally_reason(
	struct tally_reasons *r, const char *outcome, const char *text);

/* Latencies are in µs, from when the arrival was due until it was registered.
 * Zeroed is empty. */
struct tally {
	/* Priming, before the storm; only its reasons join the others. */
	uint64_t primed;
	uint64_t prime_failed;
	double prime_s;

	uint64_t planned; /* arrivals */
	uint64_t started;
	uint64_t starved;  /* of them, had to wait for a phone to be free */
	uint64_t late;	   /* of the others, started too late by this program */
	uint64_t unserved; /* no phone was free within the patience */
	struct histogram lateness; /* µs, of all that were not starved */

	uint64_t attempts;
	uint64_t retries;
	uint64_t registered;
	uint64_t failed;   /* arrivals that never registered, unserved too */
	uint64_t stopped;  /* arrivals that an early end cut short */
	uint64_t dropped;  /* held phones that the server lost */
	uint64_t returned; /* and that registered again */
	uint64_t handshakes[TALLY_KINDS];
	struct histogram latency[TALLY_KINDS];
	struct tally_reasons reasons; /* of attempts, priming's too */
	struct series series;

	double storm_s;	   /* from the first arrival to the last one decided */
	uint64_t held;	   /* connections, at most; 0 unless phones stay */
	double hold_s;	   /* how long they stayed after it */
	double tool_cpu_s; /* of this program, during storm_s */

	bool server_seen;    /* the rest is set */
	bool server_gone;    /* it ended before the storm did */
	double server_cpu_s; /* during the storm */
	double hold_cpu_s;   /* while phones stayed */
	uint64_t rss_start;
	uint64_t rss_peak;
	uint64_t rss_end;
};

/* How late a start may be before it counts as late. */
enum { TALLY_LATE_US = 10000 };

/* Every figure that can be required; NAN where nothing was measured. */
void tally_values(const struct tally *t, double values[REQUIRE_METRICS]);
/* All kinds together. */
void tally_latency(const struct tally *t, struct histogram *out);

#endif

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

/* Told to wait: 503 with Retry-After, no token yet. No refusals, those. */
struct tally_waits {
	uint64_t count;
	uint64_t seconds;  /* as told, together */
	uint64_t longest;  /* seconds */
	uint64_t arrivals; /* that were told so at least once */
	/* µs, of those that registered, what they were told taken off. */
	struct histogram latency;
};

/* Keepalives of SCCP and refreshes of SIP, of phones that are in. */
struct tally_pulses {
	uint64_t asked;
	uint64_t answered;
	uint64_t lost;		  /* open when the connection ended */
	struct histogram latency; /* µs */
};

/* A restart of the server. "After" are calls made after the command began
 * and, where calls have failed since, after the first of them did. */
struct tally_restart {
	bool begun;
	bool ended;
	int code; /* of the command; -1: could not be run */
	double at_s;
	double took_s;	     /* the command */
	double first_s;	     /* until somebody registered who called after */
	double back_s;	     /* until all phones that were lost were back */
	uint64_t offered[2]; /* sessions: before, after */
	uint64_t resumed[2];
};

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
	uint64_t gated;	   /* attempts that this program was too busy for */
	uint64_t late;	   /* of the others, started too late by this program */
	uint64_t unserved; /* no phone was free within the patience */
	uint64_t expired;  /* were not in when the storm's time was over */
	struct histogram lateness; /* µs, of all that were not starved */

	uint64_t attempts;
	uint64_t retries;
	uint64_t registered;
	uint64_t failed;   /* arrivals that never registered, unserved too */
	uint64_t stopped;  /* arrivals that an early end cut short */
	uint64_t dropped;  /* held phones that the server lost */
	uint64_t returned; /* and that registered again */
	uint64_t in_time;  /* registered within the patience, counted from
			    * when they were due */
	uint64_t handshakes[TALLY_KINDS];
	struct histogram latency[TALLY_KINDS];
	struct tally_waits waits;
	struct tally_pulses pulses;
	struct tally_restart restart;
	struct tally_reasons reasons; /* of attempts, priming's too */
	struct series series;

	double all_in_s;   /* until every arrival was registered; 0: never */
	double storm_s;	   /* from the first arrival to the last one decided */
	uint64_t held;	   /* connections, at most; 0 unless phones stay */
	double hold_s;	   /* how long they stayed after it */
	double tool_cpu_s; /* of this program, during storm_s */

	bool server_seen;      /* the rest is set */
	unsigned server_lives; /* processes it was */
	bool server_gone;      /* it ended before the storm did */
	double server_cpu_s;   /* during the storm */
	double hold_cpu_s;     /* while phones stayed */
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

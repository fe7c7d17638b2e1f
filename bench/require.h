/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds that a storm must meet: "p99<200ms", "resumed>95%", "failed=0". */
#ifndef BENCH_REQUIRE_H
#define BENCH_REQUIRE_H

#include <stdbool.h>
#include <stddef.h>

#include "certs/diag.h"

enum require_unit {
	REQUIRE_COUNT, /* a plain number */
	REQUIRE_TIME,  /* us, ms or s; kept in seconds */
	REQUIRE_SHARE, /* %; kept in percent */
	REQUIRE_SIZE,  /* B, KB, MB or GB (1024 each); kept in bytes */
};

/* What can be asked for. X(symbol, name, unit, meaning) */
#define REQUIRE_METRIC_LIST(X)                                             \
	X(P50, "p50", TIME, "median time to register")                     \
	X(P90, "p90", TIME, "90th percentile of it")                       \
	X(P99, "p99", TIME, "99th percentile of it")                       \
	X(P99_9, "p99.9", TIME, "99.9th percentile of it")                 \
	X(MAX, "max", TIME, "the slowest")                                 \
	X(REGISTERED, "registered", COUNT, "arrivals that registered")     \
	X(FAILED, "failed", COUNT, "arrivals that never did")              \
	X(DROPPED, "dropped", COUNT, "held phones that the server lost")   \
	X(RATE, "rate", COUNT, "registrations per second")                 \
	X(GOODPUT, "goodput", COUNT,                                       \
		"of them, within --patience of when they were due")        \
	X(ATTEMPTS, "attempts", COUNT, "attempts per registration")        \
	X(ALL_IN, "all-in", TIME, "until every arrival was registered")    \
	X(WAITS, "waits", COUNT, "times that a phone was told to wait")    \
	X(RESUMED, "resumed", SHARE, "resumed handshakes of all")          \
	X(RESUMED_AFTER, "resumed-after", SHARE,                           \
		"of the sessions offered after --restart-at, resumed")     \
	X(BACK, "back", TIME,                                              \
		"from the restart until all lost phones were back")        \
	X(KEEPALIVE_P99, "keepalive-p99", TIME,                            \
		"99th percentile of the time to answer a keepalive")       \
	X(KEEPALIVES_LOST, "keepalives-lost", COUNT,                       \
		"keepalives and refreshes that nobody answered")           \
	X(LATE, "late", SHARE, "arrivals this program was late for")       \
	X(TOOL_CPU, "tool-cpu", SHARE, "its own share of one core")        \
	X(TOOL_CPU_EACH, "tool-cpu-each", TIME,                            \
		"its own CPU per registration")                            \
	X(CPU, "cpu", TIME, "server CPU per registration (--server-pid)")  \
	X(RSS, "rss", SIZE, "server memory at its highest (--server-pid)") \
	X(RSS_PHONE, "rss-phone", SIZE, "its growth per held phone (--hold)")

enum require_metric {
#define X(symbol, ...) REQUIRE_##symbol,
	REQUIRE_METRIC_LIST(X)
#undef X
		REQUIRE_METRICS
};

const char *require_metric_name(enum require_metric metric);
const char *require_metric_meaning(enum require_metric metric);
enum require_unit require_metric_unit(enum require_metric metric);

enum require_sign {
	REQUIRE_BELOW,
	REQUIRE_AT_MOST,
	REQUIRE_ABOVE,
	REQUIRE_AT_LEAST,
	REQUIRE_EQUAL,
};

struct require {
	enum require_metric metric;
	enum require_sign sign;
	double limit; /* as its unit is kept */
};

/* "METRIC SIGN NUMBER UNIT" without blanks; the sign is <, <=, >, >= or =.
 * 0, or -EINVAL with d set. */
int require_parse(const char *text, struct require *out, struct diag *d);
/* NAN was not measured, and meets nothing. */
bool require_met(const struct require *r, const double values[REQUIRE_METRICS]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What happened over time, in a bounded number of cells of equal length. */
#ifndef BENCH_SERIES_H
#define BENCH_SERIES_H

#include <stddef.h>
#include <stdint.h>

/* What is counted per cell. X(symbol, name) */
#define SERIES_COUNT_LIST(X)                                       \
	X(FULL, "full")		    /* handshakes */               \
	X(RESUMED, "resumed")	    /* likewise */                 \
	X(REGISTERED, "registered") /* arrivals, and returned */   \
	X(IN_TIME, "in_time")	    /* of them, within patience */ \
	X(REFUSED, "refused")	    /* attempts */                 \
	X(WAITS, "told_to_wait")    /* phones */                   \
	X(DROPPED, "dropped")	    /* by the server */            \
	X(PULSES, "keepalives")	    /* answered */                 \
	X(CPU_NS, "server_cpu_ns")  /* used within it */           \
	X(TOOL_CPU_NS, "tool_cpu_ns")

enum series_count {
#define X(symbol, name) SERIES_##symbol,
	SERIES_COUNT_LIST(X)
#undef X
		SERIES_COUNTS
};

const char *series_count_name(enum series_count count);

/* Latencies are told within 1/8, up to 134 s: enough for a plot. */
enum {
	SERIES_LATENCY_BITS = 3,
	SERIES_LATENCY_TOP = (1 << 27) - 1, /* µs; what is above counts as it */
	SERIES_LATENCIES = 200,
};

struct series_cell {
	uint64_t counts[SERIES_COUNTS];
	uint64_t rss;	  /* highest seen in it; 0: not looked at */
	uint64_t held;	  /* connections, highest seen in it */
	uint64_t slowest; /* µs */
	uint32_t latencies[SERIES_LATENCIES];
};

/* When cells are used up, neighbours are merged and become twice as long.
 * Zeroed is empty, with cells of 1 s at first. */
enum { SERIES_CELLS = 600 };

struct series {
	unsigned cell_ms; /* 0 as 1000; may be set while it is empty */
	size_t n;	  /* cells in use: up to the latest event */
	struct series_cell cells[SERIES_CELLS];
};

double series_cell_seconds(const struct series *s);
/* The cell of that time. */
struct series_cell *series_at(struct series *s, uint64_t ns);
/* Divides what was used between two times among the cells they span. */
void series_spread(struct series *s, enum series_count count, uint64_t from_ns,
	uint64_t to_ns, uint64_t amount);
/* What was seen at to_ns holds for the cells since from_ns, too: they keep
 * the highest. */
void series_level(struct series *s, uint64_t from_ns, uint64_t to_ns,
	uint64_t rss, uint64_t held);
void series_latency(struct series_cell *c, uint64_t us);
/* Nearest rank, in µs; NAN when nothing was added. */
double series_percentile(const struct series_cell *c, double p);

#endif

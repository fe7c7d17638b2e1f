/* SPDX-License-Identifier: Apache-2.0 */
/* What happened over time, in a bounded number of cells of equal length. */
#ifndef BENCH_SERIES_H
#define BENCH_SERIES_H

#include <stddef.h>
#include <stdint.h>

/* What is counted per cell. X(symbol, name) */
#define SERIES_COUNT_LIST(X)                         \
	X(FULL, "full")		    /* handshakes */ \
	X(RESUMED, "resumed")	    /* likewise */   \
	X(REGISTERED, "registered") /* arrivals */   \
	X(REFUSED, "refused")	    /* attempts */   \
	X(CPU_NS, "server_cpu_ns")  /* used within it */

enum series_count {
#define X(symbol, name) SERIES_##symbol,
	SERIES_COUNT_LIST(X)
#undef X
		SERIES_COUNTS
};

const char *series_count_name(enum series_count count);

struct series_cell {
	uint64_t counts[SERIES_COUNTS];
	uint64_t rss;  /* highest seen in it; 0: not looked at */
	uint64_t held; /* connections, highest seen in it */
};

/* Cells are 1 s long at first; when they are used up, neighbours are merged
 * and cells become twice as long. Zeroed is empty. */
enum { SERIES_CELLS = 600 };

struct series {
	unsigned seconds; /* per cell; 0 as 1 */
	size_t n;	  /* cells in use: up to the latest event */
	struct series_cell cells[SERIES_CELLS];
};

unsigned series_cell_seconds(const struct series *s);
/* The cell of that time. */
struct series_cell *series_at(struct series *s, uint64_t ns);

#endif

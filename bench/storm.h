/* SPDX-License-Identifier: Apache-2.0 */
/* Thousands of phones that come as scheduled, register, and come again. */
#ifndef BENCH_STORM_H
#define BENCH_STORM_H

#include <stdbool.h>
#include <stdint.h>

#include <sys/types.h>
#include <uv.h>

#include "bench/handset.h"
#include "bench/schedule.h"
#include "bench/tally.h"

/* How phones come back. X(symbol, option word, TLS versions it needs) */
#define STORM_RESUME_LIST(X)                \
	X(FULL, "full", "any")              \
	X(ID, "id", "1.2 or older")         \
	X(TICKET, "ticket", "1.2 or older") \
	X(PSK, "psk", "1.3")

enum storm_resume {
#define X(symbol, ...) STORM_##symbol,
	STORM_RESUME_LIST(X)
#undef X
};

const char *storm_resume_name(enum storm_resume resume);

enum storm_stay {
	STORM_CHURN, /* hangs up once registered; may come again */
	STORM_HOLD,  /* comes once and stays */
};

struct storm_config {
	const struct target *target;
	SSL_CTX *ctx; /* NULL: plain TCP */
	/* Of the i-th phone; owner as below. 0, or -errno with d set. */
	int (*credential)(void *owner, unsigned i, const char *device,
		struct credential *out, struct diag *d);
	struct talk_config talk; /* as in struct handset_setup */
	const char *device;	 /* of the first one */
	const char *line;
	unsigned phones;
	enum storm_resume resume;
	enum storm_stay stay;
	struct schedule schedule; /* HOLD: at most one arrival a phone */
	uint32_t pause_ms;	  /* between priming and the storm */
	uint32_t hold_ms;	  /* HOLD: from when the last one is decided */
	uint32_t patience_ms;	  /* of each attempt; > 0 */
	unsigned retries;	  /* of each arrival */
	pid_t server;		  /* 0: not looked at */
	/* About twice a second, for progress; or NULL. */
	void (*on_progress)(void *owner);
	void *owner;
};

enum {
	STORM_PHONES_MAX = 19900,
	STORM_RATE_MAX = 50000,
	STORM_SECONDS_MAX = 3600,
	STORM_HOLD_MAX_S = 24 * 3600,
	STORM_PATIENCE_MAX_S = 120,
	STORM_RETRIES_MAX = 20,
	STORM_PRIME_MAX_S = 600,
};

/*
 * PRIMING: every phone registers once and keeps its session (not with FULL).
 * STORM: arrivals as scheduled. HOLDING, then SETTLING: the server may finish
 * what phones left behind before its last sample. ENDED: closing handles.
 */
#define STORM_PHASE_LIST(X)     \
	X(NEW, "new")           \
	X(PRIMING, "priming")   \
	X(PAUSED, "paused")     \
	X(STORM, "storm")       \
	X(HOLDING, "holding")   \
	X(SETTLING, "settling") \
	X(ENDED, "ended")

enum storm_phase {
#define X(symbol, name) STORM_PHASE_##symbol,
	STORM_PHASE_LIST(X)
#undef X
};

const char *storm_phase_name(enum storm_phase phase);

struct storm_phone;

struct storm {
	struct storm_config config;
	struct handset_setup setup;
	struct tally tally;
	enum storm_phase phase;
	struct storm_phone *phones;
	unsigned made;
	struct storm_phone *idle; /* first in, first out */
	struct storm_phone **idle_end;
	unsigned flying;    /* handsets that are not closed */
	unsigned waiting;   /* phones that will try again */
	unsigned up;	    /* registered now */
	unsigned undecided; /* arrivals that are on their way */
	unsigned prime_next;
	uint64_t next_arrival;
	uint64_t starved_to; /* arrivals below it waited for a phone */
	uint64_t start_ns;   /* of the storm, uv_hrtime() */
	uint64_t prime_from_ns;
	uint64_t hold_ns;	/* when holding began */
	uint64_t own_cpu_ns;	/* at start_ns */
	uint64_t server_cpu_ns; /* at start_ns */
	uint64_t sampled_cpu_ns;
	uint64_t random;
	bool cut; /* ended before its time */
	uv_timer_t tick;
	uv_timer_t sample;
	uv_timer_t progress;
	uv_timer_t limit; /* of the phase */
	uint8_t plain[TLS_PLAIN_MAX];
	char received[HANDSET_READ_MAX];
};

/* Makes every phone with its certificate. 0, or -errno with d set; call
 * storm_deinit() in both cases. */
int storm_init(struct storm *s, uv_loop_t *loop,
	const struct storm_config *config, struct diag *d);
/* The loop ends by itself when the storm is over; then `tally` is final. */
void storm_start(struct storm *s);
/* Ends it now. */
void storm_stop(struct storm *s);
/* Seconds since the storm began, 0 before. */
double storm_seconds(const struct storm *s);
/* After the loop has ended, or without storm_start(). */
void storm_deinit(struct storm *s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Thousands of phones that come as scheduled, register, and come again. */
#ifndef BENCH_STORM_H
#define BENCH_STORM_H

#include <stdbool.h>
#include <stdint.h>

#include <sys/types.h>
#include <uv.h>

#include "bench/gate.h"
#include "bench/gauge.h"
#include "bench/handset.h"
#include "bench/restart.h"
#include "bench/schedule.h"
#include "bench/sources.h"
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

/* What phones of one protocol share. */
struct storm_way {
	const struct target *target;
	struct talk_config talk; /* as in struct handset_setup */
};

enum { STORM_WAYS = 3 };

/* What one phone is. */
struct storm_role {
	unsigned way; /* below STORM_WAYS */
	struct credential credential;
};

struct storm_config {
	struct storm_way ways[STORM_WAYS];
	SSL_CTX *ctx; /* NULL: plain TCP */
	/* Of the i-th phone; owner as below. 0, or -errno with d set. */
	int (*role)(void *owner, unsigned i, const char *device,
		struct storm_role *out, struct diag *d);
	struct sources sources;
	const char *device; /* of the first one */
	const char *line;
	unsigned phones;
	enum storm_resume resume;
	enum storm_stay stay;
	struct schedule schedule; /* HOLD: at most one arrival a phone */
	uint32_t pause_ms;	  /* between priming and the storm */
	uint64_t hold_ms;	  /* HOLD: from when the last one is decided */
	uint32_t patience_ms;	  /* of each attempt; > 0 */
	unsigned retries;	  /* of each arrival, or STORM_FOREVER */
	uint64_t until_ms; /* who is not in by then has failed; 0: never */
	/* CHURN: stays as long, by chance, and rests as long before it comes
	 * again. */
	uint32_t think_min_ms;
	uint32_t think_max_ms;
	uint64_t restart_ms; /* when restart_command is run, if there is one */
	const char *restart_command;
	pid_t server;		 /* 0: not looked at */
	const char *server_file; /* or where its number is; or NULL */
	/* About twice a second, for progress; or NULL. */
	void (*on_progress)(void *owner);
	void *owner;
};

enum {
	STORM_PHONES_MAX = 60000,
	STORM_RATE_MAX = 50000,
	STORM_SECONDS_MAX = 24 * 3600,
	STORM_HOLD_MAX_S = 24 * 3600,
	STORM_PATIENCE_MAX_S = 120,
	STORM_RETRIES_MAX = 20,
	STORM_FOREVER = STORM_RETRIES_MAX + 1,
	STORM_THINK_MAX_S = 3600,
	STORM_PRIME_MAX_S = 600,
	/* A server that tells phones to wait makes a storm longer, so much. */
	STORM_WAIT_MAX_S = 3600,
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
	struct handset_setup setups[STORM_WAYS];
	struct tally tally;
	enum storm_phase phase;
	struct storm_phone *phones;
	unsigned made;
	/* Both first in, first out. */
	struct storm_phone_list {
		struct storm_phone *first;
		struct storm_phone **end;
	} idle, gated; /* no arrival; due, and waiting at the gate */
	struct gate gate;
	unsigned flying;    /* handsets that are not closed */
	unsigned waiting;   /* phones that will try again */
	unsigned up;	    /* registered now */
	unsigned away;	    /* lost, and not back */
	unsigned undecided; /* arrivals that are on their way */
	unsigned prime_next;
	uint64_t next_arrival;
	uint64_t starved_to; /* arrivals below it waited for a phone */
	uint64_t start_ns;   /* of the storm, uv_hrtime() */
	uint64_t prime_from_ns;
	uint64_t hold_ns;    /* when holding began */
	uint64_t restart_ns; /* when the command ran; 0: not yet */
	uint64_t after_ns;   /* who calls later calls after the restart */
	bool down;	     /* since restart_ns a phone has met no server */
	uint64_t latest_ns;  /* no wait makes the storm longer than to here */
	uint64_t random;
	bool cut; /* ended before its time */
	struct gauge gauge;
	struct restart restart;
	uv_loop_t *loop;
	uv_timer_t tick;
	uv_timer_t sample;
	uv_timer_t progress;
	uv_timer_t limit; /* of the phase */
	uv_timer_t until;
	uv_timer_t restarts;
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

/* For phones (storm_phone.c) alone. */

/* What happens now is counted. */
bool storm_counts(const struct storm *s);
struct series_cell *storm_cell(struct storm *s);
uint64_t storm_random(struct storm *s);
/* The phone is free for another arrival. */
void storm_phone_is_idle(struct storm *s, struct storm_phone *p);
/* Is there room for one more on its way? If not, p waits at the gate and
 * comes back through storm_phone_enter(). */
bool storm_phone_may_enter(struct storm *s, struct storm_phone *p);
/* It has been primed, or not. */
void storm_phone_is_primed(
	struct storm *s, const struct handset_result *result);
/* A phone waits as told: the storm gives it that time. */
void storm_allow(struct storm *s, uint64_t ms);
/* Something was decided: perhaps the storm is over. */
void storm_look(struct storm *s);

#endif

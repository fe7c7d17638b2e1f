/* SPDX-License-Identifier: Apache-2.0 */
/* Is there more than can be served, and how phones are spread over time. */
#ifndef REGISTRAR_OVERLOAD_H
#define REGISTRAR_OVERLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registrar/config.h"

/* X(symbol, name, what it means) */
#define OVERLOAD_STATE_LIST(X)                                            \
	X(CALM, "calm", "who comes is served at once")                    \
	X(BUSY, "busy", "who comes waits a little")                       \
	X(OVERLOAD, "overload",                                           \
		"more come than can be served: some are refused or wait " \
		"long; tokens and plain first registrations are put off")

enum overload_state {
#define X(symbol, name, text) OVERLOAD_##symbol,
	OVERLOAD_STATE_LIST(X)
#undef X
};

const char *overload_state_name(enum overload_state state);

/*
 * What admission counts, by each worker. X(kind, field, group, name, meaning)
 * COUNTER: grows, is summed. GAUGE: of this moment, is summed. LONGEST: of
 * this moment, the greatest of all workers counts.
 */
#define OVERLOAD_FIGURE_LIST(X)                                             \
	X(GAUGE, in_progress, "", "handshakesInProgress",                   \
		"TLS handshakes that have begun and not ended")             \
	X(GAUGE, backlog, "waiting", "backlog",                             \
		"connections in the kernel's backlog, when last looked at") \
	X(GAUGE, resuming, "waiting", "resuming",                           \
		"connections waiting that offer a session of ours")         \
	X(GAUGE, strangers, "waiting", "strangers",                         \
		"connections waiting for a full handshake")                 \
	X(LONGEST, oldest_ms, "waiting", "oldestMs",                        \
		"milliseconds that the first of those who wait has waited") \
	X(COUNTER, at_once, "served", "atOnce", "handshakes begun at once") \
	X(COUNTER, waited_resuming, "served", "waitedResuming",             \
		"handshakes begun after waiting, with a session of ours")   \
	X(COUNTER, waited_strangers, "served", "waitedStrangers",           \
		"handshakes begun after waiting, without one")              \
	X(COUNTER, expired, "refused", "expired",                           \
		"connections reset because they waited as long as a phone " \
		"has patience")                                             \
	X(COUNTER, room_full, "refused", "roomFull",                        \
		"connections reset to make room for others")                \
	X(COUNTER, gone, "refused", "gone",                                 \
		"connections whose peer had gone when their turn came")     \
	X(COUNTER, tokens_rejected, "putOff", "tokens",                     \
		"phones told to ask later for a token")                     \
	X(COUNTER, registers_put_off, "putOff", "registers",                \
		"plain SIP registrations answered 503 with Retry-After")

struct overload_figures {
#define X(kind, field, group, name, meaning) uint64_t field;
	OVERLOAD_FIGURE_LIST(X)
#undef X
};

enum overload_kind { OVERLOAD_COUNTER, OVERLOAD_GAUGE, OVERLOAD_LONGEST };

/* The list as a table, for status and metrics. */
struct overload_row {
	enum overload_kind kind;
	size_t offset; /* in struct overload_figures */
	const char *group;
	const char *name;
	const char *meaning;
};
extern const struct overload_row overload_rows[];
extern const size_t overload_rows_n;
uint64_t overload_figure(
	const struct overload_figures *f, const struct overload_row *row);

/* Counted by one worker, read by others: relaxed atomics. */
void overload_add(uint64_t *figure, uint64_t n);
void overload_set(uint64_t *figure, uint64_t n);
uint64_t overload_get(const uint64_t *figure);

/* The process's; shared by all workers, thread-safe. */
struct overload;
struct overload *overload_new(const struct config *config);
void overload_free(struct overload *o);

/* A worker's part: its figures and its randomness. */
struct overload_part {
	struct overload *all;
	struct overload_part *next;
	uint64_t random;
	uint64_t shed; /* expired and room_full when last reported */
	struct overload_figures figures;
};
/* Before threads run; the part outlives `o`'s last reader. */
void overload_join(struct overload *o, struct overload_part *part);

/* Judges anew from the part's figures; logs a change of state. Call it some
 * times a second while anybody waits, and until the state is calm again. */
void overload_report(struct overload_part *part, uint64_t now_ms);

struct overload_view {
	enum overload_state state;
	int64_t since_ms;	 /* unix */
	uint32_t drain_s;	 /* until all who wait now are served */
	uint64_t handshakes_max; /* begun at once, of all workers */
	struct overload_figures figures;
};
struct overload_view overload_view(struct overload *o);
enum overload_state overload_state(const struct overload *o);

/* ---- for the services ---- */

/* Somewhere in the last limits.jitter_percent below `seconds`, so that what
 * came at once does not come back at once. */
uint32_t overload_jitter(struct overload_part *part, uint32_t seconds);
/* After how many seconds to ask again: as long as the backlog lasts and at
 * least floor_s; spread over twice that. */
uint32_t overload_wait_s(struct overload_part *part, uint32_t floor_s);
/* Should what can wait be put off? */
bool overload_reached(const struct overload_part *part);

#endif

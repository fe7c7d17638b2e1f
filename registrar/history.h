/* SPDX-License-Identifier: Apache-2.0 */
/* What happened to each device lately: kept over restarts, written behind. */
#ifndef REGISTRAR_HISTORY_H
#define REGISTRAR_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/diag.h"
#include "registrar/directory.h"
#include "registrar/failures.h"

enum {
	HISTORY_OF_DEVICE_MAX = 50, /* told of one device */
	HISTORY_QUEUE_MAX = 16384,  /* not written yet; more are dropped */
	HISTORY_IN_MEMORY_MAX = 4000,
};

/* X(symbol, name). The numbers are in history.db: append only. */
#define HISTORY_WHAT_LIST(X)                                            \
	X(REGISTERED, "registered")                                     \
	X(LOST, "lost")		/* its registration ended, and why */   \
	X(REFUSED, "refused")	/* at whatever stage */                 \
	X(REPLACED, "replaced") /* a newer connection took over */      \
	X(RESET, "reset")	/* an admin's order, as the next two */ \
	X(RESTART, "restart")                                           \
	X(APPLY, "apply")                                               \
	X(DISTRUSTED, "distrusted") /* closed: trust in it ended */

enum history_what {
#define X(symbol, name) HISTORY_##symbol,
	HISTORY_WHAT_LIST(X)
#undef X
		HISTORY_WHATS
};

const char *history_what_name(enum history_what what);

/* Whose number `code` is (reason.h). */
enum history_space { HISTORY_NO_CODE, HISTORY_FAILURE, HISTORY_UNREG };

/* The texts of an event, and the most bytes kept of each. X(field, most) */
#define HISTORY_TEXT_LIST(X)                                       \
	X(device, CERT_DEVICE_MAX)                                 \
	X(address, PEER_ADDRESS_MAX - 1)                           \
	X(issuer, 159) /* its CN; all of its name where refused */ \
	X(rule, 47)                                                \
	X(why, 255)

/* What is handed in keeps its texts, NULL is ""; what comes out has cleaned
 * copies, never NULL, all in one block. */
struct history_event {
	enum history_what what;
	int64_t at_ms;	  /* unix */
	int64_t first_ms; /* of `times` alike; 0: at_ms */
	uint32_t times;	  /* 0: once */
	bool stranger;	  /* no device of the inventory */
	enum config_protocol protocol;
	bool tls, udp; /* neither: plain TCP */
	uint16_t port;
	enum cert_kind kind;
	enum history_space space;
	int code;
#define X(field, most) const char *field;
	HISTORY_TEXT_LIST(X)
#undef X
};

/* A copy in one block, which free() frees. */
struct history_event *history_event_copy(const struct history_event *from);

struct history;

/*
 * Opens history.db in the state folder (NULL: in memory, at most
 * HISTORY_IN_MEMORY_MAX events) and starts the thread that writes it.
 * rows_max events are kept, of each device the last ones; those of strangers
 * take a tenth of it at most. 0, or -errno with d.
 */
int history_open(const char *folder, size_t rows_max, struct history **out,
	struct diag *d);
/* Writes what waits, then closes. */
void history_close(struct history *h);

/* ---- thread-safe, none of them waits for the disk ---- */

/* Into the queue; NULL of h is nowhere. Above HISTORY_QUEUE_MAX it is dropped
 * and counted. A refusal like the device's last ones becomes one with them. */
void history_add(struct history *h, const struct history_event *e);
/* The same of what happens to phones. */
void history_registered(struct history *h, const struct directory_entry *e,
	enum directory_result result);
void history_lost(struct history *h, const struct peer *peer,
	const char *device, enum reason_unreg cause, const char *why);
void history_refused(struct history *h, const struct failure *f, bool stranger);
void history_distrusted(struct history *h, const struct peer *peer,
	const char *rule, const char *why);
void history_ordered(
	struct history *h, const char *device, enum history_what what);

/* ---- for status; thread-safe ---- */

/* The last events of a device, newest first, those included that wait to be
 * written. */
struct history_event **history_of(
	struct history *h, const char *device, size_t *n);
void history_list_free(struct history_event **list, size_t n);

struct history_counts {
	size_t rows;	  /* kept */
	uint64_t dropped; /* too many at once, or not written */
};
struct history_counts history_count(struct history *h);

#endif

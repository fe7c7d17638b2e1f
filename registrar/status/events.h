/* SPDX-License-Identifier: Apache-2.0 */
/* The last events, and those who read them, each at its own pace. */
#ifndef REGISTRAR_STATUS_EVENTS_H
#define REGISTRAR_STATUS_EVENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registrar/http/plane.h"

/* X(symbol, name, what its events are called): docs/events.md */
#define EVENT_TOPIC_LIST(X)                \
	X(STATUS, "status", "status")      \
	X(PHONES, "phones", "phone")       \
	X(FAILURES, "failures", "failure") \
	X(TRUST, "trust", "trust")         \
	X(CAPF, "capf", "capf")

enum event_topic {
#define X(symbol, name, event) EVENT_##symbol,
	EVENT_TOPIC_LIST(X)
#undef X
		EVENT_TOPICS
};
const char *event_topic_name(enum event_topic topic);

/* Bits, 1 << topic. "status,phones"; 0: one of them is none. */
unsigned event_topics_read(const char *text);

enum { EVENTS_KEPT = 1024, EVENTS_KEPT_BYTES = 8 << 20 };

/* Thread-safe. */
struct events;

struct events *events_new(void);
/* After its last reader. */
void events_free(struct events *e);

/* Takes the data. */
void events_tell(struct events *e, enum event_topic topic, json_t *data);
/* A sign of life for who reads. */
void events_beat(struct events *e);
/* What was told is no more to be gone on behind: some is missing. */
void events_cut(struct events *e);
/* How many read. */
size_t events_readers(struct events *e);

enum events_opened {
	EVENTS_NEW,
	EVENTS_RESUMED, /* goes on behind last_id */
	EVENTS_MISSED,	/* last_id is not kept any more: as a new one */
	EVENTS_FULL,	/* there are PLANE_SOURCES_MAX */
};
/* A reader of what is told of these topics (bits) from now on, or after last_id
 * (NULL: none). Unless it is full, *out is a source for the plane; nothing is
 * read before events_greet(). */
struct events_reader;
enum events_opened events_open(struct events *e, unsigned wanted,
	const char *last_id, struct events_reader **out);
/* What it reads first, taken; and the source, which owns the reader. */
struct plane_source events_greet(
	struct events_reader *r, json_t *hello, const char *resync);

#endif

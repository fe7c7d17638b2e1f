/* SPDX-License-Identifier: Apache-2.0 */
/* A visit to CAPF from within: what the phone answers, and what carries it. */
#ifndef BENCH_ENROL_TALK_H
#define BENCH_ENROL_TALK_H

#include "bench/enrol.h"

/* What moved the engine: only the clock makes a missing answer. */
enum enrol_cause { ENROL_BYTES, ENROL_CLOCK };

/* ---- enrol_talk.c ---- */

void enrol_talk_begin(struct enrol *e);
void enrol_talk_feed(struct enrol *e, const void *data, size_t n);
/* Answers what CAPF asked. */
void enrol_talk_run(struct enrol *e, enum enrol_cause cause);
void enrol_talk_tick(struct enrol *e);
uint64_t enrol_talk_deadline(const struct enrol *e);
/* Forgets what it waits for. */
void enrol_talk_end(struct enrol *e);

/* ---- enrol.c ---- */

struct moment enrol_now(const struct enrol *e);
/* That step is done. false: power is cut here, or the visit is over. */
bool enrol_step(struct enrol *e, enum enrol_step step);
/* Sends what the engines have, a message a TLS record. false: it is over. */
bool enrol_send(struct enrol *e);
void enrol_close(struct enrol *e, enum enrol_outcome outcome, const char *text);
/* Moves the timer to the next deadline. */
void enrol_arm(struct enrol *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a fleet's visits to CAPF come to: counts, and the time of each step. */
#ifndef BENCH_ENROL_TALLY_H
#define BENCH_ENROL_TALLY_H

#include <stdio.h>

#include <jansson.h>

#include "bench/enrol.h"
#include "bench/histogram.h"

struct enrol_tally {
	unsigned visits;
	unsigned outcomes[ENROL_OUTCOMES]; /* of visits */
	unsigned enrolled;  /* LSCs that CAPF knows to have been installed */
	unsigned delivered; /* LSCs that reached a flash */
	unsigned removed;
	unsigned shown;
	/* Tries to register that failed, of phones that came again. */
	unsigned setbacks[HANDSET_OUTCOMES];
	struct histogram *steps; /* ENROL_STEPS of them, us since the step
				  * before */
};

void enrol_tally_init(struct enrol_tally *t);
void enrol_tally_deinit(struct enrol_tally *t);
void enrol_tally_step(struct enrol_tally *t, enum enrol_step step, uint64_t ns);
void enrol_tally_visit(
	struct enrol_tally *t, const struct enrol_result *result);

/* {"visits", "enrolled", "delivered", "removed", "shown", "outcomes": {name:
 * visits}, "setbacks": {name: tries}, "steps": {step: {"count", "p50", "p99",
 * "max"}}} in seconds, of the steps that there were. */
json_t *enrol_tally_json(const struct enrol_tally *t);
/* The same as lines. */
void enrol_tally_text(const struct enrol_tally *t, FILE *to);

#endif

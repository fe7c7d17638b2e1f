/* SPDX-License-Identifier: Apache-2.0 */
/* What a fleet's visits to CAPF come to: counts, and the time of each step. */
#include "bench/enrol_tally.h"

#include <stdlib.h>

#include "certs/must.h"

void enrol_tally_init(struct enrol_tally *t)
{
	*t = (struct enrol_tally){
		.steps = cert_must(calloc(ENROL_STEPS, sizeof(*t->steps)))};
}

void enrol_tally_deinit(struct enrol_tally *t)
{
	free(t->steps);
	*t = (struct enrol_tally){0};
}

void enrol_tally_step(struct enrol_tally *t, enum enrol_step step, uint64_t ns)
{
	histogram_add(&t->steps[step], ns / 1000);
}

void enrol_tally_visit(struct enrol_tally *t, const struct enrol_result *result)
{
	t->visits++;
	t->outcomes[result->outcome]++;
	t->enrolled += result->delivered && result->outcome == ENROL_BY_SUCCESS;
	t->delivered += result->delivered;
	t->removed += result->removed;
	t->shown += result->shown;
}

static double seconds(const struct histogram *h, double p)
{
	return (double)histogram_percentile(h, p) / 1e6;
}

static json_t *steps_json(const struct enrol_tally *t)
{
	json_t *steps = json_object();
	for (unsigned i = 0; i < ENROL_STEPS; i++) {
		const struct histogram *h = &t->steps[i];
		if (h->count == 0)
			continue;
		json_object_set_new(steps, enrol_step_name((enum enrol_step)i),
			json_pack("{s:I,s:f,s:f,s:f}", "count",
				(json_int_t)h->count, "p50", seconds(h, 50),
				"p99", seconds(h, 99), "max",
				(double)h->max / 1e6));
	}
	return steps;
}

json_t *enrol_tally_json(const struct enrol_tally *t)
{
	json_t *outcomes = json_object();
	json_t *setbacks = json_object();
	for (unsigned i = ENROL_BY_NONE + 1; i < ENROL_OUTCOMES; i++)
		json_object_set_new(outcomes,
			enrol_outcome_name((enum enrol_outcome)i),
			json_integer(t->outcomes[i]));
	for (unsigned i = HANDSET_NONE + 1; i < HANDSET_OUTCOMES; i++)
		if (t->setbacks[i])
			json_object_set_new(setbacks,
				handset_outcome_name((enum handset_outcome)i),
				json_integer(t->setbacks[i]));
	return cert_must(json_pack("{s:i,s:i,s:i,s:i,s:i,s:o,s:o,s:o}",
		"visits", (int)t->visits, "enrolled", (int)t->enrolled,
		"delivered", (int)t->delivered, "removed", (int)t->removed,
		"shown", (int)t->shown, "outcomes", outcomes, "setbacks",
		setbacks, "steps", steps_json(t)));
}

void enrol_tally_text(const struct enrol_tally *t, FILE *to)
{
	fprintf(to,
		"CAPF: %u visits, %u enrolled, %u LSCs delivered, %u removed, "
		"%u shown; ended by",
		t->visits, t->enrolled, t->delivered, t->removed, t->shown);
	for (unsigned i = ENROL_BY_NONE + 1; i < ENROL_OUTCOMES; i++)
		if (t->outcomes[i])
			fprintf(to, " %u %s", t->outcomes[i],
				enrol_outcome_name((enum enrol_outcome)i));
	fputc('\n', to);
	for (unsigned i = 0; i < ENROL_STEPS; i++) {
		const struct histogram *h = &t->steps[i];
		if (h->count)
			fprintf(to, "  %-16s p50 %.3f, p99 %.3f, max %.3f s\n",
				enrol_step_name((enum enrol_step)i),
				seconds(h, 50), seconds(h, 99),
				(double)h->max / 1e6);
	}
	for (unsigned i = HANDSET_NONE + 1; i < HANDSET_OUTCOMES; i++)
		if (t->setbacks[i])
			fprintf(to, "  came again after: %u %s\n",
				t->setbacks[i],
				handset_outcome_name((enum handset_outcome)i));
}

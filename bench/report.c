/* SPDX-License-Identifier: Apache-2.0 */
/* What became of every phone, for people or as JSON lines. */
#include "bench/report.h"

#include <stdlib.h>

#include <jansson.h>

/* A fleet that fails does so for one reason, thousands of times. */
enum { FAILURES_TOLD = 10 };

void report_init(
	struct report *r, FILE *to, enum report_form form, unsigned phones)
{
	*r = (struct report){.to = to, .form = form};
	r->seconds = calloc(phones, sizeof(*r->seconds));
	if (!r->seconds)
		abort();
}

void report_deinit(struct report *r)
{
	free(r->seconds);
	*r = (struct report){0};
}

static void print(struct report *r, json_t *line)
{
	if (!line)
		abort();
	json_dumpf(line, r->to, JSON_COMPACT | JSON_REAL_PRECISION(6));
	fputc('\n', r->to);
	fflush(r->to);
	json_decref(line);
}

static json_t *number(double value)
{
	return value < 0 ? json_null() : json_real(value);
}

static const char *mode_name(enum flash_mode mode)
{
	switch (mode) {
#define X(symbol, number, word)   \
	case FLASH_MODE_##symbol: \
		return word;
		FLASH_MODE_LIST(X)
#undef X
	case FLASH_MODE_NONE:
		break;
	}
	return NULL;
}

static json_t *capf_json(const struct report_line *line)
{
	const struct life_enrolment *capf = line->capf;
	const struct enrol_result *last = &capf->last;
	return json_pack("{s:s,s:o,s:s,s:s?,s:i,s:i,s:b,s:b,s:b,s:s?,s:s?}",
		"outcome", enrol_outcome_name(last->outcome), "reason",
		last->reason >= 0 ? json_integer(last->reason) : json_null(),
		"text", last->text, "step",
		capf->visits ? enrol_step_name(last->last) : NULL, "visits",
		(int)capf->visits, "retries", (int)capf->retries, "delivered",
		last->delivered, "removed", last->removed, "shown", last->shown,
		"mode", mode_name(line->mode), "lsc", line->lsc);
}

static void phone_json(struct report *r, const struct report_line *line)
{
	const struct handset_result *result = line->result;
	bool alert = result->alert >= 0;
	json_t *all = json_pack("{s:s,s:s,s:s,s:o,s:s?,s:s?,s:o,s:s?,s:s?,s:i}",
		"device", line->device, "outcome",
		handset_outcome_name(result->outcome), "text", result->text,
		"alert", alert ? json_integer(result->alert) : json_null(),
		"alert_text", alert ? console_alert_text(result->alert) : NULL,
		"alert_side",
		alert ? console_alert_side_name(result->alert_side) : NULL,
		"seconds", number(result->seconds), "tls", result->tls_version,
		"cipher", result->cipher, "returns", (int)result->returns);
	if (line->capf) {
		json_object_set_new(all, "good", json_boolean(line->good));
		json_object_set_new(all, "capf", capf_json(line));
	}
	print(r, all);
}

static void phone_text(struct report *r, const struct report_line *line)
{
	const struct handset_result *result = line->result;
	bool in = handset_outcome_good(result->outcome);
	if (line->good || r->told++ >= FAILURES_TOLD)
		return;
	fprintf(r->to, "%s: %s: %s\n", line->device,
		in ? "without an LSC" : handset_outcome_name(result->outcome),
		in ? line->capf->last.text : result->text);
}

void report_phone(struct report *r, const struct report_line *line)
{
	const struct handset_result *result = line->result;
	r->phones++;
	r->good += line->good;
	r->outcomes[result->outcome]++;
	if (result->seconds >= 0)
		r->seconds[r->n_seconds++] = result->seconds;
	if (r->form == REPORT_JSON)
		phone_json(r, line);
	if (r->form == REPORT_TEXT)
		phone_text(r, line);
}

double report_percentile(const double *sorted, size_t n, unsigned p)
{
	if (n == 0)
		return 0;
	size_t rank = (n * p + 99) / 100;
	return sorted[rank > 0 ? rank - 1 : 0];
}

static int rising(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double percentile(const struct report *r, unsigned p)
{
	return r->n_seconds ? report_percentile(r->seconds, r->n_seconds, p)
			    : -1;
}

static void summary_json(struct report *r)
{
	json_t *outcomes = json_object();
	for (int i = HANDSET_NONE + 1; i < HANDSET_OUTCOMES; i++)
		json_object_set_new(outcomes,
			handset_outcome_name((enum handset_outcome)i),
			json_integer(r->outcomes[i]));
	json_t *summary = json_pack("{s:i,s:o,s:{s:o,s:o,s:o}}", "phones",
		(int)r->phones, "outcomes", outcomes, "seconds", "p50",
		number(percentile(r, 50)), "p99", number(percentile(r, 99)),
		"max", number(percentile(r, 100)));
	if (r->capf) {
		json_object_set_new(summary, "good", json_integer(r->good));
		json_object_set_new(summary, "capf", enrol_tally_json(r->capf));
	}
	print(r, json_pack("{s:o}", "summary", summary));
}

static void summary_text(struct report *r)
{
	if (r->told > FAILURES_TOLD)
		fprintf(r->to, "... and %u more that failed\n",
			r->told - FAILURES_TOLD);
	fprintf(r->to, "%u phones:", r->phones);
	for (int i = HANDSET_NONE + 1; i < HANDSET_OUTCOMES; i++)
		if (r->outcomes[i])
			fprintf(r->to, " %u %s", r->outcomes[i],
				handset_outcome_name((enum handset_outcome)i));
	fputc('\n', r->to);
	if (r->n_seconds)
		fprintf(r->to,
			"seconds to registered: p50 %.3f, p99 %.3f, max %.3f\n",
			percentile(r, 50), percentile(r, 99),
			percentile(r, 100));
	if (r->capf)
		enrol_tally_text(r->capf, r->to);
}

void report_summary(struct report *r)
{
	qsort(r->seconds, r->n_seconds, sizeof(*r->seconds), rising);
	if (r->form == REPORT_JSON)
		summary_json(r);
	if (r->form == REPORT_TEXT)
		summary_text(r);
}

bool report_all_good(const struct report *r)
{
	return r->good == r->phones;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What became of every phone, for people or as JSON lines. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "bench/enrol_tally.h"
#include "bench/life.h"

/*
 * JSON: one line a phone {"device", "outcome", "text", "alert", "alert_text",
 * "alert_side", "seconds", "tls", "cipher"} (null where there is none), then
 * {"summary": {"phones", "outcomes": {name: count}, "seconds": {"p50", "p99",
 * "max"}}}. TEXT: the first phones that failed, then the same figures.
 * With CAPF a phone also has "good" and "capf": {"outcome", "reason", "text",
 * "step", "visits", "retries", "delivered", "removed", "shown", "mode", "lsc"}:
 * of its last visit, and its LSC's serial number; and the summary "good" and
 * "capf", as enrol_tally_json() has it.
 */
enum report_form { REPORT_NONE, REPORT_TEXT, REPORT_JSON };

struct report {
	FILE *to;
	enum report_form form;
	unsigned outcomes[HANDSET_OUTCOMES];
	double *seconds; /* of those that got in */
	size_t n_seconds;
	unsigned phones;
	unsigned good;
	unsigned told;			/* failures printed as text */
	const struct enrol_tally *capf; /* NULL: there is no CAPF */
};

/* What became of one phone. */
struct report_line {
	const char *device;
	const struct handset_result *result;
	const struct life_enrolment *capf; /* NULL: there is no CAPF */
	enum flash_mode mode;
	const char *lsc; /* serial number; NULL: it has none */
	bool good;	 /* it did what was asked */
};

/* For at most `phones` phones. */
void report_init(
	struct report *r, FILE *to, enum report_form form, unsigned phones);
void report_phone(struct report *r, const struct report_line *line);
/* Prints the closing lines. */
void report_summary(struct report *r);
/* Every phone so far did what was asked. */
bool report_all_good(const struct report *r);
void report_deinit(struct report *r);

/* The p-th percentile by nearest rank of n values in rising order: the least
 * one that at least p percent are not above. 0 when n is 0. */
double report_percentile(const double *sorted, size_t n, unsigned p);

#endif

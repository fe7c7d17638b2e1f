/* SPDX-License-Identifier: Apache-2.0 */
/* What a storm measured, as text, as JSON, and as one HTML page. */
#ifndef BENCH_STORM_REPORT_H
#define BENCH_STORM_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include "bench/option_table.h"
#include "bench/require.h"
#include "bench/tally.h"

struct storm_report {
	const struct tally *tally;
	/* What was asked, as pairs for people: {"--rate", "200"}, ... */
	const struct storm_report_fact {
		const char *name;
		const char *value;
	} * facts;
	size_t n_facts;
	const struct require *require;
	const char *const *require_text; /* as given */
	size_t n_require;
	bool cut;     /* ended before its time */
	bool restart; /* the server was to be restarted */
};

/* Is there reason to doubt the figures? NULL, or one sentence: this program
 * was the bottleneck, late, or lacked phones. */
const char *storm_report_doubt(const struct storm_report *r);
/* Every threshold is met. */
bool storm_report_met(const struct storm_report *r);

void storm_report_text(const struct storm_report *r, FILE *to);
/* As storm-report.schema.json says; the caller's reference. */
json_t *storm_report_json(const struct storm_report *r);
void storm_report_html(const struct storm_report *r, FILE *to);

/* The percentiles that are told, with their names: "p50", ... "max". */
enum { STORM_REPORT_PERCENTILES = 6 };
extern const double storm_report_percentiles[STORM_REPORT_PERCENTILES];
extern const char *const storm_report_percentile_names[];

/* A figure for people, with its unit; "-" for NAN. */
void storm_report_value(
	enum require_unit unit, double value, char *dst, size_t size);

#endif

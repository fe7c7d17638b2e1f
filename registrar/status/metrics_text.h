/* SPDX-License-Identifier: Apache-2.0 */
/* Writes Prometheus's text format, sample by sample. */
#ifndef REGISTRAR_STATUS_METRICS_TEXT_H
#define REGISTRAR_STATUS_METRICS_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "registrar/meters.h"

/* A page being written. */
struct metrics_page {
	FILE *out;
	char *text;
	size_t n;
	const char *family; /* that samples belong to */
	const char *suffix; /* of the family's name, in the sample at hand */
	size_t labels;	    /* of that sample */
};

void metrics_begin(struct metrics_page *page);
/* The text, which the caller frees. */
char *metrics_end(struct metrics_page *page);

/* Samples that follow are of this name; help NULL: of the one begun. */
void metrics_family(struct metrics_page *page, const char *name,
	const char *type, const char *help);
/* Adds a label to the next sample; any UTF-8 may be its value. */
void metrics_label(
	struct metrics_page *page, const char *key, const char *value);
void metrics_value(struct metrics_page *page, uint64_t value);
/* The same in seconds. */
void metrics_seconds(struct metrics_page *page, uint64_t us);
/* All samples of one histogram; with that label, unless key is NULL. */
void metrics_histogram(struct metrics_page *page, const char *key,
	const char *value, const struct meters_histogram *h);

#endif

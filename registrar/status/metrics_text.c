/* SPDX-License-Identifier: Apache-2.0 */
/* Writes Prometheus's text format, sample by sample. */
#include "registrar/status/metrics_text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void metrics_begin(struct metrics_page *page)
{
	*page = (struct metrics_page){0};
	page->out = open_memstream(&page->text, &page->n);
	if (!page->out)
		abort(); /* law 2: no memory */
}

char *metrics_end(struct metrics_page *page)
{
	if (fclose(page->out) != 0)
		abort(); /* law 2: no memory */
	return page->text;
}

void metrics_family(struct metrics_page *page, const char *name,
	const char *type, const char *help)
{
	assert(help || strcmp(name, page->family) == 0);
	page->family = name;
	if (help)
		fprintf(page->out, "# HELP %s %s\n# TYPE %s %s\n", name, help,
			name, type);
}

static void put_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n') {
			fputs("\\n", out);
			continue;
		}
		if (*text == '"' || *text == '\\')
			putc('\\', out);
		putc(*text, out);
	}
}

static void put_name(struct metrics_page *page)
{
	fputs(page->family, page->out);
	if (page->suffix)
		fputs(page->suffix, page->out);
}

void metrics_label(
	struct metrics_page *page, const char *key, const char *value)
{
	if (page->labels++ == 0)
		put_name(page);
	fprintf(page->out, "%c%s=\"", page->labels == 1 ? '{' : ',', key);
	put_escaped(page->out, value);
	putc('"', page->out);
}

static void begin_value(struct metrics_page *page)
{
	if (page->labels)
		putc('}', page->out);
	else
		put_name(page);
	putc(' ', page->out);
	page->labels = 0;
	page->suffix = NULL;
}

void metrics_value(struct metrics_page *page, uint64_t value)
{
	begin_value(page);
	fprintf(page->out, "%" PRIu64 "\n", value);
}

/* Exact, where a floating point number would be rounded. */
static void seconds_text(uint64_t us, char text[32])
{
	int n = snprintf(
		text, 32, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
	while (text[n - 1] == '0')
		text[--n] = '\0';
	if (text[n - 1] == '.')
		text[n - 1] = '\0';
}

void metrics_seconds(struct metrics_page *page, uint64_t us)
{
	char text[32];
	seconds_text(us, text);
	begin_value(page);
	fprintf(page->out, "%s\n", text);
}

/* A sample of its own name and with the labels of all of them. */
static void begin_part(struct metrics_page *page, const char *suffix,
	const char *key, const char *value)
{
	page->suffix = suffix;
	if (key)
		metrics_label(page, key, value);
}

void metrics_histogram(struct metrics_page *page, const char *key,
	const char *value, const struct meters_histogram *h)
{
	char bound[32];
	uint64_t n = 0;
	for (size_t i = 0; i <= METERS_BOUNDS; i++) {
		n += h->n[i];
		seconds_text(meters_bound_us(i), bound);
		begin_part(page, "_bucket", key, value);
		metrics_label(page, "le", i < METERS_BOUNDS ? bound : "+Inf");
		metrics_value(page, n);
	}
	begin_part(page, "_sum", key, value);
	metrics_seconds(page, h->sum_us);
	begin_part(page, "_count", key, value);
	metrics_value(page, n);
}

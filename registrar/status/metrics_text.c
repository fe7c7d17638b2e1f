/* SPDX-License-Identifier: Apache-2.0 */
/* Writes Prometheus's text format, sample by sample. */
#include "registrar/status/metrics_text.h"

#include <assert.h>
#include <inttypes.h>
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

void metrics_label(
	struct metrics_page *page, const char *key, const char *value)
{
	if (page->labels++ == 0)
		fputs(page->family, page->out);
	fprintf(page->out, "%c%s=\"", page->labels == 1 ? '{' : ',', key);
	put_escaped(page->out, value);
	putc('"', page->out);
}

void metrics_value(struct metrics_page *page, uint64_t value)
{
	fputs(page->labels ? "}" : page->family, page->out);
	fprintf(page->out, " %" PRIu64 "\n", value);
	page->labels = 0;
}

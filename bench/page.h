/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of a self-contained HTML page: escaped text, SVG plots, bars. */
#ifndef BENCH_PAGE_H
#define BENCH_PAGE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Everything up to and including <h1>; the page loads nothing from anywhere,
 * and its policy forbids it to. Light and dark, as the reader prefers. */
void page_begin(FILE *to, const char *title);
void page_end(FILE *to);

/* Text or the value of a quoted attribute: & < > " ' become entities, and
 * control characters '?', so that no server's words become markup. */
void page_text(FILE *to, const char *text);

/* What a reader wants to know at once. */
enum page_mood { PAGE_PLAIN, PAGE_GOOD, PAGE_BAD, PAGE_DOUBT };

struct page_tile {
	const char *name;
	const char *value;
	enum page_mood mood;
};

/* Side by side, as many in a row as fit. */
void page_tiles(FILE *to, const struct page_tile *tiles, size_t n);
/* One sentence in a coloured frame. */
void page_banner(FILE *to, enum page_mood mood, const char *text);

enum page_scale {
	PAGE_LINEAR, /* from 0 */
	PAGE_LOG,    /* decades; what is not above 0 is left out */
};

/* NAN in y breaks the line. Colours go by position in the plot. */
struct page_line {
	const char *name;
	const double *y; /* as many as the plot has x */
};

enum { PAGE_LINES_MAX = 6 };

/* A moment worth a vertical line. */
struct page_mark {
	double x;
	const char *name;
};

struct page_plot {
	const char *title;
	const char *unit; /* of y, along its axis */
	const char *note; /* a sentence below the title, or NULL */
	enum page_scale scale;
	size_t n;
	const double *x; /* rising; seconds, from 0 to x_to */
	double x_to;
	const char *const *x_text;    /* or n labels of their own, or NULL */
	const struct page_mark *mark; /* or NULL */
	size_t lines;
	struct page_line line[PAGE_LINES_MAX];
};

/* A figure; a sentence instead when no line has two points. */
void page_plot(FILE *to, const struct page_plot *plot);

struct page_bar {
	const char *name;
	uint64_t count;
};

/* "90 s", "1.5 min", "2 h": the label of a time on an axis that is `span`
 * seconds long. */
void page_time(double seconds, double span, char *dst, size_t size);

/* Horizontal bars with their counts; `none` when there are none. */
void page_bars(FILE *to, const char *title, const struct page_bar *bars,
	size_t n, const char *none);

#endif

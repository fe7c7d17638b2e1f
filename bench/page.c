/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of a self-contained HTML page: escaped text, SVG plots, bars. */
#include "bench/page.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>

enum {
	WIDTH = 880,
	HEIGHT = 290,
	LEFT = 66,
	RIGHT = 30,
	TOP = 28,
	BOTTOM = 46,
	TICKS = 5,
	TIME_TICKS = 9,
	DOTS_MAX = 16, /* more points than that are a line alone */
	BAR_HEIGHT = 26,
	BAR_LEFT = 430,
	BAR_RIGHT = 80,
	BAR_LABEL_MAX = 62,
	LABEL_WIDTH = 170, /* of a mark, at most */
};

static const char style[] =
	":root{color-scheme:light dark;--back:#fff;--card:#f5f7fa;"
	"--text:#1b1f24;--soft:#5b6470;--grid:#dfe3e8;--c0:#0b62c4;"
	"--c1:#c2410c;--c2:#15803d;--c3:#7c3aed;--c4:#b4234d;--c5:#0f766e;"
	"--good:#15803d;--bad:#b91c1c;--doubt:#a16207}"
	"@media(prefers-color-scheme:dark){:root{--back:#14171b;"
	"--card:#1d2228;--text:#e6e9ed;--soft:#9aa4b1;--grid:#2c323a;"
	"--c0:#6cb0ff;--c1:#fb923c;--c2:#4ade80;--c3:#c4a5ff;--c4:#fb7394;"
	"--c5:#5eead4;--good:#4ade80;--bad:#f87171;--doubt:#facc15}}"
	"body{background:var(--back);color:var(--text);margin:2rem auto;"
	"max-width:920px;padding:0 1rem;font:15px/1.5 system-ui,sans-serif}"
	"h1{font-size:1.6rem;margin-bottom:.2rem}"
	"h2{font-size:1.15rem;margin:2.4rem 0 .3rem}"
	"p{margin:.3rem 0;color:var(--soft)}figure,.wide{margin:0;"
	"overflow-x:auto}.wide td,.wide th{white-space:nowrap}"
	"figcaption{color:var(--soft);margin-top:.2rem}"
	"svg{width:100%;min-width:560px;height:auto;font:13px "
	"system-ui,sans-serif}"
	"svg text{fill:var(--soft)}"
	".grid{stroke:var(--grid)}"
	".mark{stroke:var(--bad);stroke-dasharray:5 4;stroke-width:1.5}"
	"svg .marked{fill:var(--bad)}"
	".line{fill:none;stroke-width:1.8;stroke-linejoin:round}"
	".key{display:inline-block;margin-right:1.4em}"
	".key i{display:inline-block;width:1.1em;height:.25em;"
	"margin-right:.4em;vertical-align:middle}"
	"table{border-collapse:collapse;width:100%}"
	"th,td{text-align:right;padding:.25rem .5rem;"
	"border-bottom:1px solid var(--grid);"
	"font-variant-numeric:tabular-nums;overflow-wrap:anywhere}"
	"th{color:var(--soft);font-weight:500}"
	"th:first-child,td:first-child{text-align:left}"
	".tiles{display:grid;gap:.7rem;margin:1.2rem 0;"
	"grid-template-columns:repeat(auto-fill,minmax(150px,1fr))}"
	".tile{background:var(--card);border-radius:8px;padding:.6rem .8rem}"
	".tile span{display:block;color:var(--soft);font-size:.85rem;"
	"line-height:1.25;min-height:2.5em}"
	".tile b{font-size:1.3rem;font-weight:600;overflow-wrap:anywhere;"
	"font-variant-numeric:tabular-nums}"
	".banner{border-left:5px solid;background:var(--card);"
	"padding:.5rem .9rem;margin:.6rem 0;border-radius:4px;"
	"color:var(--text)}"
	".good{color:var(--good)}.bad{color:var(--bad)}"
	".doubt{color:var(--doubt)}"
	".banner.good,.banner.bad,.banner.doubt{color:var(--text)}"
	".banner.good{border-color:var(--good)}"
	".banner.bad{border-color:var(--bad)}"
	".banner.doubt{border-color:var(--doubt)}";

static const char *const moods[] = {
	[PAGE_PLAIN] = "",
	[PAGE_GOOD] = "good",
	[PAGE_BAD] = "bad",
	[PAGE_DOUBT] = "doubt",
};

void page_text(FILE *to, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", to);
			break;
		case '<':
			fputs("&lt;", to);
			break;
		case '>':
			fputs("&gt;", to);
			break;
		case '"':
			fputs("&quot;", to);
			break;
		case '\'':
			fputs("&#39;", to);
			break;
		default:
			putc((unsigned char)*text < ' ' || *text == 0x7f
					? '?'
					: *text,
				to);
		}
	}
}

void page_begin(FILE *to, const char *title)
{
	fputs("<!doctype html>\n<html lang=\"en\"><head>"
	      "<meta charset=\"utf-8\">"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\""
	      "default-src 'none'; style-src 'unsafe-inline'\">"
	      "<meta name=\"viewport\" content=\"width=device-width\">"
	      "<title>",
		to);
	page_text(to, title);
	fprintf(to, "</title><style>%s</style></head><body>\n<h1>", style);
	page_text(to, title);
	fputs("</h1>\n", to);
}

void page_end(FILE *to)
{
	fputs("</body></html>\n", to);
}

void page_tiles(FILE *to, const struct page_tile *tiles, size_t n)
{
	fputs("<div class=\"tiles\">", to);
	for (size_t i = 0; i < n; i++) {
		fputs("<div class=\"tile\"><span>", to);
		page_text(to, tiles[i].name);
		fprintf(to, "</span><b class=\"%s\">", moods[tiles[i].mood]);
		page_text(to, tiles[i].value);
		fputs("</b></div>", to);
	}
	fputs("</div>\n", to);
}

void page_banner(FILE *to, enum page_mood mood, const char *text)
{
	fprintf(to, "<p class=\"banner %s\">", moods[mood]);
	page_text(to, text);
	fputs("</p>\n", to);
}

/* Where values go on the canvas. */
struct axes {
	double x_from, x_to;
	double y_from, y_to; /* logarithms with PAGE_LOG */
	bool log;
};

static bool shown(const struct axes *a, double y)
{
	return isfinite(y) && (!a->log || y > 0);
}

static double x_at(const struct axes *a, double x)
{
	double span = a->x_to - a->x_from;
	return LEFT + (span > 0 ? (x - a->x_from) / span : 0.5) *
			      (WIDTH - LEFT - RIGHT);
}

static double y_at(const struct axes *a, double y)
{
	double v = a->log ? log10(y) : y;
	return HEIGHT - BOTTOM -
	       (v - a->y_from) / (a->y_to - a->y_from) *
		       (HEIGHT - TOP - BOTTOM);
}

/* 1, 2 or 5 times a power of ten, so that about TICKS steps span it. */
static double nice_step(double span)
{
	double raw = span / TICKS, power = pow(10, floor(log10(raw)));
	double head = raw / power;
	if (head > 5)
		return 10 * power;
	if (head > 2)
		return 5 * power;
	return head > 1 ? 2 * power : power;
}

/* Finds the ranges; how many points there are at most in a line. */
static size_t measure(const struct page_plot *p, struct axes *a)
{
	double low = INFINITY, high = 0;
	size_t most = 0;
	*a = (struct axes){.log = p->scale == PAGE_LOG};
	for (size_t i = 0; i < p->lines; i++) {
		size_t points = 0;
		for (size_t j = 0; j < p->n; j++) {
			double y = p->line[i].y[j];
			if (!shown(a, y))
				continue;
			points++;
			low = fmin(low, y);
			high = fmax(high, y);
		}
		if (points > most)
			most = points;
	}
	if (most < 2)
		return most;
	/* Labels of their own stand in the middle of a column each. */
	a->x_from = p->x_text ? p->x[0] - 0.5 : 0;
	a->x_to = p->x_text ? p->x[p->n - 1] + 0.5 : p->x_to;
	if (a->log) {
		a->y_from = floor(log10(low));
		a->y_to = fmax(ceil(log10(high)), a->y_from + 1);
		return most;
	}
	if (high <= 0)
		high = 1;
	double step = nice_step(high);
	a->y_to = ceil(high / step) * step;
	return most;
}

/* "250", "20k", "1.5M" */
static void show_number(double value, char *dst, size_t size)
{
	if (value >= 1e6)
		snprintf(dst, size, "%.6gM", value / 1e6);
	else if (value >= 1e4)
		snprintf(dst, size, "%.6gk", value / 1e3);
	else
		snprintf(dst, size, "%.6g", value);
}

static void y_tick(FILE *to, const struct axes *a, double value)
{
	double y = y_at(a, value);
	char label[32];
	show_number(value, label, sizeof(label));
	fprintf(to,
		"<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" "
		"y2=\"%.1f\"/><text x=\"%d\" y=\"%.1f\" "
		"text-anchor=\"end\">%s</text>",
		LEFT, WIDTH - RIGHT, y, y, LEFT - 6, y + 4, label);
}

static void draw_y(FILE *to, const struct page_plot *p, const struct axes *a)
{
	fprintf(to, "<text x=\"%d\" y=\"%d\">", LEFT, TOP - 14);
	page_text(to, p->unit);
	fputs("</text>", to);
	if (a->log) {
		int tens = (int)floor(a->y_to - a->y_from);
		for (int i = 0; i <= tens; i++)
			y_tick(to, a, pow(10, a->y_from + i));
		return;
	}
	double step = nice_step(a->y_to);
	int steps = (int)lround(a->y_to / step);
	for (int i = 0; i <= steps; i++)
		y_tick(to, a, i * step);
}

void page_time(double seconds, double span, char *dst, size_t size)
{
	if (span > 2 * 3600)
		snprintf(dst, size, "%.4g h", seconds / 3600);
	else if (span > 2 * 60)
		snprintf(dst, size, "%.4g min", seconds / 60);
	else
		snprintf(dst, size, "%.4g s", seconds);
}

/* Seconds between labels: what people count in. */
static double time_step(double span)
{
	static const double steps[] = {0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60,
		120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600};
	const size_t n = sizeof(steps) / sizeof(*steps);
	size_t i = 0;
	while (i < n - 1 && span / steps[i] > TIME_TICKS)
		i++;
	return steps[i];
}

static void x_tick(FILE *to, double at, const char *label)
{
	fprintf(to, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", at,
		HEIGHT - BOTTOM + 18);
	page_text(to, label);
	fputs("</text>", to);
}

static void draw_x(FILE *to, const struct page_plot *p, const struct axes *a)
{
	for (size_t i = 0; p->x_text && i < p->n; i++)
		x_tick(to, x_at(a, p->x[i]), p->x_text[i]);
	if (p->x_text)
		return;
	double step = time_step(a->x_to);
	int steps = (int)floor(a->x_to / step + 1e-6);
	for (int i = 0; i <= steps; i++) {
		char label[32];
		page_time(i * step, a->x_to, label, sizeof(label));
		x_tick(to, x_at(a, i * step), label);
	}
	fprintf(to,
		"<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">"
		"time since the first arrival</text>",
		(LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6);
}

/* A vertical line, named on the side that has room. */
static void draw_mark(FILE *to, const struct page_mark *m, const struct axes *a)
{
	if (m->x > a->x_to)
		return;
	double x = x_at(a, m->x);
	bool left = x > WIDTH - RIGHT - LABEL_WIDTH;
	fprintf(to,
		"<line class=\"mark\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" "
		"y2=\"%d\"/><text class=\"marked\" x=\"%.1f\" y=\"%d\" "
		"text-anchor=\"%s\">",
		x, x, TOP - 6, HEIGHT - BOTTOM, left ? x - 5 : x + 5,
		x > LEFT + LABEL_WIDTH ? TOP - 14 : TOP + 8,
		left ? "end" : "start");
	page_text(to, m->name);
	fputs("</text>", to);
}

static void draw_line(
	FILE *to, const struct page_plot *p, size_t i, const struct axes *a)
{
	const double *y = p->line[i].y;
	bool down = false; /* the pen */
	fprintf(to, "<path class=\"line\" style=\"stroke:var(--c%zu)\" d=\"",
		i % PAGE_LINES_MAX);
	for (size_t j = 0; j < p->n; j++) {
		bool on = shown(a, y[j]);
		if (on)
			fprintf(to, "%c%.1f %.1f", down ? 'L' : 'M',
				x_at(a, p->x[j]), y_at(a, y[j]));
		down = on;
	}
	fputs("\"/>", to);
	for (size_t j = 0; j < p->n && p->n <= DOTS_MAX; j++) {
		if (!shown(a, y[j]))
			continue;
		fprintf(to,
			"<circle style=\"fill:var(--c%zu)\" cx=\"%.1f\" "
			"cy=\"%.1f\" r=\"3\"><title>",
			i % PAGE_LINES_MAX, x_at(a, p->x[j]), y_at(a, y[j]));
		page_text(to, p->line[i].name);
		fprintf(to, " %.6g ", y[j]);
		page_text(to, p->unit);
		fputs("</title></circle>", to);
	}
}

static void draw_key(FILE *to, const struct page_plot *p)
{
	fputs("<figcaption>", to);
	for (size_t i = 0; i < p->lines; i++) {
		fprintf(to,
			"<span class=\"key\"><i "
			"style=\"background:var(--c%zu)\"></i>",
			i % PAGE_LINES_MAX);
		page_text(to, p->line[i].name);
		fputs("</span>", to);
	}
	fputs("</figcaption>", to);
}

static void open_figure(FILE *to, const char *title, int height)
{
	fprintf(to,
		"<figure><svg viewBox=\"0 0 %d %d\" role=\"img\" "
		"aria-label=\"",
		WIDTH, height);
	page_text(to, title);
	fputs("\">", to);
}

static void heading(FILE *to, const char *title)
{
	fputs("<h2>", to);
	page_text(to, title);
	fputs("</h2>\n", to);
}

void page_plot(FILE *to, const struct page_plot *p)
{
	struct axes a;
	heading(to, p->title);
	if (measure(p, &a) < 2) {
		fputs("<p>Too little was measured for a plot.</p>\n", to);
		return;
	}
	if (p->note) {
		fputs("<p>", to);
		page_text(to, p->note);
		fputs("</p>", to);
	}
	open_figure(to, p->title, HEIGHT);
	draw_y(to, p, &a);
	draw_x(to, p, &a);
	for (size_t i = 0; i < p->lines; i++)
		draw_line(to, p, i, &a);
	if (p->mark)
		draw_mark(to, p->mark, &a);
	fputs("</svg>", to);
	draw_key(to, p);
	fputs("</figure>\n", to);
}

static void draw_bar(
	FILE *to, const struct page_bar *bar, int y, uint64_t longest)
{
	char label[BAR_LABEL_MAX + 4];
	int n = snprintf(
		label, sizeof(label), "%.*s", BAR_LABEL_MAX, bar->name);
	if (n == BAR_LABEL_MAX)
		snprintf(label + n - 3, 4, "...");
	double room = WIDTH - BAR_LEFT - BAR_RIGHT;
	double width = room * (double)bar->count / (double)longest;
	fprintf(to, "<g><title>");
	page_text(to, bar->name);
	fprintf(to, "</title><text x=\"%d\" y=\"%d\" text-anchor=\"end\">",
		BAR_LEFT - 8, y + 16);
	page_text(to, label);
	fprintf(to,
		"</text><rect style=\"fill:var(--c1)\" x=\"%d\" y=\"%d\" "
		"width=\"%.1f\" height=\"%d\"/><text x=\"%.1f\" y=\"%d\">"
		"%" PRIu64 "</text></g>",
		BAR_LEFT, y + 4, fmax(width, 1), BAR_HEIGHT - 8,
		BAR_LEFT + width + 6, y + 16, bar->count);
}

void page_bars(FILE *to, const char *title, const struct page_bar *bars,
	size_t n, const char *none)
{
	uint64_t longest = 1;
	heading(to, title);
	if (n == 0) {
		fputs("<p>", to);
		page_text(to, none);
		fputs("</p>\n", to);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (bars[i].count > longest)
			longest = bars[i].count;
	open_figure(to, title, (int)n * BAR_HEIGHT + 4);
	for (size_t i = 0; i < n; i++)
		draw_bar(to, &bars[i], (int)i * BAR_HEIGHT, longest);
	fputs("</svg></figure>\n", to);
}

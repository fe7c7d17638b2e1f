/* SPDX-License-Identifier: Apache-2.0 */
/* What a storm measured, as one self-contained HTML page. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bench/page.h"
#include "bench/storm_report.h"

enum { TEXT_SIZE = 200, TILE_SIZE = 48, TILES_MAX = 24 };

static double *numbers(size_t n)
{
	double *list = calloc(n ? n : 1, sizeof(*list));
	if (!list)
		abort();
	return list;
}

static void cell(FILE *to, const char *text)
{
	fputs("<td>", to);
	page_text(to, text);
	fputs("</td>", to);
}

/* ---- at a glance ---- */

static void verdict(FILE *to, const struct storm_report *r)
{
	char text[TEXT_SIZE];
	double values[REQUIRE_METRICS];
	size_t met = 0;
	tally_values(r->tally, values);
	for (size_t i = 0; i < r->n_require; i++)
		met += require_met(&r->require[i], values);
	if (r->n_require > 0) {
		snprintf(text, sizeof(text), "%zu of %zu thresholds met", met,
			r->n_require);
		page_banner(
			to, met == r->n_require ? PAGE_GOOD : PAGE_BAD, text);
	}
	const char *doubt = storm_report_doubt(r);
	if (!doubt)
		return;
	snprintf(text, sizeof(text), "Doubt: %s.", doubt);
	page_banner(to, PAGE_DOUBT, text);
}

struct tiles {
	size_t n;
	struct page_tile list[TILES_MAX];
	char text[TILES_MAX][TILE_SIZE];
};

static void __attribute__((format(printf, 4, 5))) tile(struct tiles *t,
	const char *name, enum page_mood mood, const char *format, ...)
{
	char text[TILE_SIZE];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (t->n == TILES_MAX)
		abort();
	memcpy(t->text[t->n], text, sizeof(text));
	t->list[t->n] = (struct page_tile){name, t->text[t->n], mood};
	t->n++;
}

/* A figure that can be required, where it was measured. */
static void figure(struct tiles *t, const char *name,
	enum require_metric metric, const double *values)
{
	char text[TILE_SIZE];
	if (!isfinite(values[metric]))
		return;
	storm_report_value(require_metric_unit(metric), values[metric], text,
		sizeof(text));
	tile(t, name, PAGE_PLAIN, "%s", text);
}

static void glance(FILE *to, const struct tally *t, const double *values)
{
	struct tiles tiles = {0};
	if (t->registered == t->planned)
		tile(&tiles, "arrivals registered", PAGE_GOOD, "all %" PRIu64,
			t->planned);
	else
		tile(&tiles, "arrivals registered", PAGE_BAD,
			"%" PRIu64 " of %" PRIu64, t->registered, t->planned);
	figure(&tiles, "registrations per second", REQUIRE_RATE, values);
	figure(&tiles, "of them, within patience", REQUIRE_GOODPUT, values);
	figure(&tiles, "median time to register", REQUIRE_P50, values);
	figure(&tiles, "99th percentile of it", REQUIRE_P99, values);
	figure(&tiles, "until all were registered", REQUIRE_ALL_IN, values);
	figure(&tiles, "handshakes resumed", REQUIRE_RESUMED, values);
	figure(&tiles, "attempts per registration", REQUIRE_ATTEMPTS, values);
	if (t->waits.count)
		figure(&tiles, "times told to wait", REQUIRE_WAITS, values);
	if (t->held)
		tile(&tiles, "phones that stayed, at most", PAGE_PLAIN,
			"%" PRIu64, t->held);
	if (t->dropped)
		tile(&tiles, "lost, and back again", PAGE_PLAIN,
			"%" PRIu64 ", %" PRIu64, t->dropped, t->returned);
	if (t->restart.begun)
		figure(&tiles, "from restart until all were back", REQUIRE_BACK,
			values);
	if (t->restart.begun)
		figure(&tiles, "sessions resumed after restart",
			REQUIRE_RESUMED_AFTER, values);
	if (t->pulses.asked)
		figure(&tiles, "keepalive, 99th percentile",
			REQUIRE_KEEPALIVE_P99, values);
	figure(&tiles, "server CPU per registration", REQUIRE_CPU, values);
	figure(&tiles, "server memory at most", REQUIRE_RSS, values);
	if (t->held)
		figure(&tiles, "server memory per phone", REQUIRE_RSS_PHONE,
			values);
	figure(&tiles, "this program's CPU, of one core", REQUIRE_TOOL_CPU,
		values);
	figure(&tiles, "arrivals it was late for", REQUIRE_LATE, values);
	page_tiles(to, tiles.list, tiles.n);
}

static void thresholds(
	FILE *to, const struct storm_report *r, const double *values)
{
	if (r->n_require == 0)
		return;
	fputs("<h2>Thresholds</h2><table><tr><th>required</th>"
	      "<th>measured</th><th></th></tr>",
		to);
	for (size_t i = 0; i < r->n_require; i++) {
		enum require_metric metric = r->require[i].metric;
		bool met = require_met(&r->require[i], values);
		char value[32];
		storm_report_value(require_metric_unit(metric), values[metric],
			value, sizeof(value));
		fputs("<tr>", to);
		cell(to, r->require_text[i]);
		cell(to, value);
		fprintf(to, "<td class=\"%s\">%s</td></tr>",
			met ? "good" : "bad", met ? "met" : "not met");
	}
	fputs("</table>\n", to);
}

/* ---- over time ---- */

/* One line over time out of the cells; NAN where nothing was measured. */
typedef double (*pick_fn)(const struct series_cell *c, double seconds);

#define RATE(name, symbol)                                              \
	static double name(const struct series_cell *c, double seconds) \
	{                                                               \
		return (double)c->counts[SERIES_##symbol] / seconds;    \
	}
RATE(full_rate, FULL)
RATE(resumed_rate, RESUMED)
RATE(registered_rate, REGISTERED)
RATE(refused_rate, REFUSED)
RATE(waits_rate, WAITS)
#undef RATE

static double late_rate(const struct series_cell *c, double seconds)
{
	return registered_rate(c, seconds) -
	       (double)c->counts[SERIES_IN_TIME] / seconds;
}

static double median(const struct series_cell *c, double seconds)
{
	return series_percentile(c, 50) / 1e3;
}

static double p99(const struct series_cell *c, double seconds)
{
	return series_percentile(c, 99) / 1e3;
}

static double slowest(const struct series_cell *c, double seconds)
{
	return series_percentile(c, 100) / 1e3;
}

static double cpu_share(const struct series_cell *c, double seconds)
{
	return (double)c->counts[SERIES_CPU_NS] / 1e7 / seconds;
}

static double tool_share(const struct series_cell *c, double seconds)
{
	return (double)c->counts[SERIES_TOOL_CPU_NS] / 1e7 / seconds;
}

static double memory_mb(const struct series_cell *c, double seconds)
{
	return c->rss ? (double)c->rss / 1024 / 1024 : NAN;
}

static double connected(const struct series_cell *c, double seconds)
{
	return (double)c->held;
}

struct pick {
	const char *name;
	pick_fn pick;
};

struct view {
	const char *title;
	const char *unit;
	const char *note;
	enum page_scale scale;
	size_t n;
	struct pick picks[PAGE_LINES_MAX];
};

static bool any(const double *y, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (y[i] > 0)
			return true;
	return false;
}

/* Cells that are over: one that is cut short would look like a lull. */
static size_t whole_cells(const struct tally *t)
{
	double seconds = series_cell_seconds(&t->series);
	double whole = floor((t->storm_s + t->hold_s) / seconds + 0.1);
	return whole < (double)t->series.n ? (size_t)whole : t->series.n;
}

static void over_time(FILE *to, const struct tally *t, const struct view *view)
{
	const struct series *s = &t->series;
	const struct page_mark mark = {t->restart.at_s, "server restarted"};
	double seconds = series_cell_seconds(s);
	size_t n = whole_cells(t);
	struct page_plot plot = {
		.title = view->title,
		.unit = view->unit,
		.note = view->note,
		.scale = view->scale,
		.n = n,
		.x_to = (double)n * seconds,
		.mark = t->restart.begun ? &mark : NULL,
	};
	double *x = numbers(n), *y[PAGE_LINES_MAX] = {0};
	for (size_t i = 0; i < n; i++)
		x[i] = ((double)i + 0.5) * seconds;
	for (size_t k = 0; k < view->n; k++) {
		y[k] = numbers(n);
		for (size_t i = 0; i < n; i++)
			y[k][i] = view->picks[k].pick(&s->cells[i], seconds);
		/* What never happened needs no line, but for the first. */
		if (k == 0 || any(y[k], n))
			plot.line[plot.lines++] =
				(struct page_line){view->picks[k].name, y[k]};
	}
	plot.x = x;
	page_plot(to, &plot);
	for (size_t k = 0; k < view->n; k++)
		free(y[k]);
	free(x);
}

static const struct view handshakes = {
	.title = "Handshakes",
	.unit = "per second",
	.n = 2,
	.picks = {{"resumed", resumed_rate}, {"full", full_rate}},
};

static const struct view outcomes = {
	.title = "Registrations",
	.unit = "per second",
	.n = 4,
	.picks = {{"registered", registered_rate},
		{"failed attempts", refused_rate},
		{"registered, but not within patience", late_rate},
		{"told to wait", waits_rate}},
};

static const struct view latency = {
	.title = "Time to register",
	.unit = "ms",
	.note = "Counted from when the phone was due, by when it registered.",
	.scale = PAGE_LOG,
	.n = 3,
	.picks = {{"median", median}, {"slowest", slowest},
		{"99th percentile", p99}},
};

static const struct view stay = {
	.title = "Phones that are registered",
	.unit = "connections",
	.n = 1,
	.picks = {{"registered", connected}},
};

static const struct view processors = {
	.title = "CPU",
	.unit = "% of one core",
	.n = 2,
	.picks = {{"server", cpu_share}, {"this program", tool_share}},
};

static const struct view own_processor = {
	.title = "This program's CPU",
	.unit = "% of one core",
	.n = 1,
	.picks = {{"this program", tool_share}},
};

static const struct view memory = {
	.title = "The server's memory",
	.unit = "MB resident",
	.n = 1,
	.picks = {{"server", memory_mb}},
};

/* ---- by kind ---- */

static void latency_row(FILE *to, const char *name, const struct histogram *h)
{
	char text[32];
	fputs("<tr>", to);
	cell(to, name);
	snprintf(text, sizeof(text), "%" PRIu64, h->count);
	cell(to, text);
	for (int i = 0; i < STORM_REPORT_PERCENTILES; i++) {
		storm_report_value(REQUIRE_TIME,
			(double)histogram_percentile(
				h, storm_report_percentiles[i]) /
				1e6,
			text, sizeof(text));
		cell(to, text);
	}
	fputs("</tr>", to);
}

static void latency_table(FILE *to, const struct tally *t)
{
	fputs("<div class=\"wide\"><table><tr><th></th><th>count</th>", to);
	for (int i = 0; i < STORM_REPORT_PERCENTILES; i++)
		fprintf(to, "<th>%s</th>", storm_report_percentile_names[i]);
	fputs("</tr>", to);
	for (int kind = 0; kind < TALLY_KINDS; kind++)
		if (t->latency[kind].count)
			latency_row(to, tally_kind_name((enum tally_kind)kind),
				&t->latency[kind]);
	if (t->waits.latency.count)
		latency_row(
			to, "told to wait, less that wait", &t->waits.latency);
	if (t->pulses.latency.count)
		latency_row(to, "keepalives and refreshes", &t->pulses.latency);
	fputs("</table></div>\n", to);
}

static void latencies(FILE *to, const struct tally *t)
{
	double x[STORM_REPORT_PERCENTILES];
	double y[TALLY_KINDS][STORM_REPORT_PERCENTILES];
	struct page_plot plot = {
		.title = "Time to register, by kind of handshake",
		.unit = "ms",
		.scale = PAGE_LOG,
		.n = STORM_REPORT_PERCENTILES,
		.x = x,
		.x_text = storm_report_percentile_names,
	};
	for (int kind = 0; kind < TALLY_KINDS; kind++) {
		const struct histogram *h = &t->latency[kind];
		if (h->count == 0)
			continue;
		for (int i = 0; i < STORM_REPORT_PERCENTILES; i++) {
			x[i] = i;
			y[kind][i] = (double)histogram_percentile(
					     h, storm_report_percentiles[i]) /
				     1e3;
		}
		plot.line[plot.lines++] = (struct page_line){
			tally_kind_name((enum tally_kind)kind), y[kind]};
	}
	page_plot(to, &plot);
	latency_table(to, t);
}

static int by_count(const void *a, const void *b)
{
	const struct page_bar *one = a, *other = b;
	return (one->count < other->count) - (one->count > other->count);
}

static void refusals(FILE *to, const struct tally_reasons *r)
{
	struct page_bar bars[TALLY_REASONS] = {{NULL, 0}};
	for (size_t i = 0; i < r->n; i++)
		bars[i] = (struct page_bar){r->rows[i].text, r->rows[i].count};
	qsort(bars, r->n, sizeof(*bars), by_count);
	page_bars(to, "Attempts that failed, by reason", bars, r->n,
		"None failed.");
}

static void facts(FILE *to, const struct storm_report *r)
{
	fputs("<h2>What was asked</h2><table>", to);
	for (size_t i = 0; i < r->n_facts; i++) {
		const char *value = r->facts[i].value;
		if (!*value || strcmp(value, "no") == 0)
			continue;
		fputs("<tr>", to);
		cell(to, r->facts[i].name);
		cell(to, value);
		fputs("</tr>", to);
	}
	fputs("</table>\n", to);
}

static bool anybody_stayed(const struct tally *t)
{
	for (size_t i = 0; i < t->series.n; i++)
		if (t->series.cells[i].held > 1)
			return true;
	return false;
}

static const char *fact(const struct storm_report *r, const char *name)
{
	for (size_t i = 0; i < r->n_facts; i++)
		if (strcmp(r->facts[i].name, name) == 0)
			return r->facts[i].value;
	return "";
}

/* What kind of storm it was, in one line. */
static void subtitle(FILE *to, const struct storm_report *r)
{
	const bool tls = *fact(r, "tls"), hold = *fact(r, "hold");
	const bool burst = strcmp(fact(r, "burst"), "yes") == 0;
	const char *const words[] = {
		fact(r, "phones"),
		" phones, ",
		fact(r, "protocol"),
		tls ? " over TLS " : " without TLS",
		fact(r, "tls"),
		"; resumption: ",
		fact(r, "resume"),
		burst ? "; all at once" : "; ",
		burst ? "" : fact(r, "rate"),
		burst ? "" : " per second for ",
		burst ? "" : fact(r, "seconds"),
		burst ? "" : " s",
		hold ? "; held for " : "",
		fact(r, "hold"),
		hold ? " s" : "",
	};
	fputs("<p>", to);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		page_text(to, words[i]);
	fputs("</p>\n", to);
}

static void plots(FILE *to, const struct tally *t)
{
	if (t->handshakes[TALLY_FULL] + t->handshakes[TALLY_RESUMED] > 0)
		over_time(to, t, &handshakes);
	over_time(to, t, &outcomes);
	over_time(to, t, &latency);
	latencies(to, t);
	refusals(to, &t->reasons);
	if (t->held || anybody_stayed(t))
		over_time(to, t, &stay);
	over_time(to, t, t->server_seen ? &processors : &own_processor);
	if (t->server_seen)
		over_time(to, t, &memory);
}

void storm_report_html(const struct storm_report *r, FILE *to)
{
	const struct tally *t = r->tally;
	double values[REQUIRE_METRICS];
	char title[TEXT_SIZE];
	tally_values(t, values);
	snprintf(title, sizeof(title),
		"Registration storm: %" PRIu64 " of %" PRIu64
		" arrivals registered",
		t->registered, t->planned);
	page_begin(to, title);
	subtitle(to, r);
	verdict(to, r);
	glance(to, t, values);
	thresholds(to, r, values);
	plots(to, t);
	facts(to, r);
	page_end(to);
}

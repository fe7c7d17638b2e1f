/* SPDX-License-Identifier: Apache-2.0 */
/* What a storm measured, as one self-contained HTML page. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "bench/page.h"
#include "bench/storm_report.h"

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

static void doubts(FILE *to, const struct storm_report *r)
{
	const char *doubt = storm_report_doubt(r);
	if (!doubt)
		return;
	fputs("<p class=\"bad\">Doubt: ", to);
	page_text(to, doubt);
	fputs(".</p>\n", to);
}

static void thresholds(
	FILE *to, const struct storm_report *r, const double *values)
{
	if (r->n_require == 0)
		return;
	fputs("<h2>Thresholds</h2><table>", to);
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

static void figures(FILE *to, const double *values)
{
	fputs("<h2>Figures</h2><table>", to);
	for (int i = 0; i < REQUIRE_METRICS; i++) {
		enum require_metric metric = (enum require_metric)i;
		char value[32];
		if (!isfinite(values[i]))
			continue;
		storm_report_value(require_metric_unit(metric), values[i],
			value, sizeof(value));
		fputs("<tr>", to);
		cell(to, require_metric_meaning(metric));
		cell(to, value);
		fputs("</tr>", to);
	}
	fputs("</table>\n", to);
}

/* One line over time out of the cells. */
typedef double (*pick_fn)(const struct series_cell *c, double seconds);

static double full_rate(const struct series_cell *c, double seconds)
{
	return (double)c->counts[SERIES_FULL] / seconds;
}

static double resumed_rate(const struct series_cell *c, double seconds)
{
	return (double)c->counts[SERIES_RESUMED] / seconds;
}

static double registered_rate(const struct series_cell *c, double seconds)
{
	return (double)c->counts[SERIES_REGISTERED] / seconds;
}

static double refused_rate(const struct series_cell *c, double seconds)
{
	return (double)c->counts[SERIES_REFUSED] / seconds;
}

static double cpu_share(const struct series_cell *c, double seconds)
{
	return (double)c->counts[SERIES_CPU_NS] / 1e7 / seconds;
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

static void over_time(FILE *to, const struct series *s, const char *title,
	const char *unit, const struct pick *picks, size_t n)
{
	double seconds = series_cell_seconds(s);
	struct page_plot plot = {
		.title = title, .unit = unit, .n = s->n, .lines = n};
	double *x = numbers(s->n), *y[PAGE_LINES_MAX] = {0};
	for (size_t i = 0; i < s->n; i++)
		x[i] = (double)i * seconds;
	for (size_t k = 0; k < n; k++) {
		y[k] = numbers(s->n);
		for (size_t i = 0; i < s->n; i++)
			y[k][i] = picks[k].pick(&s->cells[i], seconds);
		plot.line[k] = (struct page_line){picks[k].name, y[k]};
	}
	plot.x = x;
	page_plot(to, &plot);
	for (size_t k = 0; k < n; k++)
		free(y[k]);
	free(x);
}

static void latencies(FILE *to, const struct tally *t)
{
	double x[STORM_REPORT_PERCENTILES];
	double y[TALLY_KINDS][STORM_REPORT_PERCENTILES];
	struct page_plot plot = {
		.title = "Time to register, by kind of handshake",
		.unit = "ms, from when the arrival was due",
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
}

static void refusals(FILE *to, const struct tally_reasons *r)
{
	struct page_bar bars[TALLY_REASONS];
	for (size_t i = 0; i < r->n; i++)
		bars[i] = (struct page_bar){r->rows[i].text, r->rows[i].count};
	page_bars(to, "Attempts that failed, by reason", bars, r->n,
		"None failed.");
}

static void server(FILE *to, const struct tally *t)
{
	static const struct pick cpu[] = {{"server CPU", cpu_share}};
	static const struct pick memory[] = {{"server memory", memory_mb}};
	if (!t->server_seen)
		return;
	over_time(to, &t->series, "The server's CPU", "% of one core", cpu, 1);
	over_time(to, &t->series, "The server's memory", "MB resident", memory,
		1);
}

static void facts(FILE *to, const struct storm_report *r)
{
	fputs("<h2>What was asked</h2><table>", to);
	for (size_t i = 0; i < r->n_facts; i++) {
		fputs("<tr>", to);
		cell(to, r->facts[i].name);
		cell(to, r->facts[i].value);
		fputs("</tr>", to);
	}
	fputs("</table>\n", to);
}

void storm_report_html(const struct storm_report *r, FILE *to)
{
	static const struct pick handshakes[] = {
		{"resumed", resumed_rate}, {"full", full_rate}};
	static const struct pick outcomes[] = {
		{"registered", registered_rate}, {"failed", refused_rate}};
	static const struct pick stay[] = {{"registered phones", connected}};
	const struct tally *t = r->tally;
	double values[REQUIRE_METRICS];
	tally_values(t, values);
	page_begin(to, "dialtone-storm");
	doubts(to, r);
	thresholds(to, r, values);
	figures(to, values);
	if (t->handshakes[TALLY_FULL] + t->handshakes[TALLY_RESUMED] > 0)
		over_time(to, &t->series, "Handshakes over time", "per second",
			handshakes, 2);
	over_time(to, &t->series, "Registrations over time", "per second",
		outcomes, 2);
	latencies(to, t);
	refusals(to, &t->reasons);
	if (t->held)
		over_time(to, &t->series, "Phones that stay", "connections",
			stay, 1);
	server(to, t);
	facts(to, r);
	page_end(to);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a storm measured, as text and as JSON. */
#include "bench/storm_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* Shares of one core and of arrivals, in percent, that raise doubts. */
enum { TOOL_CPU_DOUBT = 85, LATE_DOUBT = 1, STARVED_DOUBT = 1 };

const double storm_report_percentiles[] = {50, 90, 95, 99, 99.9, 100};
const char *const storm_report_percentile_names[] = {
	"p50", "p90", "p95", "p99", "p99.9", "max"};

void storm_report_value(
	enum require_unit unit, double value, char *dst, size_t size)
{
	if (!isfinite(value)) {
		snprintf(dst, size, "-");
		return;
	}
	switch (unit) {
	case REQUIRE_COUNT:
		snprintf(dst, size, "%.10g", round(value * 10) / 10);
		return;
	case REQUIRE_TIME:
		if (value < 1e-3)
			snprintf(dst, size, "%.0f us", value * 1e6);
		else if (value < 1)
			snprintf(dst, size, "%.2f ms", value * 1e3);
		else
			snprintf(dst, size, "%.2f s", value);
		return;
	case REQUIRE_SHARE:
		snprintf(dst, size, "%.2f%%", value);
		return;
	case REQUIRE_SIZE:
		if (value < 1024 * 1024)
			snprintf(dst, size, "%.1f KB", value / 1024);
		else
			snprintf(dst, size, "%.1f MB", value / 1024 / 1024);
		return;
	}
}

const char *storm_report_doubt(const struct storm_report *r)
{
	const struct tally *t = r->tally;
	double values[REQUIRE_METRICS];
	tally_values(t, values);
	if (t->server_gone)
		return "the server ended during the storm: its figures are "
		       "not complete";
	if (r->cut)
		return "the storm was ended before its time";
	if (values[REQUIRE_TOOL_CPU] > TOOL_CPU_DOUBT)
		return "this program had a core to itself and needed it: it "
		       "may have been the bottleneck, not the server";
	if (values[REQUIRE_LATE] > LATE_DOUBT)
		return "more than 1% of the phones were started late: "
		       "latencies include this program's own waiting";
	if (t->starved * 100 > t->started * STARVED_DOUBT)
		return "more than 1% of the arrivals waited for a simulated "
		       "phone to be free: use more --phones";
	return NULL;
}

bool storm_report_met(const struct storm_report *r)
{
	double values[REQUIRE_METRICS];
	tally_values(r->tally, values);
	for (size_t i = 0; i < r->n_require; i++)
		if (!require_met(&r->require[i], values))
			return false;
	return true;
}

static void text_latency(const struct tally *t, FILE *to)
{
	for (int kind = 0; kind < TALLY_KINDS; kind++) {
		const struct histogram *h = &t->latency[kind];
		if (h->count == 0)
			continue;
		fprintf(to, "%s:", tally_kind_name((enum tally_kind)kind));
		for (int i = 0; i < STORM_REPORT_PERCENTILES; i++) {
			char value[32];
			storm_report_value(REQUIRE_TIME,
				(double)histogram_percentile(
					h, storm_report_percentiles[i]) /
					1e6,
				value, sizeof(value));
			fprintf(to, "%s %s %s", i ? "," : "",
				storm_report_percentile_names[i], value);
		}
		fputc('\n', to);
	}
}

static void text_server(const struct tally *t, FILE *to)
{
	double values[REQUIRE_METRICS];
	char cpu[32], rss[32], each[32];
	if (!t->server_seen)
		return;
	tally_values(t, values);
	storm_report_value(REQUIRE_TIME, values[REQUIRE_CPU], cpu, sizeof(cpu));
	storm_report_value(REQUIRE_SIZE, values[REQUIRE_RSS], rss, sizeof(rss));
	storm_report_value(
		REQUIRE_SIZE, values[REQUIRE_RSS_PHONE], each, sizeof(each));
	fprintf(to,
		"server: %.3f s CPU, %s per registration; memory at most %s",
		t->server_cpu_s, cpu, rss);
	if (t->held)
		fprintf(to, ", %s per held phone", each);
	if (t->hold_s > 0)
		fprintf(to, "; %.2f%% of a core while holding",
			100 * t->hold_cpu_s / t->hold_s);
	fputc('\n', to);
}

static void text_tool(const struct tally *t, FILE *to)
{
	fprintf(to,
		"this program: %.3f s CPU in %.2f s; %" PRIu64 " of %" PRIu64
		" arrivals late (at most %.1f ms), %" PRIu64
		" waited for a free phone\n",
		t->tool_cpu_s, t->storm_s, t->late, t->started,
		(double)t->lateness.max / 1e3, t->starved);
}

static void text_require(const struct storm_report *r, FILE *to)
{
	double values[REQUIRE_METRICS];
	tally_values(r->tally, values);
	for (size_t i = 0; i < r->n_require; i++) {
		enum require_metric metric = r->require[i].metric;
		char value[32];
		storm_report_value(require_metric_unit(metric), values[metric],
			value, sizeof(value));
		fprintf(to, "require %s: %s (%s)\n", r->require_text[i],
			require_met(&r->require[i], values) ? "met" : "NOT MET",
			value);
	}
}

void storm_report_text(const struct storm_report *r, FILE *to)
{
	const struct tally *t = r->tally;
	const char *doubt = storm_report_doubt(r);
	if (t->primed + t->prime_failed)
		fprintf(to,
			"primed: %" PRIu64 " phones in %.2f s, %" PRIu64
			" failed\n",
			t->primed, t->prime_s, t->prime_failed);
	fprintf(to,
		"registered: %" PRIu64 " of %" PRIu64 " in %.2f s (%.1f/s); "
		"failed %" PRIu64 ", retries %" PRIu64 ", dropped %" PRIu64
		", returned %" PRIu64 "\n",
		t->registered, t->planned, t->storm_s,
		t->storm_s > 0 ? (double)t->registered / t->storm_s : 0,
		t->failed, t->retries, t->dropped, t->returned);
	fprintf(to, "handshakes: %" PRIu64 " full, %" PRIu64 " resumed\n",
		t->handshakes[TALLY_FULL], t->handshakes[TALLY_RESUMED]);
	text_latency(t, to);
	for (size_t i = 0; i < t->reasons.n; i++)
		fprintf(to, "%" PRIu64 " x %s\n", t->reasons.rows[i].count,
			t->reasons.rows[i].text);
	text_server(t, to);
	text_tool(t, to);
	if (doubt)
		fprintf(to, "doubt: %s\n", doubt);
	text_require(r, to);
}

static json_t *count(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *latency_json(const struct histogram *h)
{
	json_t *o = json_object();
	json_object_set_new(o, "count", count(h->count));
	for (int i = 0; i < STORM_REPORT_PERCENTILES; i++)
		json_object_set_new(o, storm_report_percentile_names[i],
			h->count
				? json_real(
					  (double)histogram_percentile(h,
						  storm_report_percentiles[i]) /
					  1e3)
				: json_null());
	return o;
}

static json_t *latencies_json(const struct tally *t)
{
	struct histogram all;
	tally_latency(t, &all);
	json_t *o = json_object();
	json_object_set_new(o, "all", latency_json(&all));
	for (int i = 0; i < TALLY_KINDS; i++)
		json_object_set_new(o, tally_kind_name((enum tally_kind)i),
			latency_json(&t->latency[i]));
	return o;
}

static json_t *values_json(const double values[REQUIRE_METRICS])
{
	json_t *o = json_object();
	for (int i = 0; i < REQUIRE_METRICS; i++)
		json_object_set_new(o,
			require_metric_name((enum require_metric)i),
			number(values[i]));
	return o;
}

static json_t *reasons_json(const struct tally_reasons *r)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->n; i++)
		json_array_append_new(
			list, json_pack("{s:s,s:o}", "reason", r->rows[i].text,
				      "count", count(r->rows[i].count)));
	return list;
}

static json_t *server_json(const struct tally *t)
{
	if (!t->server_seen)
		return json_null();
	return json_pack("{s:b,s:f,s:f,s:f,s:o,s:o,s:o}", "gone",
		(int)t->server_gone, "cpu_s", t->server_cpu_s, "hold_s",
		t->hold_s, "hold_cpu_s", t->hold_cpu_s, "rss_start",
		count(t->rss_start), "rss_peak", count(t->rss_peak), "rss_end",
		count(t->rss_end));
}

static json_t *series_json(const struct series *s)
{
	json_t *o = json_object();
	json_object_set_new(
		o, "cell_seconds", json_integer(series_cell_seconds(s)));
	for (int c = 0; c < SERIES_COUNTS; c++) {
		json_t *list = json_array();
		for (size_t i = 0; i < s->n; i++)
			json_array_append_new(
				list, count(s->cells[i].counts[c]));
		json_object_set_new(
			o, series_count_name((enum series_count)c), list);
	}
	json_t *rss = json_array(), *held = json_array();
	for (size_t i = 0; i < s->n; i++) {
		json_array_append_new(rss, count(s->cells[i].rss));
		json_array_append_new(held, count(s->cells[i].held));
	}
	json_object_set_new(o, "server_rss", rss);
	json_object_set_new(o, "connected", held);
	return o;
}

static json_t *require_json(
	const struct storm_report *r, const double values[REQUIRE_METRICS])
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->n_require; i++)
		json_array_append_new(list,
			json_pack("{s:s,s:o,s:b}", "text", r->require_text[i],
				"value", number(values[r->require[i].metric]),
				"met",
				(int)require_met(&r->require[i], values)));
	return list;
}

static json_t *options_json(const struct storm_report *r)
{
	json_t *o = json_object();
	for (size_t i = 0; i < r->n_facts; i++)
		json_object_set_new(
			o, r->facts[i].name, json_string(r->facts[i].value));
	return o;
}

static json_t *arrivals_json(const struct tally *t)
{
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
		"planned", count(t->planned), "started", count(t->started),
		"starved", count(t->starved), "late", count(t->late),
		"unserved", count(t->unserved), "attempts", count(t->attempts),
		"retries", count(t->retries), "registered",
		count(t->registered), "failed", count(t->failed), "stopped",
		count(t->stopped), "dropped", count(t->dropped), "returned",
		count(t->returned));
}

json_t *storm_report_json(const struct storm_report *r)
{
	const struct tally *t = r->tally;
	double values[REQUIRE_METRICS];
	tally_values(t, values);
	json_t *root = json_pack(
		"{s:o,s:b,s:s?,s:{s:o,s:o,s:f},s:o,s:{s:o,s:o},s:o,s:o,s:o,"
		"s:{s:f,s:f,s:o},s:o,s:o,s:o}",
		"options", options_json(r), "cut", (int)r->cut, "doubt",
		storm_report_doubt(r), "priming", "registered",
		count(t->primed), "failed", count(t->prime_failed), "seconds",
		t->prime_s, "arrivals", arrivals_json(t), "handshakes", "full",
		count(t->handshakes[TALLY_FULL]), "resumed",
		count(t->handshakes[TALLY_RESUMED]), "latency_ms",
		latencies_json(t), "values", values_json(values), "reasons",
		reasons_json(&t->reasons), "tool", "seconds", t->storm_s,
		"cpu_s", t->tool_cpu_s, "lateness_ms",
		latency_json(&t->lateness), "server", server_json(t), "series",
		series_json(&t->series), "require", require_json(r, values));
	if (!root)
		abort();
	return root;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a storm measured, as JSON (storm-report.schema.json describes it). */
#include <math.h>
#include <stdlib.h>

#include "bench/storm_report.h"

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

static json_t *waits_json(const struct tally_waits *w)
{
	return json_pack("{s:o,s:o,s:o,s:o,s:o}", "count", count(w->count),
		"phones", count(w->arrivals), "seconds", count(w->seconds),
		"longest_s", count(w->longest), "latency_ms",
		latency_json(&w->latency));
}

static json_t *pulses_json(const struct tally_pulses *p)
{
	return json_pack("{s:o,s:o,s:o,s:o}", "asked", count(p->asked),
		"answered", count(p->answered), "lost", count(p->lost),
		"latency_ms", latency_json(&p->latency));
}

static json_t *measured(double seconds)
{
	return seconds > 0 ? json_real(seconds) : json_null();
}

static json_t *sessions_json(const struct tally_restart *r, int after)
{
	return json_pack("{s:o,s:o}", "offered", count(r->offered[after]),
		"resumed", count(r->resumed[after]));
}

static json_t *restart_json(const struct tally_restart *r)
{
	if (!r->begun)
		return json_null();
	return json_pack("{s:f,s:o,s:o,s:o,s:o,s:o,s:o}", "at_s", r->at_s,
		"took_s", r->ended ? json_real(r->took_s) : json_null(),
		"exit_code", r->ended ? json_integer(r->code) : json_null(),
		"first_s", measured(r->first_s), "back_s", measured(r->back_s),
		"before", sessions_json(r, 0), "after", sessions_json(r, 1));
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
	return json_pack("{s:b,s:i,s:f,s:f,s:f,s:o,s:o,s:o}", "gone",
		(int)t->server_gone, "processes", (int)t->server_lives, "cpu_s",
		t->server_cpu_s, "hold_s", t->hold_s, "hold_cpu_s",
		t->hold_cpu_s, "rss_start", count(t->rss_start), "rss_peak",
		count(t->rss_peak), "rss_end", count(t->rss_end));
}

static json_t *percentiles_json(const struct series *s, double p)
{
	json_t *list = json_array();
	for (size_t i = 0; i < s->n; i++)
		json_array_append_new(
			list, number(series_percentile(&s->cells[i], p) / 1e3));
	return list;
}

static json_t *series_json(const struct series *s)
{
	json_t *o = json_object();
	double seconds = series_cell_seconds(s);
	json_object_set_new(o, "cell_seconds",
		s->cell_ms % 1000 ? json_real(seconds)
				  : json_integer((json_int_t)seconds));
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
	json_object_set_new(o, "latency_p50_ms", percentiles_json(s, 50));
	json_object_set_new(o, "latency_p99_ms", percentiles_json(s, 99));
	json_object_set_new(o, "latency_max_ms", percentiles_json(s, 100));
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
	return json_pack(
		"{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
		"planned", count(t->planned), "started", count(t->started),
		"starved", count(t->starved), "late", count(t->late),
		"unserved", count(t->unserved), "attempts", count(t->attempts),
		"retries", count(t->retries), "registered",
		count(t->registered), "failed", count(t->failed), "stopped",
		count(t->stopped), "dropped", count(t->dropped), "returned",
		count(t->returned), "expired", count(t->expired), "in_time",
		count(t->in_time), "all_in_s", measured(t->all_in_s));
}

static json_t *priming_json(const struct tally *t)
{
	return json_pack("{s:o,s:o,s:f}", "registered", count(t->primed),
		"failed", count(t->prime_failed), "seconds", t->prime_s);
}

static json_t *handshakes_json(const struct tally *t)
{
	return json_pack("{s:o,s:o}", "full", count(t->handshakes[TALLY_FULL]),
		"resumed", count(t->handshakes[TALLY_RESUMED]));
}

static json_t *tool_json(const struct tally *t)
{
	return json_pack("{s:f,s:f,s:o,s:o}", "seconds", t->storm_s, "cpu_s",
		t->tool_cpu_s, "held_back", count(t->gated), "lateness_ms",
		latency_json(&t->lateness));
}

json_t *storm_report_json(const struct storm_report *r)
{
	const struct tally *t = r->tally;
	double values[REQUIRE_METRICS];
	tally_values(t, values);
	const char *doubt = storm_report_doubt(r);
	json_t *root = json_object();
	if (!root)
		abort();
	const struct {
		const char *key;
		json_t *value;
	} parts[] = {
		{"options", options_json(r)},
		{"cut", json_boolean(r->cut)},
		{"doubt", doubt ? json_string(doubt) : json_null()},
		{"priming", priming_json(t)},
		{"arrivals", arrivals_json(t)},
		{"told_to_wait", waits_json(&t->waits)},
		{"handshakes", handshakes_json(t)},
		{"latency_ms", latencies_json(t)},
		{"keepalives", pulses_json(&t->pulses)},
		{"restart", restart_json(&t->restart)},
		{"values", values_json(values)},
		{"reasons", reasons_json(&t->reasons)},
		{"tool", tool_json(t)},
		{"server", server_json(t)},
		{"series", series_json(&t->series)},
		{"require", require_json(r, values)},
	};
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (json_object_set_new(root, parts[i].key, parts[i].value) < 0)
			abort();
	return root;
}

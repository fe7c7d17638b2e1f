/* SPDX-License-Identifier: Apache-2.0 */
/* What a storm measured, as text, and what to think of it. */
#include "bench/storm_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* Shares of one core and of arrivals, in percent, that raise doubts. */
enum {
	TOOL_CPU_DOUBT = 85,
	BUSY_CELL = 95,	 /* so much of a core, within one cell */
	BUSY_DOUBT = 10, /* and so many cells of all */
	BUSY_CELLS_MIN = 5,
	LATE_DOUBT = 1,
	STARVED_DOUBT = 1
};

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
		snprintf(dst, size, "%.10g", round(value * 100) / 100);
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

/* It had its core to itself again and again, though not on average. */
static bool was_busy(const struct series *s)
{
	double cell_ns = series_cell_seconds(s) * 1e9;
	size_t busy = 0;
	for (size_t i = 0; i < s->n; i++)
		busy += (double)s->cells[i].counts[SERIES_TOOL_CPU_NS] * 100 >
			cell_ns * BUSY_CELL;
	return busy >= BUSY_CELLS_MIN && busy * 100 > s->n * BUSY_DOUBT;
}

static const char *doubt_restart(const struct tally_restart *restart)
{
	if (!restart->ended)
		return "the command of --restart-command was still running "
		       "when the storm was over";
	if (restart->code != 0)
		return "the command of --restart-command failed";
	return NULL;
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
	if (r->restart && !t->restart.begun)
		return "the storm was over before --restart-at";
	if (t->restart.begun && doubt_restart(&t->restart))
		return doubt_restart(&t->restart);
	if (t->gated * 100 > t->attempts * LATE_DOUBT)
		return "more than 1% of the attempts were held back when they "
		       "were due, because this program was too busy: it was "
		       "the bottleneck, not the server";
	if (was_busy(&t->series))
		return "this program needed all of a core at times: it may "
		       "have been the bottleneck then, not the server";
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

static void value_of(enum require_metric metric, const struct tally *t,
	char *dst, size_t size)
{
	double values[REQUIRE_METRICS];
	tally_values(t, values);
	storm_report_value(
		require_metric_unit(metric), values[metric], dst, size);
}

static void text_arrivals(const struct tally *t, FILE *to)
{
	char goodput[32], attempts[32], all_in[32];
	value_of(REQUIRE_GOODPUT, t, goodput, sizeof(goodput));
	value_of(REQUIRE_ATTEMPTS, t, attempts, sizeof(attempts));
	value_of(REQUIRE_ALL_IN, t, all_in, sizeof(all_in));
	fprintf(to,
		"registered: %" PRIu64 " of %" PRIu64 " in %.2f s (%.1f/s); "
		"failed %" PRIu64 ", retries %" PRIu64 ", dropped %" PRIu64
		", returned %" PRIu64 "\n",
		t->registered, t->planned, t->storm_s,
		t->storm_s > 0 ? (double)t->registered / t->storm_s : 0,
		t->failed, t->retries, t->dropped, t->returned);
	fprintf(to,
		"goodput: %s/s within patience; %s attempts per registration; "
		"all in after %s\n",
		goodput, attempts, all_in);
}

static void text_waits(const struct tally_waits *w, FILE *to)
{
	if (w->count == 0)
		return;
	fprintf(to,
		"told to wait: %" PRIu64 " times, %" PRIu64
		" phones, %.1f s on average, %" PRIu64 " s at most\n",
		w->count, w->arrivals, (double)w->seconds / (double)w->count,
		w->longest);
}

static void text_pulses(const struct tally_pulses *p, FILE *to)
{
	char p50[32], p99[32];
	if (p->asked == 0)
		return;
	storm_report_value(REQUIRE_TIME,
		(double)histogram_percentile(&p->latency, 50) / 1e6, p50,
		sizeof(p50));
	storm_report_value(REQUIRE_TIME,
		(double)histogram_percentile(&p->latency, 99) / 1e6, p99,
		sizeof(p99));
	fprintf(to,
		"keepalives and refreshes: %" PRIu64 " asked, %" PRIu64
		" answered, %" PRIu64 " lost; p50 %s, p99 %s\n",
		p->asked, p->answered, p->lost, p50, p99);
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100 * (double)part / (double)whole : NAN;
}

static void text_restart(const struct tally *t, FILE *to)
{
	const struct tally_restart *r = &t->restart;
	char before[32], after[32], back[32];
	if (!r->begun)
		return;
	storm_report_value(REQUIRE_SHARE, percent(r->resumed[0], r->offered[0]),
		before, sizeof(before));
	storm_report_value(REQUIRE_SHARE, percent(r->resumed[1], r->offered[1]),
		after, sizeof(after));
	value_of(REQUIRE_BACK, t, back, sizeof(back));
	fprintf(to,
		"restart: at %.2f s, command took %.2f s and ended with %d; "
		"first phone in after %.2f s, all lost phones back after %s; "
		"offered sessions resumed %s before, %s after\n",
		r->at_s, r->took_s, r->code, r->first_s, back, before, after);
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
	if (t->server_lives > 1)
		fprintf(to, "; %u processes together", t->server_lives);
	if (t->held)
		fprintf(to, ", %s per held phone", each);
	if (t->hold_s > 0)
		fprintf(to, "; %.2f%% of a core while holding",
			100 * t->hold_cpu_s / t->hold_s);
	fputc('\n', to);
}

static void text_tool(const struct tally *t, FILE *to)
{
	char each[32];
	value_of(REQUIRE_TOOL_CPU_EACH, t, each, sizeof(each));
	fprintf(to,
		"this program: %.3f s CPU in %.2f s, %s per registration; "
		"%" PRIu64 " of %" PRIu64
		" arrivals late (at most %.1f ms), %" PRIu64
		" waited for a free phone, %" PRIu64
		" attempts were held back\n",
		t->tool_cpu_s, t->storm_s, each, t->late, t->started,
		(double)t->lateness.max / 1e3, t->starved, t->gated);
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
	text_arrivals(t, to);
	fprintf(to, "handshakes: %" PRIu64 " full, %" PRIu64 " resumed\n",
		t->handshakes[TALLY_FULL], t->handshakes[TALLY_RESUMED]);
	text_latency(t, to);
	for (size_t i = 0; i < t->reasons.n; i++)
		fprintf(to, "%" PRIu64 " x %s\n", t->reasons.rows[i].count,
			t->reasons.rows[i].text);
	text_waits(&t->waits, to);
	text_pulses(&t->pulses, to);
	text_restart(t, to);
	text_server(t, to);
	text_tool(t, to);
	if (doubt)
		fprintf(to, "doubt: %s\n", doubt);
	text_require(r, to);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a storm has counted: arrivals, handshakes, latencies, refusals. */
#include "bench/tally.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *tally_kind_name(enum tally_kind kind)
{
	static const char *const names[] = {
#define X(symbol, name) name,
		TALLY_KIND_LIST(X)
#undef X
	};
	return names[kind];
}

void tally_reason(
	struct tally_reasons *r, const char *outcome, const char *text)
{
	char reason[TALLY_REASON_MAX + 1];
	snprintf(
		reason, sizeof(reason), *text ? "%s: %s" : "%s", outcome, text);
	size_t i = 0;
	while (i < r->n && strcmp(r->rows[i].text, reason) != 0)
		i++;
	if (i >= TALLY_REASONS - 1) {
		i = TALLY_REASONS - 1;
		snprintf(reason, sizeof(reason), "other reasons");
	}
	if (i >= r->n) {
		r->n = i + 1;
		memcpy(r->rows[i].text, reason, sizeof(reason));
	}
	r->rows[i].count++;
}

void tally_latency(const struct tally *t, struct histogram *out)
{
	*out = (struct histogram){0};
	for (int i = 0; i < TALLY_KINDS; i++)
		histogram_merge(out, &t->latency[i]);
}

static double share(double part, double whole)
{
	return whole > 0 ? part / whole : NAN;
}

static double grown_per_phone(const struct tally *t)
{
	if (t->rss_peak < t->rss_start)
		return 0;
	return share((double)(t->rss_peak - t->rss_start), (double)t->held);
}

static double measured(double seconds)
{
	return seconds > 0 ? seconds : NAN;
}

/* In seconds. */
static double percentile(const struct histogram *h, double p)
{
	return h->count ? (double)histogram_percentile(h, p) / 1e6 : NAN;
}

void tally_values(const struct tally *t, double values[REQUIRE_METRICS])
{
	static const struct {
		enum require_metric metric;
		double percentile;
	} latencies[] = {{REQUIRE_P50, 50}, {REQUIRE_P90, 90},
		{REQUIRE_P99, 99}, {REQUIRE_P99_9, 99.9}, {REQUIRE_MAX, 100}};
	struct histogram all;
	tally_latency(t, &all);
	for (size_t i = 0; i < sizeof(latencies) / sizeof(*latencies); i++)
		values[latencies[i].metric] =
			percentile(&all, latencies[i].percentile);
	double registered = (double)t->registered;
	double handshakes = (double)(t->handshakes[TALLY_FULL] +
				     t->handshakes[TALLY_RESUMED]);
	values[REQUIRE_REGISTERED] = registered;
	values[REQUIRE_FAILED] = (double)t->failed;
	values[REQUIRE_DROPPED] = (double)t->dropped;
	values[REQUIRE_RATE] = share(registered, t->storm_s);
	values[REQUIRE_GOODPUT] = share((double)t->in_time, t->storm_s);
	values[REQUIRE_ATTEMPTS] =
		share((double)t->attempts, registered + (double)t->returned);
	values[REQUIRE_ALL_IN] = measured(t->all_in_s);
	values[REQUIRE_WAITS] = (double)t->waits.count;
	values[REQUIRE_RESUMED_AFTER] =
		100 * share((double)t->restart.resumed[1],
			      (double)t->restart.offered[1]);
	values[REQUIRE_BACK] = measured(t->restart.back_s);
	values[REQUIRE_KEEPALIVE_P99] = percentile(&t->pulses.latency, 99);
	values[REQUIRE_KEEPALIVES_LOST] = (double)t->pulses.lost;
	values[REQUIRE_RESUMED] =
		100 * share((double)t->handshakes[TALLY_RESUMED], handshakes);
	values[REQUIRE_LATE] = 100 * share((double)t->late, (double)t->started);
	values[REQUIRE_TOOL_CPU] = 100 * share(t->tool_cpu_s, t->storm_s);
	values[REQUIRE_TOOL_CPU_EACH] = share(t->tool_cpu_s, registered);
	values[REQUIRE_CPU] = values[REQUIRE_RSS] = values[REQUIRE_RSS_PHONE] =
		NAN;
	/* A server that ended took its figures along: half of them would
	 * look like a fast one. */
	if (!t->server_seen || t->server_gone)
		return;
	values[REQUIRE_CPU] = share(t->server_cpu_s, registered);
	values[REQUIRE_RSS] = (double)t->rss_peak;
	values[REQUIRE_RSS_PHONE] = grown_per_phone(t);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the server and this program use while a storm blows, into its tally. */
#include "bench/gauge.h"

#include "bench/process.h"

static double seconds(uint64_t from_ns, uint64_t to_ns)
{
	return (double)(to_ns - from_ns) / 1e9;
}

static void note_memory(struct tally *t, const struct watch_use *use)
{
	t->server_gone = !use->there;
	if (!use->there)
		return;
	if (use->rss > t->rss_peak)
		t->rss_peak = use->rss;
	t->rss_end = use->rss;
}

void gauge_begin(struct gauge *g, struct tally *t)
{
	struct watch_use use;
	g->own_from_ns = g->own_ns = process_own_cpu_ns();
	if (!watch_on(&g->watch))
		return;
	t->server_seen = true;
	watch_look(&g->watch, &use);
	t->server_gone = !use.there;
	g->from_ns = g->server_ns = use.cpu_ns;
	t->rss_start = t->rss_peak = use.rss;
}

void gauge_look(
	struct gauge *g, struct tally *t, uint64_t passed_ns, uint64_t held)
{
	struct watch_use use;
	uint64_t own = process_own_cpu_ns(), from_ns = g->looked_ns;
	series_spread(&t->series, SERIES_TOOL_CPU_NS, from_ns, passed_ns,
		own - g->own_ns);
	series_level(&t->series, from_ns, passed_ns, 0, held);
	g->own_ns = own;
	g->looked_ns = passed_ns;
	/* Without a file that may name its successor, gone is gone. */
	if (!watch_on(&g->watch) || (t->server_gone && !g->watch.file))
		return;
	watch_look(&g->watch, &use);
	note_memory(t, &use);
	t->server_lives = g->watch.lives;
	series_level(&t->series, from_ns, passed_ns, use.rss, held);
	series_spread(&t->series, SERIES_CPU_NS, from_ns, passed_ns,
		use.cpu_ns - g->server_ns);
	g->server_ns = use.cpu_ns;
	double cpu_s = seconds(g->from_ns, use.cpu_ns);
	if (g->part == GAUGE_STORM)
		t->server_cpu_s = cpu_s;
	if (g->part == GAUGE_HOLD)
		t->hold_cpu_s = cpu_s - t->server_cpu_s;
}

double gauge_own_s(const struct gauge *g)
{
	return seconds(g->own_from_ns, process_own_cpu_ns());
}

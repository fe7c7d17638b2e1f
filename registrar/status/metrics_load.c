/* SPDX-License-Identifier: Apache-2.0 */
/* How busy the workers are, and who waits, in numbers. */
#include <stdio.h>

#include "registrar/status/metrics_inside.h"

void metrics_load_state(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	static const enum overload_state all[] = {
#define X(symbol, name, text) OVERLOAD_##symbol,
		OVERLOAD_STATE_LIST(X)
#undef X
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		metrics_label(page, "state", overload_state_name(all[i]));
		metrics_value(page, seen->overload.state == all[i]);
	}
}

void metrics_load_oldest(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	metrics_seconds(page, 1000 * seen->overload.figures.oldest_ms);
}

void metrics_load_waits(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	metrics_histogram(
		page, NULL, NULL, &seen->meters.spans[METERS_WAITING]);
}

void metrics_load_turns(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	metrics_histogram(page, NULL, NULL, &seen->meters.spans[METERS_TURN]);
}

void metrics_load_longest(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	uint64_t now_ms = meters_now_us() / 1000;
	for (size_t i = 0; i < server_workers(seen->server); i++) {
		const struct meters *m = server_worker_meters(seen->server, i);
		char number[21];
		snprintf(number, sizeof(number), "%zu", i);
		metrics_label(page, "worker", number);
		metrics_seconds(page, 1000 * meters_longest_ms(m, now_ms));
	}
}

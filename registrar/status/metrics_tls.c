/* SPDX-License-Identifier: Apache-2.0 */
/* Handshakes and resumption, in numbers. */
#include <stdio.h>
#include <time.h>

#include "registrar/status/metrics_inside.h"

void metrics_tls_by_version(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	static const char *const versions[CONN_TLS_VERSIONS] = {
		"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};
	static const char *const kinds[2] = {"full", "resumed"};
	for (size_t i = 0; i < server_workers(seen->server); i++) {
		struct conn_counters c =
			server_worker_counters(seen->server, i);
		char number[21];
		snprintf(number, sizeof(number), "%zu", i);
		for (size_t k = 0; k < (size_t)CONN_TLS_VERSIONS * 2; k++) {
			metrics_label(page, "version", versions[k / 2]);
			metrics_label(page, "kind", kinds[k % 2]);
			metrics_label(page, "worker", number);
			metrics_value(page, c.by_version[k / 2][k % 2]);
		}
	}
}

void metrics_tls_verdicts(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	const struct resume *r = server_resume(seen->server);
	for (int i = 0; i < RESUME_VERDICTS; i++) {
		metrics_label(page, "verdict",
			resume_verdict_name((enum resume_verdict)i));
		metrics_value(page,
			__atomic_load_n(&r->verdicts[i], __ATOMIC_RELAXED));
	}
}

void metrics_tls_key_age(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	const struct resume *r = server_resume(seen->server);
	if (!r->keys)
		return;
	time_t age = time(NULL) - ticket_keys_view(r->keys).rotated;
	metrics_value(page, age > 0 ? (uint64_t)age : 0);
}

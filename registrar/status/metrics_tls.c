/* SPDX-License-Identifier: Apache-2.0 */
/* Handshakes and resumption, in numbers. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "registrar/status/metrics_inside.h"
#include "registrar/tls/alert.h"

static const char *const versions[CONN_TLS_VERSIONS] = {
	"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};
static const char *const kinds[2] = {"full", "resumed"};

void metrics_tls_by_version(
	struct metrics_page *page, const struct metrics_seen *seen)
{
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

void metrics_tls_ciphers(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	for (size_t i = 0; i <= METERS_CIPHERS; i++) {
		const struct meters_cipher *c = &seen->meters.ciphers[i];
		for (size_t k = 0; c->used && k < METERS_TLS_VERSIONS * 2;
			k++) {
			uint64_t n = c->n[k / 2][k % 2];
			if (n == 0)
				continue; /* most suites have one version */
			metrics_label(page, "cipher", c->name);
			metrics_label(page, "version", versions[k / 2]);
			metrics_label(page, "kind", kinds[k % 2]);
			metrics_value(page, n);
		}
	}
}

static const char *certificate(const struct meters_anchor *a)
{
	return a->kind == CERT_KIND_LSC	  ? "lsc"
	       : a->kind == CERT_KIND_MIC ? "mic"
					  : "none";
}

void metrics_tls_anchors(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	for (size_t i = 0; i <= METERS_ANCHORS; i++) {
		const struct meters_anchor *a = &seen->meters.anchors[i];
		for (size_t k = 0; a->used && k < 2; k++) {
			metrics_label(page, "anchor", a->file);
			metrics_label(page, "certificate", certificate(a));
			metrics_label(page, "kind", kinds[k]);
			metrics_value(page, a->n[k]);
		}
	}
}

/* Those that have a name, from the start on: who looks for the first one needs
 * the zero before it. */
void metrics_tls_alerts(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	static const char *const directions[2] = {"sent", "received"};
	uint64_t others[2] = {0};
	for (size_t i = 0; i < (size_t)METERS_ALERTS * 2; i++) {
		const char *name = alert_text((int)(i / 2));
		uint64_t n = seen->meters.alerts[i / 2][i % 2];
		if (strcmp(name, alert_text(METERS_ALERTS - 1)) == 0) {
			others[i % 2] += n;
			continue;
		}
		metrics_label(page, "direction", directions[i % 2]);
		metrics_label(page, "alert", name);
		metrics_value(page, n);
	}
	for (size_t k = 0; k < 2; k++) {
		metrics_label(page, "direction", directions[k]);
		metrics_label(page, "alert", "other");
		metrics_value(page, others[k]);
	}
}

void metrics_tls_took(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	const struct meters_histogram *h = seen->meters.spans;
	metrics_histogram(page, "kind", kinds[0], &h[METERS_FULL]);
	metrics_histogram(page, "kind", kinds[1], &h[METERS_RESUMED]);
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

/* SPDX-License-Identifier: Apache-2.0 */
/* A connection's TLS: what its handshake found, and how it ended. */
#include "registrar/net/conn_tls.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/memory.h"
#include "registrar/tls/handshake.h"

static void forget_finding(struct conn_tls *t)
{
	if (t->finding)
		profile_finding_deinit(t->finding);
	free(t->finding);
	t->finding = NULL;
}

void conn_tls_start(struct conn_tls *t, const struct conn_host *host,
	struct profile *profile, const uint8_t tag[RESUME_TAG],
	const struct peer *peer, const struct moment *now)
{
	t->profile = profile;
	t->finding = memory_zero(sizeof(*t->finding));
	t->engine = memory_zero(sizeof(*t->engine));
	if (tls_engine_init(t->engine, profile->ctx, true, host->plain,
		    host->world->config->handshake_ms, now) < 0)
		abort(); /* law 2: no memory; connections are capped */
	memcpy(t->finding->record.tag, tag, RESUME_TAG);
	t->finding->record.protocol = peer->protocol;
	profile_watch(t->engine->ssl, t->finding);
}

static void count(const struct conn_tls *t, const struct conn_host *host,
	const struct peer *peer, uint64_t started_us)
{
	struct conn_counters *counters = host->counters;
	int version = SSL_version(t->engine->ssl) - TLS1_VERSION;
	assert(version >= 0 && version < CONN_TLS_VERSIONS);
	conn_counter_add(&counters->handshakes_ok, 1);
	conn_counter_add(&counters->by_version[version][peer->resumed], 1);
	if (peer->resumed)
		conn_counter_add(&counters->resumed, 1);
	meters_secured(
		host->world->meters, &(struct meters_handshake){
					     .version = (unsigned)version,
					     .cipher = peer->cipher,
					     .anchor = peer->anchor,
					     .resumed = peer->resumed,
					     .us = meters_now_us() - started_us,
				     });
}

bool conn_tls_up(struct conn_tls *t, const struct conn_host *host,
	struct peer *peer, uint64_t started_us)
{
	const struct profiles *now = host->in_force(host->self);
	SSL *ssl = t->engine->ssl;
	peer->resumed = profile_conclude(t->profile, ssl, t->finding);
	bool stands = t->profile->capf || now == t->profile->set ||
		      profile_stands(now, t->finding);
	handshake_facts(peer, ssl, t->finding);
	count(t, host, peer, started_us);
	profile_settle(t->profile, ssl);
	forget_finding(t);
	return stands;
}

static void keep_failure(struct conn_tls *t, const struct conn_host *host,
	struct peer *peer, const struct tls_event *e)
{
	struct failure f;
	handshake_facts(peer, t->engine->ssl, t->finding);
	handshake_failure(&f, peer, t->finding, e);
	conn_counter_add(&host->counters->handshakes_failed, 1);
	failures_add(host->world->failures, &f);
}

void conn_tls_failed(struct conn_tls *t, const struct conn_host *host,
	struct peer *peer, const struct tls_event *e)
{
	meters_alerted(host->world->meters, e->alert,
		e->fail == TLS_FAIL_ALERT_RECEIVED);
	if (t->finding)
		keep_failure(t, host, peer, e);
	else
		service_fault(host->world, peer, peer_device(peer),
			tls_fail_name(e->fail),
			*e->error ? e->error : tls_fail_text(e->fail));
}

void conn_tls_deinit(struct conn_tls *t)
{
	if (t->engine)
		tls_engine_deinit(t->engine);
	free(t->engine);
	forget_finding(t);
	profile_unref(t->profile);
	*t = (struct conn_tls){0};
}

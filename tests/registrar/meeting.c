/* SPDX-License-Identifier: Apache-2.0 */
/* A phone's TLS meets a profile, in memory. */
#include "tests/registrar/meeting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void step(struct tls_engine *from, struct tls_engine *to, bool *up,
	struct tls_event *end)
{
	struct tls_event e;
	size_t n;
	const uint8_t *p = tls_engine_out(from, &n);
	if (n) {
		tls_engine_feed(to, p, n);
		tls_engine_sent(from, n);
	}
	while (tls_engine_next(to, &e)) {
		if (e.type == TLS_EVENT_UP)
			*up = true;
		else if (e.type != TLS_EVENT_DATA)
			*end = e;
	}
}

void converse(struct meeting *m)
{
	for (int i = 0; i < 10; i++) {
		step(&m->server, &m->client, &m->client_up, &m->client_end);
		step(&m->client, &m->server, &m->server_up, &m->server_end);
	}
}

SSL_CTX *client_ctx(int version, X509 *cert, EVP_PKEY *key)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, version);
	SSL_CTX_set_max_proto_version(ctx, version);
	if (cert) {
		SSL_CTX_use_certificate(ctx, cert);
		SSL_CTX_use_PrivateKey(ctx, key);
	}
	return ctx;
}

struct meeting *meet(struct profile *profile, const char *listener,
	SSL_CTX *client, SSL_SESSION *session)
{
	struct meeting *m = calloc(1, sizeof(*m));
	assert_int_equal(tls_engine_init(&m->client, client, false,
				 m->client_plain, 1000, &m->now),
		0);
	assert_int_equal(tls_engine_init(&m->server, profile->ctx, true,
				 m->server_plain, 1000, &m->now),
		0);
	m->profile = profile;
	memset(m->finding.record.tag, 0, RESUME_TAG);
	memcpy(m->finding.record.tag, listener, strlen(listener));
	profile_watch(m->server.ssl, &m->finding);
	if (session)
		SSL_set_session(m->client.ssl, session);
	converse(m);
	return m;
}

void part(struct meeting *m)
{
	tls_engine_deinit(&m->client);
	tls_engine_deinit(&m->server);
	profile_finding_deinit(&m->finding);
	free(m);
}

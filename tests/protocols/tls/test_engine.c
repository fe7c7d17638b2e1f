/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the TLS engine, client against server, no socket between. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/x509.h>

#include "protocols/tls/engine.h"

enum { HANDSHAKE_MS = 1000 };

/* Two ends, what they reported, and the clock between them. */
struct pair {
	struct tls_engine client, server;
	SSL_CTX *client_ctx, *server_ctx;
	uint8_t client_plain[TLS_PLAIN_MAX], server_plain[TLS_PLAIN_MAX];
	struct tls_event client_last, server_last; /* FAILED or CLOSED */
	bool client_up, server_up;
	char heard[64]; /* by the server */
	struct moment now;
};

static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *cert = X509_new();
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME *name = X509_get_subject_name(cert);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		(const unsigned char *)"engine", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	assert_int_not_equal(X509_sign(cert, key, EVP_sha256()), 0);
	return cert;
}

static struct pair *pair_new(int version)
{
	struct pair *p = calloc(1, sizeof(*p));
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = make_certificate(key);
	p->now.mono_ms = 5000;
	p->server_ctx = SSL_CTX_new(TLS_server_method());
	p->client_ctx = SSL_CTX_new(TLS_client_method());
	assert_int_equal(SSL_CTX_use_certificate(p->server_ctx, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(p->server_ctx, key), 1);
	SSL_CTX_set_min_proto_version(p->client_ctx, version);
	SSL_CTX_set_max_proto_version(p->client_ctx, version);
	X509_free(cert);
	EVP_PKEY_free(key);
	return p;
}

static void pair_open(struct pair *p)
{
	assert_int_equal(tls_engine_init(&p->client, p->client_ctx, false,
				 p->client_plain, HANDSHAKE_MS, &p->now),
		0);
	assert_int_equal(tls_engine_init(&p->server, p->server_ctx, true,
				 p->server_plain, HANDSHAKE_MS, &p->now),
		0);
}

static void pair_free(struct pair *p)
{
	tls_engine_deinit(&p->client);
	tls_engine_deinit(&p->server);
	SSL_CTX_free(p->client_ctx);
	SSL_CTX_free(p->server_ctx);
	free(p);
}

static void drain_client(struct pair *p)
{
	struct tls_event e;
	while (tls_engine_next(&p->client, &e)) {
		if (e.type == TLS_EVENT_UP)
			p->client_up = true;
		else
			p->client_last = e;
	}
}

static void drain_server(struct pair *p)
{
	struct tls_event e;
	while (tls_engine_next(&p->server, &e)) {
		if (e.type == TLS_EVENT_UP)
			p->server_up = true;
		else if (e.type == TLS_EVENT_DATA)
			strncat(p->heard, (const char *)e.data, e.n);
		else
			p->server_last = e;
	}
}

/* Moves all that waits from one engine to the other, `step` bytes a time. */
static bool move(struct pair *p, struct tls_engine *from, struct tls_engine *to,
	size_t step)
{
	size_t n;
	const uint8_t *out = tls_engine_out(from, &n);
	bool moved = n > 0;
	while (n > 0) {
		size_t piece = n < step ? n : step;
		tls_engine_feed(to, out, piece);
		tls_engine_sent(from, piece);
		if (to == &p->client)
			drain_client(p);
		else
			drain_server(p);
		out = tls_engine_out(from, &n);
	}
	return moved;
}

static void converse(struct pair *p, size_t step)
{
	drain_client(p);
	drain_server(p);
	while (move(p, &p->client, &p->server, step) ||
		move(p, &p->server, &p->client, step))
		;
}

static void same_events_at_any_split(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	static const size_t steps[] = {1, 2, 7, 100, SIZE_MAX};
	for (size_t v = 0; v < 2; v++)
		for (size_t i = 0; i < 5; i++) {
			struct pair *p = pair_new(versions[v]);
			pair_open(p);
			converse(p, steps[i]);
			assert_true(p->client_up && p->server_up);
			assert_int_equal(
				tls_engine_write(&p->client, "hello ", 6), 0);
			assert_int_equal(
				tls_engine_write(&p->client, "there", 5), 0);
			converse(p, steps[i]);
			assert_string_equal(p->heard, "hello there");
			tls_engine_close(&p->client);
			converse(p, steps[i]);
			assert_int_equal(p->server_last.type, TLS_EVENT_CLOSED);
			pair_free(p);
		}
}

static void alert_leaves_after_a_refusal(void **state)
{
	static const struct {
		int version, alert;
	} rows[] = {{TLS1_2_VERSION, SSL_AD_HANDSHAKE_FAILURE},
		{TLS1_3_VERSION, SSL_AD_CERTIFICATE_REQUIRED}};
	for (size_t i = 0; i < 2; i++) {
		struct pair *p = pair_new(rows[i].version);
		SSL_CTX_set_verify(p->server_ctx,
			SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			NULL);
		pair_open(p);
		converse(p, SIZE_MAX);
		assert_int_equal(p->server_last.type, TLS_EVENT_FAILED);
		assert_int_equal(p->server_last.fail, TLS_FAIL_ALERT_SENT);
		assert_int_equal(p->server_last.alert, rows[i].alert);
		assert_int_equal(p->client_last.fail, TLS_FAIL_ALERT_RECEIVED);
		assert_int_equal(p->client_last.alert, rows[i].alert);
		assert_int_equal(tls_engine_write(&p->server, "x", 1), -EPIPE);
		pair_free(p);
	}
}

static void what_is_not_tls_fails(void **state)
{
	struct pair *p = pair_new(TLS1_3_VERSION);
	pair_open(p);
	tls_engine_feed(&p->server, "GET / HTTP/1.0\r\n\r\n", 18);
	drain_server(p);
	assert_int_equal(p->server_last.type, TLS_EVENT_FAILED);
	assert_true(p->server.error[0] != '\0');
	pair_free(p);
}

static void trickled_bytes_do_not_move_the_deadline(void **state)
{
	struct pair *p = pair_new(TLS1_3_VERSION);
	pair_open(p);
	uint64_t due = tls_engine_deadline(&p->server);
	assert_int_equal(due, p->now.mono_ms + HANDSHAKE_MS);
	drain_client(p);
	for (int i = 0; i < 20; i++) {
		size_t n;
		const uint8_t *out = tls_engine_out(&p->client, &n);
		tls_engine_feed(&p->server, out, 1);
		tls_engine_sent(&p->client, 1);
		drain_server(p);
		p->now.mono_ms += 49;
		tls_engine_tick(&p->server, &p->now);
		assert_int_equal(tls_engine_deadline(&p->server), due);
	}
	drain_server(p);
	assert_int_equal(p->server_last.type, 0);
	p->now.mono_ms = due;
	tls_engine_tick(&p->server, &p->now);
	drain_server(p);
	assert_int_equal(p->server_last.type, TLS_EVENT_FAILED);
	assert_int_equal(p->server_last.fail, TLS_FAIL_LATE);
	pair_free(p);
}

static void no_deadline_once_up(void **state)
{
	struct pair *p = pair_new(TLS1_2_VERSION);
	pair_open(p);
	converse(p, SIZE_MAX);
	assert_true(tls_engine_deadline(&p->server) == MOMENT_NEVER);
	pair_free(p);
}

static void unread_answers_are_capped(void **state)
{
	static const char block[TLS_PLAIN_MAX];
	struct pair *p = pair_new(TLS1_3_VERSION);
	int error = 0;
	pair_open(p);
	converse(p, SIZE_MAX);
	for (int i = 0; error == 0 && i < 100; i++)
		error = tls_engine_write(&p->server, block, sizeof(block));
	assert_int_equal(error, -ENOBUFS);
	size_t n;
	tls_engine_out(&p->server, &n);
	assert_true(n <= TLS_OUT_MAX);
	drain_server(p);
	assert_int_equal(p->server_last.fail, TLS_FAIL_NOT_READING);
	pair_free(p);
}

static void every_failure_has_a_name(void **state)
{
#define X(symbol, name, text)                                        \
	assert_string_equal(tls_fail_name(TLS_FAIL_##symbol), name); \
	assert_string_equal(tls_fail_text(TLS_FAIL_##symbol), text);
	TLS_FAIL_LIST(X)
#undef X
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_events_at_any_split),
		cmocka_unit_test(alert_leaves_after_a_refusal),
		cmocka_unit_test(what_is_not_tls_fails),
		cmocka_unit_test(trickled_bytes_do_not_move_the_deadline),
		cmocka_unit_test(no_deadline_once_up),
		cmocka_unit_test(unread_answers_are_capped),
		cmocka_unit_test(every_failure_has_a_name),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("tls engine", tests, NULL, NULL);
}

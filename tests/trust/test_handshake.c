/* SPDX-License-Identifier: Apache-2.0 */
/* Every verdict through real handshakes: what alert a phone reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tests/certs/made.h"
#include "tests/trust/scenes.h"

static struct scenes scenes;
static X509 *server_cert;

static int begin(void **state)
{
	scenes_init(&scenes);
	server_cert = made_ca("server", 0);
	return 0;
}

static int end(void **state)
{
	X509_free(server_cert);
	scenes_deinit(&scenes);
	return 0;
}

/* What a listener of ours does. */
static int verify(X509_STORE_CTX *ctx, void *snapshot)
{
	struct trust_result result;
	trust_verify(snapshot, X509_STORE_CTX_get0_cert(ctx),
		X509_STORE_CTX_get0_untrusted(ctx), MADE_NOW, &result);
	X509_STORE_CTX_set_error(ctx, trust_verdict_x509(result.verdict));
	return result.verdict == TRUST_OK;
}

static SSL_CTX *new_context(const SSL_METHOD *method, int version)
{
	SSL_CTX *ctx = SSL_CTX_new(method);
	/* The strength of certificates is trust_verify's to judge. */
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, version);
	SSL_CTX_set_max_proto_version(ctx, version);
	return ctx;
}

static SSL_CTX *new_server(int version)
{
	SSL_CTX *ctx = new_context(TLS_server_method(), version);
	assert_int_equal(SSL_CTX_use_certificate(ctx, server_cert), 1);
	assert_int_equal(
		SSL_CTX_use_PrivateKey(ctx, made_key("rsa2048", 0)), 1);
	SSL_CTX_set_verify(
		ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify, scenes.snapshot);
	return ctx;
}

static SSL_CTX *new_client(int version, const struct scene *scene)
{
	SSL_CTX *ctx = new_context(TLS_client_method(), version);
	SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
	if (!scene->leaf)
		return ctx;
	assert_int_equal(SSL_CTX_use_certificate(ctx, scene->leaf), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, scene->key), 1);
	for (int i = 0; i < sk_X509_num(scene->untrusted); i++)
		assert_int_equal(SSL_CTX_add1_chain_cert(ctx,
					 sk_X509_value(scene->untrusted, i)),
			1);
	return ctx;
}

static void note_alert(const SSL *ssl, int where, int ret)
{
	if (where & SSL_CB_READ && where & SSL_CB_ALERT)
		*(int *)SSL_get_app_data(ssl) = ret & 0xff;
}

/* Lets both ends talk until neither has more to say. */
static int alert_of(int version, const struct scene *scene, int *established)
{
	SSL_CTX *contexts[2] = {
		new_server(version), new_client(version, scene)};
	SSL *server = SSL_new(contexts[0]), *client = SSL_new(contexts[1]);
	BIO *up = BIO_new(BIO_s_mem()), *down = BIO_new(BIO_s_mem());
	int alert = 0;
	char byte;
	BIO_up_ref(up);
	BIO_up_ref(down);
	SSL_set_bio(server, up, down);
	SSL_set_bio(client, down, up);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	SSL_set_app_data(client, &alert);
	SSL_set_info_callback(client, note_alert);
	for (int i = 0; i < 10; i++) {
		/* In TLS 1.3 the answer to its certificate reaches the client
		 * after its handshake: only a read sees it. */
		SSL_read(client, &byte, 1);
		SSL_read(server, &byte, 1);
	}
	*established = SSL_is_init_finished(server);
	SSL_free(server);
	SSL_free(client);
	SSL_CTX_free(contexts[0]);
	SSL_CTX_free(contexts[1]);
	ERR_clear_error();
	return alert;
}

static void walk(int version)
{
	for (size_t i = 0; i < scenes.n; i++) {
		const struct scene *scene = &scenes.scene[i];
		int established = 0;
		if (scene->no_tls)
			continue;
		int expected = trust_verdict_alert(scene->verdict);
		if (expected == 116 && version < TLS1_3_VERSION)
			expected = 40;
		int alert = alert_of(version, scene, &established);
		if (alert != expected)
			fail_msg("%s: alert %d, not %d", scene->name, alert,
				expected);
		assert_int_equal(established, scene->verdict == TRUST_OK);
	}
}

static void every_verdict_sends_its_alert_in_tls_1_0(void **state)
{
	walk(TLS1_VERSION);
}

static void every_verdict_sends_its_alert_in_tls_1_2(void **state)
{
	walk(TLS1_2_VERSION);
}

static void every_verdict_sends_its_alert_in_tls_1_3(void **state)
{
	walk(TLS1_3_VERSION);
}

static void no_verdict_was_left_out(void **state)
{
	for (int v = 0; v < TRUST_VERDICTS; v++) {
		size_t met = 0;
		for (size_t i = 0; i < scenes.n; i++)
			met += !scenes.scene[i].no_tls &&
			       (int)scenes.scene[i].verdict == v;
		if (!met)
			fail_msg(
				"no handshake meets %s", trust_verdict_name(v));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_verdict_sends_its_alert_in_tls_1_0),
		cmocka_unit_test(every_verdict_sends_its_alert_in_tls_1_2),
		cmocka_unit_test(every_verdict_sends_its_alert_in_tls_1_3),
		cmocka_unit_test(no_verdict_was_left_out),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("handshake", tests, begin, end);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about hellos, those of OpenSSL's own client and broken ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ssl.h>

#include "protocols/tls/hello.h"

enum { HELLO_MAX = 4096, TICKET = 700 };

/* The first flight of a client that offers `session` (or NULL). */
static size_t first_flight(
	int version, SSL_SESSION *session, uint8_t data[HELLO_MAX])
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_min_proto_version(ctx, version);
	SSL_CTX_set_max_proto_version(ctx, version);
	SSL_CTX_set_security_level(ctx, 0);
	SSL *ssl = SSL_new(ctx);
	BIO *out = BIO_new(BIO_s_mem());
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
	SSL_set_connect_state(ssl);
	if (session)
		assert_int_equal(SSL_set_session(ssl, session), 1);
	assert_int_equal(SSL_do_handshake(ssl), -1);
	int n = BIO_read(out, data, HELLO_MAX);
	assert_in_range(n, 40, HELLO_MAX);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return (size_t)n;
}

static SSL_SESSION *session_of(int version, const uint8_t *id, size_t n_id)
{
	SSL_SESSION *s = SSL_SESSION_new();
	uint8_t key[32] = {1};
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	const uint8_t suite12[] = {0xc0, 0x2f}, suite13[] = {0x13, 0x01};
	SSL_SESSION_set_protocol_version(s, version);
	SSL_SESSION_set_cipher(
		s, SSL_CIPHER_find(
			   ssl, version == TLS1_3_VERSION ? suite13 : suite12));
	SSL_SESSION_set1_master_key(s, key, sizeof(key));
	if (n_id)
		SSL_SESSION_set1_id(s, id, (unsigned)n_id);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return s;
}

/* Where element [10] of a session's DER belongs: before [17]. */
static size_t place_of_ticket(const uint8_t *der, size_t at, size_t n)
{
	while (at + 1 < n && der[at] != 0xb1)
		at += 2 + (size_t)der[at + 1]; /* each is short */
	assert_true(at < n);
	return at;
}

/* The same session with a ticket in it; there is no setter for that. */
static SSL_SESSION *with_ticket(SSL_SESSION *s)
{
	uint8_t plain[256], der[2 * TICKET], *to = plain;
	int n = i2d_SSL_SESSION(s, NULL);
	assert_in_range(n, 10, sizeof(plain));
	i2d_SSL_SESSION(s, &to);
	const uint8_t head[] = {0xaa, 0x82, (TICKET + 4) >> 8,
		(TICKET + 4) & 0xff, 0x04, 0x82, TICKET >> 8, TICKET & 0xff};
	size_t first = plain[1] & 0x80 ? 2 + (plain[1] & 0x7f) : 2;
	size_t at = place_of_ticket(plain, first, (size_t)n);
	size_t body = (size_t)n - first + sizeof(head) + TICKET;
	const uint8_t outer[] = {
		0x30, 0x82, (uint8_t)(body >> 8), (uint8_t)body};
	to = der;
	memcpy(to, outer, sizeof(outer));
	memcpy(to += sizeof(outer), plain + first, at - first);
	memcpy(to += at - first, head, sizeof(head));
	memset(to += sizeof(head), 0x77, TICKET);
	memcpy(to + TICKET, plain + at, (size_t)n - at);
	const uint8_t *from = der;
	SSL_SESSION *made = d2i_SSL_SESSION(NULL, &from, (long)body + 4);
	assert_non_null(made);
	assert_true(SSL_SESSION_has_ticket(made));
	SSL_SESSION_free(s);
	return made;
}

static void strangers_offer_nothing_before_tls_1_3(void **state)
{
	const int versions[] = {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION};
	uint8_t data[HELLO_MAX];
	struct tls_hello hello;
	for (size_t i = 0; i < 3; i++) {
		size_t n = first_flight(versions[i], NULL, data);
		assert_true(tls_hello_read(data, n, &hello));
		assert_int_equal(hello.session_id.n, 0);
		assert_int_equal(hello.ticket.n, 0);
		assert_int_equal(hello.psk.n, 0);
	}
}

static void tls_1_3_strangers_show_a_random_session_id(void **state)
{
	uint8_t data[HELLO_MAX];
	struct tls_hello hello;
	size_t n = first_flight(TLS1_3_VERSION, NULL, data);
	assert_true(tls_hello_read(data, n, &hello));
	assert_int_equal(hello.session_id.n, 32);
	assert_int_equal(hello.ticket.n, 0);
	assert_int_equal(hello.psk.n, 0);
}

static void a_session_id_is_found(void **state)
{
	uint8_t data[HELLO_MAX], id[32];
	struct tls_hello hello;
	memset(id, 0x5a, sizeof(id));
	SSL_SESSION *s = session_of(TLS1_2_VERSION, id, sizeof(id));
	size_t n = first_flight(TLS1_2_VERSION, s, data);
	assert_true(tls_hello_read(data, n, &hello));
	assert_int_equal(hello.session_id.n, sizeof(id));
	assert_memory_equal(hello.session_id.p, id, sizeof(id));
	assert_int_equal(hello.ticket.n, 0);
	SSL_SESSION_free(s);
}

static void a_ticket_is_found(void **state)
{
	uint8_t data[HELLO_MAX], id[32] = {9};
	struct tls_hello hello;
	SSL_SESSION *s = with_ticket(session_of(TLS1_2_VERSION, id, 32));
	size_t n = first_flight(TLS1_2_VERSION, s, data);
	assert_true(tls_hello_read(data, n, &hello));
	assert_int_equal(hello.ticket.n, TICKET);
	assert_int_equal(hello.ticket.p[0], 0x77);
	assert_int_equal(hello.ticket.p[TICKET - 1], 0x77);
	assert_int_equal(hello.psk.n, 0);
	SSL_SESSION_free(s);
}

static void a_psk_is_found(void **state)
{
	uint8_t data[HELLO_MAX], id[32] = {9};
	struct tls_hello hello;
	SSL_SESSION *s = with_ticket(session_of(TLS1_3_VERSION, id, 32));
	size_t n = first_flight(TLS1_3_VERSION, s, data);
	assert_true(tls_hello_read(data, n, &hello));
	assert_int_equal(hello.psk.n, TICKET);
	assert_int_equal(hello.psk.p[0], 0x77);
	assert_int_equal(hello.psk.p[TICKET - 1], 0x77);
	assert_int_equal(hello.ticket.n, 0);
	SSL_SESSION_free(s);
}

static void every_cut_is_refused(void **state)
{
	uint8_t data[HELLO_MAX], id[32] = {9};
	struct tls_hello hello;
	SSL_SESSION *s = with_ticket(session_of(TLS1_3_VERSION, id, 32));
	size_t n = first_flight(TLS1_3_VERSION, s, data);
	for (size_t i = 0; i < n; i++) {
		/* Memory of just that size: a step past it is seen. */
		uint8_t *cut = malloc(i ? i : 1);
		memcpy(cut, data, i);
		assert_false(tls_hello_read(cut, i, &hello));
		assert_int_equal(hello.psk.n + hello.session_id.n, 0);
		free(cut);
	}
	SSL_SESSION_free(s);
}

static void lying_lengths_are_refused(void **state)
{
	uint8_t data[HELLO_MAX];
	struct tls_hello hello;
	size_t n = first_flight(TLS1_2_VERSION, NULL, data);
	const size_t lengths[] = {3, 4, 6, 7, 8, 43};
	assert_true(tls_hello_read(data, n, &hello));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		data[lengths[i]] ^= 0x41;
		assert_false(tls_hello_read(data, n, &hello));
		data[lengths[i]] ^= 0x41;
	}
	assert_true(tls_hello_read(data, n, &hello));
}

static void what_is_no_hello_is_refused(void **state)
{
	const char request[] = "REGISTER sip:cucm1 SIP/2.0\r\nVia: SIP/2.0/TLS "
			       "127.0.0.1:50001;branch=z9hG4bK0002\r\n\r\n";
	const uint8_t sslv2[] = {0x80, 0x2e, 0x01, 0x03, 0x01, 0x00, 0x15, 0x00,
		0x00, 0x00, 0x10, 0x00, 0x00, 0x35};
	const uint8_t alert[] = {21, 3, 1, 0, 2, 2, 40};
	struct tls_hello hello;
	assert_false(tls_hello_read(request, sizeof(request) - 1, &hello));
	assert_false(tls_hello_read(sslv2, sizeof(sslv2), &hello));
	assert_false(tls_hello_read(alert, sizeof(alert), &hello));
	assert_false(tls_hello_read(NULL, 0, &hello));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strangers_offer_nothing_before_tls_1_3),
		cmocka_unit_test(tls_1_3_strangers_show_a_random_session_id),
		cmocka_unit_test(a_session_id_is_found),
		cmocka_unit_test(a_ticket_is_found),
		cmocka_unit_test(a_psk_is_found),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(lying_lengths_are_refused),
		cmocka_unit_test(what_is_no_hello_is_refused),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("tls_hello", tests, NULL, NULL);
}

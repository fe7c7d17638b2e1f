/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about what an onlooker reads of handshakes that OpenSSL makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ssl.h>

#include "protocols/tls/seen.h"

enum { WIRE_MAX = 65536, PARTS_MAX = 64, STORY_MAX = 1024 };

/* Who said what, in order. */
struct wire {
	uint8_t bytes[WIRE_MAX];
	size_t n;
	struct {
		enum tls_seen_end from;
		size_t at, n;
	} parts[PARTS_MAX];
	size_t n_parts;
};

static void say(
	struct wire *w, enum tls_seen_end from, const void *data, size_t n)
{
	assert_true(w->n + n <= WIRE_MAX && w->n_parts < PARTS_MAX);
	memcpy(w->bytes + w->n, data, n);
	w->parts[w->n_parts].from = from;
	w->parts[w->n_parts].at = w->n;
	w->parts[w->n_parts++].n = n;
	w->n += n;
}

/* ---- two ends of OpenSSL's ---- */

struct ends {
	SSL_CTX *client_ctx, *server_ctx;
	SSL *client, *server;
	struct wire wire;
};

static X509 *make_certificate(EVP_PKEY *key, const char *cn)
{
	X509 *cert = X509_new();
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME *name = X509_get_subject_name(cert);
	X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(cert, name);
	assert_int_not_equal(X509_sign(cert, key, EVP_sha256()), 0);
	return cert;
}

static SSL_CTX *context(
	const SSL_METHOD *method, const char *cn, int version, const char *list)
{
	SSL_CTX *ctx = SSL_CTX_new(method);
	assert_int_equal(SSL_CTX_set_min_proto_version(ctx, version), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, version), 1);
	assert_int_equal(SSL_CTX_set_cipher_list(ctx, list), 1);
	if (*cn) {
		EVP_PKEY *key = EVP_RSA_gen(2048);
		X509 *cert = make_certificate(key, cn);
		assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
		X509_free(cert);
		EVP_PKEY_free(key);
	}
	return ctx;
}

static int take_anything(int ok, X509_STORE_CTX *ctx)
{
	return 1;
}

static void open_ends(struct ends *e, SSL_SESSION *session)
{
	e->wire.n = e->wire.n_parts = 0;
	e->client = SSL_new(e->client_ctx);
	e->server = SSL_new(e->server_ctx);
	SSL_set_bio(e->client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_bio(e->server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(e->client);
	SSL_set_accept_state(e->server);
	if (session)
		SSL_set_session(e->client, session);
}

static struct ends *make_ends(int version, const char *list, const char *phone)
{
	struct ends *e = calloc(1, sizeof(*e));
	e->client_ctx = context(TLS_client_method(), phone, version, list);
	e->server_ctx = context(TLS_server_method(), "server", version, list);
	SSL_CTX_set_session_id_context(
		e->server_ctx, (const unsigned char *)"s", 1);
	SSL_CTX_set_options(e->server_ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_verify(e->server_ctx, SSL_VERIFY_PEER, take_anything);
	return e;
}

static void close_ends(struct ends *e)
{
	/* Else OpenSSL throws their session away. */
	SSL_set_shutdown(e->server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_set_shutdown(e->client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(e->client);
	SSL_free(e->server);
}

static void free_ends(struct ends *e)
{
	close_ends(e);
	SSL_CTX_free(e->client_ctx);
	SSL_CTX_free(e->server_ctx);
	free(e);
}

static bool carry(struct ends *e, SSL *from, SSL *to, enum tls_seen_end who)
{
	uint8_t data[16384];
	int n = BIO_read(SSL_get_wbio(from), data, sizeof(data));
	if (n <= 0)
		return false;
	say(&e->wire, who, data, (size_t)n);
	BIO_write(SSL_get_rbio(to), data, n);
	return true;
}

/* Until both have nothing more to say; then the phone says `text`. */
static void talk(struct ends *e, const char *text)
{
	char heard[64];
	bool more = true;
	for (int i = 0; more && i < 20; i++) {
		SSL_do_handshake(e->client);
		more = carry(e, e->client, e->server, TLS_SEEN_CLIENT);
		SSL_do_handshake(e->server);
		more = carry(e, e->server, e->client, TLS_SEEN_SERVER) || more;
	}
	if (!text)
		return;
	assert_true(SSL_write(e->client, text, (int)strlen(text)) > 0);
	carry(e, e->client, e->server, TLS_SEEN_CLIENT);
	assert_true(SSL_read(e->server, heard, sizeof(heard)) > 0);
}

/* ---- what is seen ---- */

static void tell(char *story, const struct tls_seen_event *e)
{
	char leaf[64] = "";
	if (e->leaf.n)
		snprintf(leaf, sizeof(leaf), " %zu", e->leaf.n);
	size_t n = strlen(story);
	static const char *const names[] = {"hello", "choice", "certificate",
		"asked", "keys", "alert", "data", "lost"};
	snprintf(story + n, STORY_MAX - n, "%c-%s",
		e->from == TLS_SEEN_CLIENT ? 'c' : 's', names[e->type]);
	n = strlen(story);
	switch ((int)e->type) {
	case TLS_SEEN_CLIENT_HELLO:
		snprintf(story + n, STORY_MAX - n, " %04x %s", e->version,
			e->resumes ? "again" : "new");
		break;
	case TLS_SEEN_SERVER_HELLO:
		snprintf(story + n, STORY_MAX - n, " %04x %04x", e->version,
			e->suite);
		break;
	case TLS_SEEN_CERTIFICATE:
		snprintf(story + n, STORY_MAX - n, " %s",
			e->leaf.n ? "one" : "none");
		break;
	case TLS_SEEN_ALERT:
		snprintf(
			story + n, STORY_MAX - n, " %d %d", e->level, e->alert);
		break;
	case TLS_SEEN_DATA:
		snprintf(story + n, STORY_MAX - n, " %.*s", (int)e->leaf.n,
			e->leaf.n ? (const char *)e->leaf.p : "");
		break;
	case TLS_SEEN_LOST:
		snprintf(story + n, STORY_MAX - n, " %s", e->why);
		break;
	default:
		break;
	}
	n = strlen(story);
	snprintf(story + n, STORY_MAX - n, "; ");
}

/* The wire as events, fed in pieces of at most `piece` bytes. */
static void watch(const struct wire *w, size_t piece, char story[STORY_MAX])
{
	struct tls_seen t;
	struct tls_seen_event e;
	story[0] = '\0';
	tls_seen_init(&t);
	for (size_t i = 0; i < w->n_parts; i++)
		for (size_t at = 0; at < w->parts[i].n; at += piece) {
			size_t left = w->parts[i].n - at;
			tls_seen_feed(&t, w->parts[i].from,
				w->bytes + w->parts[i].at + at,
				left < piece ? left : piece);
			while (tls_seen_next(&t, &e))
				tell(story, &e);
		}
	tls_seen_deinit(&t);
}

static void is_seen(const struct wire *w, const char *wanted)
{
	char story[STORY_MAX];
	watch(w, TLS_SEEN_FEED_MAX, story);
	assert_string_equal(story, wanted);
	watch(w, 1, story);
	assert_string_equal(story, wanted);
	watch(w, 7, story);
	assert_string_equal(story, wanted);
}

static void a_full_handshake_shows_the_phones_certificate(void **state)
{
	static const struct {
		int version;
		const char *wanted;
	} rows[] = {
		{TLS1_VERSION, "c-hello 0301 new; s-choice 0301 0035; "
			       "s-certificate one; s-asked; c-certificate one; "
			       "c-keys; s-keys; c-data ; c-data ; "},
		{TLS1_2_VERSION,
			"c-hello 0303 new; s-choice 0303 0035; "
			"s-certificate one; s-asked; c-certificate one; "
			"c-keys; s-keys; c-data ; "},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ends *e = make_ends(rows[i].version,
			"AES256-SHA:AES128-SHA:@SECLEVEL=0", "phone");
		open_ends(e, NULL);
		talk(e, "REGISTER");
		is_seen(&e->wire, rows[i].wanted);
		free_ends(e);
	}
}

static void a_resumed_one_shows_none(void **state)
{
	struct ends *e =
		make_ends(TLS1_2_VERSION, "AES128-SHA:@SECLEVEL=0", "phone");
	open_ends(e, NULL);
	talk(e, "REGISTER");
	SSL_SESSION *session = SSL_get1_session(e->client);
	close_ends(e);
	open_ends(e, session);
	talk(e, "REGISTER");
	is_seen(&e->wire, "c-hello 0303 again; s-choice 0303 002f; s-keys; "
			  "c-keys; c-data ; ");
	SSL_SESSION_free(session);
	free_ends(e);
}

static void under_a_null_cipher_all_is_read(void **state)
{
	struct ends *e =
		make_ends(TLS1_2_VERSION, "NULL-SHA:@SECLEVEL=0", "phone");
	open_ends(e, NULL);
	talk(e, "REGISTER");
	SSL_shutdown(e->client);
	carry(e, e->client, e->server, TLS_SEEN_CLIENT);
	is_seen(&e->wire, "c-hello 0303 new; s-choice 0303 0002; "
			  "s-certificate one; s-asked; c-certificate one; "
			  "c-keys; s-keys; c-data REGISTER; c-alert 1 0; ");
	free_ends(e);
}

static void a_refusal_shows_its_alert(void **state)
{
	struct ends *e =
		make_ends(TLS1_2_VERSION, "AES128-SHA:@SECLEVEL=0", "phone");
	SSL_CTX_set_verify(e->server_ctx, SSL_VERIFY_PEER, NULL);
	open_ends(e, NULL);
	talk(e, NULL);
	is_seen(&e->wire, "c-hello 0303 new; s-choice 0303 002f; "
			  "s-certificate one; s-asked; c-certificate one; "
			  "c-keys; s-alert 2 48; ");
	free_ends(e);
}

static void an_empty_certificate_is_told_from_none(void **state)
{
	struct ends *e =
		make_ends(TLS1_2_VERSION, "AES128-SHA:@SECLEVEL=0", "");
	SSL_CTX_set_verify(e->server_ctx,
		SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	open_ends(e, NULL);
	talk(e, NULL);
	is_seen(&e->wire, "c-hello 0303 new; s-choice 0303 002f; "
			  "s-certificate one; s-asked; c-certificate none; "
			  "c-keys; s-alert 2 40; ");
	free_ends(e);
}

static void tls13_hides_its_certificates(void **state)
{
	char story[STORY_MAX];
	struct ends *e =
		make_ends(TLS1_3_VERSION, "DEFAULT:@SECLEVEL=0", "phone");
	open_ends(e, NULL);
	talk(e, "REGISTER");
	watch(&e->wire, 1, story);
	assert_non_null(strstr(story, "c-hello 0304 new; s-choice 0304 130"));
	assert_non_null(strstr(story, "c-data ; "));
	assert_null(strstr(story, "certificate"));
	free_ends(e);
}

static void the_hello_of_old_phones_is_read(void **state)
{
	/* RFC 5246 E.2: TLS 1.0, two suites of SSLv2's and two of TLS's. */
	static const uint8_t hello[] = {0x80, 9 + 12 + 16, 1, 3, 1, 0, 12, 0, 0,
		0, 16, 0x01, 0x00, 0x80, 0, 0, 0x35, 0x07, 0x00, 0xc0, 0, 0,
		0x2f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
	struct wire w = {.n = 0};
	struct tls_seen t;
	struct tls_seen_event e;
	say(&w, TLS_SEEN_CLIENT, hello, sizeof(hello));
	is_seen(&w, "c-hello 0301 new; ");
	tls_seen_init(&t);
	tls_seen_feed(&t, TLS_SEEN_CLIENT, hello, sizeof(hello));
	assert_true(tls_seen_next(&t, &e));
	assert_int_equal(e.n_suites, 2);
	assert_int_equal(e.suites[0], 0x35);
	assert_int_equal(e.suites[1], 0x2f);
	tls_seen_deinit(&t);
}

static void what_is_no_tls_is_said_at_once(void **state)
{
	struct wire sip = {.n = 0}, late = {.n = 0}, server = {.n = 0};
	say(&sip, TLS_SEEN_CLIENT, "REGISTER sip:a SIP/2.0\r\n", 24);
	is_seen(&sip, "c-lost this is no TLS; ");
	say(&late, TLS_SEEN_CLIENT, "\x16\x02", 2);
	is_seen(&late, "c-lost this is no TLS; ");
	say(&server, TLS_SEEN_SERVER, "\x80\x2e\x04", 3);
	is_seen(&server, "s-lost this is no TLS; ");
}

static void a_message_above_the_cap_is_not_gathered(void **state)
{
	static const uint8_t head[] = {22, 3, 3, 0, 4, 11, 1, 0, 1};
	struct wire w = {.n = 0};
	say(&w, TLS_SEEN_CLIENT, head, sizeof(head));
	is_seen(&w, "c-lost a handshake message of more than 64 KiB; ");
}

static void after_a_gap_an_end_is_silent(void **state)
{
	static const uint8_t alert[] = {21, 3, 1, 0, 2, 2, 48};
	struct tls_seen t;
	struct tls_seen_event e;
	tls_seen_init(&t);
	tls_seen_gap(&t, TLS_SEEN_CLIENT);
	tls_seen_feed(&t, TLS_SEEN_CLIENT, alert, sizeof(alert));
	assert_false(tls_seen_next(&t, &e));
	tls_seen_feed(&t, TLS_SEEN_SERVER, alert, sizeof(alert));
	assert_true(tls_seen_next(&t, &e));
	assert_int_equal(e.alert, 48);
	tls_seen_deinit(&t);
}

/* Of each suite that this OpenSSL knows and the table has. */
static void suites_have_openssls_names(void **state)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	SSL_CTX_set_cipher_list(ctx, "ALL:COMPLEMENTOFALL:@SECLEVEL=0");
	STACK_OF(SSL_CIPHER) *list = SSL_CTX_get_ciphers(ctx);
	int found = 0;
	for (int i = 0; i < sk_SSL_CIPHER_num(list); i++) {
		const SSL_CIPHER *c = sk_SSL_CIPHER_value(list, i);
		uint16_t number = SSL_CIPHER_get_protocol_id(c);
		const char *name = tls_suite_name(number);
		bool null = SSL_CIPHER_get_cipher_nid(c) == NID_undef;
		if (!name)
			continue;
		assert_string_equal(name, SSL_CIPHER_get_name(c));
		assert_int_equal(null, tls_suite_null_mac(number) > 0);
		found++;
	}
	assert_true(found > 30);
	SSL_CTX_free(ctx);
	assert_string_equal(tls_version_name(0x0301), "TLSv1");
	assert_string_equal(tls_version_name(0x0304), "TLSv1.3");
	assert_string_equal(tls_version_name(0x0305), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_handshake_shows_the_phones_certificate),
		cmocka_unit_test(a_resumed_one_shows_none),
		cmocka_unit_test(under_a_null_cipher_all_is_read),
		cmocka_unit_test(a_refusal_shows_its_alert),
		cmocka_unit_test(an_empty_certificate_is_told_from_none),
		cmocka_unit_test(tls13_hides_its_certificates),
		cmocka_unit_test(the_hello_of_old_phones_is_read),
		cmocka_unit_test(what_is_no_tls_is_said_at_once),
		cmocka_unit_test(a_message_above_the_cap_is_not_gathered),
		cmocka_unit_test(after_a_gap_an_end_is_silent),
		cmocka_unit_test(suites_have_openssls_names),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("seen", tests, NULL, NULL);
}

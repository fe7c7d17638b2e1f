/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the `modern` profile, through real handshakes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "certs/lab.h"
#include "registrar/failures.h"
#include "registrar/tls/handshake.h"
#include "registrar/tls/profile.h"
#include "tests/registrar/meeting.h"

/* One lab for all tests: RSA keys take time. */
static char folder[] = "/tmp/dialtone-profile-XXXXXX";
static struct cert_lab *lab;
static struct config *config;
static struct profile *profile;
static X509 *lsc, *foreign;
static EVP_PKEY *lsc_key, *foreign_key;

static void issue(const char *device, enum cert_lab_leaf leaf, X509 **cert,
	EVP_PKEY **key)
{
	struct diag d;
	struct cert_lab_phone phone = {.device = device,
		.leaf = leaf,
		.key = "p256",
		.now = time(NULL)};
	assert_int_equal(cert_lab_issue(lab, &phone, cert, key, &d), 0);
}

static int set_up(void **state)
{
	struct diag d;
	struct trust_snapshot *trust;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(cert_lab_init(folder, "here", time(NULL), &d), 0);
	assert_int_equal(cert_lab_open(folder, &lab, &d), 0);
	assert_int_equal(config_load(NULL, folder, &config, &d), 0);
	assert_int_equal(trust_snapshot_load(config->trust_folder, 1,
				 &trust_policy_default, &trust, &d),
		0);
	assert_int_equal(profile_modern(config, trust, NULL, &profile, &d), 0);
	trust_snapshot_unref(trust);
	issue("SEP020000000001", CERT_LAB_LEAF_LSC, &lsc, &lsc_key);
	issue("SEP020000000001", CERT_LAB_LEAF_FOREIGN, &foreign, &foreign_key);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];
	X509_free(lsc);
	X509_free(foreign);
	EVP_PKEY_free(lsc_key);
	EVP_PKEY_free(foreign_key);
	profile_unref(profile);
	config_free(config);
	cert_lab_close(lab);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command); /* NOLINT(cert-env33-c): our own folder */
}

static void lets_an_lsc_in_and_says_whose_it_is(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *ctx = client_ctx(versions[i], lsc, lsc_key);
		struct meeting *m = meet(profile, "sip", ctx, NULL);
		struct peer peer = {.tls = true};
		assert_true(m->server_up && m->client_up);
		handshake_facts(&peer, m->server.ssl, &m->finding);
		assert_true(peer.verified);
		assert_int_equal(peer.kind, CERT_KIND_LSC);
		assert_string_equal(peer_device(&peer), "SEP020000000001");
		assert_string_equal(
			peer.tls_version, i ? "TLSv1.3" : "TLSv1.2");
		assert_true(strncmp(peer.anchor, "CAPF-", 5) == 0);
		peer_cert_unref(peer.cert);
		part(m);
		SSL_CTX_free(ctx);
	}
}

static void a_stranger_reads_unknown_ca(void **state)
{
	SSL_CTX *ctx = client_ctx(TLS1_3_VERSION, foreign, foreign_key);
	struct meeting *m = meet(profile, "sip", ctx, NULL);
	struct peer peer = {.tls = true};
	struct failure f;
	assert_int_equal(m->client_end.alert, SSL_AD_UNKNOWN_CA);
	handshake_facts(&peer, m->server.ssl, &m->finding);
	handshake_failure(&f, &peer, &m->finding, &m->server_end);
	assert_false(peer.verified);
	assert_string_equal(f.rule, "unknown-ca");
	assert_string_equal(f.device, "SEP020000000001");
	assert_string_equal(
		f.console, "SSL3 alert [read]:[fatal]:[unknown CA]");
	assert_true(strlen(f.missing_ca) > 0 && strlen(f.cure) > 0);
	peer_cert_unref(peer.cert);
	part(m);
	SSL_CTX_free(ctx);
}

static void no_certificate_has_its_own_words(void **state)
{
	static const struct {
		int version, alert;
	} rows[] = {{TLS1_2_VERSION, SSL_AD_HANDSHAKE_FAILURE},
		{TLS1_3_VERSION, SSL_AD_CERTIFICATE_REQUIRED}};
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *ctx = client_ctx(rows[i].version, NULL, NULL);
		struct meeting *m = meet(profile, "sip", ctx, NULL);
		struct peer peer = {.tls = true};
		struct failure f;
		handshake_facts(&peer, m->server.ssl, &m->finding);
		handshake_failure(&f, &peer, &m->finding, &m->server_end);
		assert_string_equal(f.rule, "no-certificate");
		assert_int_equal(f.alert, rows[i].alert);
		part(m);
		SSL_CTX_free(ctx);
	}
}

static void tls_1_1_is_too_old(void **state)
{
	SSL_CTX *ctx = client_ctx(TLS1_1_VERSION, lsc, lsc_key);
	struct meeting *m = meet(profile, "sip", ctx, NULL);
	struct peer peer = {.tls = true};
	struct failure f;
	assert_int_equal(m->client_end.alert, SSL_AD_PROTOCOL_VERSION);
	handshake_facts(&peer, m->server.ssl, &m->finding);
	handshake_failure(&f, &peer, &m->finding, &m->server_end);
	assert_string_equal(f.rule, "tls-alert-sent");
	assert_non_null(strstr(f.cure, "TLS version"));
	part(m);
	SSL_CTX_free(ctx);
}

static void nothing_is_resumed(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *ctx = client_ctx(versions[i], lsc, lsc_key);
		struct meeting *m = meet(profile, "sip", ctx, NULL);
		SSL_SESSION *session = SSL_get1_session(m->client.ssl);
		part(m);
		m = meet(profile, "sip", ctx, session);
		assert_true(m->server_up);
		assert_int_equal(SSL_session_reused(m->server.ssl), 0);
		assert_non_null(m->finding.record.cert);
		part(m);
		SSL_SESSION_free(session);
		SSL_CTX_free(ctx);
	}
}

static void renegotiation_is_refused(void **state)
{
	SSL_CTX *ctx = client_ctx(TLS1_2_VERSION, lsc, lsc_key);
	struct meeting *m = meet(profile, "sip", ctx, NULL);
	assert_true(m->server_up);
	assert_int_equal(SSL_renegotiate(m->client.ssl), 1);
	SSL_do_handshake(m->client.ssl);
	m->server_up = false;
	converse(m);
	assert_false(m->server_up);
	assert_int_equal(SSL_num_renegotiations(m->server.ssl), 0);
	part(m);
	SSL_CTX_free(ctx);
}

/* The server's certificate as the client saw it: EVP_PKEY_RSA or _EC. */
static int key_shown(const char *suites)
{
	SSL_CTX *ctx = client_ctx(TLS1_2_VERSION, lsc, lsc_key);
	assert_int_equal(SSL_CTX_set_cipher_list(ctx, suites), 1);
	struct meeting *m = meet(profile, "sip", ctx, NULL);
	assert_true(m->server_up);
	X509 *shown = SSL_get0_peer_certificate(m->client.ssl);
	int kind = EVP_PKEY_get_base_id(X509_get0_pubkey(shown));
	part(m);
	SSL_CTX_free(ctx);
	return kind;
}

static void both_server_certificates_are_used(void **state)
{
	assert_int_equal(
		key_shown("ECDHE-RSA-AES128-GCM-SHA256"), EVP_PKEY_RSA);
	assert_int_equal(
		key_shown("ECDHE-ECDSA-AES128-GCM-SHA256"), EVP_PKEY_EC);
	/* SCCP phones: RSA key exchange. */
	assert_int_equal(key_shown("AES256-SHA"), EVP_PKEY_RSA);
	assert_int_equal(key_shown("AES128-SHA"), EVP_PKEY_RSA);
}

static void wrong_key_names_both_files(void **state)
{
	struct config_certificate pair = {
		.certificate = config->certificates[0].certificate,
		.key = config->certificates[1].key,
	};
	struct config wrong = {.certificates = &pair, .n_certificates = 1};
	struct profile *p = NULL;
	struct diag d = {""};
	assert_int_equal(
		profile_modern(&wrong, profile->trust, NULL, &p, &d), -EINVAL);
	assert_non_null(strstr(d.text, "ec.key: this key does not belong"));
	assert_non_null(strstr(d.text, "rsa.pem"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lets_an_lsc_in_and_says_whose_it_is),
		cmocka_unit_test(a_stranger_reads_unknown_ca),
		cmocka_unit_test(no_certificate_has_its_own_words),
		cmocka_unit_test(tls_1_1_is_too_old),
		cmocka_unit_test(nothing_is_resumed),
		cmocka_unit_test(renegotiation_is_refused),
		cmocka_unit_test(both_server_certificates_are_used),
		cmocka_unit_test(wrong_key_names_both_files),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("profile", tests, set_up, tear_down);
}

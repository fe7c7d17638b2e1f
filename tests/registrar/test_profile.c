/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about listener profiles, through real handshakes. */
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
static struct capf_authority *authority;
static struct profiles *set;
static struct profile *profile; /* the modern one */
static X509 *lsc, *foreign, *rsa_lsc;
static EVP_PKEY *lsc_key, *foreign_key, *rsa_lsc_key;

static void issue(
	enum cert_lab_leaf leaf, const char *kind, X509 **cert, EVP_PKEY **key)
{
	struct diag d;
	struct cert_lab_phone phone = {.device = "SEP020000000001",
		.leaf = leaf,
		.key = kind,
		.now = time(NULL)};
	assert_int_equal(cert_lab_issue(lab, &phone, cert, key, &d), 0);
}

static int set_up(void **state)
{
	struct diag d;
	struct trust_snapshot *trust;
	struct own *own;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(cert_lab_init(folder, "here", time(NULL), &d), 0);
	assert_int_equal(cert_lab_open(folder, &lab, &d), 0);
	assert_int_equal(config_load(NULL, folder, &config, &d), 0);
	const struct trust_load load = {
		.dir = config->trust_folder, .generation = 1};
	assert_int_equal(trust_snapshot_load(&load, &trust, &d), 0);
	assert_int_equal(
		capf_authority_open(config, time(NULL), &authority, &d), 0);
	assert_int_equal(own_load(config, authority, &own, &d), 0);
	assert_int_equal(profiles_new(config, trust, own, NULL, &set, &d), 0);
	own_unref(own);
	profile = set->of[0];
	trust_snapshot_unref(trust);
	issue(CERT_LAB_LEAF_LSC, "p256", &lsc, &lsc_key);
	issue(CERT_LAB_LEAF_FOREIGN, "p256", &foreign, &foreign_key);
	issue(CERT_LAB_LEAF_LSC, "rsa2048", &rsa_lsc, &rsa_lsc_key);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];
	X509_free(lsc);
	X509_free(foreign);
	X509_free(rsa_lsc);
	EVP_PKEY_free(lsc_key);
	EVP_PKEY_free(foreign_key);
	EVP_PKEY_free(rsa_lsc_key);
	profiles_unref(set);
	capf_authority_close(authority);
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
		assert_true(strncmp(peer_anchor(&peer), "CAPF-", 5) == 0);
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
	struct cert_identity id;
	cert_identity_read(foreign, &id);
	assert_int_equal(m->client_end.alert, SSL_AD_UNKNOWN_CA);
	handshake_facts(&peer, m->server.ssl, &m->finding);
	handshake_failure(&f, &peer, &m->finding, &m->server_end);
	assert_false(peer.verified);
	assert_string_equal(f.rule, "unknown-ca");
	assert_string_equal(f.device, "SEP020000000001");
	assert_non_null(strchr(f.subject, ','));
	assert_string_equal(f.subject, id.subject);
	assert_string_equal(f.issuer, id.issuer);
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
	struct own *own;
	struct diag d = {.text = ""};
	assert_int_equal(own_load(&wrong, NULL, &own, &d), -EINVAL);
	assert_non_null(strstr(d.text, "ec.key: this key does not belong"));
	assert_non_null(strstr(d.text, "rsa.pem"));
}

/* ---- what listeners offer ---- */

/* A profile that offers that, of a set of its own. */
static struct profile *offering(struct offer_choice choice)
{
	struct config_listener one = {.tls = true, .offer = choice};
	struct config c = *config;
	struct profiles *made = NULL;
	struct diag d = {.text = ""};
	c.listeners = &one;
	c.n_listeners = 1;
	if (profiles_new(&c, set->trust, set->own, NULL, &made, &d) < 0)
		fail_msg("%s", d.text);
	return made->of[0];
}

/* The cipher that a client with these suites gets; NULL and the alert. */
static const char *agreed(
	struct profile *p, int version, const char *list, int *alert)
{
	SSL_CTX *ctx = client_ctx(version, rsa_lsc, rsa_lsc_key);
	if (version < TLS1_3_VERSION)
		assert_int_equal(SSL_CTX_set_cipher_list(ctx, list), 1);
	else
		assert_int_equal(SSL_CTX_set_ciphersuites(ctx, list), 1);
	struct meeting *m = meet(p, "sip", ctx, NULL);
	struct peer peer = {.tls = true};
	handshake_facts(&peer, m->server.ssl, &m->finding);
	const char *cipher = m->server_up ? peer.cipher : NULL;
	*alert = m->client_end.alert;
	peer_cert_unref(peer.cert);
	part(m);
	SSL_CTX_free(ctx);
	return cipher;
}

static const int old_versions[] = {TLS1_VERSION, TLS1_1_VERSION};

static void legacy_speaks_every_version_with_the_ciphers_of_phones(void **state)
{
	static const char *const phones[] = {"AES256-SHA", "AES128-SHA"};
	struct profile *legacy =
		offering((struct offer_choice){.profile = OFFER_LEGACY});
	int alert;
	for (int v = TLS1_VERSION; v <= TLS1_2_VERSION; v++)
		for (size_t i = 0; i < 2; i++)
			assert_string_equal(
				agreed(legacy, v, phones[i], &alert),
				phones[i]);
	assert_string_equal(agreed(legacy, TLS1_2_VERSION,
				    "ECDHE-ECDSA-AES128-GCM-SHA256", &alert),
		"ECDHE-ECDSA-AES128-GCM-SHA256");
	assert_string_equal(agreed(legacy, TLS1_3_VERSION,
				    "TLS_AES_256_GCM_SHA384", &alert),
		"TLS_AES_256_GCM_SHA384");
	for (size_t i = 0; i < 2; i++) {
		assert_null(
			agreed(profile, old_versions[i], "AES256-SHA", &alert));
		assert_int_equal(alert, SSL_AD_PROTOCOL_VERSION);
	}
	profile_unref(legacy);
}

static void null_sha_is_where_a_listener_says_so(void **state)
{
	struct profile *legacy =
		offering((struct offer_choice){.profile = OFFER_LEGACY});
	struct profile *both = offering((struct offer_choice){
		.profile = OFFER_LEGACY, .null_cipher = true});
	struct profile *modern =
		offering((struct offer_choice){.null_cipher = true});
	int alert;
	for (int v = TLS1_VERSION; v <= TLS1_2_VERSION; v++) {
		assert_string_equal(
			agreed(both, v, "NULL-SHA", &alert), "NULL-SHA");
		/* Who can do better does. */
		assert_string_equal(
			agreed(both, v, "NULL-SHA:AES128-SHA", &alert),
			"AES128-SHA");
		assert_null(agreed(legacy, v, "NULL-SHA", &alert));
		assert_int_equal(alert, SSL_AD_HANDSHAKE_FAILURE);
	}
	assert_string_equal(
		agreed(modern, TLS1_2_VERSION, "NULL-SHA", &alert), "NULL-SHA");
	assert_null(agreed(modern, TLS1_1_VERSION, "NULL-SHA", &alert));
	assert_int_equal(alert, SSL_AD_PROTOCOL_VERSION);
	assert_null(agreed(profile, TLS1_2_VERSION, "NULL-SHA", &alert));
	assert_int_equal(alert, SSL_AD_HANDSHAKE_FAILURE);
	assert_null(agreed(both, TLS1_2_VERSION, "NULL-SHA256", &alert));
	profile_unref(legacy);
	profile_unref(both);
	profile_unref(modern);
}

/* NULL-SHA takes OpenSSL's level 0, and nothing else may come in with it. */
static void a_modern_null_listener_takes_no_sha1_signature(void **state)
{
	struct profile *modern =
		offering((struct offer_choice){.null_cipher = true});
	struct profile *legacy =
		offering((struct offer_choice){.profile = OFFER_LEGACY});
	struct profile *const all[] = {profile, modern, legacy};
	for (size_t i = 0; i < 3; i++) {
		SSL_CTX *ctx = client_ctx(TLS1_2_VERSION, rsa_lsc, rsa_lsc_key);
		assert_int_equal(SSL_CTX_set1_sigalgs_list(ctx, "RSA+SHA1"), 1);
		struct meeting *m = meet(all[i], "sip", ctx, NULL);
		assert_int_equal(m->server_up, i == 2);
		part(m);
		SSL_CTX_free(ctx);
	}
	profile_unref(modern);
	profile_unref(legacy);
}

#define R256 "ECDHE-RSA-AES256-GCM-SHA384"
#define E256 "ECDHE-ECDSA-AES256-GCM-SHA384"
#define R128 "ECDHE-RSA-AES128-GCM-SHA256"
#define E128 "ECDHE-ECDSA-AES128-GCM-SHA256"

/* specs cucm-enumerations 2.3, suite by suite. */
static const struct {
	const char *name;
	const char *suites[6];
	int key; /* shown where a suite names none */
} presets[] = {
	{"strongest-rsa", {R256, E256}, EVP_PKEY_RSA},
	{"strongest-ecdsa", {E256, R256}, EVP_PKEY_EC},
	{"medium-rsa", {R256, E256, R128, E128}, EVP_PKEY_RSA},
	{"medium-ecdsa", {E256, R256, E128, R128}, EVP_PKEY_EC},
	{"all-rsa", {R256, E256, R128, E128, "AES128-SHA"}, EVP_PKEY_RSA},
	{"all-ecdsa", {E256, R256, E128, R128, "AES128-SHA"}, EVP_PKEY_EC},
};
enum { PRESETS = sizeof(presets) / sizeof(presets[0]) };

static struct profile *with_preset(size_t i)
{
	return offering((struct offer_choice){
		.preset = (enum offer_preset)(OFFER_STRONGEST_RSA + i)});
}

static void each_preset_offers_its_suites_in_order(void **state)
{
	int alert;
	assert_int_equal(OFFER_PRESETS - 1, PRESETS);
	for (size_t i = 0; i < PRESETS; i++) {
		struct profile *p = with_preset(i);
		char rest[512] = "ALL:!TLSv1.3";
		assert_string_equal(
			offer_preset_name(p->choice.preset), presets[i].name);
		/* It is one of legacy listeners as well. */
		profile_unref(offering((struct offer_choice){
			.profile = OFFER_LEGACY, .preset = p->choice.preset}));
		/* One after another is taken away, the next is chosen. */
		for (size_t k = 0; presets[i].suites[k]; k++) {
			const char *suite = presets[i].suites[k];
			assert_string_equal(
				agreed(p, TLS1_2_VERSION, rest, &alert), suite);
			size_t n = strlen(rest);
			snprintf(rest + n, sizeof(rest) - n, ":!%s", suite);
		}
		assert_null(agreed(p, TLS1_2_VERSION, rest, &alert));
		assert_int_equal(alert, SSL_AD_HANDSHAKE_FAILURE);
		profile_unref(p);
	}
}

static void presets_hold_in_tls_1_3_as_well(void **state)
{
	int alert;
	for (size_t i = 0; i < PRESETS; i++) {
		struct profile *p = with_preset(i);
		assert_string_equal(agreed(p, TLS1_3_VERSION,
					    "TLS_AES_128_GCM_SHA256:"
					    "TLS_AES_256_GCM_SHA384",
					    &alert),
			"TLS_AES_256_GCM_SHA384");
		assert_int_equal(
			agreed(p, TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256",
				&alert) != NULL,
			i >= 2);
		assert_null(agreed(p, TLS1_3_VERSION,
			"TLS_CHACHA20_POLY1305_SHA256", &alert));
		SSL_CTX *ctx = client_ctx(TLS1_3_VERSION, lsc, lsc_key);
		struct meeting *m = meet(p, "sip", ctx, NULL);
		const X509 *shown = SSL_get0_peer_certificate(m->client.ssl);
		assert_int_equal(EVP_PKEY_get_base_id(X509_get0_pubkey(shown)),
			presets[i].key);
		part(m);
		SSL_CTX_free(ctx);
		profile_unref(p);
	}
}

static void listeners_that_offer_the_same_share_a_profile(void **state)
{
	struct config_listener l[] = {{.tls = true}, {.tls = false},
		{.tls = true, .offer = {.profile = OFFER_LEGACY}},
		{.tls = true}};
	struct config c = *config;
	struct profiles *made = NULL;
	struct diag d;
	c.listeners = l;
	c.n_listeners = 4;
	assert_int_equal(
		profiles_new(&c, set->trust, set->own, NULL, &made, &d), 0);
	assert_int_equal(made->n, 2);
	assert_null(made->of[1]);
	assert_ptr_equal(made->of[0], made->of[3]);
	assert_ptr_not_equal(made->of[0], made->of[2]);
	assert_ptr_equal(profile_ref(made->of[2])->set, made);
	profiles_unref(made);
	assert_int_equal(made->refs, 1); /* the one of a connection */
	profile_unref(made->of[2]);
}

static void same_files_are_the_same_certificates(void **state)
{
	struct config_certificate turned[] = {
		config->certificates[1], config->certificates[0]};
	struct config fewer = *config, other = *config;
	const struct config *const all[] = {config, &fewer, &other};
	struct diag d;
	fewer.n_certificates = 1;
	other.certificates = turned;
	for (size_t i = 0; i < 3; i++) {
		struct own *own;
		assert_int_equal(own_load(all[i], authority, &own, &d), 0);
		assert_int_equal(own_is_same(set->own, own), i == 0);
		own_unref(own);
	}
}

static void old_suites_need_an_rsa_certificate(void **state)
{
	static const struct offer_choice choices[] = {
		{.profile = OFFER_LEGACY}, {.null_cipher = true}};
	for (size_t i = 0; i < 2; i++) {
		struct config_listener one = {.tls = true, .offer = choices[i]};
		struct config c = *config;
		struct own *own;
		struct diag d = {.text = ""};
		c.listeners = &one;
		c.n_listeners = 1;
		c.certificates = &config->certificates[1];
		c.n_certificates = 1;
		assert_int_equal(own_load(&c, NULL, &own, &d), -EINVAL);
		assert_non_null(strstr(d.text, "needs an RSA certificate"));
		assert_non_null(strstr(d.text, "tls.certificates"));
	}
}

/* ---- CAPF's listeners ---- */

static struct profile *capf_profile(enum offer_profile offered)
{
	struct config_listener one = {.protocol = CONFIG_CAPF,
		.tls = true,
		.offer = {.profile = offered}};
	struct config c = *config;
	struct profiles *made = NULL;
	struct diag d = {.text = ""};
	c.listeners = &one;
	c.n_listeners = 1;
	if (profiles_new(&c, set->trust, set->own, NULL, &made, &d) < 0)
		fail_msg("%s", d.text);
	return made->of[0];
}

static void capf_shows_its_root_and_asks_for_no_certificate(void **state)
{
	static const int versions[] = {
		TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
	struct profile *p = capf_profile(OFFER_LEGACY);
	for (size_t i = 0; i < 4; i++) {
		SSL_CTX *ctx = client_ctx(versions[i], lsc, lsc_key);
		struct meeting *m = meet(p, "capf", ctx, NULL);
		assert_true(m->server_up && m->client_up);
		X509 *shown = SSL_get_peer_certificate(m->client.ssl);
		assert_int_equal(
			X509_cmp(shown, cert_lab_ca(lab, CERT_LAB_CAPF)), 0);
		/* The client had one, and was not asked. */
		assert_null(SSL_get0_peer_certificate(m->server.ssl));
		assert_false(profile_conclude(p, m->server.ssl, &m->finding));
		X509_free(shown);
		part(m);
		SSL_CTX_free(ctx);
	}
	profile_unref(p);
}

static void modern_capf_refuses_tls_1_0(void **state)
{
	struct profile *p = capf_profile(OFFER_MODERN);
	SSL_CTX *ctx = client_ctx(TLS1_VERSION, NULL, NULL);
	struct meeting *m = meet(p, "capf", ctx, NULL);
	assert_false(m->server_up);
	assert_int_equal(m->client_end.alert, SSL_AD_PROTOCOL_VERSION);
	part(m);
	SSL_CTX_free(ctx);
	profile_unref(p);
}

static void phones_listeners_do_not_share_capfs_profile(void **state)
{
	assert_int_equal(config->listeners[2].protocol, CONFIG_CAPF);
	assert_true(set->of[2]->capf);
	assert_false(set->of[0]->capf);
	assert_ptr_not_equal(set->of[0], set->of[2]);
}

static void another_root_is_another_set_of_certificates(void **state)
{
	struct diag d;
	struct own *before, *after;
	assert_true(own_has_capf(set->own, authority));
	assert_int_equal(own_load(config, authority, &before, &d), 0);
	assert_true(own_is_same(before, set->own));
	assert_int_equal(capf_authority_prepare(authority, time(NULL), &d), 0);
	assert_int_equal(capf_authority_promote(authority, &d), 0);
	/* Phones know the old one as long as there is one. */
	assert_true(own_has_capf(before, authority));
	assert_int_equal(capf_authority_retire(authority, &d), 0);
	assert_false(own_has_capf(before, authority));
	assert_int_equal(own_load(config, authority, &after, &d), 0);
	assert_false(own_is_same(before, after));
	own_unref(before);
	own_unref(after);
}

static void capf_without_a_root_has_no_profile(void **state)
{
	struct diag d = {.text = ""};
	struct own *own;
	struct profiles *none;
	assert_int_equal(own_load(config, NULL, &own, &d), 0);
	assert_true(own_has_capf(own, NULL));
	assert_int_equal(profiles_new(config, set->trust, own, NULL, &none, &d),
		-EINVAL);
	assert_non_null(strstr(d.text, "no root"));
	own_unref(own);
}

static void add_name(char *list, size_t size, const char *name)
{
	size_t n = strlen(list);
	snprintf(list + n, size - n, "%s%s", n ? "|" : "", name);
}

static void names_are_those_of_the_tables(void **state)
{
	char profiles[64] = "", names[256] = "";
#define X(symbol, name, ...) add_name(profiles, sizeof(profiles), name);
	OFFER_PROFILE_LIST(X)
#undef X
#define X(symbol, name, text, rsa, which)     \
	add_name(names, sizeof(names), name); \
	assert_non_null(strstr(text, rsa ? "RSA Preferred" : "ECDSA"));
	OFFER_PRESET_LIST(X)
#undef X
	assert_string_equal(profiles, offer_profiles);
	assert_string_equal(names, offer_presets);
	assert_null(offer_preset_name(OFFER_OWN));
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
		cmocka_unit_test(
			legacy_speaks_every_version_with_the_ciphers_of_phones),
		cmocka_unit_test(null_sha_is_where_a_listener_says_so),
		cmocka_unit_test(
			a_modern_null_listener_takes_no_sha1_signature),
		cmocka_unit_test(each_preset_offers_its_suites_in_order),
		cmocka_unit_test(presets_hold_in_tls_1_3_as_well),
		cmocka_unit_test(listeners_that_offer_the_same_share_a_profile),
		cmocka_unit_test(same_files_are_the_same_certificates),
		cmocka_unit_test(old_suites_need_an_rsa_certificate),
		cmocka_unit_test(names_are_those_of_the_tables),
		cmocka_unit_test(
			capf_shows_its_root_and_asks_for_no_certificate),
		cmocka_unit_test(modern_capf_refuses_tls_1_0),
		cmocka_unit_test(phones_listeners_do_not_share_capfs_profile),
		cmocka_unit_test(capf_without_a_root_has_no_profile),
		cmocka_unit_test(another_root_is_another_set_of_certificates),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("profile", tests, set_up, tear_down);
}

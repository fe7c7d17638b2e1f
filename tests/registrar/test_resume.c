/* SPDX-License-Identifier: Apache-2.0 */
/* No resumption outlives its trust; others keep theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "certs/lab_store.h"
#include "certs/pem.h"
#include "registrar/tls/profile.h"
#include "registrar/tls/resume.h"
#include "tests/certs/made.h"
#include "tests/registrar/meeting.h"
#include "trust/waiver.h"

#define OLD .offer = {.profile = OFFER_LEGACY}
#define SILENT .offer = {.profile = OFFER_LEGACY, .null_cipher = true}
#define MODERN_SILENT .offer = {.null_cipher = true}
#define NULL_SHA .suites = "NULL-SHA"

/* The ways to resume. */
static const struct mode {
	const char *name;
	int version;
	bool tickets;
	uint64_t options;	   /* of the phone */
	const char *suites;	   /* likewise; NULL: what it has */
	struct offer_choice offer; /* of the listener */
} modes[] = {
	{"TLS 1.2 session id", TLS1_2_VERSION, false},
	{"TLS 1.2 ticket", TLS1_2_VERSION, true},
	{"TLS 1.3 PSK, ticket", TLS1_3_VERSION, true},
	{"TLS 1.3 PSK, session id", TLS1_3_VERSION, false},
	/* As phones do that are older than RFC 7627. */
	{"TLS 1.2 session id, old master secret", TLS1_2_VERSION, false,
		SSL_OP_NO_EXTENDED_MASTER_SECRET},
	{"TLS 1.2 ticket, old master secret", TLS1_2_VERSION, true,
		SSL_OP_NO_EXTENDED_MASTER_SECRET},
	{"TLS 1.0 session id", TLS1_VERSION, false, OLD},
	{"TLS 1.0 ticket", TLS1_VERSION, true, OLD},
	{"TLS 1.0 session id, old master secret", TLS1_VERSION, false,
		SSL_OP_NO_EXTENDED_MASTER_SECRET, "AES256-SHA", OLD},
	{"TLS 1.0 ticket, old master secret", TLS1_VERSION, true,
		SSL_OP_NO_EXTENDED_MASTER_SECRET, "AES128-SHA", OLD},
	{"TLS 1.1 session id", TLS1_1_VERSION, false, OLD},
	{"TLS 1.1 ticket", TLS1_1_VERSION, true, OLD},
	{"TLS 1.2 session id on a legacy listener", TLS1_2_VERSION, false, OLD},
	{"TLS 1.3 PSK on a legacy listener", TLS1_3_VERSION, true, OLD},
	{"TLS 1.0 session id, NULL-SHA", TLS1_VERSION, false, NULL_SHA, SILENT},
	{"TLS 1.0 ticket, NULL-SHA", TLS1_VERSION, true, NULL_SHA, SILENT},
	{"TLS 1.1 ticket, NULL-SHA", TLS1_1_VERSION, true, NULL_SHA, SILENT},
	{"TLS 1.2 session id, NULL-SHA", TLS1_2_VERSION, false, NULL_SHA,
		MODERN_SILENT},
	{"TLS 1.2 ticket, NULL-SHA", TLS1_2_VERSION, true, NULL_SHA,
		MODERN_SILENT},
};
enum { MODES = sizeof(modes) / sizeof(modes[0]) };

static char folder[] = "/tmp/dialtone-resume-XXXXXX";
static struct cert_lab *lab;
static struct config *config;
static struct capf_authority *authority;
static struct resume resume;
static time_t ahead; /* of the real clock */
/* An LSC, a MIC, one signed with SHA-1, and an LSC that ended a day ago. */
enum { LSC, MIC, MIC_SHA1, LATE, CREDENTIALS };
static X509 *certs[CREDENTIALS];
static EVP_PKEY *keys[CREDENTIALS];
static struct trust_policy policy; /* that `believing` loads with */

static time_t now(time_t *unused)
{
	return time(NULL) + ahead;
}

static X509 *revoked; /* by its CA, in every store from now on; NULL: none */

static bool sends_its_ca; /* the phone, a MIC's; not its root */

/* The list of a CA that names that certificate. */
static void write_list(const char *path, enum cert_lab_ca ca, X509 *cert)
{
	struct cert_identity id;
	cert_identity_read(cert, &id);
	const char *const serials[] = {id.serial, NULL};
	X509_CRL *crl = made_crl(&(struct made_crl){.ca = lab->cert[ca],
		.key = lab->key[ca],
		.serials = serials,
		.number = 1});
	made_crl_pem(path, "list.crl", crl);
	X509_CRL_free(crl);
}

/* A profile that believes the CAs whose bits are set. */
static struct profile *believing(unsigned cas)
{
	char path[256];
	struct trust_snapshot *trust;
	struct profiles *set;
	struct own *own;
	struct diag d;
	static int n;
	snprintf(path, sizeof(path), "%s/store-%d", folder, n++);
	assert_int_equal(mkdir(path, 0700), 0);
	for (int i = 0; i < CERT_LAB_CAS; i++) {
		char file[300];
		X509 *ca = cert_lab_ca(lab, (enum cert_lab_ca)i);
		snprintf(file, sizeof(file), "%s/%d.pem", path, i);
		if (cas & 1U << i)
			assert_int_equal(cert_pem_write(file, &ca, 1, &d), 0);
	}
	if (revoked)
		write_list(path,
			revoked == certs[LSC]	? CERT_LAB_CAPF
			: revoked == certs[MIC] ? CERT_LAB_MFG_SHA2
						: CERT_LAB_MFG_ROOT,
			revoked);
	const struct trust_load load = {
		.dir = path, .generation = 1, .policy = &policy};
	assert_int_equal(trust_snapshot_load(&load, &trust, &d), 0);
	assert_int_equal(own_load(config, authority, &own, &d), 0);
	assert_int_equal(
		profiles_new(config, trust, own, &resume, &set, &d), 0);
	own_unref(own);
	trust_snapshot_unref(trust);
	return set->of[0];
}

enum {
	BOTH = 1U << CERT_LAB_CAPF | 1U << CERT_LAB_MFG_SHA2,
	ONLY_LSC = 1U << CERT_LAB_CAPF,
	ONLY_MIC = 1U << CERT_LAB_MFG_SHA2,
	ONLY_ROOT = 1U << CERT_LAB_MFG_ROOT,
};

static int set_up(void **state)
{
	struct diag d;
	static const enum cert_lab_leaf leaves[] = {CERT_LAB_LEAF_LSC,
		CERT_LAB_LEAF_MIC, CERT_LAB_LEAF_MIC_SHA1,
		CERT_LAB_LEAF_EXPIRED};
	assert_non_null(mkdtemp(folder));
	char path[256];
	snprintf(path, sizeof(path), "%s/lab", folder);
	assert_int_equal(cert_lab_init(path, "here", time(NULL), &d), 0);
	assert_int_equal(cert_lab_open(path, &lab, &d), 0);
	assert_int_equal(config_load(NULL, path, &config, &d), 0);
	assert_int_equal(
		capf_authority_open(config, time(NULL), &authority, &d), 0);
	resume.config = config;
	resume.now = now;
	for (size_t i = 0; i < CREDENTIALS; i++) {
		struct cert_lab_phone phone = {.device = "SEP020000000001",
			.leaf = leaves[i],
			.key = i == MIC ? "p256" : "rsa2048",
			.now = time(NULL)};
		assert_int_equal(
			cert_lab_issue(lab, &phone, &certs[i], &keys[i], &d),
			0);
	}
	return 0;
}

static int tear_down(void **state)
{
	char command[128];
	for (size_t i = 0; i < CREDENTIALS; i++) {
		X509_free(certs[i]);
		EVP_PKEY_free(keys[i]);
	}
	capf_authority_close(authority);
	config_free(config);
	cert_lab_close(lab);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command); /* NOLINT(cert-env33-c): our own folder */
}

/* A phone's session, made at a profile that believes both CAs. */
struct phone {
	SSL_CTX *ctx;
	SSL_SESSION *session;
};

/* The inventory holds the phone's device, or (profile NULL) nothing. */
static void device_is(const char *profile, bool mic)
{
	struct config_device device = {.name = (char *)"SEP020000000001",
		.profile = (char *)profile,
		.protocol = DEVICE_ANY,
		.mic = mic};
	const struct config with = {
		.devices = &device, .n_devices = profile != NULL};
	inventory_free(resume.inventory);
	resume.inventory = inventory_new(&with);
}

/* The profile of a phone that comes like this. */
static const char *profile_for(const struct mode *mode)
{
	return mode->suites && strcmp(mode->suites, "NULL-SHA") == 0
		       ? "authenticated"
		       : "encrypted";
}

static void before(const struct mode *mode)
{
	struct diag d;
	ahead = 0;
	device_is(profile_for(mode), true);
	revoked = NULL;
	sends_its_ca = false;
	policy = trust_policy_default;
	for (size_t i = 0; i < config->n_listeners; i++)
		config->listeners[i].offer = mode->offer;
	resume.keys = NULL;
	resume.cache = NULL;
	if (mode->tickets)
		assert_int_equal(ticket_keys_open(NULL, &resume.keys, &d), 0);
	else
		assert_int_equal(
			session_cache_open(NULL, 64, &resume.cache, &d), 0);
	memset(resume.verdicts, 0, sizeof(resume.verdicts));
	resume.revoked_ns = 0;
}

static void after(void)
{
	ticket_keys_free(resume.keys);
	session_cache_close(resume.cache);
	inventory_free(resume.inventory);
	resume.inventory = NULL;
}

static SSL_SESSION *keep;
static int on_session(SSL *ssl, SSL_SESSION *session)
{
	SSL_SESSION_free(keep);
	keep = session;
	return 1;
}

static struct phone first_visit(
	struct profile *p, const struct mode *mode, size_t who)
{
	struct phone phone = {
		.ctx = client_ctx(mode->version, certs[who], keys[who])};
	SSL_CTX_set_options(phone.ctx, mode->options);
	if (sends_its_ca)
		SSL_CTX_add1_chain_cert(
			phone.ctx, cert_lab_ca(lab, CERT_LAB_MFG_SHA2));
	if (mode->suites)
		SSL_CTX_set_cipher_list(phone.ctx, mode->suites);
	SSL_CTX_set_session_cache_mode(
		phone.ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(phone.ctx, on_session);
	keep = NULL;
	struct meeting *m = meet(p, "sip", phone.ctx, NULL);
	if (!m->server_up || !keep)
		fail_msg("%s: no session", mode->name);
	phone.session = keep;
	keep = NULL;
	part(m);
	return phone;
}

static void forget(struct phone *phone)
{
	SSL_SESSION_free(phone->session);
	SSL_CTX_free(phone->ctx);
	SSL_SESSION_free(keep);
	keep = NULL;
}

enum outcome { RESUMED, FULL, REFUSED };

static enum outcome comes_back(
	struct profile *p, const char *listener, struct phone *phone)
{
	struct meeting *m = meet(p, listener, phone->ctx, phone->session);
	enum outcome outcome = REFUSED;
	if (m->server_up)
		outcome = profile_conclude(p, m->server.ssl, &m->finding)
				  ? RESUMED
				  : FULL;
	if (outcome == RESUMED) {
		/* What it was protected with is what it is protected with. */
		assert_ptr_equal(SSL_get_current_cipher(m->server.ssl),
			SSL_SESSION_get0_cipher(phone->session));
		assert_int_equal(m->finding.result.verdict, TRUST_OK);
		assert_string_equal(
			m->finding.record.cert->device, "SEP020000000001");
	}
	/* OpenSSL calls on_session for it in TLS 1.3 alone. */
	if (outcome == RESUMED && !keep)
		keep = SSL_get1_session(m->client.ssl);
	if (outcome == REFUSED)
		assert_int_equal(m->client_end.alert,
			revoked ? SSL_AD_CERTIFICATE_REVOKED
				: SSL_AD_UNKNOWN_CA);
	part(m);
	return outcome;
}

/* The session that goes on from the one it resumed. */
static void take_new_session(struct phone *phone)
{
	SSL_SESSION_free(phone->session);
	phone->session = keep;
	keep = NULL;
}

#define FOR_EACH_MODE(mode) \
	for (const struct mode *mode = modes; mode < modes + MODES; mode++)

static void returning_phones_resume_with_their_identity(void **state)
{
	FOR_EACH_MODE(mode)
	{
		before(mode);
		struct profile *p = believing(BOTH);
		for (size_t who = 0; who < 2; who++) {
			struct phone phone = first_visit(p, mode, who);
			assert_int_equal(comes_back(p, "sip", &phone), RESUMED);
			forget(&phone);
		}
		profile_unref(p);
		after();
	}
}

static void a_new_profile_with_the_same_trust_resumes(void **state)
{
	FOR_EACH_MODE(mode)
	{
		before(mode);
		struct profile *p = believing(BOTH), *next = believing(BOTH);
		struct phone phone = first_visit(p, mode, 0);
		profile_unref(p);
		assert_int_equal(comes_back(next, "sip", &phone), RESUMED);
		forget(&phone);
		profile_unref(next);
		after();
	}
}

static void removing_a_ca_ends_its_sessions_and_no_others(void **state)
{
	FOR_EACH_MODE(mode)
	{
		before(mode);
		struct profile *p = believing(BOTH),
			       *next = believing(ONLY_MIC);
		struct phone lsc = first_visit(p, mode, 0);
		struct phone mic = first_visit(p, mode, 1);
		assert_int_equal(comes_back(next, "sip", &lsc), REFUSED);
		assert_int_equal(comes_back(next, "sip", &mic), RESUMED);
		assert_int_equal(resume.verdicts[RESUME_ANCHOR], 1);
		forget(&lsc);
		forget(&mic);
		profile_unref(p);
		profile_unref(next);
		after();
	}
}

/* The regenerated CAPF: another key under the same name. */
static void replacing_a_ca_under_its_name_ends_its_sessions(void **state)
{
	FOR_EACH_MODE(mode)
	{
		before(mode);
		struct profile *p = believing(BOTH);
		struct profile *next = believing(
			1U << CERT_LAB_OTHER_CAPF | 1U << CERT_LAB_MFG_SHA2);
		struct phone lsc = first_visit(p, mode, 0);
		assert_int_equal(comes_back(next, "sip", &lsc), REFUSED);
		forget(&lsc);
		profile_unref(p);
		profile_unref(next);
		after();
	}
}

static void no_session_outlives_a_list_that_names_it(void **state)
{
	FOR_EACH_MODE(mode)
	{
		before(mode);
		struct profile *p = believing(BOTH);
		struct phone lsc = first_visit(p, mode, LSC);
		struct phone mic = first_visit(p, mode, MIC);
		revoked = certs[LSC];
		struct profile *next = believing(BOTH);
		assert_int_equal(comes_back(next, "sip", &mic), RESUMED);
		assert_int_equal(comes_back(next, "sip", &lsc), REFUSED);
		assert_int_equal(resume.verdicts[RESUME_LISTED], 1);
		forget(&lsc);
		forget(&mic);
		profile_unref(p);
		profile_unref(next);
		after();
	}
}

/* The list of an anchor names the CA that the phone sends along. */
static void nor_one_that_names_the_ca_between(void **state)
{
	FOR_EACH_MODE(mode)
	{
		before(mode);
		sends_its_ca = true;
		struct profile *p = believing(ONLY_ROOT);
		struct phone mic = first_visit(p, mode, MIC);
		assert_int_equal(comes_back(p, "sip", &mic), RESUMED);
		take_new_session(&mic);
		revoked = cert_lab_ca(lab, CERT_LAB_MFG_SHA2);
		struct profile *next = believing(ONLY_ROOT);
		assert_int_equal(comes_back(next, "sip", &mic), REFUSED);
		assert_int_equal(resume.verdicts[RESUME_LISTED], 1);
		forget(&mic);
		profile_unref(p);
		profile_unref(next);
		after();
	}
}

static void no_session_outlives_its_certificate(void **state)
{
	FOR_EACH_MODE(mode)
	{
		before(mode);
		struct profile *p = believing(BOTH);
		struct phone phone = first_visit(p, mode, 0);
		ahead = (time_t)40 * 365 * 86400;
		/* A full handshake follows; it is judged by the real clock. */
		assert_int_equal(comes_back(p, "sip", &phone), FULL);
		assert_int_equal(resume.verdicts[RESUME_EXPIRED], 1);
		forget(&phone);
		profile_unref(p);
		after();
	}
}

static void sessions_stay_at_their_listener(void **state)
{
	FOR_EACH_MODE(mode)
	{
		before(mode);
		struct profile *p = believing(BOTH);
		struct phone phone = first_visit(p, mode, 0);
		assert_int_equal(comes_back(p, "sccp", &phone), FULL);
		forget(&phone);
		profile_unref(p);
		after();
	}
}

static void a_device_that_lost_its_mic_does_not_resume(void **state)
{
	FOR_EACH_MODE(mode)
	{
		before(mode);
		struct profile *p = believing(BOTH);
		struct phone mic = first_visit(p, mode, 1);
		struct phone lsc = first_visit(p, mode, 0);
		device_is(profile_for(mode), false);
		assert_int_equal(comes_back(p, "sip", &mic), FULL);
		assert_int_equal(comes_back(p, "sip", &lsc), RESUMED);
		assert_int_equal(resume.verdicts[RESUME_DEVICE], 1);
		forget(&mic);
		forget(&lsc);
		profile_unref(p);
		after();
	}
}

/* What admission would refuse is not resumed either: not by an LSC, not by a
 * MIC. What it would not is. */
static void a_device_that_is_gone_or_changed_does_not_resume(void **state)
{
	FOR_EACH_MODE(mode)
	{
		before(mode);
		const char *own = profile_for(mode);
		const char *other = strcmp(own, "encrypted") == 0
					    ? "authenticated"
					    : "encrypted";
		const char *const changes[] = {
			NULL, "non-secure", other, "no such profile"};
		struct profile *p = believing(BOTH);
		for (size_t who = LSC; who <= MIC; who++) {
			struct phone phone = first_visit(p, mode, who);
			for (size_t i = 0; i < 4; i++) {
				struct phone twin = first_visit(p, mode, who);
				device_is(changes[i], true);
				assert_int_equal(
					comes_back(p, "sip", &twin), FULL);
				device_is(own, true);
				forget(&twin);
			}
			assert_int_equal(comes_back(p, "sip", &phone), RESUMED);
			forget(&phone);
		}
		assert_int_equal(resume.verdicts[RESUME_DEVICE], 8);
		profile_unref(p);
		after();
	}
}

/* registration.unknown "lsc": it needs no entry. */
static void an_lsc_that_needs_no_entry_resumes_without_one(void **state)
{
	config->unknown_devices = CONFIG_UNKNOWN_LSC;
	for (size_t i = 0; i < 4; i++) {
		before(&modes[i]);
		device_is(NULL, false);
		struct profile *p = believing(BOTH);
		struct phone lsc = first_visit(p, &modes[i], LSC);
		struct phone mic = first_visit(p, &modes[i], MIC);
		assert_int_equal(comes_back(p, "sip", &lsc), RESUMED);
		assert_int_equal(comes_back(p, "sip", &mic), FULL);
		forget(&lsc);
		forget(&mic);
		profile_unref(p);
		after();
	}
	config->unknown_devices = CONFIG_UNKNOWN_REFUSE;
}

static const struct mode *mode_named(const char *name)
{
	FOR_EACH_MODE(mode)
	if (strcmp(mode->name, name) == 0)
		return mode;
	fail_msg("no mode %s", name);
	return NULL;
}

/* A device whose mode was changed comes with the other ciphers, and the
 * session it still has. */
static void a_session_never_changes_its_cipher(void **state)
{
	static const char *const ways[] = {"TLS 1.0 session id, NULL-SHA",
		"TLS 1.0 ticket, NULL-SHA", "TLS 1.2 session id, NULL-SHA",
		"TLS 1.2 ticket, NULL-SHA"};
	static const char *const was[] = {"NULL-SHA", "AES128-SHA"};
	for (size_t i = 0; i < 8; i++) {
		struct mode mode = *mode_named(ways[i / 2]);
		mode.suites = was[i % 2];
		before(&mode);
		struct profile *p = believing(BOTH);
		struct phone phone = first_visit(p, &mode, LSC);
		/* Both are offered: the session's own goes on. */
		SSL_CTX_set_cipher_list(phone.ctx, "AES128-SHA:NULL-SHA");
		assert_int_equal(comes_back(p, "sip", &phone), RESUMED);
		SSL_CTX_set_cipher_list(phone.ctx, was[1 - i % 2]);
		assert_int_equal(comes_back(p, "sip", &phone), FULL);
		assert_int_equal(resume.verdicts[RESUME_CIPHER], 1);
		forget(&phone);
		profile_unref(p);
		after();
	}
}

static const struct trust_anchor_policy excused[] = {
	{"5.pem", CERT_KIND_UNKNOWN, TRUST_WAIVER_SHA1}};

/* What one anchor was allowed, or less was asked of all. */
static void no_session_outlives_what_excused_it(void **state)
{
	FOR_EACH_MODE(mode)
	{
		const unsigned cas = 1U << CERT_LAB_MFG_SHA1 | ONLY_LSC;
		before(mode);
		policy.anchors = excused;
		policy.n_anchors = 1;
		struct profile *p = believing(cas);
		policy.n_anchors = 0;
		struct profile *next = believing(cas);
		struct phone mic = first_visit(p, mode, MIC_SHA1);
		struct phone lsc = first_visit(p, mode, LSC);
		assert_int_equal(comes_back(p, "sip", &mic), RESUMED);
		take_new_session(&mic);
		assert_int_equal(comes_back(next, "sip", &lsc), RESUMED);
		take_new_session(&lsc);
		struct meeting *m = meet(next, "sip", mic.ctx, mic.session);
		assert_false(m->server_up);
		assert_int_equal(m->client_end.alert, SSL_AD_BAD_CERTIFICATE);
		assert_int_equal(resume.verdicts[RESUME_STRENGTH], 1);
		part(m);
		policy.auth_level = 3; /* RSA-2048 is not enough */
		struct profile *strict = believing(cas);
		m = meet(strict, "sip", lsc.ctx, lsc.session);
		assert_false(m->server_up);
		assert_int_equal(resume.verdicts[RESUME_STRENGTH] +
					 resume.verdicts[RESUME_ANCHOR],
			2);
		part(m);
		forget(&mic);
		forget(&lsc);
		profile_unref(p);
		profile_unref(next);
		profile_unref(strict);
		after();
	}
}

/* Of an LSC that has ended, within its anchor's grace. */
static void a_session_lasts_as_long_as_its_anchors_grace(void **state)
{
	const struct trust_anchor_policy late = {
		.name = "0.pem", .grace_s = 5 * 86400};
	FOR_EACH_MODE(mode)
	{
		before(mode);
		policy.anchors = &late;
		policy.n_anchors = 1;
		struct profile *p = believing(ONLY_LSC);
		policy.n_anchors = 0;
		struct profile *strict = believing(ONLY_LSC);
		struct phone phone = first_visit(p, mode, LATE);
		if (mode->tickets)
			assert_true(SSL_SESSION_get_ticket_lifetime_hint(
					    phone.session) > 60);
		ahead = 3 * 86400;
		assert_int_equal(comes_back(p, "sip", &phone), RESUMED);
		take_new_session(&phone);
		ahead = 4 * 86400 + 60;
		assert_int_equal(comes_back(p, "sip", &phone), FULL);
		ahead = 0;
		take_new_session(&phone);
		struct meeting *m =
			meet(strict, "sip", phone.ctx, phone.session);
		assert_false(m->server_up);
		assert_int_equal(
			m->client_end.alert, SSL_AD_CERTIFICATE_EXPIRED);
		part(m);
		assert_int_equal(resume.verdicts[RESUME_EXPIRED], 2);
		forget(&phone);
		profile_unref(p);
		profile_unref(strict);
		after();
	}
}

/* A clock that was ahead when it was made was put right. */
static void a_session_of_the_future_is_not_resumed(void **state)
{
	FOR_EACH_MODE(mode)
	{
		before(mode);
		struct profile *p = believing(ONLY_LSC);
		struct phone phone = first_visit(p, mode, LSC);
		ahead = -RESUME_LIFETIME_S + 60;
		assert_int_equal(comes_back(p, "sip", &phone), RESUMED);
		take_new_session(&phone);
		ahead = -RESUME_LIFETIME_S - 60;
		assert_int_equal(comes_back(p, "sip", &phone), FULL);
		assert_int_equal(resume.verdicts[RESUME_FUTURE], 1);
		ahead = 0;
		forget(&phone);
		profile_unref(p);
		after();
	}
}

static void a_session_ends_when_its_anchor_is_for_enrolment_alone(void **state)
{
	const struct trust_anchor_policy row = {
		.name = "0.pem", .enrol_only = true};
	FOR_EACH_MODE(mode)
	{
		before(mode);
		struct profile *p = believing(ONLY_LSC);
		policy.anchors = &row;
		policy.n_anchors = 1;
		struct profile *next = believing(ONLY_LSC);
		struct phone phone = first_visit(p, mode, LSC);
		struct meeting *m = meet(next, "sip", phone.ctx, phone.session);
		assert_false(m->server_up);
		assert_int_equal(
			m->client_end.alert, SSL_AD_UNSUPPORTED_CERTIFICATE);
		assert_int_equal(resume.verdicts[RESUME_ANCHOR], 1);
		part(m);
		forget(&phone);
		profile_unref(p);
		profile_unref(next);
		after();
	}
}

/* The tag is of what a listener offers, too. */
static void a_listener_that_offers_other_things_is_another(void **state)
{
	static char any[] = "::", one[] = "::1";
	struct config_listener l[] = {
		{.address = any, .tls = true, .port = 5061},
		{.address = any, .tls = true, .port = 5062},
		{.address = one, .tls = true, .port = 5061},
		{CONFIG_SIP, .address = any, .tls = true, .port = 5061},
		{.address = any, .tls = true, .port = 5061, OLD},
		{.address = any, .tls = true, .port = 5061, SILENT},
		{.address = any, .tls = true, .port = 5061, MODERN_SILENT},
		{.address = any,
			.tls = true,
			.port = 5061,
			.offer = {.preset = OFFER_ALL_RSA}},
	};
	enum { LISTENERS = sizeof(l) / sizeof(l[0]) };
	uint8_t tags[LISTENERS][RESUME_TAG], again[RESUME_TAG];
	for (size_t i = 0; i < LISTENERS; i++) {
		profile_tag(&l[i], tags[i]);
		profile_tag(&l[i], again);
		assert_memory_equal(tags[i], again, RESUME_TAG);
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(tags[i], tags[k], RESUME_TAG);
	}
}

static void revoking_all_keys_ends_every_session(void **state)
{
	FOR_EACH_MODE(mode)
	{
		struct diag d;
		before(mode);
		struct profile *p = believing(BOTH);
		struct phone phone = first_visit(p, mode, 0);
		if (mode->tickets)
			assert_int_equal(
				ticket_keys_revoke_all(resume.keys, &d), 0);
		else
			session_cache_clear(resume.cache);
		assert_int_equal(comes_back(p, "sip", &phone), FULL);
		forget(&phone);
		profile_unref(p);
		after();
	}
}

/* An admin revokes while a phone resumes: just after its session was good. */
static time_t now_and_revoked(time_t *unused)
{
	resume_revoke(&resume);
	return time(NULL);
}

static void who_resumes_while_all_is_revoked_does_so_once(void **state)
{
	FOR_EACH_MODE(mode)
	{
		struct diag d;
		before(mode);
		struct profile *p = believing(BOTH);
		struct phone phone = first_visit(p, mode, 0);
		if (mode->tickets) /* an old key's ticket is renewed */
			assert_int_equal(
				ticket_keys_rotate(resume.keys, &d), 0);
		resume.now = now_and_revoked;
		assert_int_equal(comes_back(p, "sip", &phone), RESUMED);
		resume.now = now;
		take_new_session(&phone);
		assert_int_equal(comes_back(p, "sip", &phone), FULL);
		assert_int_equal(resume.verdicts[RESUME_REVOKED], 1);
		forget(&phone);
		phone = first_visit(p, mode, 0);
		assert_int_equal(comes_back(p, "sip", &phone), RESUMED);
		forget(&phone);
		profile_unref(p);
		after();
	}
}

static void a_rotation_keeps_them(void **state)
{
	struct diag d;
	before(&modes[1]);
	struct profile *p = believing(BOTH);
	struct phone phone = first_visit(p, &modes[1], 0);
	ticket_keys_rotate(resume.keys, &d);
	assert_int_equal(comes_back(p, "sip", &phone), RESUMED);
	ticket_keys_rotate(resume.keys, &d);
	assert_int_equal(comes_back(p, "sip", &phone), FULL);
	forget(&phone);
	profile_unref(p);
	after();
}

static void a_stranger_gets_no_session(void **state)
{
	FOR_EACH_MODE(mode)
	{
		before(mode);
		struct profile *p = believing(ONLY_MIC);
		SSL_CTX *ctx = client_ctx(mode->version, certs[0], keys[0]);
		struct meeting *m = meet(p, "sip", ctx, NULL);
		assert_false(m->server_up);
		part(m);
		SSL_CTX_free(ctx);
		if (resume.cache)
			assert_int_equal(
				session_cache_count(resume.cache, time(NULL)),
				0);
		profile_unref(p);
		after();
	}
}

/* What makes resumption cheap: no certificate in what is kept. */
static void what_is_kept_holds_no_certificate(void **state)
{
	before(&modes[1]);
	struct profile *p = believing(BOTH);
	struct phone phone = first_visit(p, &modes[1], 0);
	const unsigned char *ticket;
	size_t n;
	SSL_SESSION_get0_ticket(phone.session, &ticket, &n);
	assert_in_range(n, 200, 800);
	forget(&phone);
	profile_unref(p);
	after();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(returning_phones_resume_with_their_identity),
		cmocka_unit_test(a_new_profile_with_the_same_trust_resumes),
		cmocka_unit_test(removing_a_ca_ends_its_sessions_and_no_others),
		cmocka_unit_test(
			replacing_a_ca_under_its_name_ends_its_sessions),
		cmocka_unit_test(no_session_outlives_a_list_that_names_it),
		cmocka_unit_test(nor_one_that_names_the_ca_between),
		cmocka_unit_test(no_session_outlives_its_certificate),
		cmocka_unit_test(sessions_stay_at_their_listener),
		cmocka_unit_test(a_device_that_lost_its_mic_does_not_resume),
		cmocka_unit_test(
			a_device_that_is_gone_or_changed_does_not_resume),
		cmocka_unit_test(
			an_lsc_that_needs_no_entry_resumes_without_one),
		cmocka_unit_test(a_session_never_changes_its_cipher),
		cmocka_unit_test(no_session_outlives_what_excused_it),
		cmocka_unit_test(a_session_lasts_as_long_as_its_anchors_grace),
		cmocka_unit_test(a_session_of_the_future_is_not_resumed),
		cmocka_unit_test(
			a_session_ends_when_its_anchor_is_for_enrolment_alone),
		cmocka_unit_test(
			a_listener_that_offers_other_things_is_another),
		cmocka_unit_test(revoking_all_keys_ends_every_session),
		cmocka_unit_test(who_resumes_while_all_is_revoked_does_so_once),
		cmocka_unit_test(a_rotation_keeps_them),
		cmocka_unit_test(a_stranger_gets_no_session),
		cmocka_unit_test(what_is_kept_holds_no_certificate),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("resume", tests, set_up, tear_down);
}

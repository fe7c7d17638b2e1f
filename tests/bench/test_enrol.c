/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about one visit to CAPF, against the server engine on one loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/enrol.h"
#include "bench/tls_client.h"
#include "certs/pem.h"
#include "protocols/sip/message.h"
#include "tests/bench/lab_dir.h"
#include "tests/bench/little.h"
#include "tests/bench/little_capf.h"

enum { PATIENCE_MS = 20000, SHORT_MS = 60, STEPS_MAX = 32 };

static const char device[] = "SEP0000000000F0";

/* One scene: a little CAPF and a phone that comes to it. */
struct scene {
	uv_loop_t loop;
	struct little_capf capf;
	struct enrol_setup setup;
	struct enrol_phone phone;
	struct flash flash;
	struct console console;
	struct credential_source credentials;
	struct keys *keys;
	uint8_t plain[TLS_PLAIN_MAX];
	char received[HANDSET_READ_MAX];
	struct enrol_result result;
	enum enrol_step steps[STEPS_MAX];
	size_t n_steps;
	unsigned visits;
	char *said;
	size_t said_n;
};

static struct scene scene;

static void on_step(struct enrol *e, enum enrol_step step, uint64_t ns)
{
	assert_true(scene.n_steps < STEPS_MAX);
	scene.steps[scene.n_steps++] = step;
}

static void on_closed(struct enrol *e)
{
	scene.result = e->result;
	scene.visits++;
	enrol_free(e);
}

static void open_client(const char *pinned, int version)
{
	struct diag d = {.text = ""};
	const struct tls_client_config tls = {
		.min = version, .max = version, .ca = pinned};
	SSL_CTX_free(scene.setup.ctx);
	if (tls_client_new(&tls, &scene.setup.ctx, &d) < 0)
		fail_msg("%s", d.text);
}

static int set(void **state)
{
	struct scene *s = &scene;
	struct diag d = {.text = ""};
	const struct credential_source_config lab = {
		.lab = lab_dir(), .leaf = -1, .way = CREDENTIAL_ISSUE_ALL};
	memset(s, 0, sizeof(*s));
	uv_loop_init(&s->loop);
	little_capf_open(&s->capf, &s->loop);
	s->keys = keys_new(&s->loop, 0);
	s->console.user = "SIP";
	s->console.to = open_memstream(&s->said, &s->said_n);
	s->setup = (struct enrol_setup){
		.loop = &s->loop,
		.target = &s->capf.target,
		.keys = s->keys,
		.version = 3,
		.progress = ENROL_PROGRESS_ONE,
		.connect_ms = PATIENCE_MS,
		.fault = ENROL_FAULTS,
		.plain = s->plain,
		.received = s->received,
		.on_step = on_step,
		.on_closed = on_closed,
	};
	open_client(NULL, TLS1_2_VERSION);
	s->phone = (struct enrol_phone){.device = device,
		.flash = &s->flash,
		.die_after = ENROL_STEPS,
		.console = &s->console};
	flash_open(&s->flash, NULL, &d);
	s->flash.mode = FLASH_MODE_NULL_STRING;
	return credential_source_open(&s->credentials, &lab, &d);
}

static int clear(void **state)
{
	struct scene *s = &scene;
	flash_close(&s->flash);
	little_capf_close(&s->capf);
	keys_free(s->keys);
	int error = uv_loop_close(&s->loop);
	credential_source_close(&s->credentials);
	SSL_CTX_free(s->setup.ctx);
	fclose(s->console.to);
	free(s->said);
	return error;
}

static void has(enum cert_lab_leaf leaf)
{
	struct credential c;
	struct diag d = {.text = ""};
	if (credential_issue(&scene.credentials, device, leaf, &c, &d) < 0 ||
		flash_fill(&scene.flash, &c, &d) < 0)
		fail_msg("%s", d.text);
}

static enum enrol_outcome come(void)
{
	scene.n_steps = 0;
	enrol_new(&scene.setup, &scene.phone);
	uv_run(&scene.loop, UV_RUN_DEFAULT);
	return scene.result.outcome;
}

static void says(const char *text)
{
	fflush(scene.console.to);
	if (!strstr(scene.said, text))
		fail_msg("no '%s' in:\n%s", text, scene.said);
}

/* The flash has an LSC, of the device and of this key. */
static void installed(const struct capf_key_wish *wish)
{
	const struct flash *f = &scene.flash;
	assert_non_null(f->lsc.cert);
	assert_int_equal(X509_check_private_key(f->lsc.cert, f->lsc.key), 1);
	assert_true(keys_fits(f->lsc.key, wish));
	assert_null(f->pending);
	assert_true(scene.result.delivered);
	assert_int_equal(scene.capf.stored, 1);
}

static void installs(enum capf_key_type type, unsigned bits)
{
	scene.capf.wish = (struct capf_key_wish){type, bits};
	assert_int_equal(come(), ENROL_BY_SUCCESS);
	installed(&scene.capf.wish);
	assert_int_equal(scene.result.reason, CAPF_REASON_SUCCESS);
	assert_int_equal(scene.capf.progress, 1);
}

static void installs_rsa_by_null_string(void **state)
{
	installs(CAPF_KEY_RSA, 2048);
	assert_string_equal(scene.capf.device, device);
	assert_string_equal(scene.capf.password, "-");
	says("-CAPF_KEYGEN: [CAPF], RSA key of 2048 bits\n");
	says("-CAPF_LSC: [CAPF], LSC installed, serial number ");
	says("NOT ");
	says("-CAPF_OK: [CAPF], <127.0.0.1:");
}

static void installs_ec_by_null_string(void **state)
{
	static const unsigned bits[] = {256, 384, 521};
	for (size_t i = 0; i < 3; i++) {
		scene.capf.stored = scene.capf.progress = 0;
		installs(CAPF_KEY_EC, bits[i]);
	}
}

static void steps_are_those_of_an_install(void **state)
{
	static const enum enrol_step wanted[] = {ENROL_CONNECT, ENROL_TLS,
		ENROL_AUTH_REQUEST, ENROL_AUTH_RESPONSE, ENROL_KEY_REQUEST,
		ENROL_IN_PROGRESS, ENROL_KEY_MADE, ENROL_KEY_RESPONSE,
		ENROL_STORE_REQUEST, ENROL_STORED, ENROL_STORE_RESPONSE,
		ENROL_END_SESSION};
	enum { N = sizeof(wanted) / sizeof(*wanted) };
	assert_int_equal(come(), ENROL_BY_SUCCESS);
	assert_int_equal(scene.n_steps, N);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(scene.steps[i], wanted[i]);
}

static void comes_by_string(void **state)
{
	scene.flash.mode = FLASH_MODE_STRING;
	scene.setup.string = "123456";
	installs(CAPF_KEY_RSA, 1024);
	assert_string_equal(scene.capf.password, "123456");
}

static void by_certificate(enum enrol_like like, bool sudi)
{
	scene.setup.like = like;
	installs(CAPF_KEY_RSA, 1024);
	if (scene.capf.proof != CERT_PROOF_OK)
		fail_msg("%s", cert_proof_text(scene.capf.proof));
	assert_int_equal(scene.capf.sudi, sudi);
	assert_string_equal(scene.capf.password, "-");
}

static void proves_its_mic(void **state)
{
	has(CERT_LAB_LEAF_MIC);
	scene.flash.mode = FLASH_MODE_MIC;
	by_certificate(ENROL_LIKE_CISCO, false);
	assert_int_equal(scene.capf.cert_type, CAPF_CERT_MIC);
}

static void proves_its_mic_with_sudi_like_usecallmanager(void **state)
{
	has(CERT_LAB_LEAF_MIC);
	scene.flash.mode = FLASH_MODE_MIC;
	by_certificate(ENROL_LIKE_USECALLMANAGER, true);
}

static void proves_an_ec_lsc(void **state)
{
	scene.capf.wish = (struct capf_key_wish){CAPF_KEY_EC, 384};
	assert_int_equal(come(), ENROL_BY_SUCCESS);
	scene.capf.stored = scene.capf.progress = 0;
	scene.flash.mode = FLASH_MODE_LSC;
	/* An EC key makes no SUDI data. */
	by_certificate(ENROL_LIKE_USECALLMANAGER, false);
	assert_int_equal(scene.capf.cert_type, CAPF_CERT_LSC);
}

static void precedence_falls_to_what_there_is(void **state)
{
	static const struct {
		enum flash_mode mode;
		bool lsc, mic;
		unsigned shown;
	} cases[] = {
		{FLASH_MODE_LSC, true, true, CAPF_CERT_LSC},
		{FLASH_MODE_LSC, false, true, CAPF_CERT_MIC},
		{FLASH_MODE_MIC, true, true, CAPF_CERT_MIC},
		{FLASH_MODE_MIC, true, false, CAPF_CERT_LSC},
		{FLASH_MODE_MIC, false, false, 0},
	};
	scene.capf.wants = LITTLE_CAPF_ENDS;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct diag d;
		flash_close(&scene.flash);
		flash_open(&scene.flash, NULL, &d);
		scene.flash.mode = cases[i].mode;
		if (cases[i].lsc)
			has(CERT_LAB_LEAF_LSC);
		if (cases[i].mic)
			has(CERT_LAB_LEAF_MIC);
		assert_int_equal(come(), ENROL_BY_DECLINED);
		assert_int_equal(scene.capf.cert_type, cases[i].shown);
	}
}

static void usecallmanager_sends_an_empty_password(void **state)
{
	scene.setup.like = ENROL_LIKE_USECALLMANAGER;
	installs(CAPF_KEY_RSA, 1024);
	assert_string_equal(scene.capf.password, "");
}

static void version_2_is_enrolled(void **state)
{
	scene.setup.version = 2;
	scene.setup.progress = ENROL_PROGRESS_NONE;
	assert_int_equal(come(), ENROL_BY_SUCCESS);
	assert_int_equal(scene.capf.version, 2);
	assert_int_equal(scene.capf.progress, 0);
	installed(&scene.capf.wish);
}

static void an_old_phone_works_on_its_key_for_a_while(void **state)
{
	scene.setup.progress = ENROL_PROGRESS_MANY;
	scene.setup.keygen_min_ms = 1200;
	scene.setup.keygen_max_ms = 1300;
	uint64_t from = uv_hrtime();
	assert_int_equal(come(), ENROL_BY_SUCCESS);
	assert_in_range((uv_hrtime() - from) / 1000000, 1200, PATIENCE_MS);
	assert_int_equal(scene.capf.progress, 4); /* three, and one at 1 s */
}

static void an_lsc_is_deleted(void **state)
{
	has(CERT_LAB_LEAF_LSC);
	scene.capf.wants = LITTLE_CAPF_DELETES;
	assert_int_equal(come(), ENROL_BY_SUCCESS);
	assert_int_equal(scene.capf.erased, 1);
	assert_true(scene.result.removed);
	assert_null(scene.flash.lsc.cert);
}

static void shows(unsigned asked, size_t n, unsigned first)
{
	scene.capf.fetch_type = asked;
	enum enrol_outcome outcome = come();
	assert_int_equal(outcome, n ? ENROL_BY_SUCCESS : ENROL_BY_DECLINED);
	assert_int_equal(scene.capf.shown, n);
	assert_int_equal(scene.result.shown, n > 0);
	if (n)
		assert_int_equal(scene.capf.types[0], first);
}

static void certificates_are_shown_as_asked(void **state)
{
	scene.capf.wants = LITTLE_CAPF_FETCHES;
	shows(0, 0, 0);
	has(CERT_LAB_LEAF_MIC);
	shows(0, 1, CAPF_CERT_MIC);
	shows(CAPF_CERT_LSC, 0, 0);
	has(CERT_LAB_LEAF_LSC);
	shows(0, 2, CAPF_CERT_LSC);
	assert_int_equal(scene.capf.types[1], CAPF_CERT_MIC);
	shows(CAPF_CERT_LSC, 1, CAPF_CERT_LSC);
	shows(CAPF_CERT_MIC, 1, CAPF_CERT_MIC);
	scene.setup.like = ENROL_LIKE_USECALLMANAGER;
	shows(0, 1, CAPF_CERT_LSC);
}

static void ends_are_told_apart(void **state)
{
	static const struct {
		enum capf_reason reason;
		enum enrol_outcome outcome;
	} cases[] = {
		{CAPF_REASON_NO_ACTION, ENROL_BY_NO_ACTION},
		{CAPF_REASON_SUCCESS, ENROL_BY_SUCCESS},
		{CAPF_REASON_DECLINED, ENROL_BY_DECLINED},
		{CAPF_REASON_UNKNOWN_DEVICE, ENROL_BY_UNKNOWN},
		{(enum capf_reason)3, ENROL_BY_OTHER},
		{(enum capf_reason)200, ENROL_BY_OTHER},
	};
	scene.capf.wants = LITTLE_CAPF_ENDS;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		scene.capf.reason = cases[i].reason;
		assert_int_equal(come(), cases[i].outcome);
		assert_int_equal(scene.result.reason, cases[i].reason);
		assert_false(enrol_outcome_broken(scene.result.outcome));
	}
}

static void what_it_cannot_do_it_says(void **state)
{
	static const struct {
		enum enrol_fault fault;
		enum little_capf_wants wants;
	} cases[] = {
		{ENROL_FAULT_KEYGEN, LITTLE_CAPF_INSTALLS},
		{ENROL_FAULT_STORE, LITTLE_CAPF_INSTALLS},
		{ENROL_FAULT_DELETE, LITTLE_CAPF_DELETES},
		{ENROL_FAULT_FETCH, LITTLE_CAPF_FETCHES},
	};
	has(CERT_LAB_LEAF_LSC);
	X509 *before = scene.flash.lsc.cert;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		scene.setup.fault = cases[i].fault;
		scene.capf.wants = cases[i].wants;
		assert_int_equal(come(), ENROL_BY_DECLINED);
		assert_ptr_equal(scene.flash.lsc.cert, before);
	}
	assert_int_equal(scene.capf.no_keys, 1);
	assert_int_equal(scene.capf.stored + scene.capf.erased, 0);
	assert_int_equal(scene.capf.last_reason, CAPF_REASON_DECLINED);
	assert_int_equal(scene.capf.shown, 0);
}

static void an_lsc_for_another_key_is_not_taken(void **state)
{
	scene.capf.wants = LITTLE_CAPF_STORES_FOREIGN;
	assert_int_equal(come(), ENROL_BY_DECLINED);
	assert_null(scene.flash.lsc.cert);
	assert_false(scene.result.delivered);
	assert_int_equal(scene.capf.last_reason, CAPF_REASON_DECLINED);
	says("-CAPF_FLASH: [CAPF], the LSC is for another key");
}

/* Where the flash stands when power was cut after that step. */
static void dies(enum enrol_step step)
{
	struct scene *s = &scene;
	uint8_t key[LITTLE_CAPF_KEY];
	s->phone.die_after = step;
	assert_int_equal(come(), ENROL_BY_DIED);
	assert_int_equal(s->steps[s->n_steps - 1], step);
	assert_string_equal(s->result.text, enrol_step_name(step));
	bool made = step >= ENROL_KEY_MADE && step < ENROL_STORED;
	assert_int_equal(s->flash.pending != NULL, made);
	assert_int_equal(s->flash.lsc.cert != NULL, step >= ENROL_STORED);
	/* Power is back, and it comes again. */
	uv_run(&s->loop, UV_RUN_DEFAULT);
	bool sent = s->capf.keys > 0;
	s->capf.stored = 0;
	size_t n = s->capf.key_n;
	memcpy(key, s->capf.key, n);
	s->phone.die_after = ENROL_STEPS;
	assert_int_equal(come(), ENROL_BY_SUCCESS);
	installed(&s->capf.wish);
	if (made && sent) /* the key that it had made is as good as new */
		assert_memory_equal(s->capf.key, key, n);
}

static void power_cut_after_any_step_of_an_install(void **state)
{
	for (unsigned i = 0; i < ENROL_STEPS; i++) {
		if (i >= ENROL_DELETE_REQUEST && i <= ENROL_FETCH_RESPONSE)
			continue;
		dies((enum enrol_step)i);
		assert_int_equal(clear(NULL), 0);
		assert_int_equal(set(NULL), 0);
	}
}

static void power_cut_after_any_step_of_a_delete(void **state)
{
	for (unsigned i = ENROL_DELETE_REQUEST; i <= ENROL_DELETE_RESPONSE;
		i++) {
		has(CERT_LAB_LEAF_LSC);
		scene.capf.wants = LITTLE_CAPF_DELETES;
		scene.phone.die_after = (enum enrol_step)i;
		assert_int_equal(come(), ENROL_BY_DIED);
		assert_int_equal(
			scene.flash.lsc.cert == NULL, i >= ENROL_DELETED);
	}
}

static void power_cut_says_no_goodbye(void **state)
{
	scene.phone.die_after = ENROL_KEY_REQUEST;
	assert_int_equal(come(), ENROL_BY_DIED);
	says("-CAPF_POWER_CUT: [CAPF], <127.0.0.1:");
	says("power cut after key-request\n");
	assert_int_equal(scene.capf.keys, 0);
	assert_int_equal(scene.capf.now, 0);
}

static void broken_visits_are_told_apart(void **state)
{
	scene.capf.hang_ups = 1;
	assert_int_equal(come(), ENROL_BY_LOST);
	assert_true(enrol_outcome_broken(scene.result.outcome));
	scene.capf.wants = LITTLE_CAPF_IS_SILENT;
	scene.setup.answer_ms = SHORT_MS;
	assert_int_equal(come(), ENROL_BY_TIMEOUT);
	assert_true(enrol_outcome_broken(scene.result.outcome));
	struct target nobody = scene.capf.target;
	struct little other;
	little_open(&other, &scene.loop, TALK_SIP, LITTLE_IS_SILENT, NULL);
	nobody = other.target;
	scene.setup.target = &nobody;
	scene.setup.connect_ms = SHORT_MS;
	assert_int_equal(come(), ENROL_BY_TIMEOUT); /* its handshake */
	little_close(&other);
	assert_int_equal(come(), ENROL_BY_REFUSED);
	assert_true(enrol_outcome_broken(scene.result.outcome));
	assert_int_equal(scene.n_steps, 0);
}

static void a_stopped_visit_is_over(void **state)
{
	scene.setup.keygen_min_ms = scene.setup.keygen_max_ms = PATIENCE_MS;
	struct enrol *e = enrol_new(&scene.setup, &scene.phone);
	while (e->result.last != ENROL_IN_PROGRESS &&
		uv_run(&scene.loop, UV_RUN_ONCE))
		;
	enrol_stop(e);
	uv_run(&scene.loop, UV_RUN_DEFAULT);
	assert_int_equal(scene.visits, 1);
	assert_int_equal(scene.result.outcome, ENROL_BY_STOPPED);
	assert_null(scene.flash.pending);
}

static void capf_is_verified_where_it_is_pinned(void **state)
{
	struct diag d;
	const char *pinned = lab_dir_file("pinned.pem");
	assert_int_equal(cert_pem_write(pinned, &scene.capf.root, 1, &d), 0);
	open_client(pinned, TLS1_2_VERSION);
	assert_int_equal(come(), ENROL_BY_SUCCESS);
	open_client(lab_dir_file("ca/other-capf.pem"), TLS1_2_VERSION);
	assert_int_equal(come(), ENROL_BY_ALERT);
	says("-PXY_SRVR_REFUSED: [CAPF], <");
	says("SSL3 alert [write]:[fatal]:[");
	assert_int_equal(scene.result.last, ENROL_CONNECT);
}

static void comes_over_tls_1_3(void **state)
{
	open_client(NULL, TLS1_3_VERSION);
	assert_int_equal(come(), ENROL_BY_SUCCESS);
	assert_string_equal(scene.result.tls_version, "TLSv1.3");
	installed(&scene.capf.wish);
}

int main(void)
{
#define FACT(f) cmocka_unit_test_setup_teardown(f, set, clear)
	const struct CMUnitTest tests[] = {
		FACT(installs_rsa_by_null_string),
		FACT(installs_ec_by_null_string),
		FACT(steps_are_those_of_an_install),
		FACT(comes_by_string),
		FACT(proves_its_mic),
		FACT(proves_its_mic_with_sudi_like_usecallmanager),
		FACT(proves_an_ec_lsc),
		FACT(precedence_falls_to_what_there_is),
		FACT(usecallmanager_sends_an_empty_password),
		FACT(version_2_is_enrolled),
		FACT(an_old_phone_works_on_its_key_for_a_while),
		FACT(an_lsc_is_deleted),
		FACT(certificates_are_shown_as_asked),
		FACT(ends_are_told_apart),
		FACT(what_it_cannot_do_it_says),
		FACT(an_lsc_for_another_key_is_not_taken),
		FACT(power_cut_after_any_step_of_an_install),
		FACT(power_cut_after_any_step_of_a_delete),
		FACT(power_cut_says_no_goodbye),
		FACT(broken_visits_are_told_apart),
		FACT(a_stopped_visit_is_over),
		FACT(capf_is_verified_where_it_is_pinned),
		FACT(comes_over_tls_1_3),
	};
	sip_message_setup();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, lab_dir_make, lab_dir_remove);
}

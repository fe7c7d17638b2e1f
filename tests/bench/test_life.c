/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about phones' whole lives: CAPF, registrar, resets, power cuts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/fleet.h"
#include "bench/tls_client.h"
#include "certs/pem.h"
#include "protocols/sip/message.h"
#include "tests/bench/lab_dir.h"
#include "tests/bench/little.h"
#include "tests/bench/little_capf.h"

enum { PHONES = 20, PATIENCE_MS = 20000, RETRY_MS = 10 };

/* One scene: a little CAPF, a little registrar that believes its LSCs alone,
 * and a fleet. */
struct scene {
	uv_loop_t loop;
	struct little little;
	struct little_capf capf;
	struct fleet fleet;
	struct fleet_config config;
	struct fleet_capf visits;
	struct credential_source credentials;
	struct enrol_tally tally;
	struct keys *keys;
	SSL_CTX *server_ctx;
	SSL_CTX *client_ctx;
	SSL_CTX *capf_ctx;
	unsigned outcomes[HANDSET_OUTCOMES];
	unsigned good;
	struct life_enrolment enrolment; /* of the last one that ended */
	struct handset_result last;
};

static struct scene scene;

static void on_result(void *owner, const struct life *l)
{
	struct scene *s = owner;
	s->outcomes[l->handset.result.outcome]++;
	s->good += life_good(l);
	s->enrolment = l->enrolment;
	s->last = l->handset.result;
}

static void open_tls(struct scene *s)
{
	struct diag d = {.text = ""};
	const char *root = lab_dir_file("little-capf.pem");
	const struct tls_client_config tls = {
		.min = TLS1_2_VERSION, .max = TLS1_2_VERSION};
	if (cert_pem_write(root, &s->capf.root, 1, &d) < 0 ||
		tls_client_new(&tls, &s->client_ctx, &d) < 0 ||
		tls_client_new(&tls, &s->capf_ctx, &d) < 0)
		fail_msg("%s", d.text);
	s->server_ctx = little_tls(lab_dir_file("server/rsa.pem"),
		lab_dir_file("server/rsa.key"), root);
	s->little.ctx = s->server_ctx;
}

static void begins_with(int leaf)
{
	struct diag d = {.text = ""};
	const struct credential_source_config lab = {
		.lab = lab_dir(), .leaf = leaf, .way = CREDENTIAL_ISSUE_ALL};
	credential_source_close(&scene.credentials);
	if (credential_source_open(&scene.credentials, &lab, &d) < 0)
		fail_msg("%s", d.text);
}

static void set_protocol(enum talk_protocol protocol)
{
	struct scene *s = &scene;
	memset(s, 0, sizeof(*s));
	uv_loop_init(&s->loop);
	little_capf_open(&s->capf, &s->loop);
	/* Quickly made, and strong enough for the registrar. */
	s->capf.wish = (struct capf_key_wish){CAPF_KEY_EC, 256};
	little_open(&s->little, &s->loop, protocol, LITTLE_ACCEPTS, NULL);
	open_tls(s);
	begins_with(CERT_LAB_LEAF_MIC);
	enrol_tally_init(&s->tally);
	s->keys = keys_new(&s->loop, 2);
	s->visits = (struct fleet_capf){
		.enrol = {.target = &s->capf.target,
			.ctx = s->capf_ctx,
			.keys = s->keys,
			.version = 3,
			.connect_ms = PATIENCE_MS,
			.fault = ENROL_FAULTS},
		.when = LIFE_WHEN_RESET,
		.retry_ms = RETRY_MS,
		.die_after = ENROL_STEPS,
		.mode = FLASH_MODE_MIC,
		.tally = &s->tally,
	};
	s->config = (struct fleet_config){
		.target = &s->little.target,
		.ctx = s->client_ctx,
		.credentials = &s->credentials,
		.capf = &s->visits,
		.talk = {.protocol = protocol,
			.tls = true,
			.device_type = protocol == TALK_SIP ? 683 : 437,
			.sccp_version = 22},
		.device = "SEP0000000000F0",
		.line = "1001",
		.count = PHONES,
		.connect_ms = PATIENCE_MS,
		.on_result = on_result,
		.owner = s,
	};
}

static int set(void **state)
{
	set_protocol(TALK_SCCP);
	return 0;
}

static int clear(void **state)
{
	struct scene *s = &scene;
	fleet_deinit(&s->fleet);
	little_close(&s->little);
	little_capf_close(&s->capf);
	keys_free(s->keys);
	int error = uv_loop_close(&s->loop);
	credential_source_close(&s->credentials);
	enrol_tally_deinit(&s->tally);
	SSL_CTX_free(s->server_ctx);
	SSL_CTX_free(s->client_ctx);
	SSL_CTX_free(s->capf_ctx);
	return error;
}

static void start(void)
{
	struct diag d = {.text = ""};
	if (fleet_init(&scene.fleet, &scene.loop, &scene.config, &d) < 0)
		fail_msg("%s", d.text);
	fleet_start(&scene.fleet);
}

static void play(void)
{
	start();
	uv_run(&scene.loop, UV_RUN_DEFAULT);
}

/* A phone alone, which stays until it is told to go. */
static struct life *start_one(void)
{
	scene.config.count = 1;
	scene.config.end = FLEET_FOREVER;
	start();
	return scene.fleet.lives;
}

#define UNTIL(fact)                                         \
	while (!(fact) && uv_run(&scene.loop, UV_RUN_ONCE)) \
	continue

/* All know that they are registered. */
static bool all_up(void)
{
	const struct fleet *f = &scene.fleet;
	for (unsigned i = 0; i < f->made; i++)
		if (f->lives[i].handset.state != HANDSET_UP)
			return false;
	return true;
}

static void leave(void)
{
	fleet_stop(&scene.fleet);
	uv_run(&scene.loop, UV_RUN_DEFAULT);
}

static void all_are(enum handset_outcome outcome, bool good)
{
	assert_int_equal(scene.outcomes[outcome], scene.config.count);
	assert_int_equal(scene.good, good ? scene.config.count : 0);
}

/* ---- from the factory to the registrar ---- */

static void phones_with_mics_get_lscs_and_register(void **state)
{
	for (int protocol = TALK_SCCP; protocol <= TALK_SIP; protocol++) {
		if (protocol == TALK_SIP) {
			assert_int_equal(clear(NULL), 0);
			set_protocol(TALK_SIP);
		}
		play();
		all_are(HANDSET_REGISTERED, true);
		assert_int_equal(scene.capf.stored, PHONES);
		assert_int_equal(scene.little.together, PHONES);
		assert_int_equal(scene.tally.visits, PHONES);
		assert_int_equal(scene.tally.enrolled, PHONES);
		assert_int_equal(scene.tally.delivered, PHONES);
		assert_int_equal(
			scene.tally.outcomes[ENROL_BY_SUCCESS], PHONES);
		assert_int_equal(scene.tally.steps[ENROL_STORED].count, PHONES);
	}
}

static void who_has_an_lsc_does_not_come_to_capf(void **state)
{
	begins_with(CERT_LAB_LEAF_LSC);
	scene.config.ctx = NULL; /* the registrar does not know that one */
	scene.config.talk.tls = false;
	scene.little.ctx = NULL;
	play();
	all_are(HANDSET_REGISTERED, true);
	assert_int_equal(scene.capf.calls, 0);
}

static void who_always_comes_comes_with_its_lsc(void **state)
{
	begins_with(CERT_LAB_LEAF_LSC);
	scene.visits.when = LIFE_WHEN_ALWAYS;
	scene.visits.mode = FLASH_MODE_LSC;
	play();
	all_are(HANDSET_REGISTERED, true);
	assert_int_equal(scene.capf.stored, PHONES);
	assert_int_equal(scene.capf.cert_type, CAPF_CERT_LSC);
	assert_int_equal(scene.capf.proof, CERT_PROOF_OK);
}

static void one_visit_is_all_that_is_wanted(void **state)
{
	scene.visits.until = LIFE_ENROLLED;
	play();
	all_are(HANDSET_ENROLLED, true);
	assert_int_equal(scene.capf.stored, PHONES);
	assert_int_equal(scene.little.calls, 0);
}

static void a_visit_that_was_declined_is_not_good(void **state)
{
	scene.visits.until = LIFE_ENROLLED;
	scene.capf.wants = LITTLE_CAPF_ENDS;
	play();
	all_are(HANDSET_UNENROLLED, false);
	assert_string_equal(scene.last.text, "CAPF declined (7)");
	assert_int_equal(scene.tally.outcomes[ENROL_BY_DECLINED], PHONES);
}

/* It shows its MIC, which this registrar does not believe. */
static void who_was_declined_registers_with_what_it_has(void **state)
{
	scene.capf.wants = LITTLE_CAPF_ENDS;
	play();
	all_are(HANDSET_ALERT, false);
	assert_int_equal(scene.last.alert, SSL_AD_UNKNOWN_CA);
}

/* ---- tries ---- */

static void a_broken_visit_is_tried_three_times_more(void **state)
{
	scene.config.count = 1;
	scene.capf.hang_ups = 3;
	play();
	all_are(HANDSET_REGISTERED, true);
	assert_int_equal(scene.capf.calls, 4);
	assert_int_equal(scene.enrolment.visits, 4);
	assert_int_equal(scene.enrolment.retries, 3);
	assert_int_equal(scene.tally.outcomes[ENROL_BY_LOST], 3);
}

static void the_fourth_broken_visit_is_the_last(void **state)
{
	scene.visits.until = LIFE_ENROLLED;
	scene.config.count = 1;
	scene.capf.hang_ups = 10;
	play();
	all_are(HANDSET_UNENROLLED, false);
	assert_int_equal(scene.capf.calls, 4);
}

static void retries_are_so_far_apart(void **state)
{
	scene.visits.retry_ms = 150;
	scene.config.count = 1;
	scene.capf.hang_ups = 2;
	uint64_t from = uv_hrtime();
	play();
	assert_in_range((uv_hrtime() - from) / 1000000, 300, PATIENCE_MS);
	all_are(HANDSET_REGISTERED, true);
}

/* ---- resets ---- */

static void a_phone_that_is_reset_gets_a_new_lsc(void **state)
{
	scene.visits.mode = FLASH_MODE_LSC;
	scene.little.restarts = 1;
	struct life *l = start_one();
	UNTIL(l->in);
	X509 *first = l->flash.lsc.cert;
	X509_up_ref(first);
	UNTIL(l->handset.result.returns && l->handset.state == HANDSET_UP);
	assert_int_not_equal(X509_cmp(first, l->flash.lsc.cert), 0);
	assert_int_equal(X509_cmp(SSL_get_certificate(l->handset.tls.ssl),
				 l->flash.lsc.cert),
		0);
	assert_int_equal(scene.capf.cert_type, CAPF_CERT_LSC);
	X509_free(first);
	leave();
	all_are(HANDSET_REGISTERED, true);
	assert_int_equal(scene.capf.stored, 2);
	assert_int_equal(scene.little.unregistered, 2);
}

static void a_fleet_that_is_reset_gets_new_lscs(void **state)
{
	scene.visits.mode = FLASH_MODE_LSC;
	scene.little.restarts = PHONES;
	scene.config.end = FLEET_FOREVER;
	start();
	UNTIL(scene.capf.stored == 2 * PHONES && all_up());
	leave();
	all_are(HANDSET_REGISTERED, true);
	assert_int_equal(scene.tally.enrolled, 2 * PHONES);
}

static void who_comes_only_for_want_of_an_lsc_keeps_it(void **state)
{
	scene.visits.when = LIFE_WHEN_LACKING;
	scene.little.restarts = 1;
	struct life *l = start_one();
	UNTIL(l->handset.result.returns && l->handset.state == HANDSET_UP);
	leave();
	all_are(HANDSET_REGISTERED, true);
	assert_int_equal(scene.capf.calls, 1);
}

static void nobody_types_a_string_when_a_phone_is_reset(void **state)
{
	scene.visits.mode = FLASH_MODE_STRING;
	scene.visits.enrol.string = "1234";
	scene.little.restarts = 1;
	struct life *l = start_one();
	UNTIL(l->handset.result.returns && l->handset.state == HANDSET_UP);
	leave();
	all_are(HANDSET_REGISTERED, true);
	assert_int_equal(scene.capf.calls, 1);
	assert_string_equal(scene.capf.password, "1234");
}

/* ---- power ---- */

static void who_died_at_capf_comes_again_and_registers(void **state)
{
	for (unsigned i = 0; i <= ENROL_STORE_RESPONSE; i++) {
		if (i == ENROL_IN_PROGRESS)
			scene.visits.enrol.progress = ENROL_PROGRESS_ONE;
		scene.visits.die_after = (enum enrol_step)i;
		play();
		all_are(HANDSET_REGISTERED, true);
		assert_int_equal(scene.tally.outcomes[ENROL_BY_DIED], PHONES);
		assert_int_equal(scene.tally.visits, 2 * PHONES);
		assert_int_equal(clear(NULL), 0);
		assert_int_equal(set(NULL), 0);
	}
}

static void who_is_to_die_and_enrol_ends_there(void **state)
{
	scene.visits.until = LIFE_ENROLLED;
	scene.visits.die_after = ENROL_KEY_MADE;
	play();
	all_are(HANDSET_ENROLLED, true);
	assert_int_equal(scene.tally.visits, PHONES);
	assert_int_equal(scene.capf.keys, 0);
}

static void who_did_not_die_as_it_should_is_not_good(void **state)
{
	scene.visits.until = LIFE_ENROLLED;
	scene.visits.die_after = ENROL_DELETED;
	play();
	all_are(HANDSET_UNENROLLED, false);
}

static void a_fleet_without_power_comes_back_with_its_lscs(void **state)
{
	scene.config.end = FLEET_FOREVER;
	start();
	UNTIL(all_up());
	fleet_power(&scene.fleet, false);
	UNTIL(scene.little.registered == 0);
	assert_int_equal(scene.little.unregistered, 0);
	/* The program does not end while nothing has power. */
	for (int i = 0; i < 20; i++)
		assert_true(uv_run(&scene.loop, UV_RUN_NOWAIT));
	fleet_power(&scene.fleet, true);
	UNTIL(all_up());
	assert_int_equal(scene.capf.calls, PHONES);
	leave();
	all_are(HANDSET_REGISTERED, true);
}

/* Cut and given back wherever they are on their way. */
static void power_may_fail_at_any_time(void **state)
{
	scene.config.end = FLEET_FOREVER;
	start();
	for (unsigned i = 1; i < 200; i++) {
		uv_run(&scene.loop, UV_RUN_ONCE);
		if (i % 3 == 0)
			fleet_power(&scene.fleet, false);
		if (i % 3 == 0 && i % 2 == 0)
			uv_run(&scene.loop, UV_RUN_ONCE);
		if (i % 3 == 0)
			fleet_power(&scene.fleet, true);
	}
	UNTIL(all_up());
	leave();
	all_are(HANDSET_REGISTERED, true);
}

static void phones_without_power_can_be_stopped(void **state)
{
	scene.config.end = FLEET_FOREVER;
	start();
	UNTIL(all_up());
	fleet_power(&scene.fleet, false);
	UNTIL(scene.little.registered == 0);
	leave();
	all_are(HANDSET_REGISTERED, true);
}

static void phones_at_capf_can_be_stopped(void **state)
{
	scene.visits.enrol.keygen_min_ms = PATIENCE_MS;
	scene.visits.enrol.keygen_max_ms = PATIENCE_MS;
	start();
	UNTIL(scene.tally.steps[ENROL_KEY_REQUEST].count == PHONES);
	leave();
	all_are(HANDSET_STOPPED, false);
	assert_int_equal(scene.capf.keys, 0);
}

/* ---- coming back ---- */

static void lost_phones_come_back_if_they_are_told_to(void **state)
{
	scene.config.comes_back = true;
	scene.config.end = FLEET_FOREVER;
	scene.little.mood = LITTLE_HANGS_UP;
	scene.config.count = 3;
	start();
	UNTIL(scene.tally.setbacks[HANDSET_LOST] >= 3);
	scene.little.mood = LITTLE_ACCEPTS;
	UNTIL(all_up());
	leave();
	all_are(HANDSET_REGISTERED, true);
	assert_int_equal(scene.capf.calls, 3);
}

int main(void)
{
#define FACT(f) cmocka_unit_test_setup_teardown(f, set, clear)
	const struct CMUnitTest tests[] = {
		FACT(phones_with_mics_get_lscs_and_register),
		FACT(who_has_an_lsc_does_not_come_to_capf),
		FACT(who_always_comes_comes_with_its_lsc),
		FACT(one_visit_is_all_that_is_wanted),
		FACT(a_visit_that_was_declined_is_not_good),
		FACT(who_was_declined_registers_with_what_it_has),
		FACT(a_broken_visit_is_tried_three_times_more),
		FACT(the_fourth_broken_visit_is_the_last),
		FACT(retries_are_so_far_apart),
		FACT(a_phone_that_is_reset_gets_a_new_lsc),
		FACT(a_fleet_that_is_reset_gets_new_lscs),
		FACT(who_comes_only_for_want_of_an_lsc_keeps_it),
		FACT(nobody_types_a_string_when_a_phone_is_reset),
		FACT(who_died_at_capf_comes_again_and_registers),
		FACT(who_is_to_die_and_enrol_ends_there),
		FACT(who_did_not_die_as_it_should_is_not_good),
		FACT(a_fleet_without_power_comes_back_with_its_lscs),
		FACT(power_may_fail_at_any_time),
		FACT(phones_without_power_can_be_stopped),
		FACT(phones_at_capf_can_be_stopped),
		FACT(lost_phones_come_back_if_they_are_told_to),
	};
	sip_message_setup();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, lab_dir_make, lab_dir_remove);
}

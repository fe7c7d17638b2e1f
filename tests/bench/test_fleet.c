/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about fleets of handsets, against the server engines on one loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "bench/fleet.h"
#include "bench/report.h"
#include "bench/tls_client.h"
#include "protocols/sip/message.h"
#include "tests/bench/lab_dir.h"
#include "tests/bench/little.h"

enum { PHONES = 40, PATIENCE_MS = 20000, SHORT_MS = 60 };

/* One scene: a little registrar and a fleet that calls it. */
struct scene {
	uv_loop_t loop;
	struct little little;
	struct fleet fleet;
	struct fleet_config config;
	struct credential_source credentials;
	SSL_CTX *server_ctx;
	SSL_CTX *client_ctx;
	unsigned outcomes[HANDSET_OUTCOMES];
	struct handset_result last;
	char *console;
	size_t console_size;
};

static struct scene scene;

static void on_result(void *owner, const struct life *l)
{
	struct scene *s = owner;
	s->outcomes[l->handset.result.outcome]++;
	s->last = l->handset.result;
}

static void set(enum talk_protocol protocol, enum little_mood mood)
{
	struct scene *s = &scene;
	memset(s, 0, sizeof(*s));
	uv_loop_init(&s->loop);
	little_open(&s->little, &s->loop, protocol, mood, NULL);
	s->config = (struct fleet_config){
		.target = &s->little.target,
		.credentials = &s->credentials,
		.talk = {.protocol = protocol,
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

static void set_tls(enum cert_lab_leaf leaf, int version)
{
	struct scene *s = &scene;
	struct diag d = {.text = ""};
	const struct tls_client_config tls = {.min = version, .max = version};
	const struct credential_source_config certificates = {
		.lab = lab_dir(), .leaf = leaf, .way = CREDENTIAL_ISSUE_ALL};
	s->server_ctx = little_tls(lab_dir_file("server/rsa.pem"),
		lab_dir_file("server/rsa.key"), lab_dir_file("ca/capf.pem"));
	s->little.ctx = s->server_ctx;
	if (tls_client_new(&tls, &s->client_ctx, &d) < 0 ||
		credential_source_open(&s->credentials, &certificates, &d) < 0)
		fail_msg("%s", d.text);
	s->config.ctx = s->client_ctx;
	s->config.talk.tls = true;
}

static void open_console(void)
{
	scene.config.count = 1;
	scene.config.console =
		open_memstream(&scene.console, &scene.console_size);
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

static int clear(void **state)
{
	struct scene *s = &scene;
	fleet_deinit(&s->fleet);
	little_close(&s->little);
	int error = uv_loop_close(&s->loop);
	credential_source_close(&s->credentials);
	SSL_CTX_free(s->server_ctx);
	SSL_CTX_free(s->client_ctx);
	if (s->config.console)
		fclose(s->config.console);
	free(s->console);
	return error;
}

static void all_are(enum handset_outcome outcome)
{
	assert_int_equal(scene.outcomes[outcome], scene.config.count);
}

static void console_says(const char *text)
{
	fflush(scene.config.console);
	if (!strstr(scene.console, text))
		fail_msg("no '%s' in:\n%s", text, scene.console);
}

static void all_stay_together_and_unregister(void)
{
	play();
	all_are(HANDSET_REGISTERED);
	assert_int_equal(scene.little.together, PHONES);
	assert_int_equal(scene.little.unregistered, PHONES);
	assert_int_equal(scene.little.registered, 0);
	assert_true(scene.last.seconds >= 0);
}

static void sccp_phones_register_stay_together_and_leave(void **state)
{
	set(TALK_SCCP, LITTLE_ACCEPTS);
	all_stay_together_and_unregister();
}

static void sip_phones_register_stay_together_and_leave(void **state)
{
	set(TALK_SIP, LITTLE_ACCEPTS);
	all_stay_together_and_unregister();
}

static void sccp_phones_do_it_over_tls_1_2(void **state)
{
	set(TALK_SCCP, LITTLE_ACCEPTS);
	set_tls(CERT_LAB_LEAF_LSC, TLS1_2_VERSION);
	all_stay_together_and_unregister();
	assert_string_equal(scene.last.tls_version, "TLSv1.2");
	assert_string_equal(scene.last.cipher, "ECDHE-RSA-AES256-GCM-SHA384");
}

static void sip_phones_do_it_over_tls_1_3(void **state)
{
	set(TALK_SIP, LITTLE_ACCEPTS);
	set_tls(CERT_LAB_LEAF_LSC, TLS1_3_VERSION);
	all_stay_together_and_unregister();
	assert_string_equal(scene.last.tls_version, "TLSv1.3");
}

/* Their Registers are under way when the alerts come. */
static void strangers_all_read_the_alert_in_tls_1_3(void **state)
{
	set(TALK_SCCP, LITTLE_ACCEPTS);
	set_tls(CERT_LAB_LEAF_FOREIGN, TLS1_3_VERSION);
	play();
	all_are(HANDSET_ALERT);
	assert_int_equal(scene.last.alert, SSL_AD_UNKNOWN_CA);
	assert_int_equal(scene.last.alert_side, CONSOLE_ALERT_READ);
	assert_int_equal(scene.little.together, 0);
}

static void every_sccp_generation_registers(void **state)
{
	static const uint8_t versions[] = {3, 7, 11, 17, 20, 22};
	for (size_t i = 0; i < sizeof(versions); i++) {
		set(TALK_SCCP, LITTLE_ACCEPTS);
		scene.config.talk.sccp_version = versions[i];
		scene.config.count = 2;
		play();
		all_are(HANDSET_REGISTERED);
		if (i + 1 < sizeof(versions))
			assert_int_equal(clear(NULL), 0);
	}
}

static void phones_hold_and_keep_alive(void **state)
{
	set(TALK_SCCP, LITTLE_ACCEPTS);
	scene.config.hold_ms = 2500; /* two keepalives and a half */
	uint64_t from = uv_hrtime();
	play();
	all_are(HANDSET_REGISTERED);
	assert_true(uv_hrtime() - from >= 2500 * UINT64_C(1000000));
}

static void phones_that_hang_up_do_not_unregister(void **state)
{
	set(TALK_SCCP, LITTLE_ACCEPTS);
	scene.config.goodbye = FLEET_HANG_UP;
	play();
	all_are(HANDSET_REGISTERED);
	assert_int_equal(scene.little.together, PHONES);
	assert_int_equal(scene.little.unregistered, 0);
}

static void standby_phones_bind_nothing(void **state)
{
	for (int protocol = TALK_SCCP; protocol <= TALK_SIP; protocol++) {
		set((enum talk_protocol)protocol, LITTLE_ACCEPTS);
		scene.config.talk.mode = TALK_STANDBY;
		play();
		all_are(HANDSET_STANDBY);
		if (protocol == TALK_SIP)
			assert_int_equal(scene.little.standby, PHONES);
		assert_int_equal(scene.little.together, 0);
		assert_int_equal(scene.little.unregistered, 0);
		if (protocol == TALK_SCCP)
			assert_int_equal(clear(NULL), 0);
	}
}

static void rejected_phones_print_the_servers_words_harmlessly(void **state)
{
	set(TALK_SCCP, LITTLE_REJECTS);
	open_console();
	play();
	all_are(HANDSET_REJECTED);
	console_says("Registration Rejected: Go away?1: ERR forged?[2J\n");
	assert_string_equal(scene.last.text, "Go away?1: ERR forged?[2J");
}

static void sip_rejections_name_status_and_warning(void **state)
{
	set(TALK_SIP, LITTLE_REJECTS);
	open_console();
	play();
	all_are(HANDSET_REJECTED);
	console_says("Registration Rejected: 403 Forbidden");
	console_says("Go away");
}

static void a_registered_phone_that_is_cut_off_is_lost(void **state)
{
	set(TALK_SCCP, LITTLE_HANGS_UP);
	scene.config.hold_ms = PATIENCE_MS;
	open_console();
	start();
	while (!scene.outcomes[HANDSET_LOST] &&
		uv_run(&scene.loop, UV_RUN_ONCE))
		;
	all_are(HANDSET_LOST);
	assert_true(scene.last.seconds >= 0);
	console_says("-REG_OK: [SCCP]");
	console_says("-CONN_LOST: [SCCP]");
}

static void a_fleet_that_lost_its_phones_ends(void **state)
{
	set(TALK_SIP, LITTLE_HANGS_UP);
	scene.config.end = FLEET_FOREVER;
	play();
	all_are(HANDSET_LOST);
}

static void a_phone_told_to_restart_comes_back(void **state)
{
	set(TALK_SCCP, LITTLE_ACCEPTS);
	open_console(); /* that is one phone */
	scene.little.restarts = 1;
	scene.config.end = FLEET_FOREVER;
	start();
	const struct handset *h = &scene.fleet.lives->handset;
	while (!(h->result.returns && h->state == HANDSET_UP) &&
		uv_run(&scene.loop, UV_RUN_ONCE))
		;
	fleet_stop(&scene.fleet);
	uv_run(&scene.loop, UV_RUN_DEFAULT);
	all_are(HANDSET_REGISTERED);
	assert_int_equal(scene.last.returns, 1);
	assert_int_equal(scene.little.unregistered, 2);
	console_says("-REG_RESET: [SCCP], the server asked for a restart");
}

/* Whoever stops the fleet while they are on their way gets no new ones. */
static void phones_told_to_stop_do_not_come_back(void **state)
{
	set(TALK_SCCP, LITTLE_ACCEPTS);
	scene.little.restarts = PHONES;
	play();
	all_are(HANDSET_REGISTERED);
	assert_in_range(scene.little.unregistered, PHONES, 2 * PHONES);
}

static void a_silent_server_is_a_timeout(void **state)
{
	for (int protocol = TALK_SCCP; protocol <= TALK_SIP; protocol++) {
		set((enum talk_protocol)protocol, LITTLE_IS_SILENT);
		scene.config.talk.answer_ms = SHORT_MS;
		play();
		all_are(HANDSET_TIMEOUT);
		if (protocol == TALK_SCCP)
			assert_int_equal(clear(NULL), 0);
	}
}

static void a_handshake_without_answer_is_a_timeout(void **state)
{
	set(TALK_SCCP, LITTLE_IS_SILENT);
	set_tls(CERT_LAB_LEAF_LSC, TLS1_2_VERSION);
	scene.little.ctx = NULL; /* it takes the ClientHello for SCCP */
	scene.config.connect_ms = SHORT_MS;
	play();
	all_are(HANDSET_TIMEOUT);
}

static void a_fleet_comes_at_its_rate(void **state)
{
	set(TALK_SCCP, LITTLE_ACCEPTS);
	scene.config.rate = 100;
	scene.config.goodbye = FLEET_HANG_UP;
	uint64_t from = uv_hrtime();
	play();
	uint64_t ms = (uv_hrtime() - from) / 1000000;
	all_are(HANDSET_REGISTERED);
	/* The first comes at once, 39 are left to come. */
	assert_in_range(ms, 380, PATIENCE_MS);
}

static void stop_soon(uv_timer_t *timer)
{
	fleet_stop(timer->data);
	uv_close((uv_handle_t *)timer, NULL);
}

static void a_fleet_is_stopped_in_the_middle(void **state)
{
	uv_timer_t timer;
	set(TALK_SCCP, LITTLE_ACCEPTS);
	scene.config.rate = 50; /* 0.8 s until all are there */
	scene.config.end = FLEET_FOREVER;
	uv_timer_init(&scene.loop, &timer);
	timer.data = &scene.fleet;
	uv_timer_start(&timer, stop_soon, 200, 0);
	play();
	unsigned in = scene.outcomes[HANDSET_REGISTERED];
	assert_in_range(in, 1, PHONES - 1);
	assert_int_equal(in + scene.outcomes[HANDSET_STOPPED], PHONES);
	assert_int_equal(scene.little.unregistered, in);
}

static void a_fleet_that_cannot_be_made_leaves_nothing(void **state)
{
	struct diag d = {.text = ""};
	set(TALK_SCCP, LITTLE_ACCEPTS);
	scene.config.device = "SEPFFFFFFFFFFFE";
	assert_true(
		fleet_init(&scene.fleet, &scene.loop, &scene.config, &d) < 0);
	assert_non_null(strstr(d.text, "SEPFFFFFFFFFFFE"));
}

static void more_phones_than_descriptors_is_a_clear_error(void **state)
{
	struct diag d = {.text = ""};
	assert_int_equal(fleet_raise_limit(1, &d), 0);
	assert_true(fleet_raise_limit(2000000000, &d) < 0);
	assert_non_null(strstr(d.text, "2000000000 phones need 2000000064 "
				       "file descriptors"));
}

int main(void)
{
#define FACT(f) cmocka_unit_test_teardown(f, clear)
	const struct CMUnitTest tests[] = {
		FACT(sccp_phones_register_stay_together_and_leave),
		FACT(sip_phones_register_stay_together_and_leave),
		FACT(sccp_phones_do_it_over_tls_1_2),
		FACT(sip_phones_do_it_over_tls_1_3),
		FACT(strangers_all_read_the_alert_in_tls_1_3),
		FACT(every_sccp_generation_registers),
		FACT(phones_hold_and_keep_alive),
		FACT(phones_that_hang_up_do_not_unregister),
		FACT(standby_phones_bind_nothing),
		FACT(rejected_phones_print_the_servers_words_harmlessly),
		FACT(sip_rejections_name_status_and_warning),
		FACT(a_registered_phone_that_is_cut_off_is_lost),
		FACT(a_fleet_that_lost_its_phones_ends),
		FACT(a_phone_told_to_restart_comes_back),
		FACT(phones_told_to_stop_do_not_come_back),
		FACT(a_silent_server_is_a_timeout),
		FACT(a_handshake_without_answer_is_a_timeout),
		FACT(a_fleet_comes_at_its_rate),
		FACT(a_fleet_is_stopped_in_the_middle),
		FACT(a_fleet_that_cannot_be_made_leaves_nothing),
		cmocka_unit_test(more_phones_than_descriptors_is_a_clear_error),
	};
	sip_message_setup();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, lab_dir_make, lab_dir_remove);
}

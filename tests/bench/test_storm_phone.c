/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the phones of a storm, against the server engines on one loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/storm.h"
#include "bench/storm_phone.h"
#include "bench/tls_client.h"
#include "protocols/sip/message.h"
#include "tests/bench/lab_dir.h"
#include "tests/bench/little.h"

enum { PHONES = 6, PATIENCE_MS = 20000, SHORT_MS = 100 };

/* One scene: a little registrar and a storm that blows on it. */
static struct scene {
	uv_loop_t loop;
	struct little little;
	struct storm storm;
	struct storm_config config;
	struct credential_source credentials;
	SSL_CTX *server_ctx;
	SSL_CTX *client_ctx;
} scene;

static int role(void *owner, unsigned i, const char *device,
	struct storm_role *out, struct diag *d)
{
	*out = (struct storm_role){.way = 0};
	if (!scene.client_ctx)
		return 0;
	return credential_issue(&scene.credentials, device, CERT_LAB_LEAF_LSC,
		&out->credential, d);
}

/* A burst of phones that stay; tests change what they are about. */
static void set(enum talk_protocol protocol, enum little_mood mood)
{
	struct scene *s = &scene;
	memset(s, 0, sizeof(*s));
	uv_loop_init(&s->loop);
	little_open(&s->little, &s->loop, protocol, mood, NULL);
	s->config = (struct storm_config){
		.ways = {{.target = &s->little.target,
			.talk = {.protocol = protocol,
				.device_type = 437,
				.sccp_version = 22}}},
		.role = role,
		.device = "SEP0000000000F0",
		.line = "1001",
		.phones = PHONES,
		.resume = STORM_FULL,
		.stay = STORM_HOLD,
		.patience_ms = PATIENCE_MS,
	};
	s->config.ways[1] = s->config.ways[0];
	schedule_burst(&s->config.schedule, PHONES, 0, 0);
}

static void set_tls(int version)
{
	static const unsigned char context[] = "little";
	struct scene *s = &scene;
	struct diag d = {.text = ""};
	const struct tls_client_config tls = {.min = version, .max = version};
	const struct credential_source_config certificates = {
		.lab = lab_dir(), .leaf = -1, .way = CREDENTIAL_ISSUE_ALL};
	s->server_ctx = little_tls(lab_dir_file("server/rsa.pem"),
		lab_dir_file("server/rsa.key"), lab_dir_file("ca/capf.pem"));
	SSL_CTX_set_session_id_context(
		s->server_ctx, context, sizeof(context) - 1);
	SSL_CTX_set_security_level(s->server_ctx, 0);
	SSL_CTX_set_min_proto_version(s->server_ctx, TLS1_VERSION);
	s->little.ctx = s->server_ctx;
	if (tls_client_new(&tls, &s->client_ctx, &d) < 0 ||
		credential_source_open(&s->credentials, &certificates, &d) < 0)
		fail_msg("%s", d.text);
	s->config.ctx = s->client_ctx;
	s->config.ways[0].talk.tls = true;
}

static void open_storm(void)
{
	struct diag d = {.text = ""};
	if (storm_init(&scene.storm, &scene.loop, &scene.config, &d) < 0)
		fail_msg("%s", d.text);
}

static const struct tally *play(void)
{
	open_storm();
	storm_start(&scene.storm);
	uv_run(&scene.loop, UV_RUN_DEFAULT);
	return &scene.storm.tally;
}

static int clear(void **state)
{
	struct scene *s = &scene;
	storm_deinit(&s->storm);
	little_close(&s->little);
	int error = uv_loop_close(&s->loop);
	credential_source_close(&s->credentials);
	SSL_CTX_free(s->server_ctx);
	SSL_CTX_free(s->client_ctx);
	return error;
}

static void all_registered(const struct tally *t)
{
	if (t->registered != t->planned)
		fail_msg("%u of %u, %s", (unsigned)t->registered,
			(unsigned)t->planned,
			t->reasons.n ? t->reasons.rows[0].text : "no reason");
	assert_int_equal(t->failed, 0);
	assert_true(t->all_in_s > 0);
}

/* Half of the phones are told to wait a second, and wait it out. */
static void waited_out(const struct tally *t)
{
	all_registered(t);
	assert_int_equal(t->waits.count, PHONES / 2);
	assert_int_equal(t->waits.arrivals, PHONES / 2);
	assert_int_equal(t->waits.seconds, PHONES / 2);
	assert_int_equal(t->waits.longest, 1);
	assert_int_equal(t->waits.latency.count, PHONES / 2);
	assert_int_equal(t->reasons.n, 0);
	assert_int_equal(t->retries, 0);
	assert_true(t->latency[TALLY_PLAIN].max > 900000);
	assert_true(t->waits.latency.max < t->latency[TALLY_PLAIN].max);
}

static void a_503_with_retry_after_is_waited_out(void **state)
{
	set(TALK_SIP, LITTLE_ACCEPTS);
	scene.little.tells = PHONES / 2;
	const struct tally *t = play();
	waited_out(t);
	assert_int_equal(t->attempts, PHONES); /* on the same connections */
	assert_int_equal(scene.little.together, PHONES);
}

static void a_wait_outlasts_the_patience(void **state)
{
	set(TALK_SIP, LITTLE_ACCEPTS);
	scene.little.tells = PHONES / 2;
	scene.config.patience_ms = 900;
	waited_out(play());
}

static void who_hangs_up_after_telling_to_wait_is_called_again(void **state)
{
	set(TALK_SIP, LITTLE_ACCEPTS);
	scene.little.tells = PHONES / 2;
	scene.little.tells_and_hangs_up = true;
	const struct tally *t = play();
	waited_out(t);
	assert_int_equal(t->attempts, PHONES + PHONES / 2);
	assert_int_equal(scene.little.calls, PHONES + PHONES / 2);
}

static void tokens_are_asked_for_first(enum talk_protocol protocol)
{
	set(protocol, LITTLE_ACCEPTS);
	scene.config.ways[0].talk.token = true;
	scene.little.tells = PHONES / 2;
	waited_out(play());
	assert_int_equal(scene.little.tokens, PHONES);
}

static void sccp_phones_wait_for_their_token(void **state)
{
	tokens_are_asked_for_first(TALK_SCCP);
}

static void sip_phones_wait_for_their_token(void **state)
{
	tokens_are_asked_for_first(TALK_SIP);
}

static void a_rejection_is_no_wait(void **state)
{
	set(TALK_SIP, LITTLE_REJECTS);
	const struct tally *t = play();
	assert_int_equal(t->failed, PHONES);
	assert_int_equal(t->waits.count, 0);
	assert_int_equal(t->reasons.rows[0].count, PHONES);
}

static void phones_think_before_they_go(void **state)
{
	set(TALK_SCCP, LITTLE_ACCEPTS);
	scene.config.stay = STORM_CHURN;
	scene.config.think_min_ms = scene.config.think_max_ms = 300;
	/* The second visits are due at once, and have to wait. */
	schedule_burst(&scene.config.schedule, (uint64_t)2 * PHONES, 0, 0);
	const struct tally *t = play();
	all_registered(t);
	assert_int_equal(scene.little.together, PHONES);
	assert_int_equal(t->starved, PHONES);
	/* They have stayed, and rested, for 300 ms each. */
	assert_true(t->all_in_s > 0.5);
	assert_true(t->latency[TALLY_PLAIN].max > 500000);
}

static void for_ever_ends_when_the_time_is_over(void **state)
{
	set(TALK_SCCP, LITTLE_IS_SILENT);
	scene.config.patience_ms = SHORT_MS;
	scene.config.retries = STORM_FOREVER;
	scene.config.until_ms = 1500;
	const struct tally *t = play();
	assert_int_equal(t->registered, 0);
	assert_int_equal(t->failed, PHONES);
	assert_int_equal(t->expired, PHONES);
	assert_true(t->retries >= PHONES);
	assert_true(t->storm_s > 1.4);
	assert_false(scene.storm.cut);
}

static void keepalives_are_counted_and_timed(void **state)
{
	set(TALK_SCCP, LITTLE_ACCEPTS);
	scene.config.hold_ms = 4500; /* the interval is a second, or more */
	const struct tally *t = play();
	all_registered(t);
	assert_in_range(t->pulses.asked, 2 * PHONES, 5 * PHONES);
	assert_in_range(t->pulses.answered, PHONES, t->pulses.asked);
	assert_int_equal(t->pulses.lost, 0);
	assert_int_equal(t->pulses.latency.count, t->pulses.answered);
	assert_true(t->pulses.latency.max > 0);
	assert_int_equal(t->dropped, 0);
}

static void keepalives_that_nobody_answers_are_lost(void **state)
{
	set(TALK_SCCP, LITTLE_FALLS_SILENT);
	scene.config.hold_ms = 8000; /* three of them, a second apart */
	const struct tally *t = play();
	assert_int_equal(t->pulses.asked, 3 * PHONES);
	assert_int_equal(t->pulses.answered, 0);
	assert_int_equal(t->pulses.lost, 3 * PHONES);
	assert_int_equal(t->dropped, PHONES);
}

static void lost_phones_come_back_and_are_told_apart(void **state)
{
	set(TALK_SCCP, LITTLE_HANGS_UP);
	scene.config.retries = 1;
	scene.config.hold_ms = 500;
	const struct tally *t = play();
	assert_int_equal(t->registered, PHONES);
	assert_true(t->dropped >= PHONES);
	assert_true(t->returned + PHONES >= t->dropped);
}

static void phones_call_from_addresses_of_their_own(void **state)
{
	struct diag d = {.text = ""};
	set(TALK_SCCP, LITTLE_ACCEPTS);
	assert_int_equal(sources_parse("127.77.0.0/16", 3, TARGET_LOOPBACK_ONLY,
				 &scene.config.sources, &d),
		0);
	all_registered(play());
	unsigned seen[3] = {0};
	for (unsigned i = 0; i < PHONES; i++) {
		uint32_t at =
			scene.little.callers[i] - scene.config.sources.first;
		assert_int_equal(at % scene.config.sources.step, 0);
		seen[at / scene.config.sources.step]++;
	}
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(seen[i], PHONES / 3);
}

/* What each phone keeps after it was primed and then met a silent server. */
static SSL_SESSION *kept(int version, enum storm_resume resume)
{
	set(TALK_SCCP, LITTLE_ACCEPTS);
	set_tls(version);
	scene.config.phones = 1;
	scene.config.resume = resume;
	scene.config.patience_ms = PATIENCE_MS;
	schedule_burst(&scene.config.schedule, 1, 0, 0);
	open_storm();
	struct storm *s = &scene.storm;
	storm_start(s);
	while (s->phase != STORM_PHASE_PAUSED)
		uv_run(&scene.loop, UV_RUN_ONCE);
	assert_non_null(s->phones[0].session);
	scene.little.ctx = NULL; /* reads, and does not answer TLS */
	scene.little.mood = LITTLE_IS_SILENT;
	s->setups[0].patience_ms = SHORT_MS;
	uv_run(&scene.loop, UV_RUN_DEFAULT);
	assert_int_equal(s->tally.failed, 1);
	return s->phones[0].session;
}

static void a_ticket_of_tls_1_3_is_used_once(void **state)
{
	assert_null(kept(TLS1_3_VERSION, STORM_PSK));
}

static void a_session_of_tls_1_2_is_offered_again(void **state)
{
	assert_non_null(kept(TLS1_2_VERSION, STORM_TICKET));
}

/* Registers twice in that version, the second time resumed. */
static void comes_back(int version, enum storm_resume resume)
{
	set(TALK_SIP, LITTLE_ACCEPTS);
	set_tls(version);
	scene.config.resume = resume;
	const struct tally *t = play();
	all_registered(t);
	assert_int_equal(t->handshakes[TALLY_RESUMED], PHONES);
}

static void phones_of_every_tls_version_come_back_resumed(void **state)
{
	static const struct {
		int version;
		enum storm_resume resume;
	} ways[] = {{TLS1_VERSION, STORM_TICKET},
		{TLS1_1_VERSION, STORM_TICKET}, {TLS1_2_VERSION, STORM_TICKET},
		{TLS1_3_VERSION, STORM_PSK}};
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		comes_back(ways[i].version, ways[i].resume);
		if (i + 1 < sizeof(ways) / sizeof(*ways))
			assert_int_equal(clear(NULL), 0);
	}
}

static int prepare(void **state)
{
	sip_message_setup();
	return lab_dir_make(state);
}

#define SCENE(name) cmocka_unit_test_teardown(name, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(a_503_with_retry_after_is_waited_out),
		SCENE(a_wait_outlasts_the_patience),
		SCENE(who_hangs_up_after_telling_to_wait_is_called_again),
		SCENE(sccp_phones_wait_for_their_token),
		SCENE(sip_phones_wait_for_their_token),
		SCENE(a_rejection_is_no_wait),
		SCENE(phones_think_before_they_go),
		SCENE(for_ever_ends_when_the_time_is_over),
		SCENE(keepalives_are_counted_and_timed),
		SCENE(keepalives_that_nobody_answers_are_lost),
		SCENE(lost_phones_come_back_and_are_told_apart),
		SCENE(phones_call_from_addresses_of_their_own),
		SCENE(a_ticket_of_tls_1_3_is_used_once),
		SCENE(a_session_of_tls_1_2_is_offered_again),
		SCENE(phones_of_every_tls_version_come_back_resumed),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, prepare, lab_dir_remove);
}

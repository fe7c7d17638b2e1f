/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the server engine: its conversations, and what they cannot say.
 */
#include <glob.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocols/capf/server.h"
#include "tests/protocols/capf/player.h"

enum { SESSION = 7, ANSWER_MS = 1000, DER_MAX = 12000 };

static const struct capf_server_config config = {
	.session = SESSION,
	.answer_ms = ANSWER_MS,
	.keygen_ms = 10 * ANSWER_MS,
};
static const struct moment now = {.mono_ms = 5000};

static void server_holds_every_conversation(void **state)
{
	conversation_run_folder(
		&capf_server_player, "tests/conversations/capf/server");
}

/* ---- what conversations cannot say ---- */

static void say(struct capf_server *s, struct capf_builder *b)
{
	struct bytes_queue q;
	size_t n;
	bytes_queue_init(&q, CAPF_MESSAGE_MAX);
	assert_int_equal(capf_builder_send(b, &q), 0);
	const uint8_t *data = bytes_queue_peek(&q, &n);
	capf_server_feed(s, data, n, &now);
	bytes_queue_deinit(&q);
}

static void begin_auth(struct capf_builder *b, unsigned version)
{
	capf_builder_init(b, CAPF_AUTH_RESPONSE, SESSION);
	capf_builder_number(b, CAPF_EL_VERSION, version);
	capf_builder_text(b, CAPF_EL_DEVICE_NAME, "SEP000E325C9A43");
}

/* A server whose phone has said who it is. */
static void setup_asked(struct capf_server *s)
{
	struct capf_server_event e;
	struct capf_builder b;
	capf_server_init(s, &config, &now);
	begin_auth(&b, 3);
	say(s, &b);
	assert_true(capf_server_next(s, &e));
	assert_int_equal(e.type, CAPF_SERVER_AUTH);
}

static unsigned command_of(const struct capf_server *s, size_t *n)
{
	const uint8_t *data = capf_server_out(s, n);
	player_one_message(data, *n);
	return *n ? data[1] : 0;
}

static void hands_out_one_message_at_a_time(void **state)
{
	static const uint8_t der[DER_MAX] = {0x30};
	struct capf_server s;
	size_t n;
	setup_asked(&s);
	capf_server_store(&s, der, sizeof(der), &now);
	capf_server_end(&s, CAPF_REASON_SUCCESS);
	assert_int_equal(command_of(&s, &n), CAPF_AUTH_REQUEST);
	capf_server_sent(&s, n);
	assert_int_equal(command_of(&s, &n), CAPF_STORE_REQUEST);
	assert_int_equal(n, DER_MAX + 20);
	capf_server_sent(&s, n);
	assert_int_equal(command_of(&s, &n), CAPF_END_SESSION);
	capf_server_sent(&s, n);
	assert_int_equal(command_of(&s, &n), 0);
	capf_server_deinit(&s);
}

static void what_is_left_of_a_message_comes_before_the_next(void **state)
{
	struct capf_server s;
	size_t n;
	setup_asked(&s);
	capf_server_erase(&s, &now);
	capf_server_out(&s, &n);
	assert_int_equal(n, 12);
	capf_server_sent(&s, 5);
	const uint8_t *left = capf_server_out(&s, &n);
	assert_int_equal(n, 7);
	assert_memory_equal(left, "\x07\0\x04\x07\0\x01\x03", 7);
	capf_server_sent(&s, 7);
	assert_int_equal(command_of(&s, &n), CAPF_DELETE_REQUEST);
	capf_server_deinit(&s);
}

static void takes_the_longest_message(void **state)
{
	static uint8_t sudi[CAPF_MESSAGE_MAX - CAPF_HEADER - 4 - 19 - 3];
	const struct capf_bytes bytes = {sudi, sizeof(sudi)};
	struct capf_server_event e;
	struct capf_server s;
	struct capf_builder b;
	memset(sudi, 0x5a, sizeof(sudi));
	capf_server_init(&s, &config, &now);
	begin_auth(&b, 3);
	capf_builder_bytes(&b, CAPF_EL_SUDI_DATA, &bytes);
	assert_int_equal(b.out.left, 0);
	say(&s, &b);
	assert_true(capf_server_next(&s, &e));
	assert_int_equal(e.type, CAPF_SERVER_AUTH);
	assert_int_equal(e.sudi_data.n, sizeof(sudi));
	assert_memory_equal(e.sudi_data.p, sudi, sizeof(sudi));
	capf_server_deinit(&s);
}

/* The queue has the event's bytes; the next call must not leave them there. */
static void wipes_the_password_from_its_queue(void **state)
{
	struct capf_server_event e;
	struct capf_server s;
	struct capf_builder b;
	capf_server_init(&s, &config, &now);
	begin_auth(&b, 3);
	capf_builder_text(&b, CAPF_EL_PASSWORD, "271828");
	say(&s, &b);
	/* A message in advance keeps the queue's memory alive. */
	capf_server_feed(&s, "\x55", 1, &now);
	assert_true(capf_server_next(&s, &e));
	assert_string_equal(e.password, "271828");
	assert_false(capf_server_next(&s, &e));
	assert_non_null(s.in.data);
	assert_null(memmem(s.in.data, s.in.tail, "271828", 6));
	capf_server_deinit(&s);
}

/* What a phone sends while the host thinks is bounded by one message. */
static void memory_is_bounded_while_the_host_thinks(void **state)
{
	static const uint8_t progress[] = {0x55, 0x11, 0, 0, 0, SESSION, 0, 0};
	struct capf_server_event e;
	struct capf_server s;
	setup_asked(&s);
	for (unsigned i = 0; i < 100000; i++)
		capf_server_feed(&s, progress, sizeof(progress), &now);
	assert_int_equal(bytes_queue_len(&s.in), 0);
	assert_true(capf_server_next(&s, &e));
	assert_int_equal(e.type, CAPF_SERVER_FAILED);
	assert_string_equal(e.rule, "capf-in-advance");
	assert_false(capf_server_next(&s, &e));
	capf_server_deinit(&s);
}

static void a_phone_that_does_not_read_is_failed(void **state)
{
	static const uint8_t fetched[] = {
		0x55, 0x0c, 0, 0, 0, SESSION, 0, 4, 1, 0, 1, 1};
	struct capf_server_event e;
	struct capf_server s;
	unsigned asked = 0;
	setup_asked(&s);
	do {
		capf_server_fetch(&s, CAPF_CERT_MIC, &now);
		capf_server_feed(&s, fetched, sizeof(fetched), &now);
		assert_true(capf_server_next(&s, &e));
	} while (e.type == CAPF_SERVER_FETCHED && ++asked < 100000);
	assert_int_equal(e.type, CAPF_SERVER_FAILED);
	assert_string_equal(e.rule, "capf-not-reading");
	assert_true(bytes_queue_len(&s.out) <= 65536);
	assert_int_equal(capf_server_deadline(&s), MOMENT_NEVER);
	capf_server_deinit(&s);
}

static void verbs_after_failure_do_nothing(void **state)
{
	const struct capf_key_wish wish = {CAPF_KEY_RSA, 2048};
	struct capf_server_event e;
	struct capf_server s;
	setup_asked(&s);
	capf_server_feed(&s, "x", 1, &now);
	assert_true(capf_server_next(&s, &e));
	assert_int_equal(e.type, CAPF_SERVER_FAILED);
	size_t before = bytes_queue_len(&s.out);
	capf_server_generate_key(&s, &wish, &now);
	capf_server_store(&s, "\x30", 1, &now);
	capf_server_erase(&s, &now);
	capf_server_fetch(&s, 0, &now);
	capf_server_end(&s, CAPF_REASON_SUCCESS);
	assert_int_equal(bytes_queue_len(&s.out), before);
	assert_false(capf_server_next(&s, &e));
	assert_int_equal(capf_server_deadline(&s), MOMENT_NEVER);
	capf_server_deinit(&s);
}

/* ---- our own mistakes ---- */

static void ask_v2_for_ec(struct capf_server *s)
{
	const struct capf_key_wish wish = {CAPF_KEY_EC, 256};
	capf_server_generate_key(s, &wish, &now);
}

static void ask_v2_for_4097_bits(struct capf_server *s)
{
	const struct capf_key_wish wish = {CAPF_KEY_RSA, 4097};
	capf_server_generate_key(s, &wish, &now);
}

static void store_nothing(struct capf_server *s)
{
	capf_server_store(s, "", 0, &now);
}

static void store_too_much(struct capf_server *s)
{
	static const uint8_t der[DER_MAX + 1];
	capf_server_store(s, der, sizeof(der), &now);
}

static void ask_twice(struct capf_server *s)
{
	capf_server_erase(s, &now);
	capf_server_erase(s, &now);
}

static void store_after_erase(struct capf_server *s)
{
	static const uint8_t erased[] = {
		0x55, 0x0e, 0, 0, 0, SESSION, 0, 4, 1, 0, 1, 1};
	struct capf_server_event e;
	capf_server_erase(s, &now);
	capf_server_feed(s, erased, sizeof(erased), &now);
	if (!capf_server_next(s, &e) || e.type != CAPF_SERVER_ERASED)
		_exit(1);
	capf_server_store(s, "\x30", 1, &now);
}

static bool dies_of(void (*mistake)(struct capf_server *s))
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		const struct rlimit none = {0};
		struct capf_server s;
		struct capf_server_event e;
		struct capf_builder b;
		setrlimit(RLIMIT_CORE, &none);
		close(STDERR_FILENO); /* it says so, which is no news */
		capf_server_init(&s, &config, &now);
		begin_auth(&b, 2);
		say(&s, &b);
		capf_server_next(&s, &e);
		mistake(&s);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void a_mistake_of_the_host_is_an_assert(void **state)
{
	assert_true(dies_of(ask_v2_for_ec));
	assert_true(dies_of(ask_v2_for_4097_bits));
	assert_true(dies_of(store_nothing));
	assert_true(dies_of(store_too_much));
	assert_true(dies_of(ask_twice));
	assert_true(dies_of(store_after_erase));
}

/* ---- the rules ---- */

/* Is it in a conversation of that folder that a peer broke this rule? */
static bool is_told(const char *folder, const char *rule)
{
	char path[PATH_MAX], wanted[64];
	const char *source = getenv("DIALTONE_SOURCE");
	bool found = false;
	glob_t files;
	snprintf(path, sizeof(path), "%s/tests/conversations/capf/%s/*.conv",
		source ? source : ".", folder);
	snprintf(wanted, sizeof(wanted), "\n! failed %s: ", rule);
	if (glob(path, 0, NULL, &files) != 0)
		fail_msg("%s: none", path);
	for (size_t i = 0; !found && i < files.gl_pathc; i++) {
		char text[4096] = "";
		FILE *f = fopen(files.gl_pathv[i], "r");
		assert_non_null(f);
		text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
		fclose(f);
		found = strstr(text, wanted) != NULL;
	}
	globfree(&files);
	return found;
}

static void every_rule_has_a_conversation_that_breaks_it(void **state)
{
	for (int i = 0; i < CAPF_RULES; i++) {
		const char *rule = capf_rule_name((enum capf_rule)i);
		if (i == CAPF_RULE_NOT_READING)
			continue; /* the runner reads all, at once */
		if (!is_told("server", rule) && !is_told("phone", rule))
			fail_msg("%s: no conversation breaks it", rule);
	}
}

static void deinit_of_nothing_is_fine(void **state)
{
	struct capf_server s = {0};
	capf_server_deinit(&s);
	capf_server_init(&s, &config, &now);
	capf_server_deinit(&s);
	capf_server_deinit(&s);
	assert_null(s.state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(server_holds_every_conversation),
		cmocka_unit_test(hands_out_one_message_at_a_time),
		cmocka_unit_test(
			what_is_left_of_a_message_comes_before_the_next),
		cmocka_unit_test(takes_the_longest_message),
		cmocka_unit_test(wipes_the_password_from_its_queue),
		cmocka_unit_test(memory_is_bounded_while_the_host_thinks),
		cmocka_unit_test(a_phone_that_does_not_read_is_failed),
		cmocka_unit_test(verbs_after_failure_do_nothing),
		cmocka_unit_test(a_mistake_of_the_host_is_an_assert),
		cmocka_unit_test(every_rule_has_a_conversation_that_breaks_it),
		cmocka_unit_test(deinit_of_nothing_is_fine),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("capf-server", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Real-world messages get their answers: RFC 4475's, and Cisco's shapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocols/sip/message.h"
#include "tests/protocols/sip/host.h"

enum {
	FILE_MAX = 16384,
	TEXT_MAX = 4096,
	TORTURES = 49,
	START_MS = 1000000,
};

static const char OPTIONS[] = "OPTIONS sip:x SIP/2.0\r\n"
			      "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKo\r\n"
			      "From: <sip:a@b>;tag=1\r\n"
			      "To: <sip:a@b>\r\n"
			      "Call-ID: alive\r\n"
			      "CSeq: 1 OPTIONS\r\n"
			      "Max-Forwards: 70\r\n"
			      "Content-Length: 0\r\n\r\n";

/* One engine with a host that accepts all, and what it said so far. */
struct session {
	struct sip_host host;
	struct moment now;
	char said[FILE_MAX];
	size_t said_n;
	char events[TEXT_MAX * 4];
};

static void session_init(struct session *s)
{
	memset(s, 0, sizeof(*s));
	s->now = (struct moment){START_MS, INT64_C(1795406400000), 0};
	sip_host_init(&s->host, &s->now);
}

static void drain(struct session *s)
{
	char text[TEXT_MAX];
	while (sip_host_next(&s->host, text, sizeof(text))) {
		size_t n = strlen(s->events);
		snprintf(s->events + n, sizeof(s->events) - n, "%s\n", text);
		if (strncmp(text, "register", 8) == 0)
			sip_host_apply(&s->host, &s->now);
		if (strncmp(text, "token", 5) == 0)
			sip_server_grant_token(&s->host.server);
	}
	size_t n;
	const uint8_t *out = sip_server_out(&s->host.server, &n);
	if (!n)
		return;
	assert_true(s->said_n + n < sizeof(s->said));
	memcpy(s->said + s->said_n, out, n);
	s->said_n += n;
	s->said[s->said_n] = '\0';
	sip_server_sent(&s->host.server, n);
}

static void feed(struct session *s, const char *data, size_t n)
{
	sip_server_feed(&s->host.server, data, n, &s->now);
	drain(s);
}

static void pass(struct session *s, uint32_t ms)
{
	s->now.mono_ms += ms;
	s->now.unix_ms += ms;
	sip_server_tick(&s->host.server, &s->now);
	drain(s);
}

/* The status of the first answer, 0: there is none. */
static int status_of(const struct session *s)
{
	const char *line = strstr(s->said, "SIP/2.0 ");
	return line ? atoi(line + 8) : 0;
}

static bool closed(const struct session *s)
{
	return strstr(s->events, "close ") != NULL;
}

static bool alive(struct session *s)
{
	s->said_n = 0;
	s->said[0] = '\0';
	feed(s, OPTIONS, sizeof(OPTIONS) - 1);
	return status_of(s) == 200;
}

static size_t load(const char *folder, const char *file, const char *suffix,
	char data[FILE_MAX])
{
	char path[TEXT_MAX];
	const char *shared = getenv("DIALTONE_SHARED");
	snprintf(path, sizeof(path), "%s/%s/%s%s", shared ? shared : "", folder,
		file, suffix);
	FILE *f = fopen(path, "rb");
	if (!f)
		fail_msg("%s: cannot be read", path);
	size_t n = fread(data, 1, FILE_MAX, f);
	fclose(f);
	return n;
}

static void need(const char *folder)
{
	char path[TEXT_MAX];
	const char *shared = getenv("DIALTONE_SHARED");
	snprintf(path, sizeof(path), "%s/%s", shared ? shared : "", folder);
	if (!shared || access(path, R_OK) != 0) {
		print_message("# no real-world data beside the checkout\n");
		skip();
	}
}

/* The statuses of a row begin with the engine's own; `-` is none. */
static void check_row(const char *file, const char *connection, int wanted)
{
	static char data[FILE_MAX];
	struct session s;
	size_t n = load("sip-torture", file, ".dat", data);
	session_init(&s);
	feed(&s, data, n);
	bool late = strcmp(connection, "late") == 0;
	if (late && (s.said_n || s.events[0]))
		fail_msg("%s: answered before its end", file);
	if (late)
		pass(&s, s.host.config.message_ms);
	if (status_of(&s) != wanted)
		fail_msg("%s: status %d, wanted %d", file, status_of(&s),
			wanted);
	bool stays = strcmp(connection, "stays") == 0;
	if (closed(&s) == stays)
		fail_msg("%s: the connection %s", file,
			stays ? "ended" : "did not end");
	if (alive(&s) != stays)
		fail_msg("%s: the next request", file);
	sip_host_deinit(&s.host);
	session_init(&s);
	assert_true(alive(&s));
	sip_host_deinit(&s.host);
}

static void every_torture_message_gets_its_answer(void **state)
{
	char path[TEXT_MAX], line[256];
	const char *source = getenv("DIALTONE_SOURCE");
	unsigned rows = 0;
	need("sip-torture");
	snprintf(path, sizeof(path), "%s/tests/protocols/sip/torture.txt",
		source ? source : ".");
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		char file[32], connection[16], status[16];
		if (line[0] == '#' || line[0] == '\n')
			continue;
		assert_int_equal(sscanf(line, "%31s %15s %15s", file,
					 connection, status),
			3);
		check_row(file, connection, atoi(status));
		rows++;
	}
	fclose(f);
	assert_int_equal(rows, TORTURES);
}

/* Feeds the file and answers what came of it. */
static void play(struct session *s, const char *file)
{
	static char data[FILE_MAX];
	size_t n = load("sip-cisco", file, ".sip", data);
	session_init(s);
	feed(s, data, n);
}

static void has(const struct session *s, const char *text)
{
	if (!strstr(s->said, text))
		fail_msg("not in the answer: %s\n%s", text, s->said);
}

static void has_not(const struct session *s, const char *text)
{
	if (strstr(s->said, text))
		fail_msg("in the answer: %s\n%s", text, s->said);
}

static void cisco_registers_get_date_expires_and_contact(void **state)
{
	static const struct {
		const char *file;
		const char *event;
	} rows[] = {
		{"01-register-initial-88xx", "bind SEP020000AABB01 by cisco, "
					     "model 683, *"},
		{"02-register-refresh-88xx", "bind SEP020000AABB01 by cisco"},
		{"05-register-79xx-loads", "bind SEP020000AABB01 by cisco, "
					   "model 437"},
		{"06-register-jabber-csf", "bind CSFJDOE by cisco, model 503"},
		{"07-register-dup-instance", "bind SEP020000AABB01 by cisco"},
	};
	need("sip-cisco");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct session s;
		play(&s, rows[i].file);
		size_t n = strcspn(rows[i].event, "*");
		assert_memory_equal(s.events, "register ", 9);
		assert_memory_equal(s.events + 9, rows[i].event, n);
		assert_int_equal(status_of(&s), 200);
		has(&s, "\r\nDate: Mon, 23 Nov 2026 04:00:00 GMT\r\n");
		has(&s, "\r\nExpires: 120\r\n");
		has(&s, ";expires=120;x-cisco-newreg\r\n");
		has(&s, "X-cisco-sis-7.0.0\r\n");
		has(&s, "\r\nContent-Length: 0\r\n\r\n");
		sip_host_deinit(&s.host);
	}
}

static void cisco_initial_register_asks_for_all_lines(void **state)
{
	struct session s;
	need("sip-cisco");
	play(&s, "01-register-initial-88xx");
	assert_non_null(strstr(s.events, ", bulk, "));
	assert_non_null(strstr(s.events, "Last=initialized\""));
	sip_host_deinit(&s.host);
}

static void cisco_keepalive_gets_date_and_no_contact(void **state)
{
	struct session s;
	need("sip-cisco");
	play(&s, "03-keepalive-to-standby");
	assert_memory_equal(s.events, "register standby ", 17);
	assert_int_equal(status_of(&s), 200);
	has(&s, "\r\nDate: ");
	has_not(&s, "Contact:");
	sip_host_deinit(&s.host);
}

static void cisco_unregister_is_answered_with_nothing_bound(void **state)
{
	struct session s;
	need("sip-cisco");
	play(&s, "04-unregister");
	assert_memory_equal(s.events, "register unbind-all ", 20);
	assert_int_equal(status_of(&s), 200);
	has_not(&s, "Contact:");
	sip_host_deinit(&s.host);
}

static void cisco_refers_get_202(void **state)
{
	struct session s;
	need("sip-cisco");
	play(&s, "08-refer-token");
	assert_memory_equal(s.events, "token SEP020000AABB01 ", 22);
	assert_int_equal(status_of(&s), 202);
	sip_host_deinit(&s.host);
	play(&s, "09-refer-alarm");
	assert_memory_equal(s.events,
		"alarm DeviceTLInfo of SEP020000AABB01: DeviceName=", 50);
	assert_int_equal(status_of(&s), 202);
	has(&s, "\r\nContact: <sip:");
	sip_host_deinit(&s.host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_torture_message_gets_its_answer),
		cmocka_unit_test(cisco_registers_get_date_expires_and_contact),
		cmocka_unit_test(cisco_initial_register_asks_for_all_lines),
		cmocka_unit_test(cisco_keepalive_gets_date_and_no_contact),
		cmocka_unit_test(
			cisco_unregister_is_answered_with_nothing_bound),
		cmocka_unit_test(cisco_refers_get_202),
	};
	sip_message_setup();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("sip-shared", tests, NULL, NULL);
}

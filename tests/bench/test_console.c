/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about console lines: the grammar of a phone's log, Cisco's texts. */
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "bench/console.h"

/* The expression that log readers use, written for POSIX. */
#define GRAMMAR                                                               \
	"^ *([0-9]+):? +(NOT|NO|WRN|ERR|CRT) +"                               \
	"([0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}) +([A-Za-z_][-A-Za-z0-9_]*):" \
	" *-?(([A-Z][A-Z0-9_]+): *)?(.*)$"

enum { SEQ = 1, LEVEL, TIME, TASK, TAGGED, TAG, TEXT, PARTS };

struct heard {
	struct console console;
	char *text;
	size_t n;
};

static void listen_to(struct heard *h, const char *user)
{
	*h = (struct heard){.console = {.user = user}};
	h->console.to = open_memstream(&h->text, &h->n);
	assert_non_null(h->console.to);
}

/* What was said since listen_to(); the caller frees. */
static char *stop(struct heard *h)
{
	fclose(h->console.to);
	return h->text;
}

static void part_is(const char *line, const regmatch_t *part, const char *want)
{
	size_t n = (size_t)(part->rm_eo - part->rm_so);
	assert_int_equal(n, strlen(want));
	assert_memory_equal(line + part->rm_so, want, n);
}

/* The line (cut off at its newline) has these parts. */
static char *line_is(char *line, const char *level, const char *task,
	const char *tag, const char *text)
{
	regex_t grammar;
	regmatch_t parts[PARTS];
	char *end = strchr(line, '\n');
	assert_non_null(end);
	*end = '\0';
	assert_int_equal(regcomp(&grammar, GRAMMAR, REG_EXTENDED), 0);
	int found = regexec(&grammar, line, PARTS, parts, 0);
	regfree(&grammar);
	if (found != 0)
		fail_msg("'%s' is not a console line", line);
	part_is(line, &parts[LEVEL], level);
	part_is(line, &parts[TASK], task);
	part_is(line, &parts[TAG], tag);
	part_is(line, &parts[TEXT], text);
	return end + 1;
}

static void a_phone_without_lsc_says_it_will_try_its_mic(void **state)
{
	struct heard h;
	listen_to(&h, "SCCP");
	console_no_lsc(&h.console);
	char *text = stop(&h);
	line_is(text, "WRN", "SECD", "PXY_NO_LSC",
		"No LSC for [SCCP], will try MIC");
	free(text);
}

static void before_the_handshake_it_names_version_certificate_ciphers(
	void **state)
{
	struct heard h;
	listen_to(&h, "SCCP");
	console_cert_cipher(
		&h.console, "TLSv1", "LSC", "AES256-SHA:AES128-SHA");
	char *text = stop(&h);
	line_is(text, "NOT", "SECD", "PXY_CERT_CIPHER",
		"[SCCP], [TLSv1], cert [LSC], cipher [AES256-SHA:AES128-SHA]");
	free(text);
}

static void sip_firmware_prints_sip(void **state)
{
	struct heard h;
	listen_to(&h, "SIP");
	console_no_lsc(&h.console);
	console_cert_cipher(&h.console, "TLSv1.2", "MIC", "AES128-SHA");
	char *text = stop(&h), *next = text;
	next = line_is(next, "WRN", "SECD", "PXY_NO_LSC",
		"No LSC for [SIP], will try MIC");
	line_is(next, "NOT", "SECD", "PXY_CERT_CIPHER",
		"[SIP], [TLSv1.2], cert [MIC], cipher [AES128-SHA]");
	free(text);
}

/* Every alert that the registrar's table of verdicts can send. */
static void alerts_read_as_the_phone_prints_them(void **state)
{
	static const struct {
		int level, description;
		const char *line_level, *text;
	} alerts[] = {
		{2, 48, "ERR", "SSL3 alert [read]:[fatal]:[unknown CA]"},
		{2, 45, "ERR",
			"SSL3 alert [read]:[fatal]:[certificate expired]"},
		{2, 42, "ERR", "SSL3 alert [read]:[fatal]:[bad certificate]"},
		{2, 44, "ERR",
			"SSL3 alert [read]:[fatal]:[certificate revoked]"},
		{2, 43, "ERR",
			"SSL3 alert [read]:[fatal]:[unsupported certificate]"},
		{2, 51, "ERR", "SSL3 alert [read]:[fatal]:[decrypt error]"},
		{2, 40, "ERR", "SSL3 alert [read]:[fatal]:[handshake failure]"},
		{2, 70, "ERR", "SSL3 alert [read]:[fatal]:[protocol version]"},
		{2, 116, "ERR",
			"SSL3 alert [read]:[fatal]:[certificate required]"},
		{1, 0, "NOT", "SSL3 alert [read]:[warning]:[close notify]"},
	};
	struct heard h;
	listen_to(&h, "SCCP");
	for (size_t i = 0; i < sizeof(alerts) / sizeof(*alerts); i++)
		console_alert(&h.console, CONSOLE_ALERT_READ, alerts[i].level,
			alerts[i].description);
	char *text = stop(&h), *next = text;
	for (size_t i = 0; i < sizeof(alerts) / sizeof(*alerts); i++)
		next = line_is(next, alerts[i].line_level, "SECD",
			"STATE_SSL3_ALERT", alerts[i].text);
	assert_string_equal(next, "");
	free(text);
}

static void an_alert_of_our_own_is_written(void **state)
{
	struct heard h;
	listen_to(&h, "SCCP");
	console_alert(&h.console, CONSOLE_ALERT_WRITE, SSL3_AL_FATAL, 48);
	char *text = stop(&h);
	line_is(text, "ERR", "SECD", "STATE_SSL3_ALERT",
		"SSL3 alert [write]:[fatal]:[unknown CA]");
	free(text);
}

static void lines_are_numbered_from_one(void **state)
{
	struct heard h;
	listen_to(&h, "SCCP");
	for (int i = 0; i < 12; i++)
		console_say(&h.console, "NOT", "JVM", "A_TAG", "text");
	char *text = stop(&h), *line = text;
	for (unsigned long i = 1; i <= 12; i++) {
		assert_int_equal(strtoul(line, NULL, 10), i);
		line = strchr(line, '\n') + 1;
	}
	assert_string_equal(line, "");
	free(text);
}

static void a_console_without_a_file_says_nothing(void **state)
{
	struct console c = {.user = "SCCP"};
	console_no_lsc(&c);
	assert_int_equal(c.seq, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_phone_without_lsc_says_it_will_try_its_mic),
		cmocka_unit_test(
			before_the_handshake_it_names_version_certificate_ciphers),
		cmocka_unit_test(sip_firmware_prints_sip),
		cmocka_unit_test(alerts_read_as_the_phone_prints_them),
		cmocka_unit_test(an_alert_of_our_own_is_written),
		cmocka_unit_test(lines_are_numbered_from_one),
		cmocka_unit_test(a_console_without_a_file_says_nothing),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

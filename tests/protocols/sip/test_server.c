/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the SIP server engine that no conversation can show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocols/sip/answer.h"
#include "protocols/sip/message.h"
#include "tests/protocols/sip/host.h"

enum { TEXT_MAX = 4096, START_MS = 1000000, HEAD_SIZE = 8192 };

static struct moment start(void)
{
	return (struct moment){START_MS, INT64_C(1795406400000), 0};
}

static const char REGISTER[] = "REGISTER sip:x SIP/2.0\r\n"
			       "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKo\r\n"
			       "From: <sip:a@b>;tag=1\r\n"
			       "To: <sip:a@b>\r\n"
			       "Call-ID: c\r\n"
			       "CSeq: 1 REGISTER\r\n"
			       "Max-Forwards: 70\r\n"
			       "Contact: <sip:a@192.0.2.1>\r\n"
			       "Content-Length: 0\r\n\r\n";

static const char OPTIONS[] = "OPTIONS sip:x SIP/2.0\r\n"
			      "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKo\r\n"
			      "From: <sip:a@b>;tag=1\r\n"
			      "To: <sip:a@b>\r\n"
			      "Call-ID: c\r\n"
			      "CSeq: 1 OPTIONS\r\n"
			      "Max-Forwards: 70\r\n"
			      "Content-Length: 0\r\n\r\n";

static void feed(struct sip_host *h, const char *text, const struct moment *now)
{
	sip_server_feed(&h->server, text, strlen(text), now);
}

static void event_is(struct sip_host *h, const char *wanted)
{
	char text[TEXT_MAX];
	if (!sip_host_next(h, text, sizeof(text)))
		strcpy(text, "nothing");
	if (strncmp(text, wanted, strlen(wanted)) != 0)
		fail_msg("%s, wanted %s", text, wanted);
}

static void closes_when_answers_pile_up_unread(void **state)
{
	struct sip_host h = {0};
	struct moment now = start();
	size_t n, answers = 0;
	char text[TEXT_MAX];
	sip_host_init(&h, &now);
	do {
		feed(&h, OPTIONS, &now);
		assert_true(sip_host_next(&h, text, sizeof(text)));
		answers++;
	} while (sip_server_deadline(&h.server) != MOMENT_NEVER);
	assert_in_range(answers, 50, 200);
	event_is(&h, "close sip-not-reading");
	event_is(&h, "nothing");
	sip_server_out(&h.server, &n);
	assert_true(n <= h.config.out_max);
	sip_host_deinit(&h);
}

static void parses_nothing_while_an_answer_is_owed(void **state)
{
	struct sip_host h = {0};
	struct moment now = start();
	sip_host_init(&h, &now);
	feed(&h, REGISTER, &now);
	event_is(&h, "register bind a by aor");
	event_is(&h, "nothing");
	feed(&h, OPTIONS, &now);
	event_is(&h, "nothing");
	sip_host_apply(&h, &now);
	event_is(&h, "answered OPTIONS 200");
	event_is(&h, "nothing");
	sip_host_deinit(&h);
}

/* What is behind the cap is not looked at, and not kept either. */
static void parameters_without_end_cost_no_more_than_the_cap(void **state)
{
	enum { PARAMS = 16384 };
	struct sip_host h = {0};
	struct moment now = start();
	size_t n;
	sip_host_init(&h, &now);
	feed(&h, "REGISTER sip:x SIP/2.0\r\nContact: <sip:a@b>", &now);
	event_is(&h, "nothing");
	clock_t before = clock();
	for (int i = 0; i < PARAMS; i++) {
		feed(&h, ";a", &now);
		if (i < 4000)
			event_is(&h, "nothing");
	}
	event_is(&h, "answered REGISTER 513");
	event_is(&h, "close sip-head-too-long");
	event_is(&h, "nothing");
	assert_null(h.server.in.data);
	assert_in_range((clock() - before) * 1000 / CLOCKS_PER_SEC, 0, 2000);
	const char *out = (const char *)sip_server_out(&h.server, &n);
	assert_in_range(n, 1, 1024);
	assert_memory_equal(out, "SIP/2.0 513 ", 12);
	sip_host_deinit(&h);
}

static void holds_no_buffers_while_idle(void **state)
{
	struct sip_host h = {0};
	struct moment now = start();
	size_t n;
	sip_host_init(&h, &now);
	feed(&h, REGISTER, &now);
	event_is(&h, "register");
	sip_host_apply(&h, &now);
	event_is(&h, "nothing");
	sip_server_out(&h.server, &n);
	sip_server_sent(&h.server, n);
	assert_null(h.server.in.data);
	assert_null(h.server.out.data);
	sip_host_deinit(&h);
}

static void answer_after_the_end_is_not_sent(void **state)
{
	struct sip_host h = {0};
	struct moment now = start();
	size_t n;
	sip_host_init(&h, &now);
	feed(&h, OPTIONS, &now);
	event_is(&h, "answered");
	sip_server_out(&h.server, &n);
	sip_server_sent(&h.server, n);
	feed(&h, REGISTER, &now);
	event_is(&h, "register");
	now.mono_ms += h.config.idle_ms;
	sip_server_tick(&h.server, &now);
	sip_host_apply(&h, &now);
	event_is(&h, "close sip-idle");
	sip_server_accept(&h.server, &(struct sip_grant){0});
	assert_null(sip_server_out(&h.server, &n));
	sip_host_deinit(&h);
}

static void names_its_next_deadline(void **state)
{
	struct sip_host h = {0};
	struct moment now = start();
	sip_host_init(&h, &now);
	assert_int_equal(sip_server_deadline(&h.server), START_MS + 30000);
	now.mono_ms += 25000;
	feed(&h, "OPT", &now);
	event_is(&h, "nothing");
	assert_int_equal(sip_server_deadline(&h.server), START_MS + 30000);
	feed(&h, OPTIONS + 3, &now);
	event_is(&h, "answered");
	event_is(&h, "nothing");
	assert_int_equal(
		sip_server_deadline(&h.server), now.mono_ms + h.config.idle_ms);
	feed(&h, "R", &now);
	event_is(&h, "nothing");
	assert_int_equal(sip_server_deadline(&h.server), now.mono_ms + 10000);
	feed(&h, REGISTER + 1, &now);
	event_is(&h, "register");
	sip_host_apply(&h, &now);
	assert_int_equal(sip_server_deadline(&h.server), now.mono_ms + 120000);
	sip_host_deinit(&h);
}

static void destroying_a_zeroed_engine_is_fine(void **state)
{
	struct sip_server s = {0};
	sip_server_deinit(&s);
}

static void no_answer_line_is_longer_than_a_phone_reads(void **state)
{
	static char text[HEAD_SIZE];
	struct sip_host h = {0};
	struct moment now = start();
	size_t n;
	sip_host_init(&h, &now);
	snprintf(text, sizeof(text),
		"REGISTER sip:x SIP/2.0\r\n"
		"Via: SIP/2.0/TCP 192.0.2.1;branch=%0950d\r\n"
		"From: <sip:a@b>;tag=%0950d\r\n"
		"To: <sip:a@b>;x=%0950d\r\n"
		"Call-ID: c\r\nCSeq: 1 REGISTER\r\nMax-Forwards: 70\r\n"
		"Contact: <sip:a@b;x=%0956d>\r\n"
		"Content-Length: 0\r\n\r\n",
		1, 1, 1, 1);
	feed(&h, text, &now);
	event_is(&h, "register");
	sip_host_apply(&h, &now);
	const char *out = (const char *)sip_server_out(&h.server, &n);
	assert_memory_equal(out, "SIP/2.0 200 OK\r\n", 16);
	size_t longest = 0;
	for (size_t from = 0, i = 0; i < n; i++) {
		if (out[i] != '\n')
			continue;
		longest = i + 1 - from > longest ? i + 1 - from : longest;
		from = i + 1;
	}
	assert_in_range(longest, 1000, 1024);
	sip_host_deinit(&h);
}

static void host_text_cannot_start_a_new_line(void **state)
{
	struct sip_host h = {0};
	struct moment now = start();
	size_t n;
	char text[TEXT_MAX];
	sip_host_init(&h, &now);
	feed(&h, REGISTER, &now);
	event_is(&h, "register");
	struct sip_refusal refusal = {.status = 403,
		.phrase = "No\r\nX-Evil: 1",
		.warning = "a\r\nX-Evil: 2\r\n\r\n"};
	sip_server_reject(&h.server, &refusal);
	const char *out = (const char *)sip_server_out(&h.server, &n);
	snprintf(text, sizeof(text), "%.*s", (int)n, out);
	assert_null(strstr(text, "\nX-Evil"));
	assert_non_null(strstr(text, "SIP/2.0 403 No??X-Evil: 1\r\n"));
	sip_host_deinit(&h);
}

static void dates_are_rfc_1123(void **state)
{
	static const struct {
		int64_t unix_ms;
		const char *date;
	} rows[] = {
		{0, "Thu, 01 Jan 1970 00:00:00 GMT"},
		{-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
		{INT64_C(951782400999), "Tue, 29 Feb 2000 00:00:00 GMT"},
		{INT64_C(1795406400000), "Mon, 23 Nov 2026 04:00:00 GMT"},
		{INT64_C(4107542399000), "Sun, 28 Feb 2100 23:59:59 GMT"},
		{INT64_C(4107542400000), "Mon, 01 Mar 2100 00:00:00 GMT"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char date[SIP_DATE_SIZE];
		struct moment now = {.unix_ms = rows[i].unix_ms};
		sip_answer_date(&now, date);
		assert_string_equal(date, rows[i].date);
	}
}

static void every_rule_and_close_has_its_words(void **state)
{
	for (int i = 0; i < SIP_RULES; i++) {
		enum sip_rule rule = (enum sip_rule)i;
		int status = sip_rule_status(rule);
		assert_true(status == 0 || (status >= 200 && status < 700));
		assert_null(strpbrk(sip_rule_text(rule), "\"\\\r\n"));
		assert_true(strlen(sip_rule_text(rule)) > 5);
	}
#define X(symbol, name, text)                                          \
	assert_string_equal(sip_close_name(SIP_CLOSE_##symbol), name); \
	assert_string_equal(sip_close_text(SIP_CLOSE_##symbol), text);
	SIP_CLOSE_LIST(X)
#undef X
}

/* libosip2 prints its refusals to stdout unless it is told not to. */
static void the_parser_prints_nothing(void **state)
{
	struct sip_host h = {0};
	struct moment now = start();
	FILE *capture = tmpfile();
	assert_non_null(capture);
	fflush(stdout);
	int saved = dup(STDOUT_FILENO);
	dup2(fileno(capture), STDOUT_FILENO);
	sip_host_init(&h, &now);
	feed(&h,
		"OPTIONS sip:x SIP/2.0\r\nVia: ;;\r\nFrom: \"\r\nTo: <<\r\n"
		"Call-ID: c\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 1\r\n"
		"Content-Length: 0\r\n\r\n",
		&now);
	char text[TEXT_MAX];
	bool told = sip_host_next(&h, text, sizeof(text));
	sip_host_deinit(&h);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	fseek(capture, 0, SEEK_END);
	long printed = ftell(capture);
	fclose(capture);
	assert_true(told);
	assert_string_equal(text,
		"answered OPTIONS 400: a header is not written as RFC 3261 25 "
		"wants it");
	assert_int_equal(printed, 0);
}

/* The worst heads that pass every limit; quadratic code would take seconds. */
static void hostile_heads_cost_little(void **state)
{
	static const char *const fillers[] = {"X: ;;;;;;;;\r\n", "k: ,,,\r\n",
		"a:\r\n", "Accept: a/b;c=d,e/f\r\n", "X-y: \"\\\"\\\"\r\n",
		"X-y: <<<<<<\r\n", "Route: <sip:a>,<sip:b>\r\n"};
	static char text[HEAD_SIZE + 64];
	clock_t begin = clock();
	for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]); i++) {
		struct sip_host h = {0};
		struct moment now = start();
		sip_host_init(&h, &now);
		text[0] = '\0';
		sip_host_append(text, sizeof(text), OPTIONS);
		text[strlen(text) - 2] = '\0';
		for (int line = 0; line < 92; line++)
			sip_host_append(text, sizeof(text), fillers[i]);
		sip_host_append(text, sizeof(text), "\r\n");
		for (int round = 0; round < 100; round++) {
			char event[TEXT_MAX];
			size_t n;
			feed(&h, text, &now);
			assert_true(sip_host_next(&h, event, sizeof(event)));
			sip_server_out(&h.server, &n);
			sip_server_sent(&h.server, n);
		}
		sip_host_deinit(&h);
	}
	assert_true(clock() - begin < 10 * CLOCKS_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closes_when_answers_pile_up_unread),
		cmocka_unit_test(parses_nothing_while_an_answer_is_owed),
		cmocka_unit_test(
			parameters_without_end_cost_no_more_than_the_cap),
		cmocka_unit_test(holds_no_buffers_while_idle),
		cmocka_unit_test(answer_after_the_end_is_not_sent),
		cmocka_unit_test(names_its_next_deadline),
		cmocka_unit_test(destroying_a_zeroed_engine_is_fine),
		cmocka_unit_test(no_answer_line_is_longer_than_a_phone_reads),
		cmocka_unit_test(host_text_cannot_start_a_new_line),
		cmocka_unit_test(dates_are_rfc_1123),
		cmocka_unit_test(every_rule_and_close_has_its_words),
		cmocka_unit_test(the_parser_prints_nothing),
		cmocka_unit_test(hostile_heads_cost_little),
	};
	sip_message_setup();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("sip-server", tests, NULL, NULL);
}

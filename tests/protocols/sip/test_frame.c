/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the SIP framer and its header index. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/sip/frame.h"
#include "tests/protocols/sip/host.h"

static const struct sip_limits limits = {
	.message_max = 11000,
	.head_max = 8192,
	.lines_max = 100,
	.params_max = 64,
	.contacts_max = 16,
};

static const char MESSAGE[] = "OPTIONS sip:x SIP/2.0\r\n"
			      "Subject: a\r\n"
			      "\tb\r\n"
			      "L : 3\r\n"
			      "\r\n"
			      "abc";

/* Steps over text as one piece; the bytes in front are dropped. */
static enum sip_frame_step step(struct sip_frame *f, const char *text)
{
	size_t skip;
	enum sip_frame_step found =
		sip_frame_next(f, &limits, text, strlen(text), &skip);
	if (found == SIP_FRAME_MESSAGE)
		assert_true(skip + f->head + f->body <= strlen(text));
	return found;
}

static enum sip_rule rule_of(const char *text)
{
	struct sip_frame f = {0};
	return step(&f, text) == SIP_FRAME_LOST ? f.rule : SIP_RULE_OK;
}

static void finds_a_message_at_every_split(void **state)
{
	for (size_t cut = 0; cut < sizeof(MESSAGE) - 1; cut++) {
		struct sip_frame f = {0};
		size_t skip;
		char *part = malloc(cut + 1);
		memcpy(part, MESSAGE, cut);
		assert_int_equal(sip_frame_next(&f, &limits, part, cut, &skip),
			SIP_FRAME_MORE);
		free(part);
		assert_int_equal(step(&f, MESSAGE), SIP_FRAME_MESSAGE);
		assert_int_equal(f.head, sizeof(MESSAGE) - 1 - 3);
		assert_int_equal(f.body, 3);
	}
}

static void looks_at_every_byte_of_a_head_once(void **state)
{
	struct sip_frame f = {0};
	size_t skip;
	for (size_t n = 1; n < sizeof(MESSAGE) - 4; n++) {
		assert_int_equal(sip_frame_next(&f, &limits, MESSAGE, n, &skip),
			SIP_FRAME_MORE);
		assert_int_equal(f.scanned, n);
	}
}

static void takes_exactly_one_of_two_messages(void **state)
{
	struct sip_frame f = {0};
	char two[2 * sizeof(MESSAGE)];
	two[0] = '\0';
	sip_host_append(two, sizeof(two), MESSAGE);
	sip_host_append(two, sizeof(two), MESSAGE);
	assert_int_equal(step(&f, two), SIP_FRAME_MESSAGE);
	size_t n = f.head + f.body;
	assert_int_equal(n, sizeof(MESSAGE) - 1);
	f = (struct sip_frame){0};
	assert_int_equal(step(&f, two + n), SIP_FRAME_MESSAGE);
}

static void line_ends_in_front_are_skipped_or_pings(void **state)
{
	static const struct {
		const char *text;
		enum sip_frame_step step;
		size_t skip;
	} rows[] = {
		{"", SIP_FRAME_MORE, 0},
		{"\r", SIP_FRAME_MORE, 0},
		{"\r\n\r", SIP_FRAME_MORE, 0},
		{"\r\n\r\n", SIP_FRAME_PING, 4},
		{"\n\r\n\r\nX", SIP_FRAME_PING, 5},
		{"\r\n\rX", SIP_FRAME_MORE, 3},
		{"\n\n\nX", SIP_FRAME_MORE, 3},
		{"\r\n\r\r\n", SIP_FRAME_MORE, 3},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sip_frame f = {0};
		size_t skip, n = strlen(rows[i].text);
		assert_int_equal(
			sip_frame_next(&f, &limits, rows[i].text, n, &skip),
			rows[i].step);
		assert_int_equal(skip, rows[i].skip);
	}
}

static void refuses_what_is_not_sip_at_its_first_byte(void **state)
{
	assert_int_equal(rule_of("\x16\x03"), SIP_RULE_NOT_SIP);
	assert_int_equal(rule_of("$"), SIP_RULE_NOT_SIP);
	assert_int_equal(rule_of("GET / HTTP/1.1\r\n"), SIP_RULE_NOT_SIP);
	assert_int_equal(rule_of("OPTIONS\r\n"), SIP_RULE_NOT_SIP);
	assert_int_equal(rule_of("OPTIONS sip:x SIP/9\r\n"), SIP_RULE_OK);
	assert_int_equal(rule_of("SIP/2.0 200 OK\r\n"), SIP_RULE_OK);
}

static void refuses_bare_line_ends(void **state)
{
	assert_int_equal(rule_of("OPTIONS sip:x SIP/2.0\n"), SIP_RULE_LINE_END);
	assert_int_equal(
		rule_of("OPTIONS sip:x SIP/2.0\r\nA: b\rc"), SIP_RULE_LINE_END);
}

static enum sip_rule length_rule(const char *lines)
{
	char text[256] = "OPTIONS sip:x SIP/2.0\r\n";
	sip_host_append(text, sizeof(text), lines);
	sip_host_append(text, sizeof(text), "\r\n");
	return rule_of(text);
}

static void content_length_stands_once_and_is_digits(void **state)
{
	assert_int_equal(length_rule("l:0\r\n"), SIP_RULE_OK);
	assert_int_equal(
		length_rule("CONTENT-LENGTH  :\r\n 0007\r\n"), SIP_RULE_OK);
	assert_int_equal(length_rule(""), SIP_RULE_LENGTH_MISSING);
	assert_int_equal(length_rule("l: 1\r\nContent-Length: 1\r\n"),
		SIP_RULE_LENGTH_TWICE);
	static const char *const odd[] = {
		"-1", "+1", "0x1", "1 1", "1,1", "", "1;a", "\xb2"};
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		char line[64] = "Content-Length: ";
		sip_host_append(line, sizeof(line), odd[i]);
		sip_host_append(line, sizeof(line), "\r\n");
		assert_int_equal(length_rule(line), SIP_RULE_LENGTH_DIGITS);
	}
	assert_int_equal(
		length_rule("l: 4294967296\r\n"), SIP_RULE_MESSAGE_TOO_LONG);
	assert_int_equal(
		length_rule("l: 11000\r\n"), SIP_RULE_MESSAGE_TOO_LONG);
}

static void a_broken_limit_does_not_lose_the_frame(void **state)
{
	char text[4096] = "OPTIONS sip:x SIP/2.0\r\n";
	for (int i = 0; i < 101; i++)
		sip_host_append(text, sizeof(text), "X-a: b\r\n");
	sip_host_append(text, sizeof(text), "l: 0\r\n\r\n");
	struct sip_frame f = {0};
	assert_int_equal(step(&f, text), SIP_FRAME_MESSAGE);
	assert_int_equal(f.rule, SIP_RULE_TOO_MANY_LINES);
	assert_int_equal(f.head, strlen(text));
}

static void index_keeps_folds_together(void **state)
{
	static struct sip_head head;
	sip_head_index(&head, MESSAGE, sizeof(MESSAGE) - 4);
	assert_int_equal(head.n, 2);
	assert_int_equal(head.first.n, strlen("OPTIONS sip:x SIP/2.0"));
	assert_true(sip_field_is(head.lines[0].value, "a\r\n\tb"));
	assert_int_equal(head.lines[1].header, SIP_HEADER_CONTENT_LENGTH);
	assert_true(sip_field_is(
		sip_head_value(&head, SIP_HEADER_CONTENT_LENGTH), "3"));
	assert_null(sip_head_value(&head, SIP_HEADER_TO).p);
}

static void index_knows_names_in_any_case_and_compact(void **state)
{
	static struct sip_head head;
	for (int h = SIP_HEADER_OTHER + 1; h < SIP_HEADERS; h++) {
		char text[64] = "x\r\n";
		sip_host_append(text, sizeof(text),
			sip_header_name((enum sip_header)h));
		text[3] ^= 0x20;
		sip_host_append(text, sizeof(text), ": v\r\n");
		sip_head_index(&head, text, strlen(text));
		assert_int_equal(head.n, 1);
		assert_int_equal(head.lines[0].header, h);
	}
	const char compact[] = "x\r\nV: 1\r\nm: 2\r\nVia2: 3\r\nb: 4\r\n";
	sip_head_index(&head, compact, sizeof(compact) - 1);
	assert_int_equal(head.lines[0].header, SIP_HEADER_VIA);
	assert_int_equal(head.lines[1].header, SIP_HEADER_CONTACT);
	assert_int_equal(head.lines[2].header, SIP_HEADER_OTHER);
	assert_int_equal(head.lines[3].header, SIP_HEADER_OTHER);
}

static void index_leaves_out_what_it_cannot_hold(void **state)
{
	static struct sip_head head;
	static char text[SIP_LINES_MAX * 8 + 256] = "x\r\n";
	for (int i = 0; i < SIP_LINES_MAX + 9; i++)
		sip_host_append(text, sizeof(text), "a: b\r\n");
	sip_head_index(&head, text, strlen(text));
	assert_int_equal(head.n, SIP_LINES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_a_message_at_every_split),
		cmocka_unit_test(looks_at_every_byte_of_a_head_once),
		cmocka_unit_test(takes_exactly_one_of_two_messages),
		cmocka_unit_test(line_ends_in_front_are_skipped_or_pings),
		cmocka_unit_test(refuses_what_is_not_sip_at_its_first_byte),
		cmocka_unit_test(refuses_bare_line_ends),
		cmocka_unit_test(content_length_stands_once_and_is_digits),
		cmocka_unit_test(a_broken_limit_does_not_lose_the_frame),
		cmocka_unit_test(index_keeps_folds_together),
		cmocka_unit_test(index_knows_names_in_any_case_and_compact),
		cmocka_unit_test(index_leaves_out_what_it_cannot_hold),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("sip-frame", tests, NULL, NULL);
}

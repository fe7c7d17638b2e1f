/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about datagrams: where a message ends, where its answer goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/sip/datagram.h"
#include "protocols/sip/message.h"
#include "protocols/sip/via.h"
#include "tests/protocols/sip/host.h"

enum { TEXT_MAX = 24000, SOURCE_PORT = 40000 };

static const struct sip_limits limits = {
	.message_max = 11000,
	.head_max = 8192,
	.lines_max = 100,
	.params_max = 64,
	.contacts_max = 16,
};

static const struct sip_datagram_source source = {"192.0.2.7", SOURCE_PORT};
static struct sip_datagram d;

/* OPTIONS with this Via and this end; a copy of the exact size. */
static char *options(const char *via, const char *end)
{
	char *text = malloc(TEXT_MAX);
	int n = snprintf(text, TEXT_MAX,
		"OPTIONS sip:x SIP/2.0\r\n"
		"Via: %s\r\n"
		"From: <sip:a@b>;tag=1\r\n"
		"To: <sip:a@b>\r\n"
		"Call-ID: c\r\n"
		"CSeq: 1 OPTIONS\r\n"
		"Max-Forwards: 70\r\n"
		"%s",
		via, end);
	return realloc(text, (size_t)n + 1);
}

static void read_text(const char *text)
{
	size_t n = strlen(text);
	char *copy = malloc(n ? n : 1);
	memcpy(copy, text, n);
	sip_datagram_read(&d, copy, n, false, &source, &limits);
	free(copy);
}

static void read_options(const char *via, const char *end)
{
	char *text = options(via, end);
	read_text(text);
	free(text);
}

static const char PLAIN[] = "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1";
static const char NO_BODY[] = "Content-Length: 0\r\n\r\n";

static void kind_is(enum sip_datagram_kind kind, enum sip_rule rule)
{
	assert_int_equal(d.kind, kind);
	if (kind == SIP_DATAGRAM_REQUEST && d.rule != rule)
		fail_msg("%s", sip_rule_text(d.rule));
}

static void has(const char *text, size_t n, const char *part)
{
	if (!memmem(text, n, part, strlen(part)))
		fail_msg("no %s in %.*s", part, (int)n, text);
}

static void message_has(const char *part)
{
	has(d.message, d.n, part);
}

/* The message is one message, to its last byte. */
static void message_is_whole(const char *body)
{
	struct sip_frame f = {0};
	size_t skip;
	assert_int_equal(sip_frame_next(&f, &limits, d.message, d.n, &skip),
		SIP_FRAME_MESSAGE);
	assert_int_equal(skip, 0);
	assert_int_equal((size_t)f.head + f.body, d.n);
	assert_int_equal(f.body, strlen(body));
	assert_memory_equal(d.message + f.head, body, f.body);
}

static void a_datagram_is_a_message(void **state)
{
	read_options(PLAIN, "Content-Length: 3\r\n\r\nabc");
	kind_is(SIP_DATAGRAM_REQUEST, SIP_RULE_OK);
	message_is_whole("abc");
	read_options(PLAIN, "Content-Length: 2\r\n\r\nabc"); /* more than it */
	kind_is(SIP_DATAGRAM_REQUEST, SIP_RULE_OK);
	message_is_whole("ab");
	read_options(PLAIN, "\r\nabc"); /* no length: all of the rest */
	kind_is(SIP_DATAGRAM_REQUEST, SIP_RULE_OK);
	message_is_whole("abc");
	message_has("\r\nContent-Length: 3\r\n\r\nabc");
	read_options(PLAIN, "\r\n");
	kind_is(SIP_DATAGRAM_REQUEST, SIP_RULE_OK);
	message_is_whole("");
}

static void line_ends_in_front_are_skipped(void **state)
{
	char *text = options(PLAIN, NO_BODY);
	char front[TEXT_MAX];
	snprintf(front, sizeof(front), "\r\n\r\n\r\n%s", text);
	read_text(front);
	kind_is(SIP_DATAGRAM_REQUEST, SIP_RULE_OK);
	message_is_whole("");
	free(text);
}

static void what_ends_too_early_is_refused(void **state)
{
	read_options(PLAIN, "Content-Length: 4\r\n\r\nabc");
	kind_is(SIP_DATAGRAM_REQUEST, SIP_RULE_CUT);
	read_options(PLAIN, "Subject: never e");
	kind_is(SIP_DATAGRAM_REQUEST, SIP_RULE_CUT);
	message_has("Max-Forwards: 70\r\n\r\n"); /* whole lines alone */
	read_options(PLAIN, "Content-Length: x\r\n\r\n");
	kind_is(SIP_DATAGRAM_REQUEST, SIP_RULE_LENGTH_DIGITS);
	read_options(PLAIN, "Content-Length: 0\r\nl: 0\r\n\r\n");
	kind_is(SIP_DATAGRAM_REQUEST, SIP_RULE_LENGTH_TWICE);
	read_options(PLAIN, "Content-Length: 99999\r\n\r\n");
	kind_is(SIP_DATAGRAM_REQUEST, SIP_RULE_MESSAGE_TOO_LONG);
	read_options(PLAIN, "Subject: a\nb\r\n\r\n");
	kind_is(SIP_DATAGRAM_REQUEST, SIP_RULE_LINE_END);
	char *text = options(PLAIN, NO_BODY);
	sip_datagram_read(&d, text, strlen(text), true, &source, &limits);
	kind_is(SIP_DATAGRAM_REQUEST, SIP_RULE_MESSAGE_TOO_LONG);
	free(text);
}

static void a_refusal_says_which_rule(void **state)
{
	struct moment now = {.unix_ms = INT64_C(1795406400000)};
	struct bytes_queue out;
	size_t n;
	bytes_queue_init(&out, TEXT_MAX);
	read_options("SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK1",
		"Content-Length: 4\r\n\r\nabc");
	sip_datagram_refuse(&d, &out, "node1", &now);
	const char *p = (const char *)bytes_queue_peek(&out, &n);
	static const char head[] = "SIP/2.0 400 Bad Request\r\n"
				   "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"
				   ";received=192.0.2.7;rport=40000\r\n"
				   "From: <sip:a@b>;tag=1\r\n";
	assert_true(n > sizeof(head));
	assert_memory_equal(p, head, sizeof(head) - 1);
	has(p, n, "Warning: 399 node1 \"the datagram ends before");
	bytes_queue_deinit(&out);
}

static void what_is_no_sip_is_nothing(void **state)
{
	static const char *const nothing[] = {
		"hello",
		"GET / HTTP/1.1\r\n\r\n",
		"OPTIONS sip:x SIP/2.0",
		"OPTIONS sip:x SIP/2.0\n",
		"\x16\x03\x01\x02",
		"SIP/2.0 2000 OK\r\n\r\n",
		"SIP/2.0 200 OK\r\nContent-Length: 5\r\n\r\n",
	};
	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
		read_text(nothing[i]);
		kind_is(SIP_DATAGRAM_NONE, SIP_RULE_OK);
	}
	static const char *const empty[] = {"", "\r\n", "\r\n\r\n", "\n"};
	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		read_text(empty[i]);
		kind_is(SIP_DATAGRAM_EMPTY, SIP_RULE_OK);
	}
	read_text("ACK sip:x SIP/2.0\r\n\r\n");
	kind_is(SIP_DATAGRAM_ACK, SIP_RULE_OK);
	read_text("SIP/2.0 200 OK\r\n\r\n");
	kind_is(SIP_DATAGRAM_RESPONSE, SIP_RULE_OK);
	assert_int_equal(d.status, 200);
}

/* Via as it came, as it goes on, and where the answer goes. */
static const struct {
	const char *came;
	const char *goes;
	uint16_t port;
} vias[] = {
	{"SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bK1",
		"SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bK1", 5070},
	{"SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1",
		"SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1", 5060},
	{"SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1",
		"SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1;received=192.0.2.7",
		5070},
	{"SIP/2.0/UDP phone.test : 5070;branch=z9hG4bK1",
		"SIP/2.0/UDP phone.test : 5070;branch=z9hG4bK1"
		";received=192.0.2.7",
		5070},
	{"SIP/2.0/UDP 192.0.2.7:5070;rport;branch=z9hG4bK1",
		"SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bK1"
		";received=192.0.2.7;rport=40000",
		SOURCE_PORT},
	{"SIP/2.0/UDP [2001:db8::1]:5070;branch=z9hG4bK1",
		"SIP/2.0/UDP [2001:db8::1]:5070;branch=z9hG4bK1"
		";received=192.0.2.7",
		5070},
	/* What only we may say is not taken from others; nor is maddr. */
	{"SIP/2.0/UDP 192.0.2.7;received=198.51.100.1;rport=9"
	 ";maddr=198.51.100.2;branch=z9hG4bK1",
		"SIP/2.0/UDP 192.0.2.7;maddr=198.51.100.2;branch=z9hG4bK1"
		";received=192.0.2.7;rport=40000",
		SOURCE_PORT},
	{"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1, SIP/2.0/UDP a;branch=b;rport",
		"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;received=192.0.2.7, "
		"SIP/2.0/UDP a;branch=b;rport",
		5060},
	/* What nobody can read is answered to where it came from. */
	{"SIP/2.0/UDP 192.0.2.1:0;branch=b", "SIP/2.0/UDP 192.0.2.1:0;branch=b",
		SOURCE_PORT},
	{"SIP/2.0/UDP 192.0.2.1:99999;branch=b",
		"SIP/2.0/UDP 192.0.2.1:99999;branch=b", SOURCE_PORT},
	{"SIP/2.0/UDP [2001:db8::1;branch=b",
		"SIP/2.0/UDP [2001:db8::1;branch=b", SOURCE_PORT},
	{"SIP/2.0", "SIP/2.0", SOURCE_PORT},
	{"", "", SOURCE_PORT},
};

static void answers_go_where_rfc_3581_says(void **state)
{
	for (size_t i = 0; i < sizeof(vias) / sizeof(vias[0]); i++) {
		char line[400];
		read_options(vias[i].came, NO_BODY);
		kind_is(SIP_DATAGRAM_REQUEST, SIP_RULE_OK);
		snprintf(line, sizeof(line),
			"\r\nVia: %s\r\nFrom:", vias[i].goes);
		message_has(line);
		assert_int_equal(d.port, vias[i].port);
	}
}

static void only_the_first_via_is_ours_to_change(void **state)
{
	read_options("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
		     "Via: SIP/2.0/UDP 192.0.2.2;rport;branch=z9hG4bK2",
		NO_BODY);
	message_has("z9hG4bK1;received=192.0.2.7\r\n"
		    "Via: SIP/2.0/UDP 192.0.2.2;rport;branch=z9hG4bK2\r\n");
	assert_int_equal(d.port, SIP_PORT);
}

static void what_changes_on_the_way_changes_no_key(void **state)
{
	read_options(PLAIN, NO_BODY);
	uint64_t key = d.key;
	read_options(PLAIN, "\r\n");
	assert_true(d.key == key);
	read_options("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2", NO_BODY);
	assert_false(d.key == key);
}

static const char NOTIFY[] = "NOTIFY sip:a@192.0.2.7 SIP/2.0\r\n"
			     "Via: SIP/2.0/TCP node1;branch=z9hG4bKn\r\n"
			     "From: <sip:x>;tag=1\r\n"
			     "To: <sip:a@x>\r\n"
			     "Call-ID: n\r\n"
			     "CSeq: 1 NOTIFY\r\n"
			     "Max-Forwards: 70\r\n"
			     "Content-Length: 2\r\n\r\nab";

static void our_requests_say_where_they_come_from(void **state)
{
	char stamped[TEXT_MAX];
	uint64_t key;
	size_t n = sip_datagram_stamp(NOTIFY, sizeof(NOTIFY) - 1,
		"192.0.2.1:5060", stamped, sizeof(stamped), &key);
	assert_true(n > 0);
	has(stamped, n,
		"\r\nVia: SIP/2.0/UDP "
		"192.0.2.1:5060;branch=z9hG4bKn;rport\r\n");
	assert_memory_equal(stamped + n - 6, "\r\n\r\nab", 6);
	assert_int_equal(sip_datagram_stamp(NOTIFY, sizeof(NOTIFY) - 1,
				 "192.0.2.1:5060", stamped, 100, &key),
		0);
	sip_datagram_stamp(NOTIFY, sizeof(NOTIFY) - 1, "192.0.2.1:5060",
		stamped, sizeof(stamped), &key);
	read_text("SIP/2.0 200 OK\r\n"
		  "Via: SIP/2.0/UDP 192.0.2.1:5060;rport=5060"
		  ";received=192.0.2.1;branch=z9hG4bKn\r\n"
		  "From: <sip:x>;tag=1\r\n"
		  "To: <sip:a@x>;tag=2\r\n"
		  "Call-ID: n\r\n"
		  "CSeq: 1 NOTIFY\r\n"
		  "Content-Length: 0\r\n\r\n");
	kind_is(SIP_DATAGRAM_RESPONSE, SIP_RULE_OK);
	assert_true(d.key == key);
}

static void what_an_engine_says_is_cut_into_messages(void **state)
{
	char out[TEXT_MAX];
	bool request;
	static const char answer[] =
		"SIP/2.0 200 OK\r\nContent-Length: 1\r\n\r\nx";
	int n = snprintf(out, sizeof(out), "%s%s", answer, NOTIFY);
	size_t first = sip_datagram_first(out, (size_t)n, &request);
	assert_int_equal(first, sizeof(answer) - 1);
	assert_false(request);
	assert_int_equal(
		sip_datagram_first(out + first, (size_t)n - first, &request),
		sizeof(NOTIFY) - 1);
	assert_true(request);
	assert_int_equal(sip_datagram_first(out, 0, &request), 0);
}

/* The longest that is allowed stays one message when it has grown. */
static void the_longest_message_still_fits_an_engine(void **state)
{
	struct moment now = {.mono_ms = 1000};
	struct sip_server server;
	struct sip_server_event event;
	struct sip_server_config config = sip_server_defaults;
	char body[TEXT_MAX];
	char *text = options("SIP/2.0/UDP a;rport;branch=z9hG4bK1",
		"Content-Type: text/plain\r\n\r\n");
	size_t left = limits.message_max - strlen(text);
	memset(body, 'x', left);
	body[left] = '\0';
	char *whole = malloc(strlen(text) + left + 1);
	sprintf(whole, "%s%s", text, body);
	read_text(whole);
	kind_is(SIP_DATAGRAM_REQUEST, SIP_RULE_OK);
	config.message_max = limits.message_max + SIP_DATAGRAM_GROWTH;
	config.head_max += SIP_DATAGRAM_GROWTH;
	sip_server_init(&server, &config, &now);
	sip_server_feed(&server, d.message, d.n, &now);
	assert_true(sip_server_next(&server, &event));
	assert_int_equal(event.type, SIP_SERVER_ANSWERED);
	assert_int_equal(event.status, 200);
	assert_false(sip_server_next(&server, &event));
	sip_server_deinit(&server);
	free(whole);
	free(text);
}

int main(void)
{
	sip_message_setup();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_datagram_is_a_message),
		cmocka_unit_test(line_ends_in_front_are_skipped),
		cmocka_unit_test(what_ends_too_early_is_refused),
		cmocka_unit_test(a_refusal_says_which_rule),
		cmocka_unit_test(what_is_no_sip_is_nothing),
		cmocka_unit_test(answers_go_where_rfc_3581_says),
		cmocka_unit_test(only_the_first_via_is_ours_to_change),
		cmocka_unit_test(what_changes_on_the_way_changes_no_key),
		cmocka_unit_test(our_requests_say_where_they_come_from),
		cmocka_unit_test(what_an_engine_says_is_cut_into_messages),
		cmocka_unit_test(the_longest_message_still_fits_an_engine),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

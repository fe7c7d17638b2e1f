/* SPDX-License-Identifier: Apache-2.0 */
/* What phones really send is plain, and what is odd is left to libosip2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocols/sip/message.h"
#include "protocols/sip/phone.h"
#include "protocols/sip/plain.h"
#include "tests/protocols/sip/host.h"

enum { FILE_MAX = 65536, PATH_SIZE = 4096 };

static const struct sip_limits limits = {
	.message_max = 11000,
	.head_max = 8192,
	.lines_max = 100,
	.params_max = 64,
	.contacts_max = 16,
};

/* How many messages some text has, and how many of them are plain. */
struct tally {
	size_t all;
	size_t plain;
};

static void count(struct tally *tally, const char *data, size_t n)
{
	static struct sip_message m;
	struct sip_frame f = {0};
	size_t skip;
	while (sip_frame_next(&f, &limits, data, n, &skip) ==
		SIP_FRAME_MESSAGE) {
		data += skip;
		n -= skip;
		enum sip_rule rule = sip_message_read(&m, data, &f, &limits);
		bool plain = sip_plain_message(&m);
		if (plain && !sip_message_grammatical(&m))
			fail_msg("plain, but not for libosip2: %.*s",
				(int)f.head, data);
		assert_true(!plain || rule != SIP_RULE_GRAMMAR);
		tally->all++;
		tally->plain += plain;
		data += f.head + f.body;
		n -= f.head + f.body;
		f = (struct sip_frame){0};
	}
}

static bool is_plain(const char *text)
{
	struct tally tally = {0};
	count(&tally, text, strlen(text));
	assert_int_equal(tally.all, 1);
	return tally.plain == 1;
}

/* The lines that the peer says, as a conversation file has them. */
static size_t heard(const char *folder, const char *file, char *text)
{
	char path[PATH_SIZE], line[PATH_SIZE];
	size_t n = 0;
	const char *source = getenv("DIALTONE_SOURCE");
	snprintf(path, sizeof(path), "%s/%s/%s.conv", source ? source : ".",
		folder, file);
	FILE *f = fopen(path, "r");
	if (!f)
		fail_msg("%s: cannot be read", path);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '>' || line[1] == 'x')
			continue;
		const char *said = line[1] ? line + 2 : "";
		assert_true(n + strlen(said) + 2 < FILE_MAX);
		n += (size_t)sprintf(text + n, "%s\r\n", said);
	}
	fclose(f);
	return n;
}

static void every_message_of_a_phone_is_plain(void **state)
{
	static const char *const files[] = {"79xx-loads", "csf", "dup-instance",
		"initial-88xx", "refresh", "standby", "too-brief", "unregister",
		"refer-token", "refer-alarm"};
	static char text[FILE_MAX];
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct tally tally = {0};
		count(&tally, text,
			heard("tests/conversations/sip", files[i], text));
		if (!tally.all || tally.plain != tally.all)
			fail_msg("%s: %zu of %zu are plain", files[i],
				tally.plain, tally.all);
	}
}

/* What the engine has to say now; it is counted as sent. */
static void said(struct tally *tally, struct sip_phone *p)
{
	size_t n;
	const uint8_t *out = sip_phone_out(p, &n);
	assert_true(n > 0);
	count(tally, (const char *)out, n);
}

/* Sends what waits to the host and brings back what it answers. */
static void exchange(
	struct sip_phone *p, struct sip_host *h, const struct moment *now)
{
	char text[PATH_SIZE];
	struct sip_phone_event event;
	size_t n;
	const uint8_t *out = sip_phone_out(p, &n);
	sip_server_feed(&h->server, out, n, now);
	sip_phone_sent(p, n);
	assert_true(sip_host_next(h, text, sizeof(text)));
	sip_host_apply(h, now);
	out = sip_server_out(&h->server, &n);
	sip_phone_feed(p, out, n, now);
	sip_server_sent(&h->server, n);
	assert_true(sip_phone_next(p, &event));
	assert_int_not_equal(event.type, SIP_PHONE_FAILED);
}

/* First REGISTER, refresh and goodbye, or two keepalives. */
static void our_phone_is_plain(bool tls, bool standby)
{
	struct sip_phone p;
	struct sip_host h = {0};
	struct tally tally = {0};
	struct moment now = {1000000, INT64_C(1795406400000), 0};
	const struct sip_phone_config config = {
		.device = "SEP020000CCDD01",
		.line = "4001",
		.server = "cm.lab.test",
		.local = "192.0.2.7:50001",
		.model = 683,
		.tls = tls,
		.standby = standby,
		.last_reason = "Initialized",
		.seed = 1,
	};
	sip_phone_init(&p, &config, &now);
	sip_host_init(&h, &now);
	sip_phone_start(&p, &now);
	said(&tally, &p);
	exchange(&p, &h, &now);
	now.mono_ms = sip_phone_deadline(&p);
	sip_phone_tick(&p, &now);
	said(&tally, &p);
	exchange(&p, &h, &now);
	if (!standby) {
		sip_phone_unregister(&p, &now);
		said(&tally, &p);
	}
	assert_int_equal(tally.all, standby ? 2 : 3);
	assert_int_equal(tally.plain, tally.all);
	sip_phone_deinit(&p);
	sip_host_deinit(&h);
}

static void every_message_of_our_phone_is_plain(void **state)
{
	our_phone_is_plain(true, false);
	our_phone_is_plain(true, true);
	our_phone_is_plain(false, false);
	our_phone_is_plain(false, true);
}

static void every_real_message_is_plain(void **state)
{
	static const char *const files[] = {"01-register-initial-88xx",
		"02-register-refresh-88xx", "03-keepalive-to-standby",
		"04-unregister", "05-register-79xx-loads",
		"06-register-jabber-csf", "07-register-dup-instance",
		"08-refer-token"};
	static char text[FILE_MAX];
	const char *shared = getenv("DIALTONE_SHARED");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[PATH_SIZE];
		struct tally tally = {0};
		snprintf(path, sizeof(path), "%s/sip-cisco/%s.sip",
			shared ? shared : "", files[i]);
		FILE *f = fopen(path, "rb");
		if (!f) {
			print_message(
				"# no real-world data beside the checkout\n");
			skip();
		}
		count(&tally, text, fread(text, 1, sizeof(text), f));
		fclose(f);
		if (tally.plain != 1)
			fail_msg("%s is not plain", files[i]);
	}
}

static const char FRONT[] =
	"REGISTER sip:cm.test SIP/2.0\r\n"
	"Via: SIP/2.0/TLS 192.0.2.7:50001;branch=z9hG4bK1\r\n"
	"Call-ID: a@192.0.2.7\r\nMax-Forwards: 70\r\nCSeq: 1 REGISTER\r\n";

/* A REGISTER with that line in it. */
static bool takes(const char *line)
{
	char text[2048];
	bool from = strncmp(line, "From:", 5) == 0;
	snprintf(text, sizeof(text), "%s%sTo: <sip:a@cm.test>\r\n%s\r\n%s",
		FRONT, from ? "" : "From: <sip:a@cm.test>;tag=1\r\n", line,
		"Content-Length: 0\r\n\r\n");
	return is_plain(text);
}

static void what_is_odd_is_left_to_libosip2(void **state)
{
	static const char *const plain[] = {"Date: Mon, 23 Nov",
		"Supported: a, b,c d", "Reason: SIP;text=\"a;b\"",
		"From: \"A\" <sip:a@cm.test>;tag=1",
		"Contact: <sips:b@[::1]:5;c>",
		"Contact: <sip:a@cm.test>;+x=\"<y>\";video", "k: a"};
	static const char *const odd[] = {
		"X-Unknown: a",	    /* not on our list */
		"Proxy-Require: a", /* nor this */
		"Authorization: Digest a=\"b\"",
		"User-Agent:a", /* spaces not as usual */
		"User-Agent:  a",
		"User-Agent : a",
		"User-Agent: a ",
		"User-Agent:\ta",
		"User-Agent: a\r\n b",
		"User-Agent:\r\n a",
		"User-Agent: ", /* empty */
		"Supported: a,,b",
		"Supported: a,",
		"Supported: \"a\",b",
		"Contact: *", /* not <sip:…> */
		"Contact: sip:a@cm.test",
		"Contact: <tel:1>",
		"Contact: <SIP:a@cm.test>",
		"Contact: <sip:%61@cm.test>",
		"Contact: <sip:a@cm.test?b=c>",
		"Contact: <sip:a:b@cm.test>",
		"Contact: <sip:a@cm.test:123456>",
		"Contact: <sip:a@cm.test>, <sip:b@cm.test>",
		"Contact: <sip:a@cm.test> ;b",
		"Contact: <sip:a@cm.test>;b = c",
		"Contact: <sip:a@cm.test>;b=\"c\\\"d\"",
		"Contact: <sip:a@cm.test>;b=\"c;d\"",
		"Contact: <sip:a@cm.test>;b=",
		"Contact: <sip:a@cm.test>;",
		"From: A <sip:a@cm.test>;tag=1",
		"From: <sip:a@cm.test;tag=1",
		"Content-Type: text",
		"Content-Type: a/b;c=\"d\"",
		"Mime-Version: 1.0\r\nMime-Version: 1.0",
	};
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if (!takes(plain[i]))
			fail_msg("not plain: %s", plain[i]);
	}
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		if (takes(odd[i]))
			fail_msg("plain: %s", odd[i]);
	}
}

static void answers_are_left_to_libosip2(void **state)
{
	assert_false(is_plain("SIP/2.0 200 OK\r\n"
			      "Via: SIP/2.0/TLS 192.0.2.7\r\n"
			      "From: <sip:a@cm.test>;tag=1\r\n"
			      "To: <sip:a@cm.test>;tag=2\r\n"
			      "Call-ID: a\r\n"
			      "CSeq: 1 NOTIFY\r\n"
			      "Content-Length: 0\r\n\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_of_a_phone_is_plain),
		cmocka_unit_test(every_message_of_our_phone_is_plain),
		cmocka_unit_test(every_real_message_is_plain),
		cmocka_unit_test(what_is_odd_is_left_to_libosip2),
		cmocka_unit_test(answers_are_left_to_libosip2),
	};
	sip_message_setup();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("sip-plain", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about dialtone-phone when it meets a real TLS server's alerts. */
#include <regex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/bench/lab_dir.h"
#include "tests/bench/program.h"

static struct program server, phone;

static const char *phone_path(void)
{
	static char path[4096];
	const char *build = getenv("DIALTONE_BUILD");
	snprintf(path, sizeof(path), "%s/bench/dialtone-phone",
		build ? build : ".");
	return path;
}

static size_t append(const char **words, size_t n, const char *const *more)
{
	for (; more && *more; more++) {
		assert_true(n < PROGRAM_ARGUMENTS_MAX);
		words[n++] = *more;
	}
	words[n] = NULL;
	return n;
}

/* An openssl s_server on a free port, for one connection. */
static void start_server(const char *const *options)
{
	const char *words[PROGRAM_ARGUMENTS_MAX + 1];
	const char *const fixed[] = {"openssl", "s_server", "-accept",
		"127.0.0.1:0", "-naccept", "1", "-partial_chain", "-cert",
		lab_dir_file("server/rsa.pem"), "-key",
		lab_dir_file("server/rsa.key"), NULL};
	append(words, append(words, 0, fixed), options);
	program_start(&server, words);
}

/* What follows "ACCEPT " on its line: host:port. */
static const char *server_address(void)
{
	static char address[64];
	static const char mark[] = "ACCEPT ";
	const char *at = program_said(&server, mark, 0) + strlen(mark);
	program_said(&server, "\n", (size_t)(at - server.text));
	snprintf(address, sizeof(address), "%.*s", (int)strcspn(at, "\n"), at);
	return address;
}

static int run_phone(const char *address, const char *const *options)
{
	const char *words[PROGRAM_ARGUMENTS_MAX + 1];
	const char *const fixed[] = {phone_path(), "--device",
		"SEP001122334455", "--server", address, "--json", "--timeout",
		"3", NULL};
	append(words, append(words, 0, fixed), options);
	program_start(&phone, words);
	return program_end(&phone);
}

/* Runs the phone against the server; the phone must fail. */
static void fails(
	const char *const *server_options, const char *const *phone_options)
{
	start_server(server_options);
	assert_int_equal(run_phone(server_address(), phone_options), 1);
	program_kill(&server);
}

static void console_says(const char *text)
{
	if (!strstr(phone.text, text))
		fail_msg("no '%s' in:\n%s", text, phone.text);
}

static void console_does_not_say(const char *text)
{
	if (strstr(phone.text, text))
		fail_msg("'%s' is in:\n%s", text, phone.text);
}

/* The phone's JSON line; the caller frees. */
static json_t *result(void)
{
	char *at = strstr(phone.text, "{\"device\"");
	assert_non_null(at);
	json_error_t error;
	json_t *line = json_loadb(at, strcspn(at, "\n"), 0, &error);
	if (!line)
		fail_msg("%s: %s", error.text, at);
	return line;
}

static void outcome_is(const char *outcome, int alert, const char *side)
{
	json_t *line = result();
	const char *name = json_string_value(json_object_get(line, "outcome"));
	json_t *number = json_object_get(line, "alert");
	const char *seen =
		json_string_value(json_object_get(line, "alert_side"));
	assert_string_equal(name, outcome);
	assert_int_equal(
		json_is_integer(number) ? json_integer_value(number) : -1,
		alert);
	assert_string_equal(seen ? seen : "none", side);
	json_decref(line);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* What a registrar asks of s_server: a certificate of this issuer. */
#define WANTS(ca, version)                                       \
	WORDS("-Verify", "3", "-verify_return_error", "-CAfile", \
		lab_dir_file(ca), version)

static void a_stranger_reads_unknown_ca_in_tls_1_2(void **state)
{
	fails(WANTS("ca/other-capf.pem", "-tls1_2"), WORDS("--lab", lab_dir()));
	console_says("SECD: -PXY_CERT_CIPHER: [SCCP], [TLSv1.2], cert [LSC], "
		     "cipher [ECDHE-");
	console_says("ERR ");
	console_says("SECD: -STATE_SSL3_ALERT: SSL3 alert "
		     "[read]:[fatal]:[unknown CA]\n");
	console_does_not_say("PXY_NO_LSC");
	outcome_is("alert", 48, "read");
}

/* The phone has sent its Register when the alert arrives. */
static void a_stranger_reads_unknown_ca_in_tls_1_3(void **state)
{
	fails(WANTS("ca/other-capf.pem", "-tls1_3"),
		WORDS("--lab", lab_dir(), "--tls-max", "1.3"));
	console_says("[SCCP], [TLSv1.3], cert [LSC], cipher [TLS_AES_256");
	console_says("SSL3 alert [read]:[fatal]:[unknown CA]\n");
	outcome_is("alert", 48, "read");
}

static void sip_firmware_reads_it_too(void **state)
{
	fails(WANTS("ca/other-capf.pem", "-tls1_3"),
		WORDS("--lab", lab_dir(), "--tls-max", "1.3", "--protocol",
			"sip"));
	console_says("-PXY_CERT_CIPHER: [SIP], [TLSv1.3], cert [LSC]");
	console_says("SSL3 alert [read]:[fatal]:[unknown CA]\n");
	outcome_is("alert", 48, "read");
}

static void an_expired_lsc_reads_certificate_expired(void **state)
{
	fails(WANTS("ca/capf.pem", "-tls1_2"),
		WORDS("--lab", lab_dir(), "--leaf", "expired"));
	console_says("SSL3 alert [read]:[fatal]:[certificate expired]\n");
	outcome_is("alert", 45, "read");
}

static void a_phone_with_a_mic_alone_shows_that(void **state)
{
	fails(WANTS("ca/capf.pem", "-tls1_2"),
		WORDS("--lab", lab_dir(), "--leaf", "mic"));
	console_says("WRN ");
	console_says("SECD: -PXY_NO_LSC: No LSC for [SCCP], will try MIC\n");
	console_says("cert [MIC], cipher [");
	outcome_is("alert", 48, "read");
}

static void no_certificate_is_refused_with_40_and_116(void **state)
{
	fails(WANTS("ca/capf.pem", "-tls1_2"), WORDS("--no-certificate"));
	console_says("cert [none]");
	console_says("SSL3 alert [read]:[fatal]:[handshake failure]\n");
	outcome_is("alert", 40, "read");
	fails(WANTS("ca/capf.pem", "-tls1_3"),
		WORDS("--no-certificate", "--tls-max", "1.3"));
	console_says("SSL3 alert [read]:[fatal]:[certificate required]\n");
	outcome_is("alert", 116, "read");
}

static void an_old_phone_offers_what_a_7960_offers(void **state)
{
	fails(WORDS("-tls1", "-cipher", "AES128-SHA:@SECLEVEL=0", "-Verify",
		      "3", "-CAfile", lab_dir_file("ca/capf.pem")),
		WORDS("--lab", lab_dir(), "--timeout", "1", "--tls-max", "1.0",
			"--ciphers", "AES256-SHA:AES128-SHA"));
	console_says("-PXY_CERT_CIPHER: [SCCP], [TLSv1], cert [LSC], "
		     "cipher [AES256-SHA:AES128-SHA]\n");
	json_t *line = result();
	assert_string_equal(
		json_string_value(json_object_get(line, "tls")), "TLSv1");
	assert_string_equal(json_string_value(json_object_get(line, "cipher")),
		"AES128-SHA");
	json_decref(line);
}

static void too_old_a_phone_reads_protocol_version(void **state)
{
	fails(WORDS("-tls1_2"), WORDS("--lab", lab_dir(), "--tls-max", "1.1"));
	console_says("SSL3 alert [read]:[fatal]:[protocol version]\n");
	outcome_is("alert", 70, "read");
}

static void a_server_that_does_not_answer_is_a_timeout(void **state)
{
	fails(WANTS("ca/capf.pem", "-tls1_2"),
		WORDS("--lab", lab_dir(), "--timeout", "1"));
	console_says("-PXY_TLS_UP: [SCCP], [TLSv1.2]");
	console_says("JVM: -CONN_TIMEOUT: [SCCP]");
	outcome_is("timeout", -1, "none");
}

static void with_a_ca_the_phone_refuses_a_strange_server(void **state)
{
	fails(WORDS("-tls1_2"), WORDS("--lab", lab_dir(), "--ca",
					lab_dir_file("ca/other-capf.pem")));
	console_says("SECD: -PXY_SRVR_REFUSED: [SCCP]");
	console_says("SSL3 alert [write]:[fatal]:[unknown CA]\n");
	outcome_is("alert", 48, "write");
}

/* The server's own certificate is an anchor, as an ITL names it. */
static void with_a_ca_the_phone_takes_the_server_it_names(void **state)
{
	fails(WORDS("-tls1_2"),
		WORDS("--lab", lab_dir(), "--timeout", "1", "--ca",
			lab_dir_file("server/rsa.pem")));
	console_says("-PXY_TLS_UP");
	console_does_not_say("PXY_SRVR_REFUSED");
	outcome_is("timeout", -1, "none");
}

/* A port that nobody listens on: bound, but never made to listen. */
static void a_closed_port_is_refused(void **state)
{
	char address[64];
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, n), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &n), 0);
	snprintf(address, sizeof(address), "127.0.0.1:%u", ntohs(in.sin_port));
	assert_int_equal(run_phone(address, WORDS("--lab", lab_dir())), 1);
	close(fd);
	console_says("JVM: -TCP_REFUSED: [SCCP]");
	outcome_is("refused", -1, "none");
}

static void every_console_line_keeps_the_grammar(void **state)
{
	regex_t grammar;
	unsigned lines = 0;
	assert_int_equal(regcomp(&grammar,
				 "^[0-9]+: (NOT|WRN|ERR|CRT) "
				 "[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9]{6} "
				 "(SECD|JVM): -[A-Z][A-Z0-9_]+: .+$",
				 REG_EXTENDED),
		0);
	fails(WANTS("ca/other-capf.pem", "-tls1_3"),
		WORDS("--lab", lab_dir(), "--leaf", "mic", "--tls-max", "1.3"));
	for (char *line = phone.text; *line && *line != '{'; lines++) {
		char *end = strchr(line, '\n');
		*end = '\0';
		if (regexec(&grammar, line, 0, NULL, 0) != 0)
			fail_msg("'%s'", line);
		line = end + 1;
	}
	regfree(&grammar);
	assert_true(lines >= 4);
}

static void quiet_phones_say_nothing(void **state)
{
	const char *words[PROGRAM_ARGUMENTS_MAX + 1];
	start_server(WANTS("ca/other-capf.pem", "-tls1_2"));
	append(words, 0,
		WORDS(phone_path(), "--server", server_address(), "--lab",
			lab_dir(), "--quiet"));
	program_start(&phone, words);
	assert_int_equal(program_end(&phone), 1);
	assert_string_equal(phone.text, "");
}

static void complains(int code, const char *const *options, const char *why)
{
	const char *words[PROGRAM_ARGUMENTS_MAX + 1] = {phone_path()};
	append(words, 1, options);
	program_start(&phone, words);
	assert_int_equal(program_end(&phone), code);
	console_says(why);
}

static void what_cannot_be_is_one_line_and_exit_2_or_1(void **state)
{
	complains(2, WORDS("--colour"), "--colour: no such option");
	complains(2, WORDS("--plain", "--server", "192.0.2.1:2000"),
		"192.0.2.1:2000 is not a loopback address");
	complains(1, WORDS("--lsc", lab_dir_file("no.pem")), "no.pem");
	complains(1,
		WORDS("--lsc", lab_dir_file("ca/capf.pem"), "--mic", "x",
			"--ciphers", "NO-SUCH"),
		"NO-SUCH");
	char pair[8192];
	snprintf(pair, sizeof(pair), "%s:%s", lab_dir_file("ca/capf.pem"),
		lab_dir_file("ca/other-capf.key"));
	complains(1, WORDS("--lsc", pair), "other-capf.key: is not the key of");
	complains(1,
		WORDS("--lab", lab_dir(), "--device", "SEPFFFFFFFFFFFF",
			"--count", "2"),
		"cannot count 2 devices upwards from SEPFFFFFFFFFFFF");
}

static int kill_server(void **state)
{
	program_kill(&server);
	program_kill(&phone);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define FACT(f) cmocka_unit_test_teardown(f, kill_server)
		FACT(a_stranger_reads_unknown_ca_in_tls_1_2),
		FACT(a_stranger_reads_unknown_ca_in_tls_1_3),
		FACT(sip_firmware_reads_it_too),
		FACT(an_expired_lsc_reads_certificate_expired),
		FACT(a_phone_with_a_mic_alone_shows_that),
		FACT(no_certificate_is_refused_with_40_and_116),
		FACT(an_old_phone_offers_what_a_7960_offers),
		FACT(too_old_a_phone_reads_protocol_version),
		FACT(a_server_that_does_not_answer_is_a_timeout),
		FACT(with_a_ca_the_phone_refuses_a_strange_server),
		FACT(with_a_ca_the_phone_takes_the_server_it_names),
		FACT(a_closed_port_is_refused),
		FACT(every_console_line_keeps_the_grammar),
		FACT(quiet_phones_say_nothing),
		FACT(what_cannot_be_is_one_line_and_exit_2_or_1),
	};
	signal(SIGPIPE, SIG_IGN);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, lab_dir_make, lab_dir_remove);
}

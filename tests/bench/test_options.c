/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the command line, its errors, and addresses that are refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/enrol.h"
#include "bench/life.h"
#include "bench/options.h"
#include "bench/talk.h"
#include "bench/target.h"
#include "certs/lab.h"
#include "protocols/sccp/generation.h"

enum { ARGUMENTS_MAX = 32 };

/* Parses a line of words parted by one blank each. */
static int parse(const char *words, struct options *o, struct diag *d)
{
	static char line[512];
	char *arguments[ARGUMENTS_MAX] = {(char[]){"dialtone-phone"}};
	int n = 1;
	char *save;
	snprintf(line, sizeof(line), "%s", words);
	for (char *word = strtok_r(line, " ", &save); word;
		word = strtok_r(NULL, " ", &save)) {
		assert_true(n < ARGUMENTS_MAX - 1);
		arguments[n++] = word;
	}
	*d = (struct diag){""};
	return options_parse(n, arguments, o, d);
}

static void refused(const char *words, const char *why)
{
	struct options o;
	struct diag d;
	if (parse(words, &o, &d) != -EINVAL)
		fail_msg("'%s' was accepted", words);
	if (!strstr(d.text, why))
		fail_msg("'%s': '%s' does not say '%s'", words, d.text, why);
}

static void a_lab_is_enough(void **state)
{
	struct options o;
	struct diag d;
	assert_int_equal(parse("--lab dir", &o, &d), 0);
	assert_string_equal(o.lab, "dir");
	assert_string_equal(o.server, "127.0.0.1");
	assert_string_equal(o.device, "SEP000000000001");
	assert_int_equal(o.protocol, TALK_SCCP);
	assert_int_equal(o.device_type, 437);
	assert_int_equal(o.sccp_version, 22);
	assert_int_equal(o.count, 1);
	assert_int_equal(o.leaf, -1);
	assert_int_equal(o.tls_max, 2);
}

static void values_land_where_they_belong(void **state)
{
	struct options o;
	struct diag d;
	assert_int_equal(
		parse("--protocol sip --lab=d --leaf self-signed --tls-max 1.3 "
		      "--hold 30 --count 2000 --rate 50 --json --standby",
			&o, &d),
		0);
	assert_int_equal(o.protocol, TALK_SIP);
	assert_int_equal(o.leaf, CERT_LAB_LEAF_SELF_SIGNED);
	assert_int_equal(o.tls_max, 3);
	assert_int_equal(o.hold, 30);
	assert_int_equal(o.count, 2000);
	assert_int_equal(o.rate, 50);
	assert_int_equal(o.device_type, 683);
	assert_true(o.json && o.standby && !o.quiet);
}

static void a_generation_says_what_is_not_given(void **state)
{
	struct options o;
	struct diag d;
	assert_int_equal(parse("--lab d --generation 7941", &o, &d), 0);
	assert_string_equal(o.speaks->name, "7941");
	assert_int_equal(o.device_type, 115);
	assert_int_equal(o.sccp_version, 17);
	assert_int_equal(parse("--lab d --generation spa504g --sccp-version 0 "
			       "--device-type 80001",
				 &o, &d),
		0);
	assert_int_equal(o.device_type, 80001);
	assert_int_equal(o.sccp_version, 0);
	assert_int_equal(parse("--lab d", &o, &d), 0);
	assert_null(o.speaks);
}

static void every_leaf_of_the_lab_can_be_chosen(void **state)
{
	for (int i = 0; i < CERT_LAB_LEAVES; i++) {
		char words[80];
		struct options o;
		struct diag d;
		snprintf(words, sizeof(words), "--lab d --leaf %s",
			cert_lab_leaf_name((enum cert_lab_leaf)i));
		assert_int_equal(parse(words, &o, &d), 0);
		assert_int_equal(o.leaf, i);
	}
}

static void errors_name_the_option_and_the_cure(void **state)
{
	refused("", "Give --lab");
	refused("--colour", "--colour: no such option");
	refused("--lab", "--lab: needs an argument");
	refused("--lab d extra", "'extra' is not an option");
	refused("--plain=yes", "--plain=yes");
	refused("--protocol h323", "'h323' is not known: sccp");
	refused("--count 0", "--count: '0' is not a number from 1 to 15000");
	refused("--count 15001", "1 to 15000");
	refused("--count 12x", "'12x' is not a number");
	refused("--hold -1", "--hold: '-1'");
	refused("--rate 99999999999999999999", "--rate");
	refused("--sccp-version 256", "0 to 255");
	refused("--tls-min 1.4", "--tls-min: '1.4' is not known");
	refused("--leaf green --lab d", "--leaf: 'green'");
	refused("--generation 7999 --lab d", "--generation: '7999'");
}

static void options_that_exclude_each_other_say_so(void **state)
{
	refused("--plain --lab d", "--plain has no TLS");
	refused("--plain --no-certificate", "--plain has no TLS");
	refused("--transport sctp", "--transport");
	refused("--transport udp", "--transport udp needs --protocol sip");
	refused("--transport udp --protocol sip --lab d", "--plain has no TLS");
	refused("--lab d --lsc c", "--lab excludes");
	refused("--lab d --no-certificate", "--no-certificate excludes");
	refused("--lsc c --leaf mic", "--leaf needs --lab");
	refused("--lab d --tls-min 1.3", "--tls-min is above --tls-max");
	refused("--lab d --protocol sip --generation 7960",
		"--generation needs --protocol sccp");
	refused("--lab d --token --standby", "--token and --standby exclude");
	refused("--lab d --lost-state", "--lost-state, --username and");
	refused("--lab d --password x", "need --protocol sip");
	refused("--protocol sip --plain --username a", "needs --password");
	refused("--lab d --hold 1 --until forever", "exclude each other");
	refused("--lab d --device SEP0000000000012", "--device");
	refused("--lab d --device ../x", "--device");
	refused("--lab d --line a@b", "--line");
}

static void what_a_phone_does_at_capf_can_be_said(void **state)
{
	struct options o;
	struct diag d;
	assert_int_equal(parse("--lab d --capf 127.0.0.1:3804", &o, &d), 0);
	assert_string_equal(o.capf, "127.0.0.1:3804");
	assert_int_equal(o.auth, -1);
	assert_int_equal(o.capf_version, 3);
	assert_int_equal(o.capf_like, ENROL_LIKE_CISCO);
	assert_int_equal(o.capf_progress, ENROL_PROGRESS_ONE);
	assert_int_equal(o.capf_when, LIFE_WHEN_RESET);
	assert_int_equal(o.capf_retry_ms, 30000);
	assert_int_equal(o.die_after, -1);
	assert_int_equal(o.fail_at, -1);
	assert_int_equal(parse("--lab d --capf h --auth mic --capf-version 2 "
			       "--capf-like usecallmanager --until enrolled "
			       "--capf-progress many --capf-when always "
			       "--die-after stored --fail-at fetch "
			       "--keygen-time 2-5 --shared-keys 8",
				 &o, &d),
		0);
	assert_int_equal(o.auth + 1, FLASH_MODE_MIC);
	assert_int_equal(o.capf_version, 2);
	assert_int_equal(o.capf_like, ENROL_LIKE_USECALLMANAGER);
	assert_int_equal(o.until, OPTIONS_UNTIL_ENROLLED);
	assert_int_equal(o.capf_progress, ENROL_PROGRESS_MANY);
	assert_int_equal(o.capf_when, LIFE_WHEN_ALWAYS);
	assert_int_equal(o.die_after, ENROL_STORED);
	assert_int_equal(o.fail_at, ENROL_FAULT_FETCH);
	assert_int_equal(o.keygen_min_ms, 2000);
	assert_int_equal(o.keygen_max_ms, 5000);
	assert_int_equal(o.shared_keys, 8);
	assert_int_equal(parse("--capf h --plain --no-certificate --auth "
			       "string --string 0123 --keygen-time 7",
				 &o, &d),
		0);
	assert_int_equal(o.keygen_min_ms, 7000);
	assert_int_equal(o.keygen_max_ms, 7000);
}

static void every_step_can_be_the_last(void **state)
{
	for (int i = 0; i < ENROL_STEPS; i++) {
		char words[80];
		struct options o;
		struct diag d;
		snprintf(words, sizeof(words),
			"--lab d --capf h --die-after %s",
			enrol_step_name((enum enrol_step)i));
		assert_int_equal(parse(words, &o, &d), 0);
		assert_int_equal(o.die_after, i);
	}
}

static void what_makes_no_sense_at_capf_is_refused(void **state)
{
	static const char *const alone[] = {"--auth null", "--string 1",
		"--pinned-capf f", "--keygen-time 1", "--shared-keys 1",
		"--flash f", "--die-after tls", "--fail-at store"};
	for (size_t i = 0; i < sizeof(alone) / sizeof(*alone); i++) {
		char words[80];
		snprintf(words, sizeof(words), "--lab d %s", alone[i]);
		refused(words, "need --capf");
	}
	refused("--lab d --until enrolled", "--until enrolled needs --capf");
	refused("--lab d --capf h --auth string", "needs --string");
	refused("--lab d --capf h --string 1", "--string needs --auth string");
	refused("--lab d --capf h --auth lsc --string 1", "--auth string");
	refused("--lab d --capf h --auth string --string 12x4", "digits alone");
	refused("--lab d --capf h --auth token", "--auth: 'token'");
	refused("--lab d --capf h --flash f --count 2", "a single phone's");
	refused("--lab d --capf h --capf-version 1", "2 to 3");
	refused("--lab d --capf h --die-after dinner", "key-made");
	refused("--lab d --capf h --fail-at dinner", "keygen");
	refused("--lab d --capf h --shared-keys 0", "1 to 1000");
	for (size_t i = 0; i < 6; i++) {
		static const char *const bad[] = {
			"x", "-1", "5-2", "1-", "1-99999", "1s"};
		char words[80];
		snprintf(words, sizeof(words),
			"--lab d --capf h --keygen-time=%s", bad[i]);
		refused(words, "neither seconds");
	}
}

static void help_names_every_option(void **state)
{
	char *text;
	size_t n, options = 0;
	FILE *to = open_memstream(&text, &n);
	options_help(to);
	fclose(to);
	for (const char *name; (name = options_name(options)); options++) {
		char wanted[64];
		snprintf(wanted, sizeof(wanted), "\n  --%s ", name);
		if (!strstr(text, wanted))
			fail_msg("--%s is not in the help", name);
	}
	assert_true(options > 20);
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 80);
	free(text);
}

static void help_wins_over_what_is_missing(void **state)
{
	struct options o;
	struct diag d;
	assert_int_equal(parse("--help", &o, &d), 0);
	assert_true(o.help);
}

static void target_is(const char *text, const char *host, const char *whole)
{
	struct target t;
	struct diag d;
	assert_int_equal(
		target_parse(text, "2443", TARGET_LOOPBACK_ONLY, &t, &d), 0);
	assert_string_equal(t.host, host);
	assert_string_equal(t.text, whole);
}

static void loopback_addresses_are_called(void **state)
{
	target_is("127.0.0.1", "127.0.0.1", "127.0.0.1:2443");
	target_is("127.9.8.7:5", "127.9.8.7", "127.9.8.7:5");
	target_is("[::1]", "[::1]", "[::1]:2443");
	target_is("[::1]:65535", "[::1]", "[::1]:65535");
}

static void strangers_are_not_called_unless_allowed(void **state)
{
	static const char *const strangers[] = {"192.0.2.1:2443", "8.8.8.8",
		"[2001:db8::1]:2443", "0.0.0.0", "[::]:1", "126.255.255.255",
		"128.0.0.1", "[::ffff:127.0.0.1]:1", "[::ffff:192.0.2.1]:1"};
	for (size_t i = 0; i < sizeof(strangers) / sizeof(*strangers); i++) {
		struct target t;
		struct diag d;
		assert_int_equal(target_parse(strangers[i], "2443",
					 TARGET_LOOPBACK_ONLY, &t, &d),
			-EPERM);
		assert_non_null(strstr(d.text, "--allow-any-address"));
		assert_int_equal(target_parse(strangers[i], "2443",
					 TARGET_ANY_ADDRESS, &t, &d),
			0);
	}
}

static void what_is_no_target_is_refused(void **state)
{
	static const char *const bad[] = {"", ":2443",
		"127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:-1",
		"127.0.0.1:24 43", "127.0.0.1:999999999999", "[::1",
		"[::1]2443", "::1", "[]:1", "127.0.0.1:0x10"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct target t;
		struct diag d;
		if (target_parse(bad[i], "2443", TARGET_ANY_ADDRESS, &t, &d) !=
			-EINVAL)
			fail_msg("'%s' was accepted", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lab_is_enough),
		cmocka_unit_test(values_land_where_they_belong),
		cmocka_unit_test(every_leaf_of_the_lab_can_be_chosen),
		cmocka_unit_test(a_generation_says_what_is_not_given),
		cmocka_unit_test(errors_name_the_option_and_the_cure),
		cmocka_unit_test(options_that_exclude_each_other_say_so),
		cmocka_unit_test(what_a_phone_does_at_capf_can_be_said),
		cmocka_unit_test(every_step_can_be_the_last),
		cmocka_unit_test(what_makes_no_sense_at_capf_is_refused),
		cmocka_unit_test(help_names_every_option),
		cmocka_unit_test(help_wins_over_what_is_missing),
		cmocka_unit_test(loopback_addresses_are_called),
		cmocka_unit_test(strangers_are_not_called_unless_allowed),
		cmocka_unit_test(what_is_no_target_is_refused),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

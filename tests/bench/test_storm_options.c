/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the storm command line and its errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "bench/storm.h"
#include "bench/storm_options.h"

enum { ARGUMENTS_MAX = 60 };

static struct storm_options o;

static int parse(const char *words, struct diag *d)
{
	static char line[1024];
	char *arguments[ARGUMENTS_MAX] = {(char[]){"dialtone-storm"}};
	int n = 1;
	char *save;
	snprintf(line, sizeof(line), "%s", words);
	for (char *word = strtok_r(line, " ", &save); word;
		word = strtok_r(NULL, " ", &save)) {
		assert_true(n < ARGUMENTS_MAX - 1);
		arguments[n++] = word;
	}
	*d = (struct diag){""};
	return storm_options_parse(n, arguments, &o, d);
}

static void accepted(const char *words)
{
	struct diag d;
	if (parse(words, &d) != 0)
		fail_msg("'%s': %s", words, d.text);
}

static void refused(const char *words, const char *why)
{
	struct diag d;
	if (parse(words, &d) != -EINVAL)
		fail_msg("'%s' was accepted", words);
	if (!strstr(d.text, why))
		fail_msg("'%s': '%s' does not say '%s'", words, d.text, why);
}

static void a_lab_is_enough_and_the_storm_is_bounded(void **state)
{
	accepted("--lab d");
	assert_int_equal(o.resume, STORM_ID);
	assert_int_equal(o.tls, 2);
	assert_int_equal(o.phones, 1000);
	assert_int_equal(o.seconds, 10);
	assert_int_equal(o.hold, -1);
	assert_int_equal(o.patience, 8);
	assert_int_equal(o.mic_percent, 0);
	refused("--lab d --phones 60001", "1 to 60000");
	refused("--lab d --rate 50001", "1 to 50000");
	refused("--lab d --seconds 86401", "1 to 86400");
	refused("--lab d --hold 86401", "0 to 86400");
	refused("--lab d --retry 21", "0 to 20, nor forever");
	refused("--lab d --patience 0", "1 to 120");
}

static void the_tls_version_follows_the_way_of_resumption(void **state)
{
	accepted("--lab d --resume psk");
	assert_int_equal(o.tls, 3);
	accepted("--lab d --resume ticket");
	assert_int_equal(o.tls, 2);
	accepted("--lab d --tls 1.3");
	assert_int_equal(o.resume, STORM_FULL);
	accepted("--lab d --resume id --tls 1.0");
	assert_int_equal(o.tls, 0);
	accepted("--plain");
	assert_int_equal(o.resume, STORM_FULL);
	refused("--lab d --resume psk --tls 1.2", "needs --tls 1.3");
	refused("--lab d --resume id --tls 1.3", "TLS 1.3 has psk");
}

static void options_that_exclude_each_other_say_so(void **state)
{
	refused("", "Give --lab");
	refused("--plain --lab d", "--plain has no TLS");
	refused("--plain --resume psk", "--plain has no TLS");
	refused("--lab d --churn --hold 3", "--churn and --hold");
	refused("--lab d --burst --ramp 3", "--burst and --ramp");
	refused("--lab d --ramp 11", "longer than --seconds");
	refused("--lab d --pause 3 --resume full", "--pause needs");
	refused("--lab d --device ../x", "--device: letters");
	refused("--lab d --line 1@b", "--line: letters");
}

static void a_mix_adds_up_to_a_hundred(void **state)
{
	accepted("--lab d --mix lsc=80,mic=20");
	assert_int_equal(o.mic_percent, 20);
	accepted("--lab d --mix mic=30,lsc=70");
	assert_int_equal(o.mic_percent, 30);
	accepted("--lab d --mix mic=100");
	assert_int_equal(o.mic_percent, 100);
	static const char *const wrong[] = {"lsc=80", "lsc=80,mic=30",
		"mic=50,mic=50", "lsc=50,lsc=50", "lsc=80,mic=20,",
		"lsc=", "lsc=-1,mic=101", "lsc=100x", "lsc=100,", "mcs=100",
		NULL};
	for (int i = 0; wrong[i]; i++) {
		char words[64];
		snprintf(words, sizeof(words), "--lab d --mix %s", wrong[i]);
		refused(words, "is not like lsc=80,mic=20");
	}
}

static void a_hundred_phones_in_a_row_are_mixed_exactly(void **state)
{
	accepted("--lab d --mix lsc=80,mic=20");
	for (unsigned from = 0; from < 250; from++) {
		int mics = 0;
		for (unsigned i = from; i < from + 100; i++)
			mics += storm_options_is_mic(&o, i);
		assert_int_equal(mics, 20);
	}
}

/* Two in a hundred of each kind of key show a MIC, not all of one kind. */
static void mixes_do_not_go_in_step(void **state)
{
	unsigned mics[2] = {0, 0}, sip[2] = {0, 0};
	accepted("--lab d --mix lsc=50,mic=50 --key p256=50,rsa2048=50 "
		 "--protocol sip=50,sccp=50");
	for (unsigned i = 0; i < 100; i++) {
		bool mic = storm_options_is_mic(&o, i);
		mics[storm_options_key(&o, i)] += mic;
		sip[mic] += storm_options_protocol(&o, i) == TALK_SIP;
	}
	for (unsigned i = 0; i < 2; i++) {
		assert_in_range(mics[i], 20, 30);
		assert_in_range(sip[i], 20, 30);
	}
	assert_int_equal(mics[0] + mics[1], 50);
}

static void keys_and_protocols_are_words_or_mixes(void **state)
{
	accepted("--lab d");
	assert_int_equal(storm_options_protocol(&o, 77), TALK_SCCP);
	assert_string_equal(
		storm_options_key_name(storm_options_key(&o, 77)), "rsa2048");
	assert_int_equal(o.device_type, 437);
	accepted("--lab d --protocol sip --key p384");
	assert_int_equal(storm_options_protocol(&o, 77), TALK_SIP);
	assert_string_equal(
		storm_options_key_name(storm_options_key(&o, 77)), "p384");
	assert_int_equal(o.device_type, 683);
	accepted("--lab d --protocol sip=1,sccp=99 --sip-server [::1]:1");
	assert_int_equal(storm_options_model(&o, TALK_SIP), 683);
	assert_int_equal(storm_options_model(&o, TALK_SCCP), 437);
	refused("--lab d --key rsa2048=80,p257=20", "one of rsa2048, p256,");
	refused("--lab d --key dsa", "--key: 'dsa' is not like rsa2048=80");
	accepted("--lab d --protocol http --device sep.a-name.of-16");
	assert_int_equal(storm_options_protocol(&o, 77), TALK_HTTP);
	refused("--lab d --protocol h323", "one of sccp, sip, http");
	refused("--lab d --protocol sccp=50,http=50", "http is no phone's");
	refused("--lab d --protocol http --token", "HTTP has none");
	refused("--plain --key p256", "--plain has no TLS");
	refused("--lab d --sip-server x", "--sip-server is for a mix");
}

static void a_time_to_think_is_a_range_of_seconds(void **state)
{
	accepted("--lab d --think 0.5-3");
	assert_int_equal(o.think_min_ms, 500);
	assert_int_equal(o.think_max_ms, 3000);
	accepted("--lab d --think 2");
	assert_int_equal(o.think_min_ms, 2000);
	assert_int_equal(o.think_max_ms, 2000);
	static const char *const wrong[] = {
		"-1", "3-1", "1-", "1-2x", "nan", "0x1", "1-3601"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		char words[64];
		snprintf(words, sizeof(words), "--lab d --think=%s", wrong[i]);
		refused(words, "is not like 0.5-3");
	}
	refused("--lab d --think 1-2 --hold 3", "--think is for phones");
}

static void for_ever_has_an_end(void **state)
{
	accepted("--lab d --retry forever --until 60");
	assert_int_equal(o.retry, STORM_FOREVER);
	refused("--lab d --retry forever", "--retry forever needs --until");
	refused("--lab d --until 9", "--until is shorter than --seconds");
	accepted("--lab d --until 9 --burst");
	refused("--lab d --until 9 --burst --every 3", "shorter than");
}

static void what_belongs_together_is_asked_for_together(void **state)
{
	accepted("--lab d --restart-at 0 --restart-command true");
	refused("--lab d --restart-at 3", "need each other");
	refused("--lab d --restart-command true", "need each other");
	refused("--lab d --from 127.0.0.0/8", "--from needs --sources");
	refused("--lab d --every 3", "--every needs --burst");
	refused("--lab d --burst --every 3 --hold 1", "comes once");
	refused("--lab d --server-pid 1 --server-pid-file f", "exclude");
}

static void thresholds_are_read_before_the_storm(void **state)
{
	accepted("--lab d --require p99<200ms --require failed=0");
	assert_int_equal(o.require.n, 2);
	assert_int_equal(o.requires[1].metric, REQUIRE_FAILED);
	refused("--lab d --require p99<200", "--require: 'p99<200'");
	char words[1024] = "--lab d";
	for (int i = 0; i < 17; i++)
		strncat(words, " --require failed=0",
			sizeof(words) - strlen(words) - 1);
	refused(words, "more than 16 times");
}

static void every_option_can_be_told_with_its_value(void **state)
{
	char value[64];
	accepted("--lab d --key p256 --burst --require failed=0 "
		 "--retry forever --until 5 "
		 "--require p50<1s");
	const struct option_table *t = &storm_options_table;
	for (size_t i = 0; i < t->n; i++) {
		const char *want = NULL;
		option_table_value(t, i, &o, value, sizeof(value));
		if (strcmp(t->rows[i].name, "lab") == 0)
			want = "d";
		if (strcmp(t->rows[i].name, "key") == 0)
			want = "p256";
		if (strcmp(t->rows[i].name, "burst") == 0)
			want = "yes";
		if (strcmp(t->rows[i].name, "hold") == 0)
			want = "";
		if (strcmp(t->rows[i].name, "retry") == 0)
			want = "forever";
		if (strcmp(t->rows[i].name, "protocol") == 0)
			want = "sccp";
		if (strcmp(t->rows[i].name, "require") == 0)
			want = "failed=0 p50<1s";
		if (want)
			assert_string_equal(value, want);
	}
	assert_string_equal(t->rows[t->n - 1].name, "help");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lab_is_enough_and_the_storm_is_bounded),
		cmocka_unit_test(the_tls_version_follows_the_way_of_resumption),
		cmocka_unit_test(options_that_exclude_each_other_say_so),
		cmocka_unit_test(a_mix_adds_up_to_a_hundred),
		cmocka_unit_test(a_hundred_phones_in_a_row_are_mixed_exactly),
		cmocka_unit_test(mixes_do_not_go_in_step),
		cmocka_unit_test(keys_and_protocols_are_words_or_mixes),
		cmocka_unit_test(a_time_to_think_is_a_range_of_seconds),
		cmocka_unit_test(for_ever_has_an_end),
		cmocka_unit_test(what_belongs_together_is_asked_for_together),
		cmocka_unit_test(thresholds_are_read_before_the_storm),
		cmocka_unit_test(every_option_can_be_told_with_its_value),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about remembered refusals. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "registrar/failures.h"
#include "registrar/log.h"

static struct failure of(const char *device, const char *rule)
{
	struct peer peer = {.tls = true, .protocol = CONFIG_SCCP};
	struct failure f;
	snprintf(peer.address, sizeof(peer.address), "192.0.2.7");
	failure_from_peer(&f, &peer);
	f.stage = FAILURE_REGISTRATION;
	snprintf(f.device, sizeof(f.device), "%s", device);
	snprintf(f.rule, sizeof(f.rule), "%s", rule);
	return f;
}

static void the_same_again_is_one_entry(void **state)
{
	struct failures *f = failures_new(10, 1);
	struct failure a = of("SEP1", "name-mismatch");
	struct failure b = of("SEP2", "name-mismatch");
	size_t n;
	for (int i = 0; i < 5; i++)
		failures_add(f, &a);
	failures_add(f, &b);
	struct failure *list = failures_list(f, &n);
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(list[i].count,
			strcmp(list[i].device, "SEP1") == 0 ? 5 : 1);
	assert_true(list[0].last_ms >= list[1].last_ms);
	assert_int_equal(failures_total(f), 6);
	free(list);
	failures_free(f);
}

static void a_full_memory_drops_the_longest_unseen(void **state)
{
	struct failures *f = failures_new(4, 1);
	size_t n;
	for (int i = 0; i < 100; i++) {
		char name[16];
		snprintf(name, sizeof(name), "SEP%d", i);
		struct failure one = of(name, "unknown-ca");
		failures_add(f, &one);
	}
	struct failure *list = failures_list(f, &n);
	assert_int_equal(n, 4);
	assert_int_equal(failures_total(f), 100);
	free(list);
	failures_free(f);
}

static void the_mirror_is_what_the_phone_prints(void **state)
{
	struct failure f = of("SEP1", "unknown-ca");
	failure_set_alert(&f, 48, false);
	assert_string_equal(
		f.console, "SSL3 alert [read]:[fatal]:[unknown CA]");
	failure_set_alert(&f, 45, true);
	assert_string_equal(
		f.console, "SSL3 alert [write]:[fatal]:[certificate expired]");
}

static void what_was_presented_is_copied_from_the_peer(void **state)
{
	struct peer_cert cert = {
		.cn = "x",
		.issuer_cn = "ca",
		.device = "SEP1",
		.serial = "01",
		.times_ok = true,
		.not_after = 1900000000,
		.sha256 = {0xab, [31] = 0x01},
	};
	struct peer peer = {.cert = &cert, .port = 9};
	struct failure f;
	failure_from_peer(&f, &peer);
	assert_string_equal(f.subject, "CN=x");
	assert_string_equal(f.issuer, "CN=ca");
	assert_string_equal(f.device, "SEP1");
	assert_int_equal(strlen(f.sha256), 64);
	assert_memory_equal(f.sha256, "ab00", 4);
	assert_memory_equal(f.sha256 + 60, "0001", 4);
	assert_string_equal(f.not_after, "2030-03-17T17:46:40Z");
	assert_int_equal(f.alert, -1);
}

static uint64_t count_of(
	const struct failures_by_rule *by, const char *rule, size_t *places)
{
	uint64_t count = 0;
	for (size_t i = 0; i < by->n; i++)
		if (strcmp(by->list[i].rule, rule) == 0) {
			count += by->list[i].count;
			(*places)++;
		}
	return count;
}

/* Also of those that the list has dropped; and never more than so many. */
static void they_are_counted_by_rule(void **state)
{
	static struct failures_by_rule by;
	struct failures *f = failures_new(4, 1);
	size_t places = 0;
	for (int i = 0; i < 1000; i++) {
		char rule[16];
		snprintf(rule, sizeof(rule), "rule-%d", i / 2);
		struct failure one = of("SEP1", rule);
		failures_add(f, &one);
	}
	failures_by_rule(f, &by);
	assert_int_equal(by.n, sizeof(by.list) / sizeof(by.list[0]));
	assert_int_equal(count_of(&by, "rule-0", &places), 2);
	assert_int_equal(places, 1);
	uint64_t rest = 1000 - 2 * (by.n - 1);
	assert_int_equal(count_of(&by, "other", &places), rest);
	assert_int_equal(places, 2);
	failures_free(f);
}

static void a_copy_gets_what_is_new(void **state)
{
	struct failures *f = failures_new(100, 1);
	struct failure *copy = calloc(failures_max(f), sizeof(*copy));
	uint64_t seen = 0;
	for (int i = 0; i < 150; i++) { /* more than there is room for */
		char name[16];
		snprintf(name, sizeof(name), "SEP%d", i);
		struct failure one = of(name, "name-mismatch");
		failures_add(f, &one);
	}
	assert_int_equal(failures_copy_new(f, copy, &seen), 100);
	assert_int_equal(seen, 150);
	memset(copy, 0, failures_max(f) * sizeof(*copy));
	struct failure again = of("SEP149", "name-mismatch");
	failures_add(f, &again);
	assert_int_equal(failures_copy_new(f, copy, &seen), 100);
	size_t copied = 0;
	for (size_t i = 0; i < 100; i++)
		if (copy[i].nth) {
			assert_string_equal(copy[i].device, "SEP149");
			assert_int_equal(copy[i].count, 2);
			assert_int_equal(copy[i].nth, 151);
			copied++;
		}
	assert_int_equal(copied, 1);
	free(copy);
	failures_free(f);
}

static void count_told(void *self, const struct failure *failure)
{
	*(int *)self += strcmp(failure->rule, "unknown-ca") == 0;
}

static void who_listens_is_told_of_each(void **state)
{
	int told = 0;
	struct failures *f = failures_new(1, 1);
	struct failure one = of("SEP1", "unknown-ca");
	failures_tell(f, count_told, &told);
	for (int i = 0; i < 5; i++)
		failures_add(f, &one);
	assert_int_equal(told, 5);
	failures_free(f);
}

static void a_tls_failure_has_the_traps_reason(void **state)
{
	struct failure f = of("SEP1", "x");
	assert_int_equal(failure_tls_reason(&f), REASON_TLS_UNKNOWN);
	f.code = REASON_FAILURE_X509_NAME;
	assert_int_equal(failure_tls_reason(&f), REASON_TLS_X509_NAME);
	f.code = REASON_FAILURE_TLS_CIPHER;
	assert_int_equal(failure_tls_reason(&f), REASON_TLS_CIPHER);
	f.code = REASON_FAILURE_AUTHENTICATION;
	assert_int_equal(failure_tls_reason(&f), REASON_TLS_AUTHENTICATION);
}

static void *add_many(void *arg)
{
	for (int i = 0; i < 500; i++) {
		char name[16];
		size_t n;
		snprintf(name, sizeof(name), "SEP%d", i % 20);
		struct failure one = of(name, "unknown-ca");
		failures_add(arg, &one);
		if (i % 100 == 0)
			free(failures_list(arg, &n));
	}
	return NULL;
}

static void threads_lose_no_count(void **state)
{
	pthread_t threads[4];
	struct failures *f = failures_new(64, 1);
	size_t n;
	uint64_t sum = 0;
	for (size_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, add_many, f);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	struct failure *list = failures_list(f, &n);
	for (size_t i = 0; i < n; i++)
		sum += list[i].count;
	assert_int_equal(n, 20);
	assert_int_equal(sum, 2000);
	assert_int_equal(failures_total(f), 2000);
	free(list);
	failures_free(f);
}

static void strangers_share_the_lines_of_a_second(void **state)
{
	struct failures *f = failures_new(4, 2);
	int lines = 0;
	for (int i = 0; i < 100; i++)
		lines += failures_may_log(f);
	assert_in_range(lines, 2, 4); /* a second may end meanwhile */
	failures_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_again_is_one_entry),
		cmocka_unit_test(a_full_memory_drops_the_longest_unseen),
		cmocka_unit_test(the_mirror_is_what_the_phone_prints),
		cmocka_unit_test(what_was_presented_is_copied_from_the_peer),
		cmocka_unit_test(they_are_counted_by_rule),
		cmocka_unit_test(strangers_share_the_lines_of_a_second),
		cmocka_unit_test(a_copy_gets_what_is_new),
		cmocka_unit_test(who_listens_is_told_of_each),
		cmocka_unit_test(a_tls_failure_has_the_traps_reason),
		cmocka_unit_test(threads_lose_no_count),
	};
	log_setup(LOG_TEXT, LOG_ERROR);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("failures", tests, NULL, NULL);
}

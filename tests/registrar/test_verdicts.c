/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about verdicts that are remembered: bounded, and not for ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "registrar/tls/verdicts.h"

enum { MANY = 200000, THREADS = 4, ROUNDS = 20000 };

static const struct trust_anchor capf, other;

/* A certificate whose digest begins with n. */
static struct peer_cert *cert_of(uint32_t n)
{
	struct peer_cert facts = {.not_before = 100, .not_after = 1000};
	struct peer_text texts[PEER_CERT_TEXTS];
	for (size_t i = 0; i < PEER_CERT_TEXTS; i++)
		texts[i] = (struct peer_text){"x", 1};
	memcpy(facts.sha256, &n, sizeof(n));
	return peer_cert_pack(&facts, texts);
}

static const struct trust_anchor *find(
	struct verdicts *v, uint32_t n, time_t now)
{
	struct peer_cert *got = NULL;
	uint8_t sha256[32] = {0};
	memcpy(sha256, &n, sizeof(n));
	const struct trust_anchor *anchor = verdicts_find(v, sha256, now, &got);
	assert_int_equal(anchor != NULL, got != NULL);
	if (got)
		assert_memory_equal(got->sha256, sha256, 32);
	peer_cert_unref(got);
	return anchor;
}

static void put(struct verdicts *v, uint32_t n,
	const struct trust_anchor *anchor, time_t until)
{
	struct peer_cert *cert = cert_of(n);
	verdicts_put(v, anchor, until, cert);
	peer_cert_unref(cert);
}

static void a_verdict_holds_while_the_whole_chain_is_valid(void **state)
{
	struct verdicts *v = verdicts_new();
	put(v, 7, &capf, 500);
	assert_ptr_equal(find(v, 7, 499), &capf);
	assert_null(find(v, 7, 500)); /* its CA has expired */
	assert_null(find(v, 7, 99));  /* the clock went back */
	assert_null(find(v, 8, 499));
	verdicts_free(v);
}

static void the_last_verdict_counts(void **state)
{
	struct verdicts *v = verdicts_new();
	put(v, 7, &capf, 500);
	put(v, 7, &other, 600);
	assert_ptr_equal(find(v, 7, 550), &other);
	verdicts_free(v);
}

static void it_stays_bounded_and_keeps_what_lasts_longest(void **state)
{
	struct verdicts *v = verdicts_new();
	size_t kept = 0;
	put(v, 0, &capf, 1000000);
	for (uint32_t i = 1; i <= MANY; i++)
		put(v, i, &capf, 500);
	for (uint32_t i = 1; i <= MANY; i++)
		kept += find(v, i, 300) != NULL;
	assert_in_range(kept, 20000, 40000);
	assert_ptr_equal(find(v, 0, 300), &capf);
	verdicts_free(v);
}

static void *use(void *arg)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		put(arg, i % 10, &capf, 500);
		find(arg, (i + 5) % 10, 300);
	}
	return NULL;
}

static void threads_share_it(void **state)
{
	struct verdicts *v = verdicts_new();
	pthread_t threads[THREADS];
	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, use, v);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (uint32_t i = 0; i < 10; i++)
		assert_ptr_equal(find(v, i, 300), &capf);
	verdicts_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_verdict_holds_while_the_whole_chain_is_valid),
		cmocka_unit_test(the_last_verdict_counts),
		cmocka_unit_test(it_stays_bounded_and_keeps_what_lasts_longest),
		cmocka_unit_test(threads_share_it),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("verdicts", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about what workers count: bounds, sums, and floods of names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "registrar/meters.h"

enum { FLOOD = 1000, THREADS = 4 };

static char suites[FLOOD][16], files[FLOOD][16];

static int names_init(void **state)
{
	for (size_t i = 0; i < FLOOD; i++) {
		snprintf(suites[i], sizeof(suites[i]), "suite %zu", i);
		snprintf(files[i], sizeof(files[i]), "%zu.pem", i);
	}
	return 0;
}

static void secure(struct meters *m, size_t i, bool resumed)
{
	struct trust_anchor anchor = {.file = files[i], .kind = CERT_KIND_LSC};
	meters_secured(m, &(struct meters_handshake){
				  .version = 2,
				  .cipher = suites[i],
				  .anchor = &anchor,
				  .resumed = resumed,
				  .us = i,
			  });
}

static uint64_t all_ciphers(const struct meters *m)
{
	uint64_t n = 0;
	for (size_t i = 0; i <= METERS_CIPHERS; i++)
		n += m->ciphers[i].n[2][0];
	return n;
}

static uint64_t all_anchors(const struct meters *m)
{
	uint64_t n = 0;
	for (size_t i = 0; i <= METERS_ANCHORS; i++)
		n += m->anchors[i].n[0];
	return n;
}

static void what_finds_no_place_is_other(void **state)
{
	struct meters *m = calloc(1, sizeof(*m));
	for (size_t i = 0; i < FLOOD; i++)
		secure(m, i, false);
	assert_string_equal(m->ciphers[METERS_CIPHERS - 1].name,
		suites[METERS_CIPHERS - 1]);
	assert_string_equal(m->ciphers[METERS_CIPHERS].name, "other");
	assert_string_equal(m->anchors[METERS_ANCHORS].file, "other");
	assert_int_equal(
		m->ciphers[METERS_CIPHERS].n[2][0], FLOOD - METERS_CIPHERS);
	assert_int_equal(
		m->anchors[METERS_ANCHORS].n[0], FLOOD - METERS_ANCHORS);
	free(m);
}

static void a_name_keeps_its_place(void **state)
{
	struct meters *m = calloc(1, sizeof(*m));
	for (size_t i = 0; i < 5; i++) {
		secure(m, 0, false);
		secure(m, 1, true);
	}
	assert_int_equal(m->ciphers[0].n[2][0], 5);
	assert_int_equal(m->ciphers[1].n[2][1], 5);
	assert_false(m->ciphers[2].used);
	assert_false(m->anchors[2].used);
	free(m);
}

static void kinds_of_one_file_are_apart(void **state)
{
	struct meters *m = calloc(1, sizeof(*m));
	struct meters_handshake h = {.cipher = "x"};
	struct trust_anchor anchor = {.file = files[0]};
	h.anchor = &anchor;
	anchor.kind = CERT_KIND_MIC;
	meters_secured(m, &h);
	anchor.kind = CERT_KIND_LSC;
	meters_secured(m, &h);
	h.anchor = NULL;
	meters_secured(m, &h);
	assert_int_equal(m->anchors[0].kind, CERT_KIND_MIC);
	assert_int_equal(m->anchors[1].kind, CERT_KIND_LSC);
	assert_string_equal(m->anchors[2].file, "none");
	free(m);
}

/* Workers met their names in another order each. */
static void sums_lose_nothing_and_are_bounded(void **state)
{
	struct meters *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	struct meters *sum = calloc(1, sizeof(*sum));
	for (size_t i = 0; i < FLOOD; i++) {
		secure(a, i, false);
		secure(b, FLOOD - 1 - i, false);
	}
	meters_sum(sum, a);
	meters_sum(sum, b);
	assert_int_equal(all_ciphers(sum), 2 * FLOOD);
	assert_int_equal(all_anchors(sum), 2 * FLOOD);
	assert_string_equal(sum->anchors[METERS_ANCHORS].file, "other");
	for (size_t i = 0; i < METERS_CIPHERS; i++)
		assert_string_not_equal(sum->ciphers[i].name, "other");
	free(a);
	free(b);
	free(sum);
}

static void a_bound_belongs_to_its_bucket(void **state)
{
	struct meters *m = calloc(1, sizeof(*m));
	for (size_t i = 0; i < METERS_BOUNDS; i++) {
		meters_took(m, METERS_FULL, meters_bound_us(i));
		assert_int_equal(m->spans[METERS_FULL].n[i], 1);
		meters_took(m, METERS_FULL, meters_bound_us(i) + 1);
		assert_int_equal(m->spans[METERS_FULL].n[i + 1], 1);
		m->spans[METERS_FULL] = (struct meters_histogram){0};
	}
	meters_took(m, METERS_FULL, 0);
	meters_took(m, METERS_FULL, UINT64_MAX - 1);
	assert_int_equal(m->spans[METERS_FULL].n[0], 1);
	assert_int_equal(m->spans[METERS_FULL].n[METERS_BOUNDS], 1);
	free(m);
}

static void alerts_outside_a_byte_are_none(void **state)
{
	struct meters *m = calloc(1, sizeof(*m));
	meters_alerted(m, -1, false);
	meters_alerted(m, METERS_ALERTS, true);
	meters_alerted(m, 48, false);
	meters_alerted(m, 255, true);
	assert_int_equal(m->alerts[48][0], 1);
	assert_int_equal(m->alerts[255][1], 1);
	free(m);
}

static void the_longest_turn_is_of_two_windows(void **state)
{
	struct meters *m = calloc(1, sizeof(*m));
	uint64_t now_ms = meters_now_us() / 1000;
	assert_int_equal(meters_longest_ms(m, now_ms), 0);
	meters_turned(m, now_ms - 700);
	meters_turned(m, now_ms - 300);
	uint64_t found = meters_longest_ms(m, now_ms);
	assert_true(found >= 700 && found < 60000);
	assert_int_equal(m->spans[METERS_TURN].sum_us % 1000, 0);
	assert_int_equal(
		meters_longest_ms(m, now_ms + 3 * METERS_WINDOW_MS), 0);
	/* A clock that the loop read later than we: no time passed. */
	meters_turned(m, now_ms + 3600000);
	assert_int_equal(meters_longest_ms(m, now_ms), found);
	free(m);
}

static void *flood(void *arg)
{
	for (size_t i = 0; i < FLOOD; i++) {
		secure(arg, i, false);
		meters_add(arg, METERS_REGISTER_REJECTS);
		meters_turned(arg, meters_now_us() / 1000);
	}
	return NULL;
}

/* Under TSan: who reads takes no lock from who writes. */
static void reading_while_a_worker_counts(void **state)
{
	struct meters *m = calloc(THREADS, sizeof(*m));
	struct meters *sum = calloc(1, sizeof(*sum));
	pthread_t threads[THREADS];
	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, flood, &m[i]);
	for (int round = 0; round < 100; round++) {
		*sum = (struct meters){0};
		for (size_t i = 0; i < THREADS; i++) {
			meters_sum(sum, &m[i]);
			meters_longest_ms(&m[i], meters_now_us() / 1000);
		}
		assert_true(all_ciphers(sum) <= THREADS * FLOOD);
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	*sum = (struct meters){0};
	for (size_t i = 0; i < THREADS; i++)
		meters_sum(sum, &m[i]);
	assert_int_equal(all_ciphers(sum), THREADS * FLOOD);
	assert_int_equal(sum->counts[METERS_REGISTER_REJECTS], THREADS * FLOOD);
	free(m);
	free(sum);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_finds_no_place_is_other),
		cmocka_unit_test(a_name_keeps_its_place),
		cmocka_unit_test(kinds_of_one_file_are_apart),
		cmocka_unit_test(sums_lose_nothing_and_are_bounded),
		cmocka_unit_test(a_bound_belongs_to_its_bucket),
		cmocka_unit_test(alerts_outside_a_byte_are_none),
		cmocka_unit_test(the_longest_turn_is_of_two_windows),
		cmocka_unit_test(reading_while_a_worker_counts),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("meters", tests, names_init, NULL);
}

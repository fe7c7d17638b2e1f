/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about overload: its states, and how it spreads phones. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "registrar/log.h"
#include "registrar/overload.h"

enum { NOW = 1000000, HOLD_MS = 5000, WAIT_MS = 2000 };

struct stage {
	struct config *config;
	struct overload *all;
	struct overload_part part[2];
};

static int set_up(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));
	struct diag d;
	assert_int_equal(config_load(NULL, ".", &s->config, &d), 0);
	s->config->wait_ms = WAIT_MS;
	log_setup(LOG_TEXT, LOG_ERROR);
	s->all = overload_new(s->config);
	overload_join(s->all, &s->part[0]);
	overload_join(s->all, &s->part[1]);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *s = *state;
	overload_free(s->all);
	config_free(s->config);
	free(s);
	return 0;
}

static enum overload_state after(struct stage *s, int part, uint64_t now_ms)
{
	overload_report(&s->part[part], now_ms);
	return overload_state(s->all);
}

static void it_begins_calm_and_stays_so(void **state)
{
	struct stage *s = *state;
	assert_int_equal(overload_state(s->all), OVERLOAD_CALM);
	assert_int_equal(after(s, 0, NOW), OVERLOAD_CALM);
	assert_false(overload_reached(&s->part[1]));
}

static void a_wait_that_is_felt_is_busy_and_lasts_a_while(void **state)
{
	struct stage *s = *state;
	s->part[0].figures.strangers = 5;
	s->part[0].figures.oldest_ms = 249;
	assert_int_equal(after(s, 0, NOW), OVERLOAD_CALM);
	s->part[0].figures.oldest_ms = 300;
	assert_int_equal(after(s, 0, NOW), OVERLOAD_BUSY);
	s->part[0].figures.oldest_ms = 0;
	s->part[0].figures.strangers = 0;
	assert_int_equal(after(s, 0, NOW + HOLD_MS - 1), OVERLOAD_BUSY);
	assert_int_equal(after(s, 1, NOW + HOLD_MS - 1), OVERLOAD_BUSY);
	assert_int_equal(after(s, 1, NOW + HOLD_MS), OVERLOAD_CALM);
}

static void a_long_wait_of_strangers_is_overload(void **state)
{
	struct stage *s = *state;
	s->part[1].figures.strangers = 5;
	s->part[1].figures.oldest_ms = WAIT_MS + 1;
	assert_int_equal(after(s, 1, NOW), OVERLOAD_OVERLOAD);
	/* Seen by every worker, and not ended by another's calm. */
	assert_true(overload_reached(&s->part[0]));
	assert_int_equal(after(s, 0, NOW + 1), OVERLOAD_OVERLOAD);
	s->part[1].figures.oldest_ms = 300;
	assert_int_equal(after(s, 1, NOW + HOLD_MS), OVERLOAD_BUSY);
	assert_false(overload_reached(&s->part[0]));
}

static void a_refusal_is_overload_for_a_while(void **state)
{
	struct stage *s = *state;
	s->part[0].figures.expired = 1;
	assert_int_equal(after(s, 0, NOW), OVERLOAD_OVERLOAD);
	assert_int_equal(after(s, 0, NOW + HOLD_MS - 1), OVERLOAD_OVERLOAD);
	assert_int_equal(after(s, 0, NOW + HOLD_MS), OVERLOAD_CALM);
	s->part[0].figures.room_full = 1;
	assert_int_equal(after(s, 0, NOW + HOLD_MS), OVERLOAD_OVERLOAD);
}

static void figures_are_summed_over_workers(void **state)
{
	struct stage *s = *state;
	s->part[0].figures = (struct overload_figures){
		.in_progress = 1, .oldest_ms = 70, .expired = 3};
	s->part[1].figures = (struct overload_figures){
		.in_progress = 2, .oldest_ms = 90, .tokens_rejected = 4};
	struct overload_view v = overload_view(s->all);
	assert_int_equal(v.figures.in_progress, 3);
	assert_int_equal(v.figures.oldest_ms, 90);
	assert_int_equal(v.figures.expired, 3);
	assert_int_equal(v.figures.tokens_rejected, 4);
	assert_int_equal(v.handshakes_max, 2 * s->config->handshakes_max);
}

static void each_row_names_one_figure(void **state)
{
	assert_int_equal(overload_rows_n * sizeof(uint64_t),
		sizeof(struct overload_figures));
	for (size_t i = 0; i < overload_rows_n; i++) {
		struct overload_figures f = {0};
		const struct overload_row *row = &overload_rows[i];
		((uint64_t *)&f)[i] = 7;
		assert_int_equal(overload_figure(&f, row), 7);
		assert_true(*row->name && *row->meaning);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(
				row->name, overload_rows[j].name);
	}
}

static void jitter_shortens_within_its_percent(void **state)
{
	struct stage *s = *state;
	bool seen[121] = {false};
	unsigned different = 0;
	s->config->jitter_percent = 10;
	for (int i = 0; i < 2000; i++) {
		uint32_t n = overload_jitter(&s->part[0], 120);
		assert_in_range(n, 108, 120);
		different += !seen[n];
		seen[n] = true;
	}
	assert_int_equal(different, 13);
	s->config->jitter_percent = 0;
	for (int i = 0; i < 100; i++)
		assert_int_equal(overload_jitter(&s->part[0], 120), 120);
}

static void workers_do_not_jitter_alike(void **state)
{
	struct stage *s = *state;
	int alike = 0;
	for (int i = 0; i < 100; i++)
		alike += overload_jitter(&s->part[0], 86400) ==
			 overload_jitter(&s->part[1], 86400);
	assert_in_range(alike, 0, 20);
}

static void phones_are_told_to_wait_as_long_as_the_backlog_lasts(void **state)
{
	struct stage *s = *state;
	for (int i = 0; i < 100; i++)
		assert_in_range(overload_wait_s(&s->part[0], 10), 10, 20);
	/* 100 a second are served, 4,000 wait: 40 s. */
	struct overload_figures *f = &s->part[0].figures;
	f->strangers = 3000;
	f->backlog = 1000;
	for (uint64_t t = 0; t < 20; t++) {
		f->waited_strangers += 100;
		overload_report(&s->part[0], NOW + 1000 * t);
	}
	assert_int_equal(overload_view(s->all).drain_s, 40);
	for (int i = 0; i < 100; i++)
		assert_in_range(overload_wait_s(&s->part[0], 10), 40, 80);
	/* And never for ever. */
	f->strangers = UINT32_MAX;
	overload_report(&s->part[0], NOW + 21000);
	assert_in_range(overload_wait_s(&s->part[0], 10), 120, 240);
}

static void *report_often(void *arg)
{
	struct overload_part *part = arg;
	for (uint64_t i = 0; i < 3000; i++) {
		overload_set(&part->figures.oldest_ms, i % 4 * 1000);
		overload_set(&part->figures.strangers, i % 4);
		overload_add(&part->figures.waited_strangers, 1);
		overload_report(part, NOW + 50 * i);
		overload_reached(part);
		overload_view(part->all);
	}
	return NULL;
}

static void workers_report_at_the_same_time(void **state)
{
	struct stage *s = *state;
	pthread_t threads[2];
	for (size_t i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, report_often, &s->part[i]);
	for (size_t i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(overload_view(s->all).figures.waited_strangers, 6000);
}

int main(void)
{
#define FACT(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		FACT(it_begins_calm_and_stays_so),
		FACT(a_wait_that_is_felt_is_busy_and_lasts_a_while),
		FACT(a_long_wait_of_strangers_is_overload),
		FACT(a_refusal_is_overload_for_a_while),
		FACT(figures_are_summed_over_workers),
		FACT(each_row_names_one_figure),
		FACT(jitter_shortens_within_its_percent),
		FACT(workers_do_not_jitter_alike),
		FACT(phones_are_told_to_wait_as_long_as_the_backlog_lasts),
		FACT(workers_report_at_the_same_time),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("overload", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about events and those who read them. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "registrar/status/events.h"

enum { ALL = (1u << EVENT_TOPICS) - 1, TEXT_MAX = 4096 };

static struct plane_source greet(struct events_reader *r)
{
	return events_greet(r, json_pack("{si}", "x", 1), NULL);
}

static struct plane_source reader(struct events *e, unsigned topics)
{
	struct events_reader *r;
	assert_int_equal(events_open(e, topics, NULL, &r), EVENTS_NEW);
	return greet(r);
}

/* All there is now, at most `most` bytes at once; "" when it is nothing. */
static char *all(const struct plane_source *s, size_t most)
{
	static char text[TEXT_MAX];
	size_t n = 0;
	ssize_t got;
	while ((got = s->read(s->self, text + n, most)) > 0) {
		n += (size_t)got;
		assert_true(n + most < TEXT_MAX);
	}
	text[n] = '\0';
	return text;
}

static void tell(struct events *e, enum event_topic topic, int i)
{
	events_tell(e, topic, json_pack("{si}", "n", i));
}

static void each_reads_its_topics_at_any_size(void **state)
{
	struct events *e = events_new();
	struct plane_source both = reader(e, ALL),
			    one = reader(e, 1u << EVENT_PHONES);
	assert_non_null(strstr(all(&both, 7), "event: hello\ndata: {\"x\":1}"));
	all(&one, 4096 / 2);
	tell(e, EVENT_STATUS, 1);
	tell(e, EVENT_PHONES, 2);
	char *text = all(&both, 1);
	assert_non_null(strstr(text, "event: status\nid: "));
	assert_non_null(strstr(text, "\ndata: {\"n\":2}\n\n"));
	assert_string_equal(all(&both, 1), "");
	text = all(&one, 100);
	assert_null(strstr(text, "event: status"));
	assert_non_null(strstr(text, "event: phone\n"));
	events_beat(e);
	assert_string_equal(all(&one, 100), ":\n\n");
	assert_string_equal(all(&one, 100), "");
	both.close(both.self);
	one.close(one.self);
	assert_int_equal(events_readers(e), 0);
	events_free(e);
}

static void the_slow_one_is_told_to_begin_anew_and_closed(void **state)
{
	struct events *e = events_new();
	struct plane_source slow = reader(e, ALL);
	char last[16];
	all(&slow, 100);
	for (int i = 0; i <= EVENTS_KEPT; i++)
		tell(e, EVENT_STATUS, i);
	char *text = all(&slow, 100);
	assert_non_null(strstr(text, "event: resync\nid:\n"));
	assert_null(strstr(text, "event: status"));
	assert_int_equal(slow.read(slow.self, last, sizeof(last)), -1);
	slow.close(slow.self);
	events_free(e);
}

static void bytes_count_as_well(void **state)
{
	struct events *e = events_new();
	struct plane_source slow = reader(e, ALL);
	char *big = calloc(1, (1 << 20) + 1);
	memset(big, 'x', 1 << 20);
	all(&slow, 100);
	for (int i = 0; i < 9; i++)
		events_tell(e, EVENT_STATUS, json_pack("{ss}", "x", big));
	assert_non_null(strstr(all(&slow, 100), "event: resync"));
	slow.close(slow.self);
	free(big);
	events_free(e);
}

/* The id of the last event that was read. */
static void id_of(const char *text, char id[128])
{
	const char *at = NULL;
	for (const char *p = text; (p = strstr(p, "\nid: ")); p += 5)
		at = p + 5;
	assert_non_null(at);
	if (!at)
		return; /* it has failed */
	snprintf(id, 128, "%.*s", (int)strcspn(at, "\n"), at);
}

static void who_comes_again_misses_nothing(void **state)
{
	struct events *e = events_new();
	struct events_reader *r;
	struct plane_source first = reader(e, ALL);
	char id[128];
	tell(e, EVENT_STATUS, 1);
	id_of(all(&first, 100), id);
	first.close(first.self);
	tell(e, EVENT_STATUS, 2);
	assert_int_equal(events_open(e, ALL, id, &r), EVENTS_RESUMED);
	struct plane_source again = greet(r);
	char *text = all(&again, 100);
	assert_null(strstr(text, "{\"n\":1}"));
	assert_non_null(strstr(text, "{\"n\":2}"));
	again.close(again.self);
	events_cut(e);
	assert_int_equal(events_open(e, ALL, id, &r), EVENTS_MISSED);
	again = greet(r);
	again.close(again.self);
	assert_int_equal(events_open(e, ALL, "nonsense", &r), EVENTS_MISSED);
	again = greet(r);
	again.close(again.self);
	events_free(e);
}

static void there_is_no_place_for_the_seventeenth(void **state)
{
	struct events *e = events_new();
	struct plane_source all_of[PLANE_SOURCES_MAX];
	struct events_reader *r;
	for (size_t i = 0; i < PLANE_SOURCES_MAX; i++)
		all_of[i] = reader(e, ALL);
	assert_int_equal(events_open(e, ALL, NULL, &r), EVENTS_FULL);
	for (size_t i = 0; i < PLANE_SOURCES_MAX; i++)
		all_of[i].close(all_of[i].self);
	events_free(e);
}

static void topics_are_known_or_none(void **state)
{
	assert_int_equal(
		event_topics_read("status,phones,failures,trust,capf"), ALL);
	assert_int_equal(event_topics_read("capf"), 1u << EVENT_CAPF);
	static const char *const bad[] = {"", ",", "status,", ",status", "stat",
		"statuses", "status phones"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(event_topics_read(bad[i]), 0);
}

static void *tell_many(void *self)
{
	for (int i = 0; i < 3000; i++)
		tell(self, EVENT_PHONES, i);
	return NULL;
}

static void they_are_read_while_they_are_told(void **state)
{
	pthread_t thread;
	char some[512];
	struct events *e = events_new();
	struct plane_source r = reader(e, ALL);
	pthread_create(&thread, NULL, tell_many, e);
	for (int i = 0; i < 3000; i++)
		if (r.read(r.self, some, sizeof(some)) < 0)
			break;
	pthread_join(thread, NULL);
	r.close(r.self);
	events_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reads_its_topics_at_any_size),
		cmocka_unit_test(the_slow_one_is_told_to_begin_anew_and_closed),
		cmocka_unit_test(bytes_count_as_well),
		cmocka_unit_test(who_comes_again_misses_nothing),
		cmocka_unit_test(there_is_no_place_for_the_seventeenth),
		cmocka_unit_test(topics_are_known_or_none),
		cmocka_unit_test(they_are_read_while_they_are_told),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}

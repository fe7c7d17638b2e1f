/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about segments that are put in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/tcpip/stream.h"

static const uint32_t START = 0xfffffffa; /* round after six bytes */

static const char words[] = "the quick brown fox jumps over the lazy dog";

static void put(struct stream *s, size_t at, size_t n)
{
	stream_put(s, START + (uint32_t)at, words + at, n);
}

/* All that comes out now, ended by NUL; what was missing as '_' each. */
static char *taken(struct stream *s, char out[256])
{
	const uint8_t *data;
	size_t n, used = 0;
	uint32_t missing;
	while (stream_next(s, &data, &n, &missing)) {
		assert_true(used + missing + n < 256);
		memset(out + used, '_', missing);
		memcpy(out + used + missing, data, n);
		used += missing + n;
	}
	out[used] = '\0';
	return out;
}

static void what_comes_in_order_goes_out(void **state)
{
	char out[256];
	struct stream s = {0};
	stream_begin(&s, START);
	put(&s, 0, 3);
	assert_string_equal(taken(&s, out), "the");
	put(&s, 3, 6);
	assert_string_equal(taken(&s, out), " quick");
	stream_deinit(&s);
}

static void a_segment_waits_for_the_one_before_it(void **state)
{
	char out[256];
	struct stream s = {0};
	stream_begin(&s, START);
	put(&s, 9, 6);
	put(&s, 3, 6);
	assert_string_equal(taken(&s, out), "");
	put(&s, 0, 3);
	assert_string_equal(taken(&s, out), "the quick brown");
	stream_deinit(&s);
}

static void what_comes_twice_goes_out_once(void **state)
{
	char out[256];
	struct stream s = {0};
	stream_begin(&s, START);
	put(&s, 0, 9);
	assert_string_equal(taken(&s, out), "the quick");
	put(&s, 0, 9);
	put(&s, 4, 8); /* half of it is new */
	put(&s, 6, 3);
	assert_string_equal(taken(&s, out), " br");
	put(&s, 20, 5);
	put(&s, 18, 4);
	put(&s, 12, 6);
	assert_string_equal(taken(&s, out), "own fox jumps");
	stream_deinit(&s);
}

static void what_is_missing_is_said_at_the_end(void **state)
{
	char out[256];
	struct stream s = {0};
	stream_begin(&s, START);
	put(&s, 0, 3);
	put(&s, 9, 6);
	assert_string_equal(taken(&s, out), "the");
	stream_end(&s);
	assert_string_equal(taken(&s, out), "______ brown");
	stream_deinit(&s);
}

static void it_begins_in_the_middle_without_a_syn(void **state)
{
	char out[256];
	struct stream s = {0};
	put(&s, 4, 5);
	assert_string_equal(taken(&s, out), "quick");
	put(&s, 0, 4); /* older than all we know */
	assert_string_equal(taken(&s, out), "");
	stream_deinit(&s);
}

/* A peer that never sends the missing byte does not fill our memory. */
static void no_more_than_the_limit_waits(void **state)
{
	static const char piece[4096];
	struct stream s = {0};
	size_t given = 0, missed = 0;
	stream_begin(&s, 0);
	for (uint32_t i = 0; i < 4 * STREAM_PIECES_MAX; i++) {
		const uint8_t *data;
		size_t n;
		uint32_t missing;
		stream_put(&s, 1 + i * sizeof(piece), piece, sizeof(piece));
		assert_true(s.pieces <= STREAM_PIECES_MAX);
		assert_true(s.held <= STREAM_HELD_MAX + sizeof(piece));
		while (stream_next(&s, &data, &n, &missing)) {
			given += n;
			missed += missing;
		}
	}
	assert_int_equal(missed, 1);
	assert_int_equal(given, 4 * STREAM_PIECES_MAX * sizeof(piece));
	stream_deinit(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_comes_in_order_goes_out),
		cmocka_unit_test(a_segment_waits_for_the_one_before_it),
		cmocka_unit_test(what_comes_twice_goes_out_once),
		cmocka_unit_test(what_is_missing_is_said_at_the_end),
		cmocka_unit_test(it_begins_in_the_middle_without_a_syn),
		cmocka_unit_test(no_more_than_the_limit_waits),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about cursors and the byte queue. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/bytes.h"

static void reads_little_endian_and_network_order(void **state)
{
	const uint8_t data[] = {1, 2, 0, 4, 3, 2, 1, 10, 0, 0, 1};
	struct bytes_in in = bytes_in(data, sizeof(data));
	assert_int_equal(bytes_u8(&in), 1);
	assert_int_equal(bytes_le16(&in), 2);
	assert_int_equal(bytes_le32(&in), 0x01020304);
	assert_int_equal(bytes_be32(&in), 0x0a000001);
	assert_false(in.bad);
}

static void read_past_the_end_answers_zero_and_says_so(void **state)
{
	const uint8_t data[] = {0xff, 0xff, 0xff};
	struct bytes_in in = bytes_in(data, sizeof(data));
	assert_int_equal(bytes_le32(&in), 0);
	assert_true(in.bad);
	assert_int_equal(bytes_u8(&in), 0);
}

static void text_field_is_cut_at_the_first_nul(void **state)
{
	char text[9];
	struct bytes_in in = bytes_in("SEP\0garb", 8);
	bytes_text(&in, text, 8);
	assert_memory_equal(text, "SEP\0\0\0\0\0", 9);
}

static void queue_refuses_more_than_its_cap(void **state)
{
	struct bytes_queue q;
	bytes_queue_init(&q, 4);
	assert_int_equal(bytes_queue_put(&q, "abc", 3), 0);
	assert_int_equal(bytes_queue_put(&q, "de", 2), -ENOBUFS);
	assert_int_equal(bytes_queue_len(&q), 3);
	assert_null(bytes_queue_extend(&q, 2));
	bytes_queue_deinit(&q);
}

static void queue_keeps_order_over_wraps(void **state)
{
	struct bytes_queue q;
	uint8_t in = 0, expect = 0;
	bytes_queue_init(&q, 1 << 16);
	for (int round = 0; round < 5000; round++) {
		for (int i = 0; i < round % 7 + 1; i++, in++)
			assert_int_equal(bytes_queue_put(&q, &in, 1), 0);
		size_t n;
		const uint8_t *p = bytes_queue_peek(&q, &n);
		size_t take = n < 4 ? n : 4;
		for (size_t i = 0; i < take; i++, expect++)
			assert_int_equal(p[i], expect);
		bytes_queue_drop(&q, take);
	}
	bytes_queue_deinit(&q);
}

static void reserved_room_keeps_the_content_in_its_place(void **state)
{
	struct bytes_queue q;
	size_t n;
	bytes_queue_init(&q, 4096);
	assert_int_equal(bytes_queue_put(&q, "a", 1), 0);
	bytes_queue_reserve(&q, 4095);
	const uint8_t *p = bytes_queue_peek(&q, &n);
	assert_int_equal(n, 1);
	for (int i = 0; i < 4095; i++)
		assert_int_equal(bytes_queue_put(&q, "b", 1), 0);
	assert_ptr_equal(bytes_queue_peek(&q, &n), p);
	assert_int_equal(n, 4096);
	bytes_queue_reserve(&q, 1); /* above max: nothing happens */
	assert_int_equal(bytes_queue_put(&q, "c", 1), -ENOBUFS);
	bytes_queue_deinit(&q);
}

static void emptied_queue_gives_its_memory_back(void **state)
{
	struct bytes_queue q;
	bytes_queue_init(&q, 100);
	assert_int_equal(bytes_queue_put(&q, "abc", 3), 0);
	bytes_queue_drop(&q, 3);
	assert_null(q.data);
	assert_int_equal(q.max, 100);
}

static void writer_never_passes_its_end(void **state)
{
	uint8_t data[7];
	memset(data, 0xee, sizeof(data));
	struct bytes_out out = bytes_out(data, 6);
	bytes_put_le32(&out, 0x01020304);
	bytes_put_le32(&out, 5);
	assert_true(out.bad);
	bytes_put_u8(&out, 9);
	assert_memory_equal(data, "\x04\x03\x02\x01\xee\xee\xee", 7);
}

static void text_is_padded_and_ends_with_nul(void **state)
{
	char data[6];
	struct bytes_out out = bytes_out(data, sizeof(data));
	bytes_put_text(&out, "abcdefgh", 4);
	assert_memory_equal(data, "abc\0", 4);
	bytes_put_text(&out, "", 2);
	assert_false(out.bad);
	assert_memory_equal(data, "abc\0\0\0", 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_little_endian_and_network_order),
		cmocka_unit_test(read_past_the_end_answers_zero_and_says_so),
		cmocka_unit_test(text_field_is_cut_at_the_first_nul),
		cmocka_unit_test(queue_refuses_more_than_its_cap),
		cmocka_unit_test(queue_keeps_order_over_wraps),
		cmocka_unit_test(reserved_room_keeps_the_content_in_its_place),
		cmocka_unit_test(emptied_queue_gives_its_memory_back),
		cmocka_unit_test(writer_never_passes_its_end),
		cmocka_unit_test(text_is_padded_and_ends_with_nul),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}

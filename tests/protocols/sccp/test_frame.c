/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about SCCP frames and message ids. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/sccp/frame.h"
#include "protocols/sccp/ids.h"

enum { CAP = 100 };

/* What next() says of the first n bytes of data. */
static enum sccp_frame_verdict verdict_of(
	const void *data, size_t n, struct sccp_frame *frame)
{
	struct bytes_queue q;
	bytes_queue_init(&q, 1000);
	assert_int_equal(bytes_queue_put(&q, data, n), 0);
	enum sccp_frame_verdict verdict = sccp_frame_next(&q, CAP, frame);
	bytes_queue_deinit(&q);
	return verdict;
}

static const uint8_t line_stat_req[] = {
	8, 0, 0, 0, 0x11, 0, 0, 0, 0x0b, 0, 0, 0, 1, 0, 0, 0};

static void frame_is_whole_only_with_its_last_byte(void **state)
{
	struct sccp_frame frame;
	for (size_t n = 0; n < sizeof(line_stat_req); n++)
		assert_int_equal(
			verdict_of(line_stat_req, n, &frame), SCCP_FRAME_MORE);
	assert_int_equal(
		verdict_of(line_stat_req, sizeof(line_stat_req), &frame),
		SCCP_FRAME_WHOLE);
	assert_int_equal(frame.length, 8);
	assert_int_equal(frame.version, 0x11);
	assert_int_equal(frame.id, SCCP_ID_LINE_STAT_REQ);
	assert_int_equal(frame.body_n, 4);
}

static void refusal_comes_with_the_field_that_earns_it(void **state)
{
	struct sccp_frame frame;
	assert_int_equal(verdict_of("\x03\0\0", 3, &frame), SCCP_FRAME_MORE);
	assert_int_equal(
		verdict_of("\x03\0\0\0", 4, &frame), SCCP_FRAME_LENGTH_UNDER_4);
	assert_int_equal(
		verdict_of("\0\0\0\0", 4, &frame), SCCP_FRAME_LENGTH_UNDER_4);
	assert_int_equal(verdict_of("\x64\0\0\0", 4, &frame), SCCP_FRAME_MORE);
	assert_int_equal(
		verdict_of("\x65\0\0\0", 4, &frame), SCCP_FRAME_TOO_LONG);
	assert_int_equal(
		verdict_of("\xff\xff\xff\xff", 4, &frame), SCCP_FRAME_TOO_LONG);
	assert_int_equal(
		verdict_of("\x04\0\0\0\x40\0\0\0", 8, &frame), SCCP_FRAME_MORE);
	assert_int_equal(verdict_of("\x04\0\0\0\x41\0\0\0", 8, &frame),
		SCCP_FRAME_VERSION_IMPOSSIBLE);
	assert_int_equal(verdict_of("\x04\0\0\0\0\0\0\1", 8, &frame),
		SCCP_FRAME_VERSION_IMPOSSIBLE);
}

static void frames_in_one_segment_come_one_by_one(void **state)
{
	struct bytes_queue q;
	struct sccp_frame frame;
	bytes_queue_init(&q, 1000);
	for (uint8_t i = 0; i < 7; i++) {
		uint8_t body[8] = {i};
		assert_int_equal(sccp_frame_put(&q, 0, i, body, i), 0);
	}
	for (uint8_t i = 0; i < 7; i++) {
		assert_int_equal(
			sccp_frame_next(&q, CAP, &frame), SCCP_FRAME_WHOLE);
		assert_int_equal(frame.id, i);
		assert_int_equal(frame.body_n, i);
		assert_true(i == 0 || frame.body[0] == i);
		sccp_frame_drop(&q, &frame);
	}
	assert_int_equal(sccp_frame_next(&q, CAP, &frame), SCCP_FRAME_MORE);
	bytes_queue_deinit(&q);
}

static void put_writes_what_the_capture_shows(void **state)
{
	struct bytes_queue q;
	size_t n;
	bytes_queue_init(&q, 16);
	assert_int_equal(sccp_frame_put(&q, 0x11, SCCP_ID_LINE_STAT_REQ,
				 (const uint8_t *)"\1\0\0\0", 4),
		0);
	assert_memory_equal(bytes_queue_peek(&q, &n), line_stat_req, 16);
	assert_int_equal(sccp_frame_put(&q, 0, 0, NULL, 0), -ENOBUFS);
	assert_int_equal(bytes_queue_len(&q), 16);
	bytes_queue_deinit(&q);
}

static const uint32_t ids[] = {
#define X(symbol, id, name, way, body) id,
	SCCP_ID_LIST(X)
#undef X
};

static void every_id_has_one_name_and_one_way(void **state)
{
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		assert_string_not_equal(sccp_id_name(ids[i]), "unknown");
		assert_true(sccp_id_known(ids[i], SCCP_UP) !=
			    sccp_id_known(ids[i], SCCP_DOWN));
		for (size_t k = 0; k < i; k++) {
			assert_int_not_equal(ids[i], ids[k]);
			assert_string_not_equal(
				sccp_id_name(ids[i]), sccp_id_name(ids[k]));
		}
	}
}

static void ids_that_kill_new_phones_are_not_ours(void **state)
{
	assert_false(sccp_id_known(0x9a, SCCP_DOWN));
	assert_false(sccp_id_known(0x87, SCCP_DOWN));
	assert_string_equal(sccp_id_name(0x9a), "unknown");
	assert_int_equal(sccp_id_body_min(0x9a), 0);
	assert_int_equal(sccp_id_body_min(SCCP_ID_REGISTER), 36);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame_is_whole_only_with_its_last_byte),
		cmocka_unit_test(refusal_comes_with_the_field_that_earns_it),
		cmocka_unit_test(frames_in_one_segment_come_one_by_one),
		cmocka_unit_test(put_writes_what_the_capture_shows),
		cmocka_unit_test(every_id_has_one_name_and_one_way),
		cmocka_unit_test(ids_that_kill_new_phones_are_not_ours),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("sccp frame", tests, NULL, NULL);
}

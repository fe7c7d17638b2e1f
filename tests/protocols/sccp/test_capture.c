/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about a real 7912's registration, replayed against our server. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocols/sccp/frame.h"
#include "protocols/sccp/ids.h"
#include "protocols/sccp/server.h"
#include "tests/protocols/sccp/capture.h"
#include "tests/protocols/sccp/pcapng.h"

/* The moment at which the real one was told the time; its clock said UTC. */
static const struct moment now = {
	.mono_ms = 1000, .unix_ms = INT64_C(1780513818000)};

/* Our server, with the capture open. */
struct replay {
	struct capture capture;
	struct sccp_server server;
	unsigned registered; /* REGISTERED events */
	unsigned others;     /* that a registration should not show */
};

static void setup_replay(struct replay *r)
{
	char path[PATH_MAX];
	if (!capture_7912(path, sizeof(path))) {
		print_message("# no real-world data beside the checkout\n");
		skip();
	}
	memset(r, 0, sizeof(*r));
	capture_open(&r->capture, path);
	if (r->capture.error)
		fail_msg("%s: %s", path, r->capture.error);
	sccp_server_init(&r->server, &sccp_server_defaults, &now);
}

static void teardown_replay(struct replay *r)
{
	sccp_server_deinit(&r->server);
	capture_close(&r->capture);
}

static void on_event(struct replay *r, const struct sccp_server_event *e)
{
	struct sccp_grant_button line = {SCCP_BUTTON_LINE, "1012", "1012"};
	struct sccp_grant grant = {
		.keepalive_s = 30,
		.secondary_keepalive_s = 60,
		.date_template = "M/D/Y",
		.server_name = "cm41",
		.buttons = &line,
		.n_buttons = 1,
	};
	if (e->type == SCCP_SERVER_REGISTER) {
		assert_string_equal(e->reg->device, "SEP001380AD9E5F");
		assert_int_equal(e->reg->device_type, 30007);
		assert_int_equal(e->reg->version, 7);
		assert_int_equal(e->reg->station_ipv4, 0x0a660ad1);
		sccp_server_accept(&r->server, &grant);
	} else if (e->type == SCCP_SERVER_ALARM) {
		assert_string_equal(e->text,
			"Name=SEP001380AD9E5F Load=CP7912060000SCCP050124A "
			"Last=CM-aborted-TCP");
		assert_int_equal(e->severity, 2);
	} else if (e->type == SCCP_SERVER_REGISTERED) {
		r->registered++;
	} else {
		r->others++;
	}
}

static void feed(struct replay *r, const uint8_t *data, size_t n)
{
	struct sccp_server_event e;
	sccp_server_feed(&r->server, data, n, &now);
	while (sccp_server_next(&r->server, &e))
		on_event(r, &e);
}

/* Takes one frame of what the server has to send. */
static struct sccp_frame take_answer(struct replay *r, struct bytes_queue *q)
{
	struct sccp_frame frame;
	size_t n;
	const uint8_t *data = sccp_server_out(&r->server, &n);
	if (n) {
		assert_int_equal(bytes_queue_put(q, data, n), 0);
		sccp_server_sent(&r->server, n);
	}
	if (sccp_frame_next(q, UINT16_MAX, &frame) != SCCP_FRAME_WHOLE)
		frame.id = UINT32_MAX;
	return frame;
}

/* Bytes that must be CallManager's own; the rest is names and garbage. */
static bool same_bytes(uint32_t id)
{
	switch (id) {
	case SCCP_ID_CAPABILITIES_REQ:
	case SCCP_ID_SELECT_SOFT_KEYS:
	case SCCP_ID_DISPLAY_PROMPT:
	case SCCP_ID_DEFINE_TIME_DATE:
	case SCCP_ID_KEEP_ALIVE_ACK:
		return true;
	default:
		return false;
	}
}

/* Where an answer says which index it is about. */
static bool same_first_number(uint32_t id)
{
	return id == SCCP_ID_LINE_STAT || id == SCCP_ID_SPEED_DIAL_STAT ||
	       id == SCCP_ID_FEATURE_STAT || id == SCCP_ID_REGISTER_ACK;
}

static void compare(
	const struct capture_frame *theirs, const struct sccp_frame *ours)
{
	const uint8_t *body = theirs->data + 12;
	if (ours->id != theirs->id)
		fail_msg("packet %u: expected %s, came %s (0x%x)",
			theirs->packet, sccp_id_name(theirs->id),
			sccp_id_name(ours->id), ours->id);
	if (ours->body_n != theirs->n - 12)
		fail_msg("packet %u, %s: expected %zu bytes of body, came %zu",
			theirs->packet, sccp_id_name(theirs->id),
			theirs->n - 12, ours->body_n);
	if (same_bytes(theirs->id))
		assert_memory_equal(ours->body, body, ours->body_n);
	if (same_first_number(theirs->id))
		assert_memory_equal(ours->body, body, 4);
	if (theirs->id == SCCP_ID_LINE_STAT)
		assert_memory_equal(ours->body + 4, body + 4, 5);
	if (theirs->id == SCCP_ID_SOFT_KEY_TEMPLATE)
		for (size_t i = 0; i < 5; i++)
			assert_memory_equal(ours->body + 12 + 20 * i,
				body + 12 + 20 * i, 2);
}

static void every_answer_of_callmanager_is_answered_by_us(void **state)
{
	struct replay r;
	struct bytes_queue q;
	unsigned compared = 0;
	setup_replay(&r);
	bytes_queue_init(&q, UINT16_MAX);
	for (size_t i = 0; i < r.capture.n; i++) {
		const struct capture_turn *turn = &r.capture.turns[i];
		struct sccp_frame ours;
		if (turn->said.packet > CAPTURE_7912_KEEPALIVE)
			break;
		feed(&r, turn->said.data, turn->said.n);
		for (unsigned k = 0; k < turn->n_answers; k++, compared++) {
			ours = take_answer(&r, &q);
			compare(&turn->answers[k], &ours);
			sccp_frame_drop(&q, &ours);
		}
		ours = take_answer(&r, &q);
		if (ours.id != UINT32_MAX)
			fail_msg("after packet %u: %s, which nobody sent then",
				turn->said.packet, sccp_id_name(ours.id));
		assert_int_equal(
			r.registered, turn->said.packet >= CAPTURE_7912_LAST);
	}
	assert_int_equal(compared, 16);
	assert_int_equal(r.registered, 1);
	assert_int_equal(r.others, 0);
	bytes_queue_deinit(&q);
	teardown_replay(&r);
}

static void the_whole_call_behind_it_breaks_nothing(void **state)
{
	struct replay r;
	setup_replay(&r);
	for (size_t i = 0; i < r.capture.n; i++)
		for (size_t k = 0; k < r.capture.turns[i].said.n; k++)
			feed(&r, r.capture.turns[i].said.data + k, 1);
	assert_int_equal(r.registered, 1);
	assert_int_equal(r.others, 2); /* two SoftKeyEvents are ignored */
	assert_true(sccp_server_registered(&r.server));
	teardown_replay(&r);
}

/* ---- the reader itself, on a file of our own ---- */

static void put_block(FILE *f, uint32_t type, const void *body, uint32_t n)
{
	uint32_t padded = (n + 3) & ~3u, length = padded + 12;
	fwrite(&type, 4, 1, f);
	fwrite(&length, 4, 1, f);
	fwrite(body, n, 1, f);
	fwrite("\0\0\0", padded - n, 1, f);
	fwrite(&length, 4, 1, f);
}

/* A TCP segment with port 2000 as its source, in Ethernet and IPv4. */
static void put_segment(FILE *f, uint32_t seq, uint8_t flags, const char *text)
{
	uint8_t b[20 + 54 + 16] = {0};
	uint32_t n = (uint32_t)strlen(text), frame = 54 + n;
	uint8_t *eth = b + 20, *ip = eth + 14, *tcp = ip + 20;
	memcpy(b + 12, &frame, 4);
	memcpy(b + 16, &frame, 4);
	eth[12] = 8;
	ip[0] = 0x45;
	ip[3] = (uint8_t)(40 + n);
	ip[9] = 6;
	tcp[0] = 2000 >> 8;
	tcp[1] = 2000 & 0xff;
	for (int i = 0; i < 4; i++)
		tcp[4 + i] = (uint8_t)(seq >> (24 - 8 * i));
	tcp[12] = 0x50;
	tcp[13] = flags;
	memcpy(tcp + 20, text, n);
	put_block(f, 6, b, 20 + frame);
}

static FILE *new_file(char path[PATH_MAX])
{
	const char *folder = getenv("DIALTONE_BUILD");
	snprintf(path, PATH_MAX, "%s/pcapng-XXXXXX", folder ? folder : ".");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	FILE *f = fdopen(fd, "wb");
	assert_non_null(f);
	uint8_t section[16] = {0x4d, 0x3c, 0x2b, 0x1a, 1};
	uint8_t interface[8] = {1};
	put_block(f, 0x0a0d0d0a, section, sizeof(section));
	put_block(f, 1, interface, sizeof(interface));
	return f;
}

static void reader_sorts_segments_and_drops_repeats(void **state)
{
	static const char *const expected[] = {"ab", "cd", "ef", "g"};
	static const unsigned packets[] = {2, 4, 4, 6};
	char path[PATH_MAX];
	struct pcapng p;
	FILE *f = new_file(path);
	put_segment(f, 0xfffffffe, 2, ""); /* the numbers wrap */
	put_segment(f, 0xffffffff, 0, "ab");
	put_segment(f, 3, 0, "ef");
	put_segment(f, 1, 0, "cd");
	put_segment(f, 1, 0, "cd");
	put_segment(f, 4, 0, "fg");
	fclose(f);
	pcapng_open(&p, path, 2000);
	unlink(path);
	assert_null(p.error);
	assert_int_equal(p.n, 4);
	for (size_t i = 0; i < p.n; i++) {
		assert_true(p.chunks[i].from_server);
		assert_int_equal(p.chunks[i].packet, packets[i]);
		assert_int_equal(p.chunks[i].n, strlen(expected[i]));
		assert_int_equal(p.chunks[i].offset, 2 * i);
		assert_memory_equal(
			p.chunks[i].data, expected[i], p.chunks[i].n);
	}
	pcapng_close(&p);
}

static void reader_says_what_is_missing(void **state)
{
	char path[PATH_MAX];
	struct pcapng p;
	FILE *f = new_file(path);
	put_segment(f, 1, 2, "");
	put_segment(f, 4, 0, "ef");
	fclose(f);
	pcapng_open(&p, path, 2000);
	assert_string_equal(p.error, "a TCP segment is missing");
	pcapng_close(&p);
	assert_int_equal(truncate(path, 80), 0);
	pcapng_open(&p, path, 2000);
	assert_string_equal(p.error, "a block is cut off, or has no length");
	pcapng_close(&p);
	unlink(path);
	pcapng_open(&p, path, 2000);
	assert_string_equal(p.error, "cannot be read");
	pcapng_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_answer_of_callmanager_is_answered_by_us),
		cmocka_unit_test(the_whole_call_behind_it_breaks_nothing),
		cmocka_unit_test(reader_sorts_segments_and_drops_repeats),
		cmocka_unit_test(reader_says_what_is_missing),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("sccp capture", tests, NULL, NULL);
}

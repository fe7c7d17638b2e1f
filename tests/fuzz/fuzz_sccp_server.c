/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the SCCP server engine: any bytes, cut anywhere, at any time. */
#include <stdlib.h>
#include <string.h>

#include "protocols/sccp/frame.h"
#include "protocols/sccp/ids.h"
#include "protocols/sccp/server.h"

/*
 * The input: one byte of choices, then pieces. A piece is its length and so
 * many bytes to feed; a length of 0 is followed by what the host does instead.
 */
enum choice {
	CHOICE_REJECT = 0x01,
	CHOICE_DENY = 0x02,
	CHOICE_MANY_BUTTONS = 0x04,
	CHOICE_OLD_SERVER = 0x08,
};

enum { MS_PER_TICK = 500 };

/* One run of the engine, and everything that came out of it. */
struct run {
	struct sccp_server server;
	struct moment now;
	uint8_t choices;
	bool closed;
	uint64_t events; /* a hash of all of them */
	uint64_t bytes;	 /* a hash of all that was sent */
	struct bytes_queue wire;
};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static uint64_t mix(uint64_t hash, const void *data, size_t n)
{
	const uint8_t *p = data;
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static void accept(struct run *r)
{
	static const enum sccp_button_type types[] = {SCCP_BUTTON_LINE,
		SCCP_BUTTON_SPEED_DIAL, SCCP_BUTTON_BLF, SCCP_BUTTON_FEATURE,
		SCCP_BUTTON_SERVICE};
	struct sccp_grant_button buttons[SCCP_BUTTONS_MAX + 1];
	struct sccp_grant grant = {
		.keepalive_s = 30,
		.secondary_keepalive_s = 60,
		.date_template = "D/M/YA",
		.prompt = r->choices & CHOICE_MANY_BUTTONS
				  ? "Gr\xc3\xbc\xc3\x9f "
				    "Gott"
				  : NULL,
		.server_name = "registrar.example",
		.server_port = 2000,
		.buttons = buttons,
		.n_buttons = r->choices & CHOICE_MANY_BUTTONS
				     ? SCCP_BUTTONS_MAX + 1
				     : 1,
	};
	for (unsigned i = 0; i <= SCCP_BUTTONS_MAX; i++)
		buttons[i] = (struct sccp_grant_button){types[i % 5],
			"0123456789012345678901234567890",
			"\xc3\xbcmlaut \xe2\x82\xac and a label that is "
			"too long for it"};
	sccp_server_accept(&r->server, &grant);
}

static void on_event(struct run *r, const struct sccp_server_event *e)
{
	check(!r->closed); /* CLOSE is the last one */
	r->events = mix(r->events, &e->type, sizeof(e->type));
	r->events = mix(r->events, &e->message_id, sizeof(e->message_id));
	r->events = mix(r->events, &e->value, sizeof(e->value));
	r->events = mix(r->events, &e->why, sizeof(e->why));
	if (e->text)
		r->events = mix(r->events, e->text, strlen(e->text));
	if (e->reg)
		r->events =
			mix(r->events, e->reg->device, strlen(e->reg->device));
	if (e->type == SCCP_SERVER_REGISTER && r->choices & CHOICE_REJECT)
		sccp_server_reject(&r->server, e->reg->load);
	else if (e->type == SCCP_SERVER_REGISTER)
		accept(r);
	else if (e->type == SCCP_SERVER_TOKEN && r->choices & CHOICE_DENY)
		sccp_server_deny_token(&r->server, 60);
	else if (e->type == SCCP_SERVER_TOKEN)
		sccp_server_grant_token(&r->server);
	r->closed = e->type == SCCP_SERVER_CLOSE;
}

/* What we send, the strictest reader must understand. */
static void read_back(struct run *r, const uint8_t *data, size_t n)
{
	struct sccp_frame frame;
	struct sccp_message m;
	uint8_t version = sccp_server_version(&r->server);
	check(bytes_queue_put(&r->wire, data, n) == 0);
	while (sccp_frame_next(&r->wire, UINT16_MAX, &frame) ==
		SCCP_FRAME_WHOLE) {
		check(sccp_id_known(frame.id, SCCP_DOWN));
		check(frame.body_n % 4 == 0);
		/* Two layouts hang on a version that may be gone by now. */
		bool varies = frame.id == SCCP_ID_FORWARD_STAT ||
			      frame.id == SCCP_ID_SERVER_RES;
		check(sccp_message_read(&m, frame.id, version, frame.body,
			      frame.body_n) == SCCP_BODY_WHOLE ||
			varies);
		sccp_frame_drop(&r->wire, &frame);
	}
	check(bytes_queue_len(&r->wire) == 0);
}

static void drain(struct run *r)
{
	struct sccp_server_event e;
	size_t n;
	while (sccp_server_next(&r->server, &e))
		on_event(r, &e);
	const uint8_t *data = sccp_server_out(&r->server, &n);
	check(n <= r->server.config->out_max);
	if (n == 0)
		return;
	r->bytes = mix(r->bytes, data, n);
	read_back(r, data, n);
	sccp_server_sent(&r->server, n);
}

static void feed(struct run *r, const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n);
	check(copy != NULL);
	memcpy(copy, data, n);
	sccp_server_feed(&r->server, copy, n, &r->now);
	free(copy);
	drain(r);
}

static void act(struct run *r, uint8_t what)
{
	if (what & 1) {
		sccp_server_reset(
			&r->server, (enum sccp_reset)(what >> 1), &r->now);
		drain(r);
		return;
	}
	r->now.mono_ms += (uint64_t)what * MS_PER_TICK;
	r->now.unix_ms += (int64_t)what * MS_PER_TICK;
	sccp_server_tick(&r->server, &r->now);
	drain(r);
}

static void perform(
	struct run *r, const uint8_t *data, size_t n, bool byte_by_byte)
{
	static const struct sccp_server_config old = {
		.first_frame_ms = 30000,
		.idle_ms = 60000,
		.grace_ms = 5000,
		.token_ms = 4000,
		.capabilities_ms = 3000,
		.reset_ms = 2000,
		.body_max_before = 400,
		.body_max_after = 600,
		.events_max = 20,
		.version_max = 11,
		.out_max = 65536,
	};
	*r = (struct run){
		.now = {.mono_ms = 1, .unix_ms = INT64_C(1795406400000)},
		.choices = data[0],
	};
	bytes_queue_init(&r->wire, 1 << 20);
	sccp_server_init(&r->server,
		r->choices & CHOICE_OLD_SERVER ? &old : &sccp_server_defaults,
		&r->now);
	for (size_t i = 1; i + 1 < n;) {
		size_t len = data[i++];
		if (len == 0) {
			act(r, data[i++]);
			continue;
		}
		len = len < n - i ? len : n - i;
		size_t step = byte_by_byte ? 1 : len;
		for (size_t at = 0; at < len; at += step)
			feed(r, data + i + at, step);
		i += len;
	}
	uint64_t due = sccp_server_deadline(&r->server);
	check(r->closed == (due == MOMENT_NEVER));
	while (due != MOMENT_NEVER) { /* silence ends every connection */
		r->now.mono_ms = due;
		act(r, 0);
		check(sccp_server_deadline(&r->server) > due);
		due = sccp_server_deadline(&r->server);
	}
	check(r->closed);
	sccp_server_deinit(&r->server);
	bytes_queue_deinit(&r->wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run whole, split;
	if (size == 0)
		return 0;
	perform(&whole, data, size, false);
	perform(&split, data, size, true);
	check(whole.events == split.events);
	check(whole.bytes == split.bytes);
	return 0;
}

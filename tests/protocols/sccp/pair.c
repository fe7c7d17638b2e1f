/* SPDX-License-Identifier: Apache-2.0 */
/* Carrying frames between a phone engine and a server engine. */
#include "tests/protocols/sccp/pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/sccp/frame.h"

enum { TURNS_MAX = 1000 };

static const struct moment start = {
	.mono_ms = 5000, .unix_ms = INT64_C(1795406400000)};

void pair_init(struct pair *p, const struct sccp_phone_config *config)
{
	*p = (struct pair){.now = start};
	bytes_queue_init(&p->wire, 1 << 20);
	sccp_server_init(&p->server, &sccp_server_defaults, &p->now);
	sccp_phone_init(&p->phone, config, &p->now);
}

void pair_deinit(struct pair *p)
{
	bytes_queue_deinit(&p->wire);
	sccp_server_deinit(&p->server);
	sccp_phone_deinit(&p->phone);
}

static void accept(struct pair *p)
{
	static const struct sccp_grant_button buttons[] = {
		{SCCP_BUTTON_LINE, "1012", "Lobby"},
		{SCCP_BUTTON_LINE, "1013", ""},
		{SCCP_BUTTON_SPEED_DIAL, "2001", "Boss"},
		{SCCP_BUTTON_BLF, "2002", "Door"},
		{SCCP_BUTTON_FEATURE, "", "Privacy"},
		{SCCP_BUTTON_SERVICE, "http://news.example/", "News"},
		{SCCP_BUTTON_LINE, "1014", "M\xc3\xb6we"},
	};
	struct sccp_grant grant = {
		.keepalive_s = 30,
		.secondary_keepalive_s = 60,
		.date_template = "D.M.YA",
		.prompt = "Dialtone",
		.server_name = "registrar.example",
		.server_port = 2000,
		.buttons = buttons,
		.n_buttons = sizeof(buttons) / sizeof(*buttons),
	};
	sccp_server_accept(&p->server, &grant);
}

static void server_events(struct pair *p)
{
	struct sccp_server_event e;
	while (sccp_server_next(&p->server, &e)) {
		switch (e.type) {
		case SCCP_SERVER_REGISTER:
			p->reg = *e.reg;
			p->registers++;
			if (p->reject)
				sccp_server_reject(&p->server, p->reject);
			else
				accept(p);
			break;
		case SCCP_SERVER_REGISTERED:
			p->registered++;
			break;
		case SCCP_SERVER_TOKEN:
			if (p->deny_s)
				sccp_server_deny_token(&p->server, p->deny_s);
			else
				sccp_server_grant_token(&p->server);
			break;
		case SCCP_SERVER_ALARM:
			snprintf(p->alarm, sizeof(p->alarm), "%s", e.text);
			break;
		case SCCP_SERVER_UNREGISTER:
			break;
		case SCCP_SERVER_IGNORED:
			p->ignored++;
			break;
		case SCCP_SERVER_CLOSE:
			p->closed++;
			break;
		}
	}
}

void pair_phone_events(struct pair *p)
{
	struct sccp_phone_event e;
	while (sccp_phone_next(&p->phone, &e)) {
		if (e.text)
			snprintf(p->text, sizeof(p->text), "%s", e.text);
		switch (e.type) {
		case SCCP_PHONE_REGISTERED:
			p->done++;
			break;
		case SCCP_PHONE_REJECTED:
			p->rejected++;
			break;
		case SCCP_PHONE_UNREGISTERED:
			p->unregistered++;
			break;
		case SCCP_PHONE_RESET:
			p->reset = e.value;
			break;
		case SCCP_PHONE_TOKEN:
			p->tokens++;
			p->token = e.value;
			break;
		case SCCP_PHONE_ALIVE:
			p->alive++;
			break;
		case SCCP_PHONE_FAILED:
			p->failed++;
			break;
		}
	}
}

/* How many of n bytes make the next piece. */
static size_t piece(const struct pair *p, size_t n)
{
	if (p->single)
		return 1;
	if (p->cut > p->crossed && p->cut - p->crossed < n)
		return p->cut - p->crossed;
	return n;
}

bool pair_phone_to_server(struct pair *p)
{
	size_t n;
	const uint8_t *data = sccp_phone_out(&p->phone, &n);
	if (n == 0)
		return false;
	n = piece(p, n);
	sccp_server_feed(&p->server, data, n, &p->now);
	sccp_phone_sent(&p->phone, n);
	p->crossed += n;
	server_events(p);
	return true;
}

void pair_tell_phone(struct pair *p, uint8_t *data, size_t n)
{
	size_t step = p->single ? 1 : n;
	for (size_t at = 0; at < n; at += step) {
		sccp_phone_feed(&p->phone, data + at, step, &p->now);
		pair_phone_events(p);
	}
}

/* Carries one frame, with its accident. */
static void carry(struct pair *p, const struct sccp_frame *frame)
{
	uint8_t data[SCCP_WRITE_MAX + 16] = {0};
	size_t n = frame->length + SCCP_HEADER;
	p->ids[p->frames % PAIR_IDS_MAX] = frame->id;
	p->frames++;
	enum accident accident =
		p->frames == p->victim ? p->accident : NO_ACCIDENT;
	memcpy(data, frame->body - 12, n);
	uint16_t length = (uint16_t)frame->length;
	if (accident == LOST)
		return;
	if (accident == SHORTENED)
		length = (uint16_t)(length >= 8 ? length - 4 : 3);
	if (accident == LENGTHENED)
		length = (uint16_t)(length + 4);
	if (accident == RENAMED)
		data[8] = 0x9a;
	if (accident == RENAMED)
		data[9] = 0;
	if (accident == REVERSIONED)
		data[4] = 0x13;
	for (unsigned i = 0; accident == BENT && i < 2; i++)
		if (p->bends[i].at)
			data[p->bends[i].at] = p->bends[i].value;
	data[0] = length & 0xff;
	data[1] = (uint8_t)(length >> 8);
	n = (size_t)length + SCCP_HEADER;
	pair_tell_phone(p, data, n);
	if (accident == DOUBLED)
		pair_tell_phone(p, data, n);
}

bool pair_server_to_phone(struct pair *p)
{
	struct sccp_frame frame;
	size_t n;
	const uint8_t *data = sccp_server_out(&p->server, &n);
	if (n == 0)
		return false;
	assert_int_equal(bytes_queue_put(&p->wire, data, n), 0);
	sccp_server_sent(&p->server, n);
	while (sccp_frame_next(&p->wire, SCCP_WRITE_MAX, &frame) ==
		SCCP_FRAME_WHOLE) {
		carry(p, &frame);
		sccp_frame_drop(&p->wire, &frame);
	}
	assert_int_equal(bytes_queue_len(&p->wire), 0);
	return true;
}

void pair_talk(struct pair *p)
{
	for (unsigned i = 0; pair_phone_to_server(p) || pair_server_to_phone(p);
		i++)
		assert_true(p->single || i < TURNS_MAX);
}

void pair_pass(struct pair *p, uint64_t ms)
{
	uint64_t until = p->now.mono_ms + ms;
	for (unsigned i = 0; i < TURNS_MAX; i++) {
		uint64_t phone = sccp_phone_deadline(&p->phone);
		uint64_t server = sccp_server_deadline(&p->server);
		uint64_t due = phone < server ? phone : server;
		if (due > until)
			break;
		p->now.mono_ms = due;
		sccp_phone_tick(&p->phone, &p->now);
		sccp_server_tick(&p->server, &p->now);
		pair_phone_events(p);
		server_events(p);
		pair_talk(p);
	}
	p->now.mono_ms = until;
}

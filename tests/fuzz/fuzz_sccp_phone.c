/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the SCCP phone engine: our own server's bytes, bent, or any bytes. */
#include <stdlib.h>
#include <string.h>

#include "protocols/sccp/phone.h"
#include "protocols/sccp/server.h"

/*
 * The input: the version, one byte of choices, then either pieces (length and
 * bytes) that a server says, or changes to what our server says: so many bytes
 * go by untouched, and the next is replaced.
 */
enum choice {
	CHOICE_ANY_BYTES = 0x01,
	CHOICE_TOKEN = 0x02,
	CHOICE_MANY_BUTTONS = 0x04,
	CHOICE_UNREGISTER = 0x08,
	CHOICE_REJECT = 0x10,
};

enum { TURNS_MAX = 400 };

struct run {
	struct sccp_phone phone;
	struct sccp_server server;
	struct moment now;
	uint8_t choices;
	bool over; /* REJECTED, UNREGISTERED or FAILED */
	const uint8_t *changes;
	size_t n_changes;
	unsigned until; /* bytes before the next change */
};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void phone_events(struct run *r)
{
	struct sccp_phone_event e;
	while (sccp_phone_next(&r->phone, &e)) {
		check(!r->over);
		check(e.type != SCCP_PHONE_FAILED || e.text[0]);
		r->over = e.type == SCCP_PHONE_FAILED ||
			  e.type == SCCP_PHONE_REJECTED ||
			  e.type == SCCP_PHONE_UNREGISTERED;
		if (e.type == SCCP_PHONE_TOKEN)
			sccp_phone_start(&r->phone, &r->now);
		if (e.type == SCCP_PHONE_REGISTERED &&
			r->choices & CHOICE_UNREGISTER)
			sccp_phone_unregister(&r->phone, &r->now);
	}
	if (r->over)
		check(sccp_phone_deadline(&r->phone) == MOMENT_NEVER);
}

static void feed_phone(struct run *r, const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n);
	check(copy != NULL);
	memcpy(copy, data, n);
	sccp_phone_feed(&r->phone, copy, n, &r->now);
	free(copy);
	phone_events(r);
}

static void server_events(struct run *r)
{
	static const enum sccp_button_type types[] = {SCCP_BUTTON_LINE,
		SCCP_BUTTON_SPEED_DIAL, SCCP_BUTTON_BLF, SCCP_BUTTON_FEATURE,
		SCCP_BUTTON_SERVICE};
	struct sccp_grant_button buttons[SCCP_BUTTONS_MAX];
	struct sccp_grant grant = {
		.keepalive_s = 30,
		.secondary_keepalive_s = 60,
		.date_template = "D.M.Y",
		.server_name = "registrar.example",
		.buttons = buttons,
		.n_buttons =
			r->choices & CHOICE_MANY_BUTTONS ? SCCP_BUTTONS_MAX : 1,
	};
	struct sccp_server_event e;
	for (unsigned i = 0; i < SCCP_BUTTONS_MAX; i++)
		buttons[i] = (struct sccp_grant_button){
			types[i % 5], "1012", "Lobby"};
	while (sccp_server_next(&r->server, &e)) {
		/* Our phone says nothing that our server does not know. */
		check(e.type != SCCP_SERVER_IGNORED);
		if (e.type == SCCP_SERVER_TOKEN)
			sccp_server_grant_token(&r->server);
		if (e.type != SCCP_SERVER_REGISTER)
			continue;
		if (r->choices & CHOICE_REJECT)
			sccp_server_reject(&r->server, "no");
		else
			sccp_server_accept(&r->server, &grant);
	}
}

static bool phone_to_server(struct run *r)
{
	size_t n;
	const uint8_t *data = sccp_phone_out(&r->phone, &n);
	if (n == 0)
		return false;
	sccp_server_feed(&r->server, data, n, &r->now);
	sccp_phone_sent(&r->phone, n);
	server_events(r);
	return true;
}

static bool next_change(struct run *r)
{
	if (r->n_changes < 2)
		return false;
	r->until = r->changes[0];
	return true;
}

static void bend(struct run *r, uint8_t *data, size_t n)
{
	for (size_t i = 0; i < n && r->n_changes >= 2; i++) {
		if (r->until > 0) {
			r->until--;
			continue;
		}
		data[i] = r->changes[1];
		r->changes += 2;
		r->n_changes -= 2;
		next_change(r);
	}
}

static bool server_to_phone(struct run *r)
{
	size_t n;
	const uint8_t *data = sccp_server_out(&r->server, &n);
	if (n == 0)
		return false;
	uint8_t *copy = malloc(n);
	check(copy != NULL);
	memcpy(copy, data, n);
	bend(r, copy, n);
	feed_phone(r, copy, n);
	free(copy);
	sccp_server_sent(&r->server, n);
	return true;
}

static void talk_with_server(struct run *r)
{
	next_change(r);
	for (unsigned i = 0; i < TURNS_MAX; i++)
		if (!phone_to_server(r) && !server_to_phone(r))
			break;
}

static void hear_any_bytes(struct run *r)
{
	while (r->n_changes) {
		size_t n = *r->changes++;
		r->n_changes--;
		n = n < r->n_changes ? n : r->n_changes;
		feed_phone(r, r->changes, n);
		r->changes += n;
		r->n_changes -= n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct run r = {
		.now = {.mono_ms = 1, .unix_ms = INT64_C(1795406400000)},
		.choices = data[1],
		.changes = data + 2,
		.n_changes = size - 2,
	};
	struct sccp_phone_config config = {
		.device = "SEP001380AD9E5F",
		.device_type = 30007,
		.version = data[0],
		.load = "load",
		.last_reason = "Initialized",
	};
	sccp_phone_init(&r.phone, &config, &r.now);
	sccp_server_init(&r.server, &sccp_server_defaults, &r.now);
	if (r.choices & CHOICE_TOKEN)
		sccp_phone_token(&r.phone, &r.now);
	else
		sccp_phone_start(&r.phone, &r.now);
	if (r.choices & CHOICE_ANY_BYTES)
		hear_any_bytes(&r);
	else
		talk_with_server(&r);
	/* A server that says no more ends every phone. */
	for (unsigned i = 0; i < TURNS_MAX && !r.over; i++) {
		uint64_t due = sccp_phone_deadline(&r.phone);
		check(due != MOMENT_NEVER);
		r.now.mono_ms = due;
		sccp_phone_tick(&r.phone, &r.now);
		phone_events(&r);
	}
	check(r.over);
	sccp_phone_deinit(&r.phone);
	sccp_server_deinit(&r.server);
	return 0;
}

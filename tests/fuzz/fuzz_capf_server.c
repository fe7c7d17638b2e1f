/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the CAPF server engine: any bytes, cut anywhere, at any time. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/capf/message.h"
#include "protocols/capf/server.h"

/*
 * The input: one byte of choices, then pieces. A piece is its length and so
 * many bytes to feed; a length of 0 is followed by what happens instead: the
 * host answers, or seconds pass.
 */
enum choice {
	CHOICE_ERASE = 0x01,
	CHOICE_FETCH = 0x02,
	CHOICE_STORE = 0x04, /* none of the three: a key is asked for */
	CHOICE_EC = 0x08,
	CHOICE_AUTH_TYPE = 0x10,
	CHOICE_THINK = 0x20, /* the host answers only when it is told to */
};

enum { SESSION = 7, MS = 1000, OUT_MAX = 65536 };

/* One run of the engine, and everything that came out of it. */
struct run {
	struct capf_server server;
	struct moment now;
	uint8_t choices;
	bool asked; /* an event waits for the host */
	enum capf_server_event_type last;
	unsigned version;
	bool over;
	uint64_t events; /* a hash of all of them */
	uint64_t bytes;	 /* a hash of all that was sent */
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

static void mix_bytes(struct run *r, const struct capf_bytes *bytes)
{
	r->events = mix(r->events, &bytes->n, sizeof(bytes->n));
	r->events = mix(r->events, bytes->p, bytes->n);
}

static void begin(struct run *r)
{
	const struct capf_key_wish rsa = {CAPF_KEY_RSA, 2048};
	const struct capf_key_wish ec = {CAPF_KEY_EC, 521};
	bool may_ec = r->choices & CHOICE_EC && r->version >= CAPF_VERSION;
	if (r->choices & CHOICE_ERASE)
		capf_server_erase(&r->server, &r->now);
	else if (r->choices & CHOICE_FETCH)
		capf_server_fetch(&r->server, 0, &r->now);
	else if (r->choices & CHOICE_STORE)
		capf_server_store(&r->server, "\x30", 1, &r->now);
	else
		capf_server_generate_key(
			&r->server, may_ec ? &ec : &rsa, &r->now);
}

static void answer(struct run *r)
{
	if (!r->asked)
		return;
	r->asked = false;
	if (r->last == CAPF_SERVER_AUTH)
		begin(r);
	else if (r->last == CAPF_SERVER_KEY)
		capf_server_store(&r->server, "\x30\x01", 2, &r->now);
	else if (r->last == CAPF_SERVER_FETCHED && r->choices & CHOICE_EC)
		capf_server_fetch(&r->server, CAPF_CERT_MIC, &r->now);
	else
		capf_server_end(&r->server, CAPF_REASON_SUCCESS);
}

/* What the header promises of an event. */
static void check_event(struct run *r, const struct capf_server_event *e)
{
	check(!r->over); /* FAILED is the last one */
	check(!r->asked || e->type == CAPF_SERVER_FAILED);
	check(e->n_certs <= CAPF_CERTS_MAX);
	for (size_t i = 0; i < e->n_certs; i++)
		check(e->certs[i].der.p && e->certs[i].der.n);
	if (e->type == CAPF_SERVER_AUTH) {
		size_t n = e->device ? strlen(e->device) : 0;
		check(n > 0 && n <= CAPF_DEVICE_MAX);
		for (size_t i = 0; i < n; i++)
			check(isalnum((unsigned char)e->device[i]) ||
				strchr("._-", e->device[i]));
		check(e->version >= 1 && e->version <= UINT8_MAX);
	}
	if (e->type == CAPF_SERVER_KEY)
		check(e->public_key.n || e->reason >= 0);
	if (e->type == CAPF_SERVER_FAILED)
		check(e->rule && e->text && *e->text);
	if (e->password)
		check(strlen(e->password) <= CAPF_PASSWORD_MAX);
}

static void on_event(struct run *r, const struct capf_server_event *e)
{
	check_event(r, e);
	r->events = mix(r->events, &e->type, sizeof(e->type));
	r->events = mix(r->events, &e->reason, sizeof(e->reason));
	if (e->device)
		r->events = mix(r->events, e->device, strlen(e->device));
	if (e->rule)
		r->events = mix(r->events, e->rule, strlen(e->rule));
	for (size_t i = 0; i < e->n_certs; i++)
		mix_bytes(r, &e->certs[i].der);
	mix_bytes(r, &e->public_key);
	mix_bytes(r, &e->sudi_data);
	if (e->type == CAPF_SERVER_AUTH)
		r->version = e->version;
	if (e->type == CAPF_SERVER_FAILED)
		r->over = true;
	else if (e->type != CAPF_SERVER_PROGRESS)
		r->asked = true;
	r->last = e->type;
	if (!(r->choices & CHOICE_THINK))
		answer(r);
}

/* One whole message, which our own reader must take. */
static void check_out(const uint8_t *data, size_t n)
{
	struct bytes_queue q;
	struct capf_frame frame;
	struct capf_message m;
	struct capf_refusal why;
	bytes_queue_init(&q, CAPF_MESSAGE_MAX);
	check(bytes_queue_put(&q, data, n) == 0);
	check(capf_frame_next(&q, &frame, &why) == CAPF_FRAME_WHOLE);
	check(CAPF_HEADER + frame.n == n && frame.session == SESSION);
	check(capf_command_side(frame.command) == CAPF_FROM_SERVER);
	check(capf_message_read(&m, &frame, &why));
	bytes_queue_deinit(&q);
}

static void drain(struct run *r)
{
	struct capf_server_event e;
	size_t n;
	while (capf_server_next(&r->server, &e))
		on_event(r, &e);
	check(bytes_queue_len(&r->server.out) <= OUT_MAX);
	for (const uint8_t *data; (data = capf_server_out(&r->server, &n));) {
		check_out(data, n);
		r->bytes = mix(r->bytes, data, n);
		capf_server_sent(&r->server, n);
	}
	/* Whoever thinks holds one message at most; whoever waits, a part. */
	check(bytes_queue_len(&r->server.in) <= CAPF_MESSAGE_MAX);
}

static void feed(struct run *r, const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n);
	check(copy != NULL);
	memcpy(copy, data, n);
	capf_server_feed(&r->server, copy, n, &r->now);
	free(copy);
	drain(r);
}

static void act(struct run *r, uint8_t what)
{
	if (what == 0) {
		answer(r);
	} else {
		r->now.mono_ms += (uint64_t)what * MS;
		capf_server_tick(&r->server, &r->now);
	}
	drain(r);
}

static void perform(
	struct run *r, const uint8_t *data, size_t n, bool byte_by_byte)
{
	*r = (struct run){.now = {.mono_ms = 1}, .choices = data[0]};
	const struct capf_server_config config = {
		.session = SESSION,
		.answer_ms = 60 * MS,
		.keygen_ms = 100 * MS,
		.send_auth_type = r->choices & CHOICE_AUTH_TYPE,
	};
	capf_server_init(&r->server, &config, &r->now);
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
	/* Silence ends it, unless the host has the word, or ended it. */
	uint64_t due = capf_server_deadline(&r->server);
	if (due != MOMENT_NEVER) {
		check(!r->asked && !r->over);
		r->now.mono_ms = due;
		capf_server_tick(&r->server, &r->now);
		drain(r);
		check(r->over);
	}
	check(capf_server_deadline(&r->server) == MOMENT_NEVER);
	capf_server_deinit(&r->server);
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

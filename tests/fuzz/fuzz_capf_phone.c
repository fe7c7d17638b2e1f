/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the CAPF phone engine: any bytes, cut anywhere. */
#include <stdlib.h>
#include <string.h>

#include "protocols/capf/message.h"
#include "protocols/capf/phone.h"

/*
 * The input: the phone's version, one byte of choices, then pieces: a length
 * and so many bytes that a server says. A length of 0 makes the phone's host
 * answer, which it does at once unless it thinks.
 */
enum choice {
	CHOICE_THINK = 0x01,
	CHOICE_NO_KEY = 0x02,
	CHOICE_CERTIFICATE = 0x04,
	CHOICE_PROGRESS = 0x08,
};

enum { OUT_MAX = 65536 };

struct run {
	struct capf_phone phone;
	struct moment now;
	uint8_t choices;
	bool asked; /* an event waits for the host */
	enum capf_phone_event_type last;
	bool over;
	uint64_t events, bytes; /* hashes */
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

static const struct capf_cert cert = {
	CAPF_CERT_MIC, {(const uint8_t *)"\x30\x01", 2}};

static void make_key(struct run *r)
{
	if (r->choices & CHOICE_PROGRESS)
		capf_phone_progress(&r->phone);
	if (r->choices & CHOICE_NO_KEY)
		capf_phone_no_key(&r->phone, CAPF_REASON_DECLINED, &r->now);
	else
		capf_phone_key(&r->phone, "\x30\x02", 2, &r->now);
}

static void answer(struct run *r)
{
	struct capf_phone_auth auth = {.device = "SEP000E325C9A43"};
	if (!r->asked)
		return;
	r->asked = false;
	if (r->choices & CHOICE_CERTIFICATE)
		auth.cert = cert;
	if (r->last == CAPF_PHONE_AUTH)
		capf_phone_authenticate(&r->phone, &auth, &r->now);
	else if (r->last == CAPF_PHONE_GENERATE)
		make_key(r);
	else if (r->last == CAPF_PHONE_STORE)
		capf_phone_stored(&r->phone, CAPF_REASON_SUCCESS, &r->now);
	else if (r->last == CAPF_PHONE_ERASE)
		capf_phone_erased(&r->phone, CAPF_REASON_SUCCESS, &r->now);
	else
		capf_phone_fetched(
			&r->phone, CAPF_REASON_SUCCESS, &cert, 1, &r->now);
}

/* What the header promises of an event. */
static void check_event(struct run *r, const struct capf_phone_event *e)
{
	check(!r->over);
	r->over = e->type == CAPF_PHONE_END || e->type == CAPF_PHONE_FAILED;
	check(!r->asked || r->over);
	if (e->type == CAPF_PHONE_GENERATE)
		check(e->wish.type == CAPF_KEY_EC
				? e->wish.bits >= 256 && e->wish.bits <= 521
				: e->wish.bits >= 512 && e->wish.bits <= 4096);
	if (e->type == CAPF_PHONE_STORE)
		check(e->cert.der.n);
	if (e->type == CAPF_PHONE_END)
		check(e->reason >= 0 && e->reason <= UINT8_MAX);
	if (e->type == CAPF_PHONE_FAILED)
		check(e->rule && e->text && *e->text);
	if (r->over)
		check(capf_phone_deadline(&r->phone) == MOMENT_NEVER);
}

static void on_event(struct run *r, const struct capf_phone_event *e)
{
	check_event(r, e);
	r->events = mix(r->events, &e->type, sizeof(e->type));
	r->events = mix(r->events, &e->session, sizeof(e->session));
	r->events = mix(r->events, &e->reason, sizeof(e->reason));
	r->events = mix(r->events, &e->wish.bits, sizeof(e->wish.bits));
	r->events = mix(r->events, e->cert.der.p, e->cert.der.n);
	if (e->rule)
		r->events = mix(r->events, e->rule, strlen(e->rule));
	r->asked = !r->over;
	r->last = e->type;
	if (!(r->choices & CHOICE_THINK))
		answer(r);
}

static void drain(struct run *r)
{
	struct capf_phone_event e;
	size_t n;
	while (capf_phone_next(&r->phone, &e))
		on_event(r, &e);
	check(bytes_queue_len(&r->phone.out) <= OUT_MAX);
	for (const uint8_t *data; (data = capf_phone_out(&r->phone, &n));) {
		check(n >= CAPF_HEADER && n <= CAPF_MESSAGE_MAX);
		check(data[0] == CAPF_PROTOCOL);
		check(n == CAPF_HEADER + (size_t)(data[6] << 8 | data[7]));
		check(capf_command_side(data[1]) == CAPF_FROM_PHONE);
		r->bytes = mix(r->bytes, data, n);
		capf_phone_sent(&r->phone, n);
	}
}

static void feed(struct run *r, const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n);
	check(copy != NULL);
	memcpy(copy, data, n);
	capf_phone_feed(&r->phone, copy, n, &r->now);
	free(copy);
	drain(r);
}

static void perform(
	struct run *r, const uint8_t *data, size_t n, bool byte_by_byte)
{
	const struct capf_phone_config config = {.version = data[0]};
	*r = (struct run){.now = {.mono_ms = 1}, .choices = data[1]};
	capf_phone_init(&r->phone, &config, &r->now);
	for (size_t i = 2; i < n;) {
		size_t len = data[i++];
		len = len < n - i ? len : n - i;
		size_t step = byte_by_byte ? 1 : len;
		for (size_t at = 0; at < len; at += step)
			feed(r, data + i + at, step);
		i += len;
		if (len == 0) {
			answer(r);
			drain(r);
		}
	}
	answer(r);
	drain(r);
	/* A server that says no more ends every phone that is not asked. */
	uint64_t due = capf_phone_deadline(&r->phone);
	check((due == MOMENT_NEVER) == (r->over || r->asked));
	if (due != MOMENT_NEVER) {
		r->now.mono_ms = due;
		capf_phone_tick(&r->phone, &r->now);
		drain(r);
		check(r->over);
	}
	capf_phone_deinit(&r->phone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run whole, split;
	if (size < 2)
		return 0;
	perform(&whole, data, size, false);
	perform(&split, data, size, true);
	check(whole.events == split.events);
	check(whole.bytes == split.bytes);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What an onlooker reads of a TLS connection: both ends' bytes as messages. */
#include "protocols/tls/seen.h"

#include <assert.h>

enum {
	RECORD_HEAD = 5,
	RECORD_MAX = 16384 + 2048, /* RFC 5246 6.2.3 */
	CHANGE_CIPHER_SPEC = 20,
	ALERT = 21,
	HANDSHAKE = 22,
	APPLICATION_DATA = 23,
	HEARTBEAT = 24,
	MAJOR = 3,

	MESSAGE_HEAD = 4,
	MESSAGE_MAX = 64 * 1024,
	CLIENT_HELLO = 1,
	SERVER_HELLO = 2,
	CERTIFICATE = 11,
	CERTIFICATE_REQUEST = 13,

	RANDOM = 32,
	EXT_TICKET = 35,
	EXT_PSK = 41,
	EXT_VERSIONS = 43,

	V2_HEAD = 2,
	V2_FIXED = 9, /* of a hello: type, version and three lengths */
	V2_SUITE = 3,
};

void tls_seen_init(struct tls_seen *t)
{
	*t = (struct tls_seen){0};
	for (int i = 0; i < 2; i++) {
		bytes_queue_init(&t->half[i].records,
			RECORD_HEAD + RECORD_MAX + TLS_SEEN_FEED_MAX);
		bytes_queue_init(&t->half[i].messages,
			MESSAGE_HEAD + MESSAGE_MAX + RECORD_MAX);
	}
}

void tls_seen_deinit(struct tls_seen *t)
{
	for (int i = 0; i < 2; i++) {
		bytes_queue_deinit(&t->half[i].records);
		bytes_queue_deinit(&t->half[i].messages);
	}
}

void tls_seen_feed(
	struct tls_seen *t, enum tls_seen_end from, const void *data, size_t n)
{
	assert(n <= TLS_SEEN_FEED_MAX);
	if (t->half[from].lost)
		return;
	int error = bytes_queue_put(&t->half[from].records, data, n);
	assert(error == 0); /* next() was called until it said false */
}

static void lose(struct tls_seen_half *h)
{
	h->lost = true;
	bytes_queue_deinit(&h->records);
	bytes_queue_deinit(&h->messages);
}

void tls_seen_gap(struct tls_seen *t, enum tls_seen_end from)
{
	lose(&t->half[from]);
}

static bool say_lost(
	struct tls_seen_half *h, struct tls_seen_event *e, const char *why)
{
	lose(h); /* and with it whatever slices point to */
	*e = (struct tls_seen_event){
		.type = TLS_SEEN_LOST, .from = e->from, .why = why};
	return true;
}

/* ---- handshake messages ---- */

static struct tls_hello_slice slice(const struct bytes_in *part)
{
	return (struct tls_hello_slice){part->p, part->left};
}

static void add_suite(struct tls_seen_event *e, uint16_t suite)
{
	if (e->n_suites < TLS_SEEN_SUITES_MAX)
		e->suites[e->n_suites++] = suite;
}

/* Of those a phone supports, the highest that is no GREASE (RFC 8701). */
static uint16_t highest_version(struct bytes_in list)
{
	uint16_t best = 0;
	for (bytes_u8(&list); list.left;) {
		uint16_t version = bytes_be16(&list);
		if (version <= TLS_SEEN_TLS13 && version > best)
			best = version;
	}
	return best;
}

static bool client_extensions(struct bytes_in *in, struct tls_seen_event *e)
{
	struct bytes_in all = bytes_part(in, bytes_be16(in));
	while (all.left) {
		uint16_t type = bytes_be16(&all);
		struct bytes_in body = bytes_part(&all, bytes_be16(&all));
		if ((type == EXT_TICKET && body.left) || type == EXT_PSK)
			e->resumes = true;
		if (type == EXT_VERSIONS)
			e->version = highest_version(body);
	}
	return !all.bad && !in->bad;
}

static bool client_hello(struct bytes_in in, struct tls_seen_event *e)
{
	e->type = TLS_SEEN_CLIENT_HELLO;
	e->version = bytes_be16(&in);
	bytes_skip(&in, RANDOM);
	struct bytes_in id = bytes_part(&in, bytes_u8(&in));
	struct bytes_in suites = bytes_part(&in, bytes_be16(&in));
	bytes_skip(&in, bytes_u8(&in)); /* compression */
	e->resumes = id.left > 0;
	while (suites.left && !suites.bad)
		add_suite(e, bytes_be16(&suites));
	if (in.bad || suites.bad)
		return false;
	uint16_t version = e->version;
	if (in.left && !client_extensions(&in, e))
		return false;
	/* TLS 1.3 sends a session id that means nothing. */
	if (e->version != version)
		e->resumes = false;
	return true;
}

static bool server_hello(
	struct tls_seen *t, struct bytes_in in, struct tls_seen_event *e)
{
	e->type = TLS_SEEN_SERVER_HELLO;
	e->version = bytes_be16(&in);
	bytes_skip(&in, RANDOM);
	bytes_skip(&in, bytes_u8(&in)); /* session id */
	e->suite = bytes_be16(&in);
	bytes_u8(&in); /* compression */
	if (in.bad)
		return false;
	struct bytes_in all = bytes_part(&in, in.left ? bytes_be16(&in) : 0);
	while (all.left) {
		uint16_t type = bytes_be16(&all);
		struct bytes_in body = bytes_part(&all, bytes_be16(&all));
		if (type == EXT_VERSIONS)
			e->version = bytes_be16(&body);
		if (type == EXT_PSK)
			e->resumes = true;
	}
	t->version = e->version;
	t->suite = e->suite;
	return !in.bad && !all.bad;
}

static bool certificate(struct bytes_in in, struct tls_seen_event *e)
{
	e->type = TLS_SEEN_CERTIFICATE;
	struct bytes_in list = bytes_part(&in, bytes_be24(&in));
	struct bytes_in leaf =
		bytes_part(&list, list.left ? bytes_be24(&list) : 0);
	struct bytes_in issuer =
		bytes_part(&list, list.left ? bytes_be24(&list) : 0);
	e->leaf = slice(&leaf);
	e->issuer = slice(&issuer);
	return !in.bad && !list.bad;
}

/* True: *e is filled. Messages that tell nothing are passed over. */
static bool read_message(struct tls_seen *t, unsigned type, struct bytes_in in,
	struct tls_seen_event *e)
{
	struct tls_seen_half *h = &t->half[e->from];
	bool good = true;
	switch (type) {
	case CLIENT_HELLO:
		good = client_hello(in, e);
		break;
	case SERVER_HELLO:
		good = server_hello(t, in, e);
		break;
	case CERTIFICATE:
		good = certificate(in, e);
		break;
	case CERTIFICATE_REQUEST:
		e->type = TLS_SEEN_CERTIFICATE_REQUEST;
		break;
	default:
		return false;
	}
	return good || say_lost(h, e, "a handshake message that is none");
}

static bool next_message(struct tls_seen *t, struct tls_seen_event *e)
{
	struct tls_seen_half *h = &t->half[e->from];
	bytes_queue_drop(&h->messages, h->messages_read);
	h->messages_read = 0;
	for (;;) {
		size_t n;
		const uint8_t *p = bytes_queue_peek(&h->messages, &n);
		struct bytes_in in = bytes_in(p, n);
		unsigned type = bytes_u8(&in);
		uint32_t length = bytes_be24(&in);
		if (in.bad)
			return false;
		if (length > MESSAGE_MAX)
			return say_lost(h, e,
				"a handshake message of more "
				"than 64 KiB");
		struct bytes_in body = bytes_part(&in, length);
		if (in.bad)
			return false;
		h->messages_read = MESSAGE_HEAD + length;
		if (read_message(t, type, body, e))
			return true;
		h->messages_read = 0;
		bytes_queue_drop(&h->messages, MESSAGE_HEAD + length);
	}
}

/* ---- records ---- */

/* RFC 5246 E.2: what OpenSSL 0.9 sends first unless it is told not to. */
static bool v2_hello(struct bytes_in in, struct tls_seen_event *e)
{
	e->type = TLS_SEEN_CLIENT_HELLO;
	bytes_u8(&in); /* 1, looked at before */
	e->version = bytes_be16(&in);
	size_t suites_n = bytes_be16(&in);
	e->resumes = bytes_be16(&in) > 0;
	bytes_be16(&in); /* length of the challenge */
	struct bytes_in suites = bytes_part(&in, suites_n);
	while (suites.left >= V2_SUITE) {
		bool of_tls = bytes_u8(&suites) == 0;
		uint16_t suite = bytes_be16(&suites);
		if (of_tls)
			add_suite(e, suite);
	}
	return !in.bad && e->version >> 8 == MAJOR;
}

/* A client's first bytes may be one; three of them tell. */
static bool may_be_v2(const struct tls_seen_half *h, enum tls_seen_end from,
	const uint8_t *p, size_t n)
{
	return from == TLS_SEEN_CLIENT && !h->begun && n && p[0] & 0x80 &&
	       (n <= V2_HEAD || p[V2_HEAD] == CLIENT_HELLO);
}

/* What a record may say of itself. */
enum found { FOUND_NOTHING, FOUND_RECORD, FOUND_EVENT };

static enum found read_v2(
	struct tls_seen_half *h, struct bytes_in in, struct tls_seen_event *e)
{
	size_t length = bytes_be16(&in) & 0x7fff;
	if (in.bad || in.left < length)
		return FOUND_NOTHING;
	bool good = length >= V2_FIXED && v2_hello(bytes_part(&in, length), e);
	h->begun = true;
	if (good)
		bytes_queue_drop(&h->records, V2_HEAD + length);
	else
		say_lost(h, e, "this is no TLS");
	return FOUND_EVENT;
}

static enum found read_alert(
	const struct tls_seen *t, struct bytes_in in, struct tls_seen_event *e)
{
	const struct tls_seen_half *h = &t->half[e->from];
	bool secret = h->encrypted && !tls_suite_null_mac(t->suite);
	e->type = TLS_SEEN_ALERT;
	e->level = secret ? -1 : bytes_u8(&in);
	e->alert = secret ? -1 : bytes_u8(&in);
	return in.bad ? FOUND_RECORD : FOUND_EVENT;
}

static void read_data(
	const struct tls_seen *t, struct bytes_in in, struct tls_seen_event *e)
{
	size_t mac = tls_suite_null_mac(t->suite);
	e->type = TLS_SEEN_DATA;
	if (mac && in.left > mac) {
		in.left -= mac;
		e->leaf = slice(&in);
	}
}

static enum found read_body(struct tls_seen *t, unsigned type,
	struct bytes_in in, struct tls_seen_event *e)
{
	struct tls_seen_half *h = &t->half[e->from];
	switch (type) {
	case HANDSHAKE:
		if (h->encrypted)
			return FOUND_RECORD;
		if (bytes_queue_put(&h->messages, in.p, in.left) == 0)
			return FOUND_RECORD;
		say_lost(h, e, "handshake messages of more than 64 KiB");
		return FOUND_EVENT;
	case CHANGE_CIPHER_SPEC:
		/* In TLS 1.3 it means nothing (RFC 8446 D.4). */
		if (t->version == TLS_SEEN_TLS13)
			return FOUND_RECORD;
		h->encrypted = true;
		e->type = TLS_SEEN_CHANGE_CIPHER;
		return FOUND_EVENT;
	case ALERT:
		return read_alert(t, in, e);
	case APPLICATION_DATA:
		read_data(t, in, e);
		return FOUND_EVENT;
	default:
		return FOUND_RECORD;
	}
}

/* So far, do these bytes begin a record? */
static bool is_record(const uint8_t *p, size_t n)
{
	return (n < 1 || (p[0] >= CHANGE_CIPHER_SPEC && p[0] <= HEARTBEAT)) &&
	       (n < 2 || p[1] == MAJOR);
}

static enum found next_record(struct tls_seen *t, struct tls_seen_event *e)
{
	struct tls_seen_half *h = &t->half[e->from];
	size_t n;
	const uint8_t *p = bytes_queue_peek(&h->records, &n);
	struct bytes_in in = bytes_in(p, n);
	if (may_be_v2(h, e->from, p, n))
		return read_v2(h, in, e);
	unsigned type = bytes_u8(&in);
	bytes_skip(&in, 2); /* version */
	size_t length = bytes_be16(&in);
	if (!is_record(p, n) || length > RECORD_MAX) {
		say_lost(h, e, "this is no TLS");
		return FOUND_EVENT;
	}
	if (in.bad || in.left < length)
		return FOUND_NOTHING;
	h->begun = true;
	h->records_read = RECORD_HEAD + length;
	return read_body(t, type, bytes_part(&in, length), e);
}

static bool next_of(
	struct tls_seen *t, enum tls_seen_end from, struct tls_seen_event *e)
{
	struct tls_seen_half *h = &t->half[from];
	while (!h->lost) {
		*e = (struct tls_seen_event){.from = from};
		if (next_message(t, e))
			return true;
		bytes_queue_drop(&h->records, h->records_read);
		h->records_read = 0;
		enum found found = next_record(t, e);
		if (found != FOUND_RECORD)
			return found == FOUND_EVENT;
	}
	return false;
}

bool tls_seen_next(struct tls_seen *t, struct tls_seen_event *e)
{
	return next_of(t, TLS_SEEN_CLIENT, e) || next_of(t, TLS_SEEN_SERVER, e);
}

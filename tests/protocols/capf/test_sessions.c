/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about recorded sessions: either engine says what the other side heard.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/capf/phone.h"
#include "protocols/capf/server.h"
#include "tests/protocols/capf/session.h"

/* Their server sends KEY_TYPE to version 2, too; ours does not (specs capf
 * 5). */
static const struct capf_server_config config = {
	.answer_ms = 1000, .keygen_ms = 1000, .send_auth_type = true};
static const struct moment now = {.mono_ms = 1};

/* ---- our server, their phone ---- */

static struct capf_key_wish wish_of(const struct capf_message *m)
{
	static const unsigned bits[] = {256, 384, 521};
	if (capf_message_number(m, CAPF_EL_KEY_TYPE) == CAPF_KEY_EC)
		return (struct capf_key_wish){CAPF_KEY_EC,
			bits[capf_message_number(m, CAPF_EL_CURVE)]};
	return (struct capf_key_wish){CAPF_KEY_RSA,
		(unsigned)capf_message_number(m, CAPF_EL_KEY_SIZE)};
}

/* The host does what the recorded server's did. */
static void host_does(struct capf_server *s, const struct capf_message *m)
{
	const struct capf_key_wish wish = wish_of(m);
	switch (m->command) {
	case CAPF_AUTH_REQUEST:
		break;
	case CAPF_KEY_GENERATE_REQUEST:
		capf_server_generate_key(s, &wish, &now);
		break;
	case CAPF_STORE_REQUEST:
		capf_server_store(
			s, m->certs[0].der.p, m->certs[0].der.n, &now);
		break;
	case CAPF_DELETE_REQUEST:
		capf_server_erase(s, &now);
		break;
	case CAPF_FETCH_REQUEST:
		capf_server_fetch(s, 0, &now);
		break;
	default:
		assert_int_equal(m->command, CAPF_END_SESSION);
		capf_server_end(s, (enum capf_reason)capf_message_number(
					   m, CAPF_EL_REASON));
	}
}

/* Byte for byte; but to version 2 ours leaves out KEY_TYPE. */
static void server_said(struct capf_server *s, struct session *session,
	size_t i, unsigned version)
{
	const struct bytes_queue *wanted = &session->said[i].bytes;
	size_t n, wanted_n;
	const uint8_t *bytes = bytes_queue_peek(wanted, &wanted_n);
	const uint8_t *data = capf_server_out(s, &n);
	if (session->said[i].m.command == CAPF_KEY_GENERATE_REQUEST &&
		version < CAPF_VERSION) {
		assert_int_equal(n, 13);
		assert_int_equal(wanted_n, 17);
		assert_memory_equal(data, bytes, 7);
		assert_int_equal(data[7], 5);
		assert_memory_equal(data + 8, bytes + 8, 5);
	} else {
		assert_int_equal(n, wanted_n);
		assert_memory_equal(data, bytes, n);
	}
	capf_server_sent(s, n);
}

static void same_bytes(
	const struct capf_bytes *came, const struct capf_bytes *wanted)
{
	assert_int_equal(came->p == NULL, wanted->p == NULL);
	assert_int_equal(came->n, wanted->n);
	if (came->n)
		assert_memory_equal(came->p, wanted->p, came->n);
}

static void same_certs(const struct capf_cert *came, size_t n,
	const struct capf_message *wanted)
{
	assert_int_equal(n, wanted->n_certs);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(came[i].type, wanted->certs[i].type);
		same_bytes(&came[i].der, &wanted->certs[i].der);
	}
}

static void same_auth(
	const struct capf_server_event *e, const struct capf_message *m)
{
	const char *password = capf_message_text(m, CAPF_EL_PASSWORD);
	assert_string_equal(
		e->device, capf_message_text(m, CAPF_EL_DEVICE_NAME));
	assert_int_equal(e->version, capf_message_number(m, CAPF_EL_VERSION));
	assert_int_equal(e->password == NULL, password == NULL);
	if (password)
		assert_string_equal(e->password, password);
	same_bytes(&e->signed_data, &m->elements[CAPF_EL_SIGNED_DATA]);
	same_bytes(
		&e->sha2_signed_data, &m->elements[CAPF_EL_SHA2_SIGNED_DATA]);
	same_bytes(&e->sudi_data, &m->elements[CAPF_EL_SUDI_DATA]);
}

/* Feeds one of the phone's messages, cut in two, and judges the event. */
static void phone_says(struct capf_server *s, struct session *session, size_t i,
	unsigned *version)
{
	static const enum capf_server_event_type types[] = {
		[CAPF_AUTH_RESPONSE] = CAPF_SERVER_AUTH,
		[CAPF_KEY_GENERATE_RESPONSE] = CAPF_SERVER_KEY,
		[CAPF_STORE_RESPONSE] = CAPF_SERVER_STORED,
		[CAPF_DELETE_RESPONSE] = CAPF_SERVER_ERASED,
		[CAPF_FETCH_RESPONSE] = CAPF_SERVER_FETCHED,
		[CAPF_REQUEST_IN_PROGRESS] = CAPF_SERVER_PROGRESS,
	};
	const struct capf_message *m = &session->said[i].m;
	struct capf_server_event e;
	size_t n;
	const uint8_t *data = bytes_queue_peek(&session->said[i].bytes, &n);
	capf_server_feed(s, data, n / 2, &now);
	assert_false(capf_server_next(s, &e));
	capf_server_feed(s, data + n / 2, n - n / 2, &now);
	assert_true(capf_server_next(s, &e));
	if (e.type == CAPF_SERVER_FAILED)
		fail_msg("%s: %s", session->name, e.text);
	assert_int_equal(e.type, types[m->command]);
	same_certs(e.certs, e.n_certs, m);
	same_bytes(&e.public_key, &m->elements[CAPF_EL_PUBLIC_KEY]);
	if (e.type == CAPF_SERVER_AUTH) {
		same_auth(&e, m);
		*version = e.version;
	}
}

static void server_replays(struct session *session)
{
	struct capf_server_config theirs = config;
	struct capf_server s;
	unsigned version = 0;
	theirs.session = session->said[0].m.session;
	capf_server_init(&s, &theirs, &now);
	for (size_t i = 0; i < session->n; i++) {
		if (session->said[i].from_phone) {
			phone_says(&s, session, i, &version);
			continue;
		}
		host_does(&s, &session->said[i].m);
		server_said(&s, session, i, version);
	}
	assert_int_equal(capf_server_deadline(&s), MOMENT_NEVER);
	capf_server_deinit(&s);
}

/* ---- our phone, their server ---- */

static void phone_authenticates(
	struct capf_phone *p, const struct capf_message *m)
{
	struct capf_phone_auth auth = {
		.device = capf_message_text(m, CAPF_EL_DEVICE_NAME),
		.password = capf_message_text(m, CAPF_EL_PASSWORD),
		.signed_data = m->elements[CAPF_EL_SIGNED_DATA],
		.sha2_signed_data = m->elements[CAPF_EL_SHA2_SIGNED_DATA],
		.sudi_data = m->elements[CAPF_EL_SUDI_DATA],
	};
	if (m->n_certs)
		auth.cert = m->certs[0];
	capf_phone_authenticate(p, &auth, &now);
}

/* The phone does what the recorded one did. */
static void phone_does(struct capf_phone *p, const struct capf_message *m)
{
	const struct capf_bytes *key = &m->elements[CAPF_EL_PUBLIC_KEY];
	unsigned reason = (unsigned)capf_message_number(m, CAPF_EL_REASON);
	switch (m->command) {
	case CAPF_AUTH_RESPONSE:
		phone_authenticates(p, m);
		break;
	case CAPF_REQUEST_IN_PROGRESS:
		capf_phone_progress(p);
		break;
	case CAPF_KEY_GENERATE_RESPONSE:
		capf_phone_key(p, key->p, key->n, &now);
		break;
	case CAPF_STORE_RESPONSE:
		capf_phone_stored(p, reason, &now);
		break;
	case CAPF_DELETE_RESPONSE:
		capf_phone_erased(p, reason, &now);
		break;
	default:
		assert_int_equal(m->command, CAPF_FETCH_RESPONSE);
		capf_phone_fetched(p, reason, m->certs, m->n_certs, &now);
	}
}

/* Our phone orders its elements as theirs do: byte for byte. */
static void phone_said(struct capf_phone *p, struct session *session, size_t i)
{
	size_t n, wanted_n;
	const uint8_t *wanted =
		bytes_queue_peek(&session->said[i].bytes, &wanted_n);
	const uint8_t *data = capf_phone_out(p, &n);
	assert_int_equal(n, wanted_n);
	assert_memory_equal(data, wanted, n);
	capf_phone_sent(p, n);
}

static void server_says(struct capf_phone *p, struct session *session, size_t i)
{
	static const enum capf_phone_event_type types[] = {
		[CAPF_AUTH_REQUEST] = CAPF_PHONE_AUTH,
		[CAPF_KEY_GENERATE_REQUEST] = CAPF_PHONE_GENERATE,
		[CAPF_STORE_REQUEST] = CAPF_PHONE_STORE,
		[CAPF_DELETE_REQUEST] = CAPF_PHONE_ERASE,
		[CAPF_FETCH_REQUEST] = CAPF_PHONE_FETCH,
		[CAPF_END_SESSION] = CAPF_PHONE_END,
	};
	const struct capf_message *m = &session->said[i].m;
	const struct capf_key_wish wish = wish_of(m);
	struct capf_phone_event e;
	size_t n;
	const uint8_t *data = bytes_queue_peek(&session->said[i].bytes, &n);
	capf_phone_feed(p, data, n / 2, &now);
	assert_false(capf_phone_next(p, &e));
	capf_phone_feed(p, data + n / 2, n - n / 2, &now);
	assert_true(capf_phone_next(p, &e));
	if (e.type == CAPF_PHONE_FAILED)
		fail_msg("%s: %s", session->name, e.text);
	assert_int_equal(e.type, types[m->command]);
	assert_int_equal(e.session, m->session);
	if (e.type == CAPF_PHONE_STORE)
		same_certs(&e.cert, 1, m);
	if (e.type == CAPF_PHONE_GENERATE) {
		assert_int_equal(e.wish.type, wish.type);
		assert_int_equal(e.wish.bits, wish.bits);
	}
	if (e.type == CAPF_PHONE_END)
		assert_int_equal(
			e.reason, capf_message_number(m, CAPF_EL_REASON));
}

static void phone_replays(struct session *session)
{
	struct capf_phone_config mine = {0};
	struct capf_phone p;
	mine.version = (unsigned)capf_message_number(
		&session->said[1].m, CAPF_EL_VERSION);
	capf_phone_init(&p, &mine, &now);
	for (size_t i = 0; i < session->n; i++) {
		if (!session->said[i].from_phone) {
			server_says(&p, session, i);
			continue;
		}
		phone_does(&p, &session->said[i].m);
		phone_said(&p, session, i);
	}
	assert_int_equal(capf_phone_deadline(&p), MOMENT_NEVER);
	capf_phone_deinit(&p);
}

/* ---- the facts ---- */

static void our_server_says_what_theirs_said(void **state)
{
	session_each(server_replays);
}

static void our_phone_says_what_theirs_said(void **state)
{
	session_each(phone_replays);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_server_says_what_theirs_said),
		cmocka_unit_test(our_phone_says_what_theirs_said),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("capf-sessions", tests, NULL, NULL);
}

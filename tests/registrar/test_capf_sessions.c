/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about recorded phones: our service and desk end each session as it was
 * recorded. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "certs/pem.h"
#include "registrar/capf/desk_inside.h"
#include "registrar/capf/secret.h"
#include "registrar/failures.h"
#include "registrar/service/service.h"
#include "tests/protocols/capf/session.h"
#include "tests/registrar/office.h"

enum { DECEMBER = 1796083200 /* 2026-12-01, when all recorded is valid */ };

static const struct moment now = {.mono_ms = 1};
static struct diag d;

/* A recorded phone's connection. */
struct call {
	void *service;
	uint8_t bytes[CAPF_MESSAGE_MAX]; /* what we said last */
	struct bytes_queue heard;
	struct capf_frame frame;
	struct capf_message m;
};

/* ---- what the session needs ---- */

static const struct capf_message *auth_of(const struct session *s)
{
	assert_int_equal(s->said[1].m.command, CAPF_AUTH_RESPONSE);
	return &s->said[1].m;
}

static enum capf_command asked(const struct session *s)
{
	return s->said[2].m.command;
}

static enum capf_mode mode_of(const struct session *s)
{
	const char *string = capf_message_text(auth_of(s), CAPF_EL_PASSWORD);
	if (string && *string)
		return CAPF_MODE_STRING;
	if (auth_of(s)->n_certs == 0)
		return CAPF_MODE_NULL_STRING;
	return strstr(s->name, "mic") ? CAPF_MODE_MIC : CAPF_MODE_LSC;
}

static void make_profile(const struct session *s)
{
	const struct capf_message *m = &s->said[2].m;
	bool ec = capf_message_number(m, CAPF_EL_KEY_TYPE) == CAPF_KEY_EC;
	struct security_profile p = security_predefined[2];
	snprintf(p.name, sizeof(p.name), "recorded");
	p.key_order = ec;
	p.ec_bits = 256; /* that of the one session with EC */
	if (asked(s) == CAPF_KEY_GENERATE_REQUEST && !ec)
		p.rsa_bits = (uint16_t)capf_message_number(m, CAPF_EL_KEY_SIZE);
	if (inventory_put_profile(office.inventory, &p, INVENTORY_PUT, &d) < 0)
		fail_msg("%s", d.text);
}

/* The string that the recorded server knew, in place of ours. */
static void know_string(const char *device, const char *string)
{
	struct capf_operation o = office_operation(device);
	capf_secret_hash(string, o.salt, o.hash);
	struct capf_store *store = capf_desk_look(office.desk);
	assert_int_equal(capf_store_begin(store, &d), 0);
	assert_int_equal(capf_store_put_operation(store, &o, &d), 0);
	assert_int_equal(capf_store_commit(store, &d), 0);
	capf_desk_looked(office.desk);
}

static void order(const struct session *s, const char *device)
{
	static const enum capf_kind kinds[] = {
		[CAPF_KEY_GENERATE_REQUEST] = CAPF_INSTALL,
		[CAPF_DELETE_REQUEST] = CAPF_DELETE,
		[CAPF_FETCH_REQUEST] = CAPF_TROUBLESHOOT,
		[CAPF_END_SESSION] = CAPF_INSTALL, /* the wrong string */
	};
	if (strstr(s->name, "no-operation"))
		return;
	office_order(device, kinds[asked(s)], mode_of(s));
	if (mode_of(s) == CAPF_MODE_STRING)
		know_string(device, "1234");
}

static X509 *recorded(const char *name)
{
	char path[PATH_MAX];
	struct cert_list list = {0};
	snprintf(path, sizeof(path), "%s/capf-sessions/%s",
		getenv("DIALTONE_SHARED"), name);
	if (cert_pem_read(path, &list, &d) < 0)
		fail_msg("%s", d.text);
	X509 *cert = list.cert[0];
	X509_up_ref(cert);
	cert_list_deinit(&list);
	return cert;
}

static void believe(const char *name)
{
	X509 *cert = recorded(name);
	office_enrol_by(name, cert);
	X509_free(cert);
}

static void prepare(const struct session *s)
{
	const char *device = capf_message_text(auth_of(s), CAPF_EL_DEVICE_NAME);
	office_set_up(NULL);
	office.now = DECEMBER;
	office.config->capf_nothing_pending = CONFIG_NOTHING_0;
	office.config->capf_auth_type = true;
	believe("capf-issuer.pem");
	believe("mic-ca-sha2.pem");
	office_start();
	make_profile(s);
	if (strstr(s->name, "unknown-device"))
		return;
	office_add(device, "recorded");
	order(s, device);
}

/* ---- the session ---- */

static bool has_spoken(void *self)
{
	const struct call *c = self;
	size_t n;
	service_capf.tick(c->service, &now);
	return service_capf.out(c->service, &n) && n > 0;
}

/* Waits for what we say, and reads it. */
static void hear(struct call *c)
{
	struct capf_refusal why;
	size_t n;
	office_wait(has_spoken, c);
	const uint8_t *data = service_capf.out(c->service, &n);
	assert_true(n <= sizeof(c->bytes));
	memcpy(c->bytes, data, n);
	service_capf.sent(c->service, n);
	bytes_queue_deinit(&c->heard);
	bytes_queue_init(&c->heard, sizeof(c->bytes));
	assert_int_equal(bytes_queue_put(&c->heard, c->bytes, n), 0);
	assert_int_equal(
		capf_frame_next(&c->heard, &c->frame, &why), CAPF_FRAME_WHOLE);
	assert_true(capf_message_read(&c->m, &c->frame, &why));
}

/* What we make is over the key that the phone has sent, and names it. */
static void is_the_phone_s(const struct session *s, const struct call *c)
{
	const unsigned char *at = c->m.certs[0].der.p;
	struct capf_bytes key = {NULL, 0};
	struct cert_identity id;
	unsigned char *spki = NULL;
	for (size_t i = 0; i < s->n; i++)
		if (s->said[i].m.command == CAPF_KEY_GENERATE_RESPONSE)
			key = s->said[i].m.elements[CAPF_EL_PUBLIC_KEY];
	assert_int_equal(c->m.n_certs, 1);
	assert_int_equal(c->m.certs[0].type, CAPF_CERT_LSC);
	X509 *cert = d2i_X509(NULL, &at, (long)c->m.certs[0].der.n);
	assert_non_null(cert);
	assert_int_equal(cert_identity_read(cert, &id), 0);
	assert_string_equal(
		id.device, capf_message_text(auth_of(s), CAPF_EL_DEVICE_NAME));
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);
	assert_int_equal(n, key.n);
	assert_memory_equal(spki, key.p, key.n);
	OPENSSL_free(spki);
	X509_free(cert);
}

/* To version 2 the recorded server says KEY_TYPE, too. */
static void is_key_size_alone(
	const struct capf_message *m, const struct capf_message *theirs)
{
	assert_int_equal(capf_message_number(m, CAPF_EL_KEY_SIZE),
		capf_message_number(theirs, CAPF_EL_KEY_SIZE));
	assert_int_equal(capf_message_number(m, CAPF_EL_KEY_TYPE), -1);
}

static void server_says(const struct session *s, const struct call *c, size_t i)
{
	const struct capf_message *theirs = &s->said[i].m;
	unsigned version =
		(unsigned)capf_message_number(auth_of(s), CAPF_EL_VERSION);
	size_t n, n_heard;
	if (c->m.command != theirs->command)
		fail_msg("%s, message %zu: %s where %s was recorded", s->name,
			i, capf_command_name(c->m.command),
			capf_command_name(theirs->command));
	assert_int_equal(c->m.session, theirs->session);
	if (theirs->command == CAPF_STORE_REQUEST) {
		is_the_phone_s(s, c);
		return;
	}
	if (theirs->command == CAPF_KEY_GENERATE_REQUEST && version < 3) {
		is_key_size_alone(&c->m, theirs);
		return;
	}
	const uint8_t *data = bytes_queue_peek(&s->said[i].bytes, &n);
	const uint8_t *ours = bytes_queue_peek(&c->heard, &n_heard);
	assert_int_equal(n_heard, n);
	assert_memory_equal(ours, data, n);
}

static void phone_says(const struct session *s, struct call *c, size_t i)
{
	size_t n;
	const uint8_t *data = bytes_queue_peek(&s->said[i].bytes, &n);
	service_capf.feed(c->service, data, n, &now);
}

static void replay(struct session *s)
{
	struct service_world world = {.config = NULL};
	const struct peer peer = {
		.address = "192.0.2.7", .port = 40000, .ref = {0, 1}};
	struct call *c = calloc(1, sizeof(*c));
	prepare(s);
	world.config = office.config;
	world.failures = failures_new(8, 8);
	world.capf = office.desk;
	service_limits_init(&world.limits, office.config);
	/* A SUDI proof is of the session id. */
	office.desk->session = s->said[0].m.session - 1;
	c->service = calloc(1, service_capf.size);
	service_capf.init(c->service, &world, &peer, &now);
	for (size_t i = 0; i < s->n; i++)
		if (s->said[i].from_phone) {
			phone_says(s, c, i);
		} else {
			hear(c);
			server_says(s, c, i);
		}
	assert_non_null(service_capf.ended(c->service));
	service_capf.deinit(c->service);
	office_settle();
	bytes_queue_deinit(&c->heard);
	free(c->service);
	free(c);
	failures_free(world.failures);
	office_tear_down(NULL);
}

static void every_recorded_session_ends_as_recorded(void **state)
{
	session_each(replay);
}

static int end(void **state)
{
	return office.mic_ca ? office_end(state) : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_recorded_session_ends_as_recorded),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("capf sessions", tests, NULL, end);
}

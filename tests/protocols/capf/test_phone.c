/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the phone engine: its conversations, and all operations with our
 * own server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/capf/phone.h"
#include "protocols/capf/server.h"
#include "tests/protocols/capf/player.h"

enum { PROGRESSES = 3, LSC_N = 2, LOG_MAX = 512 };

static const uint8_t lsc[LSC_N] = {0x30, 0x01};
static const uint8_t mic[LSC_N] = {0x30, 0x02};
static const uint8_t spki[] = {0x30, 0x03, 0x00};

static void phone_holds_every_conversation(void **state)
{
	conversation_run_folder(
		&capf_phone_player, "tests/conversations/capf/phone");
}

/* ---- with our own server ---- */

/* What the server's host has to do, and how the phone is. */
struct job {
	const char *name;
	unsigned version;
	const char *password;
	bool by_certificate;
	struct capf_key_wish wish; /* bits 0: no key is asked for */
	bool store, erase, auth_type;
	unsigned fetches[2];
	bool no_key;
	const char *log; /* what both are told, in order */
};

struct pair {
	const struct job *job;
	struct capf_server server;
	struct capf_phone phone;
	struct moment now;
	unsigned fetched;
	char log[LOG_MAX];
	bool phone_over;
};

static void phone_authenticates(
	struct pair *p, const struct capf_phone_event *e)
{
	struct capf_phone_auth auth = {
		.device = "CSFUSER1", .password = p->job->password};
	player_add(p->log, LOG_MAX, "(%08x %d)", e->session, e->auth_type);
	if (p->job->by_certificate) {
		auth.cert =
			(struct capf_cert){CAPF_CERT_MIC, {mic, sizeof(mic)}};
		auth.signed_data = (struct capf_bytes){lsc, 1};
		auth.sha2_signed_data = (struct capf_bytes){lsc, LSC_N};
		auth.sudi_data = (struct capf_bytes){spki, sizeof(spki)};
	}
	capf_phone_authenticate(&p->phone, &auth, &p->now);
}

static void phone_makes_key(struct pair *p, const struct capf_phone_event *e)
{
	player_add(p->log, LOG_MAX, "(%s %u)",
		e->wish.type == CAPF_KEY_EC ? "ec" : "rsa", e->wish.bits);
	if (p->job->version > 2)
		for (int i = 0; i < PROGRESSES; i++)
			capf_phone_progress(&p->phone);
	if (p->job->no_key)
		capf_phone_no_key(&p->phone, CAPF_REASON_DECLINED, &p->now);
	else
		capf_phone_key(&p->phone, spki, sizeof(spki), &p->now);
}

static void phone_shows(struct pair *p, const struct capf_phone_event *e)
{
	const struct capf_cert certs[] = {
		{CAPF_CERT_LSC, {lsc, LSC_N}}, {CAPF_CERT_MIC, {mic, LSC_N}}};
	size_t from = e->cert.type == CAPF_CERT_MIC;
	player_add(p->log, LOG_MAX, "(%u)", e->cert.type);
	capf_phone_fetched(&p->phone, CAPF_REASON_SUCCESS, certs + from,
		e->cert.type ? 1 : 2, &p->now);
}

static void on_phone(struct pair *p, const struct capf_phone_event *e)
{
	assert_false(p->phone_over);
	switch (e->type) {
	case CAPF_PHONE_AUTH:
		phone_authenticates(p, e);
		break;
	case CAPF_PHONE_GENERATE:
		phone_makes_key(p, e);
		break;
	case CAPF_PHONE_STORE:
		player_add_cert(p->log, LOG_MAX, &e->cert);
		capf_phone_stored(&p->phone, CAPF_REASON_SUCCESS, &p->now);
		break;
	case CAPF_PHONE_ERASE:
		capf_phone_erased(&p->phone, CAPF_REASON_SUCCESS, &p->now);
		break;
	case CAPF_PHONE_FETCH:
		phone_shows(p, e);
		break;
	case CAPF_PHONE_END:
		player_add(p->log, LOG_MAX, " end %d", e->reason);
		p->phone_over = true;
		break;
	case CAPF_PHONE_FAILED:
		fail_msg("%s: %s", p->job->name, e->text);
	}
}

static void host_begins(struct pair *p, const struct capf_server_event *e)
{
	const struct job *job = p->job;
	player_add(p->log, LOG_MAX, " %s v%u %s %zu", e->device, e->version,
		e->password ? e->password : "-", e->n_certs);
	player_add_bytes(p->log, LOG_MAX, "sha1", &e->signed_data);
	player_add_bytes(p->log, LOG_MAX, "sha2", &e->sha2_signed_data);
	player_add_bytes(p->log, LOG_MAX, "sudi", &e->sudi_data);
	if (job->wish.bits)
		capf_server_generate_key(&p->server, &job->wish, &p->now);
	else if (job->store)
		capf_server_store(&p->server, lsc, LSC_N, &p->now);
	else if (job->erase)
		capf_server_erase(&p->server, &p->now);
	else
		capf_server_fetch(&p->server, job->fetches[0], &p->now);
}

static void host_has_key(struct pair *p, const struct capf_server_event *e)
{
	player_add_bytes(p->log, LOG_MAX, "key", &e->public_key);
	if (e->public_key.p)
		capf_server_store(&p->server, lsc, LSC_N, &p->now);
	else
		capf_server_end(&p->server, CAPF_REASON_DECLINED);
}

static void host_has_certs(struct pair *p, const struct capf_server_event *e)
{
	for (size_t i = 0; i < e->n_certs; i++)
		player_add_cert(p->log, LOG_MAX, &e->certs[i]);
	if (++p->fetched < 2 && p->job->fetches[p->fetched])
		capf_server_fetch(
			&p->server, p->job->fetches[p->fetched], &p->now);
	else
		capf_server_end(&p->server, CAPF_REASON_NO_ACTION);
}

static void on_server(struct pair *p, const struct capf_server_event *e)
{
	switch (e->type) {
	case CAPF_SERVER_AUTH:
		host_begins(p, e);
		break;
	case CAPF_SERVER_PROGRESS:
		player_add(p->log, LOG_MAX, ".");
		break;
	case CAPF_SERVER_KEY:
		host_has_key(p, e);
		break;
	case CAPF_SERVER_STORED:
	case CAPF_SERVER_ERASED:
		assert_int_equal(e->reason, CAPF_REASON_SUCCESS);
		capf_server_end(&p->server, CAPF_REASON_SUCCESS);
		break;
	case CAPF_SERVER_FETCHED:
		host_has_certs(p, e);
		break;
	case CAPF_SERVER_FAILED:
		fail_msg("%s: %s", p->job->name, e->text);
	}
}

static bool server_to_phone(struct pair *p)
{
	struct capf_phone_event e;
	size_t n;
	const uint8_t *data = capf_server_out(&p->server, &n);
	player_one_message(data, n);
	if (n == 0)
		return false;
	capf_phone_feed(&p->phone, data, n, &p->now);
	capf_server_sent(&p->server, n);
	while (capf_phone_next(&p->phone, &e))
		on_phone(p, &e);
	return true;
}

static bool phone_to_server(struct pair *p)
{
	struct capf_server_event e;
	size_t n;
	const uint8_t *data = capf_phone_out(&p->phone, &n);
	player_one_message(data, n);
	if (n == 0)
		return false;
	capf_server_feed(&p->server, data, n, &p->now);
	capf_phone_sent(&p->phone, n);
	while (capf_server_next(&p->server, &e))
		on_server(p, &e);
	return true;
}

static const struct job jobs[] = {
	{.name = "install, null string",
		.version = 3,
		.password = "",
		.wish = {CAPF_KEY_RSA, 2048},
		.log = "(80000001 -1) CSFUSER1 v3  0(rsa 2048)... key=300300 "
		       "cert:1=3001 end 1"},
	{.name = "install, version 2",
		.version = 2,
		.wish = {CAPF_KEY_RSA, 1024},
		.auth_type = true,
		.log = "(80000001 0) CSFUSER1 v2 - 0(rsa 1024) key=300300 "
		       "cert:1=3001 end 1"},
	{.name = "install, string",
		.version = 3,
		.password = "123456",
		.wish = {CAPF_KEY_RSA, 4096},
		.auth_type = true,
		.log = "(80000001 0) CSFUSER1 v3 123456 0(rsa 4096)... "
		       "key=300300 cert:1=3001 end 1"},
	{.name = "install, certificate",
		.version = 3,
		.password = "",
		.by_certificate = true,
		.wish = {CAPF_KEY_EC, 256},
		.log = "(80000001 -1) CSFUSER1 v3  1 sha1=30 sha2=3001 "
		       "sudi=300300(ec 256)... key=300300 cert:1=3001 end 1"},
	{.name = "install, P-384",
		.version = 3,
		.password = "",
		.wish = {CAPF_KEY_EC, 384},
		.log = "(80000001 -1) CSFUSER1 v3  0(ec 384)... key=300300 "
		       "cert:1=3001 end 1"},
	{.name = "install, P-521",
		.version = 4,
		.password = "",
		.wish = {CAPF_KEY_EC, 521},
		.log = "(80000001 -1) CSFUSER1 v4  0(ec 521)... key=300300 "
		       "cert:1=3001 end 1"},
	{.name = "install, no key",
		.version = 3,
		.wish = {CAPF_KEY_RSA, 512},
		.no_key = true,
		.log = "(80000001 -1) CSFUSER1 v3 - 0(rsa 512)... end 7"},
	{.name = "install of a certificate that took days",
		.version = 2,
		.store = true,
		.log = "(80000001 -1) CSFUSER1 v2 - 0 cert:1=3001 end 1"},
	{.name = "delete",
		.version = 3,
		.erase = true,
		.log = "(80000001 -1) CSFUSER1 v3 - 0 end 1"},
	{.name = "troubleshoot",
		.version = 3,
		.log = "(80000001 -1) CSFUSER1 v3 - 0(0) cert:1=3001 "
		       "cert:2=3002 end 0"},
	{.name = "troubleshoot, one by one",
		.version = 2,
		.fetches = {1, 2},
		.log = "(80000001 -1) CSFUSER1 v2 - 0(1) cert:1=3001(2) "
		       "cert:2=3002 end 0"},
};

static void do_job(const struct job *job)
{
	const struct capf_server_config server = {.session = 0x80000001,
		.answer_ms = 1000,
		.keygen_ms = 1000,
		.send_auth_type = job->auth_type};
	const struct capf_phone_config phone = {.version = job->version};
	struct pair p = {.job = job};
	capf_server_init(&p.server, &server, &p.now);
	capf_phone_init(&p.phone, &phone, &p.now);
	while (server_to_phone(&p) || phone_to_server(&p))
		p.now.mono_ms++;
	assert_string_equal(p.log, job->log);
	assert_true(p.phone_over);
	assert_int_equal(capf_server_deadline(&p.server), MOMENT_NEVER);
	assert_int_equal(capf_phone_deadline(&p.phone), MOMENT_NEVER);
	capf_server_deinit(&p.server);
	capf_phone_deinit(&p.phone);
}

static void does_every_operation_with_our_server(void **state)
{
	for (size_t i = 0; i < sizeof(jobs) / sizeof(*jobs); i++)
		do_job(&jobs[i]);
}

static void a_server_that_does_not_read_is_failed(void **state)
{
	static const uint8_t auth[] = {0x55, 1, 0, 0, 0, 1, 0, 4, 7, 0, 1, 3};
	static const uint8_t generate[] = {
		0x55, 3, 0, 0, 0, 1, 0, 5, 0x0a, 0, 2, 8, 0};
	const struct capf_phone_config config = {.version = 2};
	const struct capf_phone_auth me = {.device = "SEP000E325C9A43"};
	const struct moment now = {0};
	struct capf_phone_event e;
	struct capf_phone p;
	capf_phone_init(&p, &config, &now);
	capf_phone_feed(&p, auth, sizeof(auth), &now);
	assert_true(capf_phone_next(&p, &e));
	capf_phone_authenticate(&p, &me, &now);
	capf_phone_feed(&p, generate, sizeof(generate), &now);
	assert_true(capf_phone_next(&p, &e));
	for (unsigned i = 0; i < 10000; i++)
		capf_phone_progress(&p);
	assert_true(capf_phone_next(&p, &e));
	assert_int_equal(e.type, CAPF_PHONE_FAILED);
	assert_string_equal(e.rule, "capf-not-reading");
	assert_true(bytes_queue_len(&p.out) <= 65536);
	assert_false(capf_phone_next(&p, &e));
	capf_phone_deinit(&p);
}

/* Specs capf 9, E1 and E3 but for the version; and by tag, as E4 without a
 * password. */
static void elements_stand_as_cisco_writes_them_or_by_tag(void **state)
{
	static const uint8_t asked[] = {0x55, 0x01, 0x11, 0x22, 0x33, 0x44,
		0x00, 0x04, 0x07, 0x00, 0x01, 0x03};
	static const uint8_t cisco[] =
		"\x07\x00\x01\x03\x0d\x00\x10SEP000E325C9A43\0"
		"\x01\x00\x01\x01";
	static const uint8_t by_tag[] = "\x01\x00\x01\x01\x07\x00\x01\x03"
					"\x0d\x00\x10SEP000E325C9A43";
	enum { HEAD = 8, PAYLOAD = 27 };
	const struct moment now = {0};
	const struct capf_phone_auth auth = {.device = "SEP000E325C9A43"};
	for (int i = 0; i < 2; i++) {
		const struct capf_phone_config config = {
			.version = 3, .cisco_order = i == 0};
		struct capf_phone p;
		struct capf_phone_event event;
		size_t n;
		capf_phone_init(&p, &config, &now);
		capf_phone_feed(&p, asked, sizeof(asked), &now);
		assert_true(capf_phone_next(&p, &event));
		capf_phone_authenticate(&p, &auth, &now);
		const uint8_t *out = capf_phone_out(&p, &n);
		assert_int_equal(n, HEAD + PAYLOAD);
		assert_memory_equal(
			out + HEAD, i == 0 ? cisco : by_tag, PAYLOAD);
		capf_phone_deinit(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(phone_holds_every_conversation),
		cmocka_unit_test(does_every_operation_with_our_server),
		cmocka_unit_test(elements_stand_as_cisco_writes_them_or_by_tag),
		cmocka_unit_test(a_server_that_does_not_read_is_failed),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("capf-phone", tests, NULL, NULL);
}

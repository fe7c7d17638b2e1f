/* SPDX-License-Identifier: Apache-2.0 */
/* The phone engine, against the server engine and against bad servers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/sip/message.h"
#include "protocols/sip/phone.h"
#include "tests/protocols/sip/host.h"

enum { TEXT_MAX = 4096, START_MS = 1000000, WIRE_MAX = 8192 };

static const struct sip_phone_config handset = {
	.device = "SEP020000CCDD01",
	.line = "4001",
	.server = "cm.lab.test",
	.local = "192.0.2.7:50001",
	.model = 683,
	.tls = true,
	.last_reason = "SIP;cause=200;text=\"cisco-alarm:25 Last=initialized\"",
	.seed = 7,
};

/* Bytes on their way, handed over in pieces. */
struct wire {
	size_t cut;    /* the stream is cut here; 0: nowhere */
	size_t passed; /* bytes so far */
	bool single;   /* byte by byte */
};

struct pair {
	struct sip_phone_config config;
	struct sip_phone phone;
	struct sip_host host;
	struct moment now;
	struct wire up, down;
	unsigned challenges; /* so many REGISTERs are answered 401 */
	bool refuse;	     /* the host answers with `refusal` */
	struct sip_refusal refusal;
	char log[TEXT_MAX];   /* what both sides reported */
	char first[WIRE_MAX]; /* what the phone sent last */
};

static void note(struct pair *p, const char *text)
{
	size_t n = strlen(p->log);
	snprintf(p->log + n, sizeof(p->log) - n, "%s\n", text);
}

static const char *const names[] = {
	[SIP_PHONE_REGISTERED] = "registered",
	[SIP_PHONE_REFRESHED] = "refreshed",
	[SIP_PHONE_STANDBY] = "standby",
	[SIP_PHONE_REJECTED] = "rejected",
	[SIP_PHONE_RETRY] = "retry",
	[SIP_PHONE_TOKEN] = "token",
	[SIP_PHONE_UNREGISTERED] = "unregistered",
	[SIP_PHONE_RESET] = "reset",
	[SIP_PHONE_CHALLENGED] = "challenged",
	[SIP_PHONE_FAILED] = "failed",
};

/* Whether the answer is right is the business of whoever checks it. */
static void authorize(struct pair *p, const struct sip_challenge_read *c)
{
	char text[1024];
	snprintf(text, sizeof(text),
		"Digest username=\"u\",realm=\"%s\",nonce=\"%s\","
		"uri=\"sip:cm.lab.test\",response=\"%064d\",algorithm=%s,"
		"cnonce=\"c\",nc=00000001,qop=auth",
		c->realm, c->nonce, 0, sip_algorithm_name(c->algorithm));
	sip_phone_authorize(&p->phone, text, &p->now);
}

static void drain_phone(struct pair *p)
{
	struct sip_phone_event event;
	char text[TEXT_MAX];
	while (sip_phone_next(&p->phone, &event)) {
		snprintf(text, sizeof(text), "phone: %s %u %.1000s",
			names[event.type], event.value, event.text);
		note(p, text);
		if (event.type == SIP_PHONE_CHALLENGED)
			authorize(p, event.challenge);
	}
}

static void answer_token(struct pair *p)
{
	if (p->refuse)
		sip_server_deny_token(
			&p->host.server, p->refusal.retry_after_s);
	else
		sip_server_grant_token(&p->host.server);
}

static void drain_host(struct pair *p)
{
	char event[TEXT_MAX], text[TEXT_MAX];
	while (sip_host_next(&p->host, event, sizeof(event))) {
		snprintf(text, sizeof(text), "server: %.*s",
			(int)strcspn(event, ","), event);
		note(p, text);
		if (strncmp(event, "token", 5) == 0)
			answer_token(p);
		if (strncmp(event, "register", 8) != 0)
			continue;
		if (p->challenges) {
			p->challenges--;
			sip_server_challenge(&p->host.server,
				&(struct sip_challenge){
					.realm = "lab.test", .nonce = "n0"});
			continue;
		}
		if (p->refuse)
			sip_server_reject(&p->host.server, &p->refusal);
		else
			sip_host_apply(&p->host, &p->now);
	}
}

/* The next piece of n bytes, by the wire's cut. */
static size_t piece(struct wire *w, size_t n)
{
	if (w->single)
		n = 1;
	else if (w->cut > w->passed && w->cut - w->passed < n)
		n = w->cut - w->passed;
	w->passed += n;
	return n;
}

static bool move_up(struct pair *p)
{
	size_t n;
	const uint8_t *out = sip_phone_out(&p->phone, &n);
	if (!n)
		return false;
	if (n < sizeof(p->first)) {
		memcpy(p->first, out, n);
		p->first[n] = '\0';
	}
	while (n) {
		size_t m = piece(&p->up, n);
		sip_server_feed(&p->host.server, out, m, &p->now);
		drain_host(p);
		sip_phone_sent(&p->phone, m);
		out = sip_phone_out(&p->phone, &n);
	}
	return true;
}

static bool move_down(struct pair *p)
{
	size_t n;
	const uint8_t *out = sip_server_out(&p->host.server, &n);
	if (!n)
		return false;
	while (n) {
		size_t m = piece(&p->down, n);
		sip_phone_feed(&p->phone, out, m, &p->now);
		drain_phone(p);
		sip_server_sent(&p->host.server, m);
		out = sip_server_out(&p->host.server, &n);
	}
	return true;
}

static void talk(struct pair *p)
{
	drain_phone(p);
	drain_host(p);
	bool moved = true;
	while (moved) {
		moved = move_up(p);
		moved |= move_down(p);
	}
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void pass(struct pair *p, uint64_t ms)
{
	uint64_t until = p->now.mono_ms + ms;
	for (;;) {
		uint64_t due = earlier(sip_phone_deadline(&p->phone),
			sip_server_deadline(&p->host.server));
		if (due > until)
			break;
		p->now.unix_ms += (int64_t)(due - p->now.mono_ms);
		p->now.mono_ms = due;
		sip_phone_tick(&p->phone, &p->now);
		sip_server_tick(&p->host.server, &p->now);
		talk(p);
	}
	p->now.unix_ms += (int64_t)(until - p->now.mono_ms);
	p->now.mono_ms = until;
}

static void pair_init(struct pair *p, const struct sip_phone_config *config)
{
	memset(p, 0, sizeof(*p));
	p->now = (struct moment){START_MS, INT64_C(1795406400000), 0};
	p->config = *config;
	sip_host_init(&p->host, &p->now);
	sip_phone_init(&p->phone, &p->config, &p->now);
}

static void pair_deinit(struct pair *p)
{
	sip_phone_deinit(&p->phone);
	sip_host_deinit(&p->host);
}

static void begin(struct pair *p, const struct sip_phone_config *config)
{
	pair_init(p, config);
	sip_phone_start(&p->phone, &p->now);
	talk(p);
}

static const char LIFE[] =
	"server: register bind SEP020000CCDD01 by cisco\n"
	"phone: registered 120 \n"
	"server: register bind SEP020000CCDD01 by cisco\n"
	"phone: refreshed 120 \n"
	"server: register unbind-all SEP020000CCDD01 by cisco\n"
	"phone: unregistered 0 \n";

static void live(struct pair *p)
{
	sip_phone_start(&p->phone, &p->now);
	talk(p);
	pass(p, 120000);
	sip_phone_unregister(&p->phone, &p->now);
	talk(p);
	assert_string_equal(p->log, LIFE);
	assert_true(sip_phone_deadline(&p->phone) == MOMENT_NEVER);
	assert_int_equal(p->host.bindings.n, 0);
}

static void registers_refreshes_and_leaves_at_every_split(void **state)
{
	static struct pair p;
	pair_init(&p, &handset);
	live(&p);
	size_t up = p.up.passed, down = p.down.passed;
	pair_deinit(&p);
	for (size_t cut = 1; cut < (up > down ? up : down); cut++) {
		pair_init(&p, &handset);
		p.up.cut = cut;
		p.down.cut = cut;
		live(&p);
		pair_deinit(&p);
	}
	pair_init(&p, &handset);
	p.up.single = true;
	p.down.single = true;
	live(&p);
	pair_deinit(&p);
}

static void first_register_is_worded_like_an_88xx(void **state)
{
	static struct pair p;
	begin(&p, &handset);
	static const char *const lines[] = {
		"REGISTER sip:cm.lab.test SIP/2.0\r\n"
		"Via: SIP/2.0/TLS 192.0.2.7:50001;branch=z9hG4bK",
		"\r\nFrom: <sip:4001@cm.lab.test>;tag=020000ccdd010002",
		"\r\nTo: <sip:4001@cm.lab.test>\r\nCall-ID: 020000cc-dd01",
		"@192.0.2.7\r\nMax-Forwards: 70\r\n"
		"Date: Mon, 23 Nov 2026 04:00:00 GMT\r\n"
		"CSeq: 101 REGISTER\r\n"
		"User-Agent: Cisco-CP8841/12.8.1\r\nContact: <sip:",
		"@192.0.2.7:50001;transport=tls>;+sip.instance=\"<urn:uuid:"
		"00000000-0000-0000-0000-020000ccdd01>\""
		";+u.sip!devicename.ccm.cisco.com=\"SEP020000CCDD01\""
		";+u.sip!model.ccm.cisco.com=\"683\"\r\nSupported: replaces",
		"X-cisco-sis-7.0.0",
		"\r\nReason: SIP;cause=200;text=\"cisco-alarm:25",
		"\r\nExpires: 3600\r\n"
		"Content-Type: multipart/mixed; boundary=uniqueBoundary\r\n",
		"<bulkregisterreq>",
		"--uniqueBoundary--",
	};
	const char *at = p.first;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *found = strstr(at, lines[i]);
		if (!found)
			fail_msg("not there or too early: %s", lines[i]);
		at = found ? found : "";
	}
	pass(&p, 115000);
	assert_null(strstr(p.first, "Reason:"));
	assert_non_null(strstr(p.first, "CSeq: 102 REGISTER\r\n"));
	assert_non_null(strstr(p.first, "\r\nContent-Length: 0\r\n\r\n"));
	pair_deinit(&p);
}

static void ids_come_from_the_seed_alone(void **state)
{
	static struct pair a, b;
	struct sip_phone_config other = handset;
	begin(&a, &handset);
	begin(&b, &handset);
	assert_string_equal(a.first, b.first);
	pair_deinit(&b);
	other.seed = 8;
	begin(&b, &other);
	assert_string_not_equal(a.first, b.first);
	pair_deinit(&a);
	pair_deinit(&b);
}

static void restarts_in_order_when_it_is_told_to(void **state)
{
	static const struct {
		enum sip_order order;
		const char *action, *why;
	} rows[] = {
		{SIP_ORDER_RESTART, "restart", ":23 Name=SEP020000CCDD01 "},
		{SIP_ORDER_RESET, "reset", ":22 Name=SEP020000CCDD01 "},
	};
	static struct pair p;
	char wanted[TEXT_MAX];
	for (size_t i = 0; i < 2; i++) {
		begin(&p, &handset);
		assert_true(sip_server_order(
			&p.host.server, rows[i].order, p.host.bindings.list));
		talk(&p);
		snprintf(wanted, sizeof(wanted),
			"server: register bind SEP020000CCDD01 by cisco\n"
			"phone: registered 120 \n"
			"phone: reset 0 %s\n"
			"server: ordered %s 200\n"
			"server: register unbind-all SEP020000CCDD01 by cisco\n"
			"server: register bind SEP020000CCDD01 by cisco\n"
			"phone: registered 120 \n",
			rows[i].action, rows[i].action);
		assert_string_equal(p.log, wanted);
		assert_non_null(strstr(p.first, rows[i].why));
		assert_non_null(strstr(p.first, "<bulkregisterreq>"));
		assert_int_equal(p.host.bindings.n, 1);
		pair_deinit(&p);
	}
}

static void stays_away_when_it_is_told_to_and_leaves(void **state)
{
	static struct pair p;
	struct sip_phone_config leaves = handset;
	leaves.leaves = true;
	begin(&p, &leaves);
	assert_true(sip_server_order(
		&p.host.server, SIP_ORDER_RESET, p.host.bindings.list));
	talk(&p);
	assert_string_equal(p.log,
		"server: register bind SEP020000CCDD01 by cisco\n"
		"phone: registered 120 \n"
		"phone: reset 0 reset\n"
		"server: ordered reset 200\n"
		"server: register unbind-all SEP020000CCDD01 by cisco\n"
		"phone: unregistered 0 \n");
	assert_int_equal(p.host.bindings.n, 0);
	pair_deinit(&p);
}

static void applies_a_configuration_and_stays(void **state)
{
	static struct pair p;
	begin(&p, &handset);
	assert_true(sip_server_order(
		&p.host.server, SIP_ORDER_APPLY, p.host.bindings.list));
	talk(&p);
	assert_non_null(strstr(p.log, "phone: reset 0 apply-config\n"
				      "server: ordered apply-config 200\n"));
	assert_null(strstr(p.log, "unbind"));
	pair_deinit(&p);
}

static void obeys_no_order_for_an_earlier_registration(void **state)
{
	static struct pair p;
	begin(&p, &handset);
	struct sip_binding old = p.host.bindings.list[0];
	old.call_id = "another@192.0.2.7";
	assert_true(sip_server_order(&p.host.server, SIP_ORDER_RESET, &old));
	talk(&p);
	assert_non_null(strstr(p.log, "server: ordered reset 400\n"));
	assert_null(strstr(p.log, "unbind"));
	pair_deinit(&p);
}

static void answers_a_challenge_of_the_strongest_algorithm(void **state)
{
	static struct pair p;
	struct sip_phone_config config = handset;
	config.digest = true;
	pair_init(&p, &config);
	p.challenges = 1;
	sip_phone_start(&p.phone, &p.now);
	talk(&p);
	assert_string_equal(p.log,
		"server: register bind SEP020000CCDD01 by cisco\n"
		"phone: challenged 0 sip:cm.lab.test\n"
		"server: register bind SEP020000CCDD01 by cisco\n"
		"phone: registered 120 \n");
	assert_non_null(strstr(p.first, "CSeq: 102 REGISTER\r\n"));
	assert_non_null(strstr(p.first, "algorithm=SHA-256"));
	pass(&p, 115000);
	assert_null(strstr(p.first, "Authorization"));
	pair_deinit(&p);
}

static void gives_up_on_the_fourth_challenge_in_a_row(void **state)
{
	static struct pair p;
	struct sip_phone_config config = handset;
	config.digest = true;
	pair_init(&p, &config);
	p.challenges = 9;
	sip_phone_start(&p.phone, &p.now);
	talk(&p);
	assert_int_equal(p.challenges, 5);
	assert_non_null(strstr(p.log, "phone: rejected 401 Unauthorized"));
	pair_deinit(&p);
}

static void takes_a_challenge_for_a_no_without_credentials(void **state)
{
	static struct pair p;
	pair_init(&p, &handset);
	p.challenges = 1;
	sip_phone_start(&p.phone, &p.now);
	talk(&p);
	assert_non_null(strstr(p.log, "phone: rejected 401 Unauthorized"));
	pair_deinit(&p);
}

static void first_register_can_have_the_short_form(void **state)
{
	static struct pair p;
	struct sip_phone_config config = handset;
	config.brief = true;
	begin(&p, &config);
	assert_non_null(strstr(p.log, "phone: registered 120 \n"));
	assert_null(strstr(p.first, "Reason"));
	assert_null(strstr(p.first, "bulkregisterreq"));
	pair_deinit(&p);
}

static void standby_keeps_alive_and_binds_nothing(void **state)
{
	static struct pair p;
	struct sip_phone_config config = handset;
	config.standby = true;
	begin(&p, &config);
	pass(&p, 240000);
	static const char once[] =
		"server: register standby SEP020000CCDD01 by cisco\n"
		"phone: standby 0 \n";
	char thrice[TEXT_MAX];
	snprintf(thrice, sizeof(thrice), "%s%s%s", once, once, once);
	assert_string_equal(p.log, thrice);
	assert_int_equal(p.host.bindings.n, 0);
	pair_deinit(&p);
}

static void a_soft_client_has_no_mac(void **state)
{
	static struct pair p;
	struct sip_phone_config config = handset;
	config.device = "CSFDOE";
	config.model = 503;
	config.last_reason = NULL;
	begin(&p, &config);
	assert_non_null(strstr(p.log, "bind CSFDOE by cisco\n"));
	assert_non_null(strstr(p.first, "-000000000000>"));
	assert_null(strstr(p.first, "Reason"));
	pair_deinit(&p);
}

static void rejection_shows_phrase_and_warning(void **state)
{
	static struct pair p;
	pair_init(&p, &handset);
	p.refuse = true;
	p.refusal = (struct sip_refusal){.status = 403, .warning = "not you"};
	sip_phone_start(&p.phone, &p.now);
	talk(&p);
	assert_non_null(strstr(p.log, "phone: rejected 403 Forbidden; "
				      "399 dialtone \"not you\"\n"));
	assert_true(sip_phone_deadline(&p.phone) == MOMENT_NEVER);
	p.refuse = false;
	sip_phone_start(&p.phone, &p.now);
	talk(&p);
	assert_non_null(strstr(p.log, "phone: registered 120"));
	pair_deinit(&p);
}

static void too_brief_is_asked_again_once(void **state)
{
	static struct pair p;
	struct sip_phone_config config = handset;
	config.expires_s = 30;
	begin(&p, &config);
	assert_non_null(strstr(p.log, "phone: registered 60"));
	pair_deinit(&p);
	pair_init(&p, &config);
	p.refuse = true;
	p.refusal = (struct sip_refusal){.status = 423, .min_expires_s = 90};
	sip_phone_start(&p.phone, &p.now);
	talk(&p);
	assert_non_null(strstr(p.log, "phone: rejected 423"));
	assert_non_null(strstr(p.first, "CSeq: 102 REGISTER\r\n"));
	assert_non_null(strstr(p.first, "Expires: 90\r\n"));
	pair_deinit(&p);
}

static void a_storm_is_waited_out(void **state)
{
	static struct pair p;
	pair_init(&p, &handset);
	p.refuse = true;
	p.refusal = (struct sip_refusal){.status = 503, .retry_after_s = 17};
	sip_phone_start(&p.phone, &p.now);
	talk(&p);
	assert_non_null(strstr(p.log, "phone: retry 17 "));
	p.refuse = false;
	pass(&p, 16999);
	assert_null(strstr(p.log, "phone: registered"));
	pass(&p, 1);
	assert_non_null(strstr(p.log, "phone: registered 120"));
	pair_deinit(&p);
}

/* 404, 413, 480 and 486 with Retry-After are waited out as 503 is; without
 * it, and any other status with it, is a refusal. */
static void only_some_refusals_tell_to_wait(void **state)
{
	static const struct {
		int status;
		uint32_t retry_after_s;
		const char *log;
	} refusals[] = {
		{404, 9, "phone: retry 9 "},
		{413, 9, "phone: retry 9 "},
		{480, 9, "phone: retry 9 "},
		{486, 9, "phone: retry 9 "},
		{503, 0, "phone: rejected 503 "},
		{404, 0, "phone: rejected 404 "},
		{403, 9, "phone: rejected 403 "},
		{500, 9, "phone: rejected 500 "},
	};
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		static struct pair p;
		pair_init(&p, &handset);
		p.refuse = true;
		p.refusal.status = refusals[i].status;
		p.refusal.retry_after_s = refusals[i].retry_after_s;
		sip_phone_start(&p.phone, &p.now);
		talk(&p);
		if (!strstr(p.log, refusals[i].log))
			fail_msg("%d: %s", refusals[i].status, p.log);
		pair_deinit(&p);
	}
}

static void asks_for_a_token_and_then_registers(void **state)
{
	static struct pair p;
	pair_init(&p, &handset);
	p.refuse = true;
	p.refusal.retry_after_s = 17;
	sip_phone_token(&p.phone, &p.now);
	talk(&p);
	assert_non_null(strstr(p.first, "REFER sip:cm.lab.test SIP/2.0\r\n"));
	assert_non_null(strstr(p.first, "CSeq: 1000 REFER\r\n"));
	assert_non_null(strstr(p.first,
		"Refer-To: <urn:X-cisco-remotecc:token-registration>\r\n"));
	assert_non_null(strstr(p.log, "phone: token 17 "));
	pass(&p, 16999);
	assert_non_null(strstr(p.first, "CSeq: 1000 REFER\r\n"));
	p.refuse = false;
	pass(&p, 1);
	assert_non_null(strstr(p.first, "CSeq: 1001 REFER\r\n"));
	assert_non_null(strstr(p.log, "phone: token 0 "));
	sip_phone_start(&p.phone, &p.now);
	talk(&p);
	assert_non_null(strstr(p.first, "CSeq: 101 REGISTER\r\n"));
	assert_non_null(strstr(p.log, "phone: registered 120 "));
	pair_deinit(&p);
}

static void a_denied_token_without_a_time_is_asked_for_in_two_minutes(
	void **state)
{
	static struct pair p;
	pair_init(&p, &handset);
	p.refuse = true;
	sip_phone_token(&p.phone, &p.now);
	talk(&p);
	assert_non_null(strstr(p.log, "phone: token 120 "));
	pair_deinit(&p);
}

static void a_short_grant_is_a_failure(void **state)
{
	static struct pair p;
	pair_init(&p, &handset);
	p.host.limits = (struct sip_binding_limits){24, 10};
	sip_phone_start(&p.phone, &p.now);
	talk(&p);
	assert_non_null(strstr(p.log, "phone: failed 0 reg expires too short"));
	pair_deinit(&p);
}

static void leaving_waits_for_the_answer_that_is_due(void **state)
{
	static struct pair p;
	pair_init(&p, &handset);
	sip_phone_start(&p.phone, &p.now);
	sip_phone_unregister(&p.phone, &p.now);
	talk(&p);
	assert_non_null(strstr(p.log, "phone: registered 120"));
	assert_non_null(strstr(p.log, "phone: unregistered 0"));
	assert_int_equal(p.host.bindings.n, 0);
	pair_deinit(&p);
}

static void silence_is_a_failure(void **state)
{
	static struct pair p;
	pair_init(&p, &handset);
	sip_phone_start(&p.phone, &p.now);
	assert_int_equal(sip_phone_deadline(&p.phone), START_MS + 32000);
	p.now.mono_ms += 32000;
	sip_phone_tick(&p.phone, &p.now);
	drain_phone(&p);
	assert_string_equal(
		p.log, "phone: failed 0 no answer to REGISTER in time\n");
	pair_deinit(&p);
}

/* Text of a header line that the phone sent, its name included. */
static void line_of(const struct pair *p, const char *name, char *dst, size_t n)
{
	const char *at = strstr(p->first, name);
	assert_non_null(at);
	snprintf(dst, n, "%.*s", (int)strcspn(at, "\r"), at);
}

/* A started phone whose request nobody has read, and the lines to echo. */
struct lone {
	struct pair pair;
	char via[256], from[256], id[256], cseq[64], contact[512];
};

static void lone_init(struct lone *l)
{
	struct pair *p = &l->pair;
	size_t n;
	pair_init(p, &handset);
	sip_phone_start(&p->phone, &p->now);
	const uint8_t *out = sip_phone_out(&p->phone, &n);
	snprintf(p->first, sizeof(p->first), "%.*s", (int)n, out);
	sip_phone_sent(&p->phone, n);
	line_of(p, "Via: ", l->via, sizeof(l->via));
	line_of(p, "From: ", l->from, sizeof(l->from));
	line_of(p, "Call-ID: ", l->id, sizeof(l->id));
	line_of(p, "CSeq: ", l->cseq, sizeof(l->cseq));
	line_of(p, "Contact: ", l->contact, sizeof(l->contact));
}

static void say(struct lone *l, const char *text)
{
	sip_phone_feed(&l->pair.phone, text, strlen(text), &l->pair.now);
	drain_phone(&l->pair);
}

enum { TO, VIA, FROM, ID, CSEQ, CONTACT, EXPIRES, LENGTH, PARTS };

/* Answers 200 with one line put differently; NULL: left out. */
static void answer(struct lone *l, int part, const char *instead)
{
	char text[TEXT_MAX] = "SIP/2.0 200 OK\r\n";
	const char *parts[PARTS] = {"To: <sip:4001@cm.lab.test>;tag=t", l->via,
		l->from, l->id, l->cseq, l->contact, "Expires: 120",
		"Content-Length: 0"};
	if (part < PARTS)
		parts[part] = instead;
	for (int i = 0; i < PARTS; i++) {
		if (!parts[i])
			continue;
		sip_host_append(text, sizeof(text), parts[i]);
		sip_host_append(text, sizeof(text), "\r\n");
	}
	sip_host_append(text, sizeof(text), "\r\n");
	say(l, text);
}

static void malformed_answers_are_failures(void **state)
{
	static const struct {
		int part;
		const char *instead;
		const char *why;
	} rows[] = {
		{TO, "To: <sip:4001@cm.lab.test>", "an answer without a tag"},
		{TO, NULL, "a malformed answer: no To"},
		{VIA, "Via: SIP/2.0/TLS 192.0.2.7:50001;branch=z9hG4bKx",
			"an answer to nothing we asked"},
		{VIA, NULL, "a malformed answer: no Via"},
		{FROM, "From: <sip:4001@cm.lab.test>;tag=x",
			"an answer to nothing we asked"},
		{ID, "Call-ID: x", "an answer to nothing we asked"},
		{CSEQ, "CSeq: 102 REGISTER", "an answer to nothing we asked"},
		{CSEQ, "CSeq: 101 INVITE", "an answer to nothing we asked"},
		{CSEQ, "CSeq: x REGISTER", "a malformed answer: CSeq"},
		{CONTACT, NULL, "200 without our Contact"},
		{CONTACT, "Contact: <sip:x@y>", "200 without our Contact"},
		{CONTACT, "Contact: <sip:x@y", "a malformed answer: a header"},
		{EXPIRES, "Expires: soon", "200 with an Expires"},
		{EXPIRES, "Expires: 24", "reg expires too short"},
		{LENGTH, NULL, "a malformed message: no Content-Length"},
		{LENGTH, "Content-Length: 4000",
			"a malformed message: message longer"},
	};
	static struct lone l;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char wanted[256];
		lone_init(&l);
		answer(&l, rows[i].part, rows[i].instead);
		snprintf(wanted, sizeof(wanted), "phone: failed 0 %s",
			rows[i].why);
		if (strncmp(l.pair.log, wanted, strlen(wanted)) != 0)
			fail_msg("%s, wanted %s", l.pair.log, wanted);
		assert_true(sip_phone_deadline(&l.pair.phone) == MOMENT_NEVER);
		pair_deinit(&l.pair);
	}
	lone_init(&l);
	sip_host_append(l.via, sizeof(l.via), ";received=192.0.2.99");
	answer(&l, PARTS, NULL);
	assert_string_equal(l.pair.log, "phone: registered 120 \n");
	answer(&l, PARTS, NULL);
	assert_non_null(strstr(l.pair.log, "failed 0 an answer to nothing"));
	pair_deinit(&l.pair);
}

static void long_lines_and_messages_are_failures(void **state)
{
	static struct lone l;
	char line[TEXT_MAX];
	lone_init(&l);
	snprintf(line, sizeof(line), "Expires: 120\r\nX-long: %01016d", 1);
	answer(&l, EXPIRES, line);
	assert_string_equal(l.pair.log, "phone: failed 0 a header line longer "
					"than a phone reads\n");
	pair_deinit(&l.pair);
	lone_init(&l);
	snprintf(line, sizeof(line), "X: %0900d\r\nX: %0900d\r\nX: %0900d", 1,
		1, 1);
	answer(&l, EXPIRES, line);
	assert_non_null(strstr(l.pair.log, "headers without end"));
	pair_deinit(&l.pair);
}

static void expires_may_stand_in_the_contact(void **state)
{
	static struct lone l;
	char contact[1024];
	lone_init(&l);
	sip_host_append(l.contact, sizeof(l.contact), ";expires=90");
	answer(&l, EXPIRES, NULL);
	assert_string_equal(l.pair.log, "phone: registered 90 \n");
	pair_deinit(&l.pair);
	lone_init(&l);
	snprintf(contact, sizeof(contact), "Contact: <sip:x@y>;expires=9, %s",
		l.contact + strlen("Contact: "));
	answer(&l, CONTACT, contact);
	assert_string_equal(l.pair.log, "phone: registered 120 \n");
	pair_deinit(&l.pair);
}

static void trying_is_harmless(void **state)
{
	static struct lone l;
	char text[TEXT_MAX];
	lone_init(&l);
	snprintf(text, sizeof(text),
		"SIP/2.0 100 Trying\r\n%s\r\n%s\r\nTo: <sip:4001@cm.lab.test>"
		"\r\n%s\r\n%s\r\nl: 0\r\n\r\n",
		l.via, l.from, l.id, l.cseq);
	say(&l, text);
	assert_string_equal(l.pair.log, "");
	answer(&l, PARTS, NULL);
	assert_string_equal(l.pair.log, "phone: registered 120 \n");
	pair_deinit(&l.pair);
}

static void notify(struct lone *l, const char *type, const char *body)
{
	char text[TEXT_MAX];
	snprintf(text, sizeof(text),
		"NOTIFY sip:a@192.0.2.7:50001 SIP/2.0\r\n"
		"Via: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bKn\r\n"
		"From: <sip:cm.lab.test>;tag=n\r\nTo: <sip:a@b>\r\n"
		"Call-ID: n\r\nCSeq: 1 NOTIFY\r\nMax-Forwards: 70\r\n"
		"Event: service-control\r\nSubscription-State: active\r\n"
		"Content-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
		type, strlen(body), body);
	say(l, text);
}

static void answered(struct lone *l, const char *status)
{
	size_t n;
	const uint8_t *out = sip_phone_out(&l->pair.phone, &n);
	assert_true(n > 12);
	assert_memory_equal(out, status, strlen(status));
	sip_phone_sent(&l->pair.phone, n);
}

static void reset_needs_the_call_id_of_this_register(void **state)
{
	static struct lone l;
	char body[512];
	const char *id = l.id + strlen("Call-ID: ");
	lone_init(&l);
	answer(&l, PARTS, NULL);
	l.pair.log[0] = '\0';
	snprintf(body, sizeof(body),
		"action=restart\nRegisterCallId={%.200s}\n", id);
	notify(&l, "text/html", body);
	answered(&l, "SIP/2.0 400 ");
	notify(&l, "text/plain", "action=restart\nRegisterCallId={x}\n");
	answered(&l, "SIP/2.0 400 ");
	snprintf(body, sizeof(body), "action=restart\nRegisterCallId=%.200s\n",
		id);
	notify(&l, "text/plain", body);
	answered(&l, "SIP/2.0 400 ");
	snprintf(body, sizeof(body), "action=dance\nRegisterCallId={%.200s}\n",
		id);
	notify(&l, "text/plain", body);
	answered(&l, "SIP/2.0 400 ");
	notify(&l, "text/plain", "");
	answered(&l, "SIP/2.0 400 ");
	assert_string_equal(l.pair.log, "");
	snprintf(body, sizeof(body),
		"action=restart\r\nRegisterCallId={%.200s}\r\n", id);
	notify(&l, "text/plain", body);
	answered(&l, "SIP/2.0 200 ");
	assert_string_equal(l.pair.log, "phone: reset 0 restart\n");
	pair_deinit(&l.pair);
}

static void other_requests_are_answered(void **state)
{
	static const struct {
		const char *method, *status;
	} rows[] = {
		{"OPTIONS", "SIP/2.0 200 "},
		{"INVITE", "SIP/2.0 405 "},
		{"NOTIFY", "SIP/2.0 489 "},
	};
	static struct lone l;
	lone_init(&l);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[TEXT_MAX];
		snprintf(text, sizeof(text),
			"%s sip:a@192.0.2.7 SIP/2.0\r\n"
			"Via: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bKn\r\n"
			"From: <sip:cm.lab.test>;tag=n\r\nTo: <sip:a@b>\r\n"
			"Call-ID: n\r\nCSeq: 1 %s\r\nMax-Forwards: 70\r\n"
			"Content-Length: 0\r\n\r\n",
			rows[i].method, rows[i].method);
		say(&l, text);
		answered(&l, rows[i].status);
	}
	assert_string_equal(l.pair.log, "");
	pair_deinit(&l.pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_refreshes_and_leaves_at_every_split),
		cmocka_unit_test(first_register_is_worded_like_an_88xx),
		cmocka_unit_test(ids_come_from_the_seed_alone),
		cmocka_unit_test(restarts_in_order_when_it_is_told_to),
		cmocka_unit_test(stays_away_when_it_is_told_to_and_leaves),
		cmocka_unit_test(applies_a_configuration_and_stays),
		cmocka_unit_test(obeys_no_order_for_an_earlier_registration),
		cmocka_unit_test(
			answers_a_challenge_of_the_strongest_algorithm),
		cmocka_unit_test(gives_up_on_the_fourth_challenge_in_a_row),
		cmocka_unit_test(
			takes_a_challenge_for_a_no_without_credentials),
		cmocka_unit_test(first_register_can_have_the_short_form),
		cmocka_unit_test(standby_keeps_alive_and_binds_nothing),
		cmocka_unit_test(a_soft_client_has_no_mac),
		cmocka_unit_test(rejection_shows_phrase_and_warning),
		cmocka_unit_test(too_brief_is_asked_again_once),
		cmocka_unit_test(a_storm_is_waited_out),
		cmocka_unit_test(only_some_refusals_tell_to_wait),
		cmocka_unit_test(asks_for_a_token_and_then_registers),
		cmocka_unit_test(
			a_denied_token_without_a_time_is_asked_for_in_two_minutes),
		cmocka_unit_test(a_short_grant_is_a_failure),
		cmocka_unit_test(leaving_waits_for_the_answer_that_is_due),
		cmocka_unit_test(silence_is_a_failure),
		cmocka_unit_test(malformed_answers_are_failures),
		cmocka_unit_test(long_lines_and_messages_are_failures),
		cmocka_unit_test(expires_may_stand_in_the_contact),
		cmocka_unit_test(trying_is_harmless),
		cmocka_unit_test(reset_needs_the_call_id_of_this_register),
		cmocka_unit_test(other_requests_are_answered),
	};
	sip_message_setup();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("sip-phone", tests, NULL, NULL);
}

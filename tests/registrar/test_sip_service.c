/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the SIP service: real stores and engine, but no socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocols/sip/message.h"
#include "registrar/admin/device_draft.h"
#include "registrar/admit.h"
#include "registrar/service/service.h"

enum { START_MS = 1000000, TEXT_SIZE = 8192, LINES = 3 };

static const char CONFIG[] =
	"{\"limits\": {\"jitter_percent\": 0}, \"sip\": {\"redirect\": true,"
	" \"realm\": \"lab.test\"}, \"devices\": {"
	"\"SEP020000000001\": {\"profile\": \"non-secure\", \"lines\":"
	" [{\"number\": \"1\"}, {\"number\": \"2\"}, {\"number\": \"3\"}]},"
	"\"SEP020000000002\": {\"profile\": \"non-secure\"},"
	"\"SEP020000000003\": {\"profile\": \"non-secure\", \"lines\":"
	" [{\"number\": \"1\"}]},"
	"\"CSFANN\": {\"profile\": \"non-secure\"},"
	"\"softphone\": {\"profile\": \"non-secure\", \"lines\":"
	" [{\"number\": \"700\"}]}}}";

static struct config *config;
static struct service_world world;
static struct overload *overload;
static struct overload_part part;
static struct meters meters;
static struct moment now;
static char folder[] = "/tmp/dialtone-sip-XXXXXX";

static struct conn_ref displaced; /* the last one */

static void displace(void *self, struct conn_ref ref)
{
	displaced = ref;
}

/* A profile with digest, and a device that follows it. */
static void add_device_with_a_password(void)
{
	struct diag d = {.text = ""};
	struct security_profile profile = security_predefined[0];
	struct device_draft draft;
	snprintf(profile.name, sizeof(profile.name), "passwords");
	profile.digest = true;
	assert_int_equal(inventory_put_profile(
				 world.inventory, &profile, INVENTORY_PUT, &d),
		0);
	device_draft_init(&draft, NULL);
	draft.device.name = "SEP0200000000D1";
	draft.device.profile = "passwords";
	device_draft_password(&draft, "ann", config_realm(config), "secret");
	if (inventory_put(world.inventory, &draft.device, INVENTORY_PUT, &d))
		fail_msg("%s", d.text);
}

static int setup(void **state)
{
	char path[] = "/tmp/dialtone-sip-XXXXXX";
	struct diag d = {.text = ""};
	int fd = mkstemp(path);
	assert_int_equal(
		write(fd, CONFIG, sizeof(CONFIG) - 1), (int)sizeof(CONFIG) - 1);
	close(fd);
	int error = config_load(path, NULL, &config, &d);
	unlink(path);
	if (error)
		fail_msg("%s", d.text);
	log_setup(LOG_TEXT, LOG_ERROR);
	overload = overload_new(config);
	part = (struct overload_part){0};
	overload_join(overload, &part);
	world = (struct service_world){
		.config = config,
		.directory = directory_new(100),
		.inventory = inventory_new(config),
		.failures = failures_new(16, 100),
		.locations = locations_new(),
		.digest = digest_new(),
		.gruu = gruu_new(),
		.overload = &part,
		.meters = &meters,
		.displace = displace,
	};
	service_limits_init(&world.limits, config);
	service_limits_count(&world.limits, &meters);
	now = (struct moment){START_MS, INT64_C(1795406400000), 0};
	if (inventory_open(world.inventory, folder, &d))
		fail_msg("%s", d.text);
	return 0;
}

static int setup_password(void **state)
{
	setup(state);
	add_device_with_a_password();
	return 0;
}

static int make_folder(void **state)
{
	assert_non_null(mkdtemp(folder));
	return 0;
}

static int remove_folder(void **state)
{
	char command[128];
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command); /* NOLINT(cert-env33-c): our own folder */
}

static int teardown(void **state)
{
	directory_free(world.directory);
	inventory_free(world.inventory);
	failures_free(world.failures);
	locations_free(world.locations);
	digest_free((struct digest *)world.digest);
	gruu_free((struct gruu *)world.gruu);
	overload_free(overload);
	config_free(config);
	return 0;
}

/* A phone at its end of a connection. */
struct phone {
	void *self;
	struct peer peer;
	const char *user;
	const char *contact;
	unsigned cseq;
	char said[TEXT_SIZE]; /* what the registrar said last */
};

static void come(struct phone *p, const char *address, const char *contact)
{
	static uint64_t id;
	*p = (struct phone){.self = calloc(1, service_sip.size),
		.user = strstr(contact, "SEP020000000001") ? "1" : "9",
		.contact = contact,
		.peer = {.port = 50001,
			.protocol = CONFIG_SIP,
			.ref = {0, ++id}}};
	snprintf(p->peer.address, sizeof(p->peer.address), "%s", address);
	service_sip.init(p->self, &world, &p->peer, &now);
}

static void go(struct phone *p)
{
	service_sip.leave(p->self, REASON_UNREG_CONNECTIVITY, &now);
	service_sip.deinit(p->self);
	free(p->self);
}

static void read_answers(struct phone *p)
{
	size_t n;
	const uint8_t *out = service_sip.out(p->self, &n);
	assert_true(n < sizeof(p->said));
	snprintf(p->said, sizeof(p->said), "%.*s", (int)n, (const char *)out);
	service_sip.sent(p->self, n);
}

static void say(struct phone *p, const char *text)
{
	service_sip.feed(p->self, text, strlen(text), &now);
	read_answers(p);
}

/* extra: header lines with CR LF; "" none. The status of the answer. */
static int ask(
	struct phone *p, const char *method, const char *uri, const char *extra)
{
	char text[TEXT_SIZE];
	p->cseq++;
	snprintf(text, sizeof(text),
		"%s %s SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bK%u\r\n"
		"From: <sip:%s@h>;tag=t\r\nTo: <sip:%s@h>\r\n"
		"Call-ID: call-%s\r\nMax-Forwards: 70\r\nCSeq: %u %s\r\n"
		"%s%s",
		method, uri, p->peer.address, p->cseq, p->user, p->user,
		p->user, p->cseq, method, extra,
		strstr(extra, "Content-Length") ? ""
						: "Content-Length: 0\r\n\r\n");
	memset(p->said, 0, sizeof(p->said));
	say(p, text);
	return atoi(p->said + 8);
}

static int enter(struct phone *p, const char *extra)
{
	char lines[2048];
	snprintf(lines, sizeof(lines), "Contact: %s\r\n%s", p->contact, extra);
	return ask(p, "REGISTER", "sip:h", lines);
}

static const char CISCO[] =
	"<sip:u@192.0.2.1:50001>;+u.sip!devicename.ccm.cisco.com="
	"\"SEP020000000001\"";
static const char BULK[] = "Content-Type: multipart/mixed; boundary=b\r\n"
			   "Content-Length: 18\r\n\r\n<bulkregisterreq/>";

static size_t found(const char *aor)
{
	size_t n;
	struct location *list = locations_find(world.locations, aor, &now, &n);
	locations_list_free(list, n);
	return n;
}

static bool is_partial(const char *device)
{
	struct directory_entry e;
	assert_true(directory_find(world.directory, device, &e));
	assert_true(e.registered);
	bool partial = e.partial;
	directory_entry_deinit(&e);
	return partial;
}

static void bulk_registers_every_line_at_once(void **state)
{
	struct phone p;
	come(&p, "192.0.2.1", CISCO);
	assert_int_equal(enter(&p, BULK), 200);
	assert_false(is_partial("SEP020000000001"));
	assert_int_equal(found("1@h"), 1);
	assert_int_equal(found("2@h"), 1);
	assert_int_equal(found("3@h"), 1);
	/* A refresh has no body and changes nothing of it. */
	assert_int_equal(enter(&p, ""), 200);
	assert_false(is_partial("SEP020000000001"));
	assert_int_equal(found("3@h"), 1);
	assert_int_equal(
		ask(&p, "REGISTER", "sip:h", "Contact: *\r\nExpires: 0\r\n"),
		200);
	assert_int_equal(found("1@h"), 0);
	assert_int_equal(found("3@h"), 0);
	go(&p);
}

static void a_refresh_of_a_lost_registration_is_partial(void **state)
{
	struct phone p;
	come(&p, "192.0.2.1", CISCO);
	assert_int_equal(enter(&p, ""), 200);
	assert_non_null(strstr(p.said, ";x-cisco-newreg\r\n"));
	assert_true(is_partial("SEP020000000001"));
	assert_int_equal(found("1@h"), 1);
	assert_int_equal(found("2@h"), 0);
	/* It registers as after its start: then all of them are there. */
	assert_int_equal(enter(&p, BULK), 200);
	assert_false(is_partial("SEP020000000001"));
	assert_int_equal(found("2@h"), 1);
	go(&p);
	assert_int_equal(found("1@h"), 0);
}

static void lines_can_come_one_by_one(void **state)
{
	static const char *const users[LINES] = {"1", "2", "3"};
	struct phone p;
	come(&p, "192.0.2.1", CISCO);
	for (int i = 0; i < LINES; i++) {
		p.user = users[i];
		assert_int_equal(enter(&p, ""), 200);
		assert_int_equal(is_partial("SEP020000000001"), i < LINES - 1);
	}
	assert_int_equal(found("1@h") + found("2@h") + found("3@h"), LINES);
	go(&p);
}

static void a_line_of_somebody_else_is_refused(void **state)
{
	struct phone p;
	come(&p, "192.0.2.1", CISCO);
	p.user = "4";
	assert_int_equal(enter(&p, ""), 403);
	assert_non_null(strstr(p.said, "none of its lines"));
	assert_int_equal(found("4@h"), 0);
	go(&p);
}

static void an_order_reaches_the_phone_of_the_registration(void **state)
{
	static const struct {
		enum phone_order order;
		const char *action;
		enum reason_unreg cause;
	} rows[] = {
		{PHONE_RESET, "reset", REASON_UNREG_CALLMANAGER_RESET},
		{PHONE_RESTART, "restart", REASON_UNREG_FORCED_RESTART},
		{PHONE_APPLY, "apply-config", REASON_UNREG_APPLY_CONFIG},
	};
	for (size_t i = 0; i < 3; i++) {
		struct phone p;
		struct directory_entry e;
		char text[TEXT_SIZE], id[128];
		come(&p, "192.0.2.1", CISCO);
		service_sip.order(p.self, rows[i].order, &now);
		read_answers(&p);
		assert_string_equal(p.said, ""); /* nobody to be told */
		assert_int_equal(enter(&p, BULK), 200);
		service_sip.order(p.self, rows[i].order, &now);
		read_answers(&p);
		assert_memory_equal(
			p.said, "NOTIFY sip:u@192.0.2.1:50001 ", 29);
		snprintf(text, sizeof(text),
			"\r\n\r\naction=%s\r\nRegisterCallId={call-1}\r\n",
			rows[i].action);
		assert_non_null(strstr(p.said, text));
		assert_int_equal(sscanf(strstr(p.said, "Call-ID: "),
					 "Call-ID: %127s", id),
			1);
		snprintf(text, sizeof(text),
			"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP dialtone\r\n"
			"From: <sip:dialtone>;tag=1\r\nTo: <sip:1@h>;tag=2\r\n"
			"Call-ID: %s\r\nCSeq: 1 NOTIFY\r\n"
			"Content-Length: 0\r\n\r\n",
			id);
		say(&p, text);
		assert_int_equal(ask(&p, "REGISTER", "sip:h",
					 "Contact: *\r\nExpires: 0\r\n"),
			200);
		assert_true(
			directory_find(world.directory, "SEP020000000001", &e));
		assert_int_equal(e.cause, rows[i].cause);
		directory_entry_deinit(&e);
		go(&p);
	}
}

static void why_it_came_back_is_told_in_words(void **state)
{
	static const struct {
		const char *lines, *why;
	} rows[] = {
		{"Reason: SIP;cause=200;text=\"cisco-alarm:106 Name=x "
		 "Last=tls-error\"\r\n",
			"cisco-alarm 106 tls-error: TLS failed: look at its "
			"certificate and trust list"},
		{"Reason: Initialized\r\n", "Initialized"},
		{"Reason: SIP;text=\"cisco-alarm:9 Last=new-word\"\r\n",
			"cisco-alarm 9 new-word"},
	};
	for (size_t i = 0; i < 3; i++) {
		struct phone p;
		struct directory_entry e;
		come(&p, "192.0.2.1", CISCO);
		assert_int_equal(enter(&p, rows[i].lines), 200);
		assert_true(
			directory_find(world.directory, "SEP020000000001", &e));
		assert_string_equal(e.came_back, rows[i].why);
		directory_entry_deinit(&e);
		go(&p);
	}
}

static void an_alarm_before_register_says_why_too(void **state)
{
	struct phone p;
	struct directory_entry e;
	come(&p, "192.0.2.1", CISCO);
	assert_int_equal(
		ask(&p, "REFER", "sip:h",
			"Refer-To: cid:1\r\n"
			"Content-Type: application/x-cisco-alarm+xml\r\n"
			"Content-Length: 98\r\n\r\n"
			"<x-cisco-alarm><Alarm "
			"Name=\"LastOutOfServiceInformatio"
			"n\"><Enum name=\"Reason\">14</Enum></Alarm></x>"),
		202);
	assert_int_equal(enter(&p, ""), 200);
	assert_true(directory_find(world.directory, "SEP020000000001", &e));
	assert_string_equal(e.came_back, "Reason=14");
	directory_entry_deinit(&e);
	go(&p);
}

static void a_soft_client_is_told_of_another_until_it_insists(void **state)
{
	static const char zero[] =
		"<sip:a@192.0.2.1>;+sip.instance=\"<urn:uuid:00000000-0000-"
		"0000-0000-000000000000>\";+u.sip!devicename.ccm.cisco.com="
		"\"CSFANN\"";
	static const char own[] =
		"<sip:a@192.0.2.2>;+sip.instance=\"<urn:uuid:f81d4fae-7dec-"
		"11d0-a765-00a0c91e6bf6>\";+u.sip!devicename.ccm.cisco.com="
		"\"CSFANN\"";
	static const char asks[] = "Supported: X-cisco-duplicate-reg\r\n";
	struct phone first, same, second;
	come(&first, "192.0.2.1", zero);
	come(&same, "192.0.2.1", zero);
	come(&second, "192.0.2.2", zero);
	assert_int_equal(enter(&first, asks), 200);
	assert_int_equal(enter(&second, asks), 403);
	assert_non_null(strstr(second.said,
		"Warning: 399 dialtone \"Registration is active for another "
		"client\""));
	/* From the same address it is the same one, come back. */
	assert_int_equal(enter(&same, asks), 200);
	second.contact = own;
	/* Over TCP only a silent one makes room for another address. */
	now.mono_ms += 399000;
	assert_int_equal(enter(&second, asks), 200);
	go(&first);
	go(&same);
	go(&second);
}

static void redirects_to_who_is_registered(void **state)
{
	struct phone a, b, stranger;
	come(&a, "192.0.2.1", CISCO);
	come(&b, "192.0.2.2",
		"<sip:b1@192.0.2.2>;q=0.3, <sip:b2@192.0.2.2>;q=0.9"
		";+sip.instance=\"<urn:uuid:2>\"");
	come(&stranger, "192.0.2.3", "");
	b.user = "SEP020000000002";
	assert_int_equal(enter(&a, BULK), 200);
	assert_int_equal(enter(&b, "Supported: gruu\r\n"), 200);
	char temporary[64] = "", uri[96];
	const char *at = strstr(b.said, "temp-gruu=\"sip:");
	assert_non_null(at);
	sscanf(at, "temp-gruu=\"%63[^@]", temporary);
	assert_int_equal(
		ask(&a, "INVITE", "sip:SEP020000000002@H;user=phone", ""), 302);
	const char *best = strstr(
		a.said, "Contact: <sip:b2@192.0.2.2>;q=0.900;expires=120\r\n");
	assert_non_null(best);
	assert_non_null(strstr(
		best, "Contact: <sip:b1@192.0.2.2>;q=0.300;expires=120\r\n"));
	/* By a name for that phone alone, for good and for now. */
	assert_int_equal(
		ask(&a, "INVITE", "sip:SEP020000000002@h;gr=urn:uuid:2", ""),
		302);
	assert_null(strstr(a.said, "b1@"));
	snprintf(uri, sizeof(uri), "%s@h;gr", temporary);
	assert_int_equal(ask(&a, "INVITE", uri, ""), 302);
	assert_non_null(strstr(a.said, "b2@"));
	assert_null(strstr(a.said, "b1@"));
	assert_int_equal(
		ask(&a, "INVITE", "sip:tg.AAAAAAAAAAAAAAAAAAAAAA@h;gr", ""),
		404);
	assert_int_equal(
		ask(&a, "INVITE", "sip:SEP020000000002@h;gr=urn:uuid:3", ""),
		480);
	assert_int_equal(ask(&b, "INVITE", "sip:3@h", ""), 302);
	assert_int_equal(ask(&b, "INVITE", "sip:4@h", ""), 404);
	assert_int_equal(ask(&stranger, "INVITE", "sip:9@h", ""), 403);
	go(&a);
	assert_int_equal(ask(&b, "INVITE", "sip:9@h", ""), 404);
	go(&b);
	go(&stranger);
}

static void contacts_of_others_are_listed_too(void **state)
{
	struct phone a, b;
	come(&a, "192.0.2.1", CISCO);
	come(&b, "192.0.2.2",
		"<sip:b@192.0.2.2>;+sip.instance=\"<urn:uuid:00000000-0000-"
		"0000-0000-020000000003>\"");
	b.user = "1"; /* a shared line */
	assert_int_equal(enter(&a, BULK), 200);
	assert_int_equal(enter(&b, ""), 200);
	assert_non_null(strstr(b.said, "\r\nContact: <sip:b@192.0.2.2>"));
	assert_non_null(strstr(b.said, "\r\nContact: <sip:u@192.0.2.1:50001>"));
	assert_int_equal(found("1@h"), 2);
	/* A Cisco phone looks for its own alone. */
	assert_int_equal(enter(&a, ""), 200);
	assert_null(strstr(a.said, "sip:b@"));
	go(&a);
	go(&b);
}

/* A Contact of RFC 5626 of the second phone. */
#define FLOW(reg_id)                                                          \
	"<sip:f@192.0.2.2;ob>;reg-id=" reg_id ";+sip.instance=\"<urn:uuid:00" \
	"000000-0000-0000-0000-020000000002>\""

static void a_phone_may_keep_several_flows(void **state)
{
	static const char outbound[] = "Supported: path, outbound\r\n";
	struct phone first, second, again, third;
	come(&first, "192.0.2.2", FLOW("1"));
	come(&second, "192.0.2.2", FLOW("2"));
	come(&again, "192.0.2.2", FLOW("2"));
	come(&third, "192.0.2.2", FLOW("1"));
	displaced = (struct conn_ref){0};
	assert_int_equal(enter(&first, outbound), 200);
	assert_non_null(strstr(first.said, "\r\nRequire: outbound\r\n"));
	assert_int_equal(enter(&second, outbound), 200);
	assert_int_equal(found("9@h"), 2);
	assert_int_equal(displaced.id, 0);
	assert_int_equal(enter(&second, outbound), 200);
	assert_int_equal(displaced.id, 0);
	/* A flow that comes anew ends the one of its own reg-id alone. */
	assert_int_equal(enter(&again, outbound), 200);
	assert_int_equal(displaced.id, second.peer.ref.id);
	go(&second);
	assert_int_equal(found("9@h"), 2);
	assert_int_equal(enter(&third, outbound), 200);
	assert_int_equal(displaced.id, first.peer.ref.id);
	go(&first);
	assert_int_equal(found("9@h"), 2);
	go(&third);
	/* The last one takes the registration over when it refreshes. */
	assert_false(service_is_here(&world, "SEP020000000002"));
	assert_int_equal(enter(&again, outbound), 200);
	assert_true(service_is_here(&world, "SEP020000000002"));
	go(&again);
	assert_int_equal(found("9@h"), 0);
}

static void a_malformed_register_is_told_once(void **state)
{
	struct phone p;
	size_t n;
	come(&p, "192.0.2.1", "<sip:a@b>;q=2");
	assert_int_equal(enter(&p, ""), 400);
	struct failure *list = failures_list(world.failures, &n);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].rule, "malformed-register");
	assert_int_equal(list[0].code, REASON_FAILURE_MALFORMED);
	assert_non_null(strstr(list[0].why, "400: q is not a number"));
	free(list);
	/* What ends the connection is one refusal, too. */
	say(&p, "REGISTER sip:h SIP/2.0\r\nContent-Length: x\r\n\r\n");
	assert_non_null(service_sip.ended(p.self));
	list = failures_list(world.failures, &n);
	assert_int_equal(n, 2);
	free(list);
	go(&p);
}

static void via_says_where_it_came_from(void **state)
{
	struct phone p;
	come(&p, "192.0.2.1", CISCO);
	say(&p, "OPTIONS sip:h SIP/2.0\r\n"
		"Via: SIP/2.0/TCP 10.0.0.1;rport;branch=z9hG4bKx\r\n"
		"From: <sip:9@h>;tag=t\r\nTo: <sip:9@h>\r\nCall-ID: c\r\n"
		"Max-Forwards: 70\r\nCSeq: 1 OPTIONS\r\n"
		"Content-Length: 0\r\n\r\n");
	assert_non_null(strstr(p.said,
		"Via: SIP/2.0/TCP 10.0.0.1;rport=50001;branch=z9hG4bKx;"
		"received=192.0.2.1\r\n"));
	go(&p);
}

/* ---- digest ---- */

static const char PASSWORD[] =
	"<sip:u@192.0.2.1:50001>;+u.sip!devicename.ccm.cisco.com="
	"\"SEP0200000000D1\"";

static void hex(char *dst, const uint8_t *md, size_t n)
{
	for (size_t i = 0; i < n; i++)
		snprintf(dst + 2 * i, 3, "%02x", md[i]);
}

/* Answers the challenge of the last answer. */
static int authorize(struct phone *p, enum sip_algorithm algorithm,
	const char *password, const char *nonce, unsigned count)
{
	size_t n = algorithm == SIP_ALGORITHM_MD5 ? 16 : 32;
	uint8_t md[DIGEST_HA1_MAX];
	char ha1[65], ha2[65], response[65], middle[256], line[1024];
	digest_ha1(algorithm, "ann", "lab.test", password, md);
	hex(ha1, md, n);
	digest_ha1(algorithm, "REGISTER", "sip", "h", md);
	hex(ha2, md, n);
	snprintf(middle, sizeof(middle), "%s:%08x:cn:auth", nonce, count);
	digest_ha1(algorithm, ha1, middle, ha2, md);
	hex(response, md, n);
	snprintf(line, sizeof(line),
		"Authorization: Digest username=\"ann\",realm=\"lab.test\","
		"nonce=\"%s\",uri=\"sip:h\",response=\"%s\",algorithm=%s,"
		"cnonce=\"cn\",nc=%08x,qop=auth\r\n",
		nonce, response, sip_algorithm_name(algorithm), count);
	return enter(p, line);
}

static void nonce_of(const struct phone *p, char nonce[DIGEST_NONCE_SIZE])
{
	const char *at = strstr(p->said, "nonce=\"");
	assert_non_null(at);
	snprintf(nonce, DIGEST_NONCE_SIZE, "%s", at + 7);
}

static void digest_lets_in_who_knows_the_password(void **state)
{
	for (int i = 0; i < SIP_ALGORITHMS; i++) {
		enum sip_algorithm algorithm = (enum sip_algorithm)i;
		char nonce[DIGEST_NONCE_SIZE];
		struct phone p;
		come(&p, "192.0.2.1", PASSWORD);
		assert_int_equal(enter(&p, ""), 401);
		const char *first = strstr(p.said, "algorithm=SHA-256");
		assert_non_null(first);
		assert_non_null(strstr(first, "algorithm=MD5"));
		assert_null(strstr(p.said, "stale"));
		nonce_of(&p, nonce);
		assert_int_equal(
			authorize(&p, algorithm, "wrong", nonce, 1), 401);
		assert_null(strstr(p.said, "stale"));
		assert_int_equal(found("9@h"), 0);
		assert_int_equal(
			authorize(&p, algorithm, "secret", nonce, 1), 200);
		assert_int_equal(found("9@h"), 1);
		/* The same again is a replay. */
		assert_int_equal(
			authorize(&p, algorithm, "secret", nonce, 1), 401);
		assert_non_null(strstr(p.said, "stale=true"));
		assert_int_equal(
			authorize(&p, algorithm, "secret", nonce, 2), 200);
		/* It lives for 600 s, through refreshes. */
		for (unsigned k = 3; k < 9; k++) {
			now.mono_ms += 100000;
			assert_int_equal(
				authorize(&p, algorithm, "secret", nonce, k),
				200);
		}
		now.mono_ms++;
		assert_int_equal(
			authorize(&p, algorithm, "secret", nonce, 9), 401);
		assert_non_null(strstr(p.said, "stale=true"));
		nonce_of(&p, nonce);
		assert_int_equal(
			authorize(&p, algorithm, "secret", nonce, 1), 200);
		go(&p);
	}
}

/* Whoever knows a phone's address can send in its name. */
static void no_forged_datagram_ends_a_registration(void **state)
{
	char nonce[DIGEST_NONCE_SIZE];
	struct phone p;
	come(&p, "192.0.2.1", PASSWORD);
	p.peer.udp = true;
	assert_int_equal(enter(&p, ""), 401);
	nonce_of(&p, nonce);
	assert_int_equal(
		authorize(&p, SIP_ALGORITHM_MD5, "secret", nonce, 1), 200);
	for (unsigned i = 2; i < 300; i++)
		assert_int_equal(
			authorize(&p, SIP_ALGORITHM_MD5, "wrong", nonce, i),
			401);
	assert_null(service_sip.ended(p.self));
	assert_int_equal(found("9@h"), 1);
	assert_int_equal(
		authorize(&p, SIP_ALGORITHM_MD5, "secret", nonce, 300), 200);
	go(&p);
}

static void what_is_answered_is_counted(void **state)
{
	char nonce[DIGEST_NONCE_SIZE];
	struct phone p;
	meters = (struct meters){0};
	come(&p, "192.0.2.1", PASSWORD);
	assert_int_equal(enter(&p, ""), 401);
	nonce_of(&p, nonce);
	assert_int_equal(
		authorize(&p, SIP_ALGORITHM_MD5, "wrong", nonce, 1), 401);
	assert_int_equal(
		authorize(&p, SIP_ALGORITHM_MD5, "secret", nonce, 2), 200);
	go(&p);
	assert_int_equal(meters.counts[METERS_DIGEST_FAILURES], 1);
	assert_int_equal(meters.counts[METERS_DIGEST_CHALLENGES], 2);
	assert_int_equal(meters.sip_answers[4], 2);
	assert_int_equal(meters.sip_answers[2], 1);
}

static void what_was_overheard_is_of_no_use_elsewhere(void **state)
{
	char nonce[DIGEST_NONCE_SIZE];
	struct phone p, thief;
	come(&p, "192.0.2.1", PASSWORD);
	come(&thief, "192.0.2.9", PASSWORD);
	assert_int_equal(enter(&p, ""), 401);
	nonce_of(&p, nonce);
	assert_int_equal(
		authorize(&thief, SIP_ALGORITHM_SHA256, "secret", nonce, 1),
		401);
	go(&p);
	go(&thief);
}

static void guessing_ends_after_some_tries(void **state)
{
	char nonce[DIGEST_NONCE_SIZE];
	struct phone p;
	come(&p, "192.0.2.1", PASSWORD);
	assert_int_equal(enter(&p, ""), 401);
	nonce_of(&p, nonce);
	for (unsigned i = 1; i < 6; i++)
		assert_int_equal(
			authorize(&p, SIP_ALGORITHM_MD5, "guess", nonce, i),
			401);
	assert_int_equal(
		authorize(&p, SIP_ALGORITHM_MD5, "guess", nonce, 6), 403);
	assert_non_null(service_sip.ended(p.self));
	/* What came in the same segment is not looked at. */
	assert_int_equal(
		authorize(&p, SIP_ALGORITHM_MD5, "secret", nonce, 7), 0);
	assert_false(service_is_here(&world, "SEP0200000000D1"));
	go(&p);
}

static void who_is_taken_out_while_it_registers_is_not_let_in(void **state)
{
	struct directory_entry entry, found = {.device = NULL};
	struct admit_verdict verdict;
	enum directory_result result;
	struct phone p;
	come(&p, "192.0.2.1", PASSWORD);
	/* It was there when it was admitted. */
	service_entry(&entry, &p.peer, "SEP0200000000D9", &now);
	assert_false(
		service_register(&world, &p.peer, &entry, &result, &verdict));
	assert_string_equal(verdict.rule, "unknown-device");
	assert_true(directory_find(world.directory, entry.device, &found));
	assert_false(found.registered);
	directory_entry_deinit(&found);
	go(&p);
}

static void a_stranger_without_a_name_is_asked_for_one(void **state)
{
	struct phone p;
	come(&p, "192.0.2.1", "<sip:x@192.0.2.1>");
	p.user = "700";
	assert_int_equal(enter(&p, ""), 401);
	/* What a Contact names is judged at once. */
	p.contact = "<sip:x@192.0.2.1>;+u.sip!devicename.ccm.cisco.com="
		    "\"SEP0200000000FF\"";
	assert_int_equal(enter(&p, ""), 403);
	/* The user of the digest is the device, where it is one. */
	p.contact = "<sip:x@192.0.2.1>";
	assert_int_equal(
		enter(&p, "Authorization: Digest username=\"softphone\","
			  "realm=\"lab.test\",nonce=\"x\",uri=\"sip:h\","
			  "response=\"0123456789abcdef0123456789abcdef\"\r\n"),
		200);
	assert_true(service_is_here(&world, "softphone"));
	go(&p);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define SECRET(name) \
	cmocka_unit_test_setup_teardown(name, setup_password, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FACT(bulk_registers_every_line_at_once),
		FACT(a_refresh_of_a_lost_registration_is_partial),
		FACT(lines_can_come_one_by_one),
		FACT(a_line_of_somebody_else_is_refused),
		FACT(an_order_reaches_the_phone_of_the_registration),
		FACT(why_it_came_back_is_told_in_words),
		FACT(an_alarm_before_register_says_why_too),
		FACT(a_soft_client_is_told_of_another_until_it_insists),
		FACT(redirects_to_who_is_registered),
		FACT(contacts_of_others_are_listed_too),
		FACT(a_phone_may_keep_several_flows),
		FACT(a_malformed_register_is_told_once),
		FACT(via_says_where_it_came_from),
		SECRET(digest_lets_in_who_knows_the_password),
		SECRET(what_is_answered_is_counted),
		SECRET(no_forged_datagram_ends_a_registration),
		SECRET(what_was_overheard_is_of_no_use_elsewhere),
		SECRET(guessing_ends_after_some_tries),
		FACT(who_is_taken_out_while_it_registers_is_not_let_in),
		FACT(a_stranger_without_a_name_is_asked_for_one),
	};
	sip_message_setup();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name(
		"sip-service", tests, make_folder, remove_folder);
}

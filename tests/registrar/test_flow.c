/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about flows, with real datagrams and a service that says a NOTIFY. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocols/bytes.h"
#include "registrar/memory.h"
#include "registrar/net/flow.h"
#include "registrar/net/socket.h"

enum { TEXT_MAX = 4096, PATIENCE_MS = 10000, FAILURES = 100 };

static const char ANSWER[] = "SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n";
static const char ORDER[] = "NOTIFY sip:a@x SIP/2.0\r\n"
			    "Via: SIP/2.0/TCP node;branch=z9hG4bKn\r\n"
			    "From: <sip:x>;tag=1\r\n"
			    "To: <sip:a@x>\r\n"
			    "Call-ID: n\r\n"
			    "CSeq: 1 NOTIFY\r\n"
			    "Content-Length: 0\r\n\r\n";
static const char ORDER_ANSWER[] = "SIP/2.0 200 OK\r\n"
				   "Via: SIP/2.0/UDP %s;branch=z9hG4bKn\r\n"
				   "From: <sip:x>;tag=1\r\n"
				   "To: <sip:a@x>;tag=2\r\n"
				   "Call-ID: n\r\n"
				   "CSeq: 1 NOTIFY\r\n"
				   "Content-Length: 0\r\n\r\n";

/* ---- a service: it answers all, registers, and gives orders ---- */

struct session {
	struct seat seat;
	struct bytes_queue out;
	size_t fed; /* messages */
};

static struct session *last;

static void init(void *self, const struct service_world *world,
	const struct peer *peer, const struct moment *now)
{
	struct session *s = self;
	service_sit(&s->seat, world, peer);
	bytes_queue_init(&s->out, TEXT_MAX);
	last = s;
}

static void feed(
	void *self, const void *data, size_t n, const struct moment *now)
{
	struct session *s = self;
	s->fed++;
	if (memcmp(data, "REGISTER", 8) == 0)
		strcpy(s->seat.device, "SEP1");
	if (memcmp(data, "BYE", 3) == 0)
		s->seat.ended = "told to";
	if (memcmp(data, "SIP/", 4) != 0)
		bytes_queue_put(&s->out, ANSWER, sizeof(ANSWER) - 1);
}

static void tick(void *self, const struct moment *now)
{
}

static const uint8_t *out(const void *self, size_t *n)
{
	const struct session *s = self;
	return bytes_queue_peek(&s->out, n);
}

static void sent(void *self, size_t n)
{
	struct session *s = self;
	bytes_queue_drop(&s->out, n);
}

static uint64_t deadline(const void *self)
{
	return MOMENT_NEVER;
}

static void order(void *self, enum phone_order what, const struct moment *now)
{
	struct session *s = self;
	bytes_queue_put(&s->out, ORDER, sizeof(ORDER) - 1);
}

static void leave(void *self, enum reason_unreg cause, const struct moment *now)
{
}

static void deinit(void *self)
{
	struct session *s = self;
	bytes_queue_deinit(&s->out);
}

static const struct service service = {
	.protocol = CONFIG_SIP,
	.size = sizeof(struct session),
	.init = init,
	.feed = feed,
	.tick = tick,
	.out = out,
	.sent = sent,
	.deadline = deadline,
	.order = order,
	.ended = service_ended,
	.leave = leave,
	.deinit = deinit,
};

/* ---- a worker without threads ---- */

struct place {
	uv_loop_t loop;
	struct clock clock;
	struct config *config;
	struct service_world world;
	struct conn_counters counters;
	struct limits *limits;
	struct conn_host host;
	struct flows *flows;
	struct flow *flow; /* the last that came */
	uint64_t ids;
	int phone;
	char sent_by[32]; /* the flows' socket */
};

static void opened(void *self, const struct peer *peer)
{
	struct place *p = self;
	limits_opened(p->limits, peer->address, true);
}

static void gone(void *self, struct conn_ref ref)
{
	struct place *p = self;
	p->flow = NULL;
	limits_leave(p->limits);
}

static bool room(void *self)
{
	struct place *p = self;
	return limits_room(p->limits);
}

static struct conn_ref came(void *self, struct flow *f)
{
	struct place *p = self;
	p->flow = f;
	return (struct conn_ref){0, ++p->ids};
}

static void open_phone(struct place *p, uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	p->phone = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(
		connect(p->phone, (struct sockaddr *)&to, sizeof(to)), 0);
}

static void setup(struct place *p, uint32_t idle_max)
{
	uint16_t port = 0;
	int fd;
	struct diag d = {.text = ""};
	*p = (struct place){0};
	uv_loop_init(&p->loop);
	assert_int_equal(config_load(NULL, "/tmp", &p->config, &d), 0);
	p->world.config = p->config;
	p->world.failures = failures_new(FAILURES, FAILURES);
	p->limits = limits_new(100, 100, 100);
	service_limits_init(&p->world.limits, p->config);
	p->host = (struct conn_host){
		.loop = &p->loop,
		.clock = &p->clock,
		.world = &p->world,
		.counters = &p->counters,
		.opened = opened,
		.gone = gone,
		.self = p,
	};
	const struct flow_host host = {.conn = &p->host,
		.limits = p->limits,
		.idle_max = idle_max,
		.room = room,
		.came = came};
	p->flows = flows_new(&host);
	assert_int_equal(
		socket_open_shared(SOCK_DGRAM, "127.0.0.1", &port, &fd, 1, &d),
		0);
	assert_int_equal(flows_listen(p->flows, &service, fd, &d), 0);
	snprintf(p->sent_by, sizeof(p->sent_by), "127.0.0.1:%u", port);
	open_phone(p, port);
}

static void teardown(struct place *p)
{
	close(p->phone);
	flows_end(p->flows, REASON_UNREG_CALLMANAGER_RESTART);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&p->loop), 0);
	flows_free(p->flows);
	struct limits_counts left = limits_count(p->limits);
	assert_int_equal(left.connections, 0);
	assert_int_equal(left.half_open, 0);
	assert_int_equal(p->counters.flows, p->counters.flows_closed);
	limits_free(p->limits);
	failures_free(p->world.failures);
	config_free(p->config);
}

/* ---- talk ---- */

static void say(const struct place *p, const char *text)
{
	assert_int_equal(send(p->phone, text, strlen(text), 0), strlen(text));
}

/* A request of that method, one of many by its number. */
static void request(const struct place *p, const char *method, unsigned number)
{
	char text[TEXT_MAX];
	snprintf(text, sizeof(text),
		"%s sip:x SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK%u\r\n"
		"Call-ID: c\r\nCSeq: %u %s\r\n\r\n",
		method, number, number, method);
	say(p, text);
}

/* Runs the loop until the phone hears something; how many ms that took. */
static uint64_t hear(struct place *p, char text[TEXT_MAX])
{
	struct pollfd heard = {.fd = p->phone, .events = POLLIN};
	uint64_t start = uv_hrtime();
	while (poll(&heard, 1, 0) == 0) {
		assert_true(uv_hrtime() - start < PATIENCE_MS * 1000000ull);
		uv_run(&p->loop, UV_RUN_ONCE);
	}
	ssize_t n = recv(p->phone, text, TEXT_MAX - 1, 0);
	assert_true(n > 0);
	text[n] = '\0';
	return (uv_hrtime() - start) / 1000000;
}

/* Runs the loop until that counter stands at n. */
static void run_until(struct place *p, const uint64_t *counter, uint64_t n)
{
	uint64_t start = uv_hrtime();
	while (*counter < n) {
		assert_true(uv_hrtime() - start < PATIENCE_MS * 1000000ull);
		uv_run(&p->loop, UV_RUN_ONCE);
	}
}

/* ---- facts ---- */

static void a_retransmission_does_not_reach_the_service(void **state)
{
	struct place p;
	char first[TEXT_MAX], again[TEXT_MAX];
	setup(&p, 10);
	request(&p, "OPTIONS", 1);
	hear(&p, first);
	request(&p, "OPTIONS", 1);
	hear(&p, again);
	assert_string_equal(first, again);
	assert_int_equal(last->fed, 1);
	assert_int_equal(p.counters.datagrams_repeated, 1);
	teardown(&p);
}

static void an_order_is_repeated_until_it_is_answered(void **state)
{
	struct place p;
	char text[TEXT_MAX], again[TEXT_MAX], via[TEXT_MAX];
	setup(&p, 10);
	request(&p, "REGISTER", 1);
	hear(&p, text);
	flow_order(p.flow, PHONE_RESET);
	hear(&p, text);
	snprintf(via, sizeof(via),
		"Via: SIP/2.0/UDP %s;branch=z9hG4bKn;rport\r\n", p.sent_by);
	assert_non_null(strstr(text, via));
	uint64_t took = hear(&p, again);
	assert_string_equal(text, again);
	assert_true(took >= 400);
	took = hear(&p, again); /* twice as long the next time */
	assert_string_equal(text, again);
	assert_true(took >= 900);
	snprintf(again, sizeof(again), ORDER_ANSWER, p.sent_by);
	say(&p, again);
	say(&p, again); /* it may come twice, but is told once */
	run_until(&p, &p.counters.datagrams_in, 3);
	assert_int_equal(last->fed, 2);
	assert_int_equal(p.counters.datagrams_ignored, 1);
	teardown(&p);
}

static void the_longest_silent_makes_room(void **state)
{
	struct place p;
	char text[TEXT_MAX];
	setup(&p, 1);
	request(&p, "OPTIONS", 1);
	hear(&p, text);
	int first = p.phone;
	open_phone(&p, (uint16_t)strtoul(strchr(p.sent_by, ':') + 1, NULL, 10));
	request(&p, "REGISTER", 2);
	hear(&p, text);
	assert_int_equal(p.counters.flows, 2);
	assert_int_equal(p.counters.flows_closed, 1);
	close(first);
	teardown(&p);
}

static void a_service_may_end_its_flow(void **state)
{
	struct place p;
	char text[TEXT_MAX];
	setup(&p, 10);
	request(&p, "BYE", 1);
	hear(&p, text); /* what was said is sent first */
	assert_string_equal(text, ANSWER);
	assert_int_equal(p.counters.flows_closed, 1);
	teardown(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_retransmission_does_not_reach_the_service),
		cmocka_unit_test(an_order_is_repeated_until_it_is_answered),
		cmocka_unit_test(the_longest_silent_makes_room),
		cmocka_unit_test(a_service_may_end_its_flow),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about admission, with real sockets over loopback. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "registrar/log.h"
#include "registrar/net/address.h"
#include "registrar/net/admission.h"

enum {
	NOW = 1000000,
	PATIENCE_MS = 60000, /* real silence counts too: never that long */
	MAX = 2,	     /* handshakes */
	CLIENTS = 16,
};

struct stage {
	struct config *config;
	struct resume resume;
	struct limits *limits;
	struct overload *overload;
	struct overload_part part;
	struct admission a;
	int listener;
	struct sockaddr_storage at;
	socklen_t n_at;
	int client[CLIENTS], server[CLIENTS];
	int n;
	size_t descriptors;
};

static size_t descriptors(void)
{
	size_t n = 0;
	DIR *dir = opendir("/proc/self/fd");
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void open_stage(struct stage *s, uint32_t waiting)
{
	struct sockaddr_in any = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct diag d;
	log_setup(LOG_TEXT, LOG_ERROR);
	s->descriptors = descriptors();
	assert_int_equal(config_load(NULL, ".", &s->config, &d), 0);
	s->config->handshakes_max = MAX;
	s->config->waiting_max = waiting;
	s->config->patience_ms = PATIENCE_MS;
	assert_int_equal(ticket_keys_open(NULL, &s->resume.keys, &d), 0);
	assert_int_equal(session_cache_open(NULL, 64, &s->resume.cache, &d), 0);
	s->limits = limits_new(1000, 1000, 1000);
	s->overload = overload_new(s->config);
	overload_join(s->overload, &s->part);
	admission_init(&s->a, s->config, 1, &s->resume, s->limits, &s->part);
	s->listener = socket(AF_INET, SOCK_STREAM, 0);
	s->n_at = sizeof(any);
	memcpy(&s->at, &any, sizeof(any));
	assert_int_equal(
		bind(s->listener, (struct sockaddr *)&s->at, s->n_at), 0);
	assert_int_equal(listen(s->listener, CLIENTS), 0);
	getsockname(s->listener, (struct sockaddr *)&s->at, &s->n_at);
}

/* Nothing is left behind: no descriptor and no count. */
static void close_stage(struct stage *s)
{
	admission_deinit(&s->a);
	for (int i = 0; i < s->n; i++)
		close(s->client[i]);
	close(s->listener);
	overload_free(s->overload);
	ticket_keys_free(s->resume.keys);
	session_cache_close(s->resume.cache);
	config_free(s->config);
	assert_int_equal(limits_count(s->limits).connections, 0);
	assert_int_equal(limits_count(s->limits).half_open, 0);
	limits_free(s->limits);
	assert_int_equal(descriptors(), s->descriptors);
}

/* A client that sent these bytes waits; answers its number. */
static int arrive(struct stage *s, const void *hello, size_t n, const char *as,
	uint64_t now_ms)
{
	int i = s->n++;
	struct in6_addr address;
	char text[PEER_ADDRESS_MAX];
	s->client[i] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(
		connect(s->client[i], (struct sockaddr *)&s->at, s->n_at), 0);
	assert_int_equal(send(s->client[i], hello, n, 0), n);
	s->server[i] = accept(s->listener, NULL, NULL);
	struct pollfd there = {.fd = s->server[i], .events = POLLIN};
	if (n)
		assert_int_equal(poll(&there, 1, 10000), 1);
	struct sockaddr_storage from = {.ss_family = AF_INET};
	inet_pton(AF_INET, as, &((struct sockaddr_in *)&from)->sin_addr);
	address = address_pack(&from);
	address_text(&address, text);
	assert_string_equal(text, as);
	assert_true(limits_enter(s->limits, text, false));
	admission_wait(&s->a, s->server[i], NULL, &address, now_ms);
	return i;
}

static int stranger(struct stage *s, const char *as, uint64_t now_ms)
{
	return arrive(s, "\x16\x03\x01", 3, as, now_ms);
}

/* The next one's number; it is served: closed. -1: nobody. */
static int served(struct stage *s, bool idle, uint64_t now_ms)
{
	struct room_guest guest;
	char text[PEER_ADDRESS_MAX];
	if (!admission_next(&s->a, idle, now_ms, &guest))
		return -1;
	admission_started(&s->a);
	address_text(&guest.address, text);
	limits_opened(s->limits, text, false);
	limits_leave(s->limits);
	close(guest.fd);
	for (int i = 0; i < s->n; i++)
		if (s->server[i] == guest.fd)
			return i;
	fail_msg("descriptor %d is nobody's", guest.fd);
	return -1;
}

static bool was_reset(const struct stage *s, int i)
{
	char byte;
	return recv(s->client[i], &byte, 1, 0) < 0 && errno == ECONNRESET;
}

/* A TLS 1.2 hello with this session id and this ticket. */
static size_t write_hello(uint8_t hello[512], const uint8_t *id, size_t n_id,
	const uint8_t *ticket, size_t n_ticket)
{
	size_t extension = n_ticket ? 4 + n_ticket : 0;
	size_t body = 2 + 32 + 1 + n_id + 4 + 2 + 2 + extension;
	const uint8_t head[] = {22, 3, 1, (uint8_t)((body + 4) >> 8),
		(uint8_t)(body + 4), 1, 0, (uint8_t)(body >> 8), (uint8_t)body,
		3, 3};
	const uint8_t suites[] = {0, 2, 0, 0x2f, 1, 0,
		(uint8_t)(extension >> 8), (uint8_t)extension, 0, 35,
		(uint8_t)(n_ticket >> 8), (uint8_t)n_ticket};
	uint8_t *p = hello;
	memcpy(p, head, sizeof(head));
	p += sizeof(head);
	memset(p, 0xee, 32);
	p += 32;
	*p++ = (uint8_t)n_id;
	memcpy(p, id, n_id);
	p += n_id;
	memcpy(p, suites, n_ticket ? 12 : 8);
	p += n_ticket ? 12 : 8;
	for (size_t i = 0; i < n_ticket; i++)
		*p++ = ticket[i];
	return (size_t)(p - hello);
}

static void at_once_until_the_limit_and_while_nobody_waits(void **state)
{
	struct stage s = {0};
	open_stage(&s, 8);
	assert_true(admission_at_once(&s.a));
	admission_started(&s.a);
	assert_true(admission_at_once(&s.a));
	admission_started(&s.a);
	assert_false(admission_at_once(&s.a));
	stranger(&s, "192.0.2.1", NOW);
	admission_ended(&s.a);
	assert_false(admission_at_once(&s.a)); /* others came before */
	assert_int_equal(served(&s, false, NOW), 0);
	admission_ended(&s.a);
	assert_true(admission_at_once(&s.a));
	close_stage(&s);
}

static void beyond_the_limit_only_an_idle_worker_begins_more(void **state)
{
	struct stage s = {0};
	open_stage(&s, 8);
	for (int i = 0; i < 4; i++)
		stranger(&s, "192.0.2.1", NOW);
	assert_int_equal(served(&s, false, NOW), 0);
	assert_int_equal(served(&s, false, NOW), 1);
	assert_int_equal(served(&s, false, NOW), -1);
	assert_int_equal(served(&s, true, NOW), 2);
	assert_int_equal(served(&s, false, NOW), -1);
	assert_int_equal(s.part.figures.in_progress, 3);
	assert_int_equal(s.part.figures.strangers, 1);
	assert_int_equal(s.part.figures.waited_strangers, 3);
	close_stage(&s);
}

static void sessions_of_ours_come_first_and_others_do_not(void **state)
{
	struct stage s = {0};
	struct ticket_key key;
	uint8_t hello[512], ours[100] = {0}, foreign[100], id[32], other[32];
	open_stage(&s, 16);
	ticket_keys_seal(s.resume.keys, &key);
	memcpy(ours, key.name, sizeof(key.name));
	memset(foreign, 0x33, sizeof(foreign));
	memset(id, 0x44, sizeof(id));
	memset(other, 0x55, sizeof(other));
	session_cache_put(s.resume.cache,
		&(struct session_cache_entry){id, id, sizeof(id), 4, INT64_MAX},
		0);
	size_t n = write_hello(hello, other, 32, foreign, sizeof(foreign));
	int liar = arrive(&s, hello, n, "192.0.2.1", NOW);
	n = write_hello(hello, other, 0, ours, TICKET_KEY_NAME);
	int short_one = arrive(&s, hello, n, "192.0.2.1", NOW);
	int silent = arrive(&s, "", 0, "192.0.2.1", NOW);
	n = write_hello(hello, other, 32, ours, sizeof(ours));
	int ticket = arrive(&s, hello, n, "192.0.2.1", NOW);
	n = write_hello(hello, id, sizeof(id), NULL, 0);
	int by_id = arrive(&s, hello, n, "192.0.2.1", NOW);
	assert_int_equal(s.part.figures.resuming, 2);
	assert_int_equal(s.part.figures.strangers, 3);
	assert_int_equal(served(&s, true, NOW), ticket);
	assert_int_equal(served(&s, true, NOW), by_id);
	assert_int_equal(served(&s, true, NOW), liar);
	assert_int_equal(served(&s, true, NOW), short_one);
	assert_int_equal(served(&s, true, NOW), silent);
	assert_int_equal(s.part.figures.waited_resuming, 2);
	close_stage(&s);
}

static void who_has_gone_is_not_served(void **state)
{
	struct stage s = {0};
	open_stage(&s, 8);
	for (int i = 0; i < 3; i++)
		stranger(&s, "192.0.2.1", NOW);
	shutdown(s.client[0], SHUT_WR);
	struct pollfd end = {.fd = s.server[0], .events = POLLRDHUP};
	assert_int_equal(poll(&end, 1, 10000), 1);
	assert_int_equal(served(&s, false, NOW), 1);
	assert_int_equal(s.part.figures.gone, 1);
	assert_int_equal(s.part.figures.waited_strangers, 1);
	close_stage(&s);
}

static void who_waited_as_long_as_a_phone_would_is_reset(void **state)
{
	struct stage s = {0};
	open_stage(&s, 8);
	stranger(&s, "192.0.2.1", NOW);
	stranger(&s, "192.0.2.2", NOW + 2 * PATIENCE_MS);
	admission_tick(&s.a, 0, NOW + PATIENCE_MS - 1);
	assert_int_equal(s.part.figures.expired, 0);
	admission_tick(&s.a, 0, NOW + PATIENCE_MS + 1);
	assert_int_equal(s.part.figures.expired, 1);
	assert_true(was_reset(&s, 0));
	assert_int_equal(overload_state(s.overload), OVERLOAD_OVERLOAD);
	assert_int_equal(served(&s, false, NOW + 2 * PATIENCE_MS), 1);
	close_stage(&s);
}

static void a_wait_that_no_tick_saw_is_reported_once(void **state)
{
	struct stage s = {0};
	open_stage(&s, 8);
	s.a.longest_ms = s.config->wait_ms + 1; /* came, waited, was served */
	admission_tick(&s.a, 0, NOW);
	assert_int_equal(s.part.figures.oldest_ms, s.config->wait_ms + 1);
	assert_int_equal(overload_state(s.overload), OVERLOAD_OVERLOAD);
	admission_tick(&s.a, 0, NOW);
	assert_int_equal(s.part.figures.oldest_ms, 0);
	close_stage(&s);
}

static void who_is_too_late_when_its_turn_comes_is_reset(void **state)
{
	struct stage s = {0};
	open_stage(&s, 8);
	stranger(&s, "192.0.2.1", NOW);
	assert_int_equal(served(&s, false, NOW + PATIENCE_MS), -1);
	assert_int_equal(s.part.figures.expired, 1);
	assert_true(was_reset(&s, 0));
	close_stage(&s);
}

static void a_full_room_resets_the_heaviest_prefix(void **state)
{
	struct stage s = {0};
	open_stage(&s, 3);
	stranger(&s, "192.0.2.1", NOW);
	stranger(&s, "198.51.100.1", NOW);
	stranger(&s, "198.51.100.2", NOW);
	stranger(&s, "203.0.113.1", NOW);
	assert_int_equal(s.part.figures.room_full, 1);
	assert_true(was_reset(&s, 1));
	assert_int_equal(served(&s, true, NOW), 0);
	assert_int_equal(served(&s, true, NOW), 2);
	assert_int_equal(served(&s, true, NOW), 3);
	close_stage(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			at_once_until_the_limit_and_while_nobody_waits),
		cmocka_unit_test(
			beyond_the_limit_only_an_idle_worker_begins_more),
		cmocka_unit_test(sessions_of_ours_come_first_and_others_do_not),
		cmocka_unit_test(who_has_gone_is_not_served),
		cmocka_unit_test(who_waited_as_long_as_a_phone_would_is_reset),
		cmocka_unit_test(a_wait_that_no_tick_saw_is_reported_once),
		cmocka_unit_test(who_is_too_late_when_its_turn_comes_is_reset),
		cmocka_unit_test(a_full_room_resets_the_heaviest_prefix),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("admission", tests, NULL, NULL);
}

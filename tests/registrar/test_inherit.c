/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets that were handed over: which listener takes which. */
#include "registrar/net/inherit.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "registrar/net/socket.h"

#define SIP "dialtone-sip-tls"

enum { N = 4, MOST = 8 };

/* Two share a port, one has another, one is of UDP. */
struct given {
	struct inherit *in;
	int fds[N];
	uint16_t port, other, datagrams;
	const char *names[N];
};

static void open_shared(int type, uint16_t *port, int *fds, size_t n)
{
	struct diag d;
	*port = 0;
	assert_int_equal(
		socket_open_shared(type, "127.0.0.1", port, fds, n, &d), 0);
}

static int setup(void **state)
{
	static struct given g;
	g = (struct given){.names = {SIP, SIP, SIP, SIP}};
	open_shared(SOCK_STREAM, &g.port, g.fds, 2);
	open_shared(SOCK_STREAM, &g.other, g.fds + 2, 1);
	open_shared(SOCK_DGRAM, &g.datagrams, g.fds + 3, 1);
	g.in = inherit_new(g.fds, g.names, N);
	*state = &g;
	return 0;
}

/* What nobody took is closed; what was taken is ours. */
static int teardown(void **state)
{
	struct given *g = *state;
	inherit_free(g->in);
	for (size_t i = 0; i < N; i++)
		close(g->fds[i]);
	return 0;
}

static size_t take(struct given *g, const struct inherit_wanted *wanted,
	uint16_t *port, int *fds)
{
	return inherit_take(g->in, wanted, port, fds, MOST);
}

static void takes_all_of_its_name_and_place_once(void **state)
{
	struct given *g = *state;
	const struct inherit_wanted wanted = {
		SIP, SOCK_STREAM, "127.0.0.1", g->port};
	uint16_t port;
	int fds[MOST];
	assert_int_equal(take(g, &wanted, &port, fds), 2);
	assert_int_equal(port, g->port);
	assert_int_equal(fds[0], g->fds[0]);
	assert_int_equal(fds[1], g->fds[1]);
	assert_true(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	assert_int_equal(take(g, &wanted, &port, fds), 0);
}

static void takes_no_more_than_there_is_room_for(void **state)
{
	struct given *g = *state;
	const struct inherit_wanted wanted = {
		SIP, SOCK_STREAM, "127.0.0.1", g->port};
	uint16_t port;
	int fds[1];
	assert_int_equal(inherit_take(g->in, &wanted, &port, fds, 1), 1);
}

static void any_port_is_the_first_ones(void **state)
{
	struct given *g = *state;
	const struct inherit_wanted wanted = {SIP, SOCK_STREAM, "127.0.0.1", 0};
	uint16_t port;
	int fds[MOST];
	assert_int_equal(take(g, &wanted, &port, fds), 2);
	assert_int_equal(port, g->port);
	assert_int_equal(take(g, &wanted, &port, fds), 1);
	assert_int_equal(port, g->other);
}

static void leaves_what_differs_in_one_thing(void **state)
{
	struct given *g = *state;
	const struct inherit_wanted others[] = {
		{"dialtone-sip-tcp", SOCK_STREAM, "127.0.0.1", g->port},
		{SIP, SOCK_DGRAM, "127.0.0.1", g->port},
		{SIP, SOCK_STREAM, "127.0.0.2", g->port},
		{SIP, SOCK_STREAM, "::1", g->port},
		{SIP, SOCK_STREAM, "::", g->port},
	};
	uint16_t port;
	int fds[MOST];
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(take(g, &others[i], &port, fds), 0);
		assert_int_equal(port, g->port);
	}
}

static void what_nobody_took_is_closed(void **state)
{
	struct given *g = *state;
	const struct inherit_wanted wanted = {
		SIP, SOCK_DGRAM, "127.0.0.1", g->datagrams};
	uint16_t port;
	int fds[MOST];
	assert_int_equal(take(g, &wanted, &port, fds), 1);
	inherit_free(g->in);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(fcntl(g->fds[i], F_GETFD), -1);
	assert_int_not_equal(fcntl(fds[0], F_GETFD), -1);
	g->in = inherit_new(NULL, NULL, 0);
}

static void what_is_no_socket_fits_nobody(void **state)
{
	int pipes[2];
	assert_int_equal(pipe(pipes), 0);
	struct inherit *in =
		inherit_new(pipes, (const char *const[]){SIP, SIP}, 2);
	const struct inherit_wanted wanted = {SIP, SOCK_STREAM, "0.0.0.0", 0};
	uint16_t port;
	int fds[MOST];
	assert_int_equal(inherit_take(in, &wanted, &port, fds, MOST), 0);
	inherit_free(in);
	assert_int_equal(fcntl(pipes[0], F_GETFD), -1);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FACT(takes_all_of_its_name_and_place_once),
		FACT(takes_no_more_than_there_is_room_for),
		FACT(any_port_is_the_first_ones),
		FACT(leaves_what_differs_in_one_thing),
		FACT(what_nobody_took_is_closed),
		cmocka_unit_test(what_is_no_socket_fits_nobody),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("inherit", tests, NULL, NULL);
}

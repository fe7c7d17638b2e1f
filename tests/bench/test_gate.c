/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the gate that keeps a storm from choking on itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/gate.h"

static const uint64_t ms = 1000000;

static void turns(struct gate *g, unsigned n, uint64_t each_ms)
{
	for (unsigned i = 0; i < n; i++)
		gate_turn(g, (g->last_ns ? g->last_ns : ms) + each_ms * ms);
}

static void it_is_open_while_the_loop_is_in_time(void **state)
{
	struct gate g = {.busy = 50000};
	turns(&g, 1000, 1);
	turns(&g, 1000, 499);
	assert_true(gate_room(&g));
}

static void a_late_turn_halves_what_is_inside(void **state)
{
	struct gate g = {.busy = 1000};
	turns(&g, 1, 1);
	turns(&g, 1, 500);
	assert_int_equal(g.window, 500);
	assert_false(gate_room(&g));
	g.busy = 499;
	assert_true(gate_room(&g));
}

static void somebody_is_always_let_in(void **state)
{
	struct gate g = {.busy = 1000};
	turns(&g, 100, 60000);
	g.busy = 0;
	assert_true(gate_room(&g));
	assert_int_equal(g.window, 32);
}

static void it_opens_again_turn_by_turn(void **state)
{
	struct gate g = {.busy = 1000};
	turns(&g, 2, 500);
	unsigned window = g.window;
	turns(&g, 100, 1);
	assert_int_equal(g.window, window + 100);
	/* Neither late nor easy: it stays. */
	turns(&g, 100, 200);
	assert_int_equal(g.window, window + 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_open_while_the_loop_is_in_time),
		cmocka_unit_test(a_late_turn_halves_what_is_inside),
		cmocka_unit_test(somebody_is_always_let_in),
		cmocka_unit_test(it_opens_again_turn_by_turn),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

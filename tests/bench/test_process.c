/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about what a process and its children are found to use. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/process.h"

enum { BURNED_MS = 60 };

/* Uses that much CPU, says so, and waits for its end. */
static void burn(int told)
{
	while (process_own_cpu_ns() < BURNED_MS * UINT64_C(1000000))
		;
	if (write(told, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void counts_a_child_and_its_child(void **state)
{
	int told[2];
	char byte;
	struct process_use before, after;
	assert_int_equal(pipe(told), 0);
	assert_int_equal(process_use(getpid(), &before), 0);
	pid_t child = fork();
	if (child == 0) {
		setpgid(0, 0); /* so that both can be ended at once */
		if (fork() == 0)
			burn(told[1]);
		burn(told[1]);
	}
	assert_int_equal(read(told[0], &byte, 1), 1);
	assert_int_equal(read(told[0], &byte, 1), 1);
	assert_int_equal(process_use(getpid(), &after), 0);
	assert_true(after.cpu_ns - before.cpu_ns >=
		    2 * BURNED_MS * UINT64_C(1000000));
	assert_true(after.rss > before.rss);
	close(told[0]);
	close(told[1]);
	kill(-child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void one_that_has_ended_is_told(void **state)
{
	struct process_use use;
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
	assert_int_equal(process_use(child, &use), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_a_child_and_its_child),
		cmocka_unit_test(one_that_has_ended_is_told),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about a server followed over its incarnations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/watch.h"
#include "tests/bench/program.h"

static char path[4096];
static struct program servers[2];

/* A server: it computes a while, says so, and waits to be killed. */
static pid_t start(struct program *p)
{
	static const char *const words[] = {"sh", "-c",
		"i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; "
		"echo done; read end",
		NULL};
	program_start(p, words);
	program_said(p, "done", 0);
	return p->pid;
}

static void write_file(const char *text)
{
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void write_pid(pid_t pid)
{
	char text[32];
	snprintf(text, sizeof(text), "%d\n", (int)pid);
	write_file(text);
}

static int prepare(void **state)
{
	const char *build = getenv("DIALTONE_BUILD");
	snprintf(path, sizeof(path), "%s/watch-XXXXXX", build ? build : ".");
	int fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int clean_up(void **state)
{
	program_kill(&servers[0]);
	program_kill(&servers[1]);
	return unlink(path);
}

static void cpu_is_summed_over_those_that_died(void **state)
{
	struct watch w;
	struct watch_use first, second, third;
	watch_init(&w, 0, path);
	write_pid(start(&servers[0]));
	watch_look(&w, &first);
	assert_true(first.there && first.cpu_ns > 0 && first.rss > 0);
	assert_int_equal(w.lives, 1);

	program_kill(&servers[0]);
	watch_look(&w, &second);
	assert_false(second.there);
	assert_int_equal(second.rss, 0);
	assert_int_equal(second.cpu_ns, first.cpu_ns);

	write_pid(start(&servers[1]));
	watch_look(&w, &third);
	assert_true(third.there);
	assert_int_equal(w.lives, 2);
	assert_true(third.cpu_ns > first.cpu_ns);
	program_kill(&servers[1]);
}

/* Its child computes; it ends when told to, and the server says so. */
static pid_t start_family(struct program *p)
{
	static const char *const words[] = {"sh", "-c",
		"exec 3<&0; "
		"{ i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; "
		"echo done; read end <&3; } & "
		"wait; echo fewer; read end",
		NULL};
	program_start(p, words);
	program_said(p, "done", 0);
	return p->pid;
}

static void end_child(struct program *p)
{
	assert_int_equal(write(p->in, "\n", 1), 1);
	program_said(p, "fewer", 0);
}

static void one_of_many_that_ends_is_the_server_s_end(void **state)
{
	struct watch w;
	struct watch_use whole, fewer;
	watch_init(&w, start_family(&servers[0]), NULL);
	watch_look(&w, &whole);
	assert_true(whole.there && whole.cpu_ns > 0);
	end_child(&servers[0]);
	watch_look(&w, &fewer);
	assert_false(fewer.there);
	assert_int_equal(fewer.cpu_ns, whole.cpu_ns);
	program_kill(&servers[0]);
}

static void with_a_file_the_others_are_followed(void **state)
{
	struct watch w;
	struct watch_use whole, fewer;
	watch_init(&w, 0, path);
	write_pid(start_family(&servers[0]));
	watch_look(&w, &whole);
	end_child(&servers[0]);
	watch_look(&w, &fewer);
	assert_true(fewer.there && fewer.rss > 0 && fewer.rss < whole.rss);
	assert_int_equal(fewer.cpu_ns, whole.cpu_ns);
	assert_int_equal(w.lives, 1);
	program_kill(&servers[0]);
}

static void half_a_file_names_nobody(void **state)
{
	static const char *const texts[] = {"", "x", "0", "-1", "99999999999"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct watch w;
		struct watch_use use;
		watch_init(&w, 0, path);
		write_file(texts[i]);
		watch_look(&w, &use);
		assert_false(use.there);
		assert_int_equal(use.cpu_ns, 0);
	}
}

static void nothing_is_watched_unless_asked_for(void **state)
{
	struct watch w;
	watch_init(&w, 0, NULL);
	assert_false(watch_on(&w));
	watch_init(&w, getpid(), NULL);
	assert_true(watch_on(&w));
	struct watch_use use;
	watch_look(&w, &use);
	assert_true(use.there && use.cpu_ns > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			cpu_is_summed_over_those_that_died, prepare, clean_up),
		cmocka_unit_test_setup_teardown(
			one_of_many_that_ends_is_the_server_s_end, prepare,
			clean_up),
		cmocka_unit_test_setup_teardown(
			with_a_file_the_others_are_followed, prepare, clean_up),
		cmocka_unit_test_setup_teardown(
			half_a_file_names_nobody, prepare, clean_up),
		cmocka_unit_test(nothing_is_watched_unless_asked_for),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

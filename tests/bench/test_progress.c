/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the line of progress, on a real pseudo-terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include <fcntl.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/progress.h"

enum { COLUMNS = 40, TEXT_MAX = 65536 };

static struct storm s;
static char line[256];

static void fill(void)
{
	memset(&s, 0, sizeof(s));
	s.phase = STORM_PHASE_STORM;
	s.config.stay = STORM_HOLD;
	s.up = s.undecided = s.away = 12345;
	s.tally.registered = s.tally.failed = 123456789;
	s.tally.planned = s.tally.late = s.tally.waits.count = 123456789;
	s.tally.handshakes[TALLY_FULL] = 123456789;
	s.tally.handshakes[TALLY_RESUMED] = 123456789;
	histogram_add(&s.tally.latency[TALLY_FULL], 1234567);
}

static void it_never_is_wider_than_asked_and_cuts_no_figure(void **state)
{
	char whole[256];
	fill();
	progress_text(&s, 250, whole, sizeof(whole));
	assert_true(strlen(whole) > 150);
	for (unsigned columns = 0; columns < 200; columns++) {
		progress_text(&s, columns, line, sizeof(line));
		size_t n = strlen(line);
		assert_true(n <= columns);
		assert_memory_equal(line, whole, n);
		/* What is left out begins with its comma. */
		if (n > 10 && whole[n])
			assert_int_equal(whole[n], ',');
	}
}

static void the_first_figures_are_who_is_in(void **state)
{
	fill();
	s.tally.registered = 7;
	s.tally.planned = 9;
	progress_text(&s, 40, line, sizeof(line));
	assert_string_equal(line, "storm 0 s: 7/9 in, 123456789 failed");
	s.phase = STORM_PHASE_PRIMING;
	s.tally.primed = 3;
	s.config.phones = 5;
	progress_text(&s, 40, line, sizeof(line));
	assert_string_equal(line, "priming: 3 of 5");
}

/* dialtone-storm with its standard error on a terminal of COLUMNS. */
static pid_t start(int *terminal)
{
	char program[4096];
	const char *build = getenv("DIALTONE_BUILD");
	struct winsize size = {.ws_row = 24, .ws_col = COLUMNS};
	int slave;
	snprintf(program, sizeof(program), "%s/bench/dialtone-storm",
		build ? build : ".");
	assert_int_equal(openpty(terminal, &slave, NULL, NULL, &size), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
		dup2(slave, STDERR_FILENO);
		close(*terminal);
		execl(program, program, "--plain", "--server", "127.0.0.1:1",
			"--phones", "20", "--rate", "10", "--seconds", "2",
			(char *)NULL);
		_exit(127);
	}
	close(slave);
	return pid;
}

/* All that came to the terminal until the other side closed it. */
static size_t read_all(int terminal, char *text)
{
	size_t n = 0;
	ssize_t got;
	while ((got = read(terminal, text + n, TEXT_MAX - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	close(terminal);
	return n;
}

static void a_narrow_terminal_is_never_wrapped_and_left_clean(void **state)
{
	static char text[TEXT_MAX + 1];
	static const char end[] = "\r\033[K";
	int terminal, status;
	pid_t pid = start(&terminal);
	size_t n = read_all(terminal, text);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	assert_null(strchr(text, '\n'));
	assert_true(n > sizeof(end));
	assert_string_equal(text + n - strlen(end), end);
	assert_non_null(strstr(text, "storm "));
	assert_non_null(strstr(text, "/20 in"));
	unsigned lines = 0;
	for (char *at = text; (at = strchr(at, '\r')); lines++) {
		at++;
		size_t shown = strcspn(at, "\033");
		assert_true(shown < COLUMNS);
		assert_memory_equal(at + shown, "\033[K", 3);
	}
	assert_true(lines >= 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			it_never_is_wider_than_asked_and_cuts_no_figure),
		cmocka_unit_test(the_first_figures_are_who_is_in),
		cmocka_unit_test(
			a_narrow_terminal_is_never_wrapped_and_left_clean),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

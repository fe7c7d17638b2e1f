/* SPDX-License-Identifier: Apache-2.0 */
/* Another program, run by a test: started, listened to, ended. */
#include "tests/bench/program.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 20000 };

static void become(const char *const *words, const int in[2], const int out[2])
{
	dup2(in[0], STDIN_FILENO);
	dup2(out[1], STDOUT_FILENO);
	dup2(out[1], STDERR_FILENO);
	execvp(words[0], (char *const *)words);
	_exit(127);
}

void program_start(struct program *p, const char *const *words)
{
	int in[2], out[2];
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	p->n = 0;
	p->text[0] = '\0';
	p->pid = fork();
	assert_true(p->pid >= 0);
	if (p->pid == 0)
		become(words, in, out);
	close(in[0]);
	close(out[1]);
	p->in = in[1];
	p->out = out[0];
}

/* false at its end of file. */
static bool hear(struct program *p)
{
	struct pollfd wait = {.fd = p->out, .events = POLLIN};
	if (poll(&wait, 1, PATIENCE_MS) != 1)
		fail_msg("silent for 20 s after: %s", p->text);
	if (p->n == PROGRAM_TEXT_MAX)
		fail_msg("talks without end");
	ssize_t n = read(p->out, p->text + p->n, PROGRAM_TEXT_MAX - p->n);
	assert_true(n >= 0);
	p->n += (size_t)n;
	p->text[p->n] = '\0';
	return n > 0;
}

const char *program_said(struct program *p, const char *text, size_t from)
{
	const char *found;
	while (!(found = strstr(p->text + from, text)))
		if (!hear(p))
			fail_msg("ended without '%s': %s", text, p->text);
	return found;
}

static int reap(struct program *p)
{
	int status;
	close(p->in);
	close(p->out);
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	p->pid = 0;
	return status;
}

int program_end(struct program *p)
{
	while (hear(p))
		;
	int status = reap(p);
	if (!WIFEXITED(status))
		fail_msg("killed by signal %d: %s", WTERMSIG(status), p->text);
	return WEXITSTATUS(status);
}

void program_kill(struct program *p)
{
	if (p->pid <= 0)
		return;
	kill(p->pid, SIGKILL);
	reap(p);
}

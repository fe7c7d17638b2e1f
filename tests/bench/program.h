/* SPDX-License-Identifier: Apache-2.0 */
/* Another program, run by a test: started, listened to, ended. */
#ifndef TESTS_BENCH_PROGRAM_H
#define TESTS_BENCH_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#include <sys/types.h>

enum { PROGRAM_TEXT_MAX = 128 * 1024, PROGRAM_ARGUMENTS_MAX = 48 };

struct program {
	pid_t pid;
	int in;	 /* its standard input, held open until the end */
	int out; /* its standard output and error */
	size_t n;
	char text[PROGRAM_TEXT_MAX + 1]; /* what it has said */
};

/* Starts words[0] (looked up in PATH), the list ended by NULL. */
void program_start(struct program *p, const char *const *words);
/* Reads on until it has said `text` at or behind p->text + from; fails the
 * test when it ends or 20 s pass without it. Answers where that is. */
const char *program_said(struct program *p, const char *text, size_t from);
/* Reads all to its end; the exit code. Fails after 20 s, or on a signal. */
int program_end(struct program *p);
/* Ends it now, for servers that run on; it need not have been started. */
void program_kill(struct program *p);

#endif

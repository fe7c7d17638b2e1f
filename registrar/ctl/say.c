/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong, and what to type next: on stderr, text or one object. */
#include "registrar/ctl/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/ctl/commands.h"
#include "registrar/http/problem.h"
#include "registrar/memory.h"
#include "registrar/text.h"

/* One command a process: what it said so far. */
static struct {
	bool json;
	char *detail, *next; /* NULL: nothing */
	json_t *problem;     /* of the registrar; NULL: it said none */
} said;

static char *formatted(const char *format, va_list list)
{
	char *text;
	if (vasprintf(&text, format, list) < 0)
		abort(); /* law 2: no memory */
	return text;
}

void say_begin(bool json)
{
	said.json = json;
}

/* JSON is UTF-8, and what was typed may be none. */
static void keep(const char *text)
{
	for (; *text; text += strspn(text, "\n")) {
		char *before = said.detail;
		size_t n = strcspn(text, "\n");
		char *line = memory_zero(n + 1), *clean = memory_zero(n + 1);
		memcpy(line, text, n);
		text_copy(clean, n + 1, line);
		said.detail = memory_format("%s%s%s", before ? before : "",
			before ? "\n" : "", clean);
		memory_wipe(before); /* there may be strings in it */
		memory_wipe(line);
		memory_wipe(clean);
		text += n;
	}
}

void say(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	char *line = formatted(format, list);
	va_end(list);
	if (!said.json)
		fprintf(stderr, "dialtone: %s\n", line);
	keep(line);
	memory_wipe(line);
}

void say_text(const char *text)
{
	if (!said.json)
		fputs(text, stderr);
	keep(text);
}

void say_next(const char *format, ...)
{
	va_list list;
	if (said.next)
		return;
	va_start(list, format);
	said.next = formatted(format, list);
	va_end(list);
	for (char *c = said.next; *c; c++) /* of names that were typed */
		if (*c < ' ' || *c > '~')
			*c = '?';
}

int say_file(const char *file, const char *why)
{
	say("%s", why);
	say_next("ls -ld '%s'", file);
	return CTL_FAILED;
}

void say_problem(const char *who, const json_t *problem)
{
	const char *next = ctl_text(problem, "next");
	say("%s: %s", who, ctl_text(problem, "detail"));
	if (*next)
		say_next("%s", next);
	if (!said.problem)
		said.problem = json_deep_copy(problem);
}

/* The help of what was typed. */
static void next_is_help(const struct ctl *ctl)
{
	const struct ctl_command *c = ctl->command;
	say_next("dialtone help%s%s%s%s", c ? " " : "", c ? c->noun : "",
		c && c->verb ? " " : "", c && c->verb ? c->verb : "");
}

static void print_object(int status)
{
	static const struct {
		const char *type, *title;
	} exits[] = {
		[CTL_OK] = {PROBLEM_TYPE "remarks", "done, with remarks"},
		[CTL_FAILED] = {PROBLEM_TYPE "command-failed", "it failed"},
		[CTL_USAGE] = {PROBLEM_TYPE "usage", "no such command line"},
		[CTL_REFUSED] = {PROBLEM_TYPE "gate",
			"refused by a safety gate"},
	};
	json_t *o = said.problem
			    ? said.problem
			    : json_pack("{ss ss}", "type", exits[status].type,
				      "title", exits[status].title);
	json_t *own = json_pack("{ss* si ss*}", "detail", said.detail, "exit",
		status, "next", status == CTL_OK ? NULL : said.next);
	json_object_update(o, own);
	json_dumpf(o, stderr, JSON_INDENT(2));
	fputc('\n', stderr);
	json_decref(own);
	json_decref(o);
	said.problem = NULL;
}

int say_end(const struct ctl *ctl, int status)
{
	if (said.detail && status != CTL_OK)
		next_is_help(ctl);
	if (said.detail && said.json)
		print_object(status);
	else if (said.next && status != CTL_OK)
		fprintf(stderr, "next: %s\n", said.next);
	json_decref(said.problem);
	free(said.detail);
	free(said.next);
	memset(&said, 0, sizeof(said));
	return status;
}

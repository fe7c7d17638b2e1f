/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong, and what to type next: on stderr, text or one object. */
#ifndef REGISTRAR_CTL_SAY_H
#define REGISTRAR_CTL_SAY_H

#include <stdbool.h>

#include <jansson.h>

struct ctl;

/* A line, without its end. People read it at once; for programs it waits for
 * say_end(). */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);
/* Whole lines, as they are. */
void say_text(const char *text);
/* What an admin is to type next; who says so first knows best. */
__attribute__((format(printf, 1, 2))) void say_next(const char *format, ...);
/* That file could not be read or written: why, and CTL_FAILED. */
int say_file(const char *file, const char *why);
/* What the registrar said against it, as `who` (RFC 9457). */
void say_problem(const char *who, const json_t *problem);

/* Before anything else: is it for programs? */
void say_begin(bool json);
/*
 * At the end, with the exit status, which it answers. Where something was said,
 * people read what to type next; a program gets one object: type, title,
 * detail, exit, next, and status, where the registrar answered.
 */
int say_end(const struct ctl *ctl, int status);

#endif

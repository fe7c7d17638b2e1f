/* SPDX-License-Identifier: Apache-2.0 */
/* Why a loader refused something: one sentence, "file:line: why". */
#include "certs/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "certs/text.h"

enum { TEXT = sizeof(((struct diag *)0)->text) };

static void set(struct diag *d, const char *rule, const char *text)
{
	if (!d)
		return;
	/* File names and what stands in files are foreign text. */
	cert_text_clean(text, strlen(text), d->text, sizeof(d->text));
	d->rule = rule;
}

int diag_set(struct diag *d, int error, const char *format, ...)
{
	char text[TEXT];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	set(d, "", text);
	return error;
}

int diag_refuse(
	struct diag *d, const char *rule, int error, const char *format, ...)
{
	char text[TEXT];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	set(d, rule, text);
	return error;
}

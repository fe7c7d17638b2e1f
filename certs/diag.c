/* SPDX-License-Identifier: Apache-2.0 */
/* Why a loader refused something: one sentence, "file:line: why". */
#include "certs/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "certs/text.h"

static void set(
	struct diag *d, const char *rule, const char *format, va_list args)
{
	char text[sizeof(d->text)];
	if (!d)
		return;
	vsnprintf(text, sizeof(text), format, args);
	/* File names and what stands in files are foreign text. */
	cert_text_clean(text, strlen(text), d->text, sizeof(d->text));
	d->rule = rule;
}

int diag_set(struct diag *d, int error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	set(d, "", format, args);
	va_end(args);
	return error;
}

int diag_refuse(
	struct diag *d, const char *rule, int error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	set(d, rule, format, args);
	va_end(args);
	return error;
}

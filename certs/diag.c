/* SPDX-License-Identifier: Apache-2.0 */
/* Why a loader refused something: one sentence, "file:line: why". */
#include "certs/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "certs/text.h"

int diag_set(struct diag *d, int error, const char *format, ...)
{
	if (!d)
		return error;
	char text[sizeof(d->text)];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* File names and what stands in files are foreign text. */
	cert_text_clean(text, strlen(text), d->text, sizeof(d->text));
	return error;
}

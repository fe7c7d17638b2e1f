/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is there or the process ends: the one place that dies of it. */
#include "registrar/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *need(void *p)
{
	if (!p)
		abort(); /* law 2: peers cannot cause it, all input is capped */
	return p;
}

void *memory_zero(size_t n)
{
	return need(calloc(1, n));
}

char *memory_dup(const char *text)
{
	return need(strdup(text));
}

char *memory_format(const char *format, ...)
{
	char *text = NULL;
	va_list args;
	va_start(args, format);
	int n = vasprintf(&text, format, args);
	va_end(args);
	return n < 0 ? need(NULL) : text;
}

void *memory_grow(void **list, size_t *n, size_t size)
{
	/* Doubles at powers of two. */
	if ((*n & (*n - 1)) == 0)
		*list = need(realloc(*list, (*n ? *n * 2 : 1) * size));
	return (char *)*list + (*n)++ * size;
}

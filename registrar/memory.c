/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is there or the process ends: the one place that dies of it. */
#include "registrar/memory.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

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

/* All of the block: what it was made for may be less. */
void memory_wipe(void *p)
{
	if (p)
		OPENSSL_cleanse(p, malloc_usable_size(p));
	free(p);
}

/* The second field of statm, in pages. */
size_t memory_resident(void)
{
	char text[128] = "";
	FILE *f = fopen("/proc/self/statm", "re");
	if (!f)
		return 0;
	const char *line = fgets(text, sizeof(text), f);
	fclose(f);
	const char *second = line ? strchr(line, ' ') : NULL;
	return second ? strtoul(second, NULL, 10) *
				(size_t)sysconf(_SC_PAGESIZE)
		      : 0;
}

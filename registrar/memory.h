/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is there or the process ends: the one place that dies of it. */
#ifndef REGISTRAR_MEMORY_H
#define REGISTRAR_MEMORY_H

#include <stddef.h>

/* n zeroed bytes. */
void *memory_zero(size_t n);
char *memory_dup(const char *text);
char *memory_format(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
/* Grows the array *list of *n elements by one; answers the new element. */
void *memory_grow(void **list, size_t *n, size_t size);

/* Frees it with nothing left of what was in it. */
void memory_wipe(void *p);

/* Bytes of this process that are in memory now; 0 when nobody says. */
size_t memory_resident(void);

#endif

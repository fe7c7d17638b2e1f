/* SPDX-License-Identifier: Apache-2.0 */
/* Members of status's JSON objects: what is absent is left out. */
#ifndef REGISTRAR_STATUS_MEMBER_H
#define REGISTRAR_STATUS_MEMBER_H

#include <stdint.h>

#include <jansson.h>

/* Nothing for NULL and "". */
void member_text(json_t *object, const char *key, const char *text);
void member_number(json_t *object, const char *key, uint64_t n);
/* Unix milliseconds, as "2026-11-26T01:02:03Z"; nothing unless above 0. */
void member_time(json_t *object, const char *key, int64_t ms);

#endif

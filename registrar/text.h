/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded copies of text that strangers wrote. */
#ifndef REGISTRAR_TEXT_H
#define REGISTRAR_TEXT_H

#include <stddef.h>

/* Bytes of the UTF-8 character at text (RFC 3629), 0 when it is none or a
 * control character. */
size_t text_character(const char *text);

/*
 * Copies text into dst[size], cut at a character's border. What is not
 * UTF-8, and control characters, become '?': JSON and terminals stay whole.
 */
void text_copy(char *dst, size_t size, const char *text);

#endif

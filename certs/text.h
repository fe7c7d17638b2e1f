/* SPDX-License-Identifier: Apache-2.0 */
/* Makes foreign text fit for logs, JSON and terminals. */
#ifndef CERTS_TEXT_H
#define CERTS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Copies n bytes into out[size] as valid UTF-8, ended by NUL and cut at a
 * character. What is not UTF-8, control characters (C0, DEL, C1, NUL) and
 * the invisible ones that reorder or hide text become '?'. True when nothing
 * had to be replaced or cut.
 */
bool cert_text_clean(const void *text, size_t n, char *out, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Texts for phone displays: the right character set, cut to fit. */
#ifndef PROTOCOLS_SCCP_TEXT_H
#define PROTOCOLS_SCCP_TEXT_H

#include <stddef.h>

/* What a phone's display reads. */
enum sccp_charset {
	SCCP_LATIN1, /* ISO-8859-1 */
	SCCP_UTF8,
};

/*
 * Copies UTF-8 text into dst[max + 1] in the wanted character set: at most
 * max bytes, never half a character; what Latin-1 lacks becomes '?'. Text
 * that is not UTF-8 (a built-in label such as 0x80 0x13) is copied verbatim.
 */
void sccp_text(char *dst, size_t max, const char *src, enum sccp_charset set);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What each byte of a message can be part of: one table for all scanners. */
#ifndef PROTOCOLS_SIP_CHARS_H
#define PROTOCOLS_SIP_CHARS_H

#include <stdbool.h>
#include <stdint.h>

enum sip_chars {
	SIP_CHARS_SPACE = 1 << 0, /* space, tab, CR, LF */
	SIP_CHARS_ALPHA = 1 << 1,
	SIP_CHARS_DIGIT = 1 << 2,
	SIP_CHARS_HEX = 1 << 3,
	SIP_CHARS_TOKEN = 1 << 4,   /* RFC 3261 25.1 */
	SIP_CHARS_NAME = 1 << 5,    /* of hosts and devices: a-z 0-9 -_. */
	SIP_CHARS_SCHEME = 1 << 6,  /* a-z 0-9 +-. */
	SIP_CHARS_VISIBLE = 1 << 7, /* ASCII that leaves ink */
	SIP_CHARS_URI = 1 << 8,	    /* visible but quotes and <> */
	SIP_CHARS_AOR = 1 << 9,	    /* visible but quotes and backslash */
	SIP_CHARS_BARE = 1 << 10,   /* all but space, quotes and <> */
	SIP_CHARS_SHOWN = 1 << 11,  /* all but ASCII's control characters */
	SIP_CHARS_INERT = 1 << 12,  /* neither CR, LF, NUL, ; nor , */
	SIP_CHARS_QUOTED = 1 << 13, /* visible but quote, backslash, ; and , */
};

extern const uint16_t sip_chars_table[256];

static inline bool sip_chars_in(char c, unsigned classes)
{
	return (sip_chars_table[(unsigned char)c] & classes) != 0;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What each byte of a message can be part of: one table for all scanners. */
#include "protocols/sip/chars.h"

enum {
	ODD = SIP_CHARS_BARE | SIP_CHARS_INERT, /* control characters */
	HIGH = ODD | SIP_CHARS_SHOWN,		/* not ASCII */
	INK = SIP_CHARS_VISIBLE | SIP_CHARS_SHOWN | SIP_CHARS_INERT,
	MARK = INK | SIP_CHARS_URI | SIP_CHARS_AOR | SIP_CHARS_BARE |
	       SIP_CHARS_QUOTED,
	SEPARATOR = MARK & ~SIP_CHARS_INERT & ~SIP_CHARS_QUOTED,
	TOKEN = MARK | SIP_CHARS_TOKEN,
	NAME = TOKEN | SIP_CHARS_NAME,
	LETTER = NAME | SIP_CHARS_SCHEME | SIP_CHARS_ALPHA,
	DIGIT = NAME | SIP_CHARS_SCHEME | SIP_CHARS_DIGIT | SIP_CHARS_HEX,
};

/* Ranges are GNU C: a row for each of 256 bytes would be read by nobody. */
__extension__ const uint16_t sip_chars_table[256] = {
	[0] = SIP_CHARS_BARE,
	[1 ... '\t' - 1] = ODD,
	['\t'] = SIP_CHARS_SPACE | SIP_CHARS_INERT,
	['\n'] = SIP_CHARS_SPACE,
	['\n' + 1 ... '\r' - 1] = ODD,
	['\r'] = SIP_CHARS_SPACE,
	['\r' + 1 ... ' ' - 1] = ODD,
	[' '] = SIP_CHARS_SPACE | SIP_CHARS_SHOWN | SIP_CHARS_INERT,
	['!'] = TOKEN,
	['"'] = INK,
	['#' ... '$'] = MARK,
	['%'] = TOKEN,
	['&'] = MARK,
	['\''] = TOKEN,
	['(' ... ')'] = MARK,
	['*'] = TOKEN,
	['+'] = TOKEN | SIP_CHARS_SCHEME,
	[','] = SEPARATOR,
	['-' ... '.'] = NAME | SIP_CHARS_SCHEME,
	['/'] = MARK,
	['0' ... '9'] = DIGIT,
	[':'] = MARK,
	[';'] = SEPARATOR,
	['<'] = INK | SIP_CHARS_AOR | SIP_CHARS_QUOTED,
	['='] = MARK,
	['>'] = INK | SIP_CHARS_AOR | SIP_CHARS_QUOTED,
	['?' ... '@'] = MARK,
	['A' ... 'F'] = LETTER | SIP_CHARS_HEX,
	['G' ... 'Z'] = LETTER,
	['['] = MARK,
	['\\'] = MARK & ~SIP_CHARS_AOR & ~SIP_CHARS_QUOTED,
	[']' ... '^'] = MARK,
	['_'] = NAME,
	['`'] = TOKEN,
	['a' ... 'f'] = LETTER | SIP_CHARS_HEX,
	['g' ... 'z'] = LETTER,
	['{' ... '}'] = MARK,
	['~'] = TOKEN,
	[127] = ODD,
	[128 ... 255] = HIGH,
};

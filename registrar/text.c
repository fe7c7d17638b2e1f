/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded copies of text that strangers wrote. */
#include "registrar/text.h"

#include <stdint.h>
#include <string.h>

size_t text_character(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	static const struct {
		uint8_t lead, mask;
		uint32_t least;
	} forms[] = {
		{0xc0, 0xe0, 0x80}, {0xe0, 0xf0, 0x800}, {0xf0, 0xf8, 0x10000}};
	if (*p < 0x80)
		return *p >= 0x20 && *p != 0x7f;
	for (size_t i = 0; i < 3; i++) {
		if ((*p & forms[i].mask) != forms[i].lead)
			continue;
		uint32_t code = *p & (uint8_t)~forms[i].mask;
		for (size_t k = 1; k <= i + 1; k++) {
			if ((p[k] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (p[k] & 0x3f);
		}
		if (code < forms[i].least || code > 0x10ffff ||
			(code >= 0xd800 && code < 0xe000) ||
			(code >= 0x80 && code < 0xa0))
			return 0;
		return i + 2;
	}
	return 0;
}

/* Bytes of printable ASCII at the start, no more than max. */
static size_t plain(const char *text, size_t max)
{
	size_t n = 0;
	while (n < max && text[n] >= ' ' && text[n] <= '~')
		n++;
	return n;
}

void text_copy(char *dst, size_t size, const char *text)
{
	size_t n = 0;
	for (;;) {
		size_t run = plain(text, size - 1 - n);
		memcpy(dst + n, text, run);
		n += run;
		text += run;
		if (!*text)
			break;
		size_t len = text_character(text);
		size_t need = len ? len : 1;
		if (n + need >= size)
			break;
		if (len)
			memcpy(dst + n, text, len);
		else
			dst[n] = '?';
		n += need;
		text += need;
	}
	dst[n] = '\0';
}

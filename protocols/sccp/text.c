/* SPDX-License-Identifier: Apache-2.0 */
/* Turning UTF-8 into what a phone's display reads. */
#include "protocols/sccp/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { LATIN1_LAST = 0xff };

/* Bytes of the character at s and its code point; 0 when not UTF-8. */
static size_t character(const char *s, uint32_t *code)
{
	static const struct {
		uint8_t mask, lead;
		uint32_t least; /* smaller ones have a shorter form */
	} forms[] = {
		{0x80, 0x00, 0},
		{0xe0, 0xc0, 0x80},
		{0xf0, 0xe0, 0x800},
		{0xf8, 0xf0, 0x10000},
	};
	const uint8_t *p = (const uint8_t *)s;
	for (size_t n = 0; n < sizeof(forms) / sizeof(*forms); n++) {
		if ((p[0] & forms[n].mask) != forms[n].lead)
			continue;
		*code = p[0] & (uint8_t)~forms[n].mask;
		for (size_t i = 1; i <= n; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return 0;
			*code = *code << 6 | (p[i] & 0x3f);
		}
		return *code >= forms[n].least ? n + 1 : 0;
	}
	return 0;
}

static bool is_utf8(const char *s)
{
	uint32_t code;
	for (size_t n; *s; s += n) {
		n = character(s, &code);
		if (n == 0)
			return false;
	}
	return true;
}

void sccp_text(char *dst, size_t max, const char *src, enum sccp_charset set)
{
	size_t used = 0;
	bool verbatim = !is_utf8(src);
	while (*src) {
		uint32_t code = (uint8_t)*src;
		size_t n = verbatim ? 1 : character(src, &code);
		bool whole = verbatim || set == SCCP_UTF8;
		size_t put = whole ? n : 1;
		if (used + put > max)
			break;
		if (whole)
			memcpy(dst + used, src, n);
		else
			dst[used] = code <= LATIN1_LAST ? (char)code : '?';
		used += put;
		src += n;
	}
	dst[used] = '\0';
}

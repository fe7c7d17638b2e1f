/* SPDX-License-Identifier: Apache-2.0 */
/* Makes foreign text fit for logs, JSON and terminals. */
#include "certs/text.h"

#include <stdint.h>
#include <string.h>

/* The length of the character at p, 0 if it is not UTF-8 (RFC 3629). */
static size_t decode(const unsigned char *p, size_t left, uint32_t *code)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = p[0] < 0x80	       ? 1
		   : p[0] >> 5 == 0x06 ? 2
		   : p[0] >> 4 == 0x0e ? 3
		   : p[0] >> 3 == 0x1e ? 4
				       : 0;
	if (!n || n > left)
		return 0;
	uint32_t value = n == 1 ? p[0] : p[0] & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		value = value << 6 | (p[i] & 0x3f);
	}
	if (value < smallest[n] || value > 0x10ffff || value >> 11 == 0x1b)
		return 0;
	*code = value;
	return n;
}

/* Characters that steer a terminal, reorder a line or cannot be seen. */
static bool is_harmful(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0xad ||
	       code == 0x61c || (code >= 0x200b && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
	       (code >= 0xe0000 && code <= 0xe0fff);
}

bool cert_text_clean(const void *text, size_t n, char *out, size_t size)
{
	const unsigned char *p = text;
	bool unchanged = true;
	size_t used = 0;
	for (size_t i = 0; i < n;) {
		uint32_t code = 0;
		size_t length = decode(p + i, n - i, &code);
		bool good = length && !is_harmful(code);
		size_t step = length ? length : 1;
		size_t need = good ? length : 1;
		if (used + need >= size) {
			unchanged = false;
			break;
		}
		if (good)
			memcpy(out + used, p + i, length);
		else
			out[used] = '?';
		unchanged = unchanged && good;
		used += need;
		i += step;
	}
	out[used] = '\0';
	return unchanged;
}

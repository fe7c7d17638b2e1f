/* SPDX-License-Identifier: Apache-2.0 */
/* What the actors of either side need: hex in, words out. */
#include "tests/protocols/capf/player.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

size_t player_hex(const char *text, uint8_t *dst, size_t max)
{
	size_t n = 0;
	for (; text[0] && text[1]; text += 2) {
		char digits[] = {text[0], text[1], '\0'};
		char *end;
		assert_true(n < max);
		dst[n++] = (uint8_t)strtoul(digits, &end, 16);
		if (*end)
			fail_msg("%s: not hex", digits);
	}
	assert_int_equal(*text, '\0');
	return n;
}

void player_add(char *text, size_t n, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;
	va_start(args, format);
	int more = vsnprintf(text + used, n - used, format, args);
	va_end(args);
	assert_true(more >= 0 && (size_t)more < n - used);
}

void player_add_bytes(
	char *text, size_t n, const char *name, const struct capf_bytes *bytes)
{
	if (!bytes->p)
		return;
	player_add(text, n, " %s=", name);
	for (size_t i = 0; i < bytes->n; i++)
		player_add(text, n, "%02x", bytes->p[i]);
}

void player_add_cert(char *text, size_t n, const struct capf_cert *cert)
{
	char name[16];
	snprintf(name, sizeof(name), "cert:%u", cert->type);
	player_add_bytes(text, n, name, &cert->der);
}

void player_one_message(const uint8_t *data, size_t n)
{
	if (n == 0)
		return;
	assert_true(n >= CAPF_HEADER);
	assert_int_equal(data[0], CAPF_PROTOCOL);
	assert_int_equal(n, CAPF_HEADER + (data[6] << 8 | data[7]));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the phones of a fleet, counted upwards from the first one's. */
#include "bench/names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MAC_DIGITS = 12 };

#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

int names_check(const char *name, size_t max)
{
	size_t n = strlen(name);
	if (n < 1 || n > max || strspn(name, LETTERS DIGITS) == 0)
		return -EINVAL;
	return strspn(name, LETTERS DIGITS "._-") == n ? 0 : -EINVAL;
}

/* Reads the digits at `text` to its end; they are at most 64 bits worth. */
static unsigned long long value(const char *text, unsigned base)
{
	unsigned long long sum = 0;
	for (; *text; text++) {
		unsigned digit = (unsigned char)*text - '0';
		if (digit > 9)
			digit = ((unsigned char)*text | 0x20) - 'a' + 10;
		sum = sum * base + digit;
	}
	return sum;
}

int names_device(const char *first, unsigned n, char out[NAMES_DEVICE_MAX + 1])
{
	if (n == 0) {
		snprintf(out, NAMES_DEVICE_MAX + 1, "%s", first);
		return 0;
	}
	size_t length = strlen(first);
	if (length < MAC_DIGITS || length > NAMES_DEVICE_MAX)
		return -EINVAL;
	size_t kept = length - MAC_DIGITS;
	if (strspn(first + kept, DIGITS "ABCDEFabcdef") != MAC_DIGITS)
		return -EINVAL;
	unsigned long long mac = value(first + kept, 16) + n;
	if (mac >> 48)
		return -ERANGE;
	snprintf(out, NAMES_DEVICE_MAX + 1, "%.*s%012llX", (int)kept, first,
		mac);
	return 0;
}

int names_line(const char *first, unsigned n, char out[NAMES_LINE_MAX + 1])
{
	if (n == 0) {
		snprintf(out, NAMES_LINE_MAX + 1, "%s", first);
		return 0;
	}
	size_t length = strlen(first);
	/* 19 digits are what surely fits 64 bits. */
	if (length < 1 || length > 19 || strspn(first, DIGITS) != length)
		return -EINVAL;
	snprintf(out, NAMES_LINE_MAX + 1, "%0*llu", (int)length,
		value(first, 10) + n);
	return 0;
}

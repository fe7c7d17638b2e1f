/* SPDX-License-Identifier: Apache-2.0 */
/* Device names, and where they stand in a common name. */
#include <stddef.h>
#include <string.h>

#include "certs/identity.h"

enum { SEP_DIGITS = 12 };

/* What a prefix's names look like. */
enum shape {
	HARDWARE, /* behind the model in a CN: CP-8861-SEP... */
	MAC,	  /* the same, and exactly twelve hex digits */
	SOFTWARE, /* chosen freely, dashes too, and alone in a CN */
};

static const struct {
	const char *prefix;
	enum shape shape;
} kinds[] = {
	{"SEP", MAC},
	{"CSF", SOFTWARE},
	{"TCT", SOFTWARE},
	{"BOT", SOFTWARE},
	{"TAB", SOFTWARE},
	{"CIPC", SOFTWARE},
	{"ATA", HARDWARE},
	{"VGC", HARDWARE},
	{"AN", HARDWARE},
	{"SKIGW", HARDWARE},
};

/* Not toupper: no locale may change who a phone is. */
static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool is_hex(char c)
{
	c = upper(c);
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

static bool is_name_char(char c)
{
	c = upper(c);
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '.' ||
	       c == '_' || c == '-';
}

/* What follows the prefix, or NULL when name does not begin with it. */
static const char *behind(const char *name, const char *prefix)
{
	while (*prefix && upper(*name) == *prefix) {
		name++;
		prefix++;
	}
	return *prefix ? NULL : name;
}

static bool fits(const char *rest, enum shape shape)
{
	size_t n = 0;
	while (shape == MAC ? is_hex(rest[n]) : is_name_char(rest[n]))
		n++;
	return !rest[n] && (shape == MAC ? n == SEP_DIGITS : n > 0);
}

static bool matches(const char *name, enum shape *shape)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const char *rest = behind(name, kinds[i].prefix);
		*shape = kinds[i].shape;
		if (rest && fits(rest, *shape))
			return true;
	}
	return false;
}

const char *cert_device_in_cn(const char *cn)
{
	enum shape shape;
	const char *dash = strrchr(cn, '-');
	bool whole = matches(cn, &shape);
	/* CSF-SEP001122334455 is a name somebody chose, not that SEP. */
	if (whole && shape == SOFTWARE)
		return cn;
	if (dash && matches(dash + 1, &shape))
		return dash + 1;
	return whole ? cn : NULL;
}

bool cert_device_equal(const char *a, const char *b)
{
	while (*a && upper(*a) == upper(*b)) {
		a++;
		b++;
	}
	return !*a && !*b;
}

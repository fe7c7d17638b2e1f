/* SPDX-License-Identifier: Apache-2.0 */
/* Looking up device types, and holding them against a model's name. */
#include "protocols/sccp/devices.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { SPCP_FIRST = 80000, SPCP_LAST = 80099, DIGITS_MIN = 2 };

static const struct row {
	uint32_t type;
	const char *name;
} rows[] = {
#define X(type, name) {(type), (name)},
	SCCP_DEVICE_TYPE_LIST(X)
#undef X
};

const char *sccp_device_type_name(uint32_t type)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].type == type)
			return rows[i].name;
	return NULL;
}

bool sccp_device_type_is_spcp(uint32_t type)
{
	return type >= SPCP_FIRST && type <= SPCP_LAST;
}

/* The first run of digits that is long enough for a model's number. */
static const char *number_of(const char *name, size_t *n)
{
	for (; *name; name += *n + 1) {
		*n = 0;
		while (isdigit((unsigned char)name[*n]))
			++*n;
		if (*n >= DIGITS_MIN)
			return name;
		if (!name[*n])
			break;
	}
	*n = 0;
	return NULL;
}

static bool holds(const char *text, const char *part)
{
	size_t n = strlen(part);
	for (; *text; text++)
		if (strncasecmp(text, part, n) == 0)
			return true;
	return false;
}

bool sccp_device_type_fits(uint32_t type, const char *model)
{
	const char *name = sccp_device_type_name(type);
	size_t a_n, b_n;
	if (!name || !*model)
		return true;
	const char *a = number_of(name, &a_n), *b = number_of(model, &b_n);
	if (a && b)
		return a_n == b_n && memcmp(a, b, a_n) == 0;
	return !a && !b && (holds(name, model) || holds(model, name));
}

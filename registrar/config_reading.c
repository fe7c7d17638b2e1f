/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a configuration value by value, with its place for complaints. */
#include "registrar/config_reading.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "registrar/json_lines.h"
#include "registrar/memory.h"

int config_refuse(const struct config_reading *r, const char *why)
{
	char key[CONFIG_KEY_MAX];
	snprintf(key, sizeof(key), "%s", r->path);
	for (char *p = key; *p; p++)
		if (*p == '/')
			*p = '.';
	return diag_set(r->diag, -EINVAL, "%s:%d: %s: %s", r->file,
		json_line(r->text, r->path), key, why);
}

/* Goes one key down for the calls that follow; answers what to go back to. */
size_t config_enter(struct config_reading *r, const char *key)
{
	size_t n = strlen(r->path);
	snprintf(r->path + n, sizeof(r->path) - n, "%s%s", n ? "/" : "", key);
	return n;
}

size_t config_enter_index(struct config_reading *r, size_t index)
{
	char key[24];
	snprintf(key, sizeof(key), "%zu", index);
	return config_enter(r, key);
}

char *config_resolve(const struct config *c, const char *path)
{
	if (path[0] == '/' || !c->folder || strcmp(c->folder, ".") == 0)
		return memory_dup(path);
	return memory_format("%s/%s", c->folder, path);
}

/* The position of a word in "a|b|c", or -1. */
int config_choice(const char *choices, const char *word)
{
	size_t n = strlen(word);
	int at = 0;
	for (const char *p = choices; p; at++) {
		const char *end = strchr(p, '|');
		size_t len = end ? (size_t)(end - p) : strlen(p);
		if (n > 0 && len == n && memcmp(p, word, n) == 0)
			return at;
		p = end ? end + 1 : NULL;
	}
	return -1;
}

int config_read_number(const struct config_reading *r, const json_t *v,
	uint32_t min, uint32_t max, uint32_t *out)
{
	char why[96];
	json_int_t n = json_integer_value(v);
	snprintf(why, sizeof(why), "must be a whole number from %u to %u", min,
		max);
	if (!json_is_integer(v) || n < min || n > max)
		return config_refuse(r, why);
	*out = (uint32_t)n;
	return 0;
}

/* A string without control characters of at most max bytes. */
int config_read_text(const struct config_reading *r, const json_t *v,
	size_t max, const char **out)
{
	char why[96];
	const char *text = json_string_value(v);
	snprintf(why, sizeof(why), "must be a text of at most %zu bytes", max);
	if (!text || json_string_length(v) > max ||
		strlen(text) != json_string_length(v))
		return config_refuse(r, why);
	for (const char *p = text; *p; p++)
		if (iscntrl((unsigned char)*p))
			return config_refuse(
				r, "must not hold control characters");
	*out = text;
	return 0;
}

int config_read_flag(const struct config_reading *r, const json_t *v, bool *out)
{
	if (!json_is_boolean(v))
		return config_refuse(r, "must be true or false");
	*out = json_is_true(v);
	return 0;
}

/* Every element of an array, each an object, through `read`. */
int config_read_array(struct config_reading *r, const json_t *v,
	int (*read)(struct config_reading *, const json_t *))
{
	size_t i;
	json_t *item;
	if (!json_is_array(v))
		return config_refuse(r, "must be a list");
	json_array_foreach((json_t *)v, i, item)
	{
		size_t back = config_enter_index(r, i);
		if (!json_is_object(item))
			return config_refuse(r, "must be an object");
		if (read(r, item) < 0)
			return -EINVAL;
		r->path[back] = '\0';
	}
	return 0;
}

/* Every member of an object, through `read`. */
int config_read_members(struct config_reading *r, const json_t *v,
	int (*read)(struct config_reading *, const char *, const json_t *))
{
	const char *key;
	json_t *value;
	if (!json_is_object(v))
		return config_refuse(r, "must be an object");
	json_object_foreach((json_t *)v, key, value)
	{
		size_t back = config_enter(r, key);
		if (read(r, key, value) < 0)
			return -EINVAL;
		r->path[back] = '\0';
	}
	return 0;
}

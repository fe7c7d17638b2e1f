/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the line of a key in JSON text, which jansson does not keep. */
#include "registrar/json_lines.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A walk over text known to be valid; `found` is the best line so far. */
struct walk {
	const char *p;
	int line;
	int found;
};

static void skip_space(struct walk *w)
{
	for (; *w->p && strchr(" \t\r\n", *w->p); w->p++)
		w->line += *w->p == '\n';
}

static void skip_string(struct walk *w)
{
	for (w->p++; *w->p && *w->p != '"'; w->p++)
		if (*w->p == '\\' && w->p[1])
			w->p++;
	if (*w->p)
		w->p++;
}

/* The rest of `path` when its first part is this key, else NULL. */
static const char *step(const char *path, const char *key, size_t n)
{
	if (!path || strncmp(path, key, n) != 0)
		return NULL;
	if (path[n] == '/')
		return path + n + 1;
	return path[n] == '\0' ? path + n : NULL;
}

static void value(struct walk *w, const char *path);

/* `"key":` of an object member; answers the path below it. */
static const char *member(struct walk *w, const char *path)
{
	const char *key = w->p + 1;
	int line = w->line;
	skip_string(w);
	const char *below = step(path, key, (size_t)(w->p - key - 1));
	if (below)
		w->found = line;
	skip_space(w);
	w->p++; /* the colon */
	return below;
}

static void container(struct walk *w, const char *path, char end)
{
	unsigned index = 0;
	w->p++;
	for (skip_space(w); *w->p && *w->p != end; skip_space(w)) {
		const char *below;
		if (end == '}') {
			below = member(w, path);
		} else {
			char key[16];
			int n = snprintf(key, sizeof(key), "%u", index++);
			below = step(path, key, (size_t)n);
			if (below)
				w->found = w->line;
		}
		value(w, below);
		skip_space(w);
		if (*w->p == ',')
			w->p++;
	}
	if (*w->p)
		w->p++;
}

static void value(struct walk *w, const char *path)
{
	skip_space(w);
	switch (*w->p) {
	case '{':
		container(w, path, '}');
		return;
	case '[':
		container(w, path, ']');
		return;
	case '"':
		skip_string(w);
		return;
	default:
		while (*w->p && !strchr(",]} \t\r\n", *w->p))
			w->p++;
	}
}

int json_line(const char *text, const char *path)
{
	struct walk w = {.p = text, .line = 1, .found = 1};
	value(&w, path);
	return w.found;
}

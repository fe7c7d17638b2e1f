/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a configuration value by value, with its place for complaints. */
#ifndef REGISTRAR_CONFIG_READING_H
#define REGISTRAR_CONFIG_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "certs/diag.h"
#include "registrar/config.h"

enum { CONFIG_KEY_MAX = 256 };

/* What a file is being read with: its text for lines, where to complain. */
struct config_reading {
	const char *file;
	const char *text;
	struct config *config;
	struct diag *diag;
	char path[CONFIG_KEY_MAX]; /* of the value at hand, '/' between */
};

/* -EINVAL, and "file:line: key: why" for the value at hand. */
int config_refuse(const struct config_reading *r, const char *why);
/* Go one key down for the calls that follow; answer the length to cut
 * r->path back to. */
size_t config_enter(struct config_reading *r, const char *key);
size_t config_enter_index(struct config_reading *r, size_t index);

/* A path relative to the file's folder, malloc'ed. */
char *config_resolve(const struct config *c, const char *path);
/* The position of a word in "a|b|c", or -1. */
int config_choice(const char *choices, const char *word);

/* Each checks type and range: 0, or -EINVAL with the complaint made. */
int config_read_number(const struct config_reading *r, const json_t *v,
	uint32_t min, uint32_t max, uint32_t *out);
int config_read_text(const struct config_reading *r, const json_t *v,
	size_t max, const char **out);
int config_read_flag(
	const struct config_reading *r, const json_t *v, bool *out);
/* Every element of an array (all objects), every member of an object. */
int config_read_array(struct config_reading *r, const json_t *v,
	int (*read)(struct config_reading *, const json_t *));
int config_read_members(struct config_reading *r, const json_t *v,
	int (*read)(struct config_reading *, const char *, const json_t *));

/* ---- the lists (config_lists.c) ---- */

/* Reads `name` if it is one of the lists; 1 when it is none. */
int config_read_list(
	struct config_reading *r, const char *name, const json_t *v);
/* What the lists are when the file does not say: the lab's shape. */
void config_fill_lists(struct config *c);
/* A listener of CAPF on loopback, for phones of every age. */
void config_add_capf(struct config *c);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The option table as data, for the reader, the dump and the schema. */
#ifndef REGISTRAR_CONFIG_ROWS_H
#define REGISTRAR_CONFIG_ROWS_H

#include <stddef.h>
#include <stdint.h>

enum config_type {
	CONFIG_NUM,
	CONFIG_STR,
	CONFIG_PATH,
	CONFIG_ONE,
	CONFIG_FLAG
};

struct config_row {
	const char *key; /* "node", or "section.name" */
	enum config_type type;
	size_t offset;	     /* in struct config */
	uint32_t number;     /* default of NUM and FLAG */
	const char *text;    /* default of STR, PATH and ONE */
	const char *choices; /* ONE: "a|b" */
	uint32_t min;
	uint32_t max; /* NUM: value; STR, PATH: bytes */
	const char *doc;
};

extern const struct config_row config_rows[];
extern const size_t config_rows_n;

#endif

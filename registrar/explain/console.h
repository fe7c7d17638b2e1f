/* SPDX-License-Identifier: Apache-2.0 */
/* A phone's console log, told in plain words. */
#ifndef REGISTRAR_EXPLAIN_CONSOLE_H
#define REGISTRAR_EXPLAIN_CONSOLE_H

#include <stddef.h>

#include <jansson.h>

enum {
	EXPLAIN_LOG_MAX = 64 << 20, /* bytes of a file */
	EXPLAIN_LINE_MAX = 4096,    /* the rest of a longer line is not read */
	EXPLAIN_INCIDENTS_MAX = 1000, /* told; earlier ones are counted */
};

/*
 * {"explanations": [...], "lines", "unexplained", "foreign", "overlong",
 * "earlier"}: what happened, in the log's order; how many lines say nothing
 * that is explained, or are no lines of a phone at all. `device` is put into
 * the cures, "" if it is not known.
 */
json_t *explain_console(const char *data, size_t n, const char *device);

#endif

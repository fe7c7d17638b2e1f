/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the line of a key in JSON text, which jansson does not keep. */
#ifndef REGISTRAR_JSON_LINES_H
#define REGISTRAR_JSON_LINES_H

/*
 * The 1-based line of the value at `path` in `text`, which must be valid
 * JSON. A path is keys and array indexes joined by '/': "listeners/0/port".
 * A path that is not there gives the line of its deepest part that is.
 */
int json_line(const char *text, const char *path);

#endif

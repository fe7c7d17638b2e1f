/* SPDX-License-Identifier: Apache-2.0 */
/* Opaque texts that are handed out and handed back: cursors, since, ids. */
#ifndef REGISTRAR_STATUS_TOKEN_H
#define REGISTRAR_STATUS_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TOKEN_DATA_MAX = 64, TOKEN_MAX = 91 };

enum token_kind {
	TOKEN_CURSOR = 'c',  /* behind a name */
	TOKEN_LEAVING = 'l', /* behind a device of a retiring CA */
	TOKEN_SINCE = 's',   /* a moment of the roster */
	TOKEN_BEHIND = 'b',  /* behind a refusal */
	TOKEN_REFUSED = 'r', /* a moment of the refusals */
	TOKEN_EVENT = 'e',   /* a place among the events */
};

/* n bytes as base64url. */
void token_write(char out[TOKEN_MAX + 1], enum token_kind kind,
	const void *data, size_t n);
/* Back again; how many bytes, or -1: it is no such token. */
int token_read(
	const char *text, enum token_kind kind, uint8_t data[TOKEN_DATA_MAX]);

/* A moment: which run of ours, and a number of its own. */
struct token_moment {
	uint64_t run, number;
};
void token_write_moment(char out[TOKEN_MAX + 1], enum token_kind kind,
	struct token_moment moment);
bool token_read_moment(
	const char *text, enum token_kind kind, struct token_moment *out);

#endif

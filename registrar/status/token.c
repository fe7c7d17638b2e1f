/* SPDX-License-Identifier: Apache-2.0 */
/* Opaque texts that are handed out and handed back: cursors, since, ids. */
#include "registrar/status/token.h"

#include <assert.h>
#include <string.h>

#include <openssl/evp.h>

/* The kind goes first: one is never taken for another. */
void token_write(char out[TOKEN_MAX + 1], enum token_kind kind,
	const void *data, size_t n)
{
	uint8_t plain[1 + TOKEN_DATA_MAX];
	assert(n <= TOKEN_DATA_MAX);
	plain[0] = (uint8_t)kind;
	memcpy(plain + 1, data, n);
	EVP_EncodeBlock((uint8_t *)out, plain, (int)n + 1);
	out[strcspn(out, "=")] = '\0';
	for (char *c = out; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
}

/* base64url without its padding as base64; false: it is too long. */
static bool to_base64(const char *text, char padded[TOKEN_MAX + 5])
{
	size_t n = strlen(text);
	if (n > TOKEN_MAX || text[strcspn(text, "+/= \t\r\n")])
		return false;
	for (size_t i = 0; i < n; i++)
		padded[i] = (char)(text[i] == '-'   ? '+'
				   : text[i] == '_' ? '/'
						    : text[i]);
	while (n % 4)
		padded[n++] = '=';
	padded[n] = '\0';
	return true;
}

int token_read(
	const char *text, enum token_kind kind, uint8_t data[TOKEN_DATA_MAX])
{
	char padded[TOKEN_MAX + 5], again[TOKEN_MAX + 1];
	uint8_t plain[TOKEN_MAX];
	if (!to_base64(text, padded))
		return -1;
	int n = EVP_DecodeBlock(
		plain, (const uint8_t *)padded, (int)strlen(padded));
	for (size_t end = strlen(padded); end && padded[end - 1] == '='; end--)
		n--; /* OpenSSL counts what stands for nothing */
	if (n < 1 || n > 1 + TOKEN_DATA_MAX || plain[0] != kind)
		return -1;
	token_write(again, kind, plain + 1, (size_t)n - 1);
	if (strcmp(again, text) != 0)
		return -1; /* each has one spelling */
	memcpy(data, plain + 1, (size_t)n - 1);
	return n - 1;
}

void token_write_moment(char out[TOKEN_MAX + 1], enum token_kind kind,
	struct token_moment moment)
{
	token_write(out, kind, &moment, sizeof(moment));
}

bool token_read_moment(
	const char *text, enum token_kind kind, struct token_moment *out)
{
	uint8_t data[TOKEN_DATA_MAX];
	if (token_read(text, kind, data) != sizeof(*out))
		return false;
	memcpy(out, data, sizeof(*out));
	return true;
}

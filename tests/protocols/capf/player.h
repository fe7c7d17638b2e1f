/* SPDX-License-Identifier: Apache-2.0 */
/* Both CAPF engines as actors for conversation files. */
#ifndef TESTS_PROTOCOLS_CAPF_PLAYER_H
#define TESTS_PROTOCOLS_CAPF_PLAYER_H

#include <stddef.h>
#include <stdint.h>

#include "protocols/capf/message.h"
#include "tests/conversations/runner.h"

/*
 * `= key value`: session, answer_ms, keygen_ms, auth_type.
 * `. verb`: `generate rsa 2048`, `store HEX`, `erase`, `fetch TYPE`,
 * `end REASON`.
 */
extern const struct conversation_engine capf_server_player;
/*
 * `= key value`: version, answer_ms.
 * `. verb`: `auth DEVICE [PASSWORD|""] [TYPE:HEX]`, `progress`, `key HEX`,
 * `nokey REASON`, `stored REASON`, `erased REASON`,
 * `fetched REASON [TYPE:HEX …]`.
 */
extern const struct conversation_engine capf_phone_player;

/* The bytes of text, which has nothing but hex digits, into dst[max]. */
size_t player_hex(const char *text, uint8_t *dst, size_t max);
/* Appends to text, which is an array of n; fails when it does not fit. */
void player_add(char *text, size_t n, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void player_add_bytes(
	char *text, size_t n, const char *name, const struct capf_bytes *bytes);
void player_add_cert(char *text, size_t n, const struct capf_cert *cert);
/* out() hands out one whole message, or nothing: fails if not. */
void player_one_message(const uint8_t *data, size_t n);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Plays a conversation file against an engine. Format: README.md. */
#ifndef TESTS_CONVERSATIONS_RUNNER_H
#define TESTS_CONVERSATIONS_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/moment.h"

/* How the runner drives one kind of engine; self is `size` zeroed bytes. */
struct conversation_engine {
	const char *name;
	size_t size;
	/* `= key value` lines come first; then init. */
	bool (*set)(void *self, const char *key, const char *value);
	void (*init)(void *self, const struct moment *now);
	void (*deinit)(void *self);
	void (*feed)(void *self, const void *data, size_t n,
		const struct moment *now);
	void (*tick)(void *self, const struct moment *now);
	/* Writes the next event as one line of text; false: none. */
	bool (*next)(void *self, char *text, size_t n);
	const uint8_t *(*out)(void *self, size_t *n);
	void (*sent)(void *self, size_t n);
	uint64_t (*deadline)(void *self);
	/* `. verb args`; false: unknown verb (fails the test). */
	bool (*verb)(void *self, const char *line, const struct moment *now);
};

/*
 * Plays the file whole, then split at every byte of what the peer says, then
 * byte by byte; fails the running cmocka test with file:line and what came
 * instead. The wall clock starts at 2026-11-23T04:00:00Z, UTC offset 0.
 */
void conversation_run(
	const struct conversation_engine *engine, const char *path);
/* Every *.conv file of a folder below $DIALTONE_SOURCE; fails if none. */
void conversation_run_folder(
	const struct conversation_engine *engine, const char *folder);

/*
 * The judgement behind conversation_run: true when every way of cutting the
 * text went as written, else why says what came instead, and where.
 */
bool conversation_play(const struct conversation_engine *engine,
	const char *name, const char *text, char *why, size_t n);

#endif

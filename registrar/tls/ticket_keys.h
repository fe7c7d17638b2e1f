/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that seal session tickets: rotated, and shared through a file. */
#ifndef REGISTRAR_TLS_TICKET_KEYS_H
#define REGISTRAR_TLS_TICKET_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "certs/diag.h"

enum {
	TICKET_KEY_NAME = 16,
	TICKET_KEY_HMAC = 32,
	TICKET_KEY_AES = 32,
	/* Accepted: two old ones, the one in use, and the next. */
	TICKET_KEYS = 4,
	TICKET_KEYS_LEAST = 3, /* of a file: HAProxy's own number */
};

struct ticket_key {
	uint8_t name[TICKET_KEY_NAME];
	uint8_t hmac[TICKET_KEY_HMAC];
	uint8_t aes[TICKET_KEY_AES];
};

struct ticket_keys;

/*
 * Opens the keys. path: a file in HAProxy's format for `tls-ticket-keys` (one
 * base64 line of 80 bytes a key: name, HMAC key, AES-256 key; oldest first;
 * the last but one seals, so that every node has read a new key before the
 * first of them uses it), made with mode 0600 if it is not there; refused if
 * others may read it. NULL or "": in memory only. 0, or -errno with d.
 */
int ticket_keys_open(
	const char *path, struct ticket_keys **out, struct diag *d);
void ticket_keys_free(struct ticket_keys *k);

/* The key that seals today, and the one of that name: NULL: none of ours.
 * *old says that a better one is in use. Copied out; cleanse the copy. */
void ticket_keys_seal(struct ticket_keys *k, struct ticket_key *out);
bool ticket_keys_find(struct ticket_keys *k,
	const uint8_t name[TICKET_KEY_NAME], struct ticket_key *out, bool *old);

/* Adds a new key, drops the oldest; every session sealed by that one ends.
 * Both are on the disk when they answer 0; else the old keys stay. */
int ticket_keys_rotate(struct ticket_keys *k, struct diag *d);
/* All keys are new: no ticket that is out there is accepted any more. */
int ticket_keys_revoke_all(struct ticket_keys *k, struct diag *d);
/* Reads the file again, if it is one and has changed. */
int ticket_keys_reload(struct ticket_keys *k, struct diag *d);

/* For people: the first 8 hex digits of each name, oldest first; when the
 * newest was made (unix time). Never the keys. The path lives as long as k. */
struct ticket_keys_view {
	char names[TICKET_KEYS][9];
	size_t seals; /* which of them is in use */
	time_t rotated;
	const char *path; /* NULL: in memory only */
};
struct ticket_keys_view ticket_keys_view(struct ticket_keys *k);

#endif

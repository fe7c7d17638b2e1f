/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions by id: bounded, shared by all workers, back after a restart. */
#ifndef REGISTRAR_TLS_SESSION_CACHE_H
#define REGISTRAR_TLS_SESSION_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/diag.h"

enum {
	SESSION_ID_MAX = 32,
	SESSION_DATA_MAX = 480, /* what does not fit is not cached */
};

struct session_cache;

/*
 * Room for `max` sessions (rounded up). path: a file of mode 0600 that is
 * mapped, so that its content outlives the process however it dies; it holds
 * session secrets, as a ticket key file does: keep it on a memory file system.
 * A file of another size or layout is begun anew; one that another process
 * uses is refused, and one on a full file system; if that fills up later, fewer
 * are kept. NULL or "": memory only. 0, or -errno with d.
 */
int session_cache_open(const char *path, size_t max, struct session_cache **out,
	struct diag *d);
void session_cache_close(struct session_cache *c);

/* What is kept under an id, until `expires` (unix s). */
struct session_cache_entry {
	const uint8_t *id, *data;
	size_t n_id, n;
	int64_t expires;
};
/* Keeps it. What has expired at `now` makes room, else the oldest.
 * Thread-safe, as are the rest. */
void session_cache_put(struct session_cache *c,
	const struct session_cache_entry *e, int64_t now);
/* Copies what is kept; answers its size, 0 when there is none at `now`. */
size_t session_cache_get(struct session_cache *c, const uint8_t *id,
	size_t n_id, int64_t now, uint8_t data[SESSION_DATA_MAX]);
void session_cache_drop(
	struct session_cache *c, const uint8_t *id, size_t n_id);
/* Forgets all of them, in the file too: 0, or -errno when it cannot be
 * written to the disk (they are forgotten all the same, until power fails). */
int session_cache_clear(struct session_cache *c);
/* Places in use, expired ones among them; of how many; bytes of each. Cheap. */
struct session_cache_fill {
	size_t used, room, slot_bytes;
};
struct session_cache_fill session_cache_fill(const struct session_cache *c);
/* How many are kept and not expired at now; looks at all of them. */
size_t session_cache_count(struct session_cache *c, int64_t now);

#endif

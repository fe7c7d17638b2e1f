/* SPDX-License-Identifier: Apache-2.0 */
/* The keys that phones make for CAPF: on uv's thread pool, or a shared few. */
#ifndef BENCH_KEYS_H
#define BENCH_KEYS_H

#include <stdbool.h>

#include <openssl/evp.h>
#include <uv.h>

#include "protocols/capf/ids.h"

enum { KEYS_SHARED_MAX = 1000 };

/*
 * Each phone makes a key of its own; or `shared` keys of each kind are made,
 * which phones take in turn: so a fleet costs few real generations, but the
 * phones of one turn could sign for each other.
 */
struct keys;

/* One phone waits for a key; lies in what waits. Zeroed: nobody does. */
struct keys_order {
	struct keys_order *next;
	struct keys_job *job;
	/* Handed over; NULL: OpenSSL could not. The order is done. */
	void (*on_made)(struct keys_order *order, EVP_PKEY *key);
	void *owner;
};

/* shared 0: each its own. */
struct keys *keys_new(uv_loop_t *loop, unsigned shared);
/* When nobody waits any more and the loop has ended. */
void keys_free(struct keys *keys);

/*
 * A key as wished: at once (a reference of the caller's), or NULL: on_made
 * tells, unless the order is forgotten before. turn: any number, the same of
 * which gets the same shared key.
 */
EVP_PKEY *keys_ask(struct keys *keys, const struct capf_key_wish *wish,
	unsigned turn, struct keys_order *order);
void keys_forget(struct keys_order *order);

/* Is the key of that type and size? */
bool keys_fits(const EVP_PKEY *key, const struct capf_key_wish *wish);

#endif

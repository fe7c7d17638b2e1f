/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's small change: blocks that it frees and takes again all the time. */
#include "registrar/tls/pool.h"

#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <openssl/crypto.h>

enum {
	STEP = 16,
	CLASSES = 1408,	       /* up to 22 KB: a handshake's buffer */
	CLASS_MAX = 8 * 1024,  /* bytes of one size that are kept, */
	CLASS_LEAST = 2,       /* but so many blocks anyway; */
	KEPT_MAX = 256 * 1024, /* bytes of a thread */
};

/* A block while it is kept. */
struct block {
	struct block *next;
	const void *owner; /* the pool; who frees it again finds that */
};

/* Of the program's own: found without asking the dynamic linker. */
__attribute__((tls_model("local-exec"))) static _Thread_local struct pool {
	size_t kept;
	bool watched; /* the end of this thread empties it */
	struct {
		struct block *first;
		size_t n;
	} classes[CLASSES];
} pool;

/* malloc() gives a block of 16 c + 8 bytes to whom asks for as much or for up
 * to 15 less, and at least 24. */
static size_t class_of(size_t n)
{
	return n <= STEP + 8 ? 1 : (n + STEP - 8 - 1) / STEP;
}

static size_t size_of(size_t c)
{
	return c * STEP + 8;
}

static void *take(size_t n, const char *file, int line)
{
	size_t c = class_of(n);
	struct block *b = c < CLASSES ? pool.classes[c].first : NULL;
	(void)file;
	(void)line;
	if (!b)
		return malloc(n);
	pool.classes[c].first = b->next;
	pool.classes[c].n--;
	pool.kept -= size_of(c);
	b->owner = NULL;
	return b;
}

static void *resize(void *p, size_t n, const char *file, int line)
{
	if (!p)
		return take(n, file, line);
	if (n)
		return realloc(p, n);
	free(p);
	return NULL;
}

static void check_kept_once(const struct block *b, size_t c)
{
	for (const struct block *at = pool.classes[c].first; at; at = at->next)
		if (at == b)
			abort();
}

/* One more of that size? Class 0 is of another malloc() than glibc's, which
 * gives blocks that a struct block does not fit into. */
static bool wanted(size_t c)
{
	return c > 0 && c < CLASSES && pool.kept < KEPT_MAX &&
	       (pool.classes[c].n < CLASS_LEAST ||
		       pool.classes[c].n * size_of(c) < CLASS_MAX);
}

static pthread_key_t key;

/* Again if OpenSSL's own end of the thread frees something after this. */
static void empty(void *unused)
{
	(void)unused;
	for (size_t c = 0; c < CLASSES; c++)
		while (pool.classes[c].first) {
			struct block *b = pool.classes[c].first;
			pool.classes[c].first = b->next;
			free(b);
		}
	pool = (struct pool){.kept = 0};
}

static void watch(void)
{
	pool.watched = pthread_setspecific(key, &pool) == 0;
}

static void give(void *p, const char *file, int line)
{
	struct block *b = p;
	(void)file;
	(void)line;
	if (!b)
		return;
	size_t c = (malloc_usable_size(b) - 8) / STEP;
	if (!wanted(c)) {
		free(b);
		return;
	}
	if (!pool.watched)
		watch();
	if (b->owner == &pool)
		check_kept_once(b, c);
	b->owner = &pool;
	b->next = pool.classes[c].first;
	pool.classes[c].first = b;
	pool.classes[c].n++;
	pool.kept += size_of(c);
}

#if defined(__has_feature)
#define SANITIZED \
	(__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

bool pool_start(void)
{
	return !SANITIZED && pthread_key_create(&key, empty) == 0 &&
	       CRYPTO_set_mem_functions(take, resize, give) == 1;
}

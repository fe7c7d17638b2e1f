/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions by id: bounded, shared by all workers, back after a restart. */
#include "registrar/tls/session_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "registrar/memory.h"

enum { WAYS = 8, LOCKS = 64, MAGIC = 0x44543031 /* "DT01" */ };

/* One session. `sum` covers the rest: a slot that was being written when the
 * process died does not fit it and counts as empty. */
struct slot {
	uint64_t sum;
	int64_t expires; /* 0: empty */
	uint16_t n_id, n;
	uint8_t id[SESSION_ID_MAX];
	uint8_t data[SESSION_DATA_MAX];
};

struct header {
	uint32_t magic;
	uint32_t slot_size;
	uint64_t buckets;
	uint8_t fill[48];
};

struct session_cache {
	struct header *header; /* the mapping; slots follow */
	struct slot *slots;
	size_t buckets;
	size_t size; /* of the mapping */
	size_t used; /* places; atomic */
	pthread_mutex_t locks[LOCKS];
};

static uint64_t hash(const uint8_t *p, size_t n, uint64_t h)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 1099511628211u;
	return h;
}

static uint64_t sum_of(const struct slot *s)
{
	uint64_t h = hash((const uint8_t *)&s->expires,
		offsetof(struct slot, data) - offsetof(struct slot, expires),
		14695981039346656037u);
	return hash(s->data, s->n, h);
}

static bool holds(const struct slot *s, int64_t now)
{
	return s->expires > now && s->n_id <= SESSION_ID_MAX &&
	       s->n <= SESSION_DATA_MAX && s->sum == sum_of(s);
}

static bool is(const struct slot *s, const uint8_t *id, size_t n_id)
{
	return s->n_id == n_id && memcmp(s->id, id, n_id) == 0;
}

/* The bucket of an id, locked; unlock what comes out in *lock. */
static struct slot *enter(struct session_cache *c, const uint8_t *id,
	size_t n_id, pthread_mutex_t **lock)
{
	size_t bucket = hash(id, n_id, 14695981039346656037u) % c->buckets;
	*lock = &c->locks[bucket % LOCKS];
	pthread_mutex_lock(*lock);
	return &c->slots[bucket * WAYS];
}

static int map_file(struct session_cache *c, const char *path, struct diag *d)
{
	struct stat st = {0};
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int error = fd < 0 || fstat(fd, &st) < 0 ? errno : 0;
	if (!error && (!S_ISREG(st.st_mode) || (st.st_mode & 077)))
		error = EPERM;
	if (!error && st.st_size != (off_t)c->size &&
		(ftruncate(fd, 0) < 0 || ftruncate(fd, (off_t)c->size) < 0))
		error = errno;
	if (!error) {
		c->header = mmap(NULL, c->size, PROT_READ | PROT_WRITE,
			MAP_SHARED, fd, 0);
		error = c->header == MAP_FAILED ? errno : 0;
	}
	if (fd >= 0)
		close(fd);
	if (!error)
		return 0;
	c->header = NULL;
	return diag_set(d, -error, "%s: cannot keep sessions here: %s", path,
		error == EPERM ? "must be a file that only its owner may read"
			       : strerror(error));
}

static int map_memory(struct session_cache *c)
{
	c->header = mmap(NULL, c->size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c->header == MAP_FAILED)
		abort(); /* law 2: no memory, at start */
	return 0;
}

static size_t count_used(const struct session_cache *c)
{
	size_t n = 0;
	for (size_t i = 0; i < c->buckets * WAYS; i++)
		n += c->slots[i].expires != 0;
	return n;
}

int session_cache_open(const char *path, size_t max, struct session_cache **out,
	struct diag *d)
{
	struct session_cache *c = memory_zero(sizeof(*c));
	c->buckets = max / WAYS + 1;
	c->size = sizeof(*c->header) + c->buckets * WAYS * sizeof(struct slot);
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_init(&c->locks[i], NULL);
	int error = path && *path ? map_file(c, path, d) : map_memory(c);
	if (error < 0) {
		session_cache_close(c);
		return error;
	}
	struct header want = {.magic = MAGIC,
		.slot_size = sizeof(struct slot),
		.buckets = c->buckets};
	c->slots = (struct slot *)(c->header + 1);
	if (memcmp(c->header, &want, sizeof(want)) != 0) {
		if (c->header->magic) /* else it is new, and empty */
			session_cache_clear(c);
		*c->header = want;
	}
	c->used = path && *path ? count_used(c) : 0;
	/* Not in a core file. */
	madvise(c->header, c->size, MADV_DONTDUMP);
	*out = c;
	return 0;
}

void session_cache_close(struct session_cache *c)
{
	if (!c)
		return;
	if (c->header)
		munmap(c->header, c->size);
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&c->locks[i]);
	free(c);
}

/* The slot of that id, else an empty one, else the one that ends first. */
static struct slot *choose(struct slot *bucket, const uint8_t *id, size_t n_id)
{
	struct slot *first = bucket;
	for (size_t i = 0; i < WAYS; i++) {
		if (is(&bucket[i], id, n_id))
			return &bucket[i];
		if (bucket[i].expires < first->expires)
			first = &bucket[i];
	}
	return first;
}

void session_cache_put(struct session_cache *c, const uint8_t *id, size_t n_id,
	const uint8_t *data, size_t n, int64_t expires)
{
	pthread_mutex_t *lock;
	if (n_id == 0 || n_id > SESSION_ID_MAX || n > SESSION_DATA_MAX)
		return;
	struct slot *s = choose(enter(c, id, n_id, &lock), id, n_id);
	__atomic_add_fetch(&c->used, s->expires == 0, __ATOMIC_RELAXED);
	memset(s->id, 0, sizeof(s->id));
	memcpy(s->id, id, n_id);
	memcpy(s->data, data, n);
	s->n_id = (uint16_t)n_id;
	s->n = (uint16_t)n;
	s->expires = expires;
	s->sum = sum_of(s);
	pthread_mutex_unlock(lock);
}

size_t session_cache_get(struct session_cache *c, const uint8_t *id,
	size_t n_id, int64_t now, uint8_t data[SESSION_DATA_MAX])
{
	pthread_mutex_t *lock;
	size_t n = 0;
	if (n_id == 0 || n_id > SESSION_ID_MAX)
		return 0;
	const struct slot *bucket = enter(c, id, n_id, &lock);
	for (size_t i = 0; i < WAYS && n == 0; i++)
		if (is(&bucket[i], id, n_id) && holds(&bucket[i], now)) {
			n = bucket[i].n;
			memcpy(data, bucket[i].data, n);
		}
	pthread_mutex_unlock(lock);
	return n;
}

void session_cache_drop(struct session_cache *c, const uint8_t *id, size_t n_id)
{
	pthread_mutex_t *lock;
	if (n_id == 0 || n_id > SESSION_ID_MAX)
		return;
	struct slot *bucket = enter(c, id, n_id, &lock);
	for (size_t i = 0; i < WAYS; i++)
		if (is(&bucket[i], id, n_id)) {
			__atomic_sub_fetch(&c->used, bucket[i].expires != 0,
				__ATOMIC_RELAXED);
			OPENSSL_cleanse(&bucket[i], sizeof(bucket[i]));
		}
	pthread_mutex_unlock(lock);
}

int session_cache_clear(struct session_cache *c)
{
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_lock(&c->locks[i]);
	/* Pages that were never written stay unwritten. */
	for (size_t i = 0; i < c->buckets * WAYS; i++)
		if (c->slots[i].expires)
			OPENSSL_cleanse(&c->slots[i], sizeof(c->slots[i]));
	__atomic_store_n(&c->used, 0, __ATOMIC_RELAXED);
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_unlock(&c->locks[i]);
	return msync(c->header, c->size, MS_SYNC) < 0 ? -errno : 0;
}

struct session_cache_fill session_cache_fill(const struct session_cache *c)
{
	return (struct session_cache_fill){
		.used = __atomic_load_n(&c->used, __ATOMIC_RELAXED),
		.room = c->buckets * WAYS,
		.slot_bytes = sizeof(struct slot),
	};
}

size_t session_cache_count(struct session_cache *c, int64_t now)
{
	size_t n = 0;
	for (size_t b = 0; b < c->buckets; b++) {
		pthread_mutex_t *lock = &c->locks[b % LOCKS];
		pthread_mutex_lock(lock);
		for (size_t i = 0; i < WAYS; i++)
			n += holds(&c->slots[b * WAYS + i], now);
		pthread_mutex_unlock(lock);
	}
	return n;
}

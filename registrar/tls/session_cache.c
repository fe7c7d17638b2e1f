/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions by id: bounded, shared by all workers, back after a restart. */
#include "registrar/tls/session_cache.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "registrar/memory.h"

enum {
	SHARDS = 16,
	MAGIC = 0x44543032, /* "DT02" */
	CHUNK = 32, /* slots that the file system is asked for at once */
};

/* One session. `sum` covers the rest: a slot that was being written when the
 * process died does not fit it and counts as empty. */
struct slot {
	uint64_t sum;
	int64_t expires; /* 0: empty */
	uint16_t n_id, n;
	uint8_t id[SESSION_ID_MAX];
	uint8_t data[SESSION_DATA_MAX];
};

/* What begins the mapping; the slots of all shards follow. */
struct header {
	uint32_t magic;
	uint32_t slot_size;
	uint32_t slots; /* of a shard */
	uint32_t fill;
	uint32_t high[SHARDS]; /* slots of it that were ever written */
	uint8_t rest[48];
};

/*
 * Where slots are, in memory alone: slot i is number i + 1, 0 is none. A slot
 * is free, or it is in its bucket and in the list by age. Slots are taken from
 * the front of the mapping, so that few sessions touch few pages.
 */
struct node {
	uint32_t next; /* in its bucket, or of the free ones */
	uint32_t older, newer;
};

struct shard {
	pthread_mutex_t lock;
	struct slot *slots;
	struct node *nodes;
	uint32_t *buckets; /* as many as slots */
	uint32_t *high;
	uint32_t ready; /* slots that the file system has room for */
	uint32_t free, oldest, newest;
	size_t used; /* atomic: read without the lock */
};

struct session_cache {
	struct header *header;
	size_t size; /* of the mapping */
	int fd;	     /* of the file, locked; -1: none */
	uint32_t slots;
	struct shard shards[SHARDS];
};

/* ---- slots ---- */

static uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 32;
}

static uint64_t hash(const uint8_t *p, size_t n, uint64_t h)
{
	uint64_t word = n;
	for (; n >= sizeof(word); n -= sizeof(word), p += sizeof(word)) {
		h = mix(h, word);
		memcpy(&word, p, sizeof(word));
	}
	h = mix(h, word);
	word = 0;
	memcpy(&word, p, n);
	return mix(h, word);
}

/* Against half-written slots, not against people: the file is ours alone. */
static uint64_t sum_of(const struct slot *s)
{
	uint64_t h = hash((const uint8_t *)&s->expires,
		offsetof(struct slot, data) - offsetof(struct slot, expires),
		MAGIC);
	return hash(s->data, s->n, h);
}

static bool is_whole(const struct slot *s)
{
	return s->expires != 0 && s->n_id <= SESSION_ID_MAX &&
	       s->n <= SESSION_DATA_MAX && s->sum == sum_of(s);
}

/* ---- a shard; its lock is held ---- */

static uint32_t *bucket_of(const struct session_cache *c, struct shard *s,
	const uint8_t *id, size_t n)
{
	return &s->buckets[(hash(id, n, 0) >> 8) % c->slots];
}

/* The place that names the slot of that id, or 0 at the end of its bucket. */
static uint32_t *find(const struct session_cache *c, struct shard *s,
	const uint8_t *id, size_t n)
{
	uint32_t *at = bucket_of(c, s, id, n);
	while (*at && (s->slots[*at - 1].n_id != n ||
			      memcmp(s->slots[*at - 1].id, id, n) != 0))
		at = &s->nodes[*at - 1].next;
	return at;
}

static void link_slot(
	const struct session_cache *c, struct shard *s, uint32_t i)
{
	const struct slot *slot = &s->slots[i - 1];
	struct node *node = &s->nodes[i - 1];
	uint32_t *bucket = bucket_of(c, s, slot->id, slot->n_id);
	*node = (struct node){.next = *bucket, .older = s->newest};
	*bucket = i;
	*(s->newest ? &s->nodes[s->newest - 1].newer : &s->oldest) = i;
	s->newest = i;
	__atomic_add_fetch(&s->used, 1, __ATOMIC_RELAXED);
}

/* Takes the slot that *at names out of bucket and list and empties it. */
static void release(struct shard *s, uint32_t *at)
{
	uint32_t i = *at;
	struct node *node = &s->nodes[i - 1];
	*at = node->next;
	*(node->older ? &s->nodes[node->older - 1].newer : &s->oldest) =
		node->newer;
	*(node->newer ? &s->nodes[node->newer - 1].older : &s->newest) =
		node->older;
	OPENSSL_cleanse(&s->slots[i - 1], sizeof(struct slot));
	node->next = s->free;
	s->free = i;
	__atomic_sub_fetch(&s->used, 1, __ATOMIC_RELAXED);
}

static void release_oldest(const struct session_cache *c, struct shard *s)
{
	const struct slot *slot = &s->slots[s->oldest - 1];
	release(s, find(c, s, slot->id, slot->n_id));
}

/*
 * Touching a page that a full file system has no room for is SIGBUS, the end
 * of us: so room is asked for first. 0, or -errno. A file system that cannot
 * be asked is trusted.
 */
static int reserve(const struct session_cache *c, const void *at, size_t n)
{
	off_t from = (const uint8_t *)at - (const uint8_t *)c->header;
	if (c->fd < 0 || fallocate(c->fd, 0, from, (off_t)n) == 0)
		return 0;
	return errno == EOPNOTSUPP || errno == ENOSYS ? 0 : -errno;
}

/* A slot that was never used; 0: there is none, or no room for it. */
static uint32_t fresh(const struct session_cache *c, struct shard *s)
{
	uint32_t left = c->slots - s->ready;
	uint32_t more = left < CHUNK ? left : CHUNK;
	if (*s->high < s->ready)
		return ++*s->high;
	if (!more || reserve(c, s->slots + s->ready, more * sizeof(*s->slots)))
		return 0;
	s->ready += more;
	return ++*s->high;
}

/* A free slot: one that was used before, a new one, or the oldest one's; 0:
 * the file system has no room for the first. */
static uint32_t take(
	const struct session_cache *c, struct shard *s, int64_t now)
{
	while (s->oldest && s->slots[s->oldest - 1].expires <= now)
		release_oldest(c, s);
	uint32_t i = s->free ? 0 : fresh(c, s);
	if (i)
		return i;
	if (!s->free && s->oldest)
		release_oldest(c, s);
	i = s->free;
	if (i)
		s->free = s->nodes[i - 1].next;
	return i;
}

static struct shard *enter(struct session_cache *c, const uint8_t *id, size_t n)
{
	struct shard *s = &c->shards[hash(id, n, 0) % SHARDS];
	pthread_mutex_lock(&s->lock);
	return s;
}

/* ---- opening ---- */

/* All of it goes, and no page is touched. */
static int begin_anew(const struct session_cache *c)
{
	return ftruncate(c->fd, 0) < 0 || ftruncate(c->fd, (off_t)c->size) < 0
		       ? -errno
		       : 0;
}

static int refuse_file(const char *path, int error, struct diag *d)
{
	return diag_set(d, error, "%s: cannot keep sessions here: %s", path,
		error == -EPERM		? "must be a file that only its owner "
					  "may read"
		: error == -EWOULDBLOCK ? "another process keeps its own here; "
					  "give each a tls.session_cache"
		: error == -ENOSPC	? "its file system is full: make room "
					  "there, or name another place"
					: strerror(-error));
}

static int map_file(struct session_cache *c, const char *path)
{
	struct stat st = {0};
	c->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int error = c->fd < 0 || fstat(c->fd, &st) < 0 ? errno : 0;
	if (!error && (!S_ISREG(st.st_mode) || (st.st_mode & 077)))
		error = EPERM;
	/* Two processes would not know of each other's locks. */
	if (!error && flock(c->fd, LOCK_EX | LOCK_NB) < 0)
		error = errno;
	if (!error && st.st_size != (off_t)c->size)
		error = -begin_anew(c);
	if (error)
		return -error;
	c->header = mmap(
		NULL, c->size, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
	if (c->header != MAP_FAILED)
		return reserve(c, c->header, sizeof(*c->header));
	c->header = NULL;
	return -errno;
}

static int map_memory(struct session_cache *c)
{
	c->header = mmap(NULL, c->size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c->header == MAP_FAILED)
		abort(); /* law 2: no memory, at start */
	return 0;
}

/* Finds again what the shard held, if the process before us left any. */
static void recover(const struct session_cache *c, struct shard *s)
{
	for (uint32_t i = 1; i <= *s->high; i++) {
		if (is_whole(&s->slots[i - 1])) {
			link_slot(c, s, i);
			continue;
		}
		s->nodes[i - 1].next = s->free;
		s->free = i;
	}
}

/* What is not ours, or of another size, is begun anew. */
static int take_header(struct session_cache *c)
{
	const struct header want = {.magic = MAGIC,
		.slot_size = sizeof(struct slot),
		.slots = c->slots};
	if (memcmp(c->header, &want, offsetof(struct header, high)) == 0)
		return 0;
	int error = c->header->magic ? begin_anew(c) : 0;
	if (error == 0)
		error = reserve(c, c->header, sizeof(*c->header));
	if (error == 0)
		*c->header = want;
	return error;
}

static void open_shard(struct session_cache *c, size_t i)
{
	struct shard *s = &c->shards[i];
	pthread_mutex_init(&s->lock, NULL);
	s->slots = (struct slot *)(c->header + 1) + i * c->slots;
	s->nodes = memory_zero(c->slots * sizeof(*s->nodes));
	s->buckets = memory_zero(c->slots * sizeof(*s->buckets));
	s->high = &c->header->high[i];
	if (*s->high > c->slots)
		*s->high = c->slots;
}

static int set_up(struct session_cache *c)
{
	assert(c->header);
	int error = take_header(c);
	for (size_t i = 0; error == 0 && i < SHARDS; i++) {
		struct shard *s = &c->shards[i];
		open_shard(c, i);
		s->ready = *s->high;
		if (s->ready)
			error = reserve(
				c, s->slots, s->ready * sizeof(*s->slots));
		if (error == 0)
			recover(c, s);
	}
	/* Not in a core file. */
	madvise(c->header, c->size, MADV_DONTDUMP);
	return error;
}

int session_cache_open(const char *path, size_t max, struct session_cache **out,
	struct diag *d)
{
	struct session_cache *c = memory_zero(sizeof(*c));
	c->fd = -1;
	c->slots = (uint32_t)(max / SHARDS + 1);
	c->size = sizeof(*c->header) + SHARDS * c->slots * sizeof(struct slot);
	int error = path && *path ? map_file(c, path) : map_memory(c);
	if (error == 0)
		error = set_up(c);
	if (error < 0) {
		session_cache_close(c);
		return refuse_file(path, error, d);
	}
	*out = c;
	return 0;
}

void session_cache_close(struct session_cache *c)
{
	if (!c)
		return;
	if (c->header)
		munmap(c->header, c->size);
	if (c->fd >= 0)
		close(c->fd);
	for (size_t i = 0; i < SHARDS && c->shards[i].nodes; i++) {
		pthread_mutex_destroy(&c->shards[i].lock);
		free(c->shards[i].nodes);
		free(c->shards[i].buckets);
	}
	free(c);
}

/* ---- use ---- */

static void write_slot(struct slot *slot, const struct session_cache_entry *e)
{
	memcpy(slot->id, e->id, e->n_id);
	memcpy(slot->data, e->data, e->n);
	slot->n_id = (uint16_t)e->n_id;
	slot->n = (uint16_t)e->n;
	slot->expires = e->expires;
	slot->sum = sum_of(slot);
}

void session_cache_put(struct session_cache *c,
	const struct session_cache_entry *e, int64_t now)
{
	if (e->n_id == 0 || e->n_id > SESSION_ID_MAX || e->n > SESSION_DATA_MAX)
		return;
	struct shard *s = enter(c, e->id, e->n_id);
	uint32_t *there = find(c, s, e->id, e->n_id);
	if (*there)
		release(s, there);
	uint32_t i = take(c, s, now);
	if (i) {
		write_slot(&s->slots[i - 1], e);
		link_slot(c, s, i);
	}
	pthread_mutex_unlock(&s->lock);
}

size_t session_cache_get(struct session_cache *c, const uint8_t *id,
	size_t n_id, int64_t now, uint8_t data[SESSION_DATA_MAX])
{
	size_t n = 0;
	if (n_id == 0 || n_id > SESSION_ID_MAX)
		return 0;
	struct shard *s = enter(c, id, n_id);
	uint32_t i = *find(c, s, id, n_id);
	if (i && s->slots[i - 1].expires > now) {
		n = s->slots[i - 1].n;
		memcpy(data, s->slots[i - 1].data, n);
	}
	pthread_mutex_unlock(&s->lock);
	return n;
}

void session_cache_drop(struct session_cache *c, const uint8_t *id, size_t n_id)
{
	if (n_id == 0 || n_id > SESSION_ID_MAX)
		return;
	struct shard *s = enter(c, id, n_id);
	uint32_t *at = find(c, s, id, n_id);
	if (*at)
		release(s, at);
	pthread_mutex_unlock(&s->lock);
}

int session_cache_clear(struct session_cache *c)
{
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *s = &c->shards[i];
		pthread_mutex_lock(&s->lock);
		while (s->oldest)
			release_oldest(c, s);
		pthread_mutex_unlock(&s->lock);
	}
	return msync(c->header, c->size, MS_SYNC) < 0 ? -errno : 0;
}

struct session_cache_fill session_cache_fill(const struct session_cache *c)
{
	struct session_cache_fill fill = {
		.room = (size_t)c->slots * SHARDS,
		.slot_bytes = sizeof(struct slot) + sizeof(struct node) +
			      sizeof(uint32_t),
	};
	for (size_t i = 0; i < SHARDS; i++)
		fill.used +=
			__atomic_load_n(&c->shards[i].used, __ATOMIC_RELAXED);
	return fill;
}

size_t session_cache_count(struct session_cache *c, int64_t now)
{
	size_t n = 0;
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *s = &c->shards[i];
		pthread_mutex_lock(&s->lock);
		for (uint32_t k = 0; k < *s->high; k++)
			n += is_whole(&s->slots[k]) &&
			     s->slots[k].expires > now;
		pthread_mutex_unlock(&s->lock);
	}
	return n;
}

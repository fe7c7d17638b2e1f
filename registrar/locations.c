/* SPDX-License-Identifier: Apache-2.0 */
/* Where an address can be reached: AOR to the contacts that are bound to it. */
#include "registrar/locations.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/memory.h"

enum { SHARDS = 16, BUCKETS = 1024, PART_LOCKS = 64, FOUND_MAX = 64 };

/* An AOR that leads to a part. */
struct location_name {
	struct location_name *next;	/* in its bucket */
	struct location_name *next_own; /* of its part */
	struct locations_part *part;
	uint64_t hash;
	char aor[];
};

struct shard {
	pthread_mutex_t lock;
	struct location_name *buckets[BUCKETS];
};

/* The lock of a shard is taken before that of a part. */
struct locations {
	struct shard shards[SHARDS];
	pthread_mutex_t parts[PART_LOCKS];
};

struct locations *locations_new(void)
{
	struct locations *l = memory_zero(sizeof(*l));
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&l->shards[i].lock, NULL);
	for (size_t i = 0; i < PART_LOCKS; i++)
		pthread_mutex_init(&l->parts[i], NULL);
	return l;
}

void locations_free(struct locations *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_destroy(&l->shards[i].lock);
	for (size_t i = 0; i < PART_LOCKS; i++)
		pthread_mutex_destroy(&l->parts[i]);
	free(l);
}

/* FNV-1a */
uint64_t locations_hash(const char *aor)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	for (; *aor; aor++)
		hash = (hash ^ (unsigned char)*aor) * UINT64_C(1099511628211);
	return hash;
}

static struct shard *shard_of(struct locations *l, uint64_t hash)
{
	return &l->shards[hash % SHARDS];
}

static struct location_name **bucket_of(struct shard *s, uint64_t hash)
{
	return &s->buckets[hash / SHARDS % BUCKETS];
}

static pthread_mutex_t *lock_of(
	struct locations *l, const struct locations_part *part)
{
	return &l->parts[(uintptr_t)part / 64 % PART_LOCKS];
}

void locations_lock(struct locations *l, const struct locations_part *part)
{
	pthread_mutex_lock(lock_of(l, part));
}

void locations_unlock(struct locations *l, const struct locations_part *part)
{
	pthread_mutex_unlock(lock_of(l, part));
}

/* ---- names ---- */

static bool listed(const char *aor, const char *const *aors, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(aors[i], aor) == 0)
			return true;
	return false;
}

static bool has(const struct locations_part *part, const char *aor)
{
	const struct location_name *name = part->names;
	while (name && strcmp(name->aor, aor) != 0)
		name = name->next_own;
	return name != NULL;
}

static void remove_name(struct locations *l, struct location_name *name)
{
	struct shard *s = shard_of(l, name->hash);
	pthread_mutex_lock(&s->lock);
	struct location_name **at = bucket_of(s, name->hash);
	while (*at != name)
		at = &(*at)->next;
	*at = name->next;
	pthread_mutex_unlock(&s->lock);
	free(name);
}

static void add_name(
	struct locations *l, struct locations_part *part, const char *aor)
{
	size_t n = strlen(aor) + 1;
	struct location_name *name = memory_zero(sizeof(*name) + n);
	name->part = part;
	name->hash = locations_hash(aor);
	memcpy(name->aor, aor, n);
	name->next_own = part->names;
	part->names = name;
	struct shard *s = shard_of(l, name->hash);
	pthread_mutex_lock(&s->lock);
	struct location_name **bucket = bucket_of(s, name->hash);
	name->next = *bucket;
	*bucket = name;
	pthread_mutex_unlock(&s->lock);
}

void locations_set_names(struct locations *l, struct locations_part *part,
	const char *const *aors, size_t n)
{
	for (struct location_name **at = &part->names; *at;) {
		struct location_name *name = *at;
		if (listed(name->aor, aors, n)) {
			at = &name->next_own;
			continue;
		}
		*at = name->next_own;
		remove_name(l, name);
	}
	for (size_t i = 0; i < n; i++)
		if (!has(part, aors[i]))
			add_name(l, part, aors[i]);
}

/* ---- finding ---- */

/* Where the pieces of one location go, in a block of its own. */
static const char *keep(char **end, const char *text, size_t n)
{
	char *kept = *end;
	memcpy(kept, text, n);
	kept[n] = '\0';
	*end += n + 1;
	return kept;
}

struct sip_slice locations_urn(const struct sip_binding *binding)
{
	struct sip_slice instance = sip_binding_instance(binding);
	while (instance.n && strchr("\"<", instance.p[0]))
		instance = (struct sip_slice){instance.p + 1, instance.n - 1};
	while (instance.n && strchr("\">", instance.p[instance.n - 1]))
		instance.n--;
	return instance;
}

static void copy(struct location *out, const struct sip_binding *b,
	const struct locations_part *part, const struct moment *now)
{
	struct sip_slice uri = sip_binding_uri(b);
	struct sip_slice urn = locations_urn(b);
	const char *texts[] = {b->text, sip_binding_path(b), b->call_id,
		part->device, part->peer->address};
	size_t lengths[5], room = uri.n + urn.n + 7;
	for (size_t i = 0; i < 5; i++)
		room += lengths[i] = strlen(texts[i]);
	char *end = memory_zero(room);
	*out = (struct location){
		.contact = keep(&end, texts[0], lengths[0]),
		.path = keep(&end, texts[1], lengths[1]),
		.call_id = keep(&end, texts[2], lengths[2]),
		.device = keep(&end, texts[3], lengths[3]),
		.address = keep(&end, texts[4], lengths[4]),
		.uri = keep(&end, uri.p, uri.n),
		.instance = keep(&end, urn.p, urn.n),
		.port = part->peer->port,
		.tls = part->peer->tls,
		.udp = part->peer->udp,
		.q = b->q,
		.reg_id = b->reg_id,
		.cseq = b->cseq,
		.expires_s =
			(uint32_t)((b->expires_ms - now->mono_ms + 500) / 1000),
		.part = part,
		.ref = part->peer->ref,
	};
}

/* What a search adds up to. */
struct found {
	struct location *list;
	size_t n;
	const struct moment *now;
};

static void take_part(struct found *f, const struct location_name *name)
{
	const struct locations_part *part = name->part;
	for (size_t i = 0; i < part->bindings->n && f->n < FOUND_MAX; i++) {
		const struct sip_binding *b = &part->bindings->list[i];
		if (b->expires_ms <= f->now->mono_ms ||
			(!part->every_line && strcmp(b->aor, name->aor) != 0))
			continue;
		struct location *more =
			memory_grow((void **)&f->list, &f->n, sizeof(*f->list));
		copy(more, b, part, f->now);
	}
}

static int better(const void *a, const void *b)
{
	const struct location *x = a, *y = b;
	if (x->q != y->q)
		return x->q < y->q ? 1 : -1;
	return (x->expires_s < y->expires_s) - (x->expires_s > y->expires_s);
}

static struct location *find(struct locations *l, uint64_t hash,
	const char *aor, const struct moment *now, size_t *n)
{
	struct found f = {.now = now};
	struct shard *s = shard_of(l, hash);
	pthread_mutex_lock(&s->lock);
	for (struct location_name *name = *bucket_of(s, hash); name;
		name = name->next) {
		if (name->hash != hash || (aor && strcmp(name->aor, aor) != 0))
			continue;
		locations_lock(l, name->part);
		take_part(&f, name);
		locations_unlock(l, name->part);
	}
	pthread_mutex_unlock(&s->lock);
	if (f.n > 1)
		qsort(f.list, f.n, sizeof(*f.list), better);
	*n = f.n;
	return f.list;
}

struct location *locations_find(struct locations *l, const char *aor,
	const struct moment *now, size_t *n)
{
	return find(l, locations_hash(aor), aor, now, n);
}

struct location *locations_find_hash(
	struct locations *l, uint64_t hash, const struct moment *now, size_t *n)
{
	return find(l, hash, NULL, now, n);
}

void locations_list_free(struct location *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free((char *)list[i].contact);
	free(list);
}

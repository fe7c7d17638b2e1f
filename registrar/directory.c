/* SPDX-License-Identifier: Apache-2.0 */
/* Which device is registered, over which connection, as what. */
#include "registrar/directory.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "registrar/memory.h"
#include "registrar/text.h"

enum {
	SHARDS = 16,
	BUCKETS = 1024,
	NEWS_AT_ONCE = 64,    /* entries copied under a lock */
	BUCKETS_AT_ONCE = 16, /* looked at under a lock */
	GONE_MAX = 64,	      /* names of a shard that are kept for news */
};

struct node {
	struct node *next;		 /* in its bucket */
	struct node *older, *newer;	 /* gone ones, by when they left */
	struct node *next_new, **at_new; /* in news; at_new NULL: is not */
	struct directory_entry entry;
};

/* Devices whose hash ends in this shard's number, under one lock. */
struct shard {
	pthread_mutex_t lock;
	struct node *buckets[BUCKETS];
	struct node *oldest, *newest; /* list of those not registered */
	struct node *news;
	char (*gone)[CERT_DEVICE_MAX + 1]; /* names, for news */
	size_t n_gone;
	bool lost; /* there were too many of them */
	struct directory_counts counts;
};

struct directory {
	struct shard shards[SHARDS];
	size_t max;
	size_t known; /* in all shards; atomic */
};

/* ---- texts, all of an entry in one block that begins with the device ---- */

static const struct text {
	size_t offset; /* of the pointer, in struct directory_entry */
	size_t most;
} texts[] = {
#define X(field, most) {offsetof(struct directory_entry, field), most},
	DIRECTORY_TEXT_LIST(X)
#undef X
};
enum { TEXTS = sizeof(texts) / sizeof(texts[0]), TEXT_MAX = 256 };

static const char **text_of(struct directory_entry *e, size_t i)
{
	return (const char **)((char *)e + texts[i].offset);
}

static const char *get_text(const struct directory_entry *e, size_t i)
{
	const char *text = *text_of((struct directory_entry *)e, i);
	return text ? text : "";
}

/* Gives e a block of its own for what its texts point to. */
static void keep_texts(struct directory_entry *e)
{
	char all[TEXTS * TEXT_MAX];
	size_t n = 0, at[TEXTS];
	for (size_t i = 0; i < TEXTS; i++) {
		at[i] = n;
		text_copy(all + n, texts[i].most + 1, get_text(e, i));
		n += strlen(all + n) + 1;
	}
	char *block = memory_zero(n);
	memcpy(block, all, n);
	for (size_t i = 0; i < TEXTS; i++)
		*text_of(e, i) = block + at[i];
}

static bool same_texts(
	const struct directory_entry *a, const struct directory_entry *b)
{
	for (size_t i = 0; i < TEXTS; i++)
		if (strcmp(get_text(a, i), get_text(b, i)) != 0)
			return false;
	return true;
}

void directory_entry_deinit(struct directory_entry *e)
{
	free((char *)e->device);
	e->device = NULL;
}

static void free_node(struct node *node)
{
	directory_entry_deinit(&node->entry);
	free(node);
}

struct directory *directory_new(size_t devices_max)
{
	struct directory *d = memory_zero(sizeof(*d));
	d->max = devices_max;
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&d->shards[i].lock, NULL);
	return d;
}

void directory_free(struct directory *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		for (size_t b = 0; b < BUCKETS; b++) {
			struct node *next, *node = d->shards[i].buckets[b];
			for (; node; node = next) {
				next = node->next;
				free_node(node);
			}
		}
		free(d->shards[i].gone);
		pthread_mutex_destroy(&d->shards[i].lock);
	}
	free(d);
}

/* FNV-1a over the name without case. */
static uint32_t hash(const char *device)
{
	uint32_t h = 2166136261u;
	for (; *device; device++)
		h = (h ^ (uint32_t)toupper((unsigned char)*device)) * 16777619u;
	return h;
}

static struct shard *shard_of(struct directory *d, uint32_t h)
{
	return &d->shards[h % SHARDS];
}

static struct node **bucket_of(struct shard *s, uint32_t h)
{
	return &s->buckets[h / SHARDS % BUCKETS];
}

static struct node *find(struct shard *s, uint32_t h, const char *device)
{
	struct node *node = *bucket_of(s, h);
	while (node && strcasecmp(node->entry.device, device) != 0)
		node = node->next;
	return node;
}

static void gone_append(struct shard *s, struct node *node)
{
	node->older = s->newest;
	node->newer = NULL;
	*(s->newest ? &s->newest->newer : &s->oldest) = node;
	s->newest = node;
}

static void gone_remove(struct shard *s, struct node *node)
{
	*(node->older ? &node->older->newer : &s->oldest) = node->newer;
	*(node->newer ? &node->newer->older : &s->newest) = node->older;
	node->older = node->newer = NULL;
}

/* ---- news ---- */

static void add_news(struct shard *s, struct node *node)
{
	if (node->at_new)
		return;
	node->next_new = s->news;
	node->at_new = &s->news;
	if (s->news)
		s->news->at_new = &node->next_new;
	s->news = node;
}

static void remove_news(struct node *node)
{
	if (!node->at_new)
		return;
	*node->at_new = node->next_new;
	if (node->next_new)
		node->next_new->at_new = node->at_new;
	node->at_new = NULL;
}

static void changed(struct shard *s, struct node *node)
{
	node->entry.changes++;
	add_news(s, node);
}

static void add_gone(struct shard *s, struct node *node)
{
	remove_news(node);
	if (s->n_gone == GONE_MAX || s->lost) {
		s->lost = true;
		return;
	}
	char(*name)[CERT_DEVICE_MAX + 1] =
		memory_grow((void **)&s->gone, &s->n_gone, sizeof(s->gone[0]));
	text_copy(*name, sizeof(*name), node->entry.device);
}

/* ---- registrations ---- */

static void count(struct shard *s, const struct directory_entry *e, int by)
{
	enum security_mode mode = security_mode_of(e->tls, e->cipher);
	s->counts.by[e->protocol][mode - SECURITY_NON_SECURE][e->kind]
		    [e->partial] += (size_t)by;
}

static void forget(struct directory *d, struct shard *s, struct node *node)
{
	struct node **at = bucket_of(s, hash(node->entry.device));
	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	gone_remove(s, node);
	add_gone(s, node);
	s->counts.known--;
	__atomic_sub_fetch(&d->known, 1, __ATOMIC_RELAXED);
	free_node(node);
}

/* Makes room in whichever shard has it; false: all are registered. */
static bool forget_longest_gone(struct directory *d)
{
	struct shard *where = NULL;
	int64_t since_ms = INT64_MAX;
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *s = &d->shards[i];
		pthread_mutex_lock(&s->lock);
		if (s->oldest && s->oldest->entry.since_ms <= since_ms) {
			since_ms = s->oldest->entry.since_ms;
			where = s;
		}
		pthread_mutex_unlock(&s->lock);
	}
	if (!where)
		return false;
	pthread_mutex_lock(&where->lock);
	if (where->oldest) /* still: another thread may have been faster */
		forget(d, where, where->oldest);
	pthread_mutex_unlock(&where->lock);
	return true;
}

/* A node for a device that is not there yet; NULL when there is no room. */
static struct node *add(struct directory *d, struct shard *s, uint32_t h)
{
	size_t known = __atomic_load_n(&d->known, __ATOMIC_RELAXED);
	do
		if (known >= d->max)
			return NULL;
	while (!__atomic_compare_exchange_n(&d->known, &known, known + 1, true,
		__ATOMIC_RELAXED, __ATOMIC_RELAXED));
	struct node *node = memory_zero(sizeof(*node));
	struct node **bucket = bucket_of(s, h);
	node->next = *bucket;
	*bucket = node;
	s->counts.known++;
	return node;
}

static bool same_ref(struct conn_ref a, struct conn_ref b)
{
	return a.worker == b.worker && a.id == b.id;
}

/* May `new` take the registration that `old` holds? */
static bool may_replace(
	const struct directory_entry *old, const struct directory_entry *new)
{
	if (new->tls)
		return true;
	if (old->tls)
		return false;
	/* Signed: the clocks of two loops may be read in either order. */
	int64_t silent_ms = (int64_t)(new->seen_mono_ms - old->seen_mono_ms);
	/* The address of a datagram proves nothing against a connection. */
	bool proven = old->udp || !new->udp;
	return (proven && strcmp(old->address,
				  new->address ? new->address : "") == 0) ||
	       silent_ms > 2 * 1000 * (int64_t)old->keepalive_s;
}

static enum directory_result claim(const struct node *node,
	const struct directory_entry *entry, struct conn_ref *old)
{
	if (!node || !node->entry.registered)
		return DIRECTORY_NEW;
	if (same_ref(node->entry.ref, entry->ref))
		return DIRECTORY_REFRESHED;
	if (!may_replace(&node->entry, entry))
		return DIRECTORY_TAKEN;
	*old = node->entry.ref;
	return DIRECTORY_REPLACED;
}

/* A refresh changes neither since when nor why the device came. */
static void keep_story(
	struct directory_entry *entry, const struct directory_entry *before)
{
	entry->registrations = before->registrations;
	entry->since_ms = before->since_ms;
	entry->refused_ms = before->refused_ms;
	if (!entry->came_back || !*entry->came_back)
		entry->came_back = before->came_back;
}

/* Does a refresh say what was said before? */
static bool same_facts(
	const struct directory_entry *a, const struct directory_entry *b)
{
	return a->registered == b->registered && a->protocol == b->protocol &&
	       a->tls == b->tls && a->udp == b->udp && a->port == b->port &&
	       a->resumed == b->resumed && a->waived == b->waived &&
	       a->kind == b->kind && a->cert_not_after == b->cert_not_after &&
	       a->sccp_version == b->sccp_version && a->partial == b->partial &&
	       a->keepalive_s == b->keepalive_s && a->since_ms == b->since_ms &&
	       a->registrations == b->registrations;
}

/* Fills the node with what came; before: what it held, texts included. */
static void fill(struct node *node, const struct directory_entry *entry,
	struct directory_entry *before, enum directory_result result)
{
	node->entry = *entry;
	node->entry.registered = true;
	node->entry.registrations = before->registrations + 1;
	node->entry.changes = before->changes;
	if (result == DIRECTORY_REFRESHED)
		keep_story(&node->entry, before);
	bool same = before->device && same_texts(&node->entry, before);
	if (!same || !same_facts(&node->entry, before))
		node->entry.changes++;
	if (same) {
		for (size_t i = 0; i < TEXTS; i++)
			*text_of(&node->entry, i) = get_text(before, i);
		return;
	}
	keep_texts(&node->entry);
	directory_entry_deinit(before);
}

static enum directory_result try_register(struct directory *d,
	const struct directory_entry *entry, struct conn_ref *old)
{
	uint32_t h = hash(entry->device);
	struct shard *s = shard_of(d, h);
	pthread_mutex_lock(&s->lock);
	struct node *node = find(s, h, entry->device);
	enum directory_result result = claim(node, entry, old);
	if (result == DIRECTORY_TAKEN)
		goto out;
	bool fresh = !node;
	if (fresh && !(node = add(d, s, h))) {
		result = DIRECTORY_FULL;
		goto out;
	}
	struct directory_entry before = node->entry;
	if (node->entry.registered)
		count(s, &node->entry, -1);
	else if (!fresh)
		gone_remove(s, node);
	fill(node, entry, &before, result);
	add_news(s, node);
	count(s, &node->entry, 1);
out:
	pthread_mutex_unlock(&s->lock);
	return result;
}

enum directory_result directory_register(struct directory *d,
	const struct directory_entry *entry, struct conn_ref *old)
{
	enum directory_result result;
	do
		result = try_register(d, entry, old);
	while (result == DIRECTORY_FULL && forget_longest_gone(d));
	return result;
}

void directory_touch(struct directory *d, const char *device,
	struct conn_ref ref, int64_t unix_ms, uint64_t mono_ms)
{
	uint32_t h = hash(device);
	struct shard *s = shard_of(d, h);
	pthread_mutex_lock(&s->lock);
	struct node *node = find(s, h, device);
	if (node && node->entry.registered && same_ref(node->entry.ref, ref)) {
		node->entry.seen_ms = unix_ms;
		node->entry.seen_mono_ms = mono_ms;
		add_news(s, node);
	}
	pthread_mutex_unlock(&s->lock);
}

bool directory_unregister(struct directory *d, const char *device,
	struct conn_ref ref, enum reason_unreg cause, int64_t unix_ms)
{
	uint32_t h = hash(device);
	struct shard *s = shard_of(d, h);
	pthread_mutex_lock(&s->lock);
	struct node *node = find(s, h, device);
	bool held = node && node->entry.registered &&
		    same_ref(node->entry.ref, ref);
	if (held) {
		count(s, &node->entry, -1);
		node->entry.registered = false;
		node->entry.cause = cause;
		node->entry.since_ms = unix_ms;
		gone_append(s, node);
		changed(s, node);
	}
	pthread_mutex_unlock(&s->lock);
	return held;
}

void directory_refused(struct directory *d, const char *device, int64_t unix_ms)
{
	uint32_t h = hash(device);
	struct shard *s = shard_of(d, h);
	pthread_mutex_lock(&s->lock);
	struct node *node = find(s, h, device);
	if (node) {
		node->entry.refused_ms = unix_ms;
		changed(s, node);
	}
	pthread_mutex_unlock(&s->lock);
}

bool directory_find(
	struct directory *d, const char *device, struct directory_entry *out)
{
	uint32_t h = hash(device);
	struct shard *s = shard_of(d, h);
	pthread_mutex_lock(&s->lock);
	const struct node *node = find(s, h, device);
	if (node) {
		*out = node->entry;
		keep_texts(out);
	}
	pthread_mutex_unlock(&s->lock);
	return node != NULL;
}

/* ---- what is new ---- */

static void make_all_new(struct shard *s)
{
	pthread_mutex_lock(&s->lock);
	for (size_t b = 0; b < BUCKETS; b++)
		for (struct node *node = s->buckets[b]; node; node = node->next)
			add_news(s, node);
	pthread_mutex_unlock(&s->lock);
}

static void take_gone(struct shard *s, struct directory_news *out)
{
	for (size_t i = 0; i < s->n_gone; i++) {
		char(*name)[CERT_DEVICE_MAX + 1] = memory_grow(
			(void **)&out->gone, &out->n_gone, sizeof(s->gone[0]));
		memcpy(*name, s->gone[i], sizeof(*name));
	}
	free(s->gone);
	s->gone = NULL;
	s->n_gone = 0;
	out->lost |= s->lost;
	s->lost = false;
}

/* Some of a shard's news; false: there are no more. */
static bool take_some(struct shard *s, struct directory_news *out)
{
	struct directory_entry *some = realloc(
		out->list, (out->n + NEWS_AT_ONCE) * sizeof(*out->list));
	if (!some)
		abort(); /* bounded by limits.devices */
	out->list = some;
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; s->news && i < NEWS_AT_ONCE; i++) {
		struct node *node = s->news;
		remove_news(node);
		some[out->n] = node->entry;
		keep_texts(&some[out->n++]);
	}
	take_gone(s, out);
	bool more = s->news != NULL;
	pthread_mutex_unlock(&s->lock);
	return more;
}

void directory_news(struct directory *d, bool all, struct directory_news *out)
{
	*out = (struct directory_news){0};
	for (size_t i = 0; i < SHARDS; i++) {
		if (all)
			make_all_new(&d->shards[i]);
		while (take_some(&d->shards[i], out))
			;
	}
}

void directory_news_deinit(struct directory_news *news)
{
	for (size_t i = 0; i < news->n; i++)
		directory_entry_deinit(&news->list[i]);
	free(news->list);
	free(news->gone);
}

/* ---- by which certificates ---- */

struct bearers {
	struct directory_bearer *list;
	size_t n;
};

static void add_bearer(struct bearers *b, const struct directory_entry *e)
{
	if (e->kind == CERT_KIND_UNKNOWN)
		return;
	struct directory_bearer *one =
		memory_grow((void **)&b->list, &b->n, sizeof(*one));
	*one = (struct directory_bearer){.kind = e->kind,
		.cert_not_after = e->cert_not_after,
		.registered = e->registered,
		.since_ms = e->since_ms};
	text_copy(one->device, sizeof(one->device), e->device);
	memcpy(one->anchor_sha256, e->anchor_sha256,
		sizeof(one->anchor_sha256));
}

static void add_bearers(struct bearers *b, struct shard *s, size_t bucket)
{
	pthread_mutex_lock(&s->lock);
	for (size_t i = bucket; i < bucket + BUCKETS_AT_ONCE; i++)
		for (const struct node *node = s->buckets[i]; node;
			node = node->next)
			add_bearer(b, &node->entry);
	pthread_mutex_unlock(&s->lock);
}

static int by_device(const void *a, const void *b)
{
	const struct directory_bearer *x = a, *y = b;
	return strcasecmp(x->device, y->device);
}

struct directory_bearer *directory_bearers(struct directory *d, size_t *n)
{
	struct bearers b = {0};
	for (size_t i = 0; i < SHARDS; i++)
		for (size_t k = 0; k < BUCKETS; k += BUCKETS_AT_ONCE)
			add_bearers(&b, &d->shards[i], k);
	if (b.n)
		qsort(b.list, b.n, sizeof(*b.list), by_device);
	*n = b.n;
	return b.list;
}

/* ---- counts ---- */

/* One cell of a shard's registrations. */
static void sum_cell(struct directory_counts *sum, size_t n,
	enum config_protocol protocol, bool tls, enum cert_kind kind)
{
	sum->registered += n;
	sum->by_protocol[protocol] += n;
	sum->tls += tls ? n : 0;
	sum->lsc += kind == CERT_KIND_LSC ? n : 0;
	sum->mic += kind == CERT_KIND_MIC ? n : 0;
}

static void sum_shard(
	struct directory_counts *sum, const struct directory_counts *shard)
{
	enum { CELLS = SECURITY_PREDEFINED * DIRECTORY_KINDS * 2 };
	sum->known += shard->known;
	for (size_t p = 0; p < CONFIG_REGISTRATIONS; p++)
		for (size_t i = 0; i < CELLS; i++) {
			size_t mode = i / 2 / DIRECTORY_KINDS;
			size_t kind = i / 2 % DIRECTORY_KINDS;
			size_t n = shard->by[p][mode][kind][i % 2];
			sum->by[p][mode][kind][i % 2] += n;
			sum_cell(sum, n, (enum config_protocol)p, mode != 0,
				(enum cert_kind)kind);
		}
}

struct directory_counts directory_count(struct directory *d)
{
	struct directory_counts sum = {0};
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *s = &d->shards[i];
		pthread_mutex_lock(&s->lock);
		struct directory_counts counts = s->counts;
		pthread_mutex_unlock(&s->lock);
		sum_shard(&sum, &counts);
	}
	return sum;
}

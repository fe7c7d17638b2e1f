/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices there are, and how each may come: name -> device. */
#include "registrar/inventory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "registrar/inventory_inside.h"
#include "registrar/memory.h"

enum { BUCKETS_LEAST = 256, NAMES_MAX = 1024 };

/* FNV-1a, without case. */
static size_t hash_of(const char *name)
{
	uint64_t h = 14695981039346656037u;
	for (; *name; name++)
		h = (h ^ (unsigned char)tolower((unsigned char)*name)) *
		    1099511628211u;
	return (size_t)(h ^ h >> 32);
}

struct entry **inventory_place(const struct inventory *inv, const char *name)
{
	struct entry **at = &inv->buckets[hash_of(name) & (inv->n_buckets - 1)];
	while (*at && strcasecmp((*at)->device->name, name) != 0)
		at = &(*at)->next;
	return at;
}

static void grow(struct inventory *inv)
{
	struct entry **old = inv->buckets;
	size_t n = inv->n_buckets;
	inv->n_buckets *= 2;
	inv->buckets = memory_zero(inv->n_buckets * sizeof(struct entry *));
	for (size_t i = 0; i < n; i++)
		while (old[i]) {
			struct entry *e = old[i];
			old[i] = e->next;
			e->next = NULL;
			*inventory_place(inv, e->device->name) = e;
		}
	free(old);
}

void inventory_keep(struct inventory *inv, struct device *device)
{
	struct entry **at = inventory_place(inv, device->name);
	struct entry *e = *at;
	inventory_lines_add(&inv->lines, device);
	if (e) {
		inventory_lines_drop(&inv->lines, e->device);
		device_unref(e->device);
		e->device = device;
		return;
	}
	if (inv->n == inv->n_buckets) {
		grow(inv);
		at = inventory_place(inv, device->name);
	}
	e = memory_zero(sizeof(*e));
	e->device = device;
	*at = e;
	inv->n++;
}

static void free_entry(struct entry *e)
{
	device_unref(e->device);
	free(e->seen);
	free(e);
}

void inventory_drop(struct inventory *inv, const char *name)
{
	struct entry **at = inventory_place(inv, name);
	struct entry *e = *at;
	if (!e)
		return;
	*at = e->next;
	inv->n--;
	inventory_lines_drop(&inv->lines, e->device);
	if (e->dirty)
		__atomic_sub_fetch(&inv->n_dirty, 1, __ATOMIC_RELAXED);
	free_entry(e);
}

static struct device *of_config(const struct config_device *c)
{
	struct device_line lines[DEVICE_LINES_MAX];
	size_t n =
		c->n_lines < DEVICE_LINES_MAX ? c->n_lines : DEVICE_LINES_MAX;
	for (size_t i = 0; i < n; i++)
		lines[i] = (struct device_line){.number = c->lines[i].number,
			.label = c->lines[i].label};
	return device_new(&(struct device){
		.fixed = true,
		.mic = c->mic,
		.protocol = (enum device_protocol)c->protocol,
		.name = c->name,
		.profile = c->profile,
		.lines = lines,
		.n_lines = n,
	});
}

struct inventory *inventory_new(const struct config *config)
{
	struct inventory *inv = memory_zero(sizeof(*inv));
	pthread_condattr_t clock;
	inv->config = config;
	pthread_mutex_init(&inv->changing, NULL);
	pthread_mutex_init(&inv->sight, NULL);
	pthread_rwlock_init(&inv->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&inv->wake, &clock);
	pthread_condattr_destroy(&clock);
	inv->n_buckets = BUCKETS_LEAST;
	inv->buckets = memory_zero(inv->n_buckets * sizeof(struct entry *));
	for (size_t i = 0; i < config->n_devices; i++)
		inventory_keep(inv, of_config(&config->devices[i]));
	return inv;
}

void inventory_on_removed(struct inventory *inv,
	void (*removed)(void *self, const char *name), void *self)
{
	inv->removed = removed;
	inv->removed_self = self;
}

void inventory_free(struct inventory *inv)
{
	if (!inv)
		return;
	inventory_keeper_stop(inv);
	store_close(inv->store);
	for (size_t i = 0; i < inv->n_buckets; i++)
		while (inv->buckets[i]) {
			struct entry *e = inv->buckets[i];
			inv->buckets[i] = e->next;
			free_entry(e);
		}
	for (size_t i = 0; i < inv->n_names; i++)
		free((char *)inv->names[i]);
	pthread_cond_destroy(&inv->wake);
	pthread_rwlock_destroy(&inv->lock);
	pthread_mutex_destroy(&inv->sight);
	pthread_mutex_destroy(&inv->changing);
	free(inv->names);
	inventory_lines_deinit(&inv->lines);
	free(inv->profiles);
	free(inv->buckets);
	free(inv);
}

/* ---- looking ---- */

struct device *inventory_find(struct inventory *inv, const char *name)
{
	pthread_rwlock_rdlock(&inv->lock);
	struct entry *e = *inventory_place(inv, name);
	struct device *d = e ? device_ref(e->device) : NULL;
	pthread_rwlock_unlock(&inv->lock);
	return d;
}

size_t inventory_count(struct inventory *inv)
{
	pthread_rwlock_rdlock(&inv->lock);
	size_t n = inv->n;
	pthread_rwlock_unlock(&inv->lock);
	return n;
}

static int by_name(const void *a, const void *b)
{
	const struct device *const *x = a, *const *y = b;
	return strcasecmp((*x)->name, (*y)->name);
}

struct device **inventory_list(struct inventory *inv, size_t *n)
{
	pthread_rwlock_rdlock(&inv->lock);
	struct device **list =
		memory_zero((inv->n + 1) * sizeof(struct device *));
	*n = 0;
	for (size_t i = 0; i < inv->n_buckets; i++)
		for (struct entry *e = inv->buckets[i]; e; e = e->next)
			list[(*n)++] = device_ref(e->device);
	pthread_rwlock_unlock(&inv->lock);
	qsort(list, *n, sizeof(struct device *), by_name);
	return list;
}

void inventory_list_free(struct device **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		device_unref(list[i]);
	free(list);
}

struct security_profile *inventory_own_profile(
	const struct inventory *inv, const char *name)
{
	for (size_t i = 0; i < inv->n_profiles; i++)
		if (strcasecmp(inv->profiles[i].name, name) == 0)
			return &inv->profiles[i];
	return NULL;
}

bool inventory_profile(
	struct inventory *inv, const char *name, struct security_profile *out)
{
	for (size_t i = 0; i < SECURITY_PREDEFINED; i++)
		if (strcasecmp(security_predefined[i].name, name) == 0) {
			*out = security_predefined[i];
			return true;
		}
	pthread_rwlock_rdlock(&inv->lock);
	const struct security_profile *own = inventory_own_profile(inv, name);
	if (own)
		*out = *own;
	pthread_rwlock_unlock(&inv->lock);
	return own;
}

struct security_profile *inventory_profiles(struct inventory *inv, size_t *n)
{
	pthread_rwlock_rdlock(&inv->lock);
	*n = SECURITY_PREDEFINED + inv->n_profiles;
	struct security_profile *list = memory_zero(*n * sizeof(*list));
	memcpy(list, security_predefined, sizeof(security_predefined));
	if (inv->n_profiles)
		memcpy(list + SECURITY_PREDEFINED, inv->profiles,
			inv->n_profiles * sizeof(*list));
	pthread_rwlock_unlock(&inv->lock);
	return list;
}

/* ---- what was seen ---- */

const char *inventory_name(struct inventory *inv, const char *text)
{
	for (size_t i = 0; i < inv->n_names; i++)
		if (strcmp(inv->names[i], text) == 0)
			return inv->names[i];
	if (!*text || inv->n_names == NAMES_MAX)
		return "";
	const char **kept =
		memory_grow((void **)&inv->names, &inv->n_names, sizeof(*kept));
	*kept = memory_dup(text);
	return *kept;
}

bool inventory_sighting(
	struct inventory *inv, const char *name, struct device_seen *out)
{
	pthread_rwlock_rdlock(&inv->lock);
	pthread_mutex_lock(&inv->sight);
	const struct entry *e = *inventory_place(inv, name);
	bool seen = e && e->seen;
	if (seen)
		*out = *e->seen;
	pthread_mutex_unlock(&inv->sight);
	pthread_rwlock_unlock(&inv->lock);
	return seen;
}

/* Is it another certificate than last time, or of another anchor? */
static bool is_news(const struct device_seen *seen, const struct peer *peer)
{
	return seen->kind != peer->kind ||
	       memcmp(seen->sha256, peer->cert->sha256, sizeof(seen->sha256)) !=
		       0 ||
	       memcmp(seen->anchor_sha256, peer->anchor->id.sha256_raw,
		       sizeof(seen->anchor_sha256)) != 0;
}

static void note_certificate(struct inventory *inv, struct device_seen *seen,
	const struct peer *peer)
{
	const struct peer_cert *cert = peer->cert;
	seen->kind = peer->kind;
	seen->not_after = cert->not_after;
	seen->issuer = inventory_name(inv, cert->issuer_cn);
	seen->anchor = inventory_name(inv, peer_anchor(peer));
	memcpy(seen->anchor_sha256, peer->anchor->id.sha256_raw,
		sizeof(seen->anchor_sha256));
	memcpy(seen->sha256, cert->sha256, sizeof(seen->sha256));
	strncpy(seen->serial, cert->serial, sizeof(seen->serial) - 1);
}

static void note(struct inventory *inv, struct entry *e,
	const struct peer *peer, int64_t unix_s)
{
	if (!e->seen) {
		e->seen = memory_zero(sizeof(*e->seen));
		e->seen->issuer = e->seen->anchor = "";
	}
	e->seen->registered = unix_s;
	if (peer->verified && peer->cert && is_news(e->seen, peer))
		note_certificate(inv, e->seen, peer);
	if (e->dirty)
		return;
	__atomic_store_n(&e->dirty, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&inv->n_dirty, 1, __ATOMIC_RELAXED);
}

bool inventory_seen(struct inventory *inv, const char *name,
	const struct peer *peer, int64_t unix_s)
{
	pthread_rwlock_rdlock(&inv->lock);
	struct entry *e = *inventory_place(inv, name);
	if (e) {
		pthread_mutex_lock(&inv->sight);
		note(inv, e, peer, unix_s);
		pthread_mutex_unlock(&inv->sight);
	}
	pthread_rwlock_unlock(&inv->lock);
	return e;
}

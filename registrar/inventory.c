/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices there are, and how each may come: name -> device. */
#include "registrar/inventory.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "registrar/memory.h"

/* Readers are every worker at every REGISTER, writers an admin. */
struct inventory {
	pthread_rwlock_t lock;
	struct entry **buckets;
	size_t n_buckets; /* a power of two */
	size_t n;
};

struct entry {
	struct entry *next;
	struct device *device;
};

enum { BUCKETS_LEAST = 256 };

/* FNV-1a, without case. */
static size_t hash_of(const char *name)
{
	uint64_t h = 14695981039346656037u;
	for (; *name; name++)
		h = (h ^ (unsigned char)tolower((unsigned char)*name)) *
		    1099511628211u;
	return (size_t)(h ^ h >> 32);
}

static struct entry **place_of(const struct inventory *inv, const char *name)
{
	struct entry **at = &inv->buckets[hash_of(name) & (inv->n_buckets - 1)];
	while (*at && strcasecmp((*at)->device->name, name) != 0)
		at = &(*at)->next;
	return at;
}

static void put(struct inventory *inv, struct device *device)
{
	struct entry **at = place_of(inv, device->name);
	struct entry *e = *at;
	if (e) {
		device_unref(e->device);
		e->device = device;
		return;
	}
	e = memory_zero(sizeof(*e));
	e->device = device;
	*at = e;
	inv->n++;
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
	pthread_rwlock_init(&inv->lock, NULL);
	inv->n_buckets = BUCKETS_LEAST;
	while (inv->n_buckets < config->n_devices)
		inv->n_buckets *= 2;
	inv->buckets = memory_zero(inv->n_buckets * sizeof(struct entry *));
	for (size_t i = 0; i < config->n_devices; i++)
		put(inv, of_config(&config->devices[i]));
	return inv;
}

void inventory_free(struct inventory *inv)
{
	if (!inv)
		return;
	for (size_t i = 0; i < inv->n_buckets; i++)
		while (inv->buckets[i]) {
			struct entry *e = inv->buckets[i];
			inv->buckets[i] = e->next;
			device_unref(e->device);
			free(e);
		}
	pthread_rwlock_destroy(&inv->lock);
	free(inv->buckets);
	free(inv);
}

struct device *inventory_find(struct inventory *inv, const char *name)
{
	pthread_rwlock_rdlock(&inv->lock);
	struct entry *e = *place_of(inv, name);
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

bool inventory_profile(
	struct inventory *inv, const char *name, struct security_profile *out)
{
	for (size_t i = 0; i < SECURITY_PREDEFINED; i++)
		if (strcasecmp(security_predefined[i].name, name) == 0) {
			*out = security_predefined[i];
			return true;
		}
	return false;
}

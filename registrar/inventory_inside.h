/* SPDX-License-Identifier: Apache-2.0 */
/* The inventory's own parts: what its files share, and nobody else sees. */
#ifndef REGISTRAR_INVENTORY_INSIDE_H
#define REGISTRAR_INVENTORY_INSIDE_H

#include <pthread.h>

#include "registrar/inventory.h"

struct entry {
	struct entry *next;
	struct device *device;
	struct device_seen *seen; /* NULL: nothing yet */
	int dirty;		  /* seen is to be written; atomic */
};

enum { AUTO_WAITING_MAX = 256 };

/* The numbers of all lines (inventory_lines.c). Zeroed there are none. */
struct inventory_lines {
	struct line_count **buckets;
	size_t n_buckets; /* a power of two, or 0 */
	size_t n;
};

/*
 * Three locks, taken in this order. `changing`: the store, and the right to
 * change; held over a write to the disk. `lock`: the devices and profiles in
 * memory; readers are every worker at every REGISTER. `sight`: what was seen,
 * the window and those who wait to be added; held for moments.
 */
struct inventory {
	const struct config *config;

	pthread_mutex_t changing;
	struct store *store; /* NULL: nothing can be changed */
	bool failing;	     /* the last write behind failed; atomic */
	void (*removed)(void *self, const char *name); /* NULL: nobody asks */
	void *removed_self;

	pthread_rwlock_t lock;
	struct entry **buckets;
	size_t n_buckets; /* a power of two */
	size_t n;
	struct inventory_lines lines;	   /* of the devices */
	struct security_profile *profiles; /* our own, sorted by name */
	size_t n_profiles;

	pthread_mutex_t sight;
	const char **names; /* of issuers and anchors, each once */
	size_t n_names;
	size_t n_dirty; /* atomic */
	struct store_window window;
	struct device *waiting[AUTO_WAITING_MAX]; /* strangers to be added */
	size_t n_waiting;

	pthread_cond_t wake; /* with sight */
	pthread_t keeper;
	bool keeping, stop;
};

/* Where the entry of that name is or would be. */
struct entry **inventory_place(const struct inventory *inv, const char *name);
/* Takes the reference over. With `lock` held for writing. */
void inventory_keep(struct inventory *inv, struct device *device);
void inventory_drop(struct inventory *inv, const char *name);
/* The profile among our own, or NULL. With `lock` held. */
struct security_profile *inventory_own_profile(
	const struct inventory *inv, const char *name);
/* The text, kept once for good. With `sight` held. */
const char *inventory_name(struct inventory *inv, const char *text);

/* The lines of a device come, and go. With `lock` held for writing. */
void inventory_lines_add(struct inventory_lines *l, const struct device *d);
void inventory_lines_drop(struct inventory_lines *l, const struct device *d);
void inventory_lines_deinit(struct inventory_lines *l);

/* The thread that writes behind (inventory_keeper.c). */
void inventory_keeper_start(struct inventory *inv);
void inventory_keeper_stop(struct inventory *inv);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices there are, and how each may come: name -> device. */
#ifndef REGISTRAR_INVENTORY_H
#define REGISTRAR_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registrar/config.h"
#include "registrar/device.h"
#include "registrar/device_seen.h"
#include "registrar/peer.h"
#include "registrar/store/store.h"

enum {
	INVENTORY_MAX = 250000, /* devices */
	INVENTORY_PROFILES_MAX = 1000,
	INVENTORY_WINDOW_DAYS = 7, /* the longest auto-registration */
};

/* Thread-safe. Names are compared without case. */
struct inventory;

/* Holds the devices of the configuration, which nothing but the file changes.
 */
struct inventory *inventory_new(const struct config *config);
/* Adds what the state folder keeps, and keeps changes there from now on: the
 * inventory gets a thread for what is written behind. -errno and d. */
int inventory_open(struct inventory *inv, const char *folder, struct diag *d);
/* Called for each device that an admin removed, once it is gone: for whom it
 * may still be registered. Before the first change. */
void inventory_on_removed(struct inventory *inv,
	void (*removed)(void *self, const char *name), void *self);
/* Writes what is to be written. */
void inventory_free(struct inventory *inv);

/* ---- looking ---- */

/* A reference on the device, or NULL. */
struct device *inventory_find(struct inventory *inv, const char *name);
size_t inventory_count(struct inventory *inv);
/* Does it give a line of that number, of n bytes, to any device? */
bool inventory_has_line(struct inventory *inv, const char *number, size_t n);
/* References on all of them, sorted by name. */
struct device **inventory_list(struct inventory *inv, size_t *n);
void inventory_list_free(struct device **list, size_t n);

/* A copy of the profile; false: there is none of that name. */
bool inventory_profile(
	struct inventory *inv, const char *name, struct security_profile *out);
/* Copies of all of them, the predefined ones first; the caller frees. */
struct security_profile *inventory_profiles(struct inventory *inv, size_t *n);

/* What was seen of a device: a copy whose texts live as long as inv. */
bool inventory_sighting(
	struct inventory *inv, const char *name, struct device_seen *out);

/* ---- changing: on the disk before they answer ----
 *
 * All or nothing, else d says why and what cures it:
 * -EINVAL breaks a rule (d begins with the field), -ENOENT not there, -EEXIST
 * there already, -EPERM in the configuration file or predefined, -EBUSY a
 * profile in use, -ENOTSUP no state.folder, -ENOSPC and -EIO not written.
 */
enum inventory_how { INVENTORY_ADD, INVENTORY_SET, INVENTORY_PUT };

int inventory_put(struct inventory *inv, const struct device *device,
	enum inventory_how how, struct diag *d);
int inventory_remove(struct inventory *inv, const char *name, struct diag *d);

struct inventory_import {
	bool replace; /* whatever is not among them is removed */
	bool dry_run; /* only say what would come of it */
	size_t added, changed, unchanged, removed;
};
/* Puts devices that were checked, no name twice, and none of them fixed. */
int inventory_import(struct inventory *inv, struct device *const *devices,
	size_t n, struct inventory_import *import, struct diag *d);
/* What each of these calls would refuse a device for. 0 or -errno; the field
 * is in fault->field. */
struct device_fault;
int inventory_judge(struct inventory *inv, const struct device *device,
	struct device_fault *fault);

int inventory_put_profile(struct inventory *inv,
	const struct security_profile *profile, enum inventory_how how,
	struct diag *d);
int inventory_remove_profile(
	struct inventory *inv, const char *name, struct diag *d);

/* What each of these would answer now; nothing is changed. */
int inventory_may_put(struct inventory *inv, const struct device *device,
	enum inventory_how how, struct diag *d);
int inventory_may_remove(
	struct inventory *inv, const char *name, struct diag *d);
int inventory_may_put_profile(struct inventory *inv,
	const struct security_profile *profile, enum inventory_how how,
	struct diag *d);
int inventory_may_remove_profile(
	struct inventory *inv, const char *name, struct diag *d);

/* ---- what phones tell, written behind ---- */

/* The device registered over this connection: costs no SQL and no wait. False:
 * it is not in the inventory. */
bool inventory_seen(struct inventory *inv, const char *name,
	const struct peer *peer, int64_t unix_s);

/* ---- auto-registration ---- */

enum inventory_auto {
	INVENTORY_AUTO_CLOSED,
	INVENTORY_AUTO_PENDING, /* it is being added: let it come again */
	INVENTORY_AUTO_FULL,	/* too many at once, or in all */
};
/*
 * A stranger that proved its name (or came without TLS) asks to be added. It
 * must not be registered before that is on the disk, and a phone's loop must
 * not wait for a disk: so the first attempt is put off, and the one that
 * finds the device in the inventory is admitted.
 */
enum inventory_auto inventory_auto_register(struct inventory *inv,
	const char *name, const struct peer *peer, int64_t unix_s);

/* Opens the window, or (until 0) closes it. -ERANGE: over or too far. */
int inventory_set_window(struct inventory *inv,
	const struct store_window *window, int64_t unix_s, struct diag *d);
/* What that would answer now; nothing is changed. */
int inventory_may_set_window(struct inventory *inv,
	const struct store_window *window, int64_t unix_s, struct diag *d);
/* until 0: closed. */
struct store_window inventory_window(struct inventory *inv, int64_t unix_s);

/* Did the last write behind fail? */
bool inventory_fails(const struct inventory *inv);

#endif

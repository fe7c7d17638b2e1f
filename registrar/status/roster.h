/* SPDX-License-Identifier: Apache-2.0 */
/* Status's own copy of the directory, so that no poller holds up a phone. */
#ifndef REGISTRAR_STATUS_ROSTER_H
#define REGISTRAR_STATUS_ROSTER_H

#include <pthread.h>

#include "registrar/directory.h"
#include "registrar/status/token.h"

/* A phone as it stood; frozen and counted. */
struct roster_phone {
	int refs;
	struct directory_entry entry;
	char *text; /* ",{...}": JSON, made when somebody asks */
	size_t n;
};
void roster_phone_unref(struct roster_phone *p);

struct roster_slot {
	struct roster_phone *phone;
	uint64_t changed; /* the version with which it came to be so */
};

struct roster_gone {
	char name[CERT_DEVICE_MAX + 1];
	uint64_t changed;
};

enum { ROSTER_GONE_MAX = 256 };

/*
 * What is looked at between roster_look() and roster_release(): sorted by name
 * without case. A version is a moment; it grows when anything that shows
 * changed, but for when a phone was last heard.
 */
struct roster {
	pthread_mutex_t lock;
	struct directory *directory;
	struct token_moment now; /* run and version */
	uint64_t oldest;	 /* what changed before is not known */
	struct roster_slot *slots;
	size_t n, room;
	struct roster_gone gone[ROSTER_GONE_MAX]; /* the last ones; a ring */
	size_t n_gone;				  /* of all that ever were */
};

struct roster *roster_new(struct directory *directory);
void roster_free(struct roster *r);
/* Brings it up to date, which costs as much as there is new, and keeps others
 * out until it is released. Thread-safe. */
void roster_look(struct roster *r);
void roster_release(struct roster *r);

/* ---- in between ---- */

/* The caller has one reference more, and p->text. */
struct roster_phone *roster_take(struct roster *r, size_t slot);
/* Where the first stands that comes behind that name. */
size_t roster_behind(const struct roster *r, const char *name);
/* Those forgotten that changed after that version: the i-th, NULL: no more. */
const char *roster_gone_since(
	const struct roster *r, uint64_t version, size_t *i);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Every device, and by which certificates it is known. */
#ifndef REGISTRAR_CENSUS_H
#define REGISTRAR_CENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registrar/directory.h"
#include "registrar/inventory.h"
#include "registrar/leaves.h"
#include "trust/snapshot.h"

/* One of the inventory, or one that its certificate alone names. */
struct bearer {
	const char *name;
	const struct device *device; /* NULL: not in the inventory */
	struct device_seen seen;     /* kind UNKNOWN: with no certificate yet */
	const struct leaf *lsc, *mic; /* NULL: not kept */
};

/* The certificate that it came with last; NULL: it is not kept, or there was
 * none. What it registered with decides; else an LSC, for a phone that has one
 * shows nothing else. */
const struct leaf *census_last(const struct bearer *b);
/* The SHA-256 of the anchor that vouched for it; all zero: not known. */
const uint8_t *census_anchor(const struct bearer *b);
bool census_is_known(const uint8_t anchor[32]);

/*
 * Everybody is somewhere among these: the inventory's devices and what was seen
 * of them; certificates that are kept; and the directory, for who is let in
 * without an entry, whether its certificate is kept (there is an end to that)
 * or not. Who is removed is none any more, though the directory remembers it.
 */
struct census_sources {
	struct inventory *inventory;
	struct leaves *leaves;
	struct directory *directory;
	bool strangers; /* any LSC gets in: who is met with one is one of us */
};

/* In order of names, each device once, until visit() says false. What it is
 * told of lives until it returns; texts in `seen` as long as the inventory. */
void census_walk(const struct census_sources *from, enum leaves_depth depth,
	bool (*visit)(void *self, const struct bearer *b), void *self);

/* ---- counted ---- */

enum { CENSUS_SOON = 30, CENSUS_LATER = 90 }; /* days */

struct census_anchor {
	uint8_t sha256[32];
	const char *file; /* for who has no SHA-256 of it; else "" */
	size_t devices;	  /* whose last certificate hangs on it */
};

struct census_month {
	int month;	 /* year * 12 + month of the year from 0, UTC */
	size_t lsc, mic; /* certificates that end in it */
};

struct census {
	int64_t at; /* unix seconds */
	struct census_anchor *anchors;
	size_t n_anchors;
	struct census_month *months; /* sorted */
	size_t n_months;
	/* Certificates that end within so many days, ended ones not. */
	size_t soon, later;
};

struct census *census_take(const struct census_sources *from, int64_t now);
void census_free(struct census *c);
int census_month_of(int64_t unix_s);
/* Devices whose last certificate hangs on that anchor. */
size_t census_depending(
	const struct census *c, const uint8_t anchor[32], const char *file);

/* Nobody can tell on which anchor it hangs: the SHA-256 is not known, and the
 * set has no file of that name. It may be any. */
bool census_is_lost(const struct trust_snapshot *trust,
	const uint8_t anchor[32], const char *file);
size_t census_lost(const struct census *c, const struct trust_snapshot *trust);

#endif

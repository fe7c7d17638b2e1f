/* SPDX-License-Identifier: Apache-2.0 */
/* Every device, and by which certificates it is known. */
#include "registrar/census.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "registrar/memory.h"
#include "registrar/text.h"

enum { DAY_S = 86400 };

const struct leaf *census_last(const struct bearer *b)
{
	switch ((enum cert_kind)b->seen.kind) {
	case CERT_KIND_LSC:
		return b->lsc;
	case CERT_KIND_MIC:
		return b->mic;
	case CERT_KIND_UNKNOWN:
		break;
	}
	return b->lsc ? b->lsc : b->mic;
}

const uint8_t *census_anchor(const struct bearer *b)
{
	const struct leaf *last = census_last(b);
	return last ? last->anchor : b->seen.anchor_sha256;
}

bool census_is_known(const uint8_t anchor[32])
{
	static const uint8_t unknown[32];
	return memcmp(anchor, unknown, sizeof(unknown)) != 0;
}

/* ---- the walk: three lists in the order of names, side by side ---- */

struct walk {
	const struct census_sources *from;
	enum leaves_depth depth;
	struct leaf *page, *at; /* at: the next one, or NULL at the end */
	struct device **devices;
	size_t n_devices, device;
	struct directory_bearer *met;
	size_t n_met, next_met;
};

static void read_page(struct walk *w, const struct leaf *last)
{
	struct leaf *page = leaves_after(w->from->leaves, w->depth, last);
	leaves_free(w->page);
	w->page = w->at = page;
}

/* Takes the next certificate, if it is of that device. The page that it is on
 * may go: so a copy, which the caller frees. */
static struct leaf *take(struct walk *w, const char *name)
{
	if (!w->at || strcasecmp(w->at->device, name) != 0)
		return NULL;
	struct leaf *taken = memory_zero(sizeof(*taken) + w->at->n);
	memcpy(taken, w->at, sizeof(*taken) + w->at->n);
	w->at = w->at->next;
	if (!w->at)
		read_page(w, taken);
	return taken;
}

/* What the directory knows of that device, taken; NULL: nothing that counts.
 * A device of the inventory that has left is known by what was seen of it. */
static const struct directory_bearer *take_met(
	struct walk *w, const struct bearer *b)
{
	if (!w->met || w->next_met == w->n_met ||
		strcasecmp(w->met[w->next_met].device, b->name) != 0)
		return NULL;
	const struct directory_bearer *met = &w->met[w->next_met++];
	bool stranger =
		!b->device && w->from->strangers && met->kind == CERT_KIND_LSC;
	return met->registered || stranger ? met : NULL;
}

static void see(
	struct walk *w, const struct directory_bearer *met, struct bearer *b)
{
	if (inventory_sighting(w->from->inventory, b->name, &b->seen))
		return;
	b->seen = (struct device_seen){.issuer = "", .anchor = ""};
	if (!met)
		return;
	b->seen.kind = (uint8_t)met->kind;
	b->seen.not_after = met->cert_not_after;
	b->seen.registered = met->since_ms / 1000;
	memcpy(b->seen.anchor_sha256, met->anchor_sha256,
		sizeof(b->seen.anchor_sha256));
}

/* What there is of that device. */
static bool look(struct walk *w, struct bearer *b,
	bool (*visit)(void *self, const struct bearer *b), void *self)
{
	struct leaf *one, *kept[CERT_KIND_MIC + 1] = {NULL};
	while ((one = take(w, b->name))) {
		free(kept[one->kind]);
		kept[one->kind] = one;
	}
	b->lsc = kept[CERT_KIND_LSC];
	b->mic = kept[CERT_KIND_MIC];
	const struct directory_bearer *met = take_met(w, b);
	see(w, met, b);
	bool ours = b->device || b->lsc || b->mic || met;
	bool more = !ours || visit(self, b);
	for (size_t i = 0; i <= CERT_KIND_MIC; i++)
		free(kept[i]);
	return more;
}

/* The name that comes next in any of the lists; NULL: it was the last. */
static const char *next_name(const struct walk *w)
{
	const char *heads[] = {
		w->device < w->n_devices ? w->devices[w->device]->name : NULL,
		w->at ? w->at->device : NULL,
		w->next_met < w->n_met ? w->met[w->next_met].device : NULL};
	const char *first = NULL;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		if (heads[i] && (!first || strcasecmp(heads[i], first) < 0))
			first = heads[i];
	return first;
}

void census_walk(const struct census_sources *from, enum leaves_depth depth,
	bool (*visit)(void *self, const struct bearer *b), void *self)
{
	struct walk w = {.from = from, .depth = depth};
	bool more = true;
	const char *next;
	w.devices = inventory_list(from->inventory, &w.n_devices);
	w.met = directory_bearers(from->directory, &w.n_met);
	read_page(&w, NULL);
	while (more && (next = next_name(&w))) {
		char name[CERT_DEVICE_MAX + 1];
		struct bearer b = {.name = name};
		text_copy(name, sizeof(name), next);
		if (w.device < w.n_devices &&
			strcasecmp(w.devices[w.device]->name, name) == 0)
			b.device = w.devices[w.device++];
		more = look(&w, &b, visit, self);
	}
	leaves_free(w.page);
	free(w.met);
	inventory_list_free(w.devices, w.n_devices);
}

/* ---- counting ---- */

int census_month_of(int64_t unix_s)
{
	struct tm tm = {0};
	time_t t = (time_t)unix_s;
	gmtime_r(&t, &tm);
	return (tm.tm_year + 1900) * 12 + tm.tm_mon;
}

static void count_anchor(
	struct census *c, const uint8_t sha256[32], const char *file)
{
	struct census_anchor *a;
	const char *named = census_is_known(sha256) ? "" : file;
	size_t i = 0;
	while (i < c->n_anchors &&
		(memcmp(c->anchors[i].sha256, sha256, 32) != 0 ||
			strcmp(c->anchors[i].file, named) != 0))
		i++;
	if (i < c->n_anchors) {
		a = &c->anchors[i];
	} else {
		a = memory_grow(
			(void **)&c->anchors, &c->n_anchors, sizeof(*a));
		*a = (struct census_anchor){.file = named};
		memcpy(a->sha256, sha256, sizeof(a->sha256));
	}
	a->devices++;
}

static void count_end(struct census *c, int64_t end, enum cert_kind kind)
{
	int month = census_month_of(end);
	size_t i = 0;
	while (i < c->n_months && c->months[i].month < month)
		i++;
	if (i == c->n_months || c->months[i].month != month) {
		memory_grow(
			(void **)&c->months, &c->n_months, sizeof(*c->months));
		memmove(c->months + i + 1, c->months + i,
			(c->n_months - 1 - i) * sizeof(*c->months));
		c->months[i] = (struct census_month){.month = month};
	}
	*(kind == CERT_KIND_LSC ? &c->months[i].lsc : &c->months[i].mic) += 1;
	if (end < c->at)
		return;
	c->soon += end - c->at < (int64_t)CENSUS_SOON * DAY_S;
	c->later += end - c->at < (int64_t)CENSUS_LATER * DAY_S;
}

static bool count(void *self, const struct bearer *b)
{
	struct census *c = self;
	const struct leaf *last = census_last(b);
	if (last || b->seen.kind != CERT_KIND_UNKNOWN)
		count_anchor(c, census_anchor(b), b->seen.anchor);
	if (b->lsc)
		count_end(c, b->lsc->not_after, CERT_KIND_LSC);
	if (b->mic)
		count_end(c, b->mic->not_after, CERT_KIND_MIC);
	if (!last && b->seen.kind != CERT_KIND_UNKNOWN)
		count_end(c, b->seen.not_after, (enum cert_kind)b->seen.kind);
	return true;
}

struct census *census_take(const struct census_sources *from, int64_t now)
{
	struct census *c = memory_zero(sizeof(*c));
	c->at = now;
	census_walk(from, LEAVES_FACTS, count, c);
	return c;
}

void census_free(struct census *c)
{
	if (!c)
		return;
	free(c->anchors);
	free(c->months);
	free(c);
}

size_t census_depending(
	const struct census *c, const uint8_t anchor[32], const char *file)
{
	size_t n = 0;
	for (size_t i = 0; i < c->n_anchors; i++) {
		const struct census_anchor *a = &c->anchors[i];
		if (memcmp(a->sha256, anchor, sizeof(a->sha256)) == 0 ||
			(*a->file && strcmp(a->file, file) == 0))
			n += a->devices;
	}
	return n;
}

bool census_is_lost(const struct trust_snapshot *trust,
	const uint8_t anchor[32], const char *file)
{
	size_t n;
	const struct trust_anchor *list = trust_snapshot_anchors(trust, &n);
	bool lost = !census_is_known(anchor);
	for (size_t i = 0; i < n && lost; i++)
		lost = strcmp(list[i].file, file) != 0;
	return lost;
}

size_t census_lost(const struct census *c, const struct trust_snapshot *trust)
{
	size_t n = 0;
	for (size_t i = 0; i < c->n_anchors; i++) {
		const struct census_anchor *a = &c->anchors[i];
		if (census_is_lost(trust, a->sha256, a->file))
			n += a->devices;
	}
	return n;
}

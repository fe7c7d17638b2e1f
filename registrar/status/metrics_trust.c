/* SPDX-License-Identifier: Apache-2.0 */
/* Trust and certificates, in numbers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/impact.h"
#include "registrar/memory.h"
#include "registrar/status/metrics_inside.h"
#include "trust/crl.h"
#include "trust/revocation.h"

/* Files of a store that have a series of their own: those that end first. */
enum { FILES_MAX = 64 };

void metrics_trust_of_stores(struct metrics_page *page,
	const struct metrics_seen *seen,
	uint64_t (*number)(const struct metrics_store *store))
{
	for (int i = 0; i < TRUST_STORES; i++) {
		if (!seen->stores[i].there)
			continue;
		metrics_label(
			page, "store", trust_store_name((enum trust_store)i));
		metrics_value(page, number(&seen->stores[i]));
	}
}

void metrics_trust_refusals(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	for (int i = 0; i < TRUST_STORES; i++) {
		const struct trust_store_state *s = &seen->stores[i].state;
		for (size_t k = 0; k < s->n_refusals; k++) {
			metrics_label(page, "store",
				trust_store_name((enum trust_store)i));
			metrics_label(page, "rule", s->refusals[k].rule);
			metrics_value(page, s->refusals[k].n);
		}
	}
}

/* ---- by file ---- */

/* What is said of a file, which may hold several anchors or lists. */
struct file {
	const char *name; /* the snapshot's */
	time_t ends;	  /* the first of them */
	uint64_t devices; /* that hang on those that are retiring */
	bool retiring;
};

struct files {
	struct file *list;
	size_t n;
};

/* The set has those of one file in a row. */
static struct file *file_of(struct files *f, const char *name)
{
	if (f->n && strcmp(f->list[f->n - 1].name, name) == 0)
		return &f->list[f->n - 1];
	struct file *file =
		memory_grow((void **)&f->list, &f->n, sizeof(*file));
	*file = (struct file){.name = name};
	return file;
}

static void ends(struct file *file, time_t at)
{
	if (!file->ends || at < file->ends)
		file->ends = at;
}

static struct files anchor_files(
	struct server *s, const struct trust_snapshot *trust)
{
	struct files f = {0};
	size_t n;
	const struct trust_anchor *a = trust_snapshot_anchors(trust, &n);
	for (size_t i = 0; i < n; i++) {
		struct file *file = file_of(&f, a[i].file);
		ends(file, a[i].id.not_after);
		if (!a[i].retiring)
			continue;
		file->retiring = true;
		file->devices += impact_depending(s, a[i].id.sha256_raw);
	}
	return f;
}

/* Those that say when the next one comes. */
static struct files crl_files(const struct trust_snapshot *trust)
{
	struct files f = {0};
	const struct trust_revocation *r = trust_snapshot_revocation(trust);
	for (size_t i = 0; i < trust_revocation_count(r); i++) {
		const struct trust_crl *crl = trust_revocation_at(r, i);
		enum trust_crl_state state =
			trust_revocation_state(r, i, time(NULL));
		if (crl->next_update && state != TRUST_CRL_SUPERSEDED &&
			state != TRUST_CRL_ORPHAN)
			ends(file_of(&f, crl->file), crl->next_update);
	}
	return f;
}

static int by_end(const void *a, const void *b)
{
	const struct file *x = a, *y = b;
	return x->ends != y->ends ? (x->ends < y->ends ? -1 : 1)
				  : strcmp(x->name, y->name);
}

static void put_file(
	struct metrics_page *page, const char *store, const char *name)
{
	metrics_label(page, "store", store);
	metrics_label(page, "file", name);
}

/* The first FILES_MAX; the next one stands for all others. */
static void put_ends(
	struct metrics_page *page, const char *store, struct files *f)
{
	if (f->n)
		qsort(f->list, f->n, sizeof(*f->list), by_end);
	for (size_t i = 0; i < f->n && i <= FILES_MAX; i++) {
		put_file(
			page, store, i < FILES_MAX ? f->list[i].name : "other");
		metrics_value(page, (uint64_t)f->list[i].ends);
	}
}

static void put_retiring(
	struct metrics_page *page, const char *store, const struct files *f)
{
	uint64_t others = 0;
	size_t n = 0;
	for (size_t i = 0; i < f->n; i++) {
		if (!f->list[i].retiring)
			continue;
		if (n++ >= FILES_MAX) {
			others += f->list[i].devices;
			continue;
		}
		put_file(page, store, f->list[i].name);
		metrics_value(page, f->list[i].devices);
	}
	if (n <= FILES_MAX)
		return;
	put_file(page, store, "other");
	metrics_value(page, others);
}

enum by_file { ANCHORS, CRLS, RETIRING };

static void of_files(struct metrics_page *page, const struct metrics_seen *seen,
	enum by_file what)
{
	for (int i = 0; i < TRUST_STORES; i++) {
		enum trust_store store = (enum trust_store)i;
		const char *name = trust_store_name(store);
		struct trust_snapshot *trust =
			server_trust(seen->server, store);
		if (!trust)
			continue;
		struct files f = what == CRLS
					 ? crl_files(trust)
					 : anchor_files(seen->server, trust);
		if (what == RETIRING)
			put_retiring(page, name, &f);
		else
			put_ends(page, name, &f);
		free(f.list);
		trust_snapshot_unref(trust);
	}
}

void metrics_trust_anchors(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	of_files(page, seen, ANCHORS);
}

void metrics_trust_crls(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	of_files(page, seen, CRLS);
}

void metrics_trust_retiring(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	of_files(page, seen, RETIRING);
}

/* ---- in all ---- */

void metrics_trust_fingerprints(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	for (int i = 0; i < TRUST_STORES; i++) {
		if (!seen->stores[i].there)
			continue;
		metrics_label(
			page, "store", trust_store_name((enum trust_store)i));
		metrics_label(page, "fingerprint", seen->stores[i].fingerprint);
		metrics_value(page, 1);
	}
}

void metrics_trust_ending(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	const struct census *c = impact_census(seen->server);
	const struct {
		int days;
		size_t n;
	} rows[] = {{CENSUS_SOON, c->soon}, {CENSUS_LATER, c->later}};
	impact_census_release(seen->server);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char days[21];
		snprintf(days, sizeof(days), "%d", rows[i].days);
		metrics_label(page, "days", days);
		metrics_value(page, rows[i].n);
	}
}

void metrics_trust_own_refused(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	metrics_value(page, server_own_refused(seen->server).since_ms != 0);
}

void metrics_trust_own(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	struct profiles *p = server_profiles(seen->server);
	for (size_t i = 0; i < p->own->n; i++) {
		const struct cert_identity *id = &p->own->pairs[i].id;
		char number[21];
		snprintf(number, sizeof(number), "%zu", i);
		metrics_label(page, "number", number);
		metrics_label(page, "subject", id->subject);
		metrics_value(page, (uint64_t)id->not_after);
	}
	profiles_unref(p);
}

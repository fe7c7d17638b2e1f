/* SPDX-License-Identifier: Apache-2.0 */
/* What CAPF does by itself: turns, ends of time, a look at clock and disk. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/capf/desk_inside.h"
#include "registrar/capf/renewal.h"
#include "registrar/memory.h"
#include "registrar/text.h"

enum {
	RENEW_S = 60,  /* between looks for LSCs that end */
	AT_ONCE = 128, /* operations in one transaction of a call */
	COUNT_S = 60,  /* between two counts of what is stale */
	/* A phone that is told restarts and is here again in minutes. */
	RESTART_S = 900,
};

struct found {
	struct capf_operation list[AT_ONCE];
	size_t n;
};

static bool take(void *self, const struct capf_operation *o)
{
	struct found *found = self;
	found->list[found->n++] = *o;
	return found->n < AT_ONCE;
}

/* In a transaction of their own, unless there are none. */
static void change_each(struct capf_desk *desk, struct found *found,
	int (*change)(struct capf_desk *desk, struct capf_operation *o,
		struct diag *d))
{
	struct diag d;
	int error = found->n ? capf_desk_begin(desk, &d) : -ENOENT;
	if (error < 0) {
		found->n = 0;
		return;
	}
	for (size_t i = 0; i < found->n && error == 0; i++)
		error = change(desk, &found->list[i], &d);
	if (capf_desk_close_with(desk, error, &d) < 0)
		found->n = 0;
}

static void find(
	struct capf_desk *desk, const struct capf_which *which, struct found *f)
{
	struct diag d;
	f->n = 0;
	if (capf_store_operations(desk->store, which, take, f, &d) < 0)
		f->n = 0;
}

/* ---- ends of time ---- */

static int end(struct capf_desk *desk, struct capf_operation *o, struct diag *d)
{
	struct desk_note note = {.event = DESK_LATE, .why = CAPF_WHY_LATE};
	char until[21];
	cert_time_text((time_t)o->completes_by, until);
	snprintf(o->detail, sizeof(o->detail),
		"it had to be done by %s; order the operation again", until);
	memcpy(note.device, o->device, sizeof(note.device));
	memcpy(note.detail, o->detail, sizeof(note.detail));
	int error = capf_finish(desk, o, CAPF_STATE_FAILED, CAPF_WHY_LATE, d);
	return error ? error : capf_desk_audit(desk, &note, d);
}

static void end_late(struct capf_desk *desk, struct found *f)
{
	find(desk,
		&(struct capf_which){
			.late_at = capf_desk_now(desk), .most = AT_ONCE},
		f);
	change_each(desk, f, end);
	for (size_t i = 0; i < f->n; i++)
		capf_visit_supersede(desk, f->list[i].device, NULL,
			CAPF_WHY_LATE, f->list[i].detail);
}

/* ---- turns ---- */

static int mark_told(
	struct capf_desk *desk, struct capf_operation *o, struct diag *d)
{
	o->told_at = capf_desk_now(desk);
	return capf_desk_put(desk, o, d);
}

/* On the disk first: phones must not be reset again and again because it is
 * full. */
static void take_turns(struct capf_desk *desk, struct found *f)
{
	find(desk,
		&(struct capf_which){
			.turn_by = capf_desk_now(desk), .most = AT_ONCE},
		f);
	change_each(desk, f, mark_told);
}

/* Nobody is there: told when it comes back. Unless the operation is not the one
 * any more for which it was to be told. */
static int mark_missed(
	struct capf_desk *desk, struct capf_operation *told, struct diag *d)
{
	struct capf_operation o;
	int error = capf_pending(desk, told->device, &o, d);
	if (error < 0)
		return error == -ENOENT ? 0 : error;
	if (o.queued_at != told->queued_at || o.told_at != told->told_at)
		return 0;
	o.told_at = -capf_desk_now(desk);
	return capf_desk_put(desk, &o, d);
}

/* Without the records: a reset goes through other threads' locks. */
static void tell_each(struct capf_desk *desk, struct found *f)
{
	size_t n = 0;
	for (size_t i = 0; i < f->n; i++)
		if (desk->world.reset(desk->world.self, f->list[i].device) < 0)
			f->list[n++] = f->list[i];
	f->n = n;
	if (n == 0)
		return;
	__atomic_store_n(&desk->missed, 1, __ATOMIC_RELAXED);
	capf_desk_enter(desk);
	change_each(desk, f, mark_missed);
	capf_desk_leave(desk);
}

size_t capf_tend_missed(struct capf_desk *desk)
{
	struct found *f = memory_zero(sizeof(*f));
	find(desk, &(struct capf_which){.missed = true, .most = 1}, f);
	size_t n = f->n;
	free(f);
	return n;
}

/* ---- what was going on when we ended ---- */

/* Was told, and has nothing of it yet. */
static bool is_lost(const struct capf_operation *o, int64_t now)
{
	return o->tell && o->told_at > 0 && now >= o->told_at &&
	       now - o->told_at < RESTART_S;
}

static bool is_known(struct capf_desk *desk, const char *name)
{
	struct device *device = inventory_find(desk->world.inventory, name);
	device_unref(device);
	return device;
}

void capf_tend_again(struct capf_desk *desk)
{
	char after[CERT_DEVICE_MAX + 1] = "";
	const struct capf_which which = {
		.after = after, .pending = true, .most = AT_ONCE};
	struct found *f = memory_zero(sizeof(*f));
	size_t seen;
	do {
		find(desk, &which, f);
		seen = f->n;
		f->n = 0;
		for (size_t i = 0; i < seen; i++) {
			struct capf_operation *o = &f->list[i];
			text_copy(after, sizeof(after), o->device);
			if (!is_known(desk, o->device))
				capf_desk_forget(desk, o->device);
			else if (is_lost(o, capf_desk_now(desk)))
				f->list[f->n++] = *o;
		}
		change_each(desk, f, mark_missed);
	} while (seen == AT_ONCE);
	free(f);
}

/* ---- who is back ---- */

int capf_tend_back(
	struct capf_desk *desk, const char *device, bool *tell, struct diag *d)
{
	struct capf_operation o;
	int error = capf_pending(desk, device, &o, d);
	*tell = error == 0 && o.tell && o.told_at < 0;
	if (*tell)
		error = mark_told(desk, &o, d);
	return error == -ENOENT ? 0 : error;
}

/* ---- a look ---- */

/* When nobody comes, the first who does should not be the one to find out
 * that the disk takes writes again. */
static void try_disk(struct capf_desk *desk)
{
	struct desk_note note = {
		.event = DESK_WORKS, .detail = "the records are written again"};
	struct diag d;
	pthread_mutex_lock(&desk->lock);
	bool halted = desk->halt == HALT_DISK;
	pthread_mutex_unlock(&desk->lock);
	if (halted && capf_desk_begin(desk, &d) == 0)
		capf_desk_close_with(
			desk, capf_desk_audit(desk, &note, &d), &d);
}

/* Some that were counted are installed, replaced or told by now. */
static void count(struct capf_desk *desk)
{
	struct capf_store_counts counts;
	struct diag d;
	int64_t now = capf_desk_now(desk);
	if (now >= desk->counted_at && now - desk->counted_at < COUNT_S)
		return;
	desk->counted_at = now;
	if (__atomic_load_n(&desk->missed, __ATOMIC_RELAXED))
		__atomic_store_n(&desk->missed, capf_tend_missed(desk),
			__ATOMIC_RELAXED);
	if (__atomic_load_n(&desk->stale, __ATOMIC_RELAXED) &&
		capf_store_count(desk->store, &counts, &d) == 0)
		__atomic_store_n(&desk->stale, counts.issued[CAPF_ISSUED_STALE],
			__ATOMIC_RELAXED);
}

static void renew(struct capf_desk *desk)
{
	int64_t now = capf_desk_now(desk);
	if (now >= desk->renewed_at && now - desk->renewed_at < RENEW_S)
		return;
	desk->renewed_at = now;
	capf_renewal_run(desk, &desk->world, now);
}

void capf_desk_tend(struct capf_desk *desk)
{
	char why[CAPF_DETAIL_MAX + 1];
	struct found *f = memory_zero(sizeof(*f));
	capf_desk_enter(desk);
	try_disk(desk);
	capf_issue_may(desk, capf_desk_now(desk), why);
	end_late(desk, f);
	take_turns(desk, f);
	count(desk);
	capf_later_tend(desk);
	capf_desk_leave(desk);
	tell_each(desk, f);
	free(f);
	renew(desk);
}

void capf_desk_registered(
	struct capf_desk *desk, const char *device, const uint8_t *sha256)
{
	bool stale = sha256 && __atomic_load_n(&desk->stale, __ATOMIC_RELAXED);
	if (!stale && !__atomic_load_n(&desk->missed, __ATOMIC_RELAXED))
		return;
	pthread_mutex_lock(&desk->lock);
	/* What finds no room is told again at the next registration. */
	if (desk->n_seen < DESK_SEEN_MAX) {
		struct desk_seen *seen = &desk->seen[desk->n_seen++];
		*seen = (struct desk_seen){.device = ""};
		text_copy(seen->device, sizeof(seen->device), device);
		if (sha256)
			memcpy(seen->sha256, sha256, sizeof(seen->sha256));
	}
	pthread_cond_signal(&desk->news);
	pthread_mutex_unlock(&desk->lock);
}

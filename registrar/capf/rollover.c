/* SPDX-License-Identifier: Apache-2.0 */
/* The CAPF root is replaced without losing a phone. */
#include "registrar/capf/rollover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "registrar/capf/authority.h"
#include "registrar/capf/desk.h"
#include "registrar/capf/rollover_count.h"
#include "registrar/log.h"
#include "registrar/memory.h"
#include "registrar/server.h"

enum { PAGE = 500 }; /* operations queued in one transaction */

const char *rollover_state_name(enum rollover_state state)
{
	static const char *const names[] = {
#define X(symbol, name) name,
		ROLLOVER_STATE_LIST(X)
#undef X
	};
	return names[state];
}

/* ---- what is so ---- */

static bool is_in_force(
	struct server *s, enum trust_store store, const struct capf_root *root)
{
	struct trust_snapshot *trust = server_trust(s, store);
	const struct trust_anchor *a =
		trust ? trust_snapshot_find(trust, root->id.sha256_raw) : NULL;
	bool good = a && a->usable &&
		    !(store == STORE_CALLMANAGER && a->enrol_only);
	trust_snapshot_unref(trust);
	return good;
}

/* The first store that does not believe the root; NULL: all do that there are.
 */
static const char *missing_in(struct server *s, const struct capf_root *root)
{
	for (int i = 0; i < TRUST_STORES; i++) {
		enum trust_store store = (enum trust_store)i;
		if (*trust_store_folder(server_config(s), store) &&
			!is_in_force(s, store, root))
			return trust_store_title(store);
	}
	return NULL;
}

static enum rollover_state state_of(
	struct server *s, const struct capf_roots *roots)
{
	if (roots->old.cert)
		return missing_in(s, &roots->old) ? ROLLOVER_FINISHING
						  : ROLLOVER_STARTED;
	return roots->next.cert ? ROLLOVER_STARTING : ROLLOVER_IDLE;
}

/* Does each store believe whatever phones may hang on? */
static bool is_whole(
	struct server *s, const struct capf_roots *roots, char why[256])
{
	const struct capf_root *root = &roots->signing;
	const char *store = missing_in(s, root);
	if (!store && roots->old.cert) {
		root = &roots->old;
		store = missing_in(s, root);
	}
	why[0] = '\0';
	if (store && !roots->old.cert)
		snprintf(why, 256,
			"%.64s is not in force in %s: whose LSC it signed is "
			"refused there; dialtone trust add %.64s.pem puts it "
			"back",
			root->name, store, root->name);
	else if (store)
		snprintf(why, 256,
			"%.64s is not in force in %s: whose LSC it signed is "
			"refused there; dialtone rollover start puts it back%s",
			root->name, store,
			root == &roots->old ? ", rollover finish goes on" : "");
	return !store;
}

/* References of the caller's on the roots, if this node has some that sign. */
static int open_roots(
	struct server *s, struct capf_roots **roots, struct diag *d)
{
	*roots = NULL;
	if (!server_capf(s)) {
		diag_set(d, -ENOTSUP,
			"there is no CAPF here: no listener of the "
			"configuration has the service \"capf\"");
		return -ENOTSUP;
	}
	if (server_config(s)->capf_issuer != CONFIG_ISSUER_OWN) {
		diag_set(d, -ENOTSUP,
			"capf.issuer: LSCs are signed by a CA outside, which "
			"has no root here to be replaced");
		return -ENOTSUP;
	}
	*roots = capf_authority_roots(server_authority(s));
	return 0;
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

int rollover_look(struct server *s, struct rollover_view *out, struct diag *d)
{
	struct capf_roots *roots;
	*out = (struct rollover_view){.state = ROLLOVER_IDLE};
	int error = open_roots(s, &roots, d);
	if (error < 0)
		return error;
	out->state = state_of(s, roots);
	is_whole(s, roots, out->missing);
	const struct capf_root *old =
		roots->old.cert ? &roots->old : &roots->signing;
	const struct capf_root *new =
		roots->old.cert ? &roots->signing : &roots->next;
	snprintf(out->old_name, sizeof(out->old_name), "%s", old->name);
	memcpy(out->old_sha256, old->id.sha256, sizeof(out->old_sha256));
	if (new->cert) {
		snprintf(out->new_name, sizeof(out->new_name), "%s", new->name);
		memcpy(out->new_sha256, new->id.sha256,
			sizeof(out->new_sha256));
	}
	if (roots->old.cert)
		error = rollover_count(s, old, new, out, d);
	capf_roots_unref(roots);
	return error;
}

void rollover_view_deinit(struct rollover_view *v)
{
	free(v->phones);
	v->phones = NULL;
}

/* ---- steps ---- */

/* Into the audit chain and the log. */
static int tell(
	struct server *s, const char *event, const char *detail, struct diag *d)
{
	struct log_line line;
	log_begin(&line, LOG_EV_ROLLOVER);
	log_str(&line, "step", event);
	log_str(&line, "why", detail);
	log_end(&line);
	return capf_desk_note(server_capf(s), event, detail, d);
}

/* Both stores are read, and believe the root, or do not any more. */
static int settle(struct server *s, const struct capf_root *root, bool believed,
	struct diag *d)
{
	int error = server_reload(s, true, d);
	if (error < 0)
		return error;
	for (int i = 0; i < TRUST_STORES; i++) {
		enum trust_store store = (enum trust_store)i;
		if (!*trust_store_folder(server_config(s), store) ||
			is_in_force(s, store, root) == believed)
			continue;
		return diag_set(d, -EPERM,
			"%s: %s %s there after a reload: "
			"dialtone trust list says why",
			trust_store_title(store), root->name,
			believed ? "is not in force" : "is still in force");
	}
	return 0;
}

/* Into both stores, where it is not in force there: it may lie there under
 * another name. */
static int put_in_force(
	struct server *s, const struct capf_root *root, struct diag *d)
{
	int error = 0;
	if (missing_in(s, root))
		error = capf_authority_publish(server_authority(s), root, d);
	return error ? error : settle(s, root, true, d);
}

/* Both roots of a rollover that is under way. */
static int put_back(struct server *s, struct diag *d)
{
	struct capf_roots *roots = capf_authority_roots(server_authority(s));
	int error = put_in_force(s, &roots->old, d);
	if (error == 0)
		error = put_in_force(s, &roots->signing, d);
	if (error == 0)
		error = tell(s, "rollover-put-back",
			"both roots are in force in both stores again", d);
	capf_roots_unref(roots);
	return error;
}

/* The new root is there and believed, as the old one is; now it may sign. */
static int begin(struct server *s, struct capf_authority *a, struct diag *d)
{
	char detail[2 * CERT_NAME_MAX + 32];
	struct diag later;
	struct capf_roots *roots = capf_authority_roots(a);
	snprintf(detail, sizeof(detail), "%s signs in place of %s",
		roots->next.name, roots->signing.name);
	int error = put_in_force(s, &roots->signing, d);
	if (error == 0)
		error = put_in_force(s, &roots->next, d);
	if (error == 0)
		error = tell(s, "rollover-start", detail, d);
	if (error == 0)
		error = capf_authority_promote(a, d);
	if (error == 0) /* the old one is retiring now; a refusal is logged */
		server_reload(s, true, &later);
	capf_roots_unref(roots);
	return error;
}

int rollover_may_start(struct server *s, struct diag *d)
{
	struct capf_roots *roots;
	char missing[256];
	int error = open_roots(s, &roots, d);
	if (error < 0)
		return error;
	if (roots->old.cert && is_whole(s, roots, missing))
		error = diag_set(d, -EBUSY,
			"a rollover is under way: %s takes the place of %s; "
			"finish it first",
			roots->signing.name, roots->old.name);
	capf_roots_unref(roots);
	return error;
}

int rollover_start(struct server *s, struct diag *d)
{
	struct capf_authority *a = server_authority(s);
	int error = rollover_may_start(s, d);
	if (error < 0)
		return error;
	struct capf_roots *roots = capf_authority_roots(a);
	bool under_way = roots->old.cert;
	capf_roots_unref(roots);
	if (under_way)
		return put_back(s, d);
	error = capf_authority_prepare(a, time(NULL), d);
	return error < 0 ? error : begin(s, a, d);
}

static int judge_cancel(const struct capf_roots *roots, struct diag *d)
{
	if (roots->next.cert)
		return 0;
	return diag_set(d, -EBUSY, "%s",
		roots->old.cert ? "the new root signs already: phones may "
				  "hang on it; finish the rollover instead "
				  "(dialtone rollover finish)"
				: "no rollover is under way");
}

int rollover_may_cancel(struct server *s, struct diag *d)
{
	struct capf_roots *roots;
	int error = open_roots(s, &roots, d);
	if (error == 0)
		error = judge_cancel(roots, d);
	capf_roots_unref(roots);
	return error;
}

int rollover_cancel(struct server *s, struct diag *d)
{
	struct capf_roots *roots;
	struct capf_authority *a = server_authority(s);
	int error = open_roots(s, &roots, d);
	if (error < 0)
		return error;
	error = judge_cancel(roots, d);
	if (error == 0)
		error = capf_authority_withdraw(a, &roots->next, d);
	if (error == 0)
		error = settle(s, &roots->next, false, d);
	if (error == 0)
		error = tell(s, "rollover-cancel", roots->next.name, d);
	if (error == 0)
		error = capf_authority_abandon(a, d);
	capf_roots_unref(roots);
	return error;
}

/* ---- the phones ---- */

/* The next page of phones for which nothing is pending. */
static size_t take_page(
	const struct rollover_view *v, size_t *at, const char *names[PAGE])
{
	size_t n = 0;
	for (; *at < v->n_phones && n < PAGE; ++*at)
		if (!v->phones[*at].queued && !v->phones[*at].unseen)
			names[n++] = v->phones[*at].device;
	return n;
}

static int queue_all(struct server *s, const struct rollover_view *v,
	struct capf_order order, size_t *queued, struct diag *d)
{
	const char *names[PAGE];
	struct capf_ordered *results = memory_zero(PAGE * sizeof(*results));
	int64_t first = order.turn_at;
	size_t at = 0, n;
	int error = 0;
	while (error == 0 && (n = take_page(v, &at, names)) > 0) {
		if (order.per_min)
			order.turn_at =
				first + (int64_t)(*queued * 60 / order.per_min);
		error = capf_desk_order(
			server_capf(s), &order, names, n, results, d);
		for (size_t i = 0; error == 0 && i < n; i++)
			*queued += results[i].error == 0;
	}
	free(results);
	return error;
}

/* Those that it would queue. */
static int look_at_started(
	struct server *s, struct rollover_view *v, struct diag *d)
{
	int error = rollover_look(s, v, d);
	if (error == 0 && v->state != ROLLOVER_STARTED)
		error = diag_set(d, -EBUSY,
			"the rollover is %s, and only a started one has "
			"phones to queue (dialtone rollover start)",
			rollover_state_name(v->state));
	if (error == 0 && *v->missing)
		error = diag_set(d, -EBUSY, "%s", v->missing);
	return error;
}

int rollover_may_issue(struct server *s, size_t *queued, struct diag *d)
{
	struct rollover_view v;
	int error = look_at_started(s, &v, d);
	*queued = error ? 0 : v.left - v.queued;
	rollover_view_deinit(&v);
	return error;
}

int rollover_issue(struct server *s, unsigned per_min, bool tell_them,
	size_t *queued, struct diag *d)
{
	struct rollover_view v;
	char detail[96];
	const struct capf_order order = {
		.kind = CAPF_INSTALL,
		.mode = CAPF_MODE_LSC,
		.turn_at = time(NULL),
		.per_min = per_min,
		.tell = tell_them,
		.origin = "rollover",
	};
	*queued = 0;
	int error = look_at_started(s, &v, d);
	if (error == 0)
		error = queue_all(s, &v, order, queued, d);
	snprintf(detail, sizeof(detail), "%zu phone%s queued, %u a minute",
		*queued, plural(*queued), per_min);
	if (error == 0)
		error = tell(s, "rollover-issue", detail, d);
	rollover_view_deinit(&v);
	return error;
}

/* ---- the end ---- */

static int say_end(struct server *s, const struct rollover_view *v, bool force,
	struct diag *d)
{
	char detail[CAPF_DETAIL_MAX + 1];
	snprintf(detail, sizeof(detail),
		"%.64s goes; %zu device%s with an LSC of %.64s, %zu without, "
		"%zu of which nobody knows%s",
		v->old_name, v->done, plural(v->done), v->new_name, v->left,
		v->unseen,
		v->recent && force ? ": FORCED, though some are live" : "");
	return tell(s, force ? "rollover-finish-forced" : "rollover-finish",
		detail, d);
}

static int end(struct server *s, const struct rollover_view *v, bool force,
	struct diag *d)
{
	struct capf_authority *a = server_authority(s);
	struct capf_roots *roots = capf_authority_roots(a);
	int error = say_end(s, v, force, d);
	if (error == 0)
		error = capf_authority_withdraw(a, &roots->old, d);
	if (error == 0)
		error = settle(s, &roots->old, false, d);
	if (error == 0)
		error = capf_authority_retire(a, d);
	if (error == 0) /* TLS at the CAPF port changes its certificate */
		error = server_reload(s, true, d);
	capf_roots_unref(roots);
	return error;
}

/* Is anybody in the way who is not consented to? */
static int judge_end(struct server *s, const struct rollover_consent *consent,
	const struct rollover_view *v, struct diag *d)
{
	unsigned days = server_config(s)->capf_live_days;
	if (v->recent > 0 && !consent->force)
		return diag_set(d, -EPERM,
			"%zu phone%s, live or seen within the last %u days, "
			"on %s: give each a new LSC first (dialtone rollover "
			"issue), or wait for those that are offline",
			v->recent, plural(v->recent), days, v->old_name);
	if (v->unseen_recent > 0 && !consent->force && !consent->unseen)
		return diag_set(d, -EPERM,
			"%zu phone%s, live or seen within the last %u days, "
			"whose certificate was not seen: it may be of %s; have "
			"it fetched (dialtone capf troubleshoot), give each a "
			"new LSC (dialtone capf install), or say that none of "
			"them has one (--unseen)",
			v->unseen_recent, plural(v->unseen_recent), days,
			v->old_name);
	return 0;
}

int rollover_may_finish(struct server *s,
	const struct rollover_consent *consent, struct rollover_view *view,
	struct diag *d)
{
	int error = rollover_look(s, view, d);
	if (error < 0)
		return error;
	if (view->state != ROLLOVER_STARTED &&
		view->state != ROLLOVER_FINISHING)
		return diag_set(d, -EBUSY,
			"the rollover is %s: there is nothing to finish",
			rollover_state_name(view->state));
	struct capf_roots *roots = capf_authority_roots(server_authority(s));
	const char *store = missing_in(s, &roots->signing);
	capf_roots_unref(roots);
	if (store)
		return diag_set(d, -EBUSY,
			"%.64s, which is to stay, is not in force in %s: "
			"dialtone rollover start puts it back",
			view->new_name, store);
	return judge_end(s, consent, view, d);
}

int rollover_finish(struct server *s, const struct rollover_consent *consent,
	struct rollover_view *view, struct diag *d)
{
	int error = rollover_may_finish(s, consent, view, d);
	return error < 0 ? error : end(s, view, consent->force, d);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* May LSCs be issued: is our clock fit to date them by, and an admin's word
 * that it is; does anybody believe our root. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "registrar/capf/believe.h"
#include "registrar/capf/desk_inside.h"

/* The newest time that anybody knows of, by which a clock may be judged. */
static bool is_behind(const struct capf_desk *desk, int64_t now)
{
	return now < desk->newest_issue - CAPF_BACKDATED_S;
}

static bool is_in_life(const struct capf_root *root, int64_t now, char *why)
{
	char is[21], from[21], to[21];
	if (now >= root->id.not_before && now < root->id.not_after)
		return true;
	cert_time_text((time_t)now, is);
	cert_time_text(root->id.not_before, from);
	cert_time_text(root->id.not_after, to);
	snprintf(why, CAPF_DETAIL_MAX + 1,
		"our clock says %s, and the root %.64s signs from %s to %s; "
		"set the clock right or, if it is, replace the root (dialtone "
		"rollover start)",
		is, root->name, from, to);
	return false;
}

/* CAs outside date what they issue by clocks of their own. */
static bool is_in_root_s_life(
	const struct capf_desk *desk, int64_t now, char *why)
{
	if (desk->world.config->capf_issuer != CONFIG_ISSUER_OWN)
		return true;
	struct capf_roots *roots = capf_authority_roots(desk->world.authority);
	bool right = is_in_life(&roots->signing, now, why);
	capf_roots_unref(roots);
	return right;
}

/* What was issued is proof of when it was: a clock that says earlier is wrong,
 * and so are the dates of what it would make. */
static bool is_right(const struct capf_desk *desk, int64_t now, char *why)
{
	char is[21], from[21];
	if (!is_behind(desk, now))
		return is_in_root_s_life(desk, now, why);
	cert_time_text((time_t)now, is);
	cert_time_text((time_t)desk->newest_issue, from);
	snprintf(why, CAPF_DETAIL_MAX + 1,
		"our clock says %s, and the ledger's newest LSC was issued at "
		"%s; set the clock right or, if it is and was wrong then, say "
		"so: dialtone capf clock --accept",
		is, from);
	return false;
}

/* Whose LSC it signed now would be locked out. */
static bool is_believed(struct capf_desk *desk, char *why)
{
	const struct capf_believers by = {desk->world.trust, desk->world.self};
	if (desk->world.config->capf_issuer != CONFIG_ISSUER_OWN)
		return true;
	struct capf_roots *roots = capf_authority_roots(desk->world.authority);
	const char *store =
		capf_believe_root(&by, roots->signing.id.sha256_raw);
	if (store)
		snprintf(why, CAPF_DETAIL_MAX + 1,
			"the root %.64s, which signs, is not in force in %s, "
			"so that phones with an LSC of it would be locked out: "
			"dialtone trust list says why, or dialtone trust add "
			"%.64s.pem from the folder capf.folder puts it back",
			roots->signing.name, store, roots->signing.name);
	capf_roots_unref(roots);
	return !store;
}

enum capf_why capf_issue_may(
	struct capf_desk *desk, int64_t now, char why[CAPF_DETAIL_MAX + 1])
{
	if (!is_right(desk, now, why)) {
		capf_desk_halt(desk, HALT_CLOCK, why);
		return CAPF_WHY_CLOCK;
	}
	capf_desk_works(desk, HALT_CLOCK);
	if (!is_believed(desk, why)) {
		capf_desk_halt(desk, HALT_TRUST, why);
		return CAPF_WHY_ROOT;
	}
	capf_desk_works(desk, HALT_TRUST);
	return CAPF_WHY_NOTHING;
}

/* ---- what an admin is told ---- */

static bool take_ahead(void *self, const struct capf_issued *i)
{
	struct capf_clock *c = self;
	if (i->state != CAPF_ISSUED_STALE && i->state != CAPF_ISSUED_INSTALLED)
		return true;
	if (c->ahead < CAPF_AHEAD_MAX)
		memcpy(c->devices[c->ahead], i->device, sizeof(i->device));
	c->ahead++;
	return true;
}

static int look(struct capf_desk *desk, struct capf_clock *out, struct diag *d)
{
	char why[CAPF_DETAIL_MAX + 1] = "";
	memset(out, 0, sizeof(*out));
	out->now = capf_desk_now(desk);
	out->newest = desk->newest_issue;
	out->right = is_right(desk, out->now, why);
	snprintf(out->why, sizeof(out->why), "%s", out->right ? "" : why);
	const struct capf_issued_which which = {.begins_after = out->now};
	return capf_store_ledger(desk->store, &which, take_ahead, out, d);
}

int capf_desk_clock(
	struct capf_desk *desk, struct capf_clock *out, struct diag *d)
{
	capf_desk_enter(desk);
	int error = look(desk, out, d);
	capf_desk_leave(desk);
	return error;
}

/* ---- an admin's word ---- */

/* That the ledger is ahead is what can be accepted; that our root is not valid
 * yet, or any more, is not: what it signed now would be good for nobody. */
static int may_accept(struct capf_desk *desk, int64_t now, struct diag *d)
{
	char is[21], why[CAPF_DETAIL_MAX + 1];
	cert_time_text((time_t)now, is);
	if (!is_in_root_s_life(desk, now, why))
		return diag_set(d, -EPERM, "%s", why);
	if (is_behind(desk, now))
		return 0;
	return diag_set(d, -EBUSY,
		"our clock says %s, and nothing in the ledger speaks against "
		"it: there is nothing to accept",
		is);
}

static int accept_now(struct capf_desk *desk, int64_t now, struct diag *d)
{
	struct desk_note note = {.name = "clock-accepted"};
	char is[21], from[21];
	cert_time_text((time_t)now, is);
	cert_time_text((time_t)desk->newest_issue, from);
	snprintf(note.detail, sizeof(note.detail),
		"%s is right, an admin says, though the newest LSC was issued "
		"at %s",
		is, from);
	int error = capf_store_accept_clock(desk->store, now, d);
	return error ? error : capf_desk_audit(desk, &note, d);
}

int capf_desk_accept_clock(struct capf_desk *desk, struct diag *d)
{
	char why[CAPF_DETAIL_MAX + 1];
	int64_t now = capf_desk_now(desk);
	capf_desk_enter(desk);
	int error = may_accept(desk, now, d);
	if (error == 0)
		error = capf_desk_begin(desk, d);
	if (error == 0)
		error = capf_desk_close_with(desk, accept_now(desk, now, d), d);
	if (error == 0) {
		desk->newest_issue = now;
		capf_issue_may(desk, now, why); /* status says so at once */
	}
	capf_desk_leave(desk);
	return error;
}

int capf_desk_may_accept_clock(struct capf_desk *desk, struct diag *d)
{
	capf_desk_enter(desk);
	int error = may_accept(desk, capf_desk_now(desk), d);
	capf_desk_leave(desk);
	return error;
}

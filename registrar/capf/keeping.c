/* SPDX-License-Identifier: Apache-2.0 */
/* What the records say of a device, and what becomes of its LSC. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "registrar/capf/desk_inside.h"
#include "registrar/capf/secret.h"

bool capf_profile_of(struct capf_desk *desk, const char *device,
	struct security_profile *out)
{
	struct inventory *inv = desk->world.inventory;
	struct device *d = inventory_find(inv, device);
	bool found = d && inventory_profile(inv, d->profile, out);
	device_unref(d);
	return found;
}

int capf_pending(struct capf_desk *desk, const char *device,
	struct capf_operation *out, struct diag *d)
{
	int error = capf_store_operation(desk->store, device, out, d);
	if (error == 0 && out->state != CAPF_STATE_PENDING)
		return diag_set(
			d, -ENOENT, "nothing is pending for %s", device);
	return error;
}

/* ---- which certificates the phone has, as far as we know ---- */

static bool is_mic(void *self, const struct capf_shown *c)
{
	bool *mic = self;
	*mic |= c->type == CAPF_CERT_MIC;
	return !*mic;
}

static void say_lsc(struct capf_known *out, const char *serial,
	const char *issuer, const char *what)
{
	out->lsc = true;
	snprintf(out->how, sizeof(out->how), "%.40s of %.40s, %s", serial,
		issuer, what);
}

/* It registered with an LSC: it still has it, unless the ledger knows that
 * one, and better. */
static int seen_lsc(struct capf_desk *desk, const struct device_seen *seen,
	struct capf_known *out, struct diag *d)
{
	struct capf_issued i;
	int error = capf_store_issued_as(desk->store, seen->sha256, &i, d);
	if (error < 0 && error != -ENOENT)
		return error;
	if (error == -ENOENT || i.state == CAPF_ISSUED_STALE)
		say_lsc(out, seen->serial, seen->issuer,
			"with which it registered");
	return 0;
}

int capf_known_of(struct capf_desk *desk, const char *device, int64_t now,
	struct capf_known *out, struct diag *d)
{
	struct device_seen seen = {.kind = CERT_KIND_UNKNOWN};
	struct capf_issued i;
	*out = (struct capf_known){.lsc = false};
	if (!inventory_sighting(desk->world.inventory, device, &seen))
		seen = (struct device_seen){.kind = CERT_KIND_UNKNOWN};
	out->mic = seen.kind == CERT_KIND_MIC;
	int error = capf_store_shown(desk->store, device, is_mic, &out->mic, d);
	if (error < 0 && error != -ENOENT)
		return error;
	error = capf_store_newest(
		desk->store, device, CAPF_ISSUED_INSTALLED, &i, d);
	if (error < 0 && error != -ENOENT)
		return error;
	/* A phone with an LSC does not register with its MIC: one that did has
	 * lost it. */
	bool lost = seen.kind == CERT_KIND_MIC && error == 0 &&
		    seen.registered > i.confirmed_at;
	if (error == 0 && i.not_after > now && !lost)
		say_lsc(out, i.serial, i.issuer_cn, "which it installed");
	else if (seen.kind == CERT_KIND_LSC && seen.not_after > now)
		return seen_lsc(desk, &seen, out, d);
	return 0;
}

/* ---- what becomes of an operation, and of the LSC it came to ---- */

int capf_finish(struct capf_desk *desk, struct capf_operation *o,
	enum capf_state state, enum capf_why why, struct diag *d)
{
	o->state = state;
	o->why = why;
	o->changed_at = capf_desk_now(desk);
	if (why == CAPF_WHY_NOTHING)
		o->detail[0] = '\0';
	capf_secret_void(o);
	int error = capf_store_remove_request(desk->store, o->device, d);
	if (error < 0 && error != -ENOENT)
		return error;
	return capf_desk_put(desk, o, d);
}

int capf_installed(struct capf_desk *desk, const char *device,
	const char *serial, int64_t now, struct diag *d)
{
	struct capf_operation o;
	int error = capf_store_set_issued(
		desk->store, serial, CAPF_ISSUED_INSTALLED, now, d);
	if (error == 0)
		error = capf_store_end_issued(
			desk->store, device, serial, CAPF_ISSUED_REPLACED, d);
	if (error < 0 && error != -ENOENT)
		return error;
	error = capf_pending(desk, device, &o, d);
	if (error == 0 && strcmp(o.serial, serial) == 0)
		return capf_finish(
			desk, &o, CAPF_STATE_DONE, CAPF_WHY_NOTHING, d);
	return error == -ENOENT ? 0 : error;
}

int capf_used(struct capf_desk *desk, const uint8_t sha256[32], struct diag *d)
{
	struct capf_issued i;
	struct desk_note note = {
		.event = DESK_USED, .detail = "the phone registered with it"};
	int error = capf_store_issued_as(desk->store, sha256, &i, d);
	if (error == -ENOENT || (error == 0 && i.state != CAPF_ISSUED_STALE))
		return 0;
	if (error == 0)
		error = capf_installed(
			desk, i.device, i.serial, capf_desk_now(desk), d);
	if (error < 0)
		return error;
	memcpy(note.device, i.device, sizeof(note.device));
	memcpy(note.serial, i.serial, sizeof(note.serial));
	return capf_desk_audit(desk, &note, d);
}

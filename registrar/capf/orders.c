/* SPDX-License-Identifier: Apache-2.0 */
/* What an admin has CAPF do: operations begun, cancelled, forgotten. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "registrar/capf/desk_inside.h"
#include "registrar/capf/secret.h"
#include "registrar/memory.h"
#include "registrar/text.h"

enum {
	HOUR_S = 3600,
	MINUTE_S = 60,
};

/* What is made ready for one device before anybody has to wait for it. */
struct draft {
	struct capf_operation o; /* device "": there is no such device */
	struct security_profile profile;
};

/* ---- is the order one? ---- */

static int check(const struct capf_order *order, int64_t now, struct diag *d)
{
	if (order->kind == CAPF_NONE || order->kind >= CAPF_KINDS)
		return diag_set(d, -EINVAL, "there is no such operation");
	if (order->mode &&
		(order->mode < CAPF_MODE_STRING || order->mode > CAPF_MODE_MIC))
		return diag_set(
			d, -EINVAL, "there is no such authentication mode");
	if (order->completes_by && order->completes_by <= now)
		return diag_set(d, -EINVAL,
			"the time by which it has to be done is over already");
	if (order->string_digits &&
		(order->string_digits < CAPF_SECRET_MIN ||
			order->string_digits > CAPF_SECRET_MAX))
		return diag_set(d, -EINVAL,
			"%u digits: an authentication string has %d to %d",
			order->string_digits, CAPF_SECRET_MIN, CAPF_SECRET_MAX);
	if (order->string_until &&
		(order->string_until <= now ||
			order->string_until - now > CAPF_STRING_MAX_S))
		return diag_set(d, -EINVAL,
			"an authentication string ends within 720 hours, and "
			"not in the past");
	if (order->null_until &&
		(order->null_until <= now ||
			order->null_until - now > CAPF_NULL_MAX_S))
		return diag_set(d, -EINVAL,
			"null string ends within a day, and not in the past: "
			"whoever names the device gets what is pending");
	return 0;
}

bool capf_desk_can_name(const char *device, char why[256])
{
	if (cert_device_in_cn(device) == device)
		return true;
	snprintf(why, 256,
		"%.63s is no name that a phone can prove by a certificate: "
		"give the device the name that it has itself, such as SEP and "
		"the 12 hex digits of its MAC address (dialtone device add)",
		device);
	return false;
}

/* ---- what the admin should know ---- */

static bool is_of_7900(const struct device *device)
{
	const char *digits = strpbrk(device->model, "0123456789");
	return digits && strncmp(digits, "79", 2) == 0;
}

static void warn_of_keys(const struct config *config,
	const struct device *device, const struct security_profile *p,
	char warning[256])
{
	struct capf_key_wish wish;
	char detail[CAPF_DETAIL_MAX + 1];
	/* What is refused to the lowest version, and to the highest. */
	if (capf_issue_wish(config, p, 2, &wish, detail) == CAPF_WHY_KEY_UNFIT)
		snprintf(warning, 256, "it will be refused: %.200s", detail);
	else if (is_of_7900(device) && p->key_order == 1)
		snprintf(warning, 256,
			"phones of the 7900 series have no EC keys, and "
			"profile %.63s wants those alone",
			p->name);
	else if (is_of_7900(device) && p->rsa_bits > 2048)
		snprintf(warning, 256,
			"phones of the 7900 series make RSA keys up to 2048 "
			"bits, and profile %.63s wants %u",
			p->name, p->rsa_bits);
}

/* Specs capf 8: by string a phone calls CAPF only when its user has it do so,
 * and with a secure profile it does not register before it has an LSC. */
static void warn_of_mode(struct capf_desk *desk, const struct draft *draft,
	const struct capf_known *known, char warning[256])
{
	const struct capf_operation *o = &draft->o;
	bool secure = draft->profile.mode != SECURITY_NON_SECURE;
	bool by_cert = o->mode == CAPF_MODE_LSC || o->mode == CAPF_MODE_MIC;
	char until[21];
	cert_time_text((time_t)o->null_until, until);
	if (by_cert && !*trust_store_folder(desk->world.config, STORE_CAPF))
		snprintf(warning, 256,
			"there is no CAPF-trust to judge its certificate by "
			"(trust.capf): it will be refused");
	else if (o->mode == CAPF_MODE_STRING && secure && !known->lsc &&
		 !known->mic)
		snprintf(warning, 256,
			"with profile %.63s and no certificate the phone "
			"neither registers nor asks CAPF by itself: at the "
			"phone, Settings > Security > LSC > Update; or use "
			"mode null, or a non-secure profile",
			draft->profile.name);
	else if (o->mode == CAPF_MODE_STRING)
		snprintf(warning, 256,
			"the phone asks only when its user chooses Settings > "
			"Security > LSC > Update and types the string");
	else if (o->mode == CAPF_MODE_NULL_STRING)
		snprintf(warning, 256,
			"until %s whoever names this device gets what is "
			"pending for it",
			until);
}

/* ---- drafts ---- */

static void draft_mode(const struct capf_desk *desk,
	const struct capf_order *order, int64_t now, struct draft *draft,
	struct capf_ordered *result)
{
	const struct config *c = desk->world.config;
	struct capf_operation *o = &draft->o;
	if (o->mode == CAPF_MODE_STRING) {
		capf_secret_make(result->string,
			order->string_digits ? order->string_digits
					     : c->capf_string_digits);
		capf_secret_hash(result->string, o->salt, o->hash);
		o->string_until =
			order->string_until
				? order->string_until
				: now + (int64_t)c->capf_string_hours * HOUR_S;
	}
	if (o->mode == CAPF_MODE_NULL_STRING)
		o->null_until = order->null_until ? order->null_until
						  : now + CAPF_NULL_MAX_S;
}

static void make_draft(struct capf_desk *desk, const struct capf_order *order,
	const char *name, struct draft *draft, struct capf_ordered *result)
{
	int64_t now = capf_desk_now(desk);
	struct device *device = inventory_find(desk->world.inventory, name);
	*draft = (struct draft){.o = {.device = ""}};
	*result = (struct capf_ordered){.error = -ENOENT};
	if (!device || !inventory_profile(desk->world.inventory,
			       device->profile, &draft->profile)) {
		device_unref(device);
		return;
	}
	struct capf_operation *o = &draft->o;
	result->error = 0;
	text_copy(o->device, sizeof(o->device), device->name);
	o->kind = order->kind;
	o->mode = order->mode
			  ? order->mode
			  : (enum capf_mode)draft->profile.authentication_mode;
	o->state = CAPF_STATE_PENDING;
	text_copy(o->origin, sizeof(o->origin), order->origin);
	o->queued_at = o->changed_at = now;
	o->completes_by = order->completes_by;
	o->tell = order->tell;
	if (o->kind == CAPF_INSTALL &&
		!capf_desk_can_name(o->device, result->warning))
		result->error = -EINVAL;
	else
		draft_mode(desk, order, now, draft, result);
	if (o->kind == CAPF_INSTALL && result->error == 0)
		warn_of_keys(desk->world.config, device, &draft->profile,
			result->warning);
	device_unref(device);
}

/* Strings take milliseconds each to hash. False: nobody wants them any more. */
static bool make_drafts(struct capf_desk *desk, const struct capf_order *order,
	const char *const *devices, size_t n, struct draft *drafts,
	struct capf_ordered *results)
{
	struct capf_progress nobody = {.stop = false};
	struct capf_progress *p = order->progress ? order->progress : &nobody;
	size_t i = 0;
	__atomic_add_fetch(&p->all, n, __ATOMIC_RELAXED);
	for (; i < n && !__atomic_load_n(&p->stop, __ATOMIC_RELAXED); i++) {
		make_draft(desk, order, devices[i], &drafts[i], &results[i]);
		__atomic_add_fetch(&p->done, 1, __ATOMIC_RELAXED);
	}
	__atomic_sub_fetch(&p->all, n, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&p->done, i, __ATOMIC_RELAXED);
	return i == n;
}

/* ---- into the records ---- */

static int audit_order(struct capf_desk *desk, enum desk_event event,
	const struct capf_operation *o, struct diag *d)
{
	struct desk_note note = {.event = event};
	memcpy(note.device, o->device, sizeof(note.device));
	snprintf(note.detail, sizeof(note.detail), "%s, %s, of %s",
		capf_kind_name(o->kind), capf_mode_name(o->mode), o->origin);
	return capf_desk_audit(desk, &note, d);
}

static int take_one(struct capf_desk *desk, struct draft *draft, bool replace,
	struct capf_ordered *result, struct diag *d)
{
	struct capf_operation *o = &draft->o, before;
	struct capf_known known;
	struct security_profile profile;
	/* It may have left the inventory since: strings take time. */
	if (!capf_profile_of(desk, o->device, &profile)) {
		result->error = -ENOENT;
		return 0;
	}
	int error = capf_pending(desk, o->device, &before, d);
	if (error == 0 && !replace) {
		result->error = -EEXIST;
		return 0;
	}
	if (error == 0 || error == -ENOENT)
		error = capf_known_of(desk, o->device, o->queued_at, &known, d);
	if (error == 0)
		error = capf_store_remove_request(desk->store, o->device, d);
	if (error < 0 && error != -ENOENT)
		return error;
	if (!*result->warning)
		warn_of_mode(desk, draft, &known, result->warning);
	error = capf_desk_put(desk, o, d);
	return error ? error : audit_order(desk, DESK_ORDERED, o, d);
}

static int take_all(struct capf_desk *desk, const struct capf_order *order,
	struct draft *drafts, size_t n, struct capf_ordered *results,
	struct diag *d)
{
	int64_t first = order->turn_at ? order->turn_at : capf_desk_now(desk);
	int64_t turns = 0;
	int error = 0;
	for (size_t i = 0; i < n && error == 0; i++) {
		if (results[i].error)
			continue;
		drafts[i].o.turn_at =
			first +
			(order->per_min ? turns * MINUTE_S / order->per_min
					: 0);
		error = take_one(
			desk, &drafts[i], order->replace, &results[i], d);
		turns += results[i].error == 0;
	}
	return error;
}

/* Whoever came for what was pending before comes for nothing any more. */
static void tell_visits(struct capf_desk *desk, const struct draft *drafts,
	size_t n, const struct capf_ordered *results)
{
	for (size_t i = 0; i < n; i++)
		if (results[i].error == 0)
			capf_visit_supersede(desk, drafts[i].o.device, NULL,
				CAPF_WHY_CANCELLED,
				"an admin ordered something else");
}

static int put_drafts(struct capf_desk *desk, const struct capf_order *order,
	struct draft *drafts, size_t n, struct capf_ordered *results,
	struct diag *d)
{
	capf_desk_enter(desk);
	int error = capf_desk_begin(desk, d);
	if (error == 0)
		error = capf_desk_close_with(
			desk, take_all(desk, order, drafts, n, results, d), d);
	if (error == 0)
		tell_visits(desk, drafts, n, results);
	capf_desk_leave(desk);
	return error;
}

int capf_desk_order(struct capf_desk *desk, const struct capf_order *order,
	const char *const *devices, size_t n, struct capf_ordered *results,
	struct diag *d)
{
	int error = check(order, capf_desk_now(desk), d);
	if (error < 0 || n == 0)
		return error;
	struct draft *drafts = memory_zero(n * sizeof(*drafts));
	error = make_drafts(desk, order, devices, n, drafts, results)
			? put_drafts(desk, order, drafts, n, results, d)
			: diag_set(d, -ECANCELED,
				  "dialtoned ends; nothing was queued");
	for (size_t i = 0; i < n; i++)
		if (error || results[i].error)
			OPENSSL_cleanse(
				results[i].string, sizeof(results[i].string));
	OPENSSL_cleanse(drafts, n * sizeof(*drafts));
	free(drafts);
	return error;
}

static int cancel(struct capf_desk *desk, const char *device, struct diag *d)
{
	struct capf_operation o;
	int error = capf_pending(desk, device, &o, d);
	if (error == 0)
		error = capf_finish(
			desk, &o, CAPF_STATE_FAILED, CAPF_WHY_CANCELLED, d);
	return error ? error : audit_order(desk, DESK_CANCELLED, &o, d);
}

int capf_desk_cancel(struct capf_desk *desk, const char *device, struct diag *d)
{
	capf_desk_enter(desk);
	int error = capf_desk_begin(desk, d);
	if (error == 0)
		error = capf_desk_close_with(desk, cancel(desk, device, d), d);
	if (error == 0)
		capf_visit_supersede(desk, device, NULL, CAPF_WHY_CANCELLED,
			"an admin cancelled the operation");
	capf_desk_leave(desk);
	return error;
}

int capf_desk_may_cancel(
	struct capf_desk *desk, const char *device, struct diag *d)
{
	struct capf_operation o;
	capf_desk_enter(desk);
	int error = capf_pending(desk, device, &o, d);
	capf_desk_leave(desk);
	return error;
}

/* ---- who is no longer in the inventory ---- */

void capf_desk_forget(struct capf_desk *desk, const char *device)
{
	struct desk_name *one = memory_zero(sizeof(*one));
	text_copy(one->device, sizeof(one->device), device);
	pthread_mutex_lock(&desk->lock);
	one->next = desk->forget;
	desk->forget = one;
	pthread_cond_signal(&desk->news);
	pthread_mutex_unlock(&desk->lock);
}

int capf_forget(struct capf_desk *desk, const char *device, struct diag *d)
{
	struct capf_operation o;
	int error = capf_store_remove_shown(desk->store, device, d);
	if (error < 0)
		return error;
	error = capf_store_operation(desk->store, device, &o, d);
	if (error < 0)
		return error == -ENOENT ? 0 : error;
	capf_visit_supersede(desk, device, NULL, CAPF_WHY_DEVICE_GONE,
		"the device was removed from the inventory");
	if (o.state == CAPF_STATE_PENDING) {
		error = capf_finish(
			desk, &o, CAPF_STATE_FAILED, CAPF_WHY_DEVICE_GONE, d);
		return error ? error : audit_order(desk, DESK_FORGOTTEN, &o, d);
	}
	error = capf_store_remove_operation(desk->store, device, d);
	desk->changed = true;
	return error == -ENOENT ? 0 : error;
}

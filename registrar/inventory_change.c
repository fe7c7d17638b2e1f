/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of the inventory: judged, on the disk, and only then in memory. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "registrar/device_rules.h"
#include "registrar/inventory_inside.h"
#include "registrar/log.h"
#include "registrar/memory.h"

/* ---- what the store holds ---- */

static int load_device(void *self, const struct device *from, struct diag *d)
{
	struct inventory *inv = self;
	struct device_fault fault;
	if (!device_check(from, &fault))
		return diag_set(d, -EINVAL,
			"the device inventory is damaged: device \"%.63s\": "
			"%s %s: restore it from a backup",
			from->name, fault.field, fault.why);
	struct entry *e = *inventory_place(inv, from->name);
	if (!e) /* else the configuration file has the last word */
		inventory_keep(inv, device_new(from));
	return 0;
}

static int load_profile(
	void *self, const struct security_profile *profile, struct diag *d)
{
	struct inventory *inv = self;
	struct device_fault fault;
	if (!device_profile_check(profile, &fault))
		return diag_set(d, -EINVAL,
			"the device inventory is damaged: profile \"%s\": %s "
			"%s: restore it from a backup",
			profile->name, fault.field, fault.why);
	struct security_profile *own = memory_grow(
		(void **)&inv->profiles, &inv->n_profiles, sizeof(*own));
	*own = *profile;
	return 0;
}

static int load_sighting(
	void *self, const struct store_sighting *sighting, struct diag *d)
{
	struct inventory *inv = self;
	struct entry *e = *inventory_place(inv, sighting->name);
	if (!e || e->seen || sighting->seen.kind > CERT_KIND_MIC)
		return 0;
	e->seen = memory_zero(sizeof(*e->seen));
	*e->seen = sighting->seen;
	e->seen->issuer = inventory_name(inv, sighting->seen.issuer);
	e->seen->anchor = inventory_name(inv, sighting->seen.anchor);
	return 0;
}

static int load_window(
	void *self, const struct store_window *window, struct diag *d)
{
	struct inventory *inv = self;
	inv->window = *window;
	return 0;
}

int inventory_open(struct inventory *inv, const char *folder, struct diag *d)
{
	struct log_line line;
	const struct store_reader reader = {
		inv, load_device, load_profile, load_sighting, load_window};
	int error = store_open(folder, &inv->store, d);
	if (error == 0)
		error = store_load(inv->store, &reader, d);
	if (error < 0)
		return error;
	log_begin(&line, LOG_EV_INVENTORY_LOADED);
	log_str(&line, "folder", folder);
	log_num(&line, "devices", (int64_t)inv->n);
	log_num(&line, "profiles", (int64_t)inv->n_profiles);
	log_end(&line);
	inventory_keeper_start(inv);
	return 0;
}

/* ---- judging ---- */

static int need_store(const struct inventory *inv, struct diag *d)
{
	if (inv->store)
		return 0;
	return diag_set(d, -ENOTSUP,
		"nothing can be changed: the configuration names no "
		"state.folder, where changes would last; name one and start "
		"dialtoned anew");
}

int inventory_judge(struct inventory *inv, const struct device *device,
	struct device_fault *fault)
{
	struct security_profile profile;
	if (!device_check(device, fault))
		return -EINVAL;
	if (!inventory_profile(inv, device->profile, &profile)) {
		device_refuse(fault, "profile",
			"\"%s\" is no profile: see "
			"dialtone profile list",
			device->profile);
		return -EINVAL;
	}
	struct device *there = inventory_find(inv, device->name);
	bool fixed = there && there->fixed;
	device_unref(there);
	if (!fixed)
		return 0;
	device_refuse(fault, "name",
		"%s stands in %.90s: change it there, and start dialtoned anew",
		device->name, inv->config->file);
	return -EPERM;
}

static int judge_existence(
	bool there, enum inventory_how how, const char *name, struct diag *d)
{
	if (there && how == INVENTORY_ADD)
		return diag_set(d, -EEXIST,
			"%s is there already: change it with set", name);
	if (!there && how == INVENTORY_SET)
		return diag_set(
			d, -ENOENT, "there is no %s: make it with add", name);
	return 0;
}

static int judge_room(const struct inventory *inv, size_t more, struct diag *d)
{
	if (inv->n + more <= INVENTORY_MAX)
		return 0;
	return diag_set(d, -EINVAL,
		"name: with %zu more there would be %zu devices, at most %d",
		more, inv->n + more, INVENTORY_MAX);
}

static bool is_there(struct inventory *inv, const char *name)
{
	struct device *there = inventory_find(inv, name);
	device_unref(there);
	return there;
}

/* ---- devices ---- */

static void tell_removed(const struct inventory *inv, const char *name)
{
	if (inv->removed)
		inv->removed(inv->removed_self, name);
}

static int judge_put(struct inventory *inv, const struct device *device,
	enum inventory_how how, struct diag *d)
{
	struct device_fault fault;
	bool there = is_there(inv, device->name);
	int error = need_store(inv, d);
	if (error == 0)
		error = judge_existence(there, how, device->name, d);
	if (error == 0)
		error = judge_room(inv, !there, d);
	if (error < 0)
		return error;
	error = inventory_judge(inv, device, &fault);
	return error < 0 ? diag_set(d, error, "%s: %s", fault.field, fault.why)
			 : 0;
}

static int put(struct inventory *inv, const struct device *device,
	enum inventory_how how, struct diag *d)
{
	const struct store_change change = {
		.what = STORE_PUT_DEVICE, .device = device};
	int error = judge_put(inv, device, how, d);
	if (error == 0)
		error = store_write(inv->store, &change, 1, d);
	if (error < 0)
		return error;
	pthread_rwlock_wrlock(&inv->lock);
	inventory_keep(inv, device_new(device));
	pthread_rwlock_unlock(&inv->lock);
	return 0;
}

int inventory_put(struct inventory *inv, const struct device *device,
	enum inventory_how how, struct diag *d)
{
	pthread_mutex_lock(&inv->changing);
	int error = put(inv, device, how, d);
	pthread_mutex_unlock(&inv->changing);
	return error;
}

int inventory_may_put(struct inventory *inv, const struct device *device,
	enum inventory_how how, struct diag *d)
{
	pthread_mutex_lock(&inv->changing);
	int error = judge_put(inv, device, how, d);
	pthread_mutex_unlock(&inv->changing);
	return error;
}

static int judge_removal(
	struct inventory *inv, const char *name, struct diag *d)
{
	struct device *there = inventory_find(inv, name);
	bool fixed = there && there->fixed;
	device_unref(there);
	int error = need_store(inv, d);
	if (error < 0)
		return error;
	if (!there)
		return diag_set(d, -ENOENT, "there is no %.63s", name);
	if (fixed)
		return diag_set(d, -EPERM,
			"%s stands in %s: take it out there, and start "
			"dialtoned anew",
			name, inv->config->file);
	return 0;
}

static int remove_device(
	struct inventory *inv, const char *name, struct diag *d)
{
	const struct store_change change = {
		.what = STORE_REMOVE_DEVICE, .name = name};
	int error = judge_removal(inv, name, d);
	if (error == 0)
		error = store_write(inv->store, &change, 1, d);
	if (error < 0)
		return error;
	pthread_rwlock_wrlock(&inv->lock);
	inventory_drop(inv, name);
	pthread_rwlock_unlock(&inv->lock);
	tell_removed(inv, name);
	return 0;
}

int inventory_remove(struct inventory *inv, const char *name, struct diag *d)
{
	pthread_mutex_lock(&inv->changing);
	int error = remove_device(inv, name, d);
	pthread_mutex_unlock(&inv->changing);
	return error;
}

int inventory_may_remove(
	struct inventory *inv, const char *name, struct diag *d)
{
	pthread_mutex_lock(&inv->changing);
	int error = judge_removal(inv, name, d);
	pthread_mutex_unlock(&inv->changing);
	return error;
}

/* ---- import ---- */

/* What an import comes to: the changes that it makes. */
struct plan {
	struct store_change *changes;
	size_t n;
};

static void plan(struct plan *p, struct store_change change)
{
	struct store_change *one =
		memory_grow((void **)&p->changes, &p->n, sizeof(*one));
	*one = change;
}

static void plan_puts(struct inventory *inv, struct device *const *devices,
	size_t n, struct inventory_import *import, struct plan *p)
{
	for (size_t i = 0; i < n; i++) {
		struct device *there = inventory_find(inv, devices[i]->name);
		if (there && device_equal(there, devices[i])) {
			import->unchanged++;
		} else {
			*(there ? &import->changed : &import->added) += 1;
			plan(p, (struct store_change){.what = STORE_PUT_DEVICE,
					.device = devices[i]});
		}
		device_unref(there);
	}
}

static int by_name(const void *a, const void *b)
{
	const struct device *const *x = a, *const *y = b;
	return strcasecmp((*x)->name, (*y)->name);
}

/* Those that are there (`all`, sorted) but not among the devices. */
static void plan_removals(struct device **all, size_t n_all,
	struct device *const *devices, size_t n,
	struct inventory_import *import, struct plan *p)
{
	struct device **sorted = memory_zero((n + 1) * sizeof(struct device *));
	for (size_t i = 0; i < n; i++)
		sorted[i] = devices[i];
	qsort(sorted, n, sizeof(struct device *), by_name);
	for (size_t i = 0; i < n_all; i++) {
		if (all[i]->fixed || bsearch(&all[i], sorted, n,
					     sizeof(struct device *), by_name))
			continue;
		import->removed++;
		plan(p, (struct store_change){.what = STORE_REMOVE_DEVICE,
				.name = all[i]->name});
	}
	free(sorted);
}

static void do_plan(struct inventory *inv, const struct plan *p)
{
	pthread_rwlock_wrlock(&inv->lock);
	for (size_t i = 0; i < p->n; i++) {
		const struct store_change *c = &p->changes[i];
		if (c->what == STORE_PUT_DEVICE)
			inventory_keep(
				inv, device_ref((struct device *)c->device));
		else
			inventory_drop(inv, c->name);
	}
	pthread_rwlock_unlock(&inv->lock);
	for (size_t i = 0; i < p->n; i++)
		if (p->changes[i].what == STORE_REMOVE_DEVICE)
			tell_removed(inv, p->changes[i].name);
}

static int import_all(struct inventory *inv, struct device *const *devices,
	size_t n, struct inventory_import *import, struct diag *d)
{
	struct plan p = {0};
	size_t n_all;
	int error = need_store(inv, d);
	if (error < 0)
		return error;
	struct device **all = inventory_list(inv, &n_all);
	plan_puts(inv, devices, n, import, &p);
	if (import->replace)
		plan_removals(all, n_all, devices, n, import, &p);
	if (import->added > import->removed)
		error = judge_room(inv, import->added - import->removed, d);
	if (error == 0 && !import->dry_run && p.n)
		error = store_write(inv->store, p.changes, p.n, d);
	if (error == 0 && !import->dry_run)
		do_plan(inv, &p);
	free(p.changes);
	inventory_list_free(all, n_all);
	return error;
}

int inventory_import(struct inventory *inv, struct device *const *devices,
	size_t n, struct inventory_import *import, struct diag *d)
{
	pthread_mutex_lock(&inv->changing);
	int error = import_all(inv, devices, n, import, d);
	pthread_mutex_unlock(&inv->changing);
	return error;
}

/* ---- profiles ---- */

static int refuse_predefined(const char *name, struct diag *d)
{
	for (size_t i = 0; i < SECURITY_PREDEFINED; i++)
		if (strcasecmp(security_predefined[i].name, name) == 0)
			return diag_set(d, -EPERM,
				"%s is predefined: it cannot be changed or "
				"removed; make one of your own",
				name);
	return 0;
}

static int judge_profile(struct inventory *inv,
	const struct security_profile *profile, enum inventory_how how,
	struct diag *d)
{
	struct device_fault fault;
	int error = need_store(inv, d);
	if (error == 0)
		error = refuse_predefined(profile->name, d);
	if (error < 0)
		return error;
	bool there = inventory_own_profile(inv, profile->name);
	error = judge_existence(there, how, profile->name, d);
	if (error < 0)
		return error;
	if (!device_profile_check(profile, &fault))
		return diag_set(d, -EINVAL, "%s: %s", fault.field, fault.why);
	if (there || inv->n_profiles < INVENTORY_PROFILES_MAX)
		return 0;
	return diag_set(d, -EINVAL, "name: there are %d profiles already",
		INVENTORY_PROFILES_MAX);
}

static int by_profile_name(const void *a, const void *b)
{
	const struct security_profile *x = a, *y = b;
	return strcasecmp(x->name, y->name);
}

/* Only who holds `changing` may look without `lock`, too. */
static int put_profile(struct inventory *inv,
	const struct security_profile *profile, enum inventory_how how,
	struct diag *d)
{
	const struct store_change change = {
		.what = STORE_PUT_PROFILE, .profile = profile};
	int error = judge_profile(inv, profile, how, d);
	if (error == 0)
		error = store_write(inv->store, &change, 1, d);
	if (error < 0)
		return error;
	pthread_rwlock_wrlock(&inv->lock);
	struct security_profile *own =
		inventory_own_profile(inv, profile->name);
	if (!own)
		own = memory_grow((void **)&inv->profiles, &inv->n_profiles,
			sizeof(*own));
	*own = *profile;
	qsort(inv->profiles, inv->n_profiles, sizeof(*own), by_profile_name);
	pthread_rwlock_unlock(&inv->lock);
	return 0;
}

int inventory_put_profile(struct inventory *inv,
	const struct security_profile *profile, enum inventory_how how,
	struct diag *d)
{
	pthread_mutex_lock(&inv->changing);
	int error = put_profile(inv, profile, how, d);
	pthread_mutex_unlock(&inv->changing);
	return error;
}

int inventory_may_put_profile(struct inventory *inv,
	const struct security_profile *profile, enum inventory_how how,
	struct diag *d)
{
	pthread_mutex_lock(&inv->changing);
	int error = judge_profile(inv, profile, how, d);
	pthread_mutex_unlock(&inv->changing);
	return error;
}

static int refuse_used(struct inventory *inv, const char *name, struct diag *d)
{
	size_t n, users = 0;
	char first[CERT_DEVICE_MAX + 1] = "";
	struct device **all = inventory_list(inv, &n);
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(all[i]->profile, name) == 0 && users++ == 0)
			strncpy(first, all[i]->name, sizeof(first) - 1);
	inventory_list_free(all, n);
	if (!users)
		return 0;
	return diag_set(d, -EBUSY,
		"%s is in use by %zu devices, the first is %s: give them "
		"another profile first",
		name, users, first);
}

static int judge_profile_removal(
	struct inventory *inv, const char *name, struct diag *d)
{
	int error = need_store(inv, d);
	if (error == 0)
		error = refuse_predefined(name, d);
	if (error == 0 && !inventory_own_profile(inv, name))
		error = diag_set(d, -ENOENT, "there is no profile %.63s", name);
	return error < 0 ? error : refuse_used(inv, name, d);
}

static int remove_profile(
	struct inventory *inv, const char *name, struct diag *d)
{
	const struct store_change change = {
		.what = STORE_REMOVE_PROFILE, .name = name};
	int error = judge_profile_removal(inv, name, d);
	if (error == 0)
		error = store_write(inv->store, &change, 1, d);
	if (error < 0)
		return error;
	pthread_rwlock_wrlock(&inv->lock);
	struct security_profile *own = inventory_own_profile(inv, name);
	size_t after = inv->n_profiles - (size_t)(own - inv->profiles) - 1;
	memmove(own, own + 1, after * sizeof(*own));
	inv->n_profiles--;
	pthread_rwlock_unlock(&inv->lock);
	return 0;
}

int inventory_remove_profile(
	struct inventory *inv, const char *name, struct diag *d)
{
	pthread_mutex_lock(&inv->changing);
	int error = remove_profile(inv, name, d);
	pthread_mutex_unlock(&inv->changing);
	return error;
}

int inventory_may_remove_profile(
	struct inventory *inv, const char *name, struct diag *d)
{
	pthread_mutex_lock(&inv->changing);
	int error = judge_profile_removal(inv, name, d);
	pthread_mutex_unlock(&inv->changing);
	return error;
}

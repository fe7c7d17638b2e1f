/* SPDX-License-Identifier: Apache-2.0 */
/* Orders about devices, security profiles and auto-registration. */
#include "registrar/admin/inventory_orders.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "registrar/admin/device_csv.h"
#include "registrar/admin/device_json.h"
#include "registrar/admin/order.h"
#include "registrar/memory.h"

enum {
	JSON_MAX = 64 << 10,
	CSV_MAX = 64 << 20,
	PAGE = 1000, /* devices in one answer, unless fewer are asked for */
};

const char inventory_order_paths[] =
	"/v1/devices, /v1/devices/NAME, /v1/devices/import, "
	"/v1/devices/export, /v1/profiles, /v1/profiles/NAME, "
	"/v1/auto-registration";

/* ---- answers ---- */

static void refuse(struct inventory_order *o, int error)
{
	o->error = order_refuse(o->out, error, &o->d);
}

static void refuse_field(
	struct inventory_order *o, const struct device_fault *fault)
{
	refuse(o, diag_set(&o->d, -EINVAL, "%s: %s", fault->field, fault->why));
}

/* ---- bodies ---- */

/* A JSON object, or NULL and the answer. */
static json_t *object(struct inventory_order *o)
{
	int error;
	json_t *body = order_object(o->request, &error, &o->d);
	if (!body)
		refuse(o, error);
	return body;
}

static bool query_flag(const struct inventory_order *o, const char *key)
{
	return order_flag(o->request, key);
}

/* ---- devices ---- */

/* What digest passwords are hashed with: SIP challenges with the same. */
static const char *realm_of(const struct inventory_order *o)
{
	return config_realm(o->config);
}

static json_t *one_device(
	const struct inventory_order *o, const struct device *device)
{
	struct device_seen seen;
	bool there = inventory_sighting(o->inventory, device->name, &seen);
	return device_json(device, there ? &seen : NULL, time(NULL));
}

static bool has_number(const struct device *d, const char *number)
{
	for (size_t i = 0; i < d->n_lines; i++)
		if (strcmp(d->lines[i].number, number) == 0)
			return true;
	return false;
}

/* What a list was asked to be limited to; NULL: not by that. */
struct filter {
	const char *after, *name, *profile, *protocol, *number;
	size_t limit;
};

static bool matches(const struct filter *f, const struct device *d)
{
	if (f->after && strcasecmp(d->name, f->after) <= 0)
		return false;
	if (f->name && fnmatch(f->name, d->name, FNM_CASEFOLD) != 0)
		return false;
	if (f->profile && strcasecmp(f->profile, d->profile) != 0)
		return false;
	if (f->protocol &&
		strcasecmp(f->protocol, device_protocol_name(d->protocol)) != 0)
		return false;
	return !f->number || has_number(d, f->number);
}

static bool read_filter(struct inventory_order *o, struct filter *f)
{
	*f = (struct filter){
		.after = plane_query(o->request, "after"),
		.name = plane_query(o->request, "name"),
		.profile = plane_query(o->request, "profile"),
		.protocol = plane_query(o->request, "protocol"),
		.number = plane_query(o->request, "number"),
		.limit = order_limit(o->request, PAGE, &o->d),
	};
	if (!f->limit)
		refuse(o, -EINVAL);
	return f->limit;
}

/* A page; `next` is what to ask for behind it (?after=), if more follow. */
static void list_devices(struct inventory_order *o)
{
	struct filter f;
	size_t n;
	json_t *page = json_array();
	if (!read_filter(o, &f)) {
		json_decref(page);
		return;
	}
	o->out->json = json_pack("{so}", "devices", page);
	struct device **all = inventory_list(o->inventory, &n);
	json_object_set_new(o->out->json, "total", json_integer((json_int_t)n));
	const char *last = NULL;
	for (size_t i = 0; i < n; i++) {
		if (!matches(&f, all[i]))
			continue;
		if (json_array_size(page) == f.limit) {
			json_object_set_new(
				o->out->json, "next", json_string(last));
			break;
		}
		json_array_append_new(page, one_device(o, all[i]));
		last = all[i]->name;
	}
	inventory_list_free(all, n);
}

static void show_device(struct inventory_order *o)
{
	struct device *d = inventory_find(o->inventory, o->name);
	if (d)
		o->out->json = one_device(o, d);
	else
		refuse(o,
			diag_set(&o->d, -ENOENT,
				"there is no %.63s in the inventory", o->name));
	device_unref(d);
}

/* The draft holds what there is to be; keep it. */
static void put_device(struct inventory_order *o, struct device_draft *draft,
	enum inventory_how how)
{
	int error = (o->dry ? inventory_may_put : inventory_put)(
		o->inventory, &draft->device, how, &o->d);
	if (error < 0) {
		refuse(o, error);
		return;
	}
	if (o->dry) {
		o->out->json = one_device(o, &draft->device);
		return;
	}
	struct device *now = inventory_find(o->inventory, o->name);
	/* Without one, somebody removed it at once. */
	o->out->json = one_device(o, now ? now : &draft->device);
	device_unref(now);
}

/* All of it anew; a digest password stays while its user does. */
static void begin_anew(struct device_draft *draft, const struct device *there,
	const char *name, const json_t *body)
{
	device_draft_init(draft, NULL);
	draft->device.name = name;
	if (!there || !json_object_get(body, "digest"))
		return;
	draft->device.digest_user = there->digest_user;
	memcpy(draft->device.ha1_md5, there->ha1_md5, sizeof(there->ha1_md5));
	memcpy(draft->device.ha1_sha256, there->ha1_sha256,
		sizeof(there->ha1_sha256));
}

static void write_device(struct inventory_order *o, enum inventory_how how)
{
	struct device_fault fault;
	json_t *body = object(o);
	if (!body)
		return;
	struct device_draft *draft = memory_zero(sizeof(*draft));
	struct device *there = inventory_find(o->inventory, o->name);
	if (how == INVENTORY_SET && there)
		device_draft_init(draft, there);
	else
		begin_anew(draft, there, o->name, body);
	if (device_json_read(body, realm_of(o), draft, &fault))
		put_device(o, draft, how);
	else
		refuse_field(o, &fault);
	device_unref(there);
	free(draft);
	json_decref(body);
}

/* If-None-Match: * (RFC 9110) in a word: ?new=true adds and never changes. */
static void put_whole_device(struct inventory_order *o)
{
	write_device(o, query_flag(o, "new") ? INVENTORY_ADD : INVENTORY_PUT);
}

static void patch_device(struct inventory_order *o)
{
	write_device(o, INVENTORY_SET);
}

static void removed(struct inventory_order *o, int error)
{
	if (error < 0)
		refuse(o, error);
	else
		o->out->json = json_pack("{ss}", "removed", o->name);
}

static void remove_device(struct inventory_order *o)
{
	removed(o, (o->dry ? inventory_may_remove : inventory_remove)(
			   o->inventory, o->name, &o->d));
}

/* ---- files ---- */

static void export_devices(struct inventory_order *o)
{
	o->out->text = device_csv_write(o->inventory);
	o->out->type = "text/csv; charset=utf-8";
}

static void refuse_file(
	struct inventory_order *o, const struct device_csv *file)
{
	json_t *list = json_array();
	const struct device_csv_fault *first = &file->faults[0];
	for (size_t i = 0; i < file->n_faults; i++) {
		const struct device_csv_fault *f = &file->faults[i];
		json_array_append_new(
			list, json_pack("{si ss ss}", "line", (int)f->line,
				      "column", f->column, "why", f->why));
	}
	refuse(o, diag_set(&o->d, -EINVAL,
			  "line %zu%s%s: %s; nothing of the file was taken",
			  first->line, *first->column ? ", " : "",
			  first->column, first->why));
	json_object_set_new(o->out->json, "faults", list);
}

static void import_devices(struct inventory_order *o)
{
	struct device_csv file;
	struct inventory_import import = {
		.replace = query_flag(o, "replace"),
		.dry_run = o->dry,
	};
	int error = order_has_type(o->request, "text/csv", &o->d);
	if (error < 0) {
		refuse(o, error);
		return;
	}
	if (device_csv_read(o->inventory, realm_of(o), o->request->body,
		    o->request->n, &file) < 0) {
		refuse_file(o, &file);
		return;
	}
	error = inventory_import(
		o->inventory, file.devices, file.n_devices, &import, &o->d);
	inventory_list_free(file.devices, file.n_devices);
	if (error < 0) {
		refuse(o, error);
		return;
	}
	o->out->json = json_pack("{si si si si sb}", "added", (int)import.added,
		"changed", (int)import.changed, "unchanged",
		(int)import.unchanged, "removed", (int)import.removed, "dryRun",
		import.dry_run);
}

/* ---- profiles ---- */

static bool is_predefined(const char *name)
{
	for (size_t i = 0; i < SECURITY_PREDEFINED; i++)
		if (strcasecmp(security_predefined[i].name, name) == 0)
			return true;
	return false;
}

static json_t *one_profile(const struct security_profile *p)
{
	return profile_json(p, is_predefined(p->name));
}

static void list_profiles(struct inventory_order *o)
{
	size_t n;
	json_t *list = json_array();
	struct security_profile *all = inventory_profiles(o->inventory, &n);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, one_profile(&all[i]));
	free(all);
	o->out->json = json_pack("{so}", "profiles", list);
}

static void show_profile(struct inventory_order *o)
{
	struct security_profile p;
	if (inventory_profile(o->inventory, o->name, &p))
		o->out->json = one_profile(&p);
	else
		refuse(o, diag_set(&o->d, -ENOENT, "there is no profile %.63s",
				  o->name));
}

static void write_profile(struct inventory_order *o, enum inventory_how how)
{
	struct security_profile p;
	struct device_fault fault;
	json_t *body = object(o);
	if (!body)
		return;
	if (strlen(o->name) > DEVICE_PROFILE_MAX) {
		refuse(o, diag_set(&o->d, -EINVAL,
				  "name: is %zu bytes long, at most %d are "
				  "allowed",
				  strlen(o->name), DEVICE_PROFILE_MAX));
	} else {
		if (how != INVENTORY_SET ||
			!inventory_profile(o->inventory, o->name, &p))
			profile_json_default(&p, o->name);
		if (!profile_json_read(body, &p, &fault))
			refuse_field(o, &fault);
		else
			o->error = (o->dry ? inventory_may_put_profile
					   : inventory_put_profile)(
				o->inventory, &p, how, &o->d);
		if (!o->out->json && o->error < 0)
			refuse(o, o->error);
		else if (!o->out->json)
			o->out->json = one_profile(&p);
	}
	json_decref(body);
}

static void put_whole_profile(struct inventory_order *o)
{
	write_profile(o, query_flag(o, "new") ? INVENTORY_ADD : INVENTORY_PUT);
}

static void patch_profile(struct inventory_order *o)
{
	write_profile(o, INVENTORY_SET);
}

static void remove_profile(struct inventory_order *o)
{
	removed(o, (o->dry ? inventory_may_remove_profile
			   : inventory_remove_profile)(
			   o->inventory, o->name, &o->d));
}

/* ---- auto-registration ---- */

static json_t *window_json(struct store_window w)
{
	char until[21];
	json_t *json = json_pack("{sb}", "open", w.until != 0);
	if (w.until) {
		cert_time_text(w.until, until);
		json_object_set_new(json, "until", json_string(until));
		json_object_set_new(json, "allowPlain", json_boolean(w.plain));
	}
	return json;
}

static void show_window(struct inventory_order *o)
{
	o->out->json = window_json(inventory_window(o->inventory, time(NULL)));
}

static void set_window(struct inventory_order *o, struct store_window window)
{
	int error = (o->dry ? inventory_may_set_window : inventory_set_window)(
		o->inventory, &window, time(NULL), &o->d);
	if (error < 0)
		refuse(o, error);
	else if (o->dry)
		o->out->json = window_json(window);
	else
		show_window(o);
}

static void open_window(struct inventory_order *o)
{
	const char *until = NULL;
	int plain = 0;
	json_error_t why;
	json_t *body = object(o);
	if (!body)
		return;
	struct store_window window = {0};
	if (json_unpack_ex(body, &why, JSON_STRICT, "{s:s, s?b}", "until",
		    &until, "allowPlain", &plain) < 0)
		refuse(o, diag_set(&o->d, -EINVAL, "body: %s", why.text));
	else if (!(window.until = order_time(until)))
		refuse(o, diag_set(&o->d, -EINVAL,
				  "until: must be a UTC time like "
				  "2026-11-26T18:00:00Z"));
	window.plain = plain;
	if (window.until)
		set_window(o, window);
	json_decref(body);
}

static void close_window(struct inventory_order *o)
{
	set_window(o, (struct store_window){0});
}

/* ---- what there is ---- */

static const struct resource {
	struct order_row row;
	void (*act)(struct inventory_order *o);
} resources[] = {
	{{"/v1/devices", "GET", 0}, list_devices},
	{{"/v1/devices/export", "GET", 0}, export_devices},
	{{"/v1/devices/import", "POST", CSV_MAX}, import_devices},
	{{"/v1/devices/", "GET", 0}, show_device},
	{{"/v1/devices/", "PUT", JSON_MAX}, put_whole_device},
	{{"/v1/devices/", "PATCH", JSON_MAX}, patch_device},
	{{"/v1/devices/", "DELETE", 0}, remove_device},
	{{"/v1/profiles", "GET", 0}, list_profiles},
	{{"/v1/profiles/", "GET", 0}, show_profile},
	{{"/v1/profiles/", "PUT", JSON_MAX}, put_whole_profile},
	{{"/v1/profiles/", "PATCH", JSON_MAX}, patch_profile},
	{{"/v1/profiles/", "DELETE", 0}, remove_profile},
	{{"/v1/auto-registration", "GET", 0}, show_window},
	{{"/v1/auto-registration", "POST", JSON_MAX}, open_window},
	{{"/v1/auto-registration", "DELETE", 0}, close_window},
};
static const struct order_table table = {resources,
	sizeof(resources) / sizeof(resources[0]), sizeof(resources[0])};

bool inventory_order(struct inventory_order *o)
{
	const char *path = o->request->path;
	const struct order_row *row =
		order_find(&table, o->request->method, path);
	if (!row)
		return order_refuse_method(&table, path, o->out);
	o->name = order_name(row, path);
	o->dry = order_is_dry(o->request);
	o->changes = !o->dry && strcmp(row->method, "GET") != 0;
	((const struct resource *)row)->act(o);
	return true;
}

size_t inventory_order_body_max(const char *method, const char *path)
{
	const struct order_row *row = order_find(&table, method, path);
	return row ? row->body_max : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Operations for many devices: read, judged, queued, answered one by one. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "registrar/admin/capf_filter.h"
#include "registrar/admin/capf_json.h"
#include "registrar/admin/capf_orders.h"
#include "registrar/admin/order.h"
#include "registrar/memory.h"

enum {
	RATE_MAX = 6000, /* turns in a minute */
	DIGITS_MIN = 4,
	DIGITS_MAX = 10,
	STRINGS_MAX = 5000, /* to hash one takes long, so that to guess does */
	DAY_S = 86400,
	MINUTE_S = 60,
};

/* What was asked, and what came of it. */
struct queue {
	struct capf_request_order *o;
	json_t *body;
	struct capf_order order;
	int replace, dry_run;
	char **names;
	size_t n;
	struct capf_ordered *results;
	int64_t now;
};

static bool breaks_a_rule(struct queue *q, const char *why)
{
	capf_orders_refuse(q->o, diag_set(&q->o->d, -EINVAL, "%s", why));
	return false;
}

/* ---- which devices ---- */

/* A name that comes twice would cost the first one's string. */
static void add_name(struct queue *q, json_t *seen, const char *name)
{
	char key[CERT_DEVICE_MAX + 1];
	size_t i = 0;
	for (; name[i]; i++)
		key[i] = (char)toupper((unsigned char)name[i]);
	key[i] = '\0';
	if (json_object_get(seen, key))
		return;
	json_object_set_new(seen, key, json_true());
	char **at = memory_grow((void **)&q->names, &q->n, sizeof(*at));
	*at = memory_dup(name);
}

static bool read_names(struct queue *q, json_t *list)
{
	size_t i;
	json_t *one, *seen = json_object();
	if (json_array_size(list) == 0 || json_array_size(list) > INVENTORY_MAX)
		q->o->error = -EINVAL;
	json_array_foreach(list, i, one)
	{
		const char *name = json_string_value(one);
		if (!name || !*name || strlen(name) > CERT_DEVICE_MAX)
			q->o->error = -EINVAL;
		if (q->o->error)
			break;
		add_name(q, seen, name);
	}
	json_decref(seen);
	return q->o->error == 0 ||
	       breaks_a_rule(q, "devices: must be a list of names of 1 to 63 "
				"bytes, of one device at least and of as many "
				"as there may be at most");
}

static bool read_devices(struct queue *q, json_t *devices, json_t *filter)
{
	struct capf_filter f;
	if (!devices == !filter)
		return breaks_a_rule(
			q, "needs either devices, a list of names, or filter");
	if (devices)
		return read_names(q, devices);
	int error = capf_filter_read(q->o->server, filter, &f, &q->o->d);
	if (error < 0) {
		capf_orders_refuse(q->o, error);
		return false;
	}
	q->names = capf_filter_find(q->o->server, &f, &q->n);
	return true;
}

/* Does it come by string, as the order or its profile says? */
static bool has_string(const struct queue *q, const char *name)
{
	struct security_profile profile;
	struct inventory *inventory = server_inventory(q->o->server);
	if (q->order.mode)
		return q->order.mode == CAPF_MODE_STRING;
	struct device *device = inventory_find(inventory, name);
	bool by_string =
		device &&
		inventory_profile(inventory, device->profile, &profile) &&
		profile.authentication_mode == CAPF_MODE_STRING;
	device_unref(device);
	return by_string;
}

static bool has_few_strings(struct queue *q)
{
	size_t strings = 0;
	for (size_t i = 0; i < q->n; i++)
		strings += has_string(q, q->names[i]);
	return strings <= STRINGS_MAX ||
	       breaks_a_rule(q, "devices: no more than 5000 of one order come "
				"by authentication string, which somebody has "
				"to type at each of them");
}

/* ---- what is to be done ---- */

static bool read_kind(struct queue *q, const char *text)
{
	int kind = capf_kind_find(text);
	q->order.kind = (enum capf_kind)kind;
	return kind > CAPF_NONE ||
	       breaks_a_rule(q, "operation: is install, delete or "
				"troubleshoot, or as CUCM writes it; a pending "
				"one is cancelled with DELETE");
}

static bool read_mode(struct queue *q, const char *text)
{
	int mode = text ? capf_mode_find(text) : 0;
	q->order.mode = (enum capf_mode)mode;
	return mode >= 0 || breaks_a_rule(q, "mode: is string, null, lsc or "
					     "mic, or as CUCM writes it");
}

/* A time to come; 0 when nothing was said. */
static bool read_future(
	struct queue *q, const char *key, const char *text, int64_t *out)
{
	*out = text ? order_time(text) : 0;
	if (!text || *out > q->now)
		return true;
	capf_orders_refuse(q->o, diag_set(&q->o->d, -EINVAL,
					 "%s: must be a UTC time to come, like "
					 "2026-11-26T18:00:00Z",
					 key));
	return false;
}

static bool read_numbers(struct queue *q, int rate, int digits)
{
	if (rate < 0 || rate > RATE_MAX)
		return breaks_a_rule(q, "ratePerMinute: must be 0 (all at "
					"once) to 6000");
	if (digits && (digits < DIGITS_MIN || digits > DIGITS_MAX))
		return breaks_a_rule(q, "stringDigits: must be 4 to 10");
	q->order.per_min = (unsigned)rate;
	q->order.string_digits = (unsigned)digits;
	return true;
}

static bool read_null_until(struct queue *q, const char *text)
{
	if (!read_future(q, "nullUntil", text, &q->order.null_until))
		return false;
	return q->order.null_until <= q->now + DAY_S ||
	       breaks_a_rule(q, "nullUntil: a phone may come by its name "
				"alone for a day at most");
}

static bool read_order(struct queue *q)
{
	const char *kind = NULL, *mode = NULL, *by = NULL;
	const char *string_until = NULL, *null_until = NULL;
	json_t *devices = NULL, *filter = NULL;
	int rate = 0, digits = 0, tell = true;
	json_error_t why;
	q->order.origin = "admin";
	if (json_unpack_ex(q->body, &why, JSON_STRICT,
		    "{s:s, s?o, s?o, s?s, s?s, s?i, s?b, s?b, s?i, s?s, s?s, "
		    "s?b}",
		    "operation", &kind, "devices", &devices, "filter", &filter,
		    "mode", &mode, "completesBy", &by, "ratePerMinute", &rate,
		    "tell", &tell, "replace", &q->replace, "stringDigits",
		    &digits, "stringUntil", &string_until, "nullUntil",
		    &null_until, "dryRun", &q->dry_run) < 0)
		return breaks_a_rule(q, why.text);
	q->dry_run |= q->o->dry;
	q->order.tell = tell;
	q->order.replace = q->replace;
	return read_kind(q, kind) && read_mode(q, mode) &&
	       read_numbers(q, rate, digits) &&
	       read_future(q, "completesBy", by, &q->order.completes_by) &&
	       read_future(q, "stringUntil", string_until,
		       &q->order.string_until) &&
	       read_null_until(q, null_until) &&
	       read_devices(q, devices, filter) && has_few_strings(q);
}

/* ---- doing it, or saying what it would do ---- */

static int would(struct queue *q, const char *name, char why[256])
{
	struct capf_operation there;
	struct inventory *inventory = server_inventory(q->o->server);
	struct device *device = inventory_find(inventory, name);
	if (!device)
		return -ENOENT;
	bool can = q->order.kind != CAPF_INSTALL ||
		   capf_desk_can_name(device->name, why);
	device_unref(device);
	if (!can)
		return -EINVAL;
	int error = capf_store_operation(
		capf_desk_look(q->o->desk), name, &there, NULL);
	capf_desk_looked(q->o->desk);
	return error == 0 && there.state == CAPF_STATE_PENDING && !q->replace
		       ? -EEXIST
		       : 0;
}

static int obey(struct queue *q)
{
	q->order.progress = q->o->progress;
	if (!q->dry_run)
		return capf_desk_order(q->o->desk, &q->order,
			(const char *const *)q->names, q->n, q->results,
			&q->o->d);
	for (size_t i = 0; i < q->n; i++)
		q->results[i].error =
			would(q, q->names[i], q->results[i].warning);
	return 0;
}

/* ---- the answer ---- */

static const char *why_not(const struct capf_ordered *r)
{
	switch (r->error) {
	case -ENOENT:
		return "there is no such device in the inventory";
	case -EEXIST:
		return "an operation is pending already; replace it, or "
		       "cancel it";
	default:
		return *r->warning ? r->warning : strerror(-r->error);
	}
}

static json_t *result_json(const char *name, const struct capf_ordered *r)
{
	json_t *o = json_pack("{ss sb}", "device", name, "queued", !r->error);
	if (r->error) {
		json_object_set_new(
			o, "pending", json_boolean(r->error == -EEXIST));
		json_object_set_new(o, "why", json_string(why_not(r)));
		return o;
	}
	if (*r->string)
		json_object_set_new(o, "string", json_string(r->string));
	if (*r->warning)
		json_object_set_new(o, "warning", json_string(r->warning));
	return o;
}

static json_t *results_json(struct queue *q)
{
	json_t *list = json_array();
	size_t queued = 0;
	for (size_t i = 0; i < q->n; i++) {
		queued += !q->results[i].error;
		json_array_append_new(
			list, result_json(q->names[i], &q->results[i]));
	}
	snprintf(q->o->told, sizeof(q->o->told), "%s: queued %zu, refused %zu",
		capf_kind_name(q->order.kind), queued, q->n - queued);
	json_t *o = json_pack("{ss sb sI sI so}", "operation",
		capf_kind_name(q->order.kind), "dryRun", q->dry_run, "queued",
		(json_int_t)queued, "refused", (json_int_t)(q->n - queued),
		"devices", list);
	if (q->order.per_min && queued)
		capf_json_time(o, "lastTurn",
			q->now + (int64_t)((queued - 1) * MINUTE_S /
					   q->order.per_min));
	return o;
}

static void queue_all(struct queue *q)
{
	size_t size = q->n * sizeof(*q->results);
	q->results = memory_zero(size ? size : 1);
	int error = q->n ? obey(q) : 0;
	if (error < 0)
		capf_orders_refuse(q->o, error);
	else
		q->o->out->json = results_json(q);
	OPENSSL_cleanse(q->results, size); /* the strings */
	free(q->results);
}

void capf_queue(struct capf_request_order *o)
{
	int error;
	struct queue q = {.o = o, .now = time(NULL)};
	q.body = order_object(o->request, &error, &o->d);
	if (!q.body) {
		capf_orders_refuse(o, error);
		return;
	}
	if (read_order(&q))
		queue_all(&q);
	o->changes = !q.dry_run;
	capf_filter_free(q.names, q.n);
	json_decref(q.body);
}

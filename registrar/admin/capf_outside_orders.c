/* SPDX-License-Identifier: Apache-2.0 */
/* Orders about a CA outside: its requests out, its certificates in. */
#include "registrar/admin/capf_outside_orders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "certs/pem.h"
#include "registrar/admin/capf_json.h"
#include "registrar/admin/order.h"
#include "registrar/capf/csr.h"
#include "registrar/capf/offline.h"
#include "registrar/memory.h"
#include "registrar/text.h"

enum {
	KEYID_DIGITS = 16,
	MARKS_MAX = 1000, /* in one transaction: the desk waits meanwhile */
};

/* ---- what waits ---- */

static void set_text(json_t *o, const char *key, char *text)
{
	json_object_set_new(o, key, json_string(text));
	free(text);
}

static json_t *request_json(const struct capf_csr *c)
{
	json_t *o = json_pack("{ss ss ss sb}", "device", c->device, "name",
		c->name, "key", c->ec ? "EC" : "RSA", "answered", c->answered);
	capf_json_time(o, "at", c->at);
	capf_json_time(o, "exported", c->exported_at);
	if (c->request) {
		json_object_set_new(o, "request", json_string(c->request));
		json_object_set_new(o, "publicKey", json_string(c->key));
		set_text(o, "extensions", capf_offline_extensions(c));
	} else {
		json_object_set_new(o, "fault", json_string(c->fault));
	}
	return o;
}

void capf_outside_requests(struct capf_request_order *o)
{
	struct capf_csr_list list;
	int error = capf_csr_read(o->desk, server_config(o->server),
		plane_query(o->request, "device"), &list, &o->d);
	if (error) {
		capf_csr_list_deinit(&list);
		capf_orders_refuse(o, error);
		return;
	}
	json_t *rows = json_array();
	for (size_t i = 0; i < list.n; i++)
		json_array_append_new(rows, request_json(&list.item[i]));
	capf_csr_list_deinit(&list);
	o->out->json = json_pack("{so}", "requests", rows);
	set_text(o->out->json, "readme",
		capf_offline_readme(server_config(o->server)));
}

/* ---- what was handed out ---- */

struct name {
	char device[CERT_DEVICE_MAX + 1];
	uint8_t keyid[KEYID_DIGITS / 2];
};

/* NAME-KEYID; false: it is no such name. */
static bool read_name(const char *text, struct name *out)
{
	const char *dash = text ? strrchr(text, '-') : NULL;
	size_t n = dash ? (size_t)(dash - text) : 0;
	long got = 0;
	if (!n || n > CERT_DEVICE_MAX || strlen(dash + 1) != KEYID_DIGITS)
		return false;
	unsigned char *id = OPENSSL_hexstr2buf(dash + 1, &got);
	bool good = id && got == (long)sizeof(out->keyid);
	if (good) {
		memcpy(out->device, text, n);
		out->device[n] = '\0';
		memcpy(out->keyid, id, sizeof(out->keyid));
	}
	OPENSSL_free(id);
	return good;
}

static int mark(struct capf_request_order *o, const struct name *names,
	size_t n, size_t *marked)
{
	struct capf_csr_mark *marks = memory_zero((n + 1) * sizeof(*marks));
	int error = 0;
	*marked = 0;
	for (size_t i = 0; i < n; i++)
		marks[i] = (struct capf_csr_mark){names[i].device,
			names[i].keyid, sizeof(names[i].keyid)};
	for (size_t i = 0; i < n && !error; i += MARKS_MAX) {
		size_t some = 0;
		error = capf_csr_exported(o->desk, marks + i,
			n - i < MARKS_MAX ? n - i : MARKS_MAX, &some, &o->d);
		*marked += some;
	}
	free(marks);
	return error;
}

void capf_outside_exported(struct capf_request_order *o)
{
	int error;
	size_t i, marked = 0;
	json_t *name, *body = order_object(o->request, &error, &o->d);
	const json_t *list = json_object_get(body, "requests");
	size_t n = json_array_size(list);
	struct name *names = memory_zero((n + 1) * sizeof(*names));
	if (body && (!json_is_array(list) || json_object_size(body) != 1))
		error = diag_set(&o->d, -EINVAL,
			"requests: must be a list of names as GET "
			"/v1/capf/requests has them, and nothing else may be "
			"there");
	json_array_foreach((json_t *)list, i, name)
	{
		if (!error && !read_name(json_string_value(name), &names[i]))
			error = diag_set(&o->d, -EINVAL,
				"requests/%zu: is no NAME-KEYID of a request",
				i);
	}
	if (!error)
		error = o->dry ? 0 : mark(o, names, n, &marked);
	free(names);
	json_decref(body);
	if (error)
		capf_orders_refuse(o, error);
	else
		o->out->json =
			json_pack("{sI}", "exported", (json_int_t)marked);
}

/* ---- what a CA signed ---- */

static struct trust_snapshot *trust(void *self, enum trust_store store)
{
	return server_trust(self, store);
}

/* How many were, how many were not; and the last reason. */
struct imported {
	json_t *rows;
	json_int_t taken, refused;
};

static json_t *row_of(X509 *cert, const char *device, const char *why)
{
	struct cert_identity id;
	char said[sizeof(((struct diag *)0)->text)];
	cert_identity_read(cert, &id);
	text_copy(said, sizeof(said), why);
	return json_pack("{ss ss ss sb ss}", "device",
		*device ? device : id.device, "subject", id.subject, "serial",
		id.serial, "imported", !*why, "why", said);
}

/* 0, or -errno with o->d when the world failed. */
static int import(
	struct capf_request_order *o, X509 *cert, struct imported *done)
{
	const struct capf_believers by = {trust, o->server};
	char device[CERT_DEVICE_MAX + 1] = "";
	struct diag d = {.text = ""};
	int error = (o->dry ? capf_offline_may_import : capf_offline_import)(
		o->desk, &by, cert, device, &d);
	if (error && error != -ENOENT && error != -EPERM && error != -EINVAL)
		return diag_set(&o->d, error, "%.500s", d.text);
	json_array_append_new(
		done->rows, row_of(cert, device, error ? d.text : ""));
	done->taken += !error;
	done->refused += !!error;
	if (error) /* for the audit line */
		o->d = d;
	return 0;
}

void capf_outside_certificates(struct capf_request_order *o)
{
	struct cert_list list = {0};
	struct imported done = {.rows = json_array()};
	int error = order_has_type(o->request, "application/x-pem-file", &o->d);
	if (!error)
		error = cert_pem_parse(
			o->request->body, o->request->n, "body", &list, &o->d);
	if (error == -E2BIG)
		error = -EINVAL;
	for (size_t i = 0; i < list.n && !error; i++)
		error = import(o, list.cert[i], &done);
	cert_list_deinit(&list);
	if (error) {
		json_decref(done.rows);
		capf_orders_refuse(o, error);
		return;
	}
	o->error = done.refused ? -EPERM : 0;
	o->out->json = json_pack("{so sI sI}", "certificates", done.rows,
		"imported", done.taken, "refused", done.refused);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Devices as JSON, both ways. */
#include "registrar/admin/device_json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- out ---- */

static void set_time(json_t *o, const char *key, int64_t at)
{
	char text[21];
	if (!at)
		return;
	cert_time_text((time_t)at, text);
	json_object_set_new(o, key, json_string(text));
}

static json_t *seen_json(const struct device_seen *seen, int64_t now)
{
	char sha256[2 * sizeof(seen->sha256) + 1];
	json_t *o = json_object();
	set_time(o, "registered", seen->registered);
	json_object_set_new(o, "lsc", json_string(device_seen_lsc(seen, now)));
	if (seen->kind == CERT_KIND_UNKNOWN)
		return o;
	for (size_t i = 0; i < sizeof(seen->sha256); i++)
		snprintf(sha256 + 2 * i, 3, "%02x", seen->sha256[i]);
	json_t *cert = json_pack("{ss ss ss ss ss}", "kind",
		cert_kind_name((enum cert_kind)seen->kind), "issuer",
		seen->issuer, "anchor", seen->anchor, "serial", seen->serial,
		"sha256", sha256);
	set_time(cert, "notAfter", seen->not_after);
	json_object_set_new(o, "certificate", cert);
	return o;
}

json_t *device_json(
	const struct device *d, const struct device_seen *seen, int64_t now)
{
	json_t *lines = json_array(), *dials = json_array();
	for (size_t i = 0; i < d->n_lines; i++)
		json_array_append_new(lines,
			json_pack("{ss ss ss}", "number", d->lines[i].number,
				"label", d->lines[i].label, "owner",
				d->lines[i].owner));
	for (size_t i = 0; i < d->n_dials; i++)
		json_array_append_new(dials,
			json_pack("{ss ss ss}", "number", d->dials[i].number,
				"label", d->dials[i].label, "type",
				d->dials[i].type));
	json_t *o = json_pack("{ss ss ss ss ss sb ss ss so so}", "name",
		d->name, "protocol", device_protocol_name(d->protocol), "model",
		d->model, "description", d->description, "profile", d->profile,
		"mic", d->mic, "source", d->fixed ? "config" : "inventory",
		"softkeys", device_softkeys(d), "lines", lines, "dials", dials);
	if (*d->digest_user)
		json_object_set_new(
			o, "digest", json_pack("{ss}", "user", d->digest_user));
	if (seen)
		json_object_set_new(o, "seen", seen_json(seen, now));
	return o;
}

/* ---- in ---- */

struct reading {
	const char *realm;
	struct device_draft *draft;
	struct device_fault *fault;
};

static bool wrong(struct reading *r, const char *field, const char *type)
{
	return device_refuse(r->fault, field, "must be %s", type);
}

/* A text without NULs in it; null is "". */
static bool read_text(
	struct reading *r, const char *field, const json_t *v, const char **out)
{
	*out = json_is_null(v) ? "" : json_string_value(v);
	if (!*out ||
		(json_is_string(v) && strlen(*out) != json_string_length(v)))
		return wrong(r, field, "a text");
	return true;
}

static bool read_protocol(struct reading *r, const json_t *v)
{
	const char *text = json_is_null(v) ? "any" : json_string_value(v);
	for (int p = DEVICE_ANY; text && p <= DEVICE_SIP; p++)
		if (strcmp(device_protocol_name((enum device_protocol)p),
			    text) == 0) {
			r->draft->device.protocol = (enum device_protocol)p;
			return true;
		}
	return wrong(r, "protocol", "any, sccp or sip");
}

/* The members of one line or speed dial, the third of which is named. */
static bool read_part(struct reading *r, const json_t *o, const char *field,
	const char *third, const char *out[3])
{
	const char *const keys[] = {"number", "label", third};
	const char *key;
	json_t *v;
	if (!json_is_object(o))
		return wrong(r, field, "an object with a number");
	out[0] = out[1] = out[2] = "";
	json_object_foreach((json_t *)o, key, v)
	{
		size_t i = 0;
		while (i < 3 && strcmp(keys[i], key) != 0)
			i++;
		if (i == 3)
			return device_refuse(r->fault, field,
				"has an unknown member \"%.40s\"", key);
		if (!read_text(r, field, v, &out[i]))
			return false;
	}
	return true;
}

/* null is none of them. */
static bool is_list(
	struct reading *r, const char *field, const json_t *v, size_t most)
{
	if (!json_is_array(v) && !json_is_null(v))
		return wrong(r, field, "a list");
	if (json_array_size(v) > most)
		return device_refuse(r->fault, field, "has %zu, at most %zu",
			json_array_size(v), most);
	return true;
}

static bool read_lines(struct reading *r, const json_t *v)
{
	size_t i;
	json_t *o;
	const char *texts[3];
	char field[32];
	if (!is_list(r, "lines", v, DEVICE_LINES_MAX))
		return false;
	r->draft->device.n_lines = json_array_size(v);
	json_array_foreach((json_t *)v, i, o)
	{
		snprintf(field, sizeof(field), "line%zu", i + 1);
		if (!read_part(r, o, field, "owner", texts))
			return false;
		r->draft->lines[i] =
			(struct device_line){texts[0], texts[1], texts[2]};
	}
	return true;
}

static bool read_dials(struct reading *r, const json_t *v)
{
	size_t i;
	json_t *o;
	const char *texts[3];
	char field[32];
	if (!is_list(r, "dials", v, DEVICE_DIALS_MAX))
		return false;
	r->draft->device.n_dials = json_array_size(v);
	json_array_foreach((json_t *)v, i, o)
	{
		snprintf(field, sizeof(field), "dial%zu", i + 1);
		if (!read_part(r, o, field, "type", texts))
			return false;
		r->draft->dials[i] =
			(struct device_dial){texts[0], texts[1], texts[2]};
	}
	return true;
}

static bool read_digest(struct reading *r, const json_t *v)
{
	const char *key, *user = r->draft->device.digest_user;
	const char *password = NULL;
	json_t *member;
	if (json_is_null(v)) {
		device_draft_user(r->draft, "");
		return true;
	}
	if (!json_is_object(v))
		return wrong(r, "digest", "an object");
	json_object_foreach((json_t *)v, key, member)
	{
		const char **to = NULL;
		if (strcmp(key, "user") == 0)
			to = &user;
		else if (strcmp(key, "password") == 0)
			to = &password;
		if (!to)
			return device_refuse(r->fault, "digest",
				"has an unknown member \"%.40s\"", key);
		if (!read_text(r,
			    to == &user ? "digest_user" : "digest_password",
			    member, to))
			return false;
	}
	if (password && *password)
		device_draft_password(r->draft, user, r->realm, password);
	else
		device_draft_user(r->draft, user);
	return true;
}

static bool read_mic(struct reading *r, const json_t *v)
{
	r->draft->device.mic = json_is_true(v);
	return json_is_boolean(v) || json_is_null(v) ||
	       wrong(r, "mic", "true or false");
}

static bool read_profile(struct reading *r, const json_t *v)
{
	if (!json_is_null(v))
		return read_text(r, "profile", v, &r->draft->device.profile);
	r->draft->device.profile = SECURITY_PROFILE_DEFAULT;
	return true;
}

static bool read_name(struct reading *r, const json_t *v)
{
	const char *name = "";
	if (!read_text(r, "name", v, &name))
		return false;
	if (cert_device_equal(name, r->draft->device.name))
		return true;
	return device_refuse(r->fault, "name",
		"must be %s as in the path, or left out",
		r->draft->device.name);
}

static bool read_model(struct reading *r, const json_t *v)
{
	return read_text(r, "model", v, &r->draft->device.model);
}

static bool read_description(struct reading *r, const json_t *v)
{
	return read_text(r, "description", v, &r->draft->device.description);
}

static bool read_softkeys(struct reading *r, const json_t *v)
{
	const char *names;
	if (!read_text(r, "softkeys", v, &names))
		return false;
	device_draft_softkeys(r->draft, names);
	return true;
}

static bool pass_over(struct reading *r, const json_t *v)
{
	return true;
}

static const struct {
	const char *key;
	bool (*read)(struct reading *r, const json_t *v);
} members[] = {
	{"name", read_name},
	{"protocol", read_protocol},
	{"model", read_model},
	{"description", read_description},
	{"profile", read_profile},
	{"mic", read_mic},
	{"lines", read_lines},
	{"dials", read_dials},
	{"digest", read_digest},
	{"softkeys", read_softkeys},
	{"source", pass_over},
	{"seen", pass_over},
};
enum { MEMBERS = sizeof(members) / sizeof(members[0]) };

bool device_json_read(const json_t *object, const char *realm,
	struct device_draft *draft, struct device_fault *fault)
{
	struct reading r = {realm, draft, fault};
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)object, key, v)
	{
		size_t i = 0;
		while (i < MEMBERS && strcmp(members[i].key, key) != 0)
			i++;
		if (i == MEMBERS)
			return device_refuse(fault, "device",
				"has no member \"%.40s\": there are name, "
				"protocol, model, description, profile, mic, "
				"softkeys, lines, dials and digest",
				key);
		if (!members[i].read(&r, v))
			return false;
	}
	return true;
}

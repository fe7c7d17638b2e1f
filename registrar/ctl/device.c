/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone device add, set, remove, list, show. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "registrar/ctl/ctl.h"
#include "registrar/memory.h"

enum { PASSWORD_MAX = 256 };

static const char folder[] = "/v1/devices/";

/* ---- options ---- */

/* "NUMBER,LABEL,OWNER" as an object behind those that are there. The last
 * takes what is left, commas and all. */
static bool take_part(json_t *into, const char *key, const char *value,
	const char *const names[3])
{
	json_t *list = json_object_get(into, key);
	json_t *part = json_object();
	if (!list) {
		list = json_array();
		json_object_set_new(into, key, list);
	}
	for (size_t i = 0; i < 3; i++) {
		size_t length = i < 2 ? strcspn(value, ",") : strlen(value);
		json_object_set_new(
			part, names[i], json_stringn(value, length));
		value += length;
		value += *value == ',';
	}
	/* A text that is no UTF-8 was not taken. */
	bool whole = json_object_size(part) == 3;
	json_array_append_new(list, part);
	return whole;
}

static bool take_line(json_t *into, const char *key, const char *value)
{
	static const char *const names[] = {"number", "label", "owner"};
	return take_part(into, key, value, names);
}

static bool take_dial(json_t *into, const char *key, const char *value)
{
	static const char *const names[] = {"number", "label", "type"};
	return take_part(into, key, value, names);
}

static bool take_none(json_t *into, const char *key, const char *value)
{
	return json_object_set_new(into, key, json_array()) == 0;
}

static json_t *digest_of(json_t *into)
{
	json_t *digest = json_object_get(into, "digest");
	if (!digest) {
		digest = json_object();
		json_object_set_new(into, "digest", digest);
	}
	return digest;
}

static bool take_user(json_t *into, const char *key, const char *value)
{
	return ctl_take_text(digest_of(into), "user", value);
}

/* The first line of stdin: no other user of this machine sees it there. */
static bool take_password(json_t *into, const char *key, const char *value)
{
	char line[PASSWORD_MAX + 2];
	if (!fgets(line, sizeof(line), stdin))
		return false;
	size_t n = strcspn(line, "\r\n");
	bool whole = n && line[n];
	line[n] = '\0';
	bool taken = whole && ctl_take_text(digest_of(into), "password", line);
	OPENSSL_cleanse(line, sizeof(line));
	return taken;
}

static const struct ctl_option options[] = {
	{"--protocol", "protocol", ctl_take_text, false},
	{"--model", "model", ctl_take_text, false},
	{"--description", "description", ctl_take_text, false},
	{"--profile", "profile", ctl_take_text, false},
	{"--mic", "mic", ctl_take_flag, false},
	{"--softkeys", "softkeys", ctl_take_text, false},
	{"--line", "lines", take_line, false},
	{"--no-lines", "lines", take_none, true},
	{"--dial", "dials", take_dial, false},
	{"--no-dials", "dials", take_none, true},
	{"--digest-user", "digest", take_user, false},
	{"--digest-password-stdin", "digest", take_password, true},
	{"--no-digest", "digest", ctl_take_null, true},
};
enum { OPTIONS = sizeof(options) / sizeof(options[0]) };

/* ---- add, set, remove ---- */

static int say(const struct ctl *ctl, json_t *o, const char *done)
{
	if (ctl->json)
		ctl_print_json(o);
	else
		printf("%s%s %s\n", ctl_would(ctl), ctl_text(o, "name"), done);
	json_decref(o);
	return CTL_OK;
}

static int send(const struct ctl *ctl, int argc, char **argv, const char *query)
{
	json_t *o;
	const struct ctl_named device = {folder, argc, argv, options, OPTIONS};
	int status = ctl_named_send(ctl, &device, query, &o);
	return status == CTL_OK
		       ? say(ctl, o, *query ? "is added." : "is changed.")
		       : status;
}

int ctl_device_add(const struct ctl *ctl, int argc, char **argv)
{
	if (argc < 1 || *argv[0] == '-')
		return ctl_misused(ctl);
	return send(ctl, argc, argv, CTL_NEW);
}

int ctl_device_set(const struct ctl *ctl, int argc, char **argv)
{
	if (argc < 2 || *argv[0] == '-')
		return ctl_misused(ctl);
	return send(ctl, argc, argv, CTL_CHANGE);
}

int ctl_device_remove(const struct ctl *ctl, int argc, char **argv)
{
	return argc == 1 ? ctl_named_remove(ctl, folder, argv[0])
			 : ctl_misused(ctl);
}

/* ---- list ---- */

static const struct ctl_column list_columns[] = {
	{"NAME", "name"},
	{"PROTO", "protocol"},
	{"MODEL", "model"},
	{"PROFILE", "profile"},
	{"MIC", "mic"},
	{"LINE", "line"},
	{"REGISTERED", "seen.registered"},
	{"LSC", "seen.lsc"},
	{"EXPIRES", "seen.certificate.notAfter"},
	{"SOURCE", "source"},
	{"DESCRIPTION", "description"},
};

static const struct ctl_option filters[] = {
	{"--name", "name", ctl_take_text, false},
	{"--profile", "profile", ctl_take_text, false},
	{"--protocol", "protocol", ctl_take_text, false},
	{"--number", "number", ctl_take_text, false},
};
enum { FILTERS = sizeof(filters) / sizeof(filters[0]) };

/* "/v1/devices?after=..&name=.."; NULL: from the first on. */
static char *page_path(json_t *filter, const char *after)
{
	const char *key;
	json_t *v;
	char *path = ctl_path("/v1/devices?after=", after);
	json_object_foreach(filter, key, v)
	{
		char *head = memory_format("%s&%s=", path, key);
		free(path);
		path = ctl_path(head, json_string_value(v));
		free(head);
	}
	return path;
}

/* All pages, one after the other. */
static int get_all(const struct ctl *ctl, json_t *filter, json_t *all)
{
	json_t *page = NULL;
	int status = CTL_OK;
	char *after = memory_dup("");
	do {
		char *path = page_path(filter, after);
		status = ctl_admin(ctl, "GET", path, &page);
		free(path);
		free(after);
		if (status != CTL_OK)
			return status;
		json_array_extend(all, json_object_get(page, "devices"));
		after = memory_dup(ctl_text(page, "next"));
		json_decref(page);
	} while (*after);
	free(after);
	return CTL_OK;
}

/* A table shows one line of each. */
static void name_first_lines(json_t *all)
{
	size_t i;
	json_t *device;
	json_array_foreach(all, i, device)
	{
		const json_t *first =
			json_array_get(json_object_get(device, "lines"), 0);
		json_object_set(
			device, "line", json_object_get(first, "number"));
	}
}

int ctl_device_list(const struct ctl *ctl, int argc, char **argv)
{
	json_t *filter = json_object(), *all = json_array();
	json_t *o = json_pack("{so}", "devices", all);
	int status = ctl_read_options(argc, argv, filters, FILTERS, filter);
	if (status == CTL_OK)
		status = get_all(ctl, filter, all);
	if (status == CTL_OK && ctl->json) {
		ctl_print_json(o);
	} else if (status == CTL_OK) {
		name_first_lines(all);
		ctl_print_table(all, list_columns,
			sizeof(list_columns) / sizeof(list_columns[0]));
	}
	json_decref(filter);
	json_decref(o);
	return status;
}

/* ---- show ---- */

static const struct ctl_column fields[] = {
	{"name", "name"},
	{"kept in", "source"},
	{"protocol", "protocol"},
	{"model", "model"},
	{"description", "description"},
	{"security profile", "profile"},
	{"MIC allowed", "mic"},
	{"softkeys", "softkeys"},
	{"digest user", "digest.user"},
	{"last registered", "seen.registered"},
	{"LSC", "seen.lsc"},
	{"last certificate", "seen.certificate.kind"},
	{"  issuer", "seen.certificate.issuer"},
	{"  anchor", "seen.certificate.anchor"},
	{"  serial", "seen.certificate.serial"},
	{"  SHA-256", "seen.certificate.sha256"},
	{"  expires", "seen.certificate.notAfter"},
};

static void print_parts(const json_t *list, const char *title)
{
	size_t i;
	json_t *part;
	json_array_foreach((json_t *)list, i, part)
	{
		printf("%s %zu: %s", title, i + 1, ctl_text(part, "number"));
		if (*ctl_text(part, "label"))
			printf(" \"%s\"", ctl_text(part, "label"));
		if (*ctl_text(part, "owner"))
			printf(" of %s", ctl_text(part, "owner"));
		if (*ctl_text(part, "type"))
			printf(" (%s)", ctl_text(part, "type"));
		putchar('\n');
	}
}

int ctl_device_show(const struct ctl *ctl, int argc, char **argv)
{
	json_t *o;
	if (argc != 1)
		return ctl_misused(ctl);
	int status = ctl_named_get(ctl, folder, argv[0], &o);
	if (status != CTL_OK)
		return status;
	if (ctl->json) {
		ctl_print_json(o);
	} else {
		ctl_print_fields(o, fields, sizeof(fields) / sizeof(fields[0]));
		print_parts(json_object_get(o, "lines"), "line");
		print_parts(json_object_get(o, "dials"), "speed dial");
	}
	json_decref(o);
	return CTL_OK;
}

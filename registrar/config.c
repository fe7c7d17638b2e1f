/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file: one JSON object, checked key by key. */
#include "registrar/config.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "registrar/config_reading.h"
#include "registrar/config_rows.h"
#include "registrar/http/host.h"
#include "registrar/memory.h"
#include "registrar/net/unix_socket.h"

enum { FILE_MAX = 8 << 20 };

const struct config_row config_rows[] = {
#define NUM(k, f, def, lo, hi, d)                     \
	{.key = k,                                    \
		.type = CONFIG_NUM,                   \
		.number = def,                        \
		.min = lo,                            \
		.max = hi,                            \
		.offset = offsetof(struct config, f), \
		.doc = d},
#define STR(k, f, def, hi, d)                         \
	{.key = k,                                    \
		.type = CONFIG_STR,                   \
		.text = def,                          \
		.max = hi,                            \
		.offset = offsetof(struct config, f), \
		.doc = d},
#define PATH(k, f, def, d)                            \
	{.key = k,                                    \
		.type = CONFIG_PATH,                  \
		.text = def,                          \
		.max = 4000,                          \
		.offset = offsetof(struct config, f), \
		.doc = d},
#define ONE(k, f, def, c, d)                          \
	{.key = k,                                    \
		.type = CONFIG_ONE,                   \
		.text = def,                          \
		.choices = c,                         \
		.offset = offsetof(struct config, f), \
		.doc = d},
#define FLAG(k, f, def, d)                            \
	{.key = k,                                    \
		.type = CONFIG_FLAG,                  \
		.number = def,                        \
		.offset = offsetof(struct config, f), \
		.doc = d},
	CONFIG_OPTION_LIST(NUM, STR, PATH, ONE, FLAG)
#undef NUM
#undef STR
#undef PATH
#undef ONE
#undef FLAG
};
const size_t config_rows_n = sizeof(config_rows) / sizeof(config_rows[0]);

static const char *const protocols[] = {
	[CONFIG_SCCP] = "sccp", [CONFIG_SIP] = "sip", [CONFIG_CAPF] = "capf"};

const char *config_realm(const struct config *c)
{
	return c->sip_realm[0] ? c->sip_realm : c->node;
}

bool config_has_capf(const struct config *c)
{
	for (size_t i = 0; i < c->n_listeners; i++)
		if (c->listeners[i].protocol == CONFIG_CAPF)
			return true;
	return false;
}

const char *config_protocol_name(enum config_protocol protocol)
{
	return protocols[protocol];
}

const char *config_transport_name(bool tls, bool udp)
{
	if (tls)
		return "tls";
	return udp ? "udp" : "tcp";
}

static void *field(struct config *c, const struct config_row *row)
{
	return (char *)c + row->offset;
}

static void set_text(
	struct config *c, const struct config_row *row, const char *text)
{
	char **at = field(c, row);
	free(*at);
	*at = row->type == CONFIG_PATH && *text ? config_resolve(c, text)
						: memory_dup(text);
}

static void set_defaults(struct config *c)
{
	for (size_t i = 0; i < config_rows_n; i++) {
		const struct config_row *row = &config_rows[i];
		switch (row->type) {
		case CONFIG_NUM:
			*(uint32_t *)field(c, row) = row->number;
			break;
		case CONFIG_ONE:
			*(uint32_t *)field(c, row) = (uint32_t)config_choice(
				row->choices, row->text);
			break;
		case CONFIG_FLAG:
			*(bool *)field(c, row) = row->number;
			break;
		case CONFIG_STR:
		case CONFIG_PATH:
			set_text(c, row, row->text);
			break;
		}
	}
}

static int read_row(
	struct config_reading *r, const struct config_row *row, const json_t *v)
{
	const char *text = NULL;
	char why[128];
	int choice;
	switch (row->type) {
	case CONFIG_NUM:
		return config_read_number(
			r, v, row->min, row->max, field(r->config, row));
	case CONFIG_FLAG:
		return config_read_flag(r, v, field(r->config, row));
	case CONFIG_ONE:
		text = json_string_value(v);
		choice = text ? config_choice(row->choices, text) : -1;
		snprintf(why, sizeof(why), "must be one of %s", row->choices);
		if (choice < 0)
			return config_refuse(r, why);
		*(uint32_t *)field(r->config, row) = (uint32_t)choice;
		return 0;
	case CONFIG_STR:
	case CONFIG_PATH:
		if (config_read_text(r, v, row->max, &text) < 0)
			return -EINVAL;
		set_text(r->config, row, text);
		return 0;
	}
	return 0;
}

/* ---- the whole ---- */

/* Is `key` a section, that is: does a row start with "key."? */
static bool is_section(const char *key)
{
	size_t n = strlen(key);
	for (size_t i = 0; i < config_rows_n; i++)
		if (strncmp(config_rows[i].key, key, n) == 0 &&
			config_rows[i].key[n] == '.')
			return true;
	return false;
}

static int read_key(struct config_reading *r, const char *name, const json_t *v)
{
	int error = config_read_list(r, name, v);
	if (error <= 0)
		return error;
	for (size_t i = 0; i < config_rows_n; i++)
		if (strcmp(config_rows[i].key, name) == 0)
			return read_row(r, &config_rows[i], v);
	return config_refuse(r, "unknown key");
}

static int read_section_key(
	struct config_reading *r, const char *key, const json_t *v)
{
	char name[CONFIG_KEY_MAX];
	snprintf(name, sizeof(name), "%s", r->path);
	char *slash = strchr(name, '/');
	assert(slash);
	*slash = '.';
	return read_key(r, name, v);
}

static int read_top_key(
	struct config_reading *r, const char *key, const json_t *v)
{
	if (is_section(key))
		return config_read_members(r, v, read_section_key);
	return read_key(r, key, v);
}

static int by_name(const void *a, const void *b)
{
	const struct config_device *x = a, *y = b;
	return strcasecmp(x->name, y->name);
}

/* What belongs to another issuer would do nothing, unnoticed. */
static int check_issuer(struct config_reading *r, uint32_t issuer,
	const char *key, const char *value, bool must)
{
	char why[128];
	bool is = r->config->capf_issuer == issuer;
	if (is ? *value || !must : !*value)
		return 0;
	snprintf(r->path, sizeof(r->path), is ? "capf/issuer" : "capf/%s", key);
	snprintf(why, sizeof(why),
		is ? "this issuer needs capf.%s" : "capf.issuer is another",
		key);
	return config_refuse(r, why);
}

static int check_capf(struct config_reading *r)
{
	const struct config *c = r->config;
	if (config_has_capf(c) && !*c->state_folder) {
		snprintf(r->path, sizeof(r->path), "listeners");
		return config_refuse(r,
			"a listener of service capf needs state.folder, which "
			"keeps what CAPF issues");
	}
	if (strlen(c->capf_country) == 1) {
		snprintf(r->path, sizeof(r->path), "capf/country");
		return config_refuse(r, "must be two letters, or empty");
	}
	const struct {
		uint32_t issuer;
		const char *key, *value;
		bool must;
	} rules[] = {
		{CONFIG_ISSUER_EST, "est_url", c->capf_est_url, true},
		{CONFIG_ISSUER_EST, "est_ca", c->capf_est_ca, true},
		{CONFIG_ISSUER_EST, "est_certificate", c->capf_est_certificate,
			true},
		{CONFIG_ISSUER_EST, "est_key", c->capf_est_key, true},
		{CONFIG_ISSUER_OFFLINE, "offline_folder",
			c->capf_offline_folder, false},
	};
	int error = 0;
	for (size_t i = 0; !error && i < sizeof(rules) / sizeof(rules[0]); i++)
		error = check_issuer(r, rules[i].issuer, rules[i].key,
			rules[i].value, rules[i].must);
	return error;
}

static int check_whole(struct config_reading *r)
{
	struct config *c = r->config;
	if (c->n_devices > 1)
		qsort(c->devices, c->n_devices, sizeof(*c->devices), by_name);
	for (size_t i = 1; i < c->n_devices; i++)
		if (by_name(&c->devices[i - 1], &c->devices[i]) == 0) {
			snprintf(r->path, sizeof(r->path), "devices/%s",
				c->devices[i].name);
			return config_refuse(r, "the same device twice");
		}
	if (strlen(c->admin_socket) > UNIX_SOCKET_PATH_MAX) {
		char why[128];
		snprintf(r->path, sizeof(r->path), "admin/socket");
		snprintf(why, sizeof(why),
			"with its folder it is longer than the %d bytes that "
			"the system allows a socket: name a shorter path",
			UNIX_SOCKET_PATH_MAX);
		return config_refuse(r, why);
	}
	if (c->sip_min_expires_s > c->sip_expires_s) {
		snprintf(r->path, sizeof(r->path), "sip/min_expires_s");
		return config_refuse(r, "must not be above sip.expires_s");
	}
	if (!host_names_are_good(c->status_hosts)) {
		snprintf(r->path, sizeof(r->path), "status/hosts");
		return config_refuse(r,
			"must be names or addresses, without a port, with "
			"commas between");
	}
	return check_capf(r);
}

static int read_file(const char *path, char **text, struct diag *d)
{
	FILE *f = fopen(path, "re");
	if (!f)
		return diag_set(d, -errno, "%s: %s", path, strerror(errno));
	*text = memory_zero(FILE_MAX + 2);
	errno = 0;
	size_t n = fread(*text, 1, FILE_MAX + 1, f);
	int error = ferror(f) ? errno : 0;
	fclose(f);
	if (error)
		return diag_set(d, -error, "%s: %s", path, strerror(error));
	if (n > FILE_MAX)
		return diag_set(
			d, -E2BIG, "%s: larger than %d bytes", path, FILE_MAX);
	return 0;
}

static int parse(struct config *c, const char *text, struct diag *d)
{
	json_error_t error;
	struct config_reading r = {
		.file = c->file, .text = text, .config = c, .diag = d};
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return diag_set(d, -EINVAL, "%s:%d: %s", c->file, error.line,
			error.text);
	int result =
		json_is_object(root)
			? config_read_members(&r, root, read_top_key)
			: diag_set(d, -EINVAL, "%s:1: must be one JSON object",
				  c->file);
	if (result == 0)
		result = check_whole(&r);
	json_decref(root);
	return result;
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return memory_dup(".");
	return memory_format(
		"%.*s", slash == path ? 1 : (int)(slash - path), path);
}

/* Without a file it is a laboratory's: CAPF, too, has what it needs there. */
static void set_laboratory(struct config *c)
{
	const struct {
		char **at;
		const char *folder;
	} folders[] = {
		{&c->trust_capf, "CAPF-trust"},
		{&c->capf_folder, "capf"},
		{&c->state_folder, "state"},
	};
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		free(*folders[i].at);
		*folders[i].at = config_resolve(c, folders[i].folder);
	}
	config_add_capf(c);
}

int config_load(const char *path, const char *folder, struct config **out,
	struct diag *d)
{
	struct config *c = memory_zero(sizeof(*c));
	*out = c;
	c->file = path ? memory_dup(path) : NULL;
	c->folder = path ? folder_of(path) : memory_dup(folder);
	set_defaults(c);
	if (path) {
		char *text = NULL;
		int error = read_file(path, &text, d);
		if (error == 0)
			error = parse(c, text, d);
		free(text);
		if (error < 0)
			return error;
	}
	config_fill_lists(c);
	if (!path)
		set_laboratory(c);
	return 0;
}

static void free_device(struct config_device *device)
{
	for (size_t i = 0; i < device->n_lines; i++) {
		free(device->lines[i].number);
		free(device->lines[i].label);
	}
	free(device->lines);
	free(device->profile);
	free(device->name);
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < config_rows_n; i++)
		if (config_rows[i].type == CONFIG_STR ||
			config_rows[i].type == CONFIG_PATH)
			free(*(char **)field(c, &config_rows[i]));
	for (size_t i = 0; i < c->n_listeners; i++)
		free(c->listeners[i].address);
	for (size_t i = 0; i < c->n_certificates; i++) {
		free(c->certificates[i].certificate);
		free(c->certificates[i].key);
	}
	for (size_t i = 0; i < c->n_devices; i++)
		free_device(&c->devices[i]);
	for (size_t i = 0; i < c->n_anchors; i++)
		free((char *)c->anchors[i].name);
	free(c->listeners);
	free(c->certificates);
	free(c->devices);
	free(c->anchors);
	free(c->file);
	free(c->folder);
	free(c);
}

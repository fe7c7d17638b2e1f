/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration's lists: listeners, certificates, devices, anchors. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/config_reading.h"
#include "registrar/device.h"
#include "registrar/memory.h"
#include "trust/waiver.h"

/* The place of a word in a list of names, or the complaint. */
static int read_name(
	struct config_reading *r, const char *names, const json_t *v)
{
	const char *text = json_string_value(v);
	char why[160];
	int at = text ? config_choice(names, text) : -1;
	snprintf(why, sizeof(why), "must be one of %s", names);
	return at < 0 ? config_refuse(r, why) : at;
}

/* What only a TLS listener has; 1: it is none of these keys. */
static int read_offer_key(struct config_reading *r, struct offer_choice *offer,
	const char *key, const json_t *v)
{
	int at;
	if (strcmp(key, "null_cipher") == 0)
		return config_read_flag(r, v, &offer->null_cipher);
	if (strcmp(key, "profile") == 0) {
		at = read_name(r, offer_profiles, v);
		offer->profile = (enum offer_profile)(at < 0 ? 0 : at);
		return at < 0 ? at : 0;
	}
	if (strcmp(key, "ciphers") != 0)
		return 1;
	at = read_name(r, offer_presets, v);
	offer->preset = (enum offer_preset)(at < 0 ? 0 : at + 1);
	return at < 0 ? at : 0;
}

/* Once all keys are read, for they come in any order. */
static int check_offer(struct config_reading *r, const json_t *object)
{
	static const char *const keys[] = {"profile", "ciphers", "null_cipher"};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (json_object_get(object, keys[i])) {
			config_enter(r, keys[i]);
			return config_refuse(
				r, "only a listener of transport tls has it");
		}
	return 0;
}

/* In the order of enum config_protocol. */
#define SERVICES "sccp|sip|capf"

static int read_listener_key(struct config_reading *r,
	struct config_listener *l, const char *key, const json_t *v)
{
	const char *text = "";
	uint32_t port;
	unsigned char address[16];
	int offered = read_offer_key(r, &l->offer, key, v);
	if (offered <= 0)
		return offered;
	if (strcmp(key, "port") == 0) {
		if (config_read_number(r, v, 0, 65535, &port) < 0)
			return -EINVAL;
		l->port = (uint16_t)port;
		return 0;
	}
	if (config_choice("service|transport|address", key) < 0)
		return config_refuse(r, "unknown key");
	if (config_read_text(r, v, 63, &text) < 0)
		return -EINVAL;
	if (strcmp(key, "service") == 0) {
		int at = config_choice(SERVICES, text);
		l->protocol = at < 0 ? CONFIG_SCCP : (enum config_protocol)at;
		return at < 0 ? config_refuse(r, "must be one of " SERVICES)
			      : 0;
	}
	if (strcmp(key, "transport") == 0) {
		int at = config_choice("tcp|tls|udp", text);
		l->tls = at == 1;
		l->udp = at == 2;
		return at < 0 ? config_refuse(r, "must be one of tcp|tls|udp")
			      : 0;
	}
	if (inet_pton(AF_INET, text, address) != 1 &&
		inet_pton(AF_INET6, text, address) != 1)
		return config_refuse(r, "must be an IPv4 or IPv6 address");
	free(l->address);
	l->address = memory_dup(text);
	return 0;
}

static const uint16_t default_ports[][2] = {
	[CONFIG_SCCP] = {2000, 2443},
	[CONFIG_SIP] = {5060, 5061},
	[CONFIG_CAPF] = {3804, 3804},
};

static int check_listener(
	struct config_reading *r, const struct config_listener *l)
{
	if (l->udp && l->protocol != CONFIG_SIP)
		return config_refuse(r,
			"transport udp is for sip; sccp is spoken over tcp or "
			"tls, capf over tls");
	if (l->protocol != CONFIG_CAPF)
		return 0;
	if (!l->tls)
		return config_refuse(r,
			"capf is spoken over tls alone: authentication strings "
			"go over it");
	if (l->offer.null_cipher) {
		config_enter(r, "null_cipher");
		return config_refuse(r,
			"not for capf: authentication strings could be read on "
			"the way");
	}
	return 0;
}

static int read_listener(struct config_reading *r, const json_t *object)
{
	struct config *c = r->config;
	struct config_listener *l = memory_grow(
		(void **)&c->listeners, &c->n_listeners, sizeof(*l));
	const char *key;
	json_t *v;
	*l = (struct config_listener){.tls = true};
	l->address = memory_dup("::");
	if (!json_object_get(object, "service"))
		return config_refuse(
			r, "must name its service: one of " SERVICES);
	json_object_foreach((json_t *)object, key, v)
	{
		size_t back = config_enter(r, key);
		if (read_listener_key(r, l, key, v) < 0)
			return -EINVAL;
		r->path[back] = '\0';
	}
	if (check_listener(r, l) < 0)
		return -EINVAL;
	if (!json_object_get(object, "port"))
		l->port = default_ports[l->protocol][l->tls];
	return l->tls ? 0 : check_offer(r, object);
}

static int read_certificate(struct config_reading *r, const json_t *object)
{
	struct config *c = r->config;
	struct config_certificate *pair = memory_grow(
		(void **)&c->certificates, &c->n_certificates, sizeof(*pair));
	const char *key;
	json_t *v;
	*pair = (struct config_certificate){0};
	json_object_foreach((json_t *)object, key, v)
	{
		size_t back = config_enter(r, key);
		const char *text = "";
		bool cert = strcmp(key, "certificate") == 0;
		char **at = cert ? &pair->certificate : &pair->key;
		if (!cert && strcmp(key, "key") != 0)
			return config_refuse(r, "unknown key");
		if (config_read_text(r, v, 4000, &text) < 0)
			return -EINVAL;
		*at = config_resolve(c, text);
		r->path[back] = '\0';
	}
	if (!pair->certificate || !pair->key)
		return config_refuse(r, "needs both certificate and key");
	return 0;
}

static int read_line(struct config_reading *r, const json_t *object)
{
	struct config_device *device =
		&r->config->devices[r->config->n_devices - 1];
	struct config_line *line = memory_grow(
		(void **)&device->lines, &device->n_lines, sizeof(*line));
	const char *key;
	json_t *v;
	*line = (struct config_line){memory_dup(""), memory_dup("")};
	if (device->n_lines > DEVICE_LINES_MAX)
		return config_refuse(r, "a phone has at most 42 lines");
	json_object_foreach((json_t *)object, key, v)
	{
		size_t back = config_enter(r, key);
		const char *text = "";
		bool number = strcmp(key, "number") == 0;
		char **at = number ? &line->number : &line->label;
		if (!number && strcmp(key, "label") != 0)
			return config_refuse(r, "unknown key");
		if (config_read_text(r, v, number ? 23 : 39, &text) < 0)
			return -EINVAL;
		free(*at);
		*at = memory_dup(text);
		r->path[back] = '\0';
	}
	return 0;
}

#define PROFILES "non-secure|authenticated|encrypted"

static int read_profile_name(
	struct config_reading *r, const json_t *v, struct config_device *device)
{
	const char *text = "";
	if (config_read_text(r, v, DEVICE_PROFILE_MAX, &text) < 0)
		return -EINVAL;
	if (config_choice(PROFILES, text) < 0)
		return config_refuse(r, "must be one of " PROFILES);
	free(device->profile);
	device->profile = memory_dup(text);
	return 0;
}

static int read_protocol(
	struct config_reading *r, const json_t *v, struct config_device *device)
{
	const char *text = json_string_value(v);
	int at = text ? config_choice("any|sccp|sip", text) : -1;
	if (at < 0)
		return config_refuse(r, "must be one of any|sccp|sip");
	device->protocol = (uint32_t)at;
	return 0;
}

static int read_device(
	struct config_reading *r, const char *name, const json_t *v)
{
	struct config *c = r->config;
	struct config_device *device = memory_grow(
		(void **)&c->devices, &c->n_devices, sizeof(*device));
	const char *key;
	json_t *value;
	*device = (struct config_device){.name = memory_dup(name),
		.profile = memory_dup(SECURITY_PROFILE_DEFAULT)};
	if (!*name || strlen(name) > CERT_DEVICE_MAX)
		return config_refuse(
			r, "must be a device name of 1 to 63 characters");
	if (!json_is_object(v))
		return config_refuse(r, "must be an object");
	json_object_foreach((json_t *)v, key, value)
	{
		size_t back = config_enter(r, key);
		int error = 0;
		if (strcmp(key, "mic") == 0)
			error = config_read_flag(r, value, &device->mic);
		else if (strcmp(key, "profile") == 0)
			error = read_profile_name(r, value, device);
		else if (strcmp(key, "protocol") == 0)
			error = read_protocol(r, value, device);
		else if (strcmp(key, "lines") == 0)
			error = config_read_array(r, value, read_line);
		else
			error = config_refuse(r, "unknown key");
		if (error < 0)
			return error;
		r->path[back] = '\0';
	}
	return 0;
}

static int read_kind(struct config_reading *r, struct trust_anchor_policy *a,
	const json_t *v)
{
	int at = read_name(r, "lsc|mic", v);
	a->kind = at == 0 ? CERT_KIND_LSC : CERT_KIND_MIC;
	return at < 0 ? at : 0;
}

static int read_anchor_key(
	struct config_reading *r, const char *key, const json_t *v)
{
	struct trust_anchor_policy *anchor =
		&r->config->anchors[r->config->n_anchors - 1];
	unsigned waiver = trust_waiver_find(key);
	uint32_t days = 0;
	bool allowed;
	if (strcmp(key, "kind") == 0)
		return read_kind(r, anchor, v);
	if (strcmp(key, "enrol_only") == 0)
		return config_read_flag(r, v, &anchor->enrol_only);
	if (strcmp(key, "retiring") == 0)
		return config_read_flag(r, v, &anchor->retiring);
	if (strcmp(key, "allow_not_critical") == 0)
		return config_read_flag(r, v, &anchor->allow_not_critical);
	if (strcmp(key, "expired_grace_days") == 0) {
		int error = config_read_number(
			r, v, 0, TRUST_GRACE_DAYS_MAX, &days);
		anchor->grace_s = error ? 0 : (int64_t)days * 86400;
		return error;
	}
	if (!waiver)
		return config_refuse(r, "unknown key");
	if (config_read_flag(r, v, &allowed) < 0)
		return -EINVAL;
	anchor->allows |= allowed ? waiver : 0;
	return 0;
}

/* "lsc", or what else there is to say of it as an object. */
static int read_anchor(
	struct config_reading *r, const char *name, const json_t *v)
{
	struct config *c = r->config;
	struct trust_anchor_policy *anchor = memory_grow(
		(void **)&c->anchors, &c->n_anchors, sizeof(*anchor));
	*anchor = (struct trust_anchor_policy){.name = memory_dup(name)};
	if (json_is_object(v))
		return config_read_members(r, v, read_anchor_key);
	return read_kind(r, anchor, v);
}

int config_read_list(
	struct config_reading *r, const char *name, const json_t *v)
{
	if (strcmp(name, "listeners") == 0)
		return config_read_array(r, v, read_listener);
	if (strcmp(name, "tls.certificates") == 0)
		return config_read_array(r, v, read_certificate);
	if (strcmp(name, "devices") == 0)
		return config_read_members(r, v, read_device);
	if (strcmp(name, "trust.anchors") == 0)
		return config_read_members(r, v, read_anchor);
	return 1;
}

static void add_listener(struct config *c, enum config_protocol protocol)
{
	struct config_listener *l = memory_grow(
		(void **)&c->listeners, &c->n_listeners, sizeof(*l));
	*l = (struct config_listener){.protocol = protocol,
		.tls = true,
		.address = memory_dup("127.0.0.1"),
		.port = default_ports[protocol][1]};
}

void config_add_capf(struct config *c)
{
	add_listener(c, CONFIG_CAPF);
	c->listeners[c->n_listeners - 1].offer.profile = OFFER_LEGACY;
}

static void add_certificate(struct config *c, const char *name)
{
	struct config_certificate *pair = memory_grow(
		(void **)&c->certificates, &c->n_certificates, sizeof(*pair));
	char path[64];
	snprintf(path, sizeof(path), "server/%s.pem", name);
	pair->certificate = config_resolve(c, path);
	snprintf(path, sizeof(path), "server/%s.key", name);
	pair->key = config_resolve(c, path);
}

void config_fill_lists(struct config *c)
{
	if (c->n_listeners == 0) {
		add_listener(c, CONFIG_SCCP);
		add_listener(c, CONFIG_SIP);
	}
	if (c->n_certificates == 0) {
		add_certificate(c, "rsa");
		add_certificate(c, "ec");
	}
}

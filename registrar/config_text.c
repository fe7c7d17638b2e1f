/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration as text: effective values, and the file's JSON Schema. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "registrar/config.h"
#include "registrar/config_rows.h"
#include "registrar/device.h"
#include "registrar/memory.h"
#include "trust/waiver.h"

enum { DUMP_FLAGS = JSON_INDENT(2) };

/* The object a dotted key lives in; *name becomes its last part. */
static json_t *section_of(json_t *root, const char *key, const char **name)
{
	const char *dot = strchr(key, '.');
	*name = dot ? dot + 1 : key;
	if (!dot)
		return root;
	char *section = memory_format("%.*s", (int)(dot - key), key);
	json_t *object = json_object_get(root, section);
	if (!object) {
		object = json_object();
		json_object_set_new(root, section, object);
	}
	free(section);
	return object;
}

/* The n-th word of "a|b|c". */
static json_t *choice(const char *choices, uint32_t n)
{
	while (n-- > 0)
		choices = strchr(choices, '|') + 1;
	return json_stringn(choices, strcspn(choices, "|"));
}

static json_t *row_value(const struct config *c, const struct config_row *row)
{
	const void *at = (const char *)c + row->offset;
	switch (row->type) {
	case CONFIG_NUM:
		return json_integer(*(const uint32_t *)at);
	case CONFIG_FLAG:
		return json_boolean(*(const bool *)at);
	case CONFIG_ONE:
		return choice(row->choices, *(const uint32_t *)at);
	case CONFIG_STR:
	case CONFIG_PATH:
		return json_string(*(char *const *)at);
	}
	return NULL;
}

static void set_offer(json_t *o, const struct offer_choice *offer)
{
	const char *preset = offer_preset_name(offer->preset);
	json_object_set_new(
		o, "profile", json_string(offer_profile_name(offer->profile)));
	if (preset)
		json_object_set_new(o, "ciphers", json_string(preset));
	json_object_set_new(o, "null_cipher", json_boolean(offer->null_cipher));
}

static json_t *listeners(const struct config *c)
{
	json_t *list = json_array();
	for (size_t i = 0; i < c->n_listeners; i++) {
		const struct config_listener *l = &c->listeners[i];
		json_t *o = json_pack("{ss ss ss si}", "service",
			config_protocol_name(l->protocol), "transport",
			config_transport_name(l->tls, l->udp), "address",
			l->address, "port", l->port);
		if (l->tls)
			set_offer(o, &l->offer);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *certificates(const struct config *c)
{
	json_t *list = json_array();
	for (size_t i = 0; i < c->n_certificates; i++)
		json_array_append_new(
			list, json_pack("{ss ss}", "certificate",
				      c->certificates[i].certificate, "key",
				      c->certificates[i].key));
	return list;
}

static json_t *devices(const struct config *c)
{
	json_t *all = json_object();
	for (size_t i = 0; i < c->n_devices; i++) {
		const struct config_device *d = &c->devices[i];
		json_t *lines = json_array();
		for (size_t k = 0; k < d->n_lines; k++)
			json_array_append_new(
				lines, json_pack("{ss ss}", "number",
					       d->lines[k].number, "label",
					       d->lines[k].label));
		json_object_set_new(all, d->name,
			json_pack("{sb ss ss so}", "mic", d->mic, "profile",
				d->profile, "protocol",
				device_protocol_name(
					(enum device_protocol)d->protocol),
				"lines", lines));
	}
	return all;
}

static json_t *anchor(const struct trust_anchor_policy *a)
{
	json_t *o = json_object();
	if (a->kind != CERT_KIND_UNKNOWN)
		json_object_set_new(o, "kind",
			json_string(a->kind == CERT_KIND_LSC ? "lsc" : "mic"));
#define X(symbol, bit, key) \
	json_object_set_new(o, key, json_boolean((a->allows & (bit)) != 0));
	TRUST_WAIVER_LIST(X)
#undef X
	json_object_set_new(
		o, "allow_not_critical", json_boolean(a->allow_not_critical));
	json_object_set_new(o, "enrol_only", json_boolean(a->enrol_only));
	json_object_set_new(o, "retiring", json_boolean(a->retiring));
	json_object_set_new(o, "expired_grace_days",
		json_integer((json_int_t)(a->grace_s / 86400)));
	return o;
}

static json_t *anchors(const struct config *c)
{
	json_t *all = json_object();
	for (size_t i = 0; i < c->n_anchors; i++)
		json_object_set_new(
			all, c->anchors[i].name, anchor(&c->anchors[i]));
	return all;
}

char *config_dump(const struct config *c)
{
	json_t *root = json_object();
	for (size_t i = 0; i < config_rows_n; i++) {
		const char *name;
		json_t *in = section_of(root, config_rows[i].key, &name);
		json_object_set_new(in, name, row_value(c, &config_rows[i]));
	}
	json_object_set_new(root, "listeners", listeners(c));
	json_object_set_new(
		json_object_get(root, "tls"), "certificates", certificates(c));
	json_object_set_new(
		json_object_get(root, "trust"), "anchors", anchors(c));
	json_object_set_new(root, "devices", devices(c));
	char *text = json_dumps(root, DUMP_FLAGS);
	json_decref(root);
	return text;
}

static json_t *row_schema(const struct config_row *row)
{
	json_t *words = json_array();
	switch (row->type) {
	case CONFIG_NUM:
		json_decref(words);
		return json_pack("{ss ss sI sI sI}", "description", row->doc,
			"type", "integer", "minimum", (json_int_t)row->min,
			"maximum", (json_int_t)row->max, "default",
			(json_int_t)row->number);
	case CONFIG_FLAG:
		json_decref(words);
		return json_pack("{ss ss sb}", "description", row->doc, "type",
			"boolean", "default", (int)row->number);
	case CONFIG_ONE:
		for (const char *p = row->choices; p; p = strchr(p, '|')) {
			p += *p == '|';
			json_array_append_new(
				words, json_stringn(p, strcspn(p, "|")));
		}
		return json_pack("{ss so ss}", "description", row->doc, "enum",
			words, "default", row->text);
	case CONFIG_STR:
	case CONFIG_PATH:
		json_decref(words);
		return json_pack("{ss ss sI ss}", "description", row->doc,
			"type", "string", "maxLength", (json_int_t)row->max,
			"default", row->text);
	}
	return NULL;
}

/* The lists, which no row describes. */
static const char lists_schema[] =
	"{\"listeners\": {\"type\": \"array\", \"description\":"
	" \"sockets for phones; none named: sccp and sip over TLS on "
	"loopback\","
	" \"items\": {\"type\": \"object\", \"additionalProperties\": false,"
	" \"required\": [\"service\"], \"properties\": {"
	" \"service\": {\"enum\": [\"sccp\", \"sip\", \"capf\"]},"
	" \"transport\": {\"enum\": [\"tcp\", \"tls\", \"udp\"],"
	" \"default\": \"tls\", \"description\": \"udp: for sip alone; capf: "
	"tls"
	" alone\"},"
	" \"address\": {\"type\": \"string\", \"default\": \"::\"},"
	" \"port\": {\"type\": \"integer\", \"minimum\": 0, \"maximum\": 65535,"
	" \"description\": \"default: sccp 2443 or 2000, sip 5061 or 5060, capf"
	" 3804\"},"
	" \"profile\": {\"enum\": [\"modern\", \"legacy\"], \"default\":"
	" \"modern\", \"description\": \"of TLS: modern is 1.2 and 1.3,"
	" legacy also 1.0 and 1.1, for phones that know no other; what is asked"
	" of certificates is the same\"},"
	" \"ciphers\": {\"enum\": [\"strongest-rsa\", \"strongest-ecdsa\","
	" \"medium-rsa\", \"medium-ecdsa\", \"all-rsa\", \"all-ecdsa\"],"
	" \"description\": \"suites in order, as CUCM's parameter TLS Ciphers"
	" has them (there for SIP alone: SCCP phones offer at best AES128-SHA,"
	" which is in all-rsa and all-ecdsa); in TLS 1.3 the same strength, and"
	" the same key first; default: the profile's own. strongest-rsa:"
	" Strongest- AES-256 SHA-384 only: RSA Preferred. strongest-ecdsa:"
	" Strongest- AES-256 SHA-384 only: ECDSA Preferred. medium-rsa:"
	" Medium- AES-256 AES-128 only: RSA Preferred. medium-ecdsa:"
	" Medium- AES-256 AES-128 only: ECDSA Preferred. all-rsa:"
	" All Ciphers, RSA Preferred. all-ecdsa: All Ciphers, ECDSA"
	" Preferred.\"},"
	" \"null_cipher\": {\"type\": \"boolean\", \"default\": false,"
	" \"description\": \"of TLS up to 1.2: also NULL-SHA, last; phones in"
	" authenticated mode need it, and all they say can be read on the"
	" way\"}"
	"}}},"
	"\"tls.certificates\": {\"type\": \"array\", \"description\":"
	" \"the registrar's own certificates; default: server/rsa.pem and"
	" server/ec.pem\", \"items\": {\"type\": \"object\","
	" \"additionalProperties\": false, \"required\": [\"certificate\","
	" \"key\"], \"properties\": {\"certificate\": {\"type\": \"string\"},"
	" \"key\": {\"type\": \"string\"}}}},"
	"\"trust.anchors\": {\"type\": \"object\", \"description\":"
	" \"per anchor, by file name or SHA-256: what its leaves are, and what"
	" they may be whatever trust.auth_level says\","
	" \"additionalProperties\": {\"anyOf\": ["
	"{\"enum\": [\"lsc\", \"mic\"]},"
	" {\"type\": \"object\", \"additionalProperties\": false,"
	" \"properties\": {\"kind\": {\"enum\": [\"lsc\", \"mic\"]},"
	" \"allow_sha1\": {\"type\": \"boolean\", \"default\": false,"
	" \"description\": \"signed with SHA-1\"},"
	" \"allow_rsa1024\": {\"type\": \"boolean\", \"default\": false,"
	" \"description\": \"with an RSA key of 1024 bits or more\"},"
	" \"allow_not_critical\": {\"type\": \"boolean\", \"default\": false,"
	" \"description\": \"of kind lsc: its own basicConstraints need not be"
	" marked critical\"},"
	" \"enrol_only\": {\"type\": \"boolean\", \"default\": false,"
	" \"description\": \"its phones may fetch an LSC, but not register\"},"
	" \"retiring\": {\"type\": \"boolean\", \"default\": false,"
	" \"description\": \"its phones are admitted and counted, until none is"
	" left and the file can go\"},"
	" \"expired_grace_days\": {\"type\": \"integer\", \"minimum\": 0,"
	" \"maximum\": 3650, \"default\": 0, \"description\": \"how long a"
	" certificate of its is still believed after its end\"}}}]}},"
	"\"devices\": {\"type\": \"object\", \"description\":"
	" \"devices by name: how each may come; others are in the database\","
	" \"additionalProperties\": {\"type\": \"object\","
	" \"additionalProperties\": false, \"properties\": {"
	" \"mic\": {\"type\": \"boolean\", \"default\": false},"
	" \"profile\": {\"enum\": [\"non-secure\", \"authenticated\","
	" \"encrypted\"], \"default\": \"encrypted\"},"
	" \"protocol\": {\"enum\": [\"any\", \"sccp\", \"sip\"],"
	" \"default\": \"any\"},"
	" \"lines\": {\"type\": \"array\", \"maxItems\": 42, \"items\": {"
	" \"type\": \"object\", \"additionalProperties\": false,"
	" \"properties\": {\"number\": {\"type\": \"string\", \"maxLength\":"
	" 23}, \"label\": {\"type\": \"string\", \"maxLength\": 39}}}}}}}}";

/* Where a dotted key's schema goes: its section's own "properties". */
static void place(json_t *properties, const char *key, json_t *schema)
{
	const char *name;
	json_t *section = section_of(properties, key, &name);
	if (section == properties) {
		json_object_set_new(properties, name, schema);
		return;
	}
	json_t *inner = json_object_get(section, "properties");
	if (!inner) {
		inner = json_object();
		json_object_set_new(section, "type", json_string("object"));
		json_object_set_new(
			section, "additionalProperties", json_false());
		json_object_set_new(section, "properties", inner);
	}
	json_object_set_new(inner, name, schema);
}

char *config_schema(void)
{
	json_t *properties = json_object();
	json_t *lists = json_loads(lists_schema, 0, NULL);
	const char *key;
	json_t *schema;
	for (size_t i = 0; i < config_rows_n; i++)
		place(properties, config_rows[i].key,
			row_schema(&config_rows[i]));
	json_object_foreach(lists, key, schema)
		place(properties, key, json_incref(schema));
	json_t *root = json_pack("{ss ss ss sb so}", "$schema",
		"https://json-schema.org/draft/2020-12/schema", "title",
		"dialtoned.json", "type", "object", "additionalProperties", 0,
		"properties", properties);
	char *text = json_dumps(root, DUMP_FLAGS);
	json_decref(root);
	json_decref(lists);
	return text;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* CAPF's records as JSON. */
#include "registrar/admin/capf_json.h"

#include <stdbool.h>

#include "registrar/status/capf.h"

enum { HASH_TEXT = 65 };

static void set_text(json_t *o, const char *key, const char *text)
{
	if (*text)
		json_object_set_new(o, key, json_string(text));
}

static void set_num(json_t *o, const char *key, uint64_t n)
{
	json_object_set_new(o, key, json_integer((json_int_t)n));
}

void capf_json_time(json_t *o, const char *key, int64_t unix_s)
{
	char at[21];
	if (unix_s <= 0)
		return;
	cert_time_text((time_t)unix_s, at);
	json_object_set_new(o, key, json_string(at));
}

/* All zero is none. */
static void set_hash(json_t *o, const char *key, const uint8_t hash[32])
{
	static const char digits[] = "0123456789abcdef";
	char text[HASH_TEXT] = "";
	uint8_t any = 0;
	for (size_t i = 0; i < 32; i++) {
		text[2 * i] = digits[hash[i] >> 4];
		text[2 * i + 1] = digits[hash[i] & 15];
		any |= hash[i];
	}
	if (any)
		json_object_set_new(o, key, json_string(text));
}

json_t *capf_json_operation(const struct capf_operation *o)
{
	json_t *json = json_pack("{ss}", "device", o->device);
	json_t *state = status_json_capf_state(o);
	json_object_update(json, state);
	json_decref(state);
	set_text(json, "mode", capf_mode_name(o->mode));
	set_text(json, "authenticationMode", capf_mode_cucm(o->mode));
	set_text(json, "origin", o->origin);
	capf_json_time(json, "queued", o->queued_at);
	capf_json_time(json, "turn", o->turn_at);
	capf_json_time(json, "completesBy", o->completes_by);
	capf_json_time(json, "changed", o->changed_at);
	json_object_set_new(json, "tell", json_boolean(o->tell));
	capf_json_time(json, "told", o->told_at > 0 ? o->told_at : 0);
	capf_json_time(json, "missed", o->told_at < 0 ? -o->told_at : 0);
	set_num(json, "visits", o->visits);
	set_num(json, "keyFailures", o->key_failures);
	set_text(json, "address", o->address);
	if (o->mode == CAPF_MODE_STRING) {
		capf_json_time(json, "stringUntil", o->string_until);
		set_num(json, "wrongStrings", o->wrong_strings);
	}
	if (o->mode == CAPF_MODE_NULL_STRING)
		capf_json_time(json, "nullStringUntil", o->null_until);
	set_text(json, "serial", o->serial);
	return json;
}

json_t *capf_json_issued(const struct capf_issued *i)
{
	json_t *o = json_pack("{ss ss ss}", "serial", i->serial, "device",
		i->device, "state", capf_issued_name(i->state));
	set_text(o, "issuer", i->issuer_cn);
	set_hash(o, "issuerSha256", i->issuer);
	capf_json_time(o, "issued", i->issued_at);
	capf_json_time(o, "confirmed", i->confirmed_at);
	capf_json_time(o, "notBefore", i->not_before);
	capf_json_time(o, "notAfter", i->not_after);
	set_text(o, "key", i->key);
	set_hash(o, "sha256", i->sha256);
	set_hash(o, "keySha256", i->key_sha256);
	set_text(o, "origin", i->origin);
	return o;
}

json_t *capf_json_audit(const struct capf_audit *link)
{
	json_t *o = json_object();
	set_num(o, "number", link->number);
	capf_json_time(o, "at", link->at);
	set_text(o, "event", link->event);
	set_text(o, "device", link->device);
	set_text(o, "serial", link->serial);
	set_text(o, "address", link->address);
	set_text(o, "detail", link->detail);
	set_hash(o, "hash", link->hash);
	return o;
}

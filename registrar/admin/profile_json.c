/* SPDX-License-Identifier: Apache-2.0 */
/* Security profiles as JSON, both ways: one table of their fields. */
#include <stdio.h>
#include <string.h>

#include "registrar/admin/device_json.h"

static const char *const modes[] = {
	"", "non-secure", "authenticated", "encrypted", NULL};
static const char *const transports[] = {"tcp+udp", "tcp", "udp", "tls", NULL};
/* AXL XAuthenticationMode and XKeyOrder. */
static const char *const authentication_modes[] = {"",
	"By Authentication String", "By Null String",
	"By Existing Certificate (precedence to LSC)",
	"By Existing Certificate (precedence to MIC)", NULL};
static const char *const key_orders[] = {
	"RSA Only", "EC Only", "EC Preferred, RSA Backup", NULL};

/* A field is a number of some width, a flag, or one of some words. */
static const struct field {
	const char *key;
	size_t offset, size;
	const char *const *words; /* NULL: a number; of a flag, too */
	bool flag;
} fields[] = {
#define AT(f)                                 \
	offsetof(struct security_profile, f), \
		sizeof(((struct security_profile *)0)->f)
	{"mode", AT(mode), modes, false},
	{"transport", AT(transport), transports, false},
	{"sipPhonePort", AT(sip_phone_port), NULL, false},
	{"nonceSeconds", AT(nonce_s), NULL, false},
	{"digest", AT(digest), NULL, true},
	{"excludeDigestCredentials", AT(exclude_digest_credentials), NULL,
		true},
	{"encryptedConfig", AT(encrypted_config), NULL, true},
	{"oauth", AT(oauth), NULL, true},
	{"authenticationMode", AT(authentication_mode), authentication_modes,
		false},
	{"keyOrder", AT(key_order), key_orders, false},
	{"rsaBits", AT(rsa_bits), NULL, false},
	{"ecBits", AT(ec_bits), NULL, false},
#undef AT
};
enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

static uint32_t get(const struct security_profile *p, const struct field *f)
{
	const char *at = (const char *)p + f->offset;
	uint8_t one;
	uint16_t two;
	uint32_t four;
	switch (f->size) {
	case 1:
		memcpy(&one, at, sizeof(one));
		return one;
	case 2:
		memcpy(&two, at, sizeof(two));
		return two;
	default:
		memcpy(&four, at, sizeof(four));
		return four;
	}
}

static void set(struct security_profile *p, const struct field *f, uint32_t n)
{
	char *at = (char *)p + f->offset;
	uint8_t one = (uint8_t)n;
	uint16_t two = (uint16_t)n;
	switch (f->size) {
	case 1:
		memcpy(at, &one, sizeof(one));
		break;
	case 2:
		memcpy(at, &two, sizeof(two));
		break;
	default:
		memcpy(at, &n, sizeof(n));
	}
}

json_t *profile_json(const struct security_profile *p, bool predefined)
{
	json_t *o = json_pack("{ss ss sb}", "name", p->name, "description",
		p->description, "predefined", predefined);
	for (size_t i = 0; i < FIELDS; i++) {
		const struct field *f = &fields[i];
		uint32_t n = get(p, f);
		json_object_set_new(o, f->key,
			f->words  ? json_string(f->words[n])
			: f->flag ? json_boolean(n)
				  : json_integer(n));
	}
	return o;
}

static bool read_word(const struct field *f, const json_t *v,
	struct security_profile *p, struct device_fault *fault)
{
	const char *word = json_string_value(v);
	char all[160] = "";
	size_t n = 0;
	for (uint32_t i = 0; f->words[i]; i++) {
		if (!*f->words[i])
			continue;
		if (word && strcasecmp(f->words[i], word) == 0) {
			set(p, f, i);
			return true;
		}
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s\"%s\"",
			n ? ", " : "", f->words[i]);
	}
	return device_refuse(fault, f->key, "must be one of %s", all);
}

static bool read_field(const struct field *f, const json_t *v,
	struct security_profile *p, struct device_fault *fault)
{
	uint64_t max = f->size == 4 ? UINT32_MAX : (1u << 8 * f->size) - 1;
	if (f->words)
		return read_word(f, v, p, fault);
	if (f->flag) {
		set(p, f, json_is_true(v));
		return json_is_boolean(v) ||
		       device_refuse(fault, f->key, "must be true or false");
	}
	json_int_t n = json_integer_value(v);
	if (!json_is_integer(v) || n < 0 || (uint64_t)n > max)
		return device_refuse(fault, f->key,
			"must be a number of 0 to %llu",
			(unsigned long long)max);
	set(p, f, (uint32_t)n);
	return true;
}

static bool read_description(
	const json_t *v, struct security_profile *p, struct device_fault *fault)
{
	const char *text = json_string_value(v);
	if (!text || strlen(text) != json_string_length(v))
		return device_refuse(fault, "description", "must be a text");
	if (strlen(text) >= sizeof(p->description))
		return device_refuse(fault, "description",
			"must have at most %d characters",
			DEVICE_PROFILE_DESCRIPTION_MAX);
	snprintf(p->description, sizeof(p->description), "%s", text);
	return true;
}

static bool read_member(const char *key, const json_t *v,
	struct security_profile *p, struct device_fault *fault)
{
	const char *text = json_string_value(v);
	if (strcmp(key, "predefined") == 0)
		return true;
	if (strcmp(key, "description") == 0)
		return read_description(v, p, fault);
	if (strcmp(key, "name") == 0)
		return (text && strcasecmp(text, p->name) == 0) ||
		       device_refuse(fault, "name",
			       "must be \"%s\" as in the path, or left out",
			       p->name);
	for (size_t i = 0; i < FIELDS; i++)
		if (strcmp(fields[i].key, key) == 0)
			return read_field(&fields[i], v, p, fault);
	return device_refuse(fault, "profile", "has no member \"%.40s\"", key);
}

bool profile_json_read(const json_t *object, struct security_profile *p,
	struct device_fault *fault)
{
	const char *key;
	json_t *v;
	enum security_mode before = p->mode;
	json_object_foreach((json_t *)object, key, v)
	{
		if (!read_member(key, v, p, fault))
			return false;
	}
	/* The mode forces the transport, where none is named. */
	if (p->mode != before && !json_object_get(object, "transport"))
		p->transport = p->mode == SECURITY_NON_SECURE ? SECURITY_TCP_UDP
							      : SECURITY_TLS;
	return true;
}

void profile_json_default(struct security_profile *p, const char *name)
{
	*p = security_predefined[0];
	snprintf(p->name, sizeof(p->name), "%s", name);
}

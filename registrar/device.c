/* SPDX-License-Identifier: Apache-2.0 */
/* One phone as the inventory has it, and the security profile it follows. */
#include "registrar/device.h"

#include <stdlib.h>
#include <string.h>

#include "registrar/memory.h"

const char *device_protocol_name(enum device_protocol protocol)
{
	static const char *const names[] = {
		[DEVICE_ANY] = "any",
		[DEVICE_SCCP] = "sccp",
		[DEVICE_SIP] = "sip",
	};
	return names[protocol];
}

const char *security_mode_name(enum security_mode mode)
{
	return security_predefined[mode - SECURITY_NON_SECURE].name;
}

enum security_mode security_mode_of(bool tls, const char *cipher)
{
	if (!tls)
		return SECURITY_NON_SECURE;
	return cipher && strstr(cipher, "NULL") ? SECURITY_AUTHENTICATED
						: SECURITY_ENCRYPTED;
}

#define PREDEFINED(name_, mode_, transport_)                           \
	{                                                              \
		.name = name_, .mode = mode_, .transport = transport_, \
		.sip_phone_port = 5060, .nonce_s = 600,                \
		.authentication_mode = 2, .rsa_bits = 2048             \
	}

const struct security_profile security_predefined[SECURITY_PREDEFINED] = {
	PREDEFINED("non-secure", SECURITY_NON_SECURE, SECURITY_TCP_UDP),
	PREDEFINED("authenticated", SECURITY_AUTHENTICATED, SECURITY_TLS),
	PREDEFINED("encrypted", SECURITY_ENCRYPTED, SECURITY_TLS),
};

const char *device_softkeys(const struct device *d)
{
	return *d->softkeys ? d->softkeys : DEVICE_SOFTKEYS_STANDARD;
}

static size_t length(const char *text)
{
	return text ? strlen(text) + 1 : 1;
}

/* Texts go one after the other to *at. */
static const char *put(char **at, const char *text)
{
	size_t n = length(text);
	char *kept = *at;
	memcpy(kept, text ? text : "", n);
	*at += n;
	return kept;
}

static size_t texts_of(const struct device *d)
{
	size_t n = 0;
#define X(field, most) n += length(d->field);
	DEVICE_TEXT_LIST(X)
#undef X
	for (size_t i = 0; i < d->n_lines; i++)
		n += length(d->lines[i].number) + length(d->lines[i].label) +
		     length(d->lines[i].owner);
	for (size_t i = 0; i < d->n_dials; i++)
		n += length(d->dials[i].number) + length(d->dials[i].label) +
		     length(d->dials[i].type);
	return n;
}

struct device *device_new(const struct device *from)
{
	size_t lines = from->n_lines * sizeof(*from->lines);
	size_t dials = from->n_dials * sizeof(*from->dials);
	struct device *d =
		memory_zero(sizeof(*d) + lines + dials + texts_of(from));
	struct device_line *line = (struct device_line *)(d + 1);
	struct device_dial *dial = (struct device_dial *)(line + from->n_lines);
	char *at = (char *)(dial + from->n_dials);
	*d = *from;
	d->refs = 1;
	d->lines = line;
	d->dials = dial;
#define X(field, most) d->field = put(&at, from->field);
	DEVICE_TEXT_LIST(X)
#undef X
	for (size_t i = 0; i < from->n_lines; i++) {
		line[i].number = put(&at, from->lines[i].number);
		line[i].label = put(&at, from->lines[i].label);
		line[i].owner = put(&at, from->lines[i].owner);
	}
	for (size_t i = 0; i < from->n_dials; i++) {
		dial[i].number = put(&at, from->dials[i].number);
		dial[i].label = put(&at, from->dials[i].label);
		dial[i].type = put(&at, from->dials[i].type);
	}
	return d;
}

struct device *device_ref(struct device *d)
{
	__atomic_add_fetch(&d->refs, 1, __ATOMIC_RELAXED);
	return d;
}

static bool same_lines(const struct device *a, const struct device *b)
{
	if (a->n_lines != b->n_lines)
		return false;
	for (size_t i = 0; i < a->n_lines; i++)
		if (strcmp(a->lines[i].number, b->lines[i].number) != 0 ||
			strcmp(a->lines[i].label, b->lines[i].label) != 0 ||
			strcmp(a->lines[i].owner, b->lines[i].owner) != 0)
			return false;
	return true;
}

static bool same_dials(const struct device *a, const struct device *b)
{
	if (a->n_dials != b->n_dials)
		return false;
	for (size_t i = 0; i < a->n_dials; i++)
		if (strcmp(a->dials[i].number, b->dials[i].number) != 0 ||
			strcmp(a->dials[i].label, b->dials[i].label) != 0 ||
			strcmp(a->dials[i].type, b->dials[i].type) != 0)
			return false;
	return true;
}

bool device_equal(const struct device *a, const struct device *b)
{
#define X(field, most) strcmp(a->field, b->field) == 0 &&
	return DEVICE_TEXT_LIST(X) a->mic == b->mic &&
	       a->protocol == b->protocol &&
	       memcmp(a->ha1_md5, b->ha1_md5, sizeof(a->ha1_md5)) == 0 &&
	       memcmp(a->ha1_sha256, b->ha1_sha256, sizeof(a->ha1_sha256)) ==
		       0 &&
	       same_lines(a, b) && same_dials(a, b);
#undef X
}

void device_unref(struct device *d)
{
	if (d && __atomic_sub_fetch(&d->refs, 1, __ATOMIC_ACQ_REL) == 0)
		free(d);
}

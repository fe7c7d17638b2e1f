/* SPDX-License-Identifier: Apache-2.0 */
/* What a device and a security profile may say: each refusal names a field. */
#include "registrar/device_rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "protocols/sccp/softkeys.h"
#include "registrar/text.h"

#define LETTERS_AND_DIGITS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

bool device_refuse(
	struct device_fault *fault, const char *field, const char *format, ...)
{
	va_list args;
	snprintf(fault->field, sizeof(fault->field), "%s", field);
	va_start(args, format);
	vsnprintf(fault->why, sizeof(fault->why), format, args);
	va_end(args);
	return false;
}

bool device_name_good(const char *name)
{
	size_t n = strlen(name);
	return n > 0 && n <= CERT_DEVICE_MAX &&
	       strspn(name, LETTERS_AND_DIGITS "._-") == n;
}

static bool check_name(const char *name, struct device_fault *fault)
{
	return device_name_good(name) ||
	       device_refuse(fault, "name",
		       "must be 1 to %d letters, digits, dots, underscores and "
		       "hyphens",
		       CERT_DEVICE_MAX);
}

/* UTF-8 without control characters, at most `most` bytes. */
static bool check_text(const char *field, const char *text, size_t most,
	struct device_fault *fault)
{
	size_t n = strlen(text);
	if (n > most)
		return device_refuse(fault, field,
			"is %zu bytes long, at most %zu are allowed", n, most);
	for (const char *p = text; *p;) {
		size_t step = text_character(p);
		if (!step)
			return device_refuse(fault, field,
				"holds a control character, or is not UTF-8");
		p += step;
	}
	return true;
}

static bool check_number(
	const char *field, const char *number, struct device_fault *fault)
{
	size_t n = strlen(number);
	if (n > 0 && n <= DEVICE_NUMBER_MAX &&
		strspn(number, LETTERS_AND_DIGITS "+*#._-") == n)
		return true;
	return device_refuse(fault, field,
		"must be 1 to %d letters, digits and + * # . _ -",
		DEVICE_NUMBER_MAX);
}

static bool check_line(
	const struct device *d, size_t i, struct device_fault *fault)
{
	char field[40];
	const struct device_line *line = &d->lines[i];
	snprintf(field, sizeof(field), "line%zu", i + 1);
	if (!check_number(field, line->number, fault))
		return false;
	for (size_t k = 0; k < i; k++)
		if (strcmp(d->lines[k].number, line->number) == 0)
			return device_refuse(fault, field,
				"is the same number as line%zu", k + 1);
	snprintf(field, sizeof(field), "line%zu_label", i + 1);
	if (!check_text(field, line->label, DEVICE_LABEL_MAX, fault))
		return false;
	snprintf(field, sizeof(field), "line%zu_owner", i + 1);
	return check_text(field, line->owner, DEVICE_OWNER_MAX, fault);
}

static bool check_dial(
	const struct device *d, size_t i, struct device_fault *fault)
{
	char field[40];
	const struct device_dial *dial = &d->dials[i];
	snprintf(field, sizeof(field), "dial%zu", i + 1);
	if (!check_number(field, dial->number, fault))
		return false;
	snprintf(field, sizeof(field), "dial%zu_label", i + 1);
	if (!check_text(field, dial->label, DEVICE_LABEL_MAX, fault))
		return false;
	snprintf(field, sizeof(field), "dial%zu_type", i + 1);
	return !*dial->type || strcmp(dial->type, "blf") == 0 ||
	       device_refuse(fault, field, "must be blf or empty");
}

static bool check_parts(const struct device *d, struct device_fault *fault)
{
	if (d->n_lines > DEVICE_LINES_MAX)
		return device_refuse(fault, "lines", "are %zu, at most %d",
			d->n_lines, DEVICE_LINES_MAX);
	if (d->n_dials > DEVICE_DIALS_MAX)
		return device_refuse(fault, "dials", "are %zu, at most %d",
			d->n_dials, DEVICE_DIALS_MAX);
	for (size_t i = 0; i < d->n_lines; i++)
		if (!check_line(d, i, fault))
			return false;
	for (size_t i = 0; i < d->n_dials; i++)
		if (!check_dial(d, i, fault))
			return false;
	return true;
}

/* RFC 7616 2: the user name ends at the first colon of user:realm:password. */
static bool check_digest(const struct device *d, struct device_fault *fault)
{
	static const uint8_t none[sizeof(d->ha1_sha256)];
	bool secret = memcmp(d->ha1_sha256, none, sizeof(d->ha1_sha256)) != 0;
	if (strpbrk(d->digest_user, ":\""))
		return device_refuse(fault, "digest_user",
			"must not hold a colon or a quotation mark");
	if (*d->digest_user && !secret)
		return device_refuse(fault, "digest_password",
			"is missing: digest user \"%s\" needs one",
			d->digest_user);
	return *d->digest_user || !secret ||
	       device_refuse(fault, "digest_user",
		       "is missing: a digest password needs a user");
}

static bool check_softkeys(const char *names, struct device_fault *fault)
{
	uint32_t allowed;
	const char *unknown = sccp_softkeys_read(names, &allowed);
	return !unknown || device_refuse(fault, "softkeys",
				   "\"%.*s\" is none: there are %s; or "
				   "standard, all of them",
				   (int)strcspn(unknown, ","), unknown,
				   sccp_softkeys_names());
}

bool device_check(const struct device *d, struct device_fault *fault)
{
	if (!check_name(d->name, fault))
		return false;
	if (d->protocol > DEVICE_SIP)
		return device_refuse(
			fault, "protocol", "must be any, sccp or sip");
	if (!*d->profile)
		return device_refuse(fault, "profile", "must not be empty");
#define X(field, most) check_text(#field, d->field, most, fault) &&
	return DEVICE_TEXT_LIST(X) check_parts(d, fault) &&
	       check_digest(d, fault) && check_softkeys(d->softkeys, fault);
#undef X
}

/* ---- profiles ---- */

static bool is_one_of(unsigned value, const unsigned *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == value)
			return true;
	return false;
}

static bool check_capf(
	const struct security_profile *p, struct device_fault *fault)
{
	static const unsigned rsa[] = {512, 1024, 2048, 3072, 4096};
	static const unsigned ec[] = {0, 256, 384, 521};
	if (p->authentication_mode < 1 || p->authentication_mode > 4)
		return device_refuse(fault, "authenticationMode", "is unknown");
	if (p->key_order > 2)
		return device_refuse(fault, "keyOrder", "is unknown");
	if (!is_one_of(p->rsa_bits, rsa, sizeof(rsa) / sizeof(rsa[0])))
		return device_refuse(fault, "rsaBits",
			"must be 512, 1024, 2048, 3072 or 4096");
	if (!is_one_of(p->ec_bits, ec, sizeof(ec) / sizeof(ec[0])))
		return device_refuse(
			fault, "ecBits", "must be 256, 384 or 521");
	return p->key_order == 0 || p->ec_bits ||
	       device_refuse(fault, "ecBits",
		       "is missing: a key order with EC needs one");
}

static bool check_oauth(
	const struct security_profile *p, struct device_fault *fault)
{
	if (!p->oauth || (p->transport == SECURITY_TLS &&
				 p->mode == SECURITY_ENCRYPTED && !p->digest &&
				 !p->encrypted_config))
		return true;
	return device_refuse(fault, "oauth",
		"is only for transport tls, mode encrypted, no digest and no "
		"encrypted configuration");
}

static size_t characters(const char *text)
{
	size_t n = 0;
	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

bool device_profile_check(
	const struct security_profile *p, struct device_fault *fault)
{
	bool secure = p->mode != SECURITY_NON_SECURE;
	if (!*p->name || strpbrk(p->name, "/%\"\\<>&"))
		return device_refuse(fault, "name",
			"must not be empty, nor hold / %% \" \\ < > &");
	if (!check_text("name", p->name, DEVICE_PROFILE_MAX, fault))
		return false;
	if (!check_text("description", p->description,
		    sizeof(p->description) - 1, fault))
		return false;
	if (characters(p->description) > DEVICE_PROFILE_DESCRIPTION_MAX)
		return device_refuse(fault, "description",
			"must have at most %d characters",
			DEVICE_PROFILE_DESCRIPTION_MAX);
	if (strpbrk(p->description, "\"%&\\<>"))
		return device_refuse(fault, "description",
			"must not hold any of \" %% & \\ < >");
	if (p->mode < SECURITY_NON_SECURE || p->mode > SECURITY_ENCRYPTED)
		return device_refuse(fault, "mode",
			"must be non-secure, authenticated or encrypted");
	if (p->transport > SECURITY_TLS)
		return device_refuse(
			fault, "transport", "must be tcp+udp, tcp, udp or tls");
	if (secure != (p->transport == SECURITY_TLS))
		return device_refuse(fault, "transport",
			secure ? "must be tls: mode %s forces it"
			       : "must not be tls: mode %s has no TLS",
			security_mode_name(p->mode));
	if (!p->sip_phone_port)
		return device_refuse(
			fault, "sipPhonePort", "must be 1 to 65535");
	if (p->nonce_s < 10 || p->nonce_s > 86400)
		return device_refuse(
			fault, "nonceSeconds", "must be 10 to 86400 seconds");
	return check_capf(p, fault) && check_oauth(p, fault);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Digest credentials and challenges as headers word them (RFC 8760). */
#include "protocols/sip/auth.h"

#include <string.h>
#include <strings.h>

enum { COUNT_DIGITS = 8, FIELDS_MAX = 16 };

static const struct {
	const char *name;
	size_t digits;
} algorithms[] = {
#define X(symbol, name, digits) {name, digits},
	SIP_ALGORITHM_LIST(X)
#undef X
};

const char *sip_algorithm_name(enum sip_algorithm algorithm)
{
	return algorithms[algorithm].name;
}

static bool algorithm_of(struct sip_slice name, enum sip_algorithm *algorithm)
{
	for (int i = 0; i < SIP_ALGORITHMS; i++) {
		if (!sip_field_is_nocase(name, algorithms[i].name))
			continue;
		*algorithm = (enum sip_algorithm)i;
		return true;
	}
	return false;
}

/* One name=value of a list behind the scheme. */
struct field {
	struct sip_slice name;
	struct sip_slice value; /* with its quotes */
};

/* Takes `Digest` off the front. */
static bool digest_scheme(struct sip_slice *rest)
{
	size_t n = sip_field_span(*rest, SIP_CHARS_TOKEN);
	struct sip_slice scheme = {rest->p, n};
	*rest = (struct sip_slice){rest->p + n, rest->n - n};
	return sip_field_is_nocase(scheme, "Digest");
}

/* The next field. False at the end; false with *broken at what is none. */
static bool next_field(
	struct sip_slice *rest, struct field *field, bool *broken)
{
	struct sip_slice element;
	if (!sip_field_list(rest, &element))
		return false;
	const char *equals =
		element.n ? memchr(element.p, '=', element.n) : NULL;
	if (!equals) {
		*broken = true;
		return false;
	}
	size_t n = (size_t)(equals - element.p);
	field->name = sip_field_trim((struct sip_slice){element.p, n});
	field->value = sip_field_trim(
		(struct sip_slice){equals + 1, element.n - n - 1});
	*broken = !sip_field_all(field->name, SIP_CHARS_TOKEN);
	return !*broken;
}

/* The fields by name. A name that stands twice is broken: two readers could
 * take different ones. */
struct fields {
	struct field list[FIELDS_MAX];
	size_t n;
};

static bool read_fields(struct sip_slice rest, struct fields *fields)
{
	bool broken = false;
	struct field field;
	fields->n = 0;
	while (next_field(&rest, &field, &broken)) {
		if (fields->n == FIELDS_MAX)
			return false;
		for (size_t i = 0; i < fields->n; i++) {
			struct sip_slice name = fields->list[i].name;
			if (name.n == field.name.n &&
				strncasecmp(name.p, field.name.p, name.n) == 0)
				return false;
		}
		fields->list[fields->n++] = field;
	}
	return !broken && fields->n > 0;
}

/* p NULL: there is none. */
static struct sip_slice get(const struct fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->n; i++) {
		if (sip_field_is_nocase(fields->list[i].name, name))
			return fields->list[i].value;
	}
	return (struct sip_slice){NULL, 0};
}

/* A value without quotes, at the end of the room. NULL: its quotes do not
 * close, or it holds what no credential needs. */
static const char *keep(
	const struct fields *fields, const char *name, char **room)
{
	struct sip_slice value = get(fields, name);
	char *text = *room;
	if (!sip_field_printable(value) ||
		!sip_field_unquote(value, text, value.n + 1))
		return NULL;
	*room += strlen(text) + 1;
	return text;
}

/* Every field is cut at a comma or at the end, which makes room for its NUL;
 * fields that are missing are one NUL each. */
size_t sip_auth_room(struct sip_slice value)
{
	return value.n + FIELDS_MAX;
}

static bool read_count(struct sip_auth *auth)
{
	struct sip_slice nc = sip_field_text(auth->nc);
	if (nc.n != COUNT_DIGITS || !sip_field_all(nc, SIP_CHARS_HEX))
		return false;
	for (size_t i = 0; i < nc.n; i++) {
		char c = sip_field_lower(nc.p[i]);
		uint32_t digit = (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
		auth->count = auth->count << 4 | digit;
	}
	return true;
}

static bool read_rest(const struct fields *fields, struct sip_auth *auth)
{
	struct sip_slice qop = get(fields, "qop");
	struct sip_slice response = sip_field_text(auth->response);
	char word[8];
	auth->qop = qop.p != NULL;
	if (auth->qop &&
		(!sip_field_unquote(qop, word, sizeof(word)) ||
			!sip_field_is_nocase(sip_field_text(word), "auth")))
		return false;
	if (auth->qop && (!auth->cnonce[0] || !read_count(auth)))
		return false;
	return auth->username[0] && auth->nonce[0] && auth->uri[0] &&
	       response.n == algorithms[auth->algorithm].digits &&
	       sip_field_all(response, SIP_CHARS_HEX);
}

/* MD5 is meant where none is named (RFC 2617 3.2.1). */
static bool read_algorithm(
	const struct fields *fields, enum sip_algorithm *algorithm)
{
	char name[16];
	struct sip_slice value = get(fields, "algorithm");
	*algorithm = SIP_ALGORITHM_MD5;
	if (!value.p)
		return true;
	return sip_field_unquote(value, name, sizeof(name)) &&
	       algorithm_of(sip_field_text(name), algorithm);
}

enum sip_auth_step sip_auth_read(
	struct sip_slice value, struct sip_auth *auth, char **room)
{
	struct fields fields;
	*auth = (struct sip_auth){.algorithm = SIP_ALGORITHM_MD5};
	if (!digest_scheme(&value))
		return SIP_AUTH_OTHER;
	if (!read_fields(value, &fields))
		return SIP_AUTH_BROKEN;
	if (!read_algorithm(&fields, &auth->algorithm))
		return SIP_AUTH_OTHER;
	const struct {
		const char *name;
		const char **text;
	} texts[] = {
		{"username", &auth->username},
		{"realm", &auth->realm},
		{"nonce", &auth->nonce},
		{"uri", &auth->uri},
		{"response", &auth->response},
		{"cnonce", &auth->cnonce},
		{"nc", &auth->nc},
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		*texts[i].text = keep(&fields, texts[i].name, room);
		if (!*texts[i].text)
			return SIP_AUTH_BROKEN;
	}
	return read_rest(&fields, auth) ? SIP_AUTH_READ : SIP_AUTH_BROKEN;
}

static bool offers_auth(struct sip_slice value)
{
	char text[64];
	struct sip_slice option;
	if (!value.p || !sip_field_unquote(value, text, sizeof(text)))
		return false;
	struct sip_slice rest = sip_field_text(text);
	while (sip_field_list(&rest, &option)) {
		if (sip_field_is_nocase(option, "auth"))
			return true;
	}
	return false;
}

bool sip_auth_challenge(
	struct sip_slice value, struct sip_challenge_read *challenge)
{
	struct fields fields;
	char stale[8];
	*challenge = (struct sip_challenge_read){0};
	if (!digest_scheme(&value) || !read_fields(value, &fields) ||
		!read_algorithm(&fields, &challenge->algorithm))
		return false;
	const struct {
		const char *name;
		char *text;
		size_t size;
	} texts[] = {
		{"realm", challenge->realm, sizeof(challenge->realm)},
		{"nonce", challenge->nonce, sizeof(challenge->nonce)},
		{"opaque", challenge->opaque, sizeof(challenge->opaque)},
		{"stale", stale, sizeof(stale)},
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!sip_field_unquote(get(&fields, texts[i].name),
			    texts[i].text, texts[i].size))
			return false;
	}
	challenge->stale = sip_field_is_nocase(sip_field_text(stale), "true");
	challenge->qop = offers_auth(get(&fields, "qop"));
	return challenge->nonce[0];
}

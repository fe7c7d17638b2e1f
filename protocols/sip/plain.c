/* SPDX-License-Identifier: Apache-2.0 */
/* Requests worded so plainly that nobody needs to judge their grammar. */
#include "protocols/sip/plain.h"

enum { PORT_MAX = 6 }; /* characters, with the colon */

/* Takes c off the front, if it stands there. */
static bool one(struct sip_slice *s, char c)
{
	if (!s->n || s->p[0] != c)
		return false;
	s->p++;
	s->n--;
	return true;
}

/* Takes all characters of these classes off; false: there is none. */
static bool run(struct sip_slice *s, unsigned classes)
{
	size_t n = sip_field_span(*s, classes);
	s->p += n;
	s->n -= n;
	return n > 0;
}

static bool word(struct sip_slice *s, const char *text)
{
	size_t n = strlen(text);
	if (s->n < n || memcmp(s->p, text, n) != 0)
		return false;
	s->p += n;
	s->n -= n;
	return true;
}

/* name, 192.0.2.1 or [2001:db8::1]; libosip2 refuses some that are shorter
 * than two characters. */
static bool host(struct sip_slice *s)
{
	bool brackets = one(s, '[');
	const char *start = s->p;
	if (!brackets)
		return run(s, SIP_CHARS_NAME) && s->p - start > 1;
	while (run(s, SIP_CHARS_HEX) || one(s, ':') || one(s, '.'))
		;
	return s->p - start > 1 && one(s, ']');
}

static bool port(struct sip_slice *s)
{
	const char *start = s->p;
	return !one(s, ':') ||
	       (run(s, SIP_CHARS_DIGIT) && s->p - start <= PORT_MAX);
}

/* sip:user@host:port;name=value */
static bool uri(struct sip_slice *s)
{
	if (!word(s, "sip:") && !word(s, "sips:"))
		return false;
	struct sip_slice before = *s;
	if (!run(s, SIP_CHARS_NAME | SIP_CHARS_SCHEME) || !one(s, '@'))
		*s = before; /* no user */
	if (!host(s) || !port(s))
		return false;
	while (one(s, ';')) {
		if (!run(s, SIP_CHARS_NAME))
			return false;
		if (one(s, '=') && !run(s, SIP_CHARS_NAME))
			return false;
	}
	return true;
}

/* name=value */
static bool pair(struct sip_slice *s)
{
	return run(s, SIP_CHARS_TOKEN) &&
	       (!one(s, '=') || run(s, SIP_CHARS_TOKEN));
}

static bool quotes(struct sip_slice *s)
{
	return one(s, '"') && run(s, SIP_CHARS_QUOTED) && one(s, '"');
}

/* SIP/2.0/TLS host:port;branch=z9hG4bK1 */
static bool via(struct sip_slice s)
{
	if (!word(&s, "SIP/2.0/") || !run(&s, SIP_CHARS_ALPHA) ||
		!one(&s, ' ') || !host(&s) || !port(&s))
		return false;
	while (one(&s, ';')) {
		if (!pair(&s))
			return false;
	}
	return s.n == 0;
}

/* "name" <sip:user@host>;tag=1;name="value"; one, without a comma */
static bool address(struct sip_slice s)
{
	if (s.n && s.p[0] == '"' && !(quotes(&s) && one(&s, ' ')))
		return false;
	if (!one(&s, '<') || !uri(&s) || !one(&s, '>'))
		return false;
	while (one(&s, ';')) {
		if (!run(&s, SIP_CHARS_TOKEN))
			return false;
		if (one(&s, '=') && !run(&s, SIP_CHARS_TOKEN) && !quotes(&s))
			return false;
	}
	return s.n == 0;
}

static bool call_id(struct sip_slice s)
{
	if (!run(&s, SIP_CHARS_TOKEN))
		return false;
	return s.n == 0 || (one(&s, '@') && host(&s) && s.n == 0);
}

static bool cseq(struct sip_slice s)
{
	return run(&s, SIP_CHARS_DIGIT) && one(&s, ' ') &&
	       run(&s, SIP_CHARS_TOKEN) && s.n == 0;
}

/* multipart/mixed; boundary=uniqueBoundary */
static bool media(struct sip_slice s)
{
	if (!run(&s, SIP_CHARS_TOKEN) || !one(&s, '/') ||
		!run(&s, SIP_CHARS_TOKEN))
		return false;
	while (one(&s, ';')) {
		one(&s, ' ');
		if (!pair(&s))
			return false;
	}
	return s.n == 0;
}

/* 17 or 1.0 */
static bool number(struct sip_slice s)
{
	return sip_field_all(s, SIP_CHARS_NAME);
}

static bool has(struct sip_slice s, char c)
{
	return memchr(s.p, c, s.n) != NULL;
}

/* a, b, c; none of them empty */
static bool listed(struct sip_slice s)
{
	if (has(s, '"') || has(s, '<') || has(s, '>'))
		return false;
	for (;;) {
		while (one(&s, ' '))
			;
		if (!s.n || s.p[0] == ',')
			return false;
		const char *comma = memchr(s.p, ',', s.n);
		if (!comma)
			return true;
		s.n -= (size_t)(comma + 1 - s.p);
		s.p = comma + 1;
	}
}

/* libosip2 cuts the headers it does not know at commas, and no further. */
static bool text(struct sip_slice s)
{
	return s.n && sip_field_printable(s) && (!has(s, ',') || listed(s));
}

static bool (*const shapes[SIP_HEADERS])(struct sip_slice value) = {
	[SIP_HEADER_VIA] = via,
	[SIP_HEADER_FROM] = address,
	[SIP_HEADER_TO] = address,
	[SIP_HEADER_CALL_ID] = call_id,
	[SIP_HEADER_CSEQ] = cseq,
	[SIP_HEADER_CONTACT] = address,
	[SIP_HEADER_CONTENT_LENGTH] = number,
	[SIP_HEADER_CONTENT_TYPE] = media,
	[SIP_HEADER_MIME_VERSION] = number,
	[SIP_HEADER_EXPIRES] = text,
	[SIP_HEADER_MAX_FORWARDS] = text,
	[SIP_HEADER_REQUIRE] = text,
	[SIP_HEADER_SUPPORTED] = text,
	[SIP_HEADER_USER_AGENT] = text,
	[SIP_HEADER_REASON] = text,
	[SIP_HEADER_REFER_TO] = text,
	[SIP_HEADER_REFERRED_BY] = text,
	[SIP_HEADER_EVENT] = text,
	[SIP_HEADER_DATE] = text,
	[SIP_HEADER_SESSION_ID] = text,
	[SIP_HEADER_ALLOW] = text,
	[SIP_HEADER_PATH] = text,
};

/* libosip2 refuses a second one of these. */
static bool single(const struct sip_head *head)
{
	static const enum sip_header singles[] = {SIP_HEADER_FROM,
		SIP_HEADER_TO, SIP_HEADER_CALL_ID, SIP_HEADER_CSEQ,
		SIP_HEADER_CONTENT_LENGTH, SIP_HEADER_CONTENT_TYPE,
		SIP_HEADER_MIME_VERSION};
	for (size_t i = 0; i < sizeof(singles) / sizeof(singles[0]); i++) {
		if (sip_head_count(head, singles[i]) > 1)
			return false;
	}
	return true;
}

static bool first_line(struct sip_slice s)
{
	return run(&s, SIP_CHARS_TOKEN) && one(&s, ' ') && uri(&s) &&
	       word(&s, " SIP/2.0") && s.n == 0;
}

bool sip_plain_message(const struct sip_message *m)
{
	const struct sip_head *head = &m->head;
	if (!single(head) || !first_line(head->first))
		return false;
	/* Line by line without a gap: no folds, no space but behind `:`. */
	const char *at = head->first.p + head->first.n + 2;
	for (size_t i = 0; i < head->n; i++) {
		const struct sip_line *line = &head->lines[i];
		const char *colon = line->name.p + line->name.n;
		if (line->name.p != at || line->value.p != colon + 2 ||
			colon[0] != ':' || colon[1] != ' ')
			return false;
		if (!shapes[line->header] || !shapes[line->header](line->value))
			return false;
		at = line->value.p + line->value.n + 2;
	}
	return at + 2 == m->body.p;
}

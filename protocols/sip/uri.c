/* SPDX-License-Identifier: Apache-2.0 */
/* SIP URIs: reading, comparing (RFC 3261 19.1.4), canonical AORs. */
#include "protocols/sip/uri.h"

#include <string.h>

enum {
	PIECES_MAX = 16, /* parameters, and headers: comparing is quadratic */
	PORT_MAX = 65535,
};

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool unreserved(char c)
{
	return sip_chars_in(c, SIP_CHARS_ALPHA | SIP_CHARS_DIGIT) ||
	       (c && strchr("-_.!~*'()", c));
}

static bool reserved(char c)
{
	return c && strchr(";/?:@&=+$,", c);
}

static bool ipv6_char(char c)
{
	return sip_chars_in(c, SIP_CHARS_HEX) || c == ':' || c == '.';
}

/* Cuts off what stands before the first c; all of it without a c. */
static struct sip_slice cut(struct sip_slice *rest, char c)
{
	const char *end = rest->n ? memchr(rest->p, c, rest->n) : NULL;
	size_t n = end ? (size_t)(end - rest->p) : rest->n;
	struct sip_slice front = {rest->p, n};
	rest->p += n;
	rest->n -= n;
	return front;
}

/* Drops the first character, the separator that cut() stopped at. */
static struct sip_slice behind(struct sip_slice s)
{
	return (struct sip_slice){s.p + 1, s.n - 1};
}

/* No space, quote or bracket, and only whole escapes. */
static bool clean(struct sip_slice s)
{
	if (!sip_field_all(s, SIP_CHARS_URI))
		return false;
	while (memchr(s.p, '%', s.n)) {
		cut(&s, '%');
		if (s.n < 3 || hex(s.p[1]) < 0 || hex(s.p[2]) < 0)
			return false;
		s = behind(s);
	}
	return true;
}

static bool read_user(struct sip_slice *rest, struct sip_uri *uri)
{
	if (!memchr(rest->p, '@', rest->n))
		return true;
	struct sip_slice info = cut(rest, '@');
	*rest = behind(*rest);
	uri->user = cut(&info, ':');
	if (info.n)
		uri->password = behind(info);
	return uri->user.n > 0 && !memchr(rest->p, '@', rest->n);
}

/* `:1234` behind a host. */
static bool read_port(struct sip_slice *rest, struct sip_uri *uri)
{
	uint32_t port;
	struct sip_slice s = behind(*rest);
	size_t n = sip_field_span(s, SIP_CHARS_DIGIT);
	uri->port = (struct sip_slice){s.p, n};
	*rest = (struct sip_slice){s.p + n, s.n - n};
	return sip_field_number(uri->port, &port) && port <= PORT_MAX;
}

static bool read_host(struct sip_slice *rest, struct sip_uri *uri)
{
	struct sip_slice s = *rest;
	size_t n = 0;
	if (s.n && s.p[0] == '[') {
		n = 1;
		while (n < s.n && ipv6_char(s.p[n]))
			n++;
		if (n == 1 || n == s.n || s.p[n++] != ']')
			return false;
	} else {
		n = sip_field_span(s, SIP_CHARS_NAME);
	}
	uri->host = (struct sip_slice){s.p, n};
	*rest = (struct sip_slice){s.p + n, s.n - n};
	if (rest->n && rest->p[0] == ':' && !read_port(rest, uri))
		return false;
	return n > 0;
}

struct piece {
	struct sip_slice name;
	struct sip_slice value;
};

/* Cuts the next name[=value] off a run of them, each behind a separator. */
static bool next_piece(struct sip_slice *rest, char separator, struct piece *p)
{
	if (!rest->n)
		return false;
	*rest = behind(*rest);
	struct sip_slice all = cut(rest, separator);
	p->name = cut(&all, '=');
	p->value = all;
	return true;
}

/* The next character of s with its escape undone; *raw: it had none. */
static char decoded(struct sip_slice *s, bool *raw)
{
	*raw = s->p[0] != '%';
	size_t n = *raw ? 1 : 3;
	char c = s->p[0];
	if (!*raw)
		c = (char)((unsigned)hex(s->p[1]) << 4 |
			   (unsigned)hex(s->p[2]));
	s->p += n;
	s->n -= n;
	return c;
}

enum letters { EXACT, ANY_CASE };

static bool same_text(
	struct sip_slice a, struct sip_slice b, enum letters letters)
{
	bool raw_a, raw_b;
	while (a.n && b.n) {
		char c = decoded(&a, &raw_a);
		char d = decoded(&b, &raw_b);
		if (raw_a != raw_b && reserved(c))
			return false;
		if (letters == ANY_CASE) {
			c = sip_field_lower(c);
			d = sip_field_lower(d);
		}
		if (c != d)
			return false;
	}
	return !a.n && !b.n;
}

static bool fits(struct sip_slice pieces, char separator)
{
	struct piece piece;
	size_t n = 0;
	while (next_piece(&pieces, separator, &piece)) {
		if (!piece.name.n || ++n > PIECES_MAX)
			return false;
	}
	return true;
}

/* No parameter stands twice (RFC 3261 19.1.1). */
static bool distinct(struct sip_slice params)
{
	struct piece piece, other;
	while (next_piece(&params, ';', &piece)) {
		struct sip_slice others = params;
		while (next_piece(&others, ';', &other)) {
			if (same_text(piece.name, other.name, ANY_CASE))
				return false;
		}
	}
	return true;
}

bool sip_uri_read(struct sip_slice text, struct sip_uri *uri)
{
	*uri = (struct sip_uri){0};
	struct sip_slice rest = text;
	if (!clean(text))
		return false;
	uri->scheme = cut(&rest, ':');
	if (rest.n < 2 || !sip_field_all(uri->scheme, SIP_CHARS_SCHEME) ||
		!sip_chars_in(uri->scheme.p[0], SIP_CHARS_ALPHA))
		return false;
	rest = behind(rest);
	uri->sips = sip_field_is_nocase(uri->scheme, "sips");
	uri->sip = uri->sips || sip_field_is_nocase(uri->scheme, "sip");
	if (!uri->sip)
		return true;
	if (!read_user(&rest, uri) || !read_host(&rest, uri))
		return false;
	if (rest.n && rest.p[0] != ';' && rest.p[0] != '?')
		return false;
	uri->params = cut(&rest, '?');
	uri->headers = rest;
	return fits(uri->params, ';') && distinct(uri->params) &&
	       fits(uri->headers, '&') && rest.n != 1;
}

/* These count even where only one of the two URIs has them. */
static bool weighty(struct sip_slice name)
{
	static const char *const names[] = {
		"user", "ttl", "method", "maddr", "transport"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (same_text(name, sip_field_text(names[i]), ANY_CASE))
			return true;
	}
	return false;
}

/* Every parameter of a against those of b. */
static bool params_agree(struct sip_slice a, struct sip_slice b)
{
	struct piece p, q;
	while (next_piece(&a, ';', &p)) {
		struct sip_slice others = b;
		bool found = false;
		while (!found && next_piece(&others, ';', &q))
			found = same_text(p.name, q.name, ANY_CASE);
		if (found && !same_text(p.value, q.value, ANY_CASE))
			return false;
		if (!found && weighty(p.name))
			return false;
	}
	return true;
}

static bool has_header(struct sip_slice headers, const struct piece *wanted)
{
	struct piece p;
	while (next_piece(&headers, '&', &p)) {
		if (same_text(p.name, wanted->name, ANY_CASE) &&
			same_text(p.value, wanted->value, EXACT))
			return true;
	}
	return false;
}

static bool headers_in(struct sip_slice a, struct sip_slice b)
{
	struct piece p;
	while (next_piece(&a, '&', &p)) {
		if (!has_header(b, &p))
			return false;
	}
	return true;
}

bool sip_uri_same(struct sip_slice a, struct sip_slice b)
{
	struct sip_uri u, v;
	if (a.n == b.n && (!a.n || memcmp(a.p, b.p, a.n) == 0))
		return true;
	if (!sip_uri_read(a, &u) || !sip_uri_read(b, &v) || !u.sip || !v.sip)
		return false;
	return u.sips == v.sips && !u.user.p == !v.user.p &&
	       !u.password.p == !v.password.p && !u.port.p == !v.port.p &&
	       same_text(u.user, v.user, EXACT) &&
	       same_text(u.password, v.password, EXACT) &&
	       same_text(u.host, v.host, ANY_CASE) &&
	       same_text(u.port, v.port, EXACT) &&
	       params_agree(u.params, v.params) &&
	       params_agree(v.params, u.params) &&
	       headers_in(u.headers, v.headers) &&
	       headers_in(v.headers, u.headers);
}

struct writer {
	char *dst;
	size_t size;
	size_t n;
};

static void put(struct writer *w, char c)
{
	if (w->n < w->size)
		w->dst[w->n] = c;
	w->n++;
}

static void put_user(struct writer *w, struct sip_slice user)
{
	static const char digits[] = "0123456789ABCDEF";
	bool raw;
	while (user.n) {
		char c = decoded(&user, &raw);
		if (raw || unreserved(c)) {
			put(w, c);
			continue;
		}
		put(w, '%');
		put(w, digits[(unsigned char)c >> 4]);
		put(w, digits[c & 15]);
	}
	put(w, '@');
}

bool sip_uri_aor(const struct sip_uri *uri, char *dst, size_t size)
{
	struct writer w = {dst, size, 0};
	if (uri->user.p)
		put_user(&w, uri->user);
	for (size_t i = 0; i < uri->host.n; i++)
		put(&w, sip_field_lower(uri->host.p[i]));
	put(&w, '\0');
	return w.n <= size;
}

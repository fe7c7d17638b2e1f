/* SPDX-License-Identifier: Apache-2.0 */
/* Slices of header text and the scanners that take values apart. */
#include "protocols/sip/field.h"

size_t sip_field_span(struct sip_slice s, unsigned classes)
{
	size_t n = 0;
	while (n < s.n && sip_chars_in(s.p[n], classes))
		n++;
	return n;
}

/* The slice without its first n characters. */
static struct sip_slice after(struct sip_slice s, size_t n)
{
	return (struct sip_slice){s.p + n, s.n - n};
}

/* Eight bytes at once: none is above 0x7e (+1), none below 0x20 (-0x20). */
bool sip_field_printable(struct sip_slice s)
{
	static const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t odd = 0, eight;
	for (; s.n >= sizeof(eight); s = after(s, sizeof(eight))) {
		memcpy(&eight, s.p, sizeof(eight));
		odd |= eight | (eight + ones) | (eight - 0x20 * ones);
	}
	for (size_t i = 0; i < s.n; i++)
		odd |= s.p[i] < ' ' || s.p[i] > '~' ? 0x80 : 0;
	return (odd & 0x80 * ones) == 0;
}

bool sip_field_all(struct sip_slice s, unsigned classes)
{
	return s.n && sip_field_span(s, classes) == s.n;
}

static struct sip_slice trim_left(struct sip_slice s)
{
	while (s.n && sip_field_space(s.p[0]))
		s = after(s, 1);
	return s;
}

struct sip_slice sip_field_trim(struct sip_slice s)
{
	s = trim_left(s);
	while (s.n && sip_field_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool sip_field_starts(struct sip_slice s, const char *text)
{
	for (size_t i = 0; text[i]; i++) {
		if (i == s.n)
			return false;
		if (s.p[i] != text[i] &&
			sip_field_lower(s.p[i]) != sip_field_lower(text[i]))
			return false;
	}
	return true;
}

bool sip_field_has(struct sip_slice s, const char *text)
{
	return s.n && memmem(s.p, s.n, text, strlen(text));
}

bool sip_field_number(struct sip_slice s, uint32_t *value)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		sum = sum * 10 + (uint64_t)(s.p[i] - '0');
		if (sum > UINT32_MAX)
			sum = UINT32_MAX;
	}
	*value = (uint32_t)sum;
	return s.n > 0;
}

void sip_field_show(struct sip_slice s, char *dst, size_t size)
{
	size_t n = s.n < size - 1 ? s.n : size - 1;
	if (n)
		memcpy(dst, s.p, n);
	bool odd = !sip_field_printable((struct sip_slice){dst, n});
	for (size_t i = 0; odd && i < n; i++) {
		if (!sip_chars_in(dst[i], SIP_CHARS_VISIBLE))
			dst[i] = sip_field_space(dst[i]) ? ' ' : '?';
	}
	dst[n] = '\0';
}

/* Length of the quoted string at the start of s, or 0 if it has no end. */
static size_t quoted(struct sip_slice s)
{
	const char *end = memchr(s.p + 1, '"', s.n - 1);
	if (!end)
		return 0;
	size_t n = (size_t)(end - s.p);
	if (!memchr(s.p + 1, '\\', n - 1))
		return n + 1;
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			return i + 1;
	}
	return 0;
}

bool sip_field_unquote(struct sip_slice s, char *dst, size_t size)
{
	size_t n = 0;
	bool quotes = s.n && s.p[0] == '"';
	if (quotes && quoted(s) != s.n)
		return false;
	if (quotes)
		s = (struct sip_slice){s.p + 1, s.n - 2};
	bool escapes = quotes && s.n && memchr(s.p, '\\', s.n);
	if (!escapes && s.n >= size)
		return false;
	if (!escapes && s.n)
		memcpy(dst, s.p, s.n);
	for (size_t i = 0; escapes && i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		if (n + 1 >= size)
			return false;
		dst[n++] = s.p[i];
	}
	n = escapes ? n : s.n;
	dst[n] = '\0';
	return true;
}

/* Where the list element at the start of s ends: at its comma or at s.n. */
static size_t element_end(struct sip_slice s)
{
	size_t i = 0;
	while (i < s.n && s.p[i] != ',') {
		size_t skip = 1;
		if (s.p[i] == '"')
			skip = quoted(after(s, i));
		if (s.p[i] == '<') {
			const char *end = memchr(s.p + i, '>', s.n - i);
			skip = end ? (size_t)(end - s.p) + 1 - i : 0;
		}
		if (!skip)
			return s.n; /* no end: all of it is one element */
		i += skip;
	}
	return i;
}

bool sip_field_list(struct sip_slice *rest, struct sip_slice *element)
{
	if (!rest->p)
		return false;
	bool one = !rest->n || !memchr(rest->p, ',', rest->n);
	size_t end = one ? rest->n : element_end(*rest);
	*element = sip_field_trim((struct sip_slice){rest->p, end});
	if (end == rest->n)
		*rest = (struct sip_slice){NULL, 0};
	else
		*rest = after(*rest, end + 1);
	return true;
}

static struct sip_slice take_token(struct sip_slice *rest)
{
	size_t n = sip_field_span(*rest, SIP_CHARS_TOKEN);
	struct sip_slice token = {rest->p, n};
	*rest = after(*rest, n);
	return token;
}

/* A parameter's value: a quoted string, or all up to a space or ';'. */
static struct sip_slice take_value(struct sip_slice *rest)
{
	size_t n = 0;
	if (rest->n && rest->p[0] == '"') {
		n = quoted(*rest);
	} else {
		while (n < rest->n && rest->p[n] != ';' && rest->p[n] != '"' &&
			!sip_field_space(rest->p[n]))
			n++;
	}
	struct sip_slice value = {rest->p, n};
	*rest = after(*rest, n);
	return value;
}

bool sip_field_param(struct sip_slice *rest, struct sip_param *param)
{
	struct sip_slice s = trim_left(*rest);
	*rest = s;
	*param = (struct sip_param){.whole = s};
	if (!s.n || s.p[0] != ';')
		return false;
	s = trim_left(after(s, 1));
	param->name = take_token(&s);
	if (!param->name.n)
		return false;
	param->whole.n = (size_t)(s.p - param->whole.p);
	struct sip_slice behind = trim_left(s);
	if (behind.n && behind.p[0] == '=') {
		s = trim_left(after(behind, 1));
		param->value = take_value(&s);
		if (!param->value.n)
			return false;
		param->whole.n = (size_t)(s.p - param->whole.p);
		behind = trim_left(s);
	}
	if (behind.n && behind.p[0] != ';')
		return false;
	*rest = behind;
	return true;
}

bool sip_field_find(
	struct sip_slice params, const char *name, struct sip_param *param)
{
	while (sip_field_param(&params, param)) {
		if (sip_field_is_nocase(param->name, name))
			return true;
	}
	return false;
}

/* Length of the display name in front of '<'; s.n: there is no '<'. */
static size_t display(struct sip_slice s)
{
	size_t i = s.n && s.p[0] == '"' ? quoted(s) : 0;
	while (i < s.n && s.p[i] != '<') {
		if (s.p[i] == ';' || s.p[i] == '"')
			return s.n;
		i++;
	}
	return i;
}

bool sip_field_address(struct sip_slice value, struct sip_address *address)
{
	*address = (struct sip_address){0};
	struct sip_slice s = sip_field_trim(value);
	size_t open = display(s);
	if (open < s.n) {
		const char *close = memchr(s.p + open, '>', s.n - open);
		if (!close)
			return false;
		address->bracketed = true;
		address->uri.p = s.p + open + 1;
		address->uri.n = (size_t)(close - address->uri.p);
		s = after(s, (size_t)(close - s.p) + 1);
	} else {
		const char *end = memchr(s.p, ';', s.n);
		size_t n = end ? (size_t)(end - s.p) : s.n;
		address->uri = sip_field_trim((struct sip_slice){s.p, n});
		s = after(s, n);
		if (!sip_field_all(address->uri, SIP_CHARS_BARE))
			return false;
	}
	address->params = s;
	struct sip_param param;
	while (sip_field_param(&s, &param))
		;
	return s.n == 0 && address->uri.n > 0;
}

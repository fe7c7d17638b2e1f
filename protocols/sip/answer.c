/* SPDX-License-Identifier: Apache-2.0 */
/* Writes answers: a request's own headers sent back, and ours. */
#include "protocols/sip/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	ANSWER_USUAL = 1024, /* what most answers have room in */
	ANSWER_LINE_MAX =
		1024, /* with CR LF: what a phone's header buffer takes */
	WARNING_MAX = 512,
	TAG_SIZE = 5 + 16 + 1, /* ;tag= and 64 bits */
};

/* RFC 3261 21, RFC 3515, RFC 5626, RFC 6665 */
static const struct {
	int status;
	const char *phrase;
} phrases[] = {
	{200, "OK"},
	{202, "Accepted"},
	{302, "Moved Temporarily"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{413, "Request Entity Too Large"},
	{415, "Unsupported Media Type"},
	{416, "Unsupported URI Scheme"},
	{420, "Bad Extension"},
	{421, "Extension Required"},
	{423, "Interval Too Brief"},
	{439, "First Hop Lacks Outbound Support"},
	{480, "Temporarily Unavailable"},
	{481, "Call/Transaction Does Not Exist"},
	{483, "Too Many Hops"},
	{486, "Busy Here"},
	{489, "Bad Event"},
	{500, "Server Internal Error"},
	{501, "Not Implemented"},
	{503, "Service Unavailable"},
	{505, "Version Not Supported"},
	{513, "Message Too Large"},
};

static const char *phrase_of(int status)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		if (phrases[i].status == status)
			return phrases[i].phrase;
	}
	return "Unknown";
}

/* Days since 1970-01-01 to a date of the proleptic Gregorian calendar. */
static void civil(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	int64_t z = days + 719468; /* since 0000-03-01 */
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned m = (5 * doy + 2) / 153;
	*day = doy - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = (int64_t)yoe + era * 400 + (*month <= 2);
}

/* The last two decimal digits. */
static void put_two(char *dst, unsigned value)
{
	dst[0] = (char)('0' + value / 10 % 10);
	dst[1] = (char)('0' + value % 10);
}

void sip_answer_date(const struct moment *now, char date[SIP_DATE_SIZE])
{
	static const char weekdays[] = "ThuFriSatSunMonTueWed";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t s = now->unix_ms / 1000 - (now->unix_ms % 1000 < 0);
	int64_t days = s / 86400 - (s % 86400 < 0);
	unsigned rest = (unsigned)(s - days * 86400);
	unsigned weekday = (unsigned)((days % 7 + 7) % 7);
	int64_t year;
	unsigned month, day;
	civil(days, &year, &month, &day);
	memcpy(date, "Thu, 01 Jan 1970 00:00:00 GMT", SIP_DATE_SIZE);
	memcpy(date, weekdays + (size_t)3 * weekday, 3);
	put_two(date + 5, day);
	memcpy(date + 8, months + (size_t)3 * (month - 1), 3);
	put_two(date + 12, (unsigned)year / 100);
	put_two(date + 14, (unsigned)year);
	put_two(date + 17, rest / 3600);
	put_two(date + 20, rest / 60 % 60);
	put_two(date + 23, rest % 60);
}

static void put(struct sip_answer *a, const char *text, size_t n)
{
	a->full |= bytes_queue_put(a->out, text, n) < 0;
}

void sip_answer_text(struct sip_answer *a, const char *text)
{
	put(a, text, strlen(text));
}

void sip_answer_number(struct sip_answer *a, const char *before, uint32_t value,
	const char *behind)
{
	char digits[10];
	size_t n = sizeof(digits);
	do {
		digits[--n] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	sip_answer_text(a, before);
	put(a, digits + n, sizeof(digits) - n);
	sip_answer_text(a, behind);
}

void sip_answer_line(struct sip_answer *a, const char *format, ...)
{
	char line[ANSWER_LINE_MAX - 1];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	size_t len = n < 0 ? 0 : strnlen(line, sizeof(line) - 1);
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)line[i] < ' ' || line[i] == 127)
			line[i] = '?';
	}
	put(a, line, len);
	put(a, "\r\n", 2);
}

bool sip_answer_echoes(enum sip_header header)
{
	return header == SIP_HEADER_VIA || header == SIP_HEADER_FROM ||
	       header == SIP_HEADER_TO || header == SIP_HEADER_CALL_ID ||
	       header == SIP_HEADER_CSEQ || header == SIP_HEADER_PATH;
}

/* Undoes folds. */
static void clean(char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (sip_field_space(text[i]))
			text[i] = ' ';
		if (text[i] == '\0')
			text[i] = '?';
	}
}

/* Sends a received value back under its full name, folds undone. */
static void echo(struct sip_answer *a, enum sip_header header,
	struct sip_slice value, const char *tail)
{
	char line[ANSWER_LINE_MAX];
	const char *name = sip_header_name(header);
	size_t n = strlen(name), t = strlen(tail);
	if (n + 2 + value.n + t + 2 > sizeof(line))
		return;
	memcpy(line, name, n);
	line[n++] = ':';
	line[n++] = ' ';
	memcpy(line + n, value.p, value.n);
	if (!sip_field_printable(value))
		clean(line + n, value.n);
	n += value.n;
	memcpy(line + n, tail, t);
	memcpy(line + n + t, "\r\n", 2);
	put(a, line, n + t + 2);
}

static void echo_first(
	struct sip_answer *a, const struct sip_head *head, enum sip_header h)
{
	const struct sip_line *line = sip_head_find(head, h);
	if (line)
		echo(a, h, line->value, "");
}

/* FNV-1a: a tag has to be the request's own, not to be a secret. */
static uint64_t mix(uint64_t hash, struct sip_slice s)
{
	for (size_t i = 0; i < s.n; i++)
		hash = (hash ^ (unsigned char)s.p[i]) * UINT64_C(1099511628211);
	return hash;
}

static uint64_t tag_of(const struct sip_head *head)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	hash = mix(hash, sip_head_value(head, SIP_HEADER_CALL_ID));
	hash = mix(hash, sip_head_value(head, SIP_HEADER_CSEQ));
	return mix(hash, sip_head_value(head, SIP_HEADER_VIA));
}

static void put_tag(char tail[TAG_SIZE], uint64_t tag)
{
	memcpy(tail, ";tag=0123456789abcdef", TAG_SIZE);
	for (size_t i = TAG_SIZE - 2; i > 4; i--, tag >>= 4)
		tail[i] = "0123456789abcdef"[tag & 15];
}

/* A To that nobody can read, or that has a tag, goes back as it came. */
static void echo_to(struct sip_answer *a, const struct sip_head *head)
{
	struct sip_address address;
	struct sip_param param;
	char tail[TAG_SIZE] = "";
	const struct sip_line *to = sip_head_find(head, SIP_HEADER_TO);
	if (!to)
		return;
	if (sip_field_address(to->value, &address) &&
		!sip_field_find(address.params, "tag", &param))
		put_tag(tail, tag_of(head));
	echo(a, SIP_HEADER_TO, to->value, tail);
}

void sip_answer_again(
	struct sip_answer *a, const struct sip_head *head, enum sip_header h)
{
	for (size_t i = 0; i < head->n; i++) {
		if (head->lines[i].header == h)
			echo(a, h, head->lines[i].value, "");
	}
}

/* The host that sent-by names: `SIP/2.0/TLS HOST:PORT;...`, an IPv6 address
 * without its brackets. */
static struct sip_slice sent_by(struct sip_slice via)
{
	size_t n = 0;
	while (via.n && sip_field_space(via.p[via.n - 1]))
		via.n--;
	while (n < via.n && !sip_field_space(via.p[n]))
		n++;
	struct sip_slice host =
		sip_field_trim((struct sip_slice){via.p + n, via.n - n});
	const char *close =
		host.n && host.p[0] == '[' ? memchr(host.p, ']', host.n) : NULL;
	if (close)
		return (struct sip_slice){
			host.p + 1, (size_t)(close - host.p) - 1};
	n = 0;
	while (n < host.n && host.p[n] != ':' && host.p[n] != ';' &&
		!sip_field_space(host.p[n]))
		n++;
	return (struct sip_slice){host.p, n};
}

/* Does the Via say already where it came from? */
static bool tells(struct sip_slice params, struct sip_slice host,
	const struct sip_source *source)
{
	struct sip_param received;
	return sip_field_is_nocase(host, source->address) ||
	       (params.n && sip_field_find(params, "received", &received) &&
		       sip_field_is_nocase(received.value, source->address));
}

/*
 * The topmost Via with what the source adds: `rport=PORT` where it asked,
 * `received=ADDRESS` where it asked or calls itself something else.
 */
static void echo_top(struct sip_answer *a, struct sip_slice value,
	const struct sip_source *source)
{
	char text[ANSWER_LINE_MAX], port[8] = "";
	struct sip_slice rest = value, via;
	struct sip_param rport;
	if (!source || !source->address || !sip_field_list(&rest, &via)) {
		echo(a, SIP_HEADER_VIA, value, "");
		return;
	}
	const char *semicolon = memchr(via.p, ';', via.n);
	struct sip_slice params = {semicolon, 0};
	if (semicolon)
		params.n = (size_t)(via.p + via.n - semicolon);
	bool asked = semicolon && sip_field_find(params, "rport", &rport) &&
		     !rport.value.p;
	if (!asked && tells(params, sent_by(via), source)) {
		echo(a, SIP_HEADER_VIA, value, "");
		return;
	}
	const char *cut = asked ? rport.name.p + rport.name.n : via.p + via.n;
	if (asked)
		snprintf(port, sizeof(port), "=%u", source->port);
	int n = snprintf(text, sizeof(text), "%.*s%s%.*s;received=%s%.*s",
		(int)(cut - value.p), value.p, port, (int)(via.p + via.n - cut),
		cut, source->address, (int)(value.p + value.n - via.p - via.n),
		via.p + via.n);
	/* What fits without it goes back without it. */
	bool fits = n > 0 && (size_t)n + sizeof("Via: \r\n") < sizeof(text);
	echo(a, SIP_HEADER_VIA,
		fits ? (struct sip_slice){text, (size_t)n} : value, "");
}

static void echo_vias(struct sip_answer *a, const struct sip_head *head)
{
	bool top = true;
	for (size_t i = 0; i < head->n; i++) {
		if (head->lines[i].header != SIP_HEADER_VIA)
			continue;
		if (top)
			echo_top(a, head->lines[i].value, head->source);
		else
			echo(a, SIP_HEADER_VIA, head->lines[i].value, "");
		top = false;
	}
}

void sip_answer_start(struct sip_answer *a, struct bytes_queue *out,
	const struct sip_head *head, int status, const char *phrase,
	const struct moment *now)
{
	char date[SIP_DATE_SIZE];
	*a = (struct sip_answer){.out = out};
	bytes_queue_reserve(out, ANSWER_USUAL);
	if (status == 200 && !phrase)
		sip_answer_text(a, "SIP/2.0 200 OK\r\n");
	else
		sip_answer_line(a, "SIP/2.0 %d %s", status,
			phrase ? phrase : phrase_of(status));
	echo_vias(a, head);
	echo_first(a, head, SIP_HEADER_FROM);
	echo_to(a, head);
	sip_answer_date(now, date);
	sip_answer_text(a, "Date: ");
	sip_answer_text(a, date);
	sip_answer_text(a, "\r\n");
	echo_first(a, head, SIP_HEADER_CALL_ID);
	echo_first(a, head, SIP_HEADER_CSEQ);
}

void sip_answer_warning(
	struct sip_answer *a, const char *node, const char *text)
{
	char clean[WARNING_MAX];
	size_t n = 0;
	for (; text[n] && n < sizeof(clean) - 1; n++)
		clean[n] = text[n] == '"' || text[n] == '\\' ? '\'' : text[n];
	clean[n] = '\0';
	sip_answer_line(a, "Warning: 399 %.64s \"%s\"", node, clean);
}

void sip_answer_body(struct sip_answer *a, const char *body, size_t n)
{
	sip_answer_number(a, "Content-Length: ", (uint32_t)n, "\r\n\r\n");
	put(a, body, n);
}

void sip_answer_end(struct sip_answer *a)
{
	sip_answer_body(a, "", 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Why a phone came back: reading alarms in both of their forms. */
#include "protocols/sccp/alarm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DEPTH_MAX = 16, NUMBER_MAX = 9 /* digits */ };

static const struct row {
	uint32_t number;
	const char *word;
	const char *text;
} rows[SCCP_REASONS] = {
#define X(symbol, number, word, text) {number, word, text},
	SCCP_ALARM_REASON_LIST(X)
#undef X
};

const char *sccp_alarm_reason_word(enum sccp_alarm_reason reason)
{
	return rows[reason].word;
}

const char *sccp_alarm_reason_text(enum sccp_alarm_reason reason)
{
	return rows[reason].text;
}

uint32_t sccp_alarm_reason_number(enum sccp_alarm_reason reason)
{
	return rows[reason].number;
}

enum sccp_alarm_reason sccp_alarm_reason_of_word(const char *word)
{
	for (int i = SCCP_REASON_UNKNOWN + 1; i < SCCP_REASONS; i++)
		if (*rows[i].word && strcasecmp(rows[i].word, word) == 0)
			return (enum sccp_alarm_reason)i;
	return SCCP_REASON_UNKNOWN;
}

static enum sccp_alarm_reason reason_of_number(uint32_t number)
{
	for (int i = SCCP_REASON_UNKNOWN + 1; i < SCCP_REASONS; i++)
		if (number && rows[i].number == number)
			return (enum sccp_alarm_reason)i;
	return SCCP_REASON_UNKNOWN;
}

/* A run of bytes inside the alarm. */
struct piece {
	const char *p;
	size_t n;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct piece trimmed(struct piece s)
{
	for (; s.n && is_blank(*s.p); s.n--)
		s.p++;
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

static bool is(struct piece s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

/* The character that a predefined entity at the head of s stands for, and how
 * long it is; else the byte itself. */
static char decoded(struct piece s, size_t *n)
{
	static const struct {
		const char *name;
		char c;
	} entities[] = {
		{"&amp;", '&'},
		{"&lt;", '<'},
		{"&gt;", '>'},
		{"&quot;", '"'},
		{"&apos;", '\''},
	};
	for (size_t i = 0; i < sizeof(entities) / sizeof(*entities); i++) {
		*n = strlen(entities[i].name);
		if (s.n >= *n && memcmp(s.p, entities[i].name, *n) == 0)
			return entities[i].c;
	}
	*n = 1;
	return *s.p;
}

/* Takes a value over, cut to fit, all but printable ASCII turned into '?'. */
static void keep(char *dst, size_t longest, struct piece s, bool xml)
{
	size_t used = 0;
	s = trimmed(s);
	while (s.n && used < longest) {
		size_t n = 1;
		char c = xml ? decoded(s, &n) : *s.p;
		dst[used++] = c >= ' ' && c <= '~' ? c : '?';
		s.p += n;
		s.n -= n;
	}
	dst[used] = '\0';
}

/* ---- Name=… Load=… Last=… ---- */

static const char *const keys[] = {"Name=", "Load=", "Last="};
enum { KEY_NAME, KEY_LOAD, KEY_LAST, KEYS };

/* Where a key begins a word, or NULL. */
static const char *find_key(const char *text, const char *key)
{
	const char *at = text;
	while ((at = strstr(at, key)) && at > text && !is_blank(at[-1]))
		at++;
	return at;
}

/* What stands behind a key, up to the next key or the end. */
static struct piece value_of(const char *text, const char *key)
{
	const char *at = find_key(text, key);
	if (!at)
		return (struct piece){"", 0};
	at += strlen(key);
	size_t n = strlen(at);
	for (size_t i = 0; i < KEYS; i++) {
		const char *next = find_key(at, keys[i]);
		if (next && (size_t)(next - at) < n)
			n = (size_t)(next - at);
	}
	return (struct piece){at, n};
}

static void read_words(struct sccp_alarm_report *r, const char *text)
{
	struct piece all = {text, strlen(text)};
	r->whole = true;
	keep(r->text, SCCP_ALARM_TEXT_MAX, all, false);
	keep(r->device, sizeof(r->device) - 1, value_of(text, keys[KEY_NAME]),
		false);
	keep(r->load, SCCP_ALARM_LOAD_MAX, value_of(text, keys[KEY_LOAD]),
		false);
	keep(r->last, SCCP_ALARM_LAST_MAX, value_of(text, keys[KEY_LAST]),
		false);
	r->reason = sccp_alarm_reason_of_word(r->last);
}

/* ---- <x-cisco-alarm> ---- */

static void take_number(struct sccp_alarm_report *r, struct piece value)
{
	char digits[NUMBER_MAX + 1];
	value = trimmed(value);
	keep(digits, NUMBER_MAX, value, true);
	if (value.n == 0 || value.n > NUMBER_MAX ||
		strspn(digits, "0123456789") != value.n)
		return;
	r->has_number = true;
	r->number = (uint32_t)strtoul(digits, NULL, 10);
	r->reason = reason_of_number(r->number);
}

/* One <String name="…">value</String>. */
static void take_parameter(
	struct sccp_alarm_report *r, struct piece name, struct piece value)
{
	if (is(name, "ReasonForOutOfService"))
		take_number(r, value);
#define X(field, longest, parameter) \
	else if (is(name, parameter)) keep(r->field, longest, value, true);
	SCCP_ALARM_LIST(X)
#undef X
}

struct scan {
	const char *p; /* ends with NUL */
	unsigned depth;
	bool any; /* an element was seen */
};

/* Moves behind the next `mark`; false: there is none. */
static bool skip_past(struct scan *s, const char *mark)
{
	const char *at = strstr(s->p, mark);
	if (at)
		s->p = at + strlen(mark);
	return at != NULL;
}

static struct piece take_name(struct scan *s)
{
	const char *from = s->p;
	s->p += strspn(s->p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
			     "uvwxyz0123456789_.:-");
	return (struct piece){from, (size_t)(s->p - from)};
}

static void skip_blanks(struct scan *s)
{
	while (is_blank(*s->p))
		s->p++;
}

/* name="value"; keeps the value of the attribute `name`. */
static bool take_attribute(struct scan *s, struct piece *kept)
{
	struct piece name = take_name(s);
	skip_blanks(s);
	if (name.n == 0 || *s->p++ != '=')
		return false;
	skip_blanks(s);
	const char quote[] = {*s->p, '\0'};
	if (*quote != '"' && *quote != '\'')
		return false;
	const char *from = ++s->p;
	if (!skip_past(s, quote))
		return false;
	if (is(name, "name"))
		*kept = (struct piece){from, (size_t)(s->p - from) - 1};
	return true;
}

/* Behind `<`: the rest of a start tag, and the text behind it. */
static bool take_start_tag(struct scan *s, struct sccp_alarm_report *r)
{
	struct piece name = {"", 0};
	if (take_name(s).n == 0)
		return false;
	for (skip_blanks(s); *s->p != '>' && *s->p != '/'; skip_blanks(s))
		if (!take_attribute(s, &name))
			return false;
	s->any = true;
	if (*s->p == '/') {
		s->p++;
		return *s->p++ == '>';
	}
	s->p++;
	if (s->depth == DEPTH_MAX)
		return false;
	s->depth++;
	struct piece value = {s->p, strcspn(s->p, "<")};
	if (name.n && s->p[value.n])
		take_parameter(r, name, value);
	return true;
}

/* Behind `<`. */
static bool take_tag(struct scan *s, struct sccp_alarm_report *r)
{
	if (*s->p == '?')
		return skip_past(s, "?>");
	if (strncmp(s->p, "!--", 3) == 0)
		return skip_past(s, "-->");
	if (*s->p != '/')
		return take_start_tag(s, r);
	s->p++;
	if (take_name(s).n == 0 || s->depth == 0)
		return false;
	skip_blanks(s);
	s->depth--;
	return *s->p++ == '>';
}

static void read_xml(struct sccp_alarm_report *r, const char *text)
{
	struct scan s = {.p = text};
	while (skip_past(&s, "<"))
		if (!take_tag(&s, r))
			return;
	r->whole = s.any && s.depth == 0;
}

void sccp_alarm_read(struct sccp_alarm_report *r, const char *text)
{
	*r = (struct sccp_alarm_report){.reason = SCCP_REASON_UNKNOWN};
	while (is_blank(*text))
		text++;
	if (*text == '<')
		read_xml(r, text);
	else
		read_words(r, text);
}

/* ---- in words ---- */

static int say_reason(const struct sccp_alarm_report *r, char *dst, size_t size)
{
	const char *word = sccp_alarm_reason_word(r->reason);
	const char *text = sccp_alarm_reason_text(r->reason);
	uint32_t number =
		r->has_number ? r->number : sccp_alarm_reason_number(r->reason);
	if (r->reason == SCCP_REASON_UNKNOWN && r->has_number)
		return snprintf(dst, size, "reason %u", r->number);
	if (r->reason == SCCP_REASON_UNKNOWN)
		return snprintf(dst, size, "%s", *r->last ? r->last : r->text);
	if (*word && number)
		return snprintf(dst, size, "%s(%u): %s", word, number, text);
	if (*word)
		return snprintf(dst, size, "%s: %s", word, text);
	return snprintf(dst, size, "%s (%u)", text, number);
}

void sccp_alarm_words(
	const struct sccp_alarm_report *r, char words[SCCP_ALARM_WORDS])
{
	int n = say_reason(r, words, SCCP_ALARM_WORDS);
	if (*r->switch_name && n < SCCP_ALARM_WORDS)
		snprintf(words + n, SCCP_ALARM_WORDS - (size_t)n,
			"%sswitch %s port %s", n ? "; " : "", r->switch_name,
			*r->switch_port ? r->switch_port : "?");
}

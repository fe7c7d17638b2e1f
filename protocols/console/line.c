/* SPDX-License-Identifier: Apache-2.0 */
/* A line of a phone's console log as an event. */
#include "protocols/console/line.h"

#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       is_digit(c) || c == '_';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static bool equal(struct console_text t, const char *text)
{
	return t.n == strlen(text) && memcmp(t.p, text, t.n) == 0;
}

static void skip(struct console_text *t, size_t n)
{
	t->p += n;
	t->n -= n;
}

static void skip_spaces(struct console_text *t)
{
	while (t->n && is_space(*t->p))
		skip(t, 1);
}

/* Takes what begins with `text`, if it does. */
static bool skip_text(struct console_text *t, const char *text)
{
	size_t n = strlen(text);
	if (t->n < n || memcmp(t->p, text, n) != 0)
		return false;
	skip(t, n);
	return true;
}

/* ---- wordings ---- */

/*
 * What the text of a line says. %x captures up to the character behind it, or
 * to the end where a line was cut or lost its last bracket. A pattern with *
 * may begin anywhere. The first that fits is taken; what follows is ignored:
 * "No LSC for [SCCP], will try MIC" and "tries MIC." are one.
 */
static const struct {
	enum console_event event;
	const char *pattern;
} wordings[] = {
	{CONSOLE_NO_LSC, "No LSC for [%u"},
	{CONSOLE_NO_LSC, "No hay LSC para [%u"},
	{CONSOLE_OFFER, "[%u], [%v], cert [%c], cipher [%s"},
	{CONSOLE_OFFER, "[%u], [%v], cert [%c], cifra [%s"},
	{CONSOLE_OFFER, "[%u], [%v], cert [%c"},
	{CONSOLE_ALERT, "SSL3 alert [%d]:[%l]:[%t"},
	{CONSOLE_ALERT, "Alerta SSL3 [%d]:[%l]:[%t"},
	{CONSOLE_ALERT, "SSL3 alert %d:%l:%t:%a"},
	{CONSOLE_CONNECTING, "Trying to connect to IPV4, IP: %a, Port : %p"},
	{CONSOLE_CONNECTING, "Trying to connect to IPV6, IP: %a, Port : %p"},
	{CONSOLE_CONNECTING, "TCP connect() waiting, %a c:%x s:%x port: %p"},
	{CONSOLE_CONNECTING, "TCP connected, %a "},
	{CONSOLE_CONNECTING, "start SSL/TLS handshake, %a "},
	{CONSOLE_FAILED, "SSL_connect:failed in %t:%a"},
	{CONSOLE_FAILED, "** SSL handshake failed, %a "},
	{CONSOLE_FAILED, "SSL/TLS handshake failed, %a "},
	{CONSOLE_FAILED, "SSL/TLS setup failed, %a "},
	{CONSOLE_FAILED, "SSL CLNT ERR, srvr%a"},
	{CONSOLE_HTTPS_STRANGE, "HTTPS cert not in CTL, %a"},
	{CONSOLE_TVS_STATUS, "Authentication Response received, status : %t"},
	{CONSOLE_TVS_VOUCHED, "Authenticated the HTTPS conn via TVS"},
	{CONSOLE_SCCP_UNKNOWN, "*No entry in hashtable for ID=%t"},
	{CONSOLE_SCCP_UNKNOWN, "*Invalid SCCP message! : ID :%t:"},
};

static struct console_text *slot_of(struct console_line *line, char c)
{
	switch (c) {
	case 'u':
		return &line->user;
	case 'v':
		return &line->version;
	case 'c':
		return &line->certificate;
	case 's':
		return &line->ciphers;
	case 'a':
		return &line->address;
	case 'p':
		return &line->port;
	case 't':
		return &line->text;
	case 'd':
		return &line->direction;
	case 'l':
		return &line->level;
	default:
		return NULL; /* not wanted */
	}
}

/* Takes what stands before `stop` (NUL: all that is left). */
static struct console_text until(struct console_text *in, char stop)
{
	struct console_text found = {in->p, 0};
	while (found.n < in->n && (!stop || in->p[found.n] != stop))
		found.n++;
	skip(in, found.n);
	return found;
}

static bool fits(
	struct console_text in, const char *pattern, struct console_line *line)
{
	for (; *pattern; pattern++) {
		if (*pattern != '%') {
			if (!in.n || *in.p != *pattern)
				return false;
			skip(&in, 1);
			continue;
		}
		struct console_text *slot = slot_of(line, *++pattern);
		char stop = pattern[1]		 ? pattern[1]
			    : pattern[-2] == '[' ? ']'
						 : '\0';
		struct console_text found = until(&in, stop);
		if (slot)
			*slot = found;
		if (!in.n && strchr(pattern, '%') == NULL)
			return found.n > 0; /* the end, or cut off there */
	}
	return true;
}

static bool fits_anywhere(
	struct console_text in, const char *pattern, struct console_line *line)
{
	for (; in.n; skip(&in, 1))
		if (fits(in, pattern, line))
			return true;
	return false;
}

static void read_text(struct console_text in, struct console_line *line)
{
	for (size_t i = 0; i < sizeof(wordings) / sizeof(wordings[0]); i++) {
		const char *pattern = wordings[i].pattern;
		struct console_line found = *line;
		if (*pattern == '*' ? fits_anywhere(in, pattern + 1, &found)
				    : fits(in, pattern, &found)) {
			*line = found;
			line->event = wordings[i].event;
			return;
		}
	}
}

/* The words of the Spanish edition. */
static void translate(struct console_text *t)
{
	static const char *const words[][2] = {
		{"lectura", "read"},
		{"escritura", "write"},
		{"CA desconocida", "unknown CA"},
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (equal(*t, words[i][0]))
			*t = (struct console_text){
				words[i][1], strlen(words[i][1])};
}

/* "<10.1.2.3>" and "10.1.2.3" alike. */
static void strip_angles(struct console_text *t)
{
	if (t->n && *t->p == '<')
		skip(t, 1);
	if (t->n && t->p[t->n - 1] == '>')
		t->n--;
}

/* ---- the line's head ---- */

static struct console_text take_word(struct console_text *in)
{
	struct console_text word = {in->p, 0};
	while (word.n < in->n &&
		(is_word(in->p[word.n]) || (word.n && in->p[word.n] == '-')))
		word.n++;
	skip(in, word.n);
	return word;
}

/* hh:mm:ss.uuuuuu */
static bool take_time(struct console_text *in, struct console_text *time)
{
	static const char shape[] = "00:00:00.000000";
	size_t n = sizeof(shape) - 1;
	if (in->n < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (shape[i] == '0' ? !is_digit(in->p[i])
				    : in->p[i] != shape[i])
			return false;
	*time = (struct console_text){in->p, n};
	skip(in, n);
	return true;
}

static bool take_head(struct console_text *in, struct console_line *line)
{
	static const char *const levels[] = {"NOT", "NO", "WRN", "ERR", "CRT"};
	while (line->number.n < in->n && is_digit(in->p[line->number.n]))
		line->number.n++;
	line->number.p = in->p;
	if (!line->number.n)
		return true; /* a quotation: it begins with the task */
	skip(in, line->number.n);
	skip_text(in, ":");
	skip_spaces(in);
	struct console_text level = take_word(in);
	bool known = false;
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		known = known || equal(level, levels[i]);
	skip_spaces(in);
	if (!known || !take_time(in, &line->time))
		return false;
	skip_spaces(in);
	return true;
}

/* "clpState: ", "PXY_NO_LSC: ": which part of the firmware speaks. */
static void skip_speaker(struct console_text *in)
{
	struct console_text rest = *in;
	if (take_word(&rest).n && skip_text(&rest, ":") && rest.n &&
		is_space(*rest.p)) {
		skip_spaces(&rest);
		*in = rest;
	}
}

static bool is_task(struct console_text task, bool quoted)
{
	return task.n &&
	       (!quoted || equal(task, "SECD") || equal(task, "JVM") ||
		       (task.n > 4 && memcmp(task.p, "CVM-", 4) == 0));
}

void console_line_read(const char *line, size_t n, struct console_line *out)
{
	struct console_text in = {line, n};
	*out = (struct console_line){.event = CONSOLE_NO_LINE};
	while (in.n && (is_space(in.p[in.n - 1]) || in.p[in.n - 1] == '\r'))
		in.n--;
	skip_spaces(&in);
	if (!take_head(&in, out))
		return;
	out->task = take_word(&in);
	if (!is_task(out->task, out->time.n == 0) || !skip_text(&in, ":"))
		return;
	out->event = CONSOLE_OTHER;
	skip_spaces(&in);
	skip_text(&in, "-");
	skip_text(&in, "EROR:");
	skip_speaker(&in);
	read_text(in, out);
	translate(&out->direction);
	translate(&out->text);
	strip_angles(&out->address);
}

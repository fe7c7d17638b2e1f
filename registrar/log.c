/* SPDX-License-Identifier: Apache-2.0 */
/* One event per line on stderr: `time level event key=value ...` or JSON. */
#include "registrar/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "registrar/log_writer.h"
#include "registrar/text.h"

enum {
	TAIL = 8,	/* room kept for brace and line end */
	VALUE_TAIL = 24 /* the same, for a character, "..." and quote before */
};

static const struct {
	enum log_level level;
	const char *name;
} events[] = {
#define X(symbol, level, name, text) {level, name},
	LOG_EVENT_LIST(X)
#undef X
};

static const char *const levels[] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_NOTICE] = "notice",
	[LOG_WARN] = "warning",
	[LOG_ERROR] = "error",
};

/* Set once, before the first thread. */
static enum log_format log_format = LOG_TEXT;
static enum log_level log_level = LOG_INFO;

const char *log_event_name(enum log_event event)
{
	return events[event].name;
}

void log_setup(enum log_format format, enum log_level level)
{
	log_format = format;
	log_level = level;
}

bool log_wanted(enum log_event event)
{
	return events[event].level >= log_level;
}

static void put(struct log_line *line, const char *text)
{
	size_t n = strlen(text);
	size_t room = sizeof(line->text) - TAIL - line->n;
	if (n > room)
		n = room;
	memcpy(line->text + line->n, text, n);
	line->n += n;
}

/* Quotes, backslashes and control characters cannot forge a field, and what
 * is not UTF-8 cannot spoil a line. */
static void put_escaped(struct log_line *line, const char *value)
{
	for (size_t n = 0; *value; value += n ? n : 1) {
		char piece[8] = "?";
		unsigned char c = (unsigned char)*value;
		if (line->n + VALUE_TAIL > sizeof(line->text)) {
			put(line, "...");
			return;
		}
		n = text_character(value);
		if (c == '"' || c == '\\')
			snprintf(piece, sizeof(piece), "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			snprintf(piece, sizeof(piece), "\\u%04x", c);
		else if (n)
			snprintf(piece, sizeof(piece), "%.*s", (int)n, value);
		put(line, piece);
	}
}

enum { SECOND_CHARS = sizeof("2026-11-26T01:02:03") };

/* The second's text is made once a second, not once a line. */
static const char *second_text(time_t second)
{
	static _Thread_local struct {
		time_t second;
		char text[SECOND_CHARS];
	} last;
	struct tm tm;
	if (last.second != second) {
		gmtime_r(&second, &tm);
		strftime(
			last.text, sizeof(last.text), "%Y-%m-%dT%H:%M:%S", &tm);
		last.second = second;
	}
	return last.text;
}

static char digit(long n)
{
	return (char)('0' + n % 10);
}

void log_begin(struct log_line *line, enum log_event event)
{
	struct timespec now;
	bool text = log_format == LOG_TEXT;
	line->event = event;
	line->n = 0;
	clock_gettime(CLOCK_REALTIME, &now);
	char ms[] = {'.', digit(now.tv_nsec / 100000000),
		digit(now.tv_nsec / 10000000), digit(now.tv_nsec / 1000000),
		'Z', '\0'};
	put(line, text ? "" : "{\"time\":\"");
	put(line, second_text(now.tv_sec));
	put(line, ms);
	put(line, text ? " " : "\",\"level\":\"");
	put(line, levels[events[event].level]);
	put(line, text ? " " : "\",\"event\":\"");
	put(line, events[event].name);
	put(line, text ? "" : "\"");
}

static bool plain(const char *value)
{
	for (; *value; value++)
		if (!(*value > ' ' && *value < 0x7f) || *value == '"' ||
			*value == '\\' || *value == '=')
			return false;
	return true;
}

/* A field that has no room any more is left out as a whole. */
static bool put_key(struct log_line *line, const char *key)
{
	if (line->n + strlen(key) + 2 * VALUE_TAIL > sizeof(line->text))
		return false;
	put(line, log_format == LOG_TEXT ? " " : ",\"");
	put(line, key);
	put(line, log_format == LOG_TEXT ? "=" : "\":");
	return true;
}

void log_str(struct log_line *line, const char *key, const char *value)
{
	if (!value || !*value || !put_key(line, key))
		return;
	if (log_format == LOG_TEXT && plain(value) &&
		line->n + strlen(value) + VALUE_TAIL <= sizeof(line->text)) {
		put(line, value);
		return;
	}
	put(line, "\"");
	put_escaped(line, value);
	put(line, "\"");
}

void log_fmt(struct log_line *line, const char *key, const char *format, ...)
{
	char value[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	log_str(line, key, value);
}

/* The decimal digits of n at the end of text[size]; answers the first. */
static char *digits(uint64_t n, char *text, size_t size)
{
	char *p = text + size - 1;
	*p = '\0';
	do
		*--p = digit((long)(n % 10));
	while (n /= 10);
	return p;
}

void log_num(struct log_line *line, const char *key, int64_t value)
{
	char text[24];
	uint64_t n = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	char *p = digits(n, text, sizeof(text));
	if (value < 0)
		*--p = '-';
	if (put_key(line, key))
		put(line, p);
}

void log_peer(struct log_line *line, const char *address, uint16_t port)
{
	char text[8];
	if (!put_key(line, "peer"))
		return;
	put(line, log_format == LOG_TEXT ? "" : "\"");
	put(line, address);
	put(line, ":");
	put(line, digits(port, text, sizeof(text)));
	put(line, log_format == LOG_TEXT ? "" : "\"");
}

void log_end(struct log_line *line)
{
	if (!log_wanted(line->event))
		return;
	if (log_format == LOG_JSON)
		line->text[line->n++] = '}';
	line->text[line->n++] = '\n';
	log_writer_put(line->text, line->n);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Plays conversation files against any engine, in every way of cutting. */
#include "tests/conversations/runner.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	EVENT_TEXT_MAX = 4096,
	TICKS_MAX = 1000, /* in one `@`: more is a deadline that never moves */
	SHOWN_MAX = 96,	  /* bytes of what came, in a failure's words */
	SHOWN_SIZE = SHOWN_MAX * 4 + 16,
	HALF_A_BYTE = 4,
};

#define START_UNIX_MS INT64_C(1795406400000) /* 2026-11-23T04:00:00Z */
#define START_MONO_MS UINT64_C(1000000)

enum kind {
	KIND_SET,
	KIND_SAY,
	KIND_HEAR,
	KIND_EVENT,
	KIND_VERB,
	KIND_WAIT,
	KIND_SILENCE,
};

/* One line of a file, understood. */
struct step {
	enum kind kind;
	unsigned line;
	bool wild;     /* HEAR: a text line in which * may stand */
	char *text;    /* what follows the mark */
	uint8_t *data; /* SAY, HEAR: the bytes */
	uint8_t *any;  /* HEAR: 1 where any byte will do */
	size_t n;
	uint64_t ms; /* WAIT */
};

struct script {
	const char *name;
	struct step *steps;
	size_t n;
	size_t said; /* bytes the peer says in all */
};

struct event {
	struct event *next;
	char text[];
};

/* One performance of a script. */
struct play {
	const struct conversation_engine *engine;
	const struct script *script;
	void *self;
	struct moment now;
	size_t cut;    /* the peer's bytes are cut here; 0: nowhere */
	bool single;   /* byte by byte instead */
	uint8_t *said; /* waiting to be fed */
	size_t said_n;
	size_t fed;	/* of all that the peer says */
	bool asked;	/* the last piece made an event, maybe a question */
	uint8_t *heard; /* what the engine sent and no line has met yet */
	size_t heard_n;
	struct event *events, **events_tail;
	unsigned line;
	char *why;
	size_t why_n;
};

static void *grown(void *old, size_t n)
{
	void *p = realloc(old, n ? n : 1);
	if (!p)
		abort();
	return p;
}

static char *copied(const char *text)
{
	size_t n = strlen(text) + 1;
	return memcpy(grown(NULL, n), text, n);
}

static void append(uint8_t **to, size_t *to_n, const void *data, size_t n)
{
	if (n == 0)
		return;
	*to = grown(*to, *to_n + n);
	memcpy(*to + *to_n, data, n);
	*to_n += n;
}

static void drop(uint8_t *from, size_t *from_n, size_t n)
{
	if (n == 0)
		return;
	memmove(from, from + n, *from_n - n);
	*from_n -= n;
}

/* ---- reading the file ---- */

static void add_byte(struct step *s, unsigned value, bool any, size_t times)
{
	s->data = grown(s->data, s->n + times);
	s->any = grown(s->any, s->n + times);
	memset(s->data + s->n, (int)value, times);
	memset(s->any + s->n, any, times);
	s->n += times;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* `*n` behind a byte: how often it stands there. */
static size_t times_of(const char **p)
{
	if (**p != '*')
		return 1;
	char *end;
	unsigned long n = strtoul(*p + 1, &end, 10);
	*p = end;
	return n;
}

/* `04 00 ..*3 00*12 "SEP"`: false at the first thing that is none of these. */
static bool read_bytes(struct step *s, const char *p)
{
	while (*p) {
		if (isspace((unsigned char)*p)) {
			p++;
			continue;
		}
		if (*p == '"') {
			const char *end = strchr(p + 1, '"');
			if (!end)
				return false;
			for (p++; p < end; p++)
				add_byte(s, (uint8_t)*p, false, 1);
			p = end + 1;
			continue;
		}
		bool any = p[0] == '.' && p[1] == '.';
		int high = hex_digit(p[0]);
		int low = high < 0 ? -1 : hex_digit(p[1]);
		if (!any && low < 0)
			return false;
		p += 2;
		size_t times = times_of(&p);
		add_byte(s, any ? 0 : (unsigned)(high << HALF_A_BYTE | low),
			any, times);
	}
	return true;
}

static void read_text(struct step *s, const char *text)
{
	s->wild = strchr(text, '*') != NULL;
	for (const char *p = text; *p; p++)
		add_byte(s, (uint8_t)*p, false, 1);
	add_byte(s, '\r', false, 1);
	add_byte(s, '\n', false, 1);
}

/* What stands behind the mark, or NULL when nothing separates them. */
static const char *behind(const char *line, size_t mark)
{
	if (!line[mark])
		return line + mark;
	return line[mark] == ' ' ? line + mark + 1 : NULL;
}

static bool read_talk(struct step *s, const char *line)
{
	bool hex = line[1] == 'x';
	const char *rest = behind(line, hex ? 2 : 1);
	s->kind = line[0] == '>' ? KIND_SAY : KIND_HEAR;
	if (!rest)
		return false;
	s->text = copied(rest);
	if (!hex) {
		read_text(s, rest);
		return true;
	}
	if (!read_bytes(s, rest) || s->n == 0)
		return false;
	return s->kind == KIND_HEAR || !memchr(s->any, 1, s->n);
}

static bool read_step(struct step *s, const char *line)
{
	if (line[0] == '>' || line[0] == '<')
		return read_talk(s, line);
	static const struct {
		char mark;
		enum kind kind;
	} marks[] = {
		{'=', KIND_SET},
		{'!', KIND_EVENT},
		{'.', KIND_VERB},
		{'@', KIND_WAIT},
		{'-', KIND_SILENCE},
	};
	const char *rest = behind(line, 1);
	for (size_t i = 0; rest && i < sizeof(marks) / sizeof(*marks); i++) {
		if (marks[i].mark != line[0])
			continue;
		char *end = NULL;
		s->kind = marks[i].kind;
		s->text = copied(rest);
		s->ms = strtoull(rest, &end, 10);
		if (s->kind == KIND_WAIT)
			return end != rest && !*end;
		return s->kind != KIND_SILENCE || !*rest;
	}
	return false;
}

static void script_deinit(struct script *script)
{
	for (size_t i = 0; i < script->n; i++) {
		free(script->steps[i].text);
		free(script->steps[i].data);
		free(script->steps[i].any);
	}
	free(script->steps);
}

/* 0, or the number of the first line that makes no sense. */
static unsigned script_read(struct script *script, const char *text)
{
	char *copy = copied(text);
	char *rest = copy;
	unsigned number = 0, bad = 0;
	bool begun = false;
	for (char *line; !bad && (line = strsep(&rest, "\n"));) {
		number++;
		if (!*line || line[0] == '#')
			continue;
		struct step s = {.line = number};
		bool ok = read_step(&s, line);
		bool late = s.kind == KIND_SET && begun;
		begun = begun || s.kind != KIND_SET;
		script->steps =
			grown(script->steps, (script->n + 1) * sizeof(s));
		script->steps[script->n++] = s;
		if (s.kind == KIND_SAY)
			script->said += s.n;
		if (!ok || late)
			bad = number;
	}
	free(copy);
	return bad;
}

/* ---- performing it ---- */

/* Says why the play failed; always false, for `return failed(…)`. */
static bool __attribute__((format(printf, 2, 3)))
failed(struct play *p, const char *format, ...)
{
	char cut[48] = "whole";
	if (p->single)
		snprintf(cut, sizeof(cut), "byte by byte");
	if (p->cut)
		snprintf(cut, sizeof(cut), "cut after %zu bytes", p->cut);
	int n = snprintf(p->why, p->why_n, "%s:%u: %s, %s: ", p->script->name,
		p->line, p->engine->name, cut);
	if (n < 0 || (size_t)n >= p->why_n)
		return false;
	va_list args;
	va_start(args, format);
	vsnprintf(p->why + n, p->why_n - (size_t)n, format, args);
	va_end(args);
	return false;
}

/* Bytes for people: text when it is text, else hex. */
static const char *shown(const uint8_t *data, size_t n, char dst[SHOWN_SIZE])
{
	size_t show = n < SHOWN_MAX ? n : SHOWN_MAX;
	size_t used = 0;
	bool text = true;
	for (size_t i = 0; i < show; i++)
		text &= isprint(data[i]) || isspace(data[i]);
	for (size_t i = 0; i < show; i++) {
		char *p = dst + used;
		if (!text)
			used += (size_t)sprintf(p, "%02x ", data[i]);
		else if (!isprint(data[i]))
			used += (size_t)sprintf(p, "\\x%02x", data[i]);
		else
			used += (size_t)sprintf(p, "%c", data[i]);
	}
	snprintf(dst + used, SHOWN_SIZE - used, "%s",
		n > show ? "..."
		: n	 ? ""
			 : "nothing");
	return dst;
}

/* Takes all events, then all bytes to send. True if there was an event. */
static bool drain(struct play *p)
{
	char text[EVENT_TEXT_MAX];
	bool any = false;
	while (p->engine->next(p->self, text, sizeof(text))) {
		size_t n = strlen(text) + 1;
		struct event *e = grown(NULL, sizeof(*e) + n);
		memcpy(e->text, text, n);
		e->next = NULL;
		*p->events_tail = e;
		p->events_tail = &e->next;
		any = true;
	}
	for (;;) {
		size_t n;
		const uint8_t *data = p->engine->out(p->self, &n);
		if (n == 0)
			return any;
		append(&p->heard, &p->heard_n, data, n);
		p->engine->sent(p->self, n);
	}
}

/* Feeds one piece of what was said; true while more may follow at once. */
static bool feed_piece(struct play *p)
{
	if (p->said_n == 0)
		return false;
	size_t n = p->said_n;
	if (p->single)
		n = 1;
	else if (p->cut > p->fed && p->cut - p->fed < n)
		n = p->cut - p->fed;
	/* A copy of the exact size shows a reader past the end to ASan. */
	uint8_t *piece = grown(NULL, n);
	memcpy(piece, p->said, n);
	p->engine->feed(p->self, piece, n, &p->now);
	free(piece);
	drop(p->said, &p->said_n, n);
	p->fed += n;
	p->asked = drain(p);
	return !p->asked;
}

static void feed_all(struct play *p)
{
	while (p->said_n)
		feed_piece(p);
}

/* Feeds until an event shows up: that one may want an answer first. */
static void feed_some(struct play *p)
{
	while (!p->events && feed_piece(p))
		;
}

/* Does text match a pattern in which * is any run of characters? */
static bool matches(const char *pattern, const char *text, size_t n)
{
	const char *star = NULL, *mark = NULL, *end = text + n;
	while (text < end) {
		if (*pattern == '*') {
			star = pattern++;
			mark = text;
		} else if (*pattern && *pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++mark;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

static bool heard_line(const struct play *p, const struct step *s, size_t *n)
{
	const char *text = (const char *)p->heard;
	const char *end =
		p->heard_n ? memmem(text, p->heard_n, "\r\n", 2) : NULL;
	*n = end ? (size_t)(end - text) + 2 : 0;
	return end && matches(s->text, text, (size_t)(end - text));
}

static bool heard_bytes(const struct play *p, const struct step *s, size_t *n)
{
	*n = s->n;
	if (p->heard_n < s->n)
		return false;
	for (size_t i = 0; i < s->n; i++)
		if (!s->any[i] && s->data[i] != p->heard[i])
			return false;
	return true;
}

static bool play_hear(struct play *p, const struct step *s)
{
	char came[SHOWN_SIZE], wanted[SHOWN_SIZE];
	size_t n;
	do {
		if (s->wild ? heard_line(p, s, &n) : heard_bytes(p, s, &n)) {
			drop(p->heard, &p->heard_n, n);
			return true;
		}
	} while (p->said_n && (feed_piece(p), true));
	return failed(p, "expected < %s\n  came %s",
		s->wild ? s->text : shown(s->data, s->n, wanted),
		shown(p->heard, p->heard_n, came));
}

static bool play_event(struct play *p, const struct step *s)
{
	feed_some(p);
	struct event *e = p->events;
	if (!e)
		return failed(p, "expected ! %s\n  came no event", s->text);
	if (!matches(s->text, e->text, strlen(e->text)))
		return failed(
			p, "expected ! %s\n  came ! %s", s->text, e->text);
	p->events = e->next;
	if (!p->events)
		p->events_tail = &p->events;
	free(e);
	return true;
}

static bool play_silence(struct play *p)
{
	char came[SHOWN_SIZE];
	feed_all(p);
	if (p->events)
		return failed(p, "expected nothing more\n  came ! %s",
			p->events->text);
	if (p->heard_n)
		return failed(p, "expected nothing more\n  came < %s",
			shown(p->heard, p->heard_n, came));
	return true;
}

static void pass(struct play *p, uint64_t until)
{
	p->now.unix_ms += (int64_t)(until - p->now.mono_ms);
	p->now.mono_ms = until;
}

static bool play_wait(struct play *p, const struct step *s)
{
	uint64_t until = p->now.mono_ms + s->ms;
	feed_all(p);
	for (unsigned ticks = 0;; ticks++) {
		uint64_t due = p->engine->deadline(p->self);
		if (due > until)
			break;
		if (ticks == TICKS_MAX)
			return failed(p, "a deadline that tick() never moves");
		if (due > p->now.mono_ms)
			pass(p, due);
		p->engine->tick(p->self, &p->now);
		drain(p);
	}
	pass(p, until);
	return true;
}

/*
 * A new block of talk begins only when the last one is fed; in one block the
 * lines are one piece, so that `whole` really is one feed().
 */
static bool play_say(struct play *p, const struct step *s, bool follows)
{
	if (!follows)
		feed_all(p);
	append(&p->said, &p->said_n, s->data, s->n);
	return true;
}

static bool play_verb(struct play *p, const struct step *s)
{
	if (!p->asked)
		feed_some(p);
	p->asked = false;
	if (!p->engine->verb(p->self, s->text, &p->now))
		return failed(p, "the engine knows no verb for: . %s", s->text);
	drain(p);
	return true;
}

static bool play_set(struct play *p, const struct step *s)
{
	char *key = copied(s->text);
	char *value = strchr(key, ' ');
	if (value)
		*value++ = '\0';
	bool ok = p->engine->set &&
		  p->engine->set(p->self, key, value ? value : "");
	free(key);
	return ok || failed(p, "the engine has no such setting: %s", s->text);
}

static bool play_step(struct play *p, const struct step *s, bool follows)
{
	p->line = s->line;
	switch (s->kind) {
	case KIND_SET:
		return true; /* before init, by play_settings */
	case KIND_SAY:
		return play_say(p, s, follows);
	case KIND_HEAR:
		return play_hear(p, s);
	case KIND_EVENT:
		return play_event(p, s);
	case KIND_VERB:
		return play_verb(p, s);
	case KIND_WAIT:
		return play_wait(p, s);
	case KIND_SILENCE:
		return play_silence(p);
	}
	return false;
}

static bool play_settings(struct play *p)
{
	for (size_t i = 0; i < p->script->n; i++) {
		const struct step *s = &p->script->steps[i];
		p->line = s->line;
		if (s->kind == KIND_SET && !play_set(p, s))
			return false;
	}
	return true;
}

static bool play_steps(struct play *p)
{
	bool follows = false;
	drain(p);
	for (size_t i = 0; i < p->script->n; i++) {
		const struct step *s = &p->script->steps[i];
		if (!play_step(p, s, follows))
			return false;
		follows = s->kind == KIND_SAY;
	}
	return play_silence(p);
}

static bool perform(const struct conversation_engine *engine,
	const struct script *script, size_t cut, bool single, char *why,
	size_t n)
{
	struct play p = {
		.engine = engine,
		.script = script,
		.now = {.mono_ms = START_MONO_MS, .unix_ms = START_UNIX_MS},
		.cut = cut,
		.single = single,
		.why = why,
		.why_n = n,
	};
	p.events_tail = &p.events;
	p.self = calloc(1, engine->size);
	bool ok = p.self && play_settings(&p);
	if (ok) {
		engine->init(p.self, &p.now);
		ok = play_steps(&p);
		engine->deinit(p.self);
	}
	while (p.events) {
		struct event *e = p.events;
		p.events = e->next;
		free(e);
	}
	free(p.said);
	free(p.heard);
	free(p.self);
	return ok;
}

bool conversation_play(const struct conversation_engine *engine,
	const char *name, const char *text, char *why, size_t n)
{
	struct script script = {.name = name};
	unsigned bad = script_read(&script, text);
	bool ok = !bad;
	if (bad)
		snprintf(why, n, "%s:%u: not a line of a conversation", name,
			bad);
	ok = ok && perform(engine, &script, 0, false, why, n);
	for (size_t cut = 1; ok && cut < script.said; cut++)
		ok = perform(engine, &script, cut, false, why, n);
	ok = ok && perform(engine, &script, 0, true, why, n);
	script_deinit(&script);
	return ok;
}

static char *file_text(const char *path)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = fopen(path, "rb");
	if (!f)
		return NULL;
	if (getdelim(&text, &n, '\0', f) < 0) {
		free(text);
		text = NULL;
	}
	fclose(f);
	return text;
}

void conversation_run(
	const struct conversation_engine *engine, const char *path)
{
	char why[2048];
	char *text = file_text(path);
	if (!text) {
		fail_msg("%s: cannot be read, or is empty", path);
		return;
	}
	bool ok = conversation_play(engine, path, text, why, sizeof(why));
	free(text);
	if (!ok)
		fail_msg("%s", why);
}

static int is_conversation(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);
	return n > 5 && strcmp(entry->d_name + n - 5, ".conv") == 0;
}

void conversation_run_folder(
	const struct conversation_engine *engine, const char *folder)
{
	const char *source = getenv("DIALTONE_SOURCE");
	char path[PATH_MAX];
	struct dirent **entries = NULL;
	snprintf(path, sizeof(path), "%s/%s", source ? source : ".", folder);
	int n = scandir(path, &entries, is_conversation, alphasort);
	if (n <= 0)
		fail_msg("%s: holds no conversation", path);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s/%s", source ? source : ".",
			folder, entries[i]->d_name);
		free(entries[i]);
		conversation_run(engine, path);
	}
	free(entries);
}

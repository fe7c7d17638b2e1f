/* SPDX-License-Identifier: Apache-2.0 */
/* Finds SIP messages in a stream and indexes their header lines. */
#include "protocols/sip/frame.h"

#include <string.h>

enum { COMMAS_MAX = 256 }; /* in one head: libosip2's lists are quadratic */

static const struct {
	const char *name;
	char compact;
} headers[] = {[SIP_HEADER_OTHER] = {"", 0},
#define X(symbol, name, last, compact) [SIP_HEADER_##symbol] = {name, compact},
	SIP_HEADER_LIST(X)
#undef X
};

const char *sip_header_name(enum sip_header header)
{
	return headers[header].name;
}

static enum sip_header compact_of(char c)
{
	int h = SIP_HEADERS - 1;
	while (h > SIP_HEADER_OTHER && headers[h].compact != c)
		h--;
	return (enum sip_header)h;
}

#define KEY(n, last) ((unsigned)(n) << 8 | (unsigned char)(last))

/* A name of at least two characters. Names that share a key would be two
 * cases of one value, which no compiler takes. */
static enum sip_header full_of(struct sip_slice name)
{
	enum sip_header header = SIP_HEADER_OTHER;
	switch (KEY(name.n, sip_field_lower(name.p[name.n - 1]))) {
#define X(symbol, text, last, compact)        \
	case KEY(sizeof(text) - 1, last):     \
		header = SIP_HEADER_##symbol; \
		break;
		SIP_HEADER_LIST(X)
#undef X
	}
	const char *text = headers[header].name;
	if (memcmp(name.p, text, header ? name.n : 0) == 0 ||
		sip_field_starts(name, text))
		return header;
	return SIP_HEADER_OTHER;
}

static enum sip_header header_of(struct sip_slice name)
{
	if (name.n == 1)
		return compact_of(sip_field_lower(name.p[0]));
	return full_of(name);
}

/* Cuts the next header off, with its folds and without its last CR LF. */
static bool next_text(struct sip_slice *rest, struct sip_slice *text)
{
	size_t end = 0;
	do {
		const char *p = rest->n > end ? memchr(rest->p + end, '\n',
							rest->n - end)
					      : NULL;
		if (!p)
			return false;
		end = (size_t)(p - rest->p) + 1;
	} while (
		end < rest->n && (rest->p[end] == ' ' || rest->p[end] == '\t'));
	*text = (struct sip_slice){rest->p, end - 1};
	if (text->n && text->p[text->n - 1] == '\r')
		text->n--;
	rest->p += end;
	rest->n -= end;
	return text->n > 0; /* the empty line ends the head */
}

/* The name in front of a colon; n 0: there is none. */
static struct sip_slice name_of(struct sip_slice text)
{
	size_t n = sip_field_span(text, SIP_CHARS_TOKEN);
	struct sip_slice rest = {text.p + n, text.n - n};
	size_t space = sip_field_span(rest, SIP_CHARS_SPACE);
	bool colon = space < rest.n && rest.p[space] == ':';
	return (struct sip_slice){text.p, colon ? n : 0};
}

static void read_line(struct sip_line *line, struct sip_slice text)
{
	struct sip_slice name = name_of(text);
	line->header = SIP_HEADER_OTHER;
	line->name = name;
	line->value = text;
	if (!name.n)
		return;
	size_t n = name.n;
	while (text.p[n] != ':')
		n++;
	struct sip_slice value = {text.p + n + 1, text.n - n - 1};
	line->header = header_of(name);
	line->value = sip_field_trim(value);
}

void sip_head_clear(struct sip_head *h)
{
	h->first = (struct sip_slice){NULL, 0};
	h->source = NULL;
	h->n = 0;
	memset(h->count, 0, sizeof(h->count));
}

void sip_head_add(struct sip_head *h, const struct sip_line *line)
{
	if (!h->count[line->header]++)
		h->place[line->header] = (uint8_t)h->n;
	h->lines[h->n++] = *line;
}

void sip_head_index(struct sip_head *h, const char *data, size_t n)
{
	struct sip_slice rest = {data, n};
	struct sip_slice text;
	struct sip_line line;
	sip_head_clear(h);
	if (!next_text(&rest, &h->first)) {
		h->first = (struct sip_slice){data, 0};
		return;
	}
	while (h->n < SIP_LINES_MAX && next_text(&rest, &text)) {
		read_line(&line, text);
		sip_head_add(h, &line);
	}
}

const struct sip_line *sip_head_find(
	const struct sip_head *h, enum sip_header header)
{
	return h->count[header] ? &h->lines[h->place[header]] : NULL;
}

size_t sip_head_count(const struct sip_head *h, enum sip_header header)
{
	return h->count[header];
}

struct sip_slice sip_head_value(
	const struct sip_head *h, enum sip_header header)
{
	const struct sip_line *line = sip_head_find(h, header);
	return line ? line->value : (struct sip_slice){NULL, 0};
}

/*
 * How much of the CR and LF in front of a message can go. What may still
 * become CR LF CR LF stays until it is known.
 */
static enum sip_frame_step leading(const char *data, size_t n, size_t *skip)
{
	size_t i = 0;
	while (i < n && (data[i] == '\r' || data[i] == '\n')) {
		size_t m = n - i < 4 ? n - i : 4;
		if (memcmp(data + i, "\r\n\r\n", m) == 0) {
			*skip = m == 4 ? i + 4 : i;
			return m == 4 ? SIP_FRAME_PING : SIP_FRAME_MORE;
		}
		i++;
	}
	*skip = i;
	return i < n ? SIP_FRAME_MESSAGE : SIP_FRAME_MORE;
}

static void refuse(struct sip_frame *f, enum sip_rule rule)
{
	if (f->rule == SIP_RULE_OK)
		f->rule = rule;
}

static enum sip_frame_step lose(struct sip_frame *f, enum sip_rule rule)
{
	f->rule = rule;
	return SIP_FRAME_LOST;
}

/* SIP/... at the start (an answer) or at the end (a request) of the line. */
static bool looks_like_sip(struct sip_slice line)
{
	line = sip_field_trim(line);
	const char *space = line.n ? memrchr(line.p, ' ', line.n) : NULL;
	struct sip_slice last = {space, 0};
	if (space)
		last.n = (size_t)(line.p + line.n - space);
	return sip_field_starts(line, "SIP/") ||
	       sip_field_starts(last, " SIP/");
}

/*
 * The next byte that the framer has to look at: at the start of a line, in
 * the first word, behind a CR, and where a byte is not inert.
 */
static uint32_t next_byte(const struct sip_frame *f, const char *data, size_t n)
{
	uint32_t i = f->scanned;
	if (i == f->line || !f->spaced || data[i - 1] == '\r')
		return i;
	while (i < n && sip_chars_in(data[i], SIP_CHARS_INERT))
		i++;
	return i;
}

static uint32_t count(const char *p, size_t n, char c)
{
	uint32_t found = 0;
	const char *end = p + n;
	while ((p = memchr(p, c, (size_t)(end - p)))) {
		found++;
		p++;
	}
	return found;
}

/*
 * Takes a whole line at once in which nothing is wrong; false: it has to be
 * looked at byte by byte. Never the first line, nor the empty one.
 */
static bool take_line(struct sip_frame *f, const struct sip_limits *limits,
	const char *data, size_t n)
{
	const char *p = data + f->line;
	if (f->scanned != f->line || !f->lines || f->line >= n)
		return false;
	const char *lf = memchr(p, '\n', n - f->line);
	size_t len = lf ? (size_t)(lf - p) : 0;
	if (len < 2 || memchr(p, '\r', len) != lf - 1 || memchr(p, '\0', len))
		return false;
	bool fold = p[0] == ' ' || p[0] == '\t';
	uint32_t params = (fold ? f->params : 0) + count(p, len, ';');
	uint32_t commas = f->commas + count(p, len, ',');
	if (params > limits->params_max || commas > COMMAS_MAX ||
		f->lines > limits->lines_max)
		return false;
	f->params = params;
	f->commas = commas;
	f->lines++;
	f->scanned += (uint32_t)len + 1;
	f->line = f->scanned;
	return true;
}

/* The end of a line at `end`, its LF. MORE: the head goes on. */
static enum sip_frame_step end_line(struct sip_frame *f,
	const struct sip_limits *limits, const char *data, uint32_t end)
{
	struct sip_slice line = {data + f->line, end - f->line};
	f->line = f->scanned;
	if (line.n == 1) {
		f->head = f->scanned;
		return SIP_FRAME_MESSAGE;
	}
	if (!f->lines && !looks_like_sip(line))
		return lose(f, SIP_RULE_NOT_SIP);
	if (f->lines++ > limits->lines_max)
		refuse(f, SIP_RULE_TOO_MANY_LINES);
	return SIP_FRAME_MORE;
}

/* Goes over the head: MORE, LOST, or MESSAGE at its end. */
static enum sip_frame_step scan_head(struct sip_frame *f,
	const struct sip_limits *limits, const char *data, size_t n)
{
	size_t end = n < limits->head_max ? n : limits->head_max;
	enum sip_frame_step step = SIP_FRAME_MORE;
	while (step == SIP_FRAME_MORE) {
		while (take_line(f, limits, data, end))
			;
		f->scanned = next_byte(f, data, end);
		if (f->scanned >= n)
			return SIP_FRAME_MORE;
		uint32_t i = f->scanned;
		char c = data[i];
		if (i >= limits->head_max)
			return lose(f, SIP_RULE_HEAD_TOO_LONG);
		if ((i > f->line && data[i - 1] == '\r') != (c == '\n'))
			return lose(f, SIP_RULE_LINE_END);
		if (i == f->line && c != ' ' && c != '\t')
			f->params = 0;
		f->scanned++;
		f->spaced |= c == ' ';
		if (!f->spaced && !f->lines && c != '/' &&
			!sip_chars_in(c, SIP_CHARS_TOKEN))
			return lose(f, SIP_RULE_NOT_SIP);
		if (c == '\0')
			refuse(f, SIP_RULE_NUL);
		if (c == ';' && ++f->params > limits->params_max)
			refuse(f, SIP_RULE_TOO_MANY_PARAMS);
		if (c == ',' && ++f->commas > COMMAS_MAX)
			refuse(f, SIP_RULE_TOO_MANY_COMMAS);
		if (c == '\n')
			step = end_line(f, limits, data, i);
	}
	return step;
}

/* Content-Length exactly once, digits only, within the limits. */
static enum sip_rule read_length(
	struct sip_frame *f, const struct sip_limits *limits, const char *data)
{
	struct sip_slice rest = {data, f->head};
	struct sip_slice text, value = {NULL, 0};
	while (next_text(&rest, &text)) {
		char c = sip_field_lower(text.p[0]);
		if (c != 'c' && c != 'l')
			continue; /* nor the start of Content-Length */
		struct sip_line line;
		read_line(&line, text);
		if (line.header != SIP_HEADER_CONTENT_LENGTH)
			continue;
		if (value.p)
			return SIP_RULE_LENGTH_TWICE;
		value = line.value;
	}
	if (!value.p)
		return SIP_RULE_LENGTH_MISSING;
	if (!sip_field_number(value, &f->body))
		return SIP_RULE_LENGTH_DIGITS;
	if (f->head > limits->message_max ||
		f->body > limits->message_max - f->head)
		return SIP_RULE_MESSAGE_TOO_LONG;
	return SIP_RULE_OK;
}

enum sip_frame_step sip_frame_next(struct sip_frame *f,
	const struct sip_limits *limits, const char *data, size_t n,
	size_t *skip)
{
	*skip = 0;
	if (!f->scanned) {
		enum sip_frame_step step = leading(data, n, skip);
		if (step != SIP_FRAME_MESSAGE)
			return step;
		data += *skip;
		n -= *skip;
	}
	if (!f->head) {
		enum sip_frame_step step = scan_head(f, limits, data, n);
		if (step != SIP_FRAME_MESSAGE)
			return step;
		enum sip_rule rule = read_length(f, limits, data);
		if (rule != SIP_RULE_OK)
			return lose(f, rule);
	}
	if (n - f->head < f->body)
		return SIP_FRAME_MORE;
	return SIP_FRAME_MESSAGE;
}

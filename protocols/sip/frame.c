/* SPDX-License-Identifier: Apache-2.0 */
/* Finds SIP messages in a stream and indexes their header lines. */
#include "protocols/sip/frame.h"

#include <string.h>

enum { COMMAS_MAX = 256 }; /* in one head: libosip2's lists are quadratic */

static const struct {
	const char *name;
	size_t n;
	char compact;
} headers[] = {[SIP_HEADER_OTHER] = {"", 0, 0},
#define X(symbol, name, compact) \
	[SIP_HEADER_##symbol] = {name, sizeof(name) - 1, compact},
	SIP_HEADER_LIST(X)
#undef X
};

const char *sip_header_name(enum sip_header header)
{
	return headers[header].name;
}

static enum sip_header header_of(struct sip_slice name)
{
	for (int h = SIP_HEADER_OTHER + 1; h < SIP_HEADERS; h++) {
		if (name.n == headers[h].n &&
			sip_field_starts(name, headers[h].name))
			return (enum sip_header)h;
		if (name.n == 1 &&
			sip_field_lower(name.p[0]) == headers[h].compact)
			return (enum sip_header)h;
	}
	return SIP_HEADER_OTHER;
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

static struct sip_line line_of(struct sip_slice text)
{
	struct sip_line line = {.value = text};
	const char *colon = memchr(text.p, ':', text.n);
	if (!colon || sip_field_space(text.p[0]))
		return line;
	size_t n = (size_t)(colon - text.p);
	struct sip_slice name = sip_field_trim((struct sip_slice){text.p, n});
	if (!sip_field_all(name, SIP_CHARS_TOKEN))
		return line;
	struct sip_slice value = {colon + 1, text.n - n - 1};
	line.name = name;
	line.header = header_of(name);
	line.value = sip_field_trim(value);
	return line;
}

void sip_head_index(struct sip_head *h, const char *data, size_t n)
{
	struct sip_slice rest = {data, n};
	struct sip_slice text;
	h->n = 0;
	if (!next_text(&rest, &h->first)) {
		h->first = (struct sip_slice){data, 0};
		return;
	}
	while (h->n < SIP_LINES_MAX && next_text(&rest, &text))
		h->lines[h->n++] = line_of(text);
}

const struct sip_line *sip_head_find(
	const struct sip_head *h, enum sip_header header, size_t from)
{
	for (size_t i = from; i < h->n; i++) {
		if (h->lines[i].header == header)
			return &h->lines[i];
	}
	return NULL;
}

size_t sip_head_count(const struct sip_head *h, enum sip_header header)
{
	size_t n = 0;
	for (size_t i = 0; i < h->n; i++)
		n += h->lines[i].header == header;
	return n;
}

struct sip_slice sip_head_value(
	const struct sip_head *h, enum sip_header header)
{
	const struct sip_line *line = sip_head_find(h, header, 0);
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

/* Goes over the head byte by byte: MORE, LOST, or MESSAGE at its end. */
static enum sip_frame_step scan_head(struct sip_frame *f,
	const struct sip_limits *limits, const char *data, size_t n)
{
	while (f->scanned < n) {
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
		if (c != '\n')
			continue;
		struct sip_slice line = {data + f->line, i - f->line};
		f->line = f->scanned;
		if (line.n == 1) {
			f->head = f->scanned;
			return SIP_FRAME_MESSAGE;
		}
		if (!f->lines && !looks_like_sip(line))
			return lose(f, SIP_RULE_NOT_SIP);
		if (f->lines++ > limits->lines_max)
			refuse(f, SIP_RULE_TOO_MANY_LINES);
	}
	return SIP_FRAME_MORE;
}

/* Content-Length exactly once, digits only, within the limits. */
static enum sip_rule read_length(
	struct sip_frame *f, const struct sip_limits *limits, const char *data)
{
	struct sip_slice rest = {data, f->head};
	struct sip_slice text, value = {NULL, 0};
	while (next_text(&rest, &text)) {
		struct sip_line line = line_of(text);
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

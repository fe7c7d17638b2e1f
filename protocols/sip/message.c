/* SPDX-License-Identifier: Apache-2.0 */
/* One SIP message: checked against every rule of form, ready to be read. */
#include "protocols/sip/message.h"

#include <osipparser2/osip_parser.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/sip/answer.h"
#include "protocols/sip/plain.h"
#include "protocols/sip/uri.h"

enum {
	CSEQ_MAX = 0x7fffffff,
	HOPS_MAX = 255,
	STATUS_MIN = 100,
	STATUS_MAX = 699,
	/* Phones read header lines into 1024 bytes: name, a To tag, CR LF. */
	ECHO_MAX = 1024 - 40,
};

static const struct {
	const char *name;
	enum sip_rule rule;
} methods[] = {[SIP_METHOD_OTHER] = {"", SIP_RULE_UNKNOWN_METHOD},
#define X(symbol, rule) [SIP_METHOD_##symbol] = {#symbol, SIP_RULE_##rule},
	SIP_METHOD_LIST(X)
#undef X
};

enum { METHODS = sizeof(methods) / sizeof(methods[0]) };

enum sip_rule sip_method_rule(enum sip_method method)
{
	return methods[method].rule;
}

static enum sip_method method_of(struct sip_slice name)
{
	for (int i = SIP_METHOD_OTHER + 1; i < METHODS; i++) {
		if (sip_field_is(name, methods[i].name))
			return (enum sip_method)i;
	}
	return SIP_METHOD_OTHER;
}

/* Without one of its own, libosip2 traces every refusal to stdout. */
static void no_trace(const char *file, int line, osip_trace_level_t level,
	const char *format, va_list args)
{
}

void sip_message_setup(void)
{
	osip_trace_initialize_func(TRACE_LEVEL0, no_trace);
	if (parser_init() != OSIP_SUCCESS)
		abort(); /* law 2: it only fails without memory */
}

/* Cuts the text in front of the first space off; false: there is no space. */
static bool word(struct sip_slice *rest, struct sip_slice *front)
{
	const char *space = rest->n ? memchr(rest->p, ' ', rest->n) : NULL;
	if (!space)
		return false;
	front->p = rest->p;
	front->n = (size_t)(space - rest->p);
	rest->p += front->n + 1;
	rest->n -= front->n + 1;
	return true;
}

/* SIP-Version is compared without case (RFC 3261 7.1). */
static bool is_sip_2(struct sip_slice version)
{
	return sip_field_is_nocase(version, "SIP/2.0");
}

static enum sip_rule read_status_line(struct sip_message *m)
{
	struct sip_slice rest = m->head.first;
	struct sip_slice version, code;
	uint32_t status;
	if (!word(&rest, &version) || !is_sip_2(version))
		return SIP_RULE_STATUS_LINE;
	if (!word(&rest, &code))
		code = rest;
	else
		m->phrase = rest;
	if (code.n != 3 || !sip_field_number(code, &status))
		return SIP_RULE_STATUS_LINE;
	if (status < STATUS_MIN || status > STATUS_MAX)
		return SIP_RULE_STATUS_LINE;
	m->status = (int)status;
	return SIP_RULE_OK;
}

/* METHOD SP URI SP SIP/2.0, one space each (RFC 3261 7.1). */
static enum sip_rule read_request_line(struct sip_message *m)
{
	struct sip_slice rest = m->head.first;
	if (!word(&rest, &m->name) || !word(&rest, &m->uri))
		return SIP_RULE_START_LINE;
	if (!sip_field_all(m->name, SIP_CHARS_TOKEN) || !m->uri.n)
		return SIP_RULE_START_LINE;
	m->method = method_of(m->name);
	if (!sip_field_starts(rest, "SIP/") || memchr(rest.p, ' ', rest.n))
		return SIP_RULE_START_LINE;
	return is_sip_2(rest) ? SIP_RULE_OK : SIP_RULE_VERSION;
}

static enum sip_rule read_first_line(
	struct sip_message *m, const struct sip_limits *limits)
{
	m->response = sip_field_starts(m->head.first, "SIP/");
	return m->response ? read_status_line(m) : read_request_line(m);
}

static enum sip_rule check_lines(
	struct sip_message *m, const struct sip_limits *limits)
{
	for (size_t i = 0; i < m->head.n; i++) {
		if (!m->head.lines[i].name.n)
			return SIP_RULE_HEADER_LINE;
	}
	return SIP_RULE_OK;
}

/* What every message has, and what it must not have twice. */
static enum sip_rule check_presence(
	struct sip_message *m, const struct sip_limits *limits)
{
	static const struct {
		enum sip_header header;
		enum sip_rule missing; /* OK: may be missing */
	} singles[] = {
		{SIP_HEADER_FROM, SIP_RULE_NO_FROM},
		{SIP_HEADER_TO, SIP_RULE_NO_TO},
		{SIP_HEADER_CALL_ID, SIP_RULE_NO_CALL_ID},
		{SIP_HEADER_CSEQ, SIP_RULE_NO_CSEQ},
		{SIP_HEADER_MAX_FORWARDS, SIP_RULE_NO_MAX_FORWARDS},
		{SIP_HEADER_EXPIRES, SIP_RULE_OK},
		{SIP_HEADER_CONTENT_TYPE, SIP_RULE_OK},
		{SIP_HEADER_EVENT, SIP_RULE_OK},
		{SIP_HEADER_MIN_EXPIRES, SIP_RULE_OK},
		{SIP_HEADER_RETRY_AFTER, SIP_RULE_OK},
	};
	if (!sip_head_find(&m->head, SIP_HEADER_VIA))
		return SIP_RULE_NO_VIA;
	for (size_t i = 0; i < sizeof(singles) / sizeof(singles[0]); i++) {
		size_t n = sip_head_count(&m->head, singles[i].header);
		bool optional = m->response &&
				singles[i].header == SIP_HEADER_MAX_FORWARDS;
		if (n > 1)
			return SIP_RULE_REPEATED;
		if (n == 0 && !optional && singles[i].missing != SIP_RULE_OK)
			return singles[i].missing;
	}
	return SIP_RULE_OK;
}

static enum sip_rule check_echo(
	struct sip_message *m, const struct sip_limits *limits)
{
	for (size_t i = 0; i < m->head.n; i++) {
		const struct sip_line *line = &m->head.lines[i];
		if (line->value.n > ECHO_MAX && sip_answer_echoes(line->header))
			return SIP_RULE_ECHO_TOO_LONG;
	}
	return SIP_RULE_OK;
}

static enum sip_rule read_cseq(
	struct sip_message *m, const struct sip_limits *limits)
{
	struct sip_slice value = sip_head_value(&m->head, SIP_HEADER_CSEQ);
	size_t n = 0;
	while (n < value.n && !sip_field_space(value.p[n]))
		n++;
	struct sip_slice number = {value.p, n};
	struct sip_slice method = {value.p + n, value.n - n};
	method = sip_field_trim(method);
	if (!sip_field_number(number, &m->cseq) || m->cseq > CSEQ_MAX ||
		!sip_field_all(method, SIP_CHARS_TOKEN))
		return SIP_RULE_CSEQ_NUMBER;
	if (m->response) {
		m->name = method;
		m->method = method_of(method);
		return SIP_RULE_OK;
	}
	if (method.n != m->name.n || memcmp(method.p, m->name.p, method.n))
		return SIP_RULE_CSEQ_METHOD;
	return SIP_RULE_OK;
}

/* What we answer ourselves may come with its last hop used up. */
static enum sip_rule check_hops(
	struct sip_message *m, const struct sip_limits *limits)
{
	struct sip_slice value =
		sip_head_value(&m->head, SIP_HEADER_MAX_FORWARDS);
	uint32_t hops;
	if (!value.p && m->response)
		return SIP_RULE_OK;
	if (!sip_field_number(value, &hops) || hops > HOPS_MAX)
		return SIP_RULE_MAX_FORWARDS;
	if (hops > 0 || m->response)
		return SIP_RULE_OK;
	enum sip_rule rule = sip_method_rule(m->method);
	bool ours = rule == SIP_RULE_OK || rule == SIP_RULE_OPTIONS;
	return ours ? SIP_RULE_OK : SIP_RULE_NO_HOPS;
}

/* sip or sips, without headers, which only make sense in links. */
static enum sip_rule check_uri(
	struct sip_message *m, const struct sip_limits *limits)
{
	struct sip_uri uri;
	if (m->response)
		return SIP_RULE_OK;
	if (!sip_uri_read(m->uri, &uri))
		return SIP_RULE_REQUEST_URI;
	if (!uri.sip)
		return SIP_RULE_URI_SCHEME;
	return uri.headers.n ? SIP_RULE_REQUEST_URI : SIP_RULE_OK;
}

static enum sip_rule count_contacts(
	struct sip_message *m, const struct sip_limits *limits)
{
	size_t n = 0;
	for (size_t i = 0; i < m->head.n; i++) {
		struct sip_slice rest = m->head.lines[i].value;
		struct sip_slice contact;
		if (m->head.lines[i].header != SIP_HEADER_CONTACT)
			continue;
		while (sip_field_list(&rest, &contact)) {
			if (++n > limits->contacts_max)
				return SIP_RULE_TOO_MANY_CONTACTS;
		}
	}
	return SIP_RULE_OK;
}

static enum sip_rule check_body(
	struct sip_message *m, const struct sip_limits *limits)
{
	if (m->body.n && !sip_head_find(&m->head, SIP_HEADER_CONTENT_TYPE))
		return SIP_RULE_BODY_TYPE_MISSING;
	return SIP_RULE_OK;
}

/* Makes the digits of Content-Length zeros: libosip2 gets no body. */
static void blank_length(char *copy, const struct sip_message *m)
{
	struct sip_slice length =
		sip_head_value(&m->head, SIP_HEADER_CONTENT_LENGTH);
	if (length.p)
		memset(copy + (length.p - m->head.first.p), '0', length.n);
}

bool sip_message_grammatical(const struct sip_message *m)
{
	const char *data = m->head.first.p;
	size_t n = (size_t)(m->body.p - data);
	osip_message_t *osip;
	char *copy = malloc(n);
	if (!copy || osip_message_init(&osip) != OSIP_SUCCESS)
		abort(); /* law 2: no memory; n is capped by head_max */
	memcpy(copy, data, n);
	blank_length(copy, m);
	int rc = osip_message_parse(osip, copy, n);
	osip_message_free(osip);
	free(copy);
	return rc == OSIP_SUCCESS;
}

static enum sip_rule check_grammar(
	struct sip_message *m, const struct sip_limits *limits)
{
	bool good = sip_plain_message(m) || sip_message_grammatical(m);
	return good ? SIP_RULE_OK : SIP_RULE_GRAMMAR;
}

bool sip_message_supports(struct sip_slice tag)
{
	static const char *const tags[] = {
		"norefersub", "path", "outbound", "gruu"};
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		if (sip_field_is_nocase(tag, tags[i]))
			return true;
	}
	return false;
}

/* ACK and CANCEL cannot be refused for it (RFC 3261 8.2.2.3). */
static enum sip_rule check_require(
	struct sip_message *m, const struct sip_limits *limits)
{
	if (m->response || m->method == SIP_METHOD_ACK ||
		m->method == SIP_METHOD_CANCEL)
		return SIP_RULE_OK;
	for (size_t i = 0; i < m->head.n; i++) {
		struct sip_slice rest = m->head.lines[i].value;
		struct sip_slice tag;
		if (m->head.lines[i].header != SIP_HEADER_REQUIRE)
			continue;
		while (sip_field_list(&rest, &tag)) {
			if (!sip_message_supports(tag))
				return SIP_RULE_REQUIRE;
		}
	}
	return SIP_RULE_OK;
}

/* An answer goes back to who sent the request: one Via, ours. */
static enum sip_rule check_vias(
	struct sip_message *m, const struct sip_limits *limits)
{
	struct sip_slice rest = sip_head_value(&m->head, SIP_HEADER_VIA);
	struct sip_slice via;
	if (!m->response)
		return SIP_RULE_OK;
	if (sip_head_count(&m->head, SIP_HEADER_VIA) > 1)
		return SIP_RULE_MANY_VIAS;
	sip_field_list(&rest, &via);
	return rest.p ? SIP_RULE_MANY_VIAS : SIP_RULE_OK;
}

/* In this order: the first that is broken decides the answer. */
static enum sip_rule (*const checks[])(
	struct sip_message *m, const struct sip_limits *limits) = {
	read_first_line,
	check_lines,
	check_presence,
	check_echo,
	read_cseq,
	check_hops,
	check_uri,
	count_contacts,
	check_body,
	check_grammar,
	check_vias,
	check_require,
};

enum sip_rule sip_message_read(struct sip_message *m, const char *data,
	const struct sip_frame *frame, const struct sip_limits *limits)
{
	sip_message_read_part(m, data, frame->head);
	m->body = (struct sip_slice){data + frame->head, frame->body};
	enum sip_rule rule = frame->rule;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (rule != SIP_RULE_OK)
			return rule;
		rule = checks[i](m, limits);
	}
	return rule;
}

void sip_message_read_part(struct sip_message *m, const char *data, size_t n)
{
	/* All but the head, which is large and fills itself. */
	memset(&m->body, 0, sizeof(*m) - offsetof(struct sip_message, body));
	sip_head_index(&m->head, data, n);
	read_first_line(m, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* SIP over UDP: one datagram to one message, and its way back. */
#include "protocols/sip/datagram.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "protocols/sip/answer.h"
#include "protocols/sip/message.h"
#include "protocols/sip/transactions.h"
#include "protocols/sip/via.h"

/* A message on its way from one datagram to the other. */
struct reading {
	struct sip_slice data;
	size_t head; /* bytes of whole header lines */
	bool ended;  /* the empty line is among them */
	struct sip_slice body;
	bool no_length;
	struct sip_message m;
};

static void put(struct bytes_out *out, struct sip_slice s)
{
	bytes_put(out, s.p, s.n);
}

static void put_text(struct bytes_out *out, const char *text)
{
	bytes_put(out, text, strlen(text));
}

/* ---- framing ---- */

static enum sip_rule found(
	struct reading *r, const struct sip_frame *f, enum sip_frame_step step)
{
	r->ended = f->head > 0;
	r->head = f->head ? f->head : f->line;
	r->body = (struct sip_slice){r->data.p + r->head, 0};
	if (step == SIP_FRAME_MORE)
		return SIP_RULE_CUT;
	if (step == SIP_FRAME_MESSAGE) {
		r->body.n = f->body;
		return SIP_RULE_OK;
	}
	if (f->rule != SIP_RULE_LENGTH_MISSING)
		return f->rule;
	r->no_length = true;
	r->body.n = r->data.n - f->head;
	return SIP_RULE_OK;
}

/* False: nothing that could be called SIP. */
static bool frame(struct reading *r, bool cut, const struct sip_limits *limits,
	enum sip_rule *rule)
{
	struct sip_frame f = {0};
	size_t skip;
	enum sip_frame_step step =
		sip_frame_next(&f, limits, r->data.p, r->data.n, &skip);
	*rule = found(r, &f, step);
	if (cut && *rule != SIP_RULE_HEAD_TOO_LONG)
		*rule = SIP_RULE_MESSAGE_TOO_LONG;
	return f.lines > 0;
}

/* ---- Via ---- */

/* Its parameters without the two that are ours to set; rport: it has one. */
static void put_params(
	struct bytes_out *out, struct sip_slice params, bool *rport)
{
	struct sip_param param;
	*rport = false;
	while (sip_field_param(&params, &param)) {
		bool asks = sip_field_is_nocase(param.name, "rport");
		*rport |= asks;
		if (!asks && !sip_field_is_nocase(param.name, "received"))
			put(out, param.whole);
	}
	put(out, params); /* what is no parameter is for others to refuse */
}

static void put_via(struct bytes_out *out, const struct sip_via *via,
	const struct sip_datagram_source *from, uint16_t *port)
{
	char text[16];
	bool rport;
	put(out, (struct sip_slice){
			 via->whole.p, (size_t)(via->params.p - via->whole.p)});
	put_params(out, via->params, &rport);
	*port = rport ? from->port : via->port;
	if (rport || !sip_field_is(via->host, from->address)) {
		put_text(out, ";received=");
		put_text(out, from->address);
	}
	if (!rport)
		return;
	snprintf(text, sizeof(text), ";rport=%u", from->port);
	put_text(out, text);
}

/* ---- the message ---- */

static void put_head(struct bytes_out *out, const struct reading *r,
	const struct sip_datagram_source *from, uint16_t *port)
{
	const char *p = r->data.p;
	const char *end = p + r->head - (r->ended ? 2 : 0);
	struct sip_via via;
	*port = from->port;
	if (!r->m.response && sip_via_read(&r->m.head, &via)) {
		bytes_put(out, p, (size_t)(via.whole.p - p));
		put_via(out, &via, from, port);
		p = via.whole.p + via.whole.n;
	}
	bytes_put(out, p, (size_t)(end - p));
}

static void write_message(struct sip_datagram *d, const struct reading *r,
	const struct sip_datagram_source *from)
{
	char text[40];
	struct bytes_out out = bytes_out(d->message, sizeof(d->message));
	put_head(&out, r, from, &d->port);
	if (r->no_length) {
		snprintf(text, sizeof(text), "Content-Length: %zu\r\n",
			r->body.n);
		put_text(&out, text);
	}
	put_text(&out, "\r\n");
	if (d->rule == SIP_RULE_OK)
		put(&out, r->body);
	assert(!out.bad);
	d->n = sizeof(d->message) - out.left;
}

static enum sip_datagram_kind kind_of(
	const struct sip_message *m, enum sip_rule rule)
{
	bool good = rule == SIP_RULE_OK;
	if (m->response)
		return good && m->status ? SIP_DATAGRAM_RESPONSE
					 : SIP_DATAGRAM_NONE;
	if (!m->name.n || (!good && !sip_rule_status(rule)))
		return SIP_DATAGRAM_NONE;
	return m->method == SIP_METHOD_ACK ? SIP_DATAGRAM_ACK
					   : SIP_DATAGRAM_REQUEST;
}

void sip_datagram_read(struct sip_datagram *d, const void *data, size_t n,
	bool cut, const struct sip_datagram_source *from,
	const struct sip_limits *limits)
{
	struct reading r = {.data = {data, n}};
	size_t at = 0;
	d->kind = SIP_DATAGRAM_EMPTY;
	d->n = 0;
	while (at < n && (r.data.p[at] == '\r' || r.data.p[at] == '\n'))
		at++;
	r.data = (struct sip_slice){r.data.p + at, n - at};
	if (!r.data.n)
		return;
	d->kind = SIP_DATAGRAM_NONE;
	if (!frame(&r, cut, limits, &d->rule))
		return;
	sip_message_read_part(&r.m, r.data.p, r.head);
	d->kind = kind_of(&r.m, d->rule);
	if (d->kind == SIP_DATAGRAM_NONE)
		return;
	d->status = r.m.status;
	d->key = sip_transactions_key(&r.m.head);
	write_message(d, &r, from);
}

void sip_datagram_refuse(const struct sip_datagram *d, struct bytes_queue *out,
	const char *node, const struct moment *now)
{
	struct sip_head head;
	struct sip_answer a;
	sip_head_index(&head, d->message, d->n);
	sip_answer_start(&a, out, &head, sip_rule_status(d->rule), NULL, now);
	sip_answer_text(&a, "Server: Dialtone\r\n");
	sip_answer_warning(&a, node, sip_rule_text(d->rule));
	sip_answer_end(&a);
}

/* ---- what we send ---- */

/* Our own engine is trusted with lengths. */
static const struct sip_limits ours = {
	.message_max = UINT32_MAX,
	.head_max = UINT32_MAX,
	.lines_max = SIP_LINES_MAX,
	.params_max = UINT32_MAX,
};

size_t sip_datagram_first(const void *out, size_t n, bool *request)
{
	struct sip_frame f = {0};
	size_t skip;
	if (!n)
		return 0;
	*request = n < 4 || memcmp(out, "SIP/", 4) != 0;
	if (sip_frame_next(&f, &ours, out, n, &skip) != SIP_FRAME_MESSAGE)
		return n;
	return skip + f.head + f.body;
}

size_t sip_datagram_stamp(const void *request, size_t n, const char *sent_by,
	char *dst, size_t size, uint64_t *key)
{
	struct sip_head head;
	struct sip_via via;
	struct sip_param rport;
	const char *p = request;
	struct bytes_out out = bytes_out(dst, size);
	sip_head_index(&head, p, n);
	if (!sip_via_read(&head, &via))
		return 0;
	bytes_put(&out, p, (size_t)(via.whole.p - p));
	put_text(&out, "SIP/2.0/UDP ");
	put_text(&out, sent_by);
	put(&out, via.params);
	if (!sip_field_find(via.params, "rport", &rport))
		put_text(&out, ";rport");
	p = via.whole.p + via.whole.n;
	bytes_put(&out, p, n - (size_t)(p - (const char *)request));
	size_t length = out.bad ? 0 : size - out.left;
	sip_head_index(&head, dst, length);
	*key = sip_transactions_key(&head);
	return length;
}

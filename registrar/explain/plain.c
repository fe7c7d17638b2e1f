/* SPDX-License-Identifier: Apache-2.0 */
/* A registration that a capture shows in the clear: who came, what it was
 * told. */
#include "registrar/explain/plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/sccp/frame.h"
#include "protocols/sccp/ids.h"
#include "protocols/sccp/message.h"
#include "protocols/sip/field.h"
#include "protocols/sip/frame.h"
#include "registrar/explain/words.h"
#include "registrar/memory.h"

void plain_init(struct plain *p)
{
	*p = (struct plain){.protocol = PLAIN_UNSEEN};
	for (int i = 0; i < 2; i++)
		bytes_queue_init(&p->in[i], PLAIN_MESSAGE_MAX);
}

void plain_deinit(struct plain *p)
{
	for (int i = 0; i < 2; i++)
		bytes_queue_deinit(&p->in[i]);
}

static void give_up(struct plain *p)
{
	p->protocol = PLAIN_OTHER;
	plain_deinit(p);
}

static void keep(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text);
}

/* ---- SCCP ---- */

static void take_sccp(struct plain *p, const struct sccp_frame *frame)
{
	struct sccp_message *m = memory_zero(sizeof(*m));
	sccp_message_read(m, frame->id, (uint8_t)frame->version, frame->body,
		frame->body_n);
	switch (frame->id) {
	case SCCP_ID_REGISTER:
		p->asked = true;
		p->let_in = p->refused = false;
		keep(p->device, sizeof(p->device), m->u.reg.device);
		break;
	case SCCP_ID_REGISTER_ACK:
		p->let_in = true;
		break;
	case SCCP_ID_REGISTER_REJECT:
		p->refused = true;
		keep(p->text, sizeof(p->text), m->u.text);
		break;
	default:
		break;
	}
	free(m);
}

static bool next_sccp(struct plain *p, struct bytes_queue *in)
{
	struct sccp_frame frame;
	switch (sccp_frame_next(in, PLAIN_MESSAGE_MAX - SCCP_HEADER, &frame)) {
	case SCCP_FRAME_MORE:
		return false;
	case SCCP_FRAME_WHOLE:
		take_sccp(p, &frame);
		sccp_frame_drop(in, &frame);
		return true;
	case SCCP_FRAME_LENGTH_UNDER_4:
	case SCCP_FRAME_TOO_LONG:
	case SCCP_FRAME_VERSION_IMPOSSIBLE:
		break;
	}
	give_up(p);
	return false;
}

/* ---- SIP ---- */

/* What stands in quotes behind `name=`, anywhere in the Contact. */
static void device_of(const struct sip_head *head, char *out, size_t size)
{
	static const char name[] = "+u.sip!devicename.ccm.cisco.com=\"";
	struct sip_slice contact = sip_head_value(head, SIP_HEADER_CONTACT);
	const char *at =
		contact.n ? memmem(contact.p, contact.n, name, sizeof(name) - 1)
			  : NULL;
	if (!at)
		contact = sip_head_value(head, SIP_HEADER_TO);
	else
		at += sizeof(name) - 1;
	struct sip_slice found = contact;
	if (at)
		found = (struct sip_slice){
			at, (size_t)(contact.p + contact.n - at)};
	const char *quote = at ? memchr(found.p, '"', found.n) : NULL;
	if (quote)
		found.n = (size_t)(quote - found.p);
	sip_field_show(found, out, size);
}

static void take_answer(struct plain *p, const struct sip_head *head)
{
	struct sip_slice warning = {NULL, 0};
	char first[64];
	for (size_t i = 0; i < head->n; i++)
		if (sip_field_is_nocase(head->lines[i].name, "Warning"))
			warning = head->lines[i].value;
	sip_field_show(head->first, first, sizeof(first));
	long status = strtol(first + strlen("SIP/2.0 "), NULL, 10);
	if (status >= 200 && status < 300)
		p->let_in = true;
	if (status < 300 || status == 401 || status == 407)
		return; /* the credentials come next */
	p->refused = true;
	keep(p->text, sizeof(p->text), first + strlen("SIP/2.0 "));
	size_t n = strlen(p->text);
	if (warning.n && n + 3 < sizeof(p->text)) {
		keep(p->text + n, sizeof(p->text) - n, ", ");
		sip_field_show(
			warning, p->text + n + 2, sizeof(p->text) - n - 2);
	}
}

static void take_sip(struct plain *p, const char *data, size_t n)
{
	struct sip_head *head = memory_zero(sizeof(*head));
	sip_head_index(head, data, n);
	if (sip_field_starts(head->first, "REGISTER ")) {
		p->asked = true;
		p->let_in = p->refused = false;
		device_of(head, p->device, sizeof(p->device));
	}
	if (p->asked && sip_field_starts(head->first, "SIP/2.0 ") &&
		sip_field_has(
			sip_head_value(head, SIP_HEADER_CSEQ), "REGISTER"))
		take_answer(p, head);
	free(head);
}

static uint32_t body_of(const char *data, size_t n)
{
	uint32_t length = 0;
	struct sip_head *head = memory_zero(sizeof(*head));
	sip_head_index(head, data, n);
	sip_field_number(
		sip_head_value(head, SIP_HEADER_CONTENT_LENGTH), &length);
	free(head);
	return length;
}

static bool next_sip(struct plain *p, struct bytes_queue *in)
{
	size_t n;
	const uint8_t *data = bytes_queue_peek(in, &n);
	while (n && (*data == '\r' || *data == '\n')) {
		bytes_queue_drop(in, 1); /* keep-alives between messages */
		data = bytes_queue_peek(in, &n);
	}
	const char *end = n ? memmem(data, n, "\r\n\r\n", 4) : NULL;
	if (!end)
		return false;
	size_t head = (size_t)(end - (const char *)data) + 4;
	size_t body = body_of((const char *)data, head);
	if (n - head < body)
		return false;
	take_sip(p, (const char *)data, head);
	bytes_queue_drop(in, head + body);
	return true;
}

/* ---- both ---- */

/* SIP begins with a letter; the length of an SCCP message does not reach it. */
static void recognise(struct plain *p, const uint8_t *data)
{
	bool letter = *data >= 'A' && *data <= 'Z';
	p->protocol = letter ? PLAIN_SIP : PLAIN_SCCP;
}

void plain_feed(
	struct plain *p, enum tls_seen_end from, const void *data, size_t n)
{
	const uint8_t *bytes = data;
	while (n && p->protocol != PLAIN_OTHER) {
		struct bytes_queue *in = &p->in[from];
		size_t room = PLAIN_MESSAGE_MAX - bytes_queue_len(in);
		size_t piece = n < room ? n : room;
		if (p->protocol == PLAIN_UNSEEN)
			recognise(p, bytes);
		if (!piece || bytes_queue_put(in, bytes, piece) < 0) {
			give_up(p); /* longer than any message */
			return;
		}
		bytes += piece;
		n -= piece;
		while (p->protocol == PLAIN_SIP	    ? next_sip(p, in)
			: p->protocol == PLAIN_SCCP ? next_sccp(p, in)
						    : false)
			;
	}
}

const char *plain_put(json_t *o, const struct plain *p)
{
	struct words w = {.n = 0};
	bool sip = p->protocol == PLAIN_SIP;
	if (!p->asked)
		return NULL;
	words_add(&w, "It asked to be registered as %s over %s%s%s%s.",
		p->device, sip ? "SIP" : "SCCP",
		p->refused  ? ", and was refused: \""
		: p->let_in ? ", and was let in"
			    : "; the answer is not in the capture",
		p->refused ? p->text : "", p->refused ? "\"" : "");
	const char *rule = p->refused  ? "register-refused"
			   : p->let_in ? "registered"
				       : "unfinished";
	json_t *r = json_object();
	json_object_set_new(
		r, "device", words_json(p->device, strlen(p->device)));
	json_object_set_new(r, "protocol", json_string(sip ? "sip" : "sccp"));
	json_object_set_new(r, "outcome",
		json_string(p->refused	? "refused"
			    : p->let_in ? "registered"
					: "unanswered"));
	if (p->refused)
		json_object_set_new(
			r, "text", words_json(p->text, strlen(p->text)));
	json_object_set_new(o, "registers", r);
	json_object_set_new(o, "what", words_json(w.text, w.n));
	return rule;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Orders to a registered phone: NOTIFY service-control and its answer. */
#include <stdio.h>
#include <string.h>

#include "protocols/sip/server_state.h"

enum { BODY_SIZE = 1024, TIMEOUT_STATUS = 408 };

static const char *const actions[] = {
#define X(symbol, action) action,
	SIP_ORDER_LIST(X)
#undef X
};

/* Stamps that match none: the phone fetches its files anew. */
static const char STAMPS[] =
	"ConfigVersionStamp={00000000-0000-0000-0000-000000000000}\r\n"
	"DialplanVersionStamp={00000000-0000-0000-0000-000000000000}\r\n"
	"SoftkeyVersionStamp={00000000-0000-0000-0000-000000000000}\r\n"
	"FeatureControlVersionStamp={00000000-0000-0000-0000-000000000000}"
	"\r\n";
/* What apply-config asks for besides; nothing of it changes here. */
static const char APPLY[] = "CUCMResult={config_applied}\r\n"
			    "FirmwareLoadId={}\r\n"
			    "LoadServer={}\r\n"
			    "LogServer={}\r\n";

/* Ids have to differ, not to be secret: the Call-ID that the order is for,
 * the time and the count. */
static uint64_t new_id(const struct sip_server_state *st, const char *call_id)
{
	uint64_t hash = UINT64_C(14695981039346656037) ^
			(uint64_t)st->now.unix_ms ^ (uint64_t)st->orders << 48;
	for (; *call_id; call_id++)
		hash = (hash ^ (unsigned char)*call_id) *
		       UINT64_C(1099511628211);
	return hash;
}

static void put_head(struct sip_server *s, struct sip_answer *a,
	const struct sip_binding *to, const char *uri)
{
	const struct sip_server_state *st = s->state;
	const char *node = s->config->node;
	unsigned long long id = st->order_id;
	sip_answer_line(a, "NOTIFY %s SIP/2.0", uri);
	sip_answer_line(a, "Via: SIP/2.0/%s %.64s;branch=z9hG4bK%016llx",
		s->config->tls	 ? "TLS"
		: s->config->udp ? "UDP"
				 : "TCP",
		node, id);
	sip_answer_line(a, "From: <sip:%.64s>;tag=%016llx", node, id);
	sip_answer_line(a, "To: <sip:%s>", to->aor);
	sip_answer_line(a, "Call-ID: %016llx@%.64s", id, node);
	sip_answer_line(a, "CSeq: %u NOTIFY", st->orders);
	sip_answer_line(a, "Max-Forwards: 70");
	sip_server_put_contact(s, a);
	sip_answer_line(a, "Event: service-control");
	sip_answer_line(a, "Subscription-State: active");
	sip_answer_line(a, "Content-Type: text/plain");
}

bool sip_server_order(struct sip_server *s, enum sip_order order,
	const struct sip_binding *binding)
{
	struct sip_server_state *st = s->state;
	struct sip_slice contact = sip_binding_uri(binding);
	struct sip_answer a = {.out = &s->out};
	char uri[SIP_CONTACT_MAX + 1], body[BODY_SIZE];
	if (st->why != SIP_CLOSE_NONE || st->order_ms != MOMENT_NEVER)
		return false;
	st->orders++;
	st->order = order;
	st->order_id = new_id(st, binding->call_id);
	st->order_ms = st->now.mono_ms + s->config->answer_ms;
	sip_field_show(contact, uri, sizeof(uri));
	put_head(s, &a, binding, uri);
	int n = snprintf(body, sizeof(body),
		"action=%s\r\nRegisterCallId={%s}\r\n%s%s", actions[order],
		binding->call_id, STAMPS,
		order == SIP_ORDER_APPLY ? APPLY : "");
	sip_answer_body(&a, body, (size_t)n);
	if (a.full)
		sip_server_shut(s, SIP_CLOSE_NOT_READING);
	return !a.full;
}

/* The order is over; says how it went. */
static bool ordered(
	struct sip_server *s, int status, struct sip_server_event *event)
{
	s->state->order_ms = MOMENT_NEVER;
	*event = (struct sip_server_event){
		.type = SIP_SERVER_ORDERED,
		.status = status,
		.text = actions[s->state->order],
	};
	return true;
}

static bool is_ours(const struct sip_server *s, const struct sip_message *m)
{
	char call_id[96];
	const struct sip_server_state *st = s->state;
	snprintf(call_id, sizeof(call_id), "%016llx@%.64s",
		(unsigned long long)st->order_id, s->config->node);
	return st->order_ms != MOMENT_NEVER && m->method == SIP_METHOD_NOTIFY &&
	       m->cseq == st->orders &&
	       sip_field_is(
		       sip_head_value(&m->head, SIP_HEADER_CALL_ID), call_id);
}

bool sip_server_on_response(struct sip_server *s, const struct sip_message *m,
	struct sip_server_event *event)
{
	if (is_ours(s, m)) {
		if (m->status < 200)
			return false;
		return ordered(s, m->status, event);
	}
	*event = (struct sip_server_event){
		.type = SIP_SERVER_RESPONSE, .status = m->status};
	return true;
}

bool sip_server_order_late(struct sip_server *s, struct sip_server_event *event)
{
	if (s->state->order_ms == MOMENT_NEVER ||
		s->state->now.mono_ms < s->state->order_ms)
		return false;
	return ordered(s, TIMEOUT_STATUS, event);
}

bool sip_server_order_lost(struct sip_server *s, struct sip_server_event *event)
{
	if (s->state->order_ms == MOMENT_NEVER || s->state->closed)
		return false;
	return ordered(s, TIMEOUT_STATUS, event);
}

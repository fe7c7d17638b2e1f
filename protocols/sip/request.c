/* SPDX-License-Identifier: Apache-2.0 */
/* What a registrar does with a well-formed request. */
#include "protocols/sip/request.h"

#include <string.h>

static const char TYPE_ALARM[] = "application/x-cisco-alarm+xml";
static const char TYPE_REMOTECC[] = "application/x-cisco-remotecc-response+xml";
/* Both X-cisco and x-cisco exist. */
static const char TOKEN_URN[] = "urn:x-cisco-remotecc:token-registration";

static struct sip_decision act(enum sip_action action)
{
	return (struct sip_decision){.action = action};
}

static struct sip_decision by(enum sip_rule rule)
{
	return (struct sip_decision){SIP_ACTION_ANSWER, rule};
}

/* type/subtype of a value, without its parameters. */
static struct sip_slice media_type(struct sip_slice value)
{
	const char *end = value.n ? memchr(value.p, ';', value.n) : NULL;
	if (end)
		value.n = (size_t)(end - value.p);
	return sip_field_trim(value);
}

static struct sip_slice body_type(const struct sip_message *m)
{
	return media_type(sip_head_value(&m->head, SIP_HEADER_CONTENT_TYPE));
}

static struct sip_decision decide_refer(const struct sip_message *m)
{
	struct sip_address to;
	if (sip_field_is_nocase(body_type(m), TYPE_ALARM))
		return act(SIP_ACTION_ALARM);
	if (sip_field_is_nocase(body_type(m), TYPE_REMOTECC))
		return by(SIP_RULE_REMOTECC_RESPONSE);
	if (sip_head_count(&m->head, SIP_HEADER_REFER_TO) != 1 ||
		!sip_field_address(
			sip_head_value(&m->head, SIP_HEADER_REFER_TO), &to))
		return by(SIP_RULE_REFER_TO);
	if (sip_field_is_nocase(to.uri, TOKEN_URN))
		return act(SIP_ACTION_TOKEN);
	return by(m->body.n ? SIP_RULE_BODY_TYPE : SIP_RULE_REFER_OTHER);
}

static bool takes_sdp(struct sip_slice accept)
{
	struct sip_slice type;
	while (sip_field_list(&accept, &type)) {
		type = media_type(type);
		if (sip_field_is_nocase(type, "application/sdp") ||
			sip_field_is_nocase(type, "application/*") ||
			sip_field_is(type, "*/*"))
			return true;
	}
	return false;
}

/* Without an Accept, SDP is meant (RFC 3261 20.1). */
static bool accepts_sdp(const struct sip_head *head)
{
	bool any = false;
	for (size_t i = 0; i < head->n; i++) {
		if (head->lines[i].header != SIP_HEADER_ACCEPT)
			continue;
		if (takes_sdp(head->lines[i].value))
			return true;
		any = true;
	}
	return !any;
}

/* No calls here; but what is wrong with this one is said first. */
static struct sip_decision decide_invite(const struct sip_message *m)
{
	struct sip_slice type = body_type(m);
	if (m->body.n && !sip_field_is_nocase(type, "application/sdp") &&
		!sip_field_starts(type, "multipart/"))
		return by(SIP_RULE_BODY_TYPE);
	if (!accepts_sdp(&m->head))
		return by(SIP_RULE_NOT_ACCEPTABLE);
	return by(sip_method_rule(m->method));
}

struct sip_decision sip_request_decide(
	const struct sip_message *m, enum sip_rule rule)
{
	if (m->method == SIP_METHOD_ACK)
		return act(SIP_ACTION_DROP);
	if (rule != SIP_RULE_OK)
		return by(rule);
	if (m->method == SIP_METHOD_REGISTER)
		return act(SIP_ACTION_REGISTER);
	if (m->method == SIP_METHOD_REFER)
		return decide_refer(m);
	if (m->method == SIP_METHOD_INVITE)
		return decide_invite(m);
	return by(sip_method_rule(m->method));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a registrar does with a well-formed request. */
#ifndef PROTOCOLS_SIP_REQUEST_H
#define PROTOCOLS_SIP_REQUEST_H

#include "protocols/sip/message.h"
#include "protocols/sip/rule.h"

enum sip_action {
	SIP_ACTION_ANSWER,   /* by the rule, and no more */
	SIP_ACTION_DROP,     /* ACK: never answered (RFC 3261 17) */
	SIP_ACTION_REGISTER, /* the host decides */
	SIP_ACTION_TOKEN,    /* REFER token-registration: the host decides */
	SIP_ACTION_ALARM,    /* REFER with a phone's alarm: 202 */
};

struct sip_decision {
	enum sip_action action;
	enum sip_rule rule; /* of ANSWER */
};

/* `rule` is what sip_message_read() answered. */
struct sip_decision sip_request_decide(
	const struct sip_message *m, enum sip_rule rule);

#endif

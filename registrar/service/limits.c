/* SPDX-License-Identifier: Apache-2.0 */
/* What the configuration says to the engines, once for all connections. */
#include "protocols/sip/datagram.h"
#include "registrar/service/service.h"

void service_limits_init(struct service_limits *l, const struct config *c)
{
	l->sccp = sccp_server_defaults;
	l->sccp.first_frame_ms = c->first_message_ms;
	l->sccp.idle_ms = c->idle_ms;
	l->sccp.token_ms = c->sccp_token_ms;
	l->sccp.capabilities_ms = c->sccp_capabilities_ms;
	l->sccp.reset_ms = c->sccp_reset_ms;
	l->sccp.version_max = (uint8_t)c->sccp_version_max;
	for (int tls = 0; tls < 2; tls++) {
		struct sip_server_config *sip = &l->sip[tls];
		*sip = sip_server_defaults;
		sip->first_message_ms = c->first_message_ms;
		sip->idle_ms = c->idle_ms;
		sip->message_max = c->sip_message_max;
		sip->node = c->node;
		sip->tls = tls;
		sip->flow_timer_s = c->sip_flow_timer_s;
		sip->locate = c->sip_redirect;
	}
	l->capf = (struct capf_server_config){
		.answer_ms = c->capf_answer_ms,
		.keygen_ms = c->capf_keygen_s * 1000,
		.send_auth_type = c->capf_auth_type,
	};
	l->sip_udp = l->sip[0];
	l->sip_udp.udp = true;
	l->sip_udp.message_max += SIP_DATAGRAM_GROWTH;
	l->sip_udp.head_max += SIP_DATAGRAM_GROWTH;
}

void service_limits_count(struct service_limits *l, struct meters *meters)
{
	l->sip[0].answered = meters->sip_answers;
	l->sip[1].answered = meters->sip_answers;
	l->sip_udp.answered = meters->sip_answers;
}

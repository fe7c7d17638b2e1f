/* SPDX-License-Identifier: Apache-2.0 */
/* What RFC 3327, 5626 and 8760 add to a REGISTER. */
#ifndef PROTOCOLS_SIP_EXTENSION_H
#define PROTOCOLS_SIP_EXTENSION_H

#include "protocols/sip/message.h"
#include "protocols/sip/server.h"

/* The option tags that change what we do. */
void sip_extension_supported(
	struct sip_register *reg, const struct sip_head *head);
/*
 * RFC 5626 6: a reg-id counts with an instance, and over a flow that ends at
 * us or at a proxy that keeps it. Where it does not, the Contact is bound by
 * its URI. contacts are reg's own.
 */
enum sip_rule sip_extension_flow(struct sip_register *reg,
	struct sip_contact *contacts, const struct sip_head *head);
/* RFC 3327: every value of every Path as one list of at most SIP_CONTACT_MAX,
 * at *room, which is as long as all of them and is moved on. */
enum sip_rule sip_extension_path(
	struct sip_register *reg, const struct sip_head *head, char **room);
/* The first digest that is one of ours; other schemes count as none. The room
 * is what sip_auth_room() says for all of them. */
enum sip_rule sip_extension_auth(struct sip_register *reg,
	const struct sip_message *m, struct sip_auth *auth, char **room);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a REGISTER asks for: which device, which AOR, which contacts. */
#ifndef PROTOCOLS_SIP_REGISTRATION_H
#define PROTOCOLS_SIP_REGISTRATION_H

#include "protocols/sip/message.h"
#include "protocols/sip/server.h"

/*
 * Reads a REGISTER that sip_message_read() found well-formed. Values that
 * identify are refused when they do not fit; Reason and User-Agent are cut.
 * NULL on any *rule but OK. All of it is one block: free() it.
 */
struct sip_register *sip_registration_new(
	const struct sip_message *m, enum sip_rule *rule);
/* Only the device: of a REFER, whose From is the line or the MAC. */
struct sip_register *sip_registration_new_device(
	const struct sip_message *m, enum sip_rule *rule);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a REGISTER asks for: which device, which AOR, which contacts. */
#ifndef PROTOCOLS_SIP_REGISTRATION_H
#define PROTOCOLS_SIP_REGISTRATION_H

#include "protocols/sip/message.h"
#include "protocols/sip/server.h"

/*
 * Reads a REGISTER that sip_message_read() found well-formed. Values that
 * identify are refused when they do not fit; Reason and User-Agent are cut.
 * On any rule but OK, reg holds nothing to be freed.
 */
enum sip_rule sip_registration_read(
	struct sip_register *reg, const struct sip_message *m);
/* Only the device: of a REFER, whose From is the line or the MAC. */
enum sip_rule sip_registration_read_device(
	struct sip_register *reg, const struct sip_message *m);
/* Frees the contacts; fine on a zeroed one. */
void sip_registration_deinit(struct sip_register *reg);

#endif

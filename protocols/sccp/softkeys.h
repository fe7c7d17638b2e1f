/* SPDX-License-Identifier: Apache-2.0 */
/* The softkeys we give to every phone. */
#ifndef PROTOCOLS_SCCP_SOFTKEYS_H
#define PROTOCOLS_SCCP_SOFTKEYS_H

#include "protocols/sccp/message.h"

enum {
	SCCP_SET_ON_HOOK = 0,
	SCCP_KEY_INFO = 300, /* info index = this + the key's event */
};

void sccp_softkeys_template(struct sccp_keys *keys);
void sccp_softkeys_sets(struct sccp_sets *sets);

#endif

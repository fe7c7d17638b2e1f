/* SPDX-License-Identifier: Apache-2.0 */
/* The softkeys we give to phones: their names, their template, their sets. */
#ifndef PROTOCOLS_SCCP_SOFTKEYS_H
#define PROTOCOLS_SCCP_SOFTKEYS_H

#include <stdint.h>

#include "protocols/sccp/message.h"

enum {
	SCCP_SET_ON_HOOK = 0,
	SCCP_KEY_INFO = 300, /* info index = this + the key's event */
};

/* The names of all keys that are in a set, with commas between. */
const char *sccp_softkeys_names(void);
/*
 * Reads such names, in any order, into bits: 1 << event. "" is 0: every key.
 * Answers NULL, or where the first name that is none of them begins.
 */
const char *sccp_softkeys_read(const char *names, uint32_t *allowed);

/* Every key there is, whichever a phone may use: sets point into it. */
void sccp_softkeys_template(struct sccp_keys *keys);
/* The keys of each state that are allowed, and those it cannot do without:
 * backspace, endcall, resume and answer. 0: every key. */
void sccp_softkeys_sets(struct sccp_sets *sets, uint32_t allowed);

#endif

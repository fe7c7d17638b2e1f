/* SPDX-License-Identifier: Apache-2.0 */
/* The topmost Via: where a request came from and which one it is. */
#ifndef PROTOCOLS_SIP_VIA_H
#define PROTOCOLS_SIP_VIA_H

#include <stdbool.h>
#include <stdint.h>

#include "protocols/sip/frame.h"

enum { SIP_PORT = 5060 }; /* where a sent-by names none */

struct sip_via {
	struct sip_slice whole;	  /* of a list, the first element */
	struct sip_slice sent_by; /* host[:port] as it stands there */
	struct sip_slice host;	  /* an IPv6 address without its brackets */
	uint16_t port;		  /* of sent-by; SIP_PORT: it names none */
	struct sip_slice params;  /* from the first ';' on */
};

/* Reads the first Via of a head; false: there is none, or it is not
 * protocol / version / transport host[:port] with parameters. */
bool sip_via_read(const struct sip_head *head, struct sip_via *via);

#endif

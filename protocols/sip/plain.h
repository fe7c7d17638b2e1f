/* SPDX-License-Identifier: Apache-2.0 */
/* Requests worded so plainly that nobody needs to judge their grammar. */
#ifndef PROTOCOLS_SIP_PLAIN_H
#define PROTOCOLS_SIP_PLAIN_H

#include <stdbool.h>

#include "protocols/sip/message.h"

/*
 * True only for a request that libosip2 is sure to take: known headers alone,
 * each in the few shapes that phones write, nothing folded, escaped or odd.
 * False says nothing: then libosip2 is asked. fuzz_sip_plain.c holds the two
 * against each other.
 */
bool sip_plain_message(const struct sip_message *m);

#endif

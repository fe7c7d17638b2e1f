/* SPDX-License-Identifier: Apache-2.0 */
/* A registration that a capture shows in the clear: who came, what it was
 * told. */
#ifndef REGISTRAR_EXPLAIN_PLAIN_H
#define REGISTRAR_EXPLAIN_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "certs/identity.h"
#include "protocols/bytes.h"
#include "protocols/tls/seen.h"

enum { PLAIN_MESSAGE_MAX = 16384, PLAIN_TEXT_MAX = 160 };

/* Zeroed by plain_init(); a message above PLAIN_MESSAGE_MAX ends it. */
struct plain {
	enum plain_protocol {
		PLAIN_UNSEEN,
		PLAIN_SCCP,
		PLAIN_SIP,
		PLAIN_OTHER, /* neither: nothing more is read */
	} protocol;
	char device[CERT_DEVICE_MAX + 1];
	char text[PLAIN_TEXT_MAX]; /* of the refusal */
	bool asked, let_in, refused;
	struct bytes_queue in[2]; /* by enum tls_seen_end */
};

void plain_init(struct plain *p);
void plain_deinit(struct plain *p);
/* The next bytes of an end, in their order. */
void plain_feed(
	struct plain *p, enum tls_seen_end from, const void *data, size_t n);
/* Sets "registers" with what was asked and answered, and `what`, if there was
 * anything; answers the rule that explains it, NULL: nothing to explain. */
const char *plain_put(json_t *o, const struct plain *p);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* One phone of the directory, as status says it. */
#ifndef REGISTRAR_STATUS_PHONE_H
#define REGISTRAR_STATUS_PHONE_H

#include <jansson.h>

#include "registrar/directory.h"

/* The modes of device.h by what they are on the wire: "plain" is no TLS,
 * "authenticated" TLS with a NULL cipher. X(symbol, name) */
#define PHONE_SECURITY_LIST(X)            \
	X(PLAIN, "plain")                 \
	X(AUTHENTICATED, "authenticated") \
	X(ENCRYPTED, "encrypted")

enum phone_security {
#define X(symbol, name) PHONE_SECURITY_##symbol,
	PHONE_SECURITY_LIST(X)
#undef X
		PHONE_SECURITIES
};
const char *phone_security_name(enum phone_security security);

enum phone_security status_phone_security(const struct directory_entry *e);
enum reason_status status_phone_state(const struct directory_entry *e);

/* All that is known of it, as one of /v1/phones. */
json_t *status_phone_json(const struct directory_entry *e);
/* What a reader of events is told of it. */
json_t *status_phone_brief(const struct directory_entry *e);

#endif

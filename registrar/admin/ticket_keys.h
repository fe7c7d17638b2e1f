/* SPDX-License-Identifier: Apache-2.0 */
/* What an admin sees of ticket keys. */
#ifndef REGISTRAR_ADMIN_TICKET_KEYS_H
#define REGISTRAR_ADMIN_TICKET_KEYS_H

#include <jansson.h>

#include "registrar/tls/resume.h"

/* Names, uses and times; never a key. */
json_t *admin_ticket_keys_json(const struct resume *resume);

#endif

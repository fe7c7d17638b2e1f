/* SPDX-License-Identifier: Apache-2.0 */
/* The admin plane: orders over a Unix socket, each one with its audit line. */
#ifndef REGISTRAR_ADMIN_ADMIN_H
#define REGISTRAR_ADMIN_ADMIN_H

#include "certs/diag.h"

struct admin;
struct server;

/* Serves admin.socket. 0, or -errno with d. */
int admin_new(struct server *server, struct admin **out, struct diag *d);
void admin_free(struct admin *a);

#endif

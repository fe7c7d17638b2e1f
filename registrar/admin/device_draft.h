/* SPDX-License-Identifier: Apache-2.0 */
/* A device while an admin writes it: every part can still be changed. */
#ifndef REGISTRAR_ADMIN_DEVICE_DRAFT_H
#define REGISTRAR_ADMIN_DEVICE_DRAFT_H

#include <stdbool.h>

#include "registrar/device.h"

/* Its texts belong to whom they were taken from, and must live as long. */
struct device_draft {
	struct device device; /* what it is by now */
	struct device_line lines[DEVICE_LINES_MAX];
	struct device_dial dials[DEVICE_DIALS_MAX];
};

/* As `from` is; NULL: a new one, with every default. */
void device_draft_init(struct device_draft *draft, const struct device *from);

/* Gives it credentials of RFC 7616; of the password only hashes are kept. */
void device_draft_password(struct device_draft *draft, const char *user,
	const char *realm, const char *password);
/* Takes the user; its secret is kept while the user is the same. */
void device_draft_user(struct device_draft *draft, const char *user);
/* Takes names, or "" or "standard". */
void device_draft_softkeys(struct device_draft *draft, const char *names);

#endif

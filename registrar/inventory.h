/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices there are, and how each may come: name -> device. */
#ifndef REGISTRAR_INVENTORY_H
#define REGISTRAR_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "registrar/config.h"
#include "registrar/device.h"

/* Thread-safe. Names are compared without case. */
struct inventory;

/* Holds the devices of the configuration. */
struct inventory *inventory_new(const struct config *config);
void inventory_free(struct inventory *inv);

/* A reference on the device, or NULL. */
struct device *inventory_find(struct inventory *inv, const char *name);
size_t inventory_count(struct inventory *inv);

/* A copy of the profile; false: there is none of that name. */
bool inventory_profile(
	struct inventory *inv, const char *name, struct security_profile *out);

#endif

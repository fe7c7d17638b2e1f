/* SPDX-License-Identifier: Apache-2.0 */
/* Devices and security profiles as JSON, both ways. */
#ifndef REGISTRAR_ADMIN_DEVICE_JSON_H
#define REGISTRAR_ADMIN_DEVICE_JSON_H

#include <jansson.h>

#include "registrar/admin/device_draft.h"
#include "registrar/device_rules.h"
#include "registrar/device_seen.h"

/* seen NULL: nothing was. Never a secret. */
json_t *device_json(const struct device *device, const struct device_seen *seen,
	int64_t now);

/*
 * Takes over what the object says; a member that is null goes back to its
 * default. Unknown members and wrong types are refused; what device_json()
 * tells besides (source, seen) is passed over. The draft's texts are then the
 * object's.
 */
bool device_json_read(const json_t *object, const char *realm,
	struct device_draft *draft, struct device_fault *fault);

json_t *profile_json(const struct security_profile *profile, bool predefined);
bool profile_json_read(const json_t *object, struct security_profile *profile,
	struct device_fault *fault);
/* A new profile, every field its default. */
void profile_json_default(struct security_profile *profile, const char *name);

#endif

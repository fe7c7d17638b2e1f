/* SPDX-License-Identifier: Apache-2.0 */
/* What a device and a security profile may say: each refusal names a field. */
#ifndef REGISTRAR_DEVICE_RULES_H
#define REGISTRAR_DEVICE_RULES_H

#include <stdbool.h>

#include "registrar/device.h"

/* The first field that breaks a rule, as CSV and the command name it
 * ("line2_label"), and the rule. */
struct device_fault {
	char field[40];
	char why[320];
};

/* Does it keep the rules? That its profile is there is not asked. */
bool device_check(const struct device *d, struct device_fault *fault);
/* The rules of specs cucm-enumerations 2.2. */
bool device_profile_check(
	const struct security_profile *p, struct device_fault *fault);

/* Sets both; answers false. */
bool device_refuse(struct device_fault *fault, const char *field,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

/* 1 to 63 letters, digits, dots, underscores and hyphens. */
bool device_name_good(const char *name);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Rule -> what it means for the phone's owner, and what to type next. */
#ifndef REGISTRAR_EXPLAIN_RULES_H
#define REGISTRAR_EXPLAIN_RULES_H

#include <stddef.h>

#include <jansson.h>

struct explain_rule {
	/* A rule of admit, trust, a protocol or limits; or the name of the
	 * reason why a registration ended. */
	const char *rule;
	const char *about; /* "LSC", "MIC", "tls", "tcp": only then; else "" */
	const char *means;
	const char *cure; /* steps, one a line; NAME is the device's */
};

/* Those of CAPF, which rules.c knows, too. */
const struct explain_rule *explain_rules_capf(size_t *n);

/* The paragraph on `rule`, that `about` it if there is one; NULL for none. */
const struct explain_rule *explain_rule(const char *rule, const char *about);
/* The same about the end of a registration, by the reason's name. */
const struct explain_rule *explain_end(const char *reason);

/* Sets "meaning" and "cure" (a list of steps with the device's name in them,
 * "NAME" when it is ""). */
void explain_rule_put(
	json_t *o, const struct explain_rule *rule, const char *device);
/* The steps alone, e.g. of a cure that is no rule's. */
json_t *explain_steps(const char *cure, const char *device);

#endif

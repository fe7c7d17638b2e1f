/* SPDX-License-Identifier: Apache-2.0 */
/* The rules that a trust folder and its files are refused by. */
#include "certs/rule.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *meaning, *cure;
} rows[CERT_RULES] = {{"", "", ""},
#define X(symbol, name, meaning, cure) {name, meaning, cure},
	CERT_RULE_LIST(X)
#undef X
};

const char *cert_rule_name(enum cert_rule rule)
{
	return rows[rule].name;
}

const char *cert_rule_meaning(enum cert_rule rule)
{
	return rows[rule].meaning;
}

const char *cert_rule_cure(enum cert_rule rule)
{
	return rows[rule].cure;
}

enum cert_rule cert_rule_find(const char *name)
{
	for (int rule = CERT_RULES - 1; rule > CERT_RULE_NONE; rule--)
		if (strcmp(rows[rule].name, name) == 0)
			return (enum cert_rule)rule;
	return CERT_RULE_NONE;
}

int cert_rule_refuse(struct diag *d, enum cert_rule rule, int error,
	const char *file, int line, const char *detail)
{
	char at[16] = "";
	if (line)
		snprintf(at, sizeof(at), ":%d", line);
	return diag_refuse(d, rows[rule].name, error, "%s%s: %s%s%s%s: %s",
		file, at, rows[rule].meaning, *detail ? " (" : "", detail,
		*detail ? ")" : "", rows[rule].cure);
}

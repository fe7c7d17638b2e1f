/* SPDX-License-Identifier: Apache-2.0 */
/* The rules' names, and the words of a refusal. */
#include "protocols/capf/rule.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
	const char *name, *text;
} rules[] = {
#define X(symbol, name, text) {name, text},
	CAPF_RULE_LIST(X)
#undef X
};

const char *capf_rule_name(enum capf_rule rule)
{
	return rules[rule].name;
}

const char *capf_rule_text(enum capf_rule rule)
{
	return rules[rule].text;
}

bool capf_refuse(
	struct capf_refusal *why, enum capf_rule rule, const char *format, ...)
{
	va_list args;
	why->rule = rule;
	va_start(args, format);
	vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Every rule that decides about a message, with the answer it leads to. */
#include "protocols/sip/rule.h"

static const struct {
	int status;
	const char *text;
} rules[] = {
#define X(symbol, status, text) {status, text},
	SIP_RULE_LIST(X)
#undef X
};

int sip_rule_status(enum sip_rule rule)
{
	return rules[rule].status;
}

const char *sip_rule_text(enum sip_rule rule)
{
	return rules[rule].text;
}

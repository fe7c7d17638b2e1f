/* SPDX-License-Identifier: Apache-2.0 */
/* What a TLS alert means, by who sent it. */
#include "registrar/explain/alerts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "registrar/tls/alert.h"

enum {
	ALERTS = 256,
	CLOSE_NOTIFY = 0,
	HANDSHAKE_FAILURE = 40,
	PROTOCOL_VERSION = 70,
	INSUFFICIENT_SECURITY = 71,
	CERTIFICATE_REQUIRED = 116,
};

/* What a registrar refused, where the alert tells (specs tls-phones 3). */
static const struct {
	int alert;
	const char *rule;
} rules[] = {
	{42, "bad-certificate"},
	{43, "wrong-purpose"},
	{44, "revoked"},
	{45, "expired"},
	{46, "critical-extension"},
	{48, "unknown-ca"},
	{51, "bad-signature"},
	{PROTOCOL_VERSION, "tls-alert-sent"},
	{INSUFFICIENT_SECURITY, "tls-alert-sent"},
	{CERTIFICATE_REQUIRED, "no-certificate"},
};

int explain_alert_number(const char *text, size_t n)
{
	for (int i = 0; i < ALERTS; i++) {
		const char *known = alert_text(i);
		if (strlen(known) == n && strncasecmp(known, text, n) == 0 &&
			strcmp(known, "unknown") != 0)
			return i;
	}
	return -1;
}

const char *explain_alert_rule(const struct explain_alert *a, bool shown)
{
	if (a->number == CLOSE_NOTIFY && !a->fatal)
		return "orderly-close";
	if (a->by_phone)
		return "tls-alert-received";
	/* Before a certificate was asked for, no cipher or version was
	 * agreed on; behind a certificate it is none of the two. */
	if (a->number == HANDSHAKE_FAILURE)
		return shown ? "other-alert" : "tls-alert-sent";
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].alert == a->number)
			return rules[i].rule;
	return "other-alert";
}

static void put_line(json_t *o, const char *key, const struct explain_alert *a,
	const char *direction)
{
	json_object_set_new(o, key,
		json_sprintf("SSL3 alert [%s]:[%s]:[%s]", direction,
			a->fatal ? "fatal" : "warning", alert_text(a->number)));
}

void explain_alert_put(json_t *o, const struct explain_alert *a)
{
	json_object_set_new(o, "alert",
		json_pack("{si ss ss ss}", "number", a->number, "name",
			a->number < 0 ? "unknown" : alert_text(a->number),
			"level", a->fatal ? "fatal" : "warning", "sentBy",
			a->by_phone ? "phone" : "server"));
	if (a->number < 0)
		return;
	put_line(o, "phoneConsole", a, a->by_phone ? "write" : "read");
	put_line(o, "registrarLog", a, a->by_phone ? "read" : "write");
}

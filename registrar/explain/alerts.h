/* SPDX-License-Identifier: Apache-2.0 */
/* What a TLS alert means, by who sent it. */
#ifndef REGISTRAR_EXPLAIN_ALERTS_H
#define REGISTRAR_EXPLAIN_ALERTS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct explain_alert {
	int number; /* -1: nobody says */
	bool by_phone;
	bool fatal;
};

/* The number of a description as phones print it, -1 for none. */
int explain_alert_number(const char *text, size_t n);
/* The rule (rules.h) that lets it be sent; `shown`: the phone had shown a
 * certificate before. */
const char *explain_alert_rule(const struct explain_alert *a, bool shown);
/* Sets "alert", "phoneConsole" and, its mirror, "registrarLog". */
void explain_alert_put(json_t *o, const struct explain_alert *a);

#endif

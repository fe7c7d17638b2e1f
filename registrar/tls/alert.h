/* SPDX-License-Identifier: Apache-2.0 */
/* TLS alerts in the words that phones print. */
#ifndef REGISTRAR_TLS_ALERT_H
#define REGISTRAR_TLS_ALERT_H

/* The description, "unknown CA"; "unknown" for a number nobody assigned. */
const char *alert_text(int alert);

#endif

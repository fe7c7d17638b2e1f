/* SPDX-License-Identifier: Apache-2.0 */
/* What can be counted, for Prometheus: text format 0.0.4. */
#ifndef REGISTRAR_STATUS_METRICS_H
#define REGISTRAR_STATUS_METRICS_H

#include "registrar/server.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The page; the caller frees it. */
char *metrics_text(struct server *s);

#endif

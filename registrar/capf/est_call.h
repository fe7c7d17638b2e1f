/* SPDX-License-Identifier: Apache-2.0 */
/* One request to an EST server: what curl is told, and what came of it. */
#ifndef REGISTRAR_CAPF_EST_CALL_H
#define REGISTRAR_CAPF_EST_CALL_H

#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include "certs/diag.h"
#include "registrar/capf/est.h"

/* What capf.est_* say. */
struct est_settings {
	char *url;			    /* of simpleenroll */
	const char *ca, *certificate, *key; /* the configuration's */
	long ms;
};

/* Every file of them is read, and must be of some use; but curl reads them
 * again for each connection, so that they may be renewed. -EINVAL or -errno
 * with d. To be undone in either case. */
int est_settings_read(
	const struct config *config, struct est_settings *out, struct diag *d);
void est_settings_deinit(struct est_settings *s);

struct est_call;

/* NULL: the request is no PKCS #10. Both are copied as far as needed, but the
 * settings' texts must stay. */
struct est_call *est_call_new(
	const struct est_settings *s, const uint8_t *request, size_t n);
void est_call_free(struct est_call *c);
CURL *est_call_easy(struct est_call *c);
/* It takes no longer than that, from its start on. */
void est_call_limit(struct est_call *c, long ms);
/* out->cert is the caller's to free. */
void est_call_judge(struct est_call *c, CURLcode code, struct est_answer *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Says in one sentence why a certificate was refused. */
#ifndef TRUST_WHY_H
#define TRUST_WHY_H

#include <time.h>

#include <openssl/x509.h>

#include "trust/verify.h"

/* Fills why, missing_ca and, if it is empty, cure of a result that is not OK.
 * What why holds already, of who is revoked, is taken into the sentence.
 * ctx: after X509_verify_cert, or NULL when it was not called. */
void trust_why(const struct trust_snapshot *snapshot, X509 *leaf,
	X509_STORE_CTX *ctx, time_t now, struct trust_result *result);

#endif

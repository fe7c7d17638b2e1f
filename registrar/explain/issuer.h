/* SPDX-License-Identifier: Apache-2.0 */
/* LSC or MIC, by what the issuer is called: for captures, not for trust. */
#ifndef REGISTRAR_EXPLAIN_ISSUER_H
#define REGISTRAR_EXPLAIN_ISSUER_H

#include "certs/identity.h"

/*
 * Captures show what phones claim; nothing is verified here. `cn` is the
 * issuer's common name, sha256 the fingerprint of its certificate in lower hex
 * ("" when it was not sent). *why is a static text.
 */
enum cert_kind explain_issuer(
	const char *cn, const char *sha256, const char **why);

#endif

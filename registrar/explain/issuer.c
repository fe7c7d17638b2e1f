/* SPDX-License-Identifier: Apache-2.0 */
/* LSC or MIC, by what the issuer is called: for captures, not for trust. */
#include "registrar/explain/issuer.h"

#include <string.h>

#include "trust/cisco.h"

/* Specs certificates 3: those with a fingerprint, and those known by name. */
static const char *const cisco[] = {
#define X(sha256, name) name,
	TRUST_CISCO_LIST(X)
#undef X
		"Cisco Manufacturing CA III",
	"Cisco Basic Assurance Root CA 2099",
	"CAP-RTP-001",
	"CAP-RTP-002",
};

enum cert_kind explain_issuer(
	const char *cn, const char *sha256, const char **why)
{
	if (trust_cisco_name(sha256)) {
		*why = "its issuer is a Cisco manufacturing CA, by fingerprint";
		return CERT_KIND_MIC;
	}
	for (size_t i = 0; i < sizeof(cisco) / sizeof(cisco[0]); i++)
		if (strcmp(cn, cisco[i]) == 0) {
			*why = "its issuer has the name of a Cisco "
			       "manufacturing CA";
			return CERT_KIND_MIC;
		}
	if (strncmp(cn, "CAPF-", 5) == 0) {
		*why = "its issuer has the name of a CAPF";
		return CERT_KIND_LSC;
	}
	*why = "its issuer has the name neither of a CAPF nor of a Cisco "
	       "manufacturing CA";
	return CERT_KIND_UNKNOWN;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Every judgement on a certificate: its name, its alert, its cure. */
#include "trust/verdict.h"

#include <openssl/x509_vfy.h>

#include "trust/x509_errors.h"

static const struct {
	const char *name;
	int x509;
	int alert;
	const char *text;
	const char *cure;
} rows[TRUST_VERDICTS] = {
#define X(symbol, name, x509, alert, text, cure) \
	{name, x509, alert, text, cure},
	TRUST_VERDICT_LIST(X)
#undef X
};

const char *trust_verdict_name(enum trust_verdict v)
{
	return rows[v].name;
}

const char *trust_verdict_text(enum trust_verdict v)
{
	return rows[v].text;
}

const char *trust_verdict_cure(enum trust_verdict v)
{
	return rows[v].cure;
}

int trust_verdict_x509(enum trust_verdict v)
{
	return rows[v].x509;
}

int trust_verdict_alert(enum trust_verdict v)
{
	return rows[v].alert;
}

enum trust_verdict trust_verdict_of_x509(int error, int depth)
{
	switch (error) {
	case X509_V_OK:
		return TRUST_OK;
#define X(symbol, leaf, chain)    \
	case X509_V_ERR_##symbol: \
		return depth ? TRUST_##chain : TRUST_##leaf;
		TRUST_X509_ERROR_LIST(X)
#undef X
	default:
		return TRUST_UNREADABLE;
	}
}

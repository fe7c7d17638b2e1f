/* SPDX-License-Identifier: Apache-2.0 */
/* Any elements of a proof: read within their bounds, and never good when one
 * bit of what was signed is another. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "certs/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth)
{
	if (!truth)
		abort();
}

/* u16 length | that many bytes, in a block of its own so that a byte beyond is
 * seen; a length of ffff: the element did not come. */
static struct cert_bytes take(const uint8_t **p, size_t *n)
{
	if (*n < 2)
		return (struct cert_bytes){NULL, 0};
	size_t want = (size_t)(*p)[0] << 8 | (*p)[1];
	*p += 2;
	*n -= 2;
	if (want == 0xffff)
		return (struct cert_bytes){NULL, 0};
	if (want > *n)
		want = *n;
	uint8_t *copy = malloc(want ? want : 1);
	check(copy != NULL);
	memcpy(copy, *p, want);
	*p += want;
	*n -= want;
	return (struct cert_bytes){copy, want};
}

static enum cert_proof judge(const struct cert_proof_parts *parts)
{
	X509 *cert = NULL, *sudi = NULL;
	enum cert_proof verdict = cert_proof_check(parts, &cert, &sudi);
	check(!!cert == (verdict == CERT_PROOF_OK));
	check(!!sudi == (verdict == CERT_PROOF_OK && parts->sudi.p));
	check(ERR_peek_error() == 0);
	X509_free(cert);
	X509_free(sudi);
	return verdict;
}

/* certificate, SIGNED_DATA, SHA2_SIGNED_DATA, SUDI_DATA of session 1. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cert_proof_parts parts = {
		.device = "SEP001122334455",
		.session = 1,
		.certificate = take(&data, &size),
		.sha1 = take(&data, &size),
		.sha2 = take(&data, &size),
		.sudi = take(&data, &size),
	};
	if (judge(&parts) == CERT_PROOF_OK) {
		parts.device = "SEP001122334456";
		check(judge(&parts) == CERT_PROOF_BAD_SHA1);
	}
	free((void *)parts.certificate.p);
	free((void *)parts.sha1.p);
	free((void *)parts.sha2.p);
	free((void *)parts.sudi.p);
	return 0;
}
